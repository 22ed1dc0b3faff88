/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ROM image under every configuration, checked by a small reader of its own (it shares no
 * code with the builder or the guest shim): header, sums, parts, slots, relocations, text.
 */
#include "host_world.h"

#include <pvrom/guest.h>
#include <stdlib.h>

static struct world w;
static uint8_t *rom;
static size_t size;

static uint64_t word(size_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | rom[at + bytes];
	return value;
}

static void build(void)
{
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
	rom = world_at(&w, WORLD_ROM);
	memset(rom, 0xee, 0x8000);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_build_rom(&w.host, rom, 0x8000, &size), PVROM_HOST_OK);
}

/* Runs a check under each transport, slot form, and kind of EOI. */
static void for_all(void (*check)(void))
{
	uint32_t transport, slots, flags;

	world_open(&w, 1);
	for (transport = 1; transport < PVROM_TRANSPORT_COUNT; transport++)
		for (slots = 0; slots <= PVROM_SLOTS_CALL; slots++)
			for (flags = 0; flags <= PVROM_HOST_EOI_X2APIC;
			     flags += PVROM_HOST_EOI_X2APIC) {
				w.config.transport = (uint16_t)transport;
				w.config.transport_port =
					transport == PVROM_TRANSPORT_PORT ? 0x51 : 0;
				w.config.slots = slots;
				w.config.flags = flags;
				build();
				check();
			}
	world_close(&w);
}

/* ---- header ------------------------------------------------------------------------------------ */

static void check_header(void)
{
	uint32_t i, sum = 0;

	CU_ASSERT_EQUAL(size % 512, 0);
	CU_ASSERT_TRUE(size <= 16384);
	CU_ASSERT_EQUAL(word(0, 2), 0xaa55);
	CU_ASSERT_EQUAL(rom[2], size / 512);
	CU_ASSERT_EQUAL(rom[3], 0xcb);
	for (i = 0; i < size; i++)
		sum += rom[i];
	CU_ASSERT_EQUAL(sum % 256, 0);
	CU_ASSERT_EQUAL(word(0x18, 2), 0x80);
	CU_ASSERT_EQUAL(memcmp(rom + 0x20, "pvROM\r\n\x1a", 8), 0);
	CU_ASSERT_EQUAL(word(0x28, 2), PVROM_MAJOR);
	CU_ASSERT_EQUAL(word(0x2a, 2), PVROM_MINOR);
	CU_ASSERT_EQUAL(word(0x2c, 4), 0xa0);
	CU_ASSERT_EQUAL(word(0x30, 4), size);
	CU_ASSERT_EQUAL(word(0x68, 2), w.config.transport);
	CU_ASSERT_EQUAL(word(0x6a, 2), w.config.transport_port);
	CU_ASSERT_EQUAL(word(0x6c, 2), 0x52);
	CU_ASSERT_EQUAL(word(0x70, 4), 0x12345678);
	CU_ASSERT_EQUAL(memcmp(rom + 0x80, "PCIR", 4), 0);
	CU_ASSERT_EQUAL(word(0x90, 2), size / 512);
	CU_ASSERT_EQUAL(rom[0x95], 0x80);
	/* Reserved fields are zero. */
	for (i = 5; i < 0x18; i++)
		CU_ASSERT_EQUAL(rom[i], 0);
	for (i = 0x1a; i < 0x20; i++)
		CU_ASSERT_EQUAL(rom[i], 0);
	CU_ASSERT_EQUAL(word(0x6e, 2) | word(0x74, 4) | word(0x78, 8) | word(0x98, 8), 0);
}

static void header(void)
{
	for_all(check_header);
}

/* CRC-32 bit by bit, as the standard writes it. */
static uint32_t crc32_by_bits(const uint8_t *bytes, size_t length)
{
	uint32_t crc = ~0u, bit;
	size_t i;

	for (i = 0; i < length; i++) {
		uint8_t byte = (i >= 0x34 && i < 0x38) || i == 4 ? 0 : bytes[i];

		crc ^= byte;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void check_checksum(void)
{
	CU_ASSERT_EQUAL(word(0x34, 4), crc32_by_bits(rom, size));
	CU_ASSERT_EQUAL(w.host.rom_checksum, word(0x34, 4));
	CU_ASSERT_EQUAL(w.host.rom_size, size);
}

static void checksum(void)
{
	for_all(check_checksum);
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* Marks bytes as belonging to a part; counts those that belong to two. */
static uint8_t owner[0x8000];
static uint32_t overlaps;

static void own(uint64_t at, uint64_t length)
{
	for (; length; length--, at++) {
		if (at >= size || owner[at])
			overlaps++;
		else
			owner[at] = 1;
	}
}

static void check_parts(void)
{
	memset(owner, 0, sizeof(owner));
	overlaps = 0;
	own(0, 0xa0);
	own(word(0x38, 4), word(0x3c, 2) * 0x18);
	own(word(0x40, 4), word(0x44, 4) * 8);
	own(word(0x48, 4), word(0x4c, 4) * 12);
	own(word(0x50, 4), word(0x54, 4));
	own(word(0x58, 4), word(0x5c, 4));
	own(word(0x60, 4), word(0x64, 4));
	CU_ASSERT_EQUAL(overlaps, 0);
	CU_ASSERT_EQUAL(word(0x3e, 2), 0x18);
	CU_ASSERT_EQUAL(word(0x38, 4) % 8, 0);
	CU_ASSERT_EQUAL(word(0x40, 4) % 8, 0);
	CU_ASSERT_EQUAL(word(0x48, 4) % 4, 0);
	CU_ASSERT_EQUAL(word(0x60, 4) % 16, 0);
}

static void parts(void)
{
	for_all(check_parts);
}

/* ---- slots ------------------------------------------------------------------------------------- */

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

/* Texts of two slots never share a byte. */
static void check_texts_apart(void)
{
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	memset(owner, 0, sizeof(owner));
	overlaps = 0;
	for (; at < end; at += 0x18)
		own(word(at + 4, 4), word(at + 8, 2));
	CU_ASSERT_EQUAL(overlaps, 0);
}

static void texts_apart(void)
{
	for_all(check_texts_apart);
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

/* ---- what guests say --------------------------------------------------------------------------- */

static void check_by_the_shim(void)
{
	CU_ASSERT_EQUAL(pvrom_rom_check(rom, size), PVROM_VERDICT_READY);
	rom[size - 1] ^= 1;
	CU_ASSERT_EQUAL(pvrom_rom_check(rom, size), PVROM_VERDICT_BAD_CHECKSUM);
}

static void by_the_shim(void)
{
	for_all(check_by_the_shim);
}

/* ---- symbols ----------------------------------------------------------------------------------- */

static void check_symbols(void)
{
	uint64_t count = word(0x4c, 4), i, texts = 0;
	size_t at = word(0x38, 4), end = at + word(0x3c, 2) * 0x18;

	for (; at < end; at += 0x18)
		texts += word(at + 8, 2) != 0;
	CU_ASSERT_EQUAL(count, texts);
	for (i = 0; i < count; i++) {
		size_t symbol = word(0x48, 4) + i * 12;
		const char *name = (const char *)rom + word(0x50, 4) + word(symbol + 8, 4);

		CU_ASSERT_TRUE_FATAL(word(symbol + 8, 4) < word(0x54, 4));
		for (at = word(0x38, 4); at < end && word(at + 4, 4) != word(symbol, 4);)
			at += 0x18;
		CU_ASSERT_TRUE_FATAL(at < end);
		CU_ASSERT_EQUAL(word(symbol + 4, 4), word(at + 8, 2));
		CU_ASSERT_STRING_EQUAL(name, pvrom_host_call_name((uint32_t)word(at, 2)));
	}
	if (count)
		CU_ASSERT_EQUAL(rom[word(0x50, 4) + word(0x54, 4) - 1], 0);
}

static void symbols(void)
{
	for_all(check_symbols);
}

/* The names are those of the table, in small letters. */
static void names(void)
{
	static const struct {
		uint32_t number;
		const char *name;
	} capitals[] = {
#define NAME(GROUP, NAME, number, feature, args, native, properties, regs, insn, text)             \
	{ number, #GROUP "." #NAME },
		PVROM_CALL_TABLE(NAME)
	};
	uint32_t i;

	for (i = 0; i < CALLS; i++) {
		const char *name = pvrom_host_call_name(capitals[i].number);
		const char *c;

		CU_ASSERT_EQUAL(strcasecmp(name, capitals[i].name), 0);
		for (c = name; *c; c++)
			CU_ASSERT_FALSE(*c >= 'A' && *c <= 'Z');
	}
}

/* ---- building ---------------------------------------------------------------------------------- */

static void check_twice(void)
{
	static uint8_t first[0x8000];
	size_t first_size = size;

	memcpy(first, rom, size);
	build();
	CU_ASSERT_EQUAL(size, first_size);
	CU_ASSERT_EQUAL(memcmp(first, rom, size), 0);
}

static void same_bytes(void)
{
	for_all(check_twice);
}

static void room(void)
{
	size_t need, left;
	uint8_t *tight;

	world_open(&w, 1);
	build();
	for (left = 0; left < size; left += 37) {
		tight = malloc(left + 1);
		CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, tight, left, &need),
				PVROM_HOST_NO_ROOM);
		CU_ASSERT_EQUAL(need, size);
		free(tight);
	}
	tight = malloc(size);
	CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, tight, size, &need), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(memcmp(tight, rom, size), 0);
	free(tight);
	CU_ASSERT_EQUAL(pvrom_host_build_rom(&w.host, NULL, 0x8000, &need), PVROM_HOST_NO_ROOM);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "header [PVROM-ROM-1 PVROM-ROM-2 PVROM-ROM-3]", header },
	{ "checksum [PVROM-ROM-4]", checksum },
	{ "parts inside and apart [PVROM-ROM-5]", parts },
	{ "slots [PVROM-ROM-8 PVROM-ROM-10 PVROM-ROM-11 PVROM-ROM-14 PVROM-ROM-15 PVROM-ROM-32]",
	  slots },
	{ "texts do not overlap", texts_apart },
	{ "slots: normal", normal_slots },
	{ "slots: native", native_slots },
	{ "slots: inline", inline_slots },
	{ "slots: call [PVROM-CPU-4]", call_slots },
	{ "slots: of features that there are", slots_of_features },
	{ "returns [PVROM-ROM-19]", returns },
	{ "eoi [PVROM-ROM-21 PVROM-ROM-23 PVROM-IRQ-6]", eoi },
	{ "transport", transport },
	{ "the guest shim takes it, and does not when a bit is wrong", by_the_shim },
	{ "symbols", symbols },
	{ "names of calls", names },
	{ "the same bytes each time [PVROM-ROM-7]", same_bytes },
	{ "room for the image", room },
	{ 0 }
};

int main(void)
{
	return world_main("host_rom", tests);
}
