/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The end: what the guest's runs ended with, by reason and by call, in one line of JSON. */
#include "hv.h"

#define STATUS_PORT 0xf4
#define RESET_PORT 0xcf9
#define RESET_NOW 0x06

static const struct {
	uint32_t first, last;
	const char *name;
} reasons[] = {
	{ SVM_EXIT_READ_CR, SVM_EXIT_READ_CR + 15, "cr_read" },
	{ SVM_EXIT_WRITE_CR, SVM_EXIT_WRITE_CR + 15, "cr_write" },
	{ SVM_EXIT_EXCEPTION, SVM_EXIT_EXCEPTION + VECTOR_PF - 1, "exception" },
	{ SVM_EXIT_EXCEPTION + VECTOR_PF, SVM_EXIT_EXCEPTION + VECTOR_PF, "page_fault" },
	{ SVM_EXIT_INTR, SVM_EXIT_NMI, "host_interrupt" },
	{ SVM_EXIT_VINTR, SVM_EXIT_VINTR, "interrupt_window" },
	{ SVM_EXIT_CPUID, SVM_EXIT_CPUID, "cpuid" },
	{ SVM_EXIT_IRET, SVM_EXIT_IRET, "iret" },
	{ SVM_EXIT_HLT, SVM_EXIT_HLT, "halt" },
	{ SVM_EXIT_INVLPG, SVM_EXIT_INVLPG, "invlpg" },
	{ SVM_EXIT_IO, SVM_EXIT_IO, "port" },
	{ SVM_EXIT_MSR, SVM_EXIT_MSR, "msr" },
	{ SVM_EXIT_VMMCALL, SVM_EXIT_VMMCALL, "call" },
	{ EXIT_CODES, EXIT_CODES, "nested_page_fault" },
	{ EXIT_CODES + 1, EXIT_CODES + 1, "other" },
};

static struct hv_counts total;

/* Over all vCPUs; those that still run go on counting. */
static void add_up(void)
{
	uint64_t *sum = (uint64_t *)&total;

	for (uint32_t i = 0; i < hv.cpus; i++)
		for (size_t n = 0; n < sizeof(total) / sizeof(*sum); n++)
			sum[n] += ((const uint64_t *)&hv.vcpu[i].counts)[n];
}

static void print_reasons(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		uint64_t sum = 0;

		for (uint32_t code = reasons[i].first; code <= reasons[i].last; code++)
			sum += total.exits[code];
		hv_print(",\"%s\":%lu", reasons[i].name, sum);
	}
}

static void print_calls(void)
{
	const char *comma = "";

	for (uint32_t group = 0; group < CALL_GROUPS; group++)
		for (uint32_t index = 0; index < CALL_INDEXES; index++) {
			const char *name = pvrom_host_call_name(group << 8 | index);
			uint64_t count = total.calls[group][index];

			if (!count || !name)
				continue;
			hv_print("%s\"%s\":%lu", comma, name, count);
			comma = ",";
		}
}

static void report(void)
{
	add_up();
	hv_print("{\"schema\":1,\"hypervisor\":{\"cpus\":%u,\"nested\":%s,\"changes\":%u,"
		 "\"reloads\":%u,\"exits\":%lu,\"kicks\":%lu,\"continued\":%lu",
		 hv.cpus, hv.nested ? "true" : "false", hv.changes[0], hv.changes[1],
		 total.sum[SUM_EXITS], total.sum[SUM_KICKS], total.sum[SUM_CONTINUED]);
	print_reasons();
	hv_print("},\"calls\":{");
	print_calls();
	hv_print("}}\n");
}

static void __attribute__((noreturn)) stop_for_good(void)
{
	cli();
	for (;;)
		__asm__ volatile("hlt");
}

/* The machine is done; only the first CPU that says so is heard. */
void hv_finish(uint8_t value)
{
	static uint32_t finished;

	if (!__atomic_exchange_n(&finished, 1, __ATOMIC_RELAXED)) {
		if (hv.host.rom_size)
			report();
		out8(STATUS_PORT, value);
	}
	stop_for_good();
}

void hv_restart(void)
{
	out8(RESET_PORT, RESET_NOW);
	stop_for_good();
}
