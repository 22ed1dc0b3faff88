/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The process of efi_world.h. */
#define _GNU_SOURCE
#include "efi_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../feature-probe/uefi/probe_efi.h"
#include "../../guest/guest_internal.h"

#define PORT 0x50
#define LIVE_PORT 0x510
#define MEMORY (64u << 20)
#define ROM_AT (60u << 20) /* above what firmware gives out */

struct efi_world world;

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* ---- the host's embedder ------------------------------------------------------------------------- */

static bool in_memory(uint64_t at, uint64_t size)
{
	const uint64_t first = (uint64_t)(uintptr_t)made_up.memory;

	return at >= first && size <= MEMORY && at - first <= MEMORY - size;
}

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	return in_memory(gpa.gpa, *len) ? (void *)(uintptr_t)gpa.gpa : NULL;
}

static void lock(void *ctx)
{
	(void)ctx;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return __builtin_ia32_rdtsc();
}

static uint64_t clock_tsc(void *ctx)
{
	return tsc(ctx, 0);
}

static bool others_run(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return false;
}

static uint32_t alarm_set(void *ctx, uint32_t vcpu, uint64_t when, uint8_t vector)
{
	(void)ctx;
	(void)vcpu;
	(void)when;
	(void)vector;
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
}

static const struct pvrom_host_ops ops = {
	.translate = translate,
	.lock = lock,
	.unlock = lock,
	.tsc = tsc,
	.others_run = others_run,
	.alarm_set = alarm_set,
	.alarm_cancel = alarm_cancel,
};

static const struct pvrom_host_feature *const features[] = { &pvrom_host_cpu, &pvrom_host_alarm,
							     &world.clock.feature, NULL };

static void start_host(void)
{
	const struct pvrom_clock_config clock = { .tsc = clock_tsc,
						  .rate_ticks = 1000000000,
						  .rate_ns = 1000000000 };
	const struct pvrom_host_config config = {
		.ops = &ops,
		.features = features,
		.rom_gpa = (uint64_t)(uintptr_t)made_up.memory + ROM_AT,
		.vcpus = 1,
		.log_burst = 1,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = PORT,
		.live_port = LIVE_PORT,
		.live_key = 0x12345678,
		.flags = PVROM_HOST_POISON,
	};

	CU_ASSERT_EQUAL_FATAL(pvrom_clock_host_init(&world.clock, &clock), PVROM_CLOCK_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&world.host, &config, &world.vcpu), PVROM_HOST_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_build_rom(&world.host, made_up.memory + ROM_AT, 0x10000,
						   &world.rom_size),
			      PVROM_HOST_OK);
	world.rom = made_up.memory + ROM_AT;
}

/* ---- instructions, in place of guest/insn.c ------------------------------------------------------ */

void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4])
{
	(void)leaf;
	memset(regs, 0, 4 * sizeof(*regs));
}

uint32_t pvrom_insn_in32(uint16_t port)
{
	return port == LIVE_PORT && !world.fault.silent ? pvrom_host_live_read(&world.vcpu)
							: UINT32_MAX;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	if (port == LIVE_PORT && !world.fault.silent)
		pvrom_host_live_write(&world.vcpu, value);
}

uint32_t pvrom_insn_nonce(void)
{
	return (uint32_t)__builtin_ia32_rdtsc() | 1;
}

/* The status that is answered without the host's half, or none. */
static uint32_t instead(uint32_t call, const uint64_t arg[4])
{
	const struct pvrom_negotiation *n = (const void *)(uintptr_t)arg[0];

	switch (call) {
	case PVROM_BASE_QUERY: return world.fault.query;
	case PVROM_BASE_RESET: return world.fault.reset;
	case PVROM_CLOCK_PAGE: return world.fault.page;
	case PVROM_BASE_NEGOTIATE:
		if (arg[1] == PVROM_NEGOTIATE_PROPOSE)
			return world.fault.propose;
		return n->granted ? world.fault.commit : world.fault.commit_nothing;
	default: return WORLD_NO_STATUS;
	}
}

static void falsify_grant(struct pvrom_negotiation *n)
{
	if (world.fault.grants_more)
		n->granted |= PVROM_U64(1) << 40;
	if (world.fault.grants_less) {
		n->granted &= ~PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
		world.host.pending = n->granted;
	}
}

static void falsify_page(struct pvrom_clock_page *page)
{
	if (world.fault.page_stands)
		memset(page, 0, sizeof(*page));
	if (world.fault.page_opened)
		page->seq_count |= 1;
}

static void falsify(uint32_t call, const uint64_t arg[4])
{
	void *where = (void *)(uintptr_t)arg[0];

	if (call == PVROM_BASE_QUERY && world.fault.reasons)
		((struct pvrom_offer *)where)->reason[0] = PVROM_REASON_OPERATOR;
	if (call == PVROM_BASE_NEGOTIATE && arg[1] == PVROM_NEGOTIATE_PROPOSE)
		falsify_grant(where);
	if (call == PVROM_CLOCK_PAGE && arg[0] != PVROM_CLOCK_PAGE_NONE)
		falsify_page(where);
}

uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
			      const uint64_t arg[4], uint64_t *value)
{
	struct pvrom_host_regs regs = { .call = call, .mode64 = 1 };
	uint32_t status = instead(call, arg);

	CU_ASSERT_EQUAL(transport, PVROM_TRANSPORT_PORT);
	CU_ASSERT_EQUAL(port, PORT);
	world.calls++;
	world.low_calls += made_up.tpl != TPL_HIGH_LEVEL;
	if (status != WORLD_NO_STATUS)
		return status;
	if (world.fault.moves && call == PVROM_BASE_NEGOTIATE && arg[1] == PVROM_NEGOTIATE_PROPOSE)
		pvrom_host_raise_epoch(&world.host);
	memcpy(regs.arg, arg, sizeof(regs.arg));
	CU_ASSERT_EQUAL(pvrom_host_call(&world.vcpu, &regs), PVROM_ACTION_RESUME);
	*value = regs.value;
	falsify(call, arg);
	return regs.status;
}

/* ---- in place of probe_efi_pages.c --------------------------------------------------------------- */

bool efi_is_mapped(uint64_t address, uint64_t size)
{
	return in_memory(address, size);
}

/* ---- the machine --------------------------------------------------------------------------------- */

static void console_out(char c)
{
	if (world.console_size < sizeof(world.console) - 1)
		world.console[world.console_size++] = c;
}

static void serial_out(char c)
{
	if (world.serial_size < sizeof(world.serial) - 1)
		world.serial[world.serial_size++] = c;
}

void world_start(void)
{
	static uint8_t *memory;

	if (!memory)
		memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	if (memory == MAP_FAILED)
		abort();
	memset(&world, 0, sizeof(world));
	world.fault = (struct world_fault){ WORLD_NO_STATUS, WORLD_NO_STATUS, WORLD_NO_STATUS,
					    WORLD_NO_STATUS, WORLD_NO_STATUS, WORLD_NO_STATUS,
					    .silent = false };
	made_up = (struct made_up){ .memory = memory,
				    .memory_size = ROM_AT,
				    .console = true,
				    .from_shell = true,
				    .columns = 80,
				    .rows = 100,
				    .serial_room = -1,
				    .console_out = console_out,
				    .serial_out = serial_out };
	start_host();
}

uint8_t *world_copy(uint32_t extra)
{
	uint8_t *copy = made_up.memory + ROM_AT + 0x100000;

	memcpy(copy, world.rom, world.rom_size);
	memset(copy + world.rom_size, 0xff, extra);
	return copy;
}

void world_pci(const uint8_t *image, uint64_t size)
{
	made_up.rom[made_up.roms].image = image;
	made_up.rom[made_up.roms++].size = size;
}

void world_table(const uint8_t *image)
{
	static const uint8_t guid[16] = PVROM_UEFI_GUID_BYTES;

	memcpy(&made_up.table[made_up.tables].VendorGuid, guid, sizeof(guid));
	made_up.table[made_up.tables++].VendorTable = (void *)(uintptr_t)image;
}

/* Words behind the program's name. */
static void take_arguments(const char *arguments)
{
	static CHAR16 text[256];
	CHAR16 *to = text;

	made_up.words[0] = u"pvrom-probe.efi";
	made_up.word_count = 1;
	for (; *arguments; arguments++) {
		made_up.words[made_up.word_count++] = to;
		for (; *arguments && *arguments != ' '; arguments++)
			*to++ = (CHAR16)*arguments;
		*to++ = 0;
		if (!*arguments)
			break;
	}
}

EFI_STATUS world_run(const char *arguments)
{
	EFI_STATUS status;

	take_arguments(arguments);
	world.console_size = world.serial_size = 0;
	memset(world.console, 0, sizeof(world.console));
	memset(world.serial, 0, sizeof(world.serial));
	status = efi_main(&made_up, made_up_start());
	CU_ASSERT_EQUAL(made_up.out_of_turn, 0);
	CU_ASSERT_EQUAL(made_up.tpl, TPL_APPLICATION);
	CU_ASSERT_EQUAL(world.low_calls, 0);
	return status;
}

bool world_said(const char *text)
{
	return strstr(world.console, text) != NULL;
}
