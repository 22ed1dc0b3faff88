/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROMs that the host handler builds, in every configuration, before the judge of rom_judge.c;
 * and the judge before images that are each wrong in one way.
 *
 * With an argument: writes the text and the template of every slot of every ROM into that directory instead, for
 * rom_text_check, which disassembles them.
 */
#include <stdio.h>
#include <string.h>

#include <pvrom/host.h>

#include "../cunit_tap.h"
#include "rom_judge.h"

#define BASE 0x40000100u

static uint8_t rom[PVROM_ROM_SIZE_MAX], other[PVROM_ROM_SIZE_MAX];
static size_t size;
static struct pvrom_host host;
static struct pvrom_host_vcpu vcpu;

/* ---- a host that can everything ----------------------------------------------------------------- */

static void *no_memory(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx, (void)gpa, (void)len;
	return NULL;
}
static void nothing(void *ctx)
{
	(void)ctx;
}
static uint64_t tsc(void *ctx, uint32_t id)
{
	(void)ctx, (void)id;
	return 0;
}
static uint32_t route(void *ctx, uint64_t source, uint8_t vector, uint32_t id)
{
	(void)ctx, (void)source, (void)vector, (void)id;
	return PVROM_STATUS_OK;
}
static uint32_t mask(void *ctx, uint64_t source, bool masked)
{
	(void)ctx, (void)source, (void)masked;
	return PVROM_STATUS_OK;
}
static void eoi(void *ctx, uint32_t id)
{
	(void)ctx, (void)id;
}
static uint32_t send_irq(void *ctx, uint32_t vector, uint32_t base, uint64_t set)
{
	(void)ctx, (void)vector, (void)base, (void)set;
	return PVROM_STATUS_OK;
}
static uint32_t start(void *ctx, uint32_t id, const struct pvrom_smp_state *state)
{
	(void)ctx, (void)id, (void)state;
	return PVROM_STATUS_OK;
}
static uint32_t kick(void *ctx, uint32_t id)
{
	(void)ctx, (void)id;
	return PVROM_STATUS_OK;
}
static uint32_t alarm_set(void *ctx, uint32_t id, uint64_t when, uint8_t vector)
{
	(void)ctx, (void)id, (void)when, (void)vector;
	return PVROM_STATUS_OK;
}

static const struct pvrom_host_ops ops = {
	.translate = no_memory,
	.lock = nothing,
	.unlock = nothing,
	.tsc = tsc,
	.irq_route = route,
	.irq_mask = mask,
	.irq_eoi = eoi,
	.irq_send = send_irq,
	.smp_start = start,
	.smp_kick = kick,
	.alarm_set = alarm_set,
	.alarm_cancel = eoi,
};
static const struct pvrom_host_feature *const features[] = { &pvrom_host_cpu, &pvrom_host_irq,
							     &pvrom_host_smp, &pvrom_host_alarm,
							     NULL };

/* ---- configurations ----------------------------------------------------------------------------- */

#define CONFIGURATIONS (3 * 4 * 2)

static struct pvrom_host_config configuration(unsigned int n)
{
	struct pvrom_host_config config = { .ops = &ops, .features = features, .vcpus = 1 };

	config.transport = (uint16_t)(1 + n % 3);
	config.transport_port = config.transport == PVROM_TRANSPORT_PORT ? 0x50 : 0;
	config.slots = n / 3 % 4;
	config.flags = n / 12 ? PVROM_HOST_EOI_X2APIC : 0;
	config.rom_gpa = 0x12345000;
	config.live_port = 0x51;
	config.live_key = 0xfeedbeef;
	return config;
}

static void build(unsigned int n, uint8_t *image)
{
	struct pvrom_host_config config = configuration(n);

	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&host, &config, &vcpu), PVROM_HOST_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_build_rom(&host, image, sizeof(rom), &size),
			      PVROM_HOST_OK);
}

static struct pvrom_rom_header header_of(const uint8_t *image)
{
	struct pvrom_rom_header h;

	memcpy(&h, image, sizeof(h));
	return h;
}

static struct pvrom_slot *slot_at(uint8_t *image, uint32_t index)
{
	return (struct pvrom_slot *)(void *)(image + header_of(image).slot_offset) + index;
}

static struct pvrom_reloc *reloc_at(uint8_t *image, uint32_t index)
{
	return (struct pvrom_reloc *)(void *)(image + header_of(image).reloc_offset) + index;
}

/* ---- what the host builds ------------------------------------------------------------------------ */

static void keeps_all(void)
{
	for (unsigned int n = 0; n < CONFIGURATIONS; n++) {
		const char *broken;

		build(n, rom);
		broken = rom_judge(rom, size);
		CU_ASSERT_PTR_NULL(broken);
		if (broken)
			tap_note("configuration %u breaks %s", n, broken);
	}
}

/* A judge that sees no slots would be content with anything. */
static void has_something_to_judge(void)
{
	unsigned int texts = 0, templates = 0, relocs = 0;

	for (unsigned int n = 0; n < CONFIGURATIONS; n++) {
		build(n, rom);
		relocs += header_of(rom).reloc_count;
		for (uint32_t i = 0; i < header_of(rom).slot_count; i++) {
			texts += slot_at(rom, i)->text_size != 0;
			templates += slot_at(rom, i)->template_size != 0;
		}
	}
	CU_ASSERT(texts > 300 && templates > 200 && relocs > 300);
}

static void same_bytes(void)
{
	for (unsigned int n = 0; n < CONFIGURATIONS; n++) {
		memset(rom, 0xaa, sizeof(rom));
		build(n, rom);
		memset(other, 0x55, sizeof(other));
		build(n, other);
		CU_ASSERT_EQUAL(memcmp(rom, other, size), 0);
	}
}

static void leaves_name_the_rom(void)
{
	for (unsigned int n = 0; n < CONFIGURATIONS; n++) {
		struct pvrom_rom_header h;
		uint32_t r[4];

		build(n, rom);
		h = header_of(rom);
		CU_ASSERT_FATAL(pvrom_host_cpuid(&host, BASE, BASE, r));
		CU_ASSERT(r[0] >= BASE + 2 && r[0] <= BASE + 0xff);
		CU_ASSERT_EQUAL(memcmp(&r[1], "pvROM/pvROM/", 12), 0);
		CU_ASSERT_FATAL(pvrom_host_cpuid(&host, BASE, BASE + 1, r));
		CU_ASSERT_EQUAL(r[0], (uint32_t)h.major << 16 | h.minor);
		CU_ASSERT(!r[1] && r[2] == h.rom_size && r[3] == h.checksum);
		CU_ASSERT_FATAL(pvrom_host_cpuid(&host, BASE, BASE + 2, r));
		CU_ASSERT(r[0] == 0x12345000 && !r[1] && !r[3]);
		CU_ASSERT_EQUAL(r[2], h.transport | (uint32_t)h.transport_port << 16);
	}
}

static void live_port_answers(void)
{
	build(2, rom);
	CU_ASSERT_EQUAL(header_of(rom).live_port, 0x51);
	CU_ASSERT_EQUAL(header_of(rom).live_key, 0xfeedbeef);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&vcpu), 0xfeedbeef);
	pvrom_host_live_write(&vcpu, 0x1234);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&vcpu), 0xfeedbeefu ^ 0x1234u);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&vcpu), 0xfeedbeef);
}

/* ---- what this version only reserves ------------------------------------------------------------- */

static uint32_t answer(uint32_t call)
{
	struct pvrom_host_regs regs = { .call = call, .mode64 = 1 };

	CU_ASSERT_EQUAL(pvrom_host_call(&vcpu, &regs), PVROM_ACTION_RESUME);
	return regs.status;
}

static void reserved_calls(void)
{
	static const struct {
		uint32_t number, flags;
	} call[] = {
#define CALL(GROUP, NAME, number, feature, args, native, flags, regs, insn, text) { number, flags },
		PVROM_CALL_TABLE(CALL)
	};
	unsigned int reserved = 0;

	build(0, rom);
	for (size_t i = 0; i < sizeof(call) / sizeof(call[0]); i++) {
		if (!(call[i].flags & PVROM_CALL_RESERVED))
			continue;
		CU_ASSERT_EQUAL(answer(call[i].number), PVROM_STATUS_NOT_SUPPORTED);
		reserved++;
	}
	CU_ASSERT(reserved >= 4);
}

static void reserved_features(void)
{
	const uint64_t mine =
		PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) |
		PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) | PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);

	for (uint32_t hardware = 0; hardware < 16; hardware++) {
		struct pvrom_host_config config = configuration(0);
		struct pvrom_offer offer;

		config.hardware = hardware;
		CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&host, &config, &vcpu), PVROM_HOST_OK);
		pvrom_host_offer(&host, &offer);
		CU_ASSERT_EQUAL(offer.offered & ~mine, 0);
		for (uint32_t i = 0; i < PVROM_FEATURE_MAX; i++)
			CU_ASSERT_EQUAL(!offer.reason[i], offer.offered >> i & 1);
	}
}

/* ---- what the judge must see ---------------------------------------------------------------------- */

static uint32_t slot_of_call(uint32_t call)
{
	uint32_t i = 0;

	while (i < header_of(rom).slot_count && slot_at(rom, i)->call != call)
		i++;
	CU_ASSERT_NOT_EQUAL_FATAL(i, header_of(rom).slot_count);
	return i;
}

static struct pvrom_slot *slot_for(uint32_t call)
{
	return slot_at(rom, slot_of_call(call));
}

static struct pvrom_rom_header *header(void)
{
	return (struct pvrom_rom_header *)(void *)rom;
}

static void entry_is_nop(void)
{
	header()->option_entry = 0x90;
}
static void size_is_wrong(void)
{
	header()->rom_size += 512;
}
static void sum_is_wrong(void)
{
	rom[size - 1]++;
}
static void crc_is_wrong(void)
{
	rom[header()->text_offset + 5]++;
	rom[header()->text_offset + 6]--;
}
static void reserved_is_used(void)
{
	header()->reserved3 = 1;
}
static void text_is_misaligned(void)
{
	header()->text_offset += 8;
}
static void parts_overlap(void)
{
	header()->slot_offset = header()->reloc_offset;
}
static void part_is_outside(void)
{
	header()->string_offset = header()->rom_size - 1;
}
static void two_slots_for_one(void)
{
	slot_at(rom, 1)->call = slot_at(rom, 0)->call;
}
static void template_is_long(void)
{
	slot_for(PVROM_CPU_CLI)->form = PVROM_FORM_INLINE;
	slot_for(PVROM_CPU_CLI)->template_size = 16;
}
static void long_template_alone(void)
{
	slot_for(PVROM_CPU_CLI)->form = PVROM_FORM_INLINE;
	slot_for(PVROM_CPU_CLI)->template_size = 6;
	slot_for(PVROM_CPU_CLI)->text_size = 0;
}
static void call_without_text(void)
{
	slot_for(PVROM_CPU_CLI)->text_size = 0;
}
static void clobbers_too_much(void)
{
	slot_for(PVROM_CPU_READ_CR0)->clobbers |= PVROM_RBX;
}
static void nop_for_a_value(void)
{
	slot_for(PVROM_CPU_READ_CR0)->form = PVROM_FORM_NOP;
}
static void text_for_no_call(void)
{
	slot_for(PVROM_CPU_CLI)->call = PVROM_CPU_SAVE_FLAGS;
}
static void no_endbr64(void)
{
	rom[slot_for(PVROM_CPU_CLI)->text + 3] = 0xfb;
}
static void no_return(void)
{
	struct pvrom_slot *slot = slot_for(PVROM_CPU_CLI);

	slot->text_size = (uint16_t)(slot->text_size - 5);
	slot->reloc_count = 0;
}
static void return_without_relocation(void)
{
	slot_for(PVROM_CPU_CLI)->reloc_count = 0;
}
static struct pvrom_reloc *first_reloc(uint32_t call)
{
	return reloc_at(rom, slot_for(call)->reloc_first);
}
static void relocation_leaves(void)
{
	first_reloc(PVROM_CPU_CLI)->offset = slot_for(PVROM_CPU_STI_HALT)->text + 6u;
}
static void relocation_of_no_kind(void)
{
	first_reloc(PVROM_CPU_CLI)->kind = 9;
}
static void relocation_on_other_bytes(void)
{
	rom[first_reloc(PVROM_CPU_CLI)->offset + 1] = 0x90;
}
static void relocations_overlap(void)
{
	*(first_reloc(PVROM_IRQ_EOI) + 1) = *first_reloc(PVROM_IRQ_EOI);
}
static void relocations_not_there(void)
{
	slot_for(PVROM_CPU_CLI)->reloc_first = 0xffff;
}

static const struct fault {
	const char *requirement;
	void (*plant)(void);
	int settle;
} faults[] = {
	{ "PVROM-ROM-1", entry_is_nop, 1 },
	{ "PVROM-ROM-2", size_is_wrong, 1 },
	{ "PVROM-ROM-3", sum_is_wrong, 0 },
	{ "PVROM-ROM-4", crc_is_wrong, 0 },
	{ "PVROM-CONF-4", reserved_is_used, 1 },
	{ "PVROM-ROM-5", text_is_misaligned, 1 },
	{ "PVROM-ROM-5", parts_overlap, 1 },
	{ "PVROM-ROM-5", part_is_outside, 1 },
	{ "PVROM-ROM-8", two_slots_for_one, 1 },
	{ "PVROM-ROM-10", template_is_long, 1 },
	{ "PVROM-ROM-10", long_template_alone, 1 },
	{ "PVROM-ROM-11", call_without_text, 1 },
	{ "PVROM-ROM-12", clobbers_too_much, 1 },
	{ "PVROM-ROM-13", nop_for_a_value, 1 },
	{ "PVROM-ROM-14", text_for_no_call, 1 },
	{ "PVROM-ROM-15", no_endbr64, 1 },
	{ "PVROM-ROM-19", no_return, 1 },
	{ "PVROM-ROM-19", return_without_relocation, 1 },
	{ "PVROM-ROM-23", relocation_leaves, 1 },
	{ "PVROM-ROM-23", relocation_of_no_kind, 1 },
	{ "PVROM-ROM-23", relocation_on_other_bytes, 1 },
	{ "PVROM-ROM-23", relocations_overlap, 1 },
	{ "PVROM-ROM-23", relocations_not_there, 1 },
};

/* Port transport, every slot a text: the configuration with the most to break. */
#define ALL_TEXTS (2 + 3 * PVROM_SLOTS_CALL)

static void planted_faults(void)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const char *broken;

		build(ALL_TEXTS, rom);
		faults[i].plant();
		if (faults[i].settle)
			rom_settle(rom, size);
		broken = rom_judge(rom, size);
		CU_ASSERT(broken && !strcmp(broken, faults[i].requirement));
		if (!broken || strcmp(broken, faults[i].requirement))
			tap_note("fault %zu: %s, should be %s", i, broken ? broken : "nothing",
				 faults[i].requirement);
	}
}

/* ---- texts for the disassembler ------------------------------------------------------------------ */

static int write_bytes(const char *path, const uint8_t *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) {
		perror(path);
		return 1;
	}
	return 0;
}

static int write_slot(const char *directory, unsigned int n, const struct pvrom_slot *slot)
{
	const char *name = pvrom_host_call_name(slot->call);
	char path[4096];
	int failed = 0;

	snprintf(path, sizeof(path), "%s/%02u.%s.bin", directory, n, name);
	if (slot->text_size)
		failed |= write_bytes(path, rom + slot->text, slot->text_size);
	snprintf(path, sizeof(path), "%s/t%02u.%s.bin", directory, n, name);
	if (slot->template_size)
		failed |= write_bytes(path, rom + slot->template_offset, slot->template_size);
	return failed;
}

static int write_texts(const char *directory)
{
	int failed = 0;

	for (unsigned int n = 0; n < CONFIGURATIONS; n++) {
		struct pvrom_host_config config = configuration(n);

		if (pvrom_host_init(&host, &config, &vcpu) != PVROM_HOST_OK ||
		    pvrom_host_build_rom(&host, rom, sizeof(rom), &size) != PVROM_HOST_OK)
			return 1;
		for (uint32_t i = 0; i < header_of(rom).slot_count; i++)
			failed |= write_slot(directory, n, slot_at(rom, i));
	}
	return failed;
}

static const struct tap_test tests[] = {
	{ "every ROM keeps the rules for images", keeps_all },
	{ "and there is something in them to judge", has_something_to_judge },
	{ "one configuration, one image, byte for byte [PVROM-ROM-7]", same_bytes },
	{ "the CPUID leaves name the ROM [PVROM-DISC-5]", leaves_name_the_rom },
	{ "the live port answers the nonce [PVROM-DISC-19]", live_port_answers },
	{ "reserved calls are NOT_SUPPORTED [PVROM-RES-1]", reserved_calls },
	{ "reserved features are not offered [PVROM-RES-2 PVROM-NEG-1]", reserved_features },
	{ "planted: each fault is seen, and named", planted_faults },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	if (argc == 2)
		return write_texts(argv[1]);
	return tap_run("contract.rom", tests);
}
