/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Makes one kind of call to the host handler N times, for callgrind to count the instructions of:
 *
 *	loop_calls KIND N
 *
 * Only what happens inside measured() is to be counted (--toggle-collect=measured*).
 */
#include <pvrom/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t memory[65536] __attribute__((aligned(4096)));

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa >= sizeof(memory))
		return NULL;
	if (*len > sizeof(memory) - gpa.gpa)
		*len = sizeof(memory) - gpa.gpa;
	return memory + gpa.gpa;
}

static void op_lock(void *ctx)
{
	(void)ctx;
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	return vcpu;
}

static const struct pvrom_host_ops ops = {
	.translate = op_translate,
	.lock = op_lock,
	.unlock = op_lock,
	.tsc = op_tsc,
};
static const struct pvrom_host_feature *const features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
};
static struct pvrom_host host;
static struct pvrom_host_vcpu vcpu;

/* A kind of call, what it answers, and what has to be sealed before. */
static const struct kind {
	const char *name;
	uint32_t call, status;
	uint8_t mode64;
	uint8_t sealed;
} kinds[] = {
	{ "null", PVROM_BASE_VERSION, PVROM_STATUS_OK, 1, 0 },
	{ "unknown", 0x4321, PVROM_STATUS_NOT_SUPPORTED, 1, 0 },
	{ "reserved", PVROM_MEM_SHARE, PVROM_STATUS_NOT_SUPPORTED, 1, 0 },
	{ "denied", PVROM_CLOCK_ALARM_SET, PVROM_STATUS_DENIED, 1, 0 },
	{ "mode", PVROM_BASE_VERSION, PVROM_STATUS_MODE, 0, 0 },
	{ "not_required", PVROM_CPU_CLI, PVROM_STATUS_NOT_REQUIRED, 1, 1 },
	{ "invalid", PVROM_BASE_SHUTDOWN, PVROM_STATUS_INVALID, 1, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void seal_cpu(void)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(void *)memory;
	uint64_t form;

	*n = (struct pvrom_negotiation){ .size = sizeof(*n),
					 .major = PVROM_MAJOR,
					 .epoch = 1,
					 .wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) };
	for (form = PVROM_NEGOTIATE_PROPOSE; form <= PVROM_NEGOTIATE_COMMIT; form++) {
		struct pvrom_host_regs regs = { .call = PVROM_BASE_NEGOTIATE,
						.arg = { 0, form },
						.mode64 = 1 };

		pvrom_host_call(&vcpu, &regs);
	}
}

__attribute__((noinline)) static void measured(struct pvrom_host_regs *regs)
{
	pvrom_host_call(&vcpu, regs);
	/* Keep this a call: a jump would hide the end of the function from callgrind. */
	__asm__ volatile("" : : : "memory");
}

static int run(const struct kind *kind, long count)
{
	const struct pvrom_host_config config = {
		.ops = &ops, .features = features, .vcpus = 1, .transport = PVROM_TRANSPORT_PORT
	};
	int bad = pvrom_host_init(&host, &config, &vcpu) != PVROM_HOST_OK;

	if (kind->sealed)
		seal_cpu();
	while (count-- > 0) {
		struct pvrom_host_regs regs = { .call = kind->call,
						.arg = { 9 },
						.mode64 = kind->mode64 };

		measured(&regs);
		bad |= regs.status != kind->status;
	}
	return bad;
}

int main(int argc, char **argv)
{
	uint32_t i;

	for (i = 0; argc == 3 && i < KINDS; i++)
		if (!strcmp(argv[1], kinds[i].name))
			return run(&kinds[i], strtol(argv[2], NULL, 0));
	for (i = 0; argc == 1 && i < KINDS; i++)
		puts(kinds[i].name);
	return argc != 1;
}
