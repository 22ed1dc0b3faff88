/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Loading the ROM that was found: what is wrong with it, what changes meanwhile, who is on the list. */
#include "find_tools.h"

/* ---- loading ------------------------------------------------------------------------------------- */

static void truncated(void)
{
	begin();
	fake_host_attach(m, &host, image);
	memcpy(machine_at(m, MACHINE_SIZE - 0x200), image, 0x200);
	m->leaves[0].regs[2][0] = MACHINE_SIZE - 0x200;
	expect(PVROM_VERDICT_TRUNCATED);
}

static void bad_checksum(void)
{
	begin_with_host();
	((uint8_t *)machine_at(m, MACHINE_HOST_ROM))[0x1ff] ^= 1;
	machine_expect_native(m, PVROM_VERDICT_BAD_CHECKSUM);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	machine_free(m);
}

/* A few of guest_check_test.c's, to see that loading asks for the same. */
static void malformed(void)
{
	static const struct {
		uint32_t offset, value, verdict;
	} wrong[] = {
		{ 0x38, 0x100000, PVROM_VERDICT_BAD_SLOTS },
		{ 0x60, 0x20, PVROM_VERDICT_BAD_TEXT },
		{ 0x60, 0xfffffff0, PVROM_VERDICT_BAD_TEXT },
		{ 0x40, 0x100000, PVROM_VERDICT_BAD_RELOCATION },
		{ 0x74, 1, PVROM_VERDICT_BAD_HEADER },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		begin();
		memcpy(image + wrong[i].offset, &wrong[i].value, 4);
		fixture_seal(image);
		fake_host_attach(m, &host, image);
		machine_expect_native(m, wrong[i].verdict);
		CU_ASSERT_EQUAL(m->hypercalls, 0);
		machine_free(m);
	}
}

static void relocation_that_leaves_its_slot(void)
{
	begin();
	fixture_reloc(image, 0)->offset = fixture_slot(image, PVROM_CPU_READ_CR0)->text;
	fixture_seal(image);
	fake_host_attach(m, &host, image);
	expect(PVROM_VERDICT_BAD_RELOCATION);
}

static void no_memory(void)
{
	begin_with_host();
	m->fail_alloc = 1;
	expect(PVROM_VERDICT_NO_MEMORY);
}

static void seal_fails(void)
{
	begin_with_host();
	m->fail_seal = 1;
	expect(PVROM_VERDICT_PATCH_FAILED);
}

/* ---- a ROM that changes -------------------------------------------------------------------------- */

/* Between finding and loading, in the header, as if the host had put another one there. */
static void change_header(struct machine *machine, uint64_t gpa, size_t size)
{
	(void)gpa;
	if (size == fixture_header(image)->rom_size)
		fixture_header(machine_at(machine, MACHINE_HOST_ROM))->checksum ^= 1;
}

static void rom_replaced_before_loading(void)
{
	begin_with_host();
	m->on_map = change_header;
	expect(PVROM_VERDICT_ROM_CHANGED);
}

/*
 * While it is read: the last page of the ROM cannot be touched until the reader has come that far;
 * then a byte in the first page, which has been read, changes. (The page after the header's, so
 * that nothing but the second reading can notice.)
 */
static uint8_t *trap_page;
static size_t traps;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if ((uintptr_t)info->si_addr - (uintptr_t)trap_page >= 0x1000 || traps++)
		_Exit(3);
	trap_page[-0x800] ^= 1;
	mprotect(trap_page, 0x1000, PROT_READ | PROT_WRITE);
}

static void arm_trap(struct machine *machine, uint64_t gpa, size_t size)
{
	(void)gpa;
	if (size == fixture_header(image)->rom_size && !traps)
		mprotect(trap_page, 0x1000, PROT_NONE);
	(void)machine;
}

static void rom_changes_while_it_is_read(void)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct fixture_rom large = fixture_usual;
	struct sigaction before;

	large.pad_to = 0x2000;
	begin();
	fixture_build(image, &large);
	fake_host_attach(m, &host, image);
	trap_page = machine_at(m, MACHINE_HOST_ROM + 0x1000);
	traps = 0;
	m->on_map = arm_trap;
	sigaction(SIGSEGV, &action, &before);
	machine_expect_native(m, PVROM_VERDICT_ROM_CHANGED);
	sigaction(SIGSEGV, &before, NULL);
	CU_ASSERT_EQUAL(traps, 1);
	machine_free(m);
}

/* After it was read nobody looks there any more. */
static void rom_that_changes_later_does_not_matter(void)
{
	uint8_t *copy_before;

	begin_with_host();
	expect_ready(PVROM_ROUTE_CPUID);
	copy_before = m->guest->copy;
	memset(machine_at(m, MACHINE_HOST_ROM), 0xff, 0x2000);
	pvrom_guest_unpatch(m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(pvrom_guest_patch(m->guest, m->sites, m->site_count), PVROM_VERDICT_READY);
	CU_ASSERT_PTR_EQUAL(m->guest->copy, copy_before);
	machine_free(m);
}

/* ---- the list of allowed digests ----------------------------------------------------------------- */

/* By sha256sum of a file with the usual image: taken from the shim's own answer, and compared with
 * the independent vectors in tests/unit/digest_test.c. */
static void allow_list(void)
{
	static uint8_t allowed[2][PVROM_DIGEST_SIZE];

	begin_with_host();
	expect_ready(PVROM_ROUTE_CPUID);
	memcpy(allowed[1], m->guest->digest, PVROM_DIGEST_SIZE);
	machine_free(m);

	begin_with_host();
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 2;
	expect_ready(PVROM_ROUTE_CPUID);
	machine_free(m);

	begin_with_host();
	allowed[1][31] ^= 1;
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 2;
	machine_expect_native(m, PVROM_VERDICT_NOT_ALLOWED);
	CU_ASSERT_EQUAL(m->hypercalls, 0);
	CU_ASSERT_EQUAL(m->guest->digest[31], allowed[1][31] ^ 1); /* for the log */
	machine_free(m);

	begin_with_host(); /* behind the end of the list there is nothing */
	allowed[1][31] ^= 1;
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	m->policy->allowed_count = 1;
	expect(PVROM_VERDICT_NOT_ALLOWED);

	begin_with_host(); /* an empty list allows none */
	m->policy->allowed = (const uint8_t(*)[PVROM_DIGEST_SIZE])allowed;
	expect(PVROM_VERDICT_NOT_ALLOWED);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(truncated),
		{ "bad_checksum [PVROM-ROM-26 PVROM-DISC-23]", bad_checksum },
		{ "malformed [PVROM-ROM-26 PVROM-DISC-23]", malformed },
		TAP_TEST(relocation_that_leaves_its_slot),
		TAP_TEST(no_memory),
		{ "seal_fails [PVROM-ROM-28]", seal_fails },
		{ "rom_replaced_before_loading [PVROM-ROM-27]", rom_replaced_before_loading },
		{ "rom_changes_while_it_is_read [PVROM-ROM-27]", rom_changes_while_it_is_read },
		{ "rom_that_changes_later_does_not_matter [PVROM-ROM-25]",
		  rom_that_changes_later_does_not_matter },
		{ "allow_list [PVROM-ROM-29]", allow_list },
		{ 0 },
	};

	return tap_run("guest_load", tests);
}
