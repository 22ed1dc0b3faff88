/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom_rom_check(): a right image passes, and each single thing that can be wrong with one has its verdict.
 */
#include <stdlib.h>
#include <string.h>

#include <pvrom/guest.h>

#include "../cunit_tap.h"
#include "rom_fixture.h"

static uint8_t image[FIXTURE_MAX] __attribute__((aligned(16)));
static size_t image_size;

static struct pvrom_rom_header *fresh(void)
{
	image_size = fixture_build(image, &fixture_usual);
	return fixture_header(image);
}

/* On a copy of the exact size, so that the sanitizer sees a read past the end. */
static uint32_t check_size(size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	uint32_t verdict;

	memcpy(exact, image, size);
	verdict = pvrom_rom_check(exact, size);
	free(exact);
	return verdict;
}

static uint32_t check(void)
{
	return check_size(image_size);
}

static uint32_t sealed_check(void)
{
	fixture_seal(image);
	return check();
}

/* Changes one field of the image, seals it again, and expects a verdict. */
#define EXPECT_WITH(change, verdict)                                                               \
	do {                                                                                       \
		struct pvrom_rom_header *h = fresh();                                              \
                                                                                                   \
		(void)h;                                                                           \
		change;                                                                            \
		CU_ASSERT_EQUAL(sealed_check(), PVROM_VERDICT_##verdict);                          \
	} while (0)

static struct pvrom_slot *slot(uint32_t call)
{
	return fixture_slot(image, call);
}

static void right_image_passes(void)
{
	fresh();
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_READY);
	memmove(image + 1, image, FIXTURE_MAX - 1);
	CU_ASSERT_EQUAL(pvrom_rom_check(image + 1, image_size), PVROM_VERDICT_READY);
}

static void larger_buffer_passes(void)
{
	fresh();
	CU_ASSERT_EQUAL(check_size(image_size + 100), PVROM_VERDICT_READY);
}

static void empty_image_passes(void)
{
	const struct fixture_rom empty = { .transport = PVROM_TRANSPORT_VMCALL };

	image_size = fixture_build(image, &empty);
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_READY);
}

/* Where a part that is not there would be does not matter. */
static void empty_parts_may_be_anywhere(void)
{
	const struct fixture_rom empty = { .transport = PVROM_TRANSPORT_VMCALL };
	struct pvrom_rom_header *h = fixture_header(image);

	image_size = fixture_build(image, &empty);
	h->symbol_offset = 3;
	h->text_offset = 0xffffffff;
	h->slot_offset = 1;
	CU_ASSERT_EQUAL(sealed_check(), PVROM_VERDICT_READY);
}

static void truncated(void)
{
	fresh();
	CU_ASSERT_EQUAL(check_size(0), PVROM_VERDICT_TRUNCATED);
	CU_ASSERT_EQUAL(check_size(1), PVROM_VERDICT_TRUNCATED);
	CU_ASSERT_EQUAL(check_size(PVROM_ROM_SIZE_MIN - 1), PVROM_VERDICT_TRUNCATED);
	CU_ASSERT_EQUAL(check_size(PVROM_ROM_SIZE_MIN), PVROM_VERDICT_TRUNCATED);
	CU_ASSERT_EQUAL(check_size(image_size - 1), PVROM_VERDICT_TRUNCATED);
}

static void bad_signature(void)
{
	EXPECT_WITH(h->option_signature ^= 1, BAD_SIGNATURE);
	EXPECT_WITH(h->signature ^= PVROM_U64(1) << 40, BAD_SIGNATURE);
}

static void wrong_major(void)
{
	EXPECT_WITH(h->major = PVROM_MAJOR + 1, WRONG_MAJOR);
	EXPECT_WITH(h->major = 0, WRONG_MAJOR);
}

static void bad_size(void)
{
	fresh()->rom_size = 0;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_HEADER);
	fresh()->rom_size += 8;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_HEADER);
	fresh()->rom_size = PVROM_ROM_SIZE_MAX + PVROM_ROM_BLOCK;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_HEADER);
	fresh()->rom_size = 0xfffffe00;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_HEADER);
}

/* Every single byte counts, the two sums themselves included. */
static void bad_checksum_each_byte(void)
{
	fresh();
	for (size_t i = 0; i < image_size; i++) {
		image[i] ^= 0x40;
		CU_ASSERT_NOT_EQUAL(pvrom_rom_check(image, image_size), PVROM_VERDICT_READY);
		image[i] ^= 0x40;
	}
}

static void bad_checksum(void)
{
	fresh();
	image[image_size - 1] ^= 1;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_CHECKSUM);
	fresh()->checksum ^= 1;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_CHECKSUM);
	/* The CRC right, the sum of bytes wrong. */
	fresh()->option_fixup ^= 1;
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_CHECKSUM);
	/* The sum of bytes right, the CRC wrong. */
	fresh();
	image[image_size - 1] = (uint8_t)(image[image_size - 1] + 1);
	image[image_size - 2] = (uint8_t)(image[image_size - 2] - 1);
	CU_ASSERT_EQUAL(check(), PVROM_VERDICT_BAD_CHECKSUM);
}

static void bad_option_header(void)
{
	EXPECT_WITH(h->option_blocks++, BAD_HEADER);
	EXPECT_WITH(h->option_blocks = 0, BAD_HEADER);
	EXPECT_WITH(h->option_entry = 0xc3, BAD_HEADER);
	EXPECT_WITH(h->pci_offset = 0x84, BAD_HEADER);
	EXPECT_WITH(h->pci[0] = 'X', BAD_HEADER);
	EXPECT_WITH(h->pci[3] = 'X', BAD_HEADER);
	EXPECT_WITH(h->pci[0x10]++, BAD_HEADER);
}

static void reserved_not_zero(void)
{
	EXPECT_WITH(h->reserved0[0] = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved0[18] = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved1[0] = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved1[5] = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved2 = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved3 = 1, BAD_HEADER);
	EXPECT_WITH(h->reserved4 = PVROM_U64(1) << 32, BAD_HEADER);
	EXPECT_WITH(h->reserved5 = PVROM_U64(1) << 63, BAD_HEADER);
}

static void bad_structure_sizes(void)
{
	EXPECT_WITH(h->header_size = 0x98, BAD_HEADER);
	EXPECT_WITH(h->header_size = 0xa8, BAD_HEADER);
	EXPECT_WITH(h->slot_size = 0x10, BAD_HEADER);
	EXPECT_WITH(h->slot_size = 0x20, BAD_HEADER);
	EXPECT_WITH(h->slot_size = 0, BAD_HEADER);
	EXPECT_WITH(h->slot_count = 0xffff, BAD_HEADER);
	/* A later minor may have a longer header; this one overlaps the slots. */
	EXPECT_WITH((h->minor = PVROM_MINOR + 1, h->header_size = 0xa8), BAD_SLOTS);
	EXPECT_WITH((h->minor = PVROM_MINOR + 1, h->header_size = 0xffffffff), BAD_HEADER);
	EXPECT_WITH((h->minor = PVROM_MINOR + 1, h->slot_size = 0x1c), BAD_HEADER);
}

/* What a later minor adds is stepped over: longer slots, calls that this shim does not know. */
static void later_minor_passes(void)
{
	EXPECT_WITH(h->minor = PVROM_MINOR + 1, READY);
	EXPECT_WITH((h->minor = PVROM_MINOR + 1, slot(PVROM_CPU_CLI)->call = 0x01f0), READY);
}

static void bad_transport(void)
{
	EXPECT_WITH(h->transport = PVROM_TRANSPORT_COUNT, BAD_HEADER);
	EXPECT_WITH(h->transport_port = 0x100, BAD_HEADER);
	EXPECT_WITH(h->transport = PVROM_TRANSPORT_VMCALL, BAD_HEADER); /* with a port */
	EXPECT_WITH((h->transport = PVROM_TRANSPORT_VMCALL, h->transport_port = 0), READY);
}

static void slot_table_outside(void)
{
	EXPECT_WITH(h->slot_offset = h->rom_size, BAD_SLOTS);
	EXPECT_WITH(h->slot_offset = h->rom_size - 8, BAD_SLOTS);
	EXPECT_WITH(h->slot_offset = 0xfffffff8, BAD_SLOTS);
	EXPECT_WITH(h->slot_offset += 4, BAD_SLOTS); /* misaligned */
	EXPECT_WITH(h->slot_offset = 0, BAD_SLOTS);  /* over the header */
	EXPECT_WITH(h->slot_offset = 0x98, BAD_SLOTS);
	EXPECT_WITH(h->slot_count = 2000, BAD_SLOTS);
	EXPECT_WITH(h->slot_offset = h->reloc_offset, BAD_SLOTS);
}

static void bad_slot_fields(void)
{
	EXPECT_WITH(slot(PVROM_CPU_CLI)->call = 0x01f0, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->call = 0x0900, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->call = PVROM_CPU_STI, BAD_SLOTS); /* twice */
	EXPECT_WITH(slot(PVROM_CPU_STI)->form = PVROM_FORM_COUNT, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_STI)->flags = 0x04, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_STI)->reserved = 1, BAD_SLOTS);
}

static void bad_clobbers(void)
{
	EXPECT_WITH(slot(PVROM_CPU_CLI)->clobbers = PVROM_RAX, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_READ_CR0)->clobbers |= PVROM_RDX, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_IRQ_EOI)->clobbers = PVROM_RBX, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_IRQ_EOI)->clobbers = PVROM_REGS_SYSV, READY);
	/* Where there is no native form, what a hypercall may change. */
	EXPECT_WITH((slot(PVROM_CPU_CLI)->clobbers = PVROM_RAX | PVROM_R9,
		     slot(PVROM_CPU_CLI)->call = PVROM_BASE_LOG),
		    READY);
	EXPECT_WITH((slot(PVROM_CPU_CLI)->clobbers = PVROM_RCX,
		     slot(PVROM_CPU_CLI)->call = PVROM_BASE_LOG),
		    BAD_SLOTS);
}

static void bad_forms(void)
{
	/* CALL without a text, INLINE without a template. */
	EXPECT_WITH(slot(PVROM_CPU_STI)->form = PVROM_FORM_CALL, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_STI)->form = PVROM_FORM_INLINE, BAD_SLOTS);
	/* A call where there may be no stack. */
	EXPECT_WITH(slot(PVROM_CPU_SWAPGS)->form = PVROM_FORM_CALL, BAD_SLOTS);
	/* Nothing, where a value or a jump is expected. */
	EXPECT_WITH(slot(PVROM_CPU_READ_CR2)->form = PVROM_FORM_NOP, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_IRET)->form = PVROM_FORM_NOP, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CLOCK_ALARM_CANCEL)->form = PVROM_FORM_NOP, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->form = PVROM_FORM_NOP, READY);
	EXPECT_WITH(slot(PVROM_IRQ_EOI)->form = PVROM_FORM_NOP, READY);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->form = PVROM_FORM_NATIVE, READY);
}

static void bad_templates(void)
{
	struct pvrom_slot *s;

	EXPECT_WITH(slot(PVROM_CPU_READ_CR2)->template_offset = h->template_offset - 1, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_READ_CR2)->template_offset =
			    h->template_offset + h->template_size - 4,
		    BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_READ_CR2)->template_offset = 0xffffffff, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_READ_CR2)->template_size = 0, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_STI)->template_offset = h->template_offset, BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_READ_DR6)->template_size = PVROM_SITE_MAX + 1, BAD_SLOTS);
	/* Longer than the shortest site, and no text for the sites that are too short. */
	EXPECT_WITH(
		(s = slot(PVROM_CPU_READ_DR6), s->text = 0, s->text_size = 0, s->reloc_count = 0),
		BAD_SLOTS);
	EXPECT_WITH(slot(PVROM_CPU_SWAPGS)->template_size = 6, BAD_SLOTS);
}

static void text_out_of_range(void)
{
	EXPECT_WITH(h->text_offset = h->rom_size, BAD_TEXT);
	EXPECT_WITH(h->text_offset = 0xfffffff0, BAD_TEXT);
	EXPECT_WITH(h->text_size = 0xffffffff, BAD_TEXT);
	EXPECT_WITH(h->text_offset += 8, BAD_TEXT);
	EXPECT_WITH(h->text_offset = 0x50, BAD_TEXT); /* in the header */
	EXPECT_WITH(h->text_offset = (h->slot_offset + 15) & ~15u, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text = h->text_offset - 16, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text = h->text_offset + h->text_size, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text = 0xfffffff0, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text_size = 0xffff, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text_size = 3, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text += 8, BAD_TEXT);
	EXPECT_WITH(slot(PVROM_CPU_STI)->text = h->text_offset, BAD_TEXT);
}

static void text_overlapping(void)
{
	/* The first slot's text reaches into that of the second. */
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text_size = 0x20, BAD_TEXT);
	EXPECT_WITH((slot(PVROM_CPU_IRET)->text = slot(PVROM_CPU_CLI)->text), BAD_TEXT);
}

static void text_without_endbr64(void)
{
	EXPECT_WITH(image[slot(PVROM_CPU_CLI)->text] = 0x90, BAD_TEXT);
	EXPECT_WITH(image[slot(PVROM_CPU_IRET)->text + 3] = 0xfb, BAD_TEXT); /* endbr32 */
}

static void relocation_leaves_its_slot(void)
{
	struct pvrom_slot *eoi;

	EXPECT_WITH(fixture_reloc(image, slot(PVROM_IRQ_EOI)->reloc_first)->offset =
			    slot(PVROM_CPU_CLI)->text + 4,
		    BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, slot(PVROM_IRQ_EOI)->reloc_first)->offset = 0,
		    BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, slot(PVROM_IRQ_EOI)->reloc_first)->offset = 0xffffffff,
		    BAD_RELOCATION);
	/* The first byte inside, the last outside: the text ends in the middle of the return. */
	EXPECT_WITH(slot(PVROM_CPU_CLI)->text_size -= 1, BAD_RELOCATION);
	EXPECT_WITH((eoi = slot(PVROM_IRQ_EOI), eoi->text_size = 10, eoi->reloc_count = 2),
		    BAD_RELOCATION);
}

static void bad_relocations(void)
{
	uint32_t first = (fresh(), slot(PVROM_IRQ_EOI)->reloc_first);
	uint32_t in_template = slot(PVROM_CPU_STORE_TR)->reloc_first + 3u;
	struct pvrom_reloc swapped;

	EXPECT_WITH(fixture_reloc(image, first)->kind = 0, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first)->kind = 4, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first)->reserved = 1, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first)->addend = 1, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first)->offset++, BAD_RELOCATION); /* no prefix there */
	EXPECT_WITH(fixture_reloc(image, first + 1)->addend = PVROM_VCPU_AREA_SIZE, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first + 1)->offset++, BAD_RELOCATION);
	/* ModRM: another mod, another rm; SIB: not 25. */
	EXPECT_WITH(image[fixture_reloc(image, first + 1)->offset] ^= 0x40, BAD_RELOCATION);
	EXPECT_WITH(image[fixture_reloc(image, first + 1)->offset] ^= 0x01, BAD_RELOCATION);
	EXPECT_WITH(image[fixture_reloc(image, first + 1)->offset + 1] ^= 0x01, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first + 2)->offset--, BAD_RELOCATION);
	EXPECT_WITH(fixture_reloc(image, first + 2)->addend = 1, BAD_RELOCATION);
	/* All three are right, but not in ascending order. */
	EXPECT_WITH((swapped = *fixture_reloc(image, first),
		     *fixture_reloc(image, first) = *fixture_reloc(image, first + 1),
		     *fixture_reloc(image, first + 1) = swapped),
		    BAD_RELOCATION);
	/* Two for the same bytes. */
	EXPECT_WITH(*fixture_reloc(image, first + 1) = *fixture_reloc(image, first),
		    BAD_RELOCATION);
	/* A template that returns would return from the kernel's function. */
	EXPECT_WITH((memcpy(image + fixture_reloc(image, in_template)->offset,
			    "\xc3\xcc\xcc\xcc\xcc", 5),
		     fixture_reloc(image, in_template)->kind = PVROM_RELOC_RETURN),
		    BAD_RELOCATION);
}

static void relocation_table_outside(void)
{
	EXPECT_WITH(h->reloc_offset = h->rom_size, BAD_RELOCATION);
	EXPECT_WITH(h->reloc_offset += 4, BAD_RELOCATION);
	EXPECT_WITH(h->reloc_count = 0x7fffffff, BAD_RELOCATION);
	EXPECT_WITH(slot(PVROM_IRQ_EOI)->reloc_first = 0xfff0, BAD_RELOCATION);
	EXPECT_WITH(slot(PVROM_CLOCK_ALARM_CANCEL)->reloc_count = 0xffff, BAD_RELOCATION);
}

static void bad_symbols(void)
{
	struct pvrom_symbol *symbol;

#define FIRST_SYMBOL (symbol = (struct pvrom_symbol *)(image + h->symbol_offset))
	EXPECT_WITH((FIRST_SYMBOL, symbol->name = h->string_size), BAD_HEADER);
	EXPECT_WITH((FIRST_SYMBOL, symbol->offset = h->text_offset - 1), BAD_HEADER);
	EXPECT_WITH((FIRST_SYMBOL, symbol->size = h->text_size + 1), BAD_HEADER);
	EXPECT_WITH((FIRST_SYMBOL, symbol->offset = symbol->size = 0xffffffff), BAD_HEADER);
	EXPECT_WITH(image[h->string_offset + h->string_size - 1] = 'x', BAD_HEADER);
	EXPECT_WITH(h->string_size = 0, BAD_HEADER);
	EXPECT_WITH(h->string_offset = 0xffffffff, BAD_HEADER);
	EXPECT_WITH(h->symbol_count = 0xffffffff, BAD_HEADER);
	EXPECT_WITH(h->symbol_offset = h->string_offset & ~3u, BAD_HEADER);
}

static void template_table_outside(void)
{
	EXPECT_WITH(h->template_offset = h->rom_size, BAD_HEADER);
	EXPECT_WITH(h->template_size = 0xffffffff, BAD_HEADER);
	EXPECT_WITH(h->template_offset = 0x20, BAD_HEADER);
}

/* Random changes, sealed again: a verdict of the table, mostly a refusal, and (under the sanitizers)
 * no access outside. */
static void damaged_at_random(void)
{
	uint32_t seed = 1, verdict, ready = 0, refused = 0;

	for (int round = 0; round < 20000; round++) {
		uint32_t i, at;

		fresh();
		for (i = 0; i < 1 + seed % 4; i++) {
			seed = seed * 1103515245 + 12345;
			at = (seed >> 8) % 0x200;
			if (at >= 0x30 && at < 0x34)
				continue; /* the size: sealing goes by it */
			image[at] = (uint8_t)(seed >> 3);
		}
		verdict = sealed_check();
		if (verdict >= PVROM_VERDICT_COUNT)
			CU_FAIL("a verdict of the table");
		verdict == PVROM_VERDICT_READY ? ready++ : refused++;
	}
	CU_ASSERT(ready > 0);
	CU_ASSERT(refused > 10000);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(right_image_passes),
		TAP_TEST(larger_buffer_passes),
		TAP_TEST(empty_image_passes),
		TAP_TEST(empty_parts_may_be_anywhere),
		TAP_TEST(later_minor_passes),
		TAP_TEST(truncated),
		TAP_TEST(bad_signature),
		TAP_TEST(wrong_major),
		TAP_TEST(bad_size),
		TAP_TEST(bad_checksum),
		TAP_TEST(bad_checksum_each_byte),
		TAP_TEST(bad_option_header),
		TAP_TEST(reserved_not_zero),
		TAP_TEST(bad_structure_sizes),
		TAP_TEST(bad_transport),
		TAP_TEST(slot_table_outside),
		TAP_TEST(bad_slot_fields),
		{ "bad_clobbers [PVROM-ROM-12]", bad_clobbers },
		{ "bad_forms [PVROM-ROM-13]", bad_forms },
		TAP_TEST(bad_templates),
		TAP_TEST(template_table_outside),
		TAP_TEST(text_out_of_range),
		TAP_TEST(text_overlapping),
		TAP_TEST(text_without_endbr64),
		TAP_TEST(relocation_leaves_its_slot),
		{ "bad_relocations [PVROM-ROM-31]", bad_relocations },
		TAP_TEST(relocation_table_outside),
		TAP_TEST(bad_symbols),
		TAP_TEST(damaged_at_random),
		{ 0 },
	};

	return tap_run("guest_check", tests);
}
