/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The core of the probe: evidence as text and back, verdicts about features, and whatever bytes somebody hands over. */
#include <pvrom/feature_probe.h>

#include <stdlib.h>
#include <string.h>

#include "../cunit_tap.h"

#define ROM_ROOM 4096

static struct pvrom_probe_evidence evidence;
static struct pvrom_probe_verdict verdict;
static uint8_t rom[ROM_ROOM];
static char text[65536];
static size_t length, longest;

static void collect(void *ctx, const char *line)
{
	size_t n = strlen(line);

	(void)ctx;
	if (n > longest)
		longest = n;
	if (length + n + 2 > sizeof(text))
		return;
	memcpy(text + length, line, n);
	length += n;
	text[length++] = '\n';
	text[length] = '\0';
}

static void start(void)
{
	evidence.rom = rom;
	evidence.rom_room = sizeof(rom);
	pvrom_probe_start(&evidence);
	length = longest = 0;
	text[0] = '\0';
}

static uint32_t read_text(const char *lines)
{
	start();
	return pvrom_probe_read(&evidence, lines, strlen(lines));
}

/* ---- recordings -------------------------------------------------------------------------------------- */

static const char everything[] =
	"pvrom-evidence 1\n"
	"source a machine\n"
	"cpuid 00000000 00 0000000d 756e6547 6c65746e 49656e69\n"
	"cpuid 00000007 01 00000001 00000002 00000003 00000004\n"
	"fact kernel Linux 6.1\n"
	"looked\n"
	"live\n"
	"two\n"
	"rom 2 40\n"
	"data 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	"data 2021222324252627\n"
	"offer 0003 001f 000f 0020 001f 0004 009abc1234\n"
	"reason mmu 2\n"
	"reason dev 6\n"
	"reason blk 5\n"
	"reason net 5\n"
	"reason mem 6\n"
	"reason mmu-fault 5\n"
	"wants 003f 0001\n"
	"tried 0011 0010\n";

static void write_and_read(void)
{
	CU_ASSERT_EQUAL(read_text(everything), 0);
	CU_ASSERT_EQUAL(evidence.leaves, 2);
	CU_ASSERT_EQUAL(pvrom_probe_leaf(&evidence, 7, 1)[3], 4);
	CU_ASSERT_PTR_NULL(pvrom_probe_leaf(&evidence, 7, 0));
	CU_ASSERT_STRING_EQUAL(pvrom_probe_fact(&evidence, "kernel"), "Linux 6.1");
	CU_ASSERT_PTR_NULL(pvrom_probe_fact(&evidence, "kern"));
	CU_ASSERT_EQUAL(evidence.rom_size, 40);
	CU_ASSERT_EQUAL(rom[39], 0x27);
	CU_ASSERT_EQUAL(evidence.offer.tsc_hz, 0x9abc1234);
	CU_ASSERT_EQUAL(evidence.offer.reason[PVROM_FEATURE_MMU], PVROM_REASON_NESTED_PAGING);
	pvrom_probe_write(&evidence, collect, NULL);
	CU_ASSERT_STRING_EQUAL(text, everything);
}

/* A wrong line is named by its number, and nothing behind it is read. */
static void wrong_lines(void)
{
	static const char *const wrong[] = {
		"cpuid",
		"cpuid 0 0 0 0 0",
		"cpuid 0 0 0 0 0 0 0",
		"cpuid 0 0 0 0 0 g",
		"cpuid 100000000 0 0 0 0 0",
		"cpuid 00000000 00 00000000 00000000 00000000 00000000", /* there already */
		"fact",
		"fact aNameThatHasTooManyLettersForOne x",
		"fact kernel again",
		"looked twice",
		"two of them",
		"rom 5 100",
		"rom 1 0",
		"rom 1 4097",
		"rom 1 1048577",
		"data 00",
		"offer 1 2 3",
		"offer 1 2 3 4 5 100000000 7",
		"reason mmu 7",
		"reason nothing 1",
		"reason mmu",
		"wants 1",
		"tried ffffffffffffffff1 0",
		"strange",
		"pvrom-evidence 1",
	};
	char lines[300];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(lines, sizeof(lines),
			 "pvrom-evidence 1\n\n# a remark\ncpuid 0 0 0 0 0 0\nfact kernel "
			 "x\n%s\nfact after x\n",
			 wrong[i]);
		if (read_text(lines) != 6) {
			tap_note("%s", wrong[i]);
			CU_FAIL("a wrong line was taken");
		}
		CU_ASSERT_PTR_NULL(pvrom_probe_fact(&evidence, "after"));
	}
	CU_ASSERT_EQUAL(read_text(""), 1);
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 2\n"), 1);
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 11\n"), 1);
	/* A ROM that ends too early, or too late. */
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 1\nrom 1 2\ndata 00\n"), 4);
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 1\nrom 1 2\ndata 000000\n"), 3);
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 1\nrom 1 2\ndata 00 0\n"), 3);
	CU_ASSERT_EQUAL(read_text("pvrom-evidence 1"), 0);
}

/* Lines of another's are added to what there is, and a wrong one is named by its number. */
static void read_more(void)
{
	static const char lines[] = "offer 1 2 3 4 5 6 7\nwants 1 0\n";
	static const char wrong[] = "wants 2 0\ntwo\nofer\nwants 4 0\n";

	CU_ASSERT_EQUAL(read_text("pvrom-evidence 1\nfact kernel x\nrom 1 2\ndata 0001\n"), 0);
	CU_ASSERT_EQUAL(pvrom_probe_read_more(&evidence, lines, sizeof(lines) - 1), 0);
	CU_ASSERT_EQUAL(evidence.facts, 1);
	CU_ASSERT_EQUAL(evidence.rom_size, 2);
	CU_ASSERT_EQUAL(evidence.offer.tsc_hz, 7);
	CU_ASSERT_EQUAL(evidence.wanted, 1);
	CU_ASSERT_EQUAL(pvrom_probe_read_more(&evidence, wrong, sizeof(wrong) - 1), 3);
	CU_ASSERT_EQUAL(evidence.wanted, 2);
	CU_ASSERT_TRUE(evidence.two_roms);
	CU_ASSERT_EQUAL(pvrom_probe_read_more(&evidence, "", 0), 0);
	CU_ASSERT_EQUAL(pvrom_probe_read_more(&evidence, "rom 1 1\ndata 00\n", 16), 1);
}

/* ---- verdicts about features ------------------------------------------------------------------------- */

/* A machine whose host was asked, without the ROM's bytes: judged as a host. */
static void judge(const char *more)
{
	char lines[800];

	snprintf(lines, sizeof(lines),
		 "pvrom-evidence 1\noffer 1 07f 05f 020 05f 1 0\nreason mmu 2\nreason blk 6\n"
		 "reason net 5\nreason mem 6\nreason mmu-fault 5\n%s",
		 more);
	CU_ASSERT_EQUAL(read_text(lines), 0);
	pvrom_probe_judge_host(&evidence, &verdict);
}

#define F(NAME) (&verdict.feature[PVROM_FEATURE_##NAME])

static void offered(void)
{
	judge("");
	CU_ASSERT_EQUAL(F(CPU)->offered, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(CPU)->granted, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(CPU)->works, PVROM_PROBE_NOT_TRIED);
	CU_ASSERT_EQUAL(F(CPU)->why, PVROM_REASON_NONE);
	CU_ASSERT_EQUAL(F(MMU)->can, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(MMU)->hardware, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(MMU)->offered, PVROM_PROBE_NO);
	CU_ASSERT_EQUAL(F(MMU)->why, PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_STRING_EQUAL(pvrom_probe_why_words(F(MMU)->why), "nested paging present");
}

static void wanted(void)
{
	judge("wants 0009 0001\n"); /* cpu, and alarm without irq */
	CU_ASSERT_EQUAL(F(CPU)->granted, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(SMP)->why, PVROM_PROBE_WHY_NOT_WANTED);
	CU_ASSERT_EQUAL(F(ALARM)->granted, PVROM_PROBE_NO);
	CU_ASSERT_EQUAL(F(ALARM)->why, PVROM_REASON_DEPENDENCY);
	judge("wants 0021 0020\n"); /* requires what is withheld */
	CU_ASSERT_EQUAL(F(CPU)->granted, PVROM_PROBE_NO);
	CU_ASSERT_EQUAL(F(CPU)->why, PVROM_PROBE_WHY_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(F(MMU)->why, PVROM_REASON_NESTED_PAGING);
}

/* "Works" is what was tried and seen, and nothing else. */
static void tried(void)
{
	judge("tried 0011 0010\n");
	CU_ASSERT_EQUAL(F(CLOCK)->works, PVROM_PROBE_YES);
	CU_ASSERT_EQUAL(F(CPU)->works, PVROM_PROBE_NO);
	CU_ASSERT_EQUAL(F(CPU)->why, PVROM_PROBE_WHY_NOT_SEEN);
	CU_ASSERT_EQUAL(F(SMP)->works, PVROM_PROBE_NOT_TRIED);
	/* Seen without having been tried: not. */
	judge("tried 0001 0010\n");
	CU_ASSERT_EQUAL(F(CLOCK)->works, PVROM_PROBE_NOT_TRIED);
}

/* Without an offer: where there is no usable ROM the answer is no, else it is not known. */
static void not_asked(void)
{
	static const struct {
		const char *lines;
		uint32_t rom, status;
		uint8_t offered, why;
	} cases[] = {
		{ "looked\n", PVROM_PROBE_ROM_NONE, 1, PVROM_PROBE_NO, PVROM_PROBE_WHY_NO_ROM },
		{ "", PVROM_PROBE_ROM_NOT_LOOKED, 4, PVROM_PROBE_UNKNOWN,
		  PVROM_PROBE_WHY_NOT_LOOKED },
		{ "looked\nrom 2 4\ndata 55aa0000\n", PVROM_PROBE_ROM_REFUSED, 3, PVROM_PROBE_NO,
		  PVROM_PROBE_WHY_ROM_REFUSED },
		{ "cpuid 40000000 0 40000002 4f527670 76702f4d 2f4d4f52\n"
		  "cpuid 40000001 0 00010000 0 0 0\n",
		  PVROM_PROBE_ROM_NOT_READ, 4, PVROM_PROBE_UNKNOWN, PVROM_PROBE_WHY_NOT_ASKED },
		{ "cpuid 40000100 0 40000102 4f527670 76702f4d 2f4d4f52\n"
		  "cpuid 40000101 0 00020000 0 0 0\n",
		  PVROM_PROBE_ROM_REFUSED, 3, PVROM_PROBE_NO, PVROM_PROBE_WHY_ROM_REFUSED },
	};
	char lines[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(lines, sizeof(lines), "pvrom-evidence 1\n%s", cases[i].lines);
		CU_ASSERT_EQUAL(read_text(lines), 0);
		pvrom_probe_judge(&evidence, &verdict);
		CU_ASSERT_EQUAL(verdict.rom, cases[i].rom);
		CU_ASSERT_EQUAL(pvrom_probe_status(&verdict), cases[i].status);
		CU_ASSERT_EQUAL(F(CLOCK)->offered, cases[i].offered);
		CU_ASSERT_EQUAL(F(CLOCK)->why, cases[i].why);
		CU_ASSERT_EQUAL(F(CLOCK)->works, PVROM_PROBE_NOT_TRIED);
	}
}

/* This kernel's own shim is believed about a ROM that could not be read, and about no other. */
static void heard(void)
{
	static const struct {
		const char *lines;
		uint32_t rom;
	} cases[] = {
		{ "fact rom.kernel ready\n", PVROM_PROBE_ROM_VALID },
		{ "fact rom.kernel bad checksum\n", PVROM_PROBE_ROM_NOT_LOOKED },
		{ "fact rom.kernel ready\nlooked\n", PVROM_PROBE_ROM_NONE },
		{ "fact rom.kernel ready\nlooked\nrom 2 4\ndata 55aa0000\n",
		  PVROM_PROBE_ROM_REFUSED },
		{ "fact rom.kernel ready\n"
		  "cpuid 40000000 0 40000002 4f527670 76702f4d 2f4d4f52\n"
		  "cpuid 40000001 0 00010000 0 0 0\n",
		  PVROM_PROBE_ROM_VALID },
		{ "fact rom.kernel ready\n"
		  "cpuid 40000000 0 40000002 4f527670 76702f4d 2f4d4f52\n"
		  "cpuid 40000001 0 00020000 0 0 0\n",
		  PVROM_PROBE_ROM_REFUSED },
	};
	char lines[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(lines, sizeof(lines), "pvrom-evidence 1\n%s", cases[i].lines);
		CU_ASSERT_EQUAL(read_text(lines), 0);
		pvrom_probe_judge(&evidence, &verdict);
		CU_ASSERT_EQUAL(verdict.rom, cases[i].rom);
	}
}

/* Every reason has words and an explanation. */
static void words(void)
{
	for (uint32_t why = 0; why < 256; why++)
		if (strcmp(pvrom_probe_why_words(why), "?") != 0)
			CU_ASSERT_TRUE(strlen(pvrom_probe_why_text(why)) > 20);
	CU_ASSERT_STRING_EQUAL(pvrom_probe_why_words(200), "?");
	CU_ASSERT_STRING_EQUAL(pvrom_probe_vmm_name(99), "?");
	CU_ASSERT_STRING_EQUAL(pvrom_probe_rom_words(99), "?");
	CU_ASSERT_STRING_EQUAL(pvrom_probe_answer_words(99), "?");
}

/* ---- whatever somebody hands over ---------------------------------------------------------------------- */

static uint32_t wild_state;

static void wild_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	for (uint32_t i = 0; i < 4; i++) {
		wild_state = wild_state * 1103515245 + leaf * 7 + subleaf + 12345;
		regs[i] = wild_state ^ wild_state >> 15;
	}
	/* Mostly with something in it that leads on. */
	if ((leaf & 0xff) == 0 && leaf >> 30 == 1 && wild_state & 1) {
		regs[1] = PVROM_CPUID_SIGNATURE_EBX;
		regs[2] = PVROM_CPUID_SIGNATURE_ECX;
		regs[3] = PVROM_CPUID_SIGNATURE_EDX;
	}
}

static void say_all(void)
{
	length = longest = 0;
	pvrom_probe_report(&verdict, collect, NULL);
	CU_ASSERT_TRUE(longest <= 200);
	pvrom_probe_json(&verdict, collect, NULL);
	pvrom_probe_dot(&verdict, collect, NULL);
	pvrom_probe_chain(&evidence, &verdict, collect, NULL);
	pvrom_probe_write(&evidence, collect, NULL);
}

static void wild_machines(void)
{
	for (wild_state = 1; wild_state < 2000000000; wild_state = wild_state / 7 * 8 + 77777) {
		start();
		pvrom_probe_take_cpuid(&evidence, wild_cpuid);
		CU_ASSERT_TRUE(evidence.leaves <= PVROM_PROBE_LEAVES);
		for (size_t i = 0; i < sizeof(rom); i++)
			rom[i] = (uint8_t)mrand48();
		evidence.rom_size = (size_t)mrand48() % sizeof(rom);
		pvrom_probe_judge(&evidence, &verdict);
		say_all();
	}
}

/* The good text with bytes changed, cut, doubled: an answer, and no byte beyond. */
static void wild_texts(void)
{
	char *exact;

	for (uint32_t turn = 0; turn < 20000; turn++) {
		size_t size = sizeof(everything) - 1 - (size_t)mrand48() % 200;

		exact = malloc(size);
		CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
		memcpy(exact, everything, size);
		for (uint32_t i = (uint32_t)mrand48() % 6; i; i--)
			exact[(size_t)mrand48() % size] =
				(char)(turn & 1 ? mrand48() : "0f \nz9"[(uint32_t)mrand48() % 6]);
		start();
		pvrom_probe_read(&evidence, exact, size);
		free(exact);
		pvrom_probe_judge(&evidence, &verdict);
		pvrom_probe_judge_host(&evidence, &verdict);
		if (turn % 20 == 0)
			say_all();
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "a recording is what was written", write_and_read },
		{ "a wrong line has its number", wrong_lines },
		{ "lines are added to what there is", read_more },
		{ "what a host offers", offered },
		{ "what a kernel would be granted", wanted },
		{ "what was tried", tried },
		{ "a host that was not asked", not_asked },
		{ "a kernel that has seen the ROM", heard },
		{ "words for everything", words },
		{ "machines that answer anything", wild_machines },
		{ "texts of anything", wild_texts },
		{ 0 },
	};

	return tap_run("probe_core", tests);
}
