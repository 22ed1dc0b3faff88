/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Discovery, negotiation and patching of 1,000 call sites, both halves in one process, for callgrind to
 * count the instructions of:
 *
 *	patch_sites SLOTS		0 normal, 1 native, 2 inline, 3 call
 *
 * Only what happens inside measured() is to be counted (--toggle-collect=measured*). The host's half
 * is counted with it; of the kernel's functions, the least that they can do.
 */
#include <pvrom/guest.h>
#include <pvrom/host.h>
#include <pvrom/kernel_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/guest_internal.h"

#define SITES 1000
#define SITE_BYTES 7
#define CPUID_BASE 0x40000100u
#define ROM_ROOM 0x10000

static struct pvrom_host host;
static struct pvrom_host_vcpu vcpu;
static struct pvrom_guest guest;
static struct pvrom_site sites[SITES];
static uint8_t text[SITES * SITE_BYTES];
static uint8_t rom[ROM_ROOM] __attribute__((aligned(4096)));
static uint8_t copy[ROM_ROOM] __attribute__((aligned(4096)));

/* ---- the processor: guest memory is this process ------------------------------------------------ */

void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4])
{
	regs[0] = regs[1] = regs[3] = 0;
	regs[2] = leaf == 1 ? 1u << PVROM_CPUID_HYPERVISOR_BIT : 0;
	pvrom_host_cpuid(&host, CPUID_BASE, leaf, regs);
}

uint32_t pvrom_insn_in32(uint16_t port)
{
	return port ? pvrom_host_live_read(&vcpu) : 0;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	if (port)
		pvrom_host_live_write(&vcpu, value);
}

uint32_t pvrom_insn_nonce(void)
{
	return 0x5a5a5a5b;
}

uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
			      const uint64_t arg[4], uint64_t *value)
{
	struct pvrom_host_regs regs = { .call = call,
					.arg = { arg[0], arg[1], arg[2], arg[3] },
					.mode64 = 1 };

	(void)transport;
	(void)port;
	pvrom_host_call(&vcpu, &regs);
	*value = regs.value;
	return regs.status;
}

/* ---- the kernel ----------------------------------------------------------------------------------- */

/* Nothing but the ROM is there to be found. */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	const uintptr_t where = (uintptr_t)rom;

	(void)os;
	return gpa >= where && gpa + size <= where + sizeof(rom) ? (const void *)(uintptr_t)gpa
								 : NULL;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
}

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	(void)os;
	(void)size;
	return (uintptr_t)where;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	(void)os;
	return size <= sizeof(copy) ? copy : NULL;
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
}

bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
	return true;
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	(void)os;
	memcpy(where, bytes, size);
	return true;
}

void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	(void)os;
	act(argument);
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	(void)os;
	(void)n;
	(void)gpa;
	(void)size;
	return false;
}

/* ---- the host --------------------------------------------------------------------------------------- */

static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	(void)len;
	return (void *)(uintptr_t)gpa.gpa;
}

static void op_lock(void *ctx)
{
	(void)ctx;
}

static uint64_t op_tsc(void *ctx, uint32_t cpu)
{
	(void)ctx;
	return cpu;
}

static uint32_t op_route(void *ctx, uint64_t source, uint8_t vector, uint32_t cpu)
{
	(void)ctx;
	return source && vector && cpu ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static uint32_t op_mask(void *ctx, uint64_t source, bool masked)
{
	(void)ctx;
	return source && masked ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static void op_eoi(void *ctx, uint32_t cpu)
{
	(void)ctx;
	(void)cpu;
}

static uint32_t op_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	(void)ctx;
	return vector && base && mask ? PVROM_STATUS_OK : PVROM_STATUS_INVALID;
}

static const struct pvrom_host_ops ops = {
	.translate = op_translate,
	.lock = op_lock,
	.unlock = op_lock,
	.tsc = op_tsc,
	.irq_route = op_route,
	.irq_mask = op_mask,
	.irq_eoi = op_eoi,
	.irq_send = op_send,
};
static const struct pvrom_host_feature *const features[] = {
	&pvrom_host_cpu,
	&pvrom_host_irq,
	NULL,
};

/* ---- setting up and measuring ------------------------------------------------------------------------- */

static int set_up_host(uint32_t slots)
{
	const struct pvrom_host_config config = {
		.ops = &ops,
		.features = features,
		.vcpus = 1,
		.slots = slots,
		.rom_gpa = (uintptr_t)rom,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = 0xe4,
		.live_port = 0xe8,
	};
	size_t size;

	return pvrom_host_init(&host, &config, &vcpu) ||
	       pvrom_host_build_rom(&host, rom, sizeof(rom), &size);
}

/* What a kernel has most of, one after the other. */
static void set_up_sites(void)
{
	static const uint16_t calls[] = {
		PVROM_CPU_CLI,		 PVROM_CPU_STI,	      PVROM_CPU_SAVE_FLAGS,
		PVROM_CPU_RESTORE_FLAGS, PVROM_CPU_READ_CR3,  PVROM_CPU_WRITE_CR3,
		PVROM_CPU_READ_MSR,	 PVROM_CPU_WRITE_MSR, PVROM_CPU_CPUID,
		PVROM_IRQ_EOI,
	};
	uint32_t i;

	for (i = 0; i < SITES; i++) {
		uint8_t *where = text + i * SITE_BYTES;

		sites[i].call = calls[i % 10];
		sites[i].length = SITE_BYTES;
		sites[i].offset = (int32_t)(where - (uint8_t *)&sites[i]);
		memset(where, 0x2e, SITE_BYTES);
		where[SITE_BYTES - 5] = sites[i].call == PVROM_IRQ_EOI ? 0xe8 : 0x2e;
	}
}

__attribute__((noinline)) static uint32_t measured(void)
{
	uint32_t verdict = pvrom_guest_start(&guest, sites, SITES);

	/* Keep this a call: a jump would hide the end of the function from callgrind. */
	__asm__ volatile("" : : : "memory");
	return verdict;
}

int main(int argc, char **argv)
{
	static const struct pvrom_policy policy = {
		.wanted =
			PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ),
		.percpu = PVROM_PERCPU_GS,
	};
	uint32_t verdict;

	if (argc != 2 || set_up_host((uint32_t)strtoul(argv[1], NULL, 0)))
		return 2;
	set_up_sites();
	pvrom_guest_init(&guest, &policy, NULL);
	verdict = measured();
	printf("%s, %u of %d sites patched\n", pvrom_verdict_words(verdict), guest.patched, SITES);
	return verdict != PVROM_VERDICT_READY;
}
