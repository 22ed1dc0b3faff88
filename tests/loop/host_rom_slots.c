/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The slots of the ROM under every configuration: what they say, which there are, their relocations and text. */
#include "rom_reader.h"

static const struct {
	uint32_t number, native, properties, regs;
} calls[] = {
#define LINE(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, PVROM_NATIVE_##native, properties, regs },
	PVROM_CALL_TABLE(LINE)
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Index of a call in the table above, or CALLS. */
static uint32_t find(uint64_t number)
{
	uint32_t i;

	for (i = 0; i < CALLS && calls[i].number != number; i++)
		;
	return i;
}

/* Where the slot of a call is, 0 if it has none. */
static size_t slot_of(uint32_t number)
{
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	for (; at < end; at += 0x18)
		if (word(at, 2) == number)
			return at;
	return 0;
}

/* mov $0x80b,%ecx; wrmsr: the one way in which text of ours reaches a local APIC. */
static bool writes_apic_msr(size_t at)
{
	const uint8_t *text = rom + word(at + 4, 4);
	uint64_t i, text_size = word(at + 8, 2);

	for (i = 0; i + 7 <= text_size; i++)
		if (!memcmp(text + i, "\xb9\x0b\x08\0\0\x0f\x30", 7))
			return true;
	return false;
}

static void check_slot(size_t at)
{
	uint32_t call = find(word(at, 2)), form = rom[at + 2];
	uint64_t text = word(at + 4, 4), text_size = word(at + 8, 2);
	uint64_t template = word(at + 12, 4), template_size = word(at + 10, 2);

	CU_ASSERT_TRUE_FATAL(call < CALLS);
	CU_ASSERT_EQUAL(slot_of(calls[call].number), at);
	CU_ASSERT_FALSE(calls[call].properties & PVROM_CALL_RESERVED);
	CU_ASSERT_EQUAL(rom[at + 3], writes_apic_msr(at) ? PVROM_SLOT_X2APIC : 0);
	CU_ASSERT_EQUAL(word(at + 0x16, 2), 0);
	CU_ASSERT_EQUAL(word(at + 0x14, 2) & ~calls[call].regs, 0);
	CU_ASSERT_TRUE(form == PVROM_FORM_INLINE || form == PVROM_FORM_CALL);
	if (form == PVROM_FORM_CALL) {
		CU_ASSERT_TRUE(text_size >= 4);
		CU_ASSERT_FALSE((calls[call].properties & PVROM_CALL_NOCALL) &&
				!(calls[call].properties & PVROM_CALL_JUMP));
		CU_ASSERT_EQUAL(text % 16, 0);
		CU_ASSERT_TRUE(text >= word(0x60, 4));
		CU_ASSERT_TRUE(text + text_size <= word(0x60, 4) + word(0x64, 4));
		CU_ASSERT_EQUAL(memcmp(rom + text, "\xf3\x0f\x1e\xfa", 4), 0);
	} else {
		CU_ASSERT_EQUAL(text | text_size, 0);
		CU_ASSERT_TRUE(template_size && template_size <= PVROM_SITE_MIN);
		CU_ASSERT_TRUE(template >= word(0x58, 4));
		CU_ASSERT_TRUE(template + template_size <= word(0x58, 4) + word(0x5c, 4));
	}
}

static void check_slots(void)
{
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	for (; at < end; at += 0x18)
		check_slot(at);
}

static void slots(void)
{
	for_all(check_slots);
}

/* ---- which slots ------------------------------------------------------------------------------- */

#define FORM_OF(number) (slot_of(number) ? rom[slot_of(number) + 2] : PVROM_FORM_NATIVE)

static void normal_slots(void)
{
	uint32_t i;

	world_open(&w, 1);
	build();
	for (i = 0; i < CALLS; i++) {
		bool served =
			calls[i].native == PVROM_NATIVE_CALL &&
			!(calls[i].properties & PVROM_CALL_RESERVED) &&
			calls[i].number != PVROM_CLOCK_NOW; /* the page is quicker than a call */

		CU_ASSERT_EQUAL(FORM_OF(calls[i].number),
				served ? PVROM_FORM_CALL : PVROM_FORM_NATIVE);
	}
	world_close(&w);
}

static void native_slots(void)
{
	world_open(&w, 1);
	w.config.slots = PVROM_SLOTS_NATIVE;
	build();
	CU_ASSERT_EQUAL(word(0x3c, 2), 0);
	CU_ASSERT_EQUAL(word(0x64, 4), 0);
	world_close(&w);
}

/* Every instruction of the cpu group has a template. */
static void inline_slots(void)
{
	uint32_t number;

	world_open(&w, 1);
	w.config.slots = PVROM_SLOTS_INLINE;
	build();
	for (number = PVROM_CPU_CLI; number <= PVROM_CPU_CLAC; number++)
		CU_ASSERT_EQUAL(FORM_OF(number), PVROM_FORM_INLINE);
	CU_ASSERT_EQUAL(FORM_OF(PVROM_IRQ_SEND), PVROM_FORM_CALL);
	world_close(&w);
}

/* Every instruction has a text, but for those that are never called, and sti. */
static void call_slots(void)
{
	uint32_t number;

	world_open(&w, 1);
	w.config.slots = PVROM_SLOTS_CALL;
	build();
	for (number = PVROM_CPU_CLI; number <= PVROM_CPU_CLAC; number++) {
		uint32_t properties = calls[find(number)].properties;
		bool callable = !(properties & PVROM_CALL_NOCALL) || (properties & PVROM_CALL_JUMP);

		CU_ASSERT_EQUAL(FORM_OF(number), callable && number != PVROM_CPU_STI
							 ? PVROM_FORM_CALL
							 : PVROM_FORM_NATIVE);
	}
	CU_ASSERT_EQUAL(FORM_OF(PVROM_IRQ_SEND), PVROM_FORM_CALL);
	world_close(&w);
}

/* Only what the host has code for. */
static void slots_of_features(void)
{
	world_open(&w, 1);
	w.ops.alarm_set = NULL;
	build();
	CU_ASSERT_EQUAL(FORM_OF(PVROM_CLOCK_ALARM_SET), PVROM_FORM_NATIVE);
	CU_ASSERT_EQUAL(FORM_OF(PVROM_IRQ_SEND), PVROM_FORM_CALL);
	w.config.operator_off = FEATURE(IRQ);
	build();
	CU_ASSERT_EQUAL(FORM_OF(PVROM_IRQ_SEND), PVROM_FORM_CALL);
	world_close(&w);
}

/* ---- relocations and text ---------------------------------------------------------------------- */

static uint32_t relocs_of(size_t slot, uint8_t kind, uint64_t *where)
{
	uint64_t first = word(slot + 0x10, 2), count = word(slot + 0x12, 2), i;
	uint32_t found = 0;

	CU_ASSERT_TRUE_FATAL(first + count <= word(0x44, 4));
	for (i = first; i < first + count; i++) {
		size_t at = word(0x40, 4) + i * 8;

		if (rom[at + 4] != kind)
			continue;
		CU_ASSERT_EQUAL(rom[at + 5], 0);
		*where = word(at, 4);
		found++;
	}
	return found;
}

/* Each text but those that are jumped to has exactly one return, at its end, and it is named. */
static void check_returns(void)
{
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;
	uint64_t where = 0;

	for (; at < end; at += 0x18) {
		bool jump = calls[find(word(at, 2))].properties & PVROM_CALL_JUMP;

		if (rom[at + 2] != PVROM_FORM_CALL)
			continue;
		CU_ASSERT_EQUAL(relocs_of(at, PVROM_RELOC_RETURN, &where), jump ? 0 : 1);
		if (jump)
			continue;
		CU_ASSERT_EQUAL(where + 5, word(at + 4, 4) + word(at + 8, 2));
		CU_ASSERT_EQUAL(memcmp(rom + where, "\xc3\xcc\xcc\xcc\xcc", 5), 0);
	}
}

static void returns(void)
{
	for_all(check_returns);
}

static void check_eoi(void)
{
	size_t slot = slot_of(PVROM_IRQ_EOI);
	uint64_t segment = 0, address = 0, i;

	if (!slot)
		return;
	CU_ASSERT_EQUAL(relocs_of(slot, PVROM_RELOC_SEGMENT, &segment), 1);
	CU_ASSERT_EQUAL(relocs_of(slot, PVROM_RELOC_ADDRESS, &address), 1);
	/* btrl $0, %gs:0 right after endbr64, and jc behind it. */
	CU_ASSERT_EQUAL(segment, word(slot + 4, 4) + 4);
	CU_ASSERT_EQUAL(address, segment + 3);
	CU_ASSERT_EQUAL(memcmp(rom + segment, "\x65\x0f\xba\x34\x25\0\0\0\0\0\x72", 11), 0);
	for (i = word(slot + 0x10, 2); i < word(slot + 0x10, 2) + word(slot + 0x12, 2); i++)
		if (rom[word(0x40, 4) + i * 8 + 4] == PVROM_RELOC_ADDRESS)
			CU_ASSERT_EQUAL(word(word(0x40, 4) + i * 8 + 6, 2), PVROM_VCPU_AREA_EOI);
	/* The jump goes to the return. */
	CU_ASSERT_EQUAL(rom[segment + 12 + rom[segment + 11]], 0xc3);
}

static void eoi(void)
{
	for_all(check_eoi);
}

static void check_transport(void)
{
	size_t slot = slot_of(PVROM_IRQ_MASK);
	const uint8_t *text = rom + word(slot + 4, 4);
	static const uint8_t expected[PVROM_TRANSPORT_COUNT][3] = {
		[PVROM_TRANSPORT_VMCALL] = { 0x0f, 0x01, 0xc1 },
		[PVROM_TRANSPORT_VMMCALL] = { 0x0f, 0x01, 0xd9 },
		[PVROM_TRANSPORT_PORT] = { 0xe7, 0x51, 0x90 },
	};

	if (!slot)
		return;
	CU_ASSERT_EQUAL(memcmp(text + 4, "\xb8\x01\x02\0\0", 5), 0); /* mov $0x201, %eax */
	CU_ASSERT_EQUAL(memcmp(text + 9, expected[w.config.transport], 3), 0);
}

static void transport(void)
{
	for_all(check_transport);
}

static const struct tap_test tests[] = {
	{ "slots [PVROM-ROM-8 PVROM-ROM-10 PVROM-ROM-11 PVROM-ROM-14 PVROM-ROM-15 PVROM-ROM-32]",
	  slots },
	{ "slots: normal", normal_slots },
	{ "slots: native", native_slots },
	{ "slots: inline", inline_slots },
	{ "slots: call [PVROM-CPU-4]", call_slots },
	{ "slots: of features that there are", slots_of_features },
	{ "returns [PVROM-ROM-19]", returns },
	{ "eoi [PVROM-ROM-21 PVROM-ROM-23 PVROM-IRQ-6]", eoi },
	{ "transport", transport },
	{ 0 }
};

int main(void)
{
	return world_main("host_rom_slots", tests);
}
