/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "recording": a text that says it is a recorded machine, judged and told in all forms.
 *
 * Promised: a recording that is taken and written again is taken again, and written the same; every answer and reason of a
 * verdict has words; nothing is granted that is not offered, and nothing works that was not tried; a ROM is called valid
 * only if a kernel would take it; what is said is printable.
 */
#include <pvrom/feature_probe.h>
#include <pvrom/guest.h>

#include "hostile.h"

#define ROOM 65536u
#define TEXT 262144u

static struct pvrom_probe_evidence evidence, again;
static struct pvrom_probe_verdict verdict;
static uint8_t rom[ROOM], rom_again[ROOM];
static bool granted_to_all;

const char *const hostile_faults[] = { "granted-to-all", NULL };

void hostile_plant(const char *fault)
{
	granted_to_all = fault && !strcmp(fault, hostile_faults[0]);
}

struct text {
	char bytes[TEXT];
	size_t length;
};

static struct text first, second;

static void collect(void *ctx, const char *line)
{
	struct text *text = ctx;

	for (; *line; line++) {
		PROMISE(*line >= ' ' && *line <= '~');
		if (text->length + 1 < TEXT)
			text->bytes[text->length++] = *line;
	}
	if (text->length + 1 < TEXT)
		text->bytes[text->length++] = '\n';
}

static void write_and_read(void)
{
	first.length = second.length = 0;
	pvrom_probe_write(&evidence, collect, &first);
	if (first.length + 1 >= TEXT)
		return;
	PROMISE(pvrom_probe_read(&again, first.bytes, first.length) == 0);
	pvrom_probe_write(&again, collect, &second);
	PROMISE(first.length == second.length);
	PROMISE(!memcmp(first.bytes, second.bytes, first.length));
}

static void check_feature(const struct pvrom_probe_feature *f, uint32_t number)
{
	const uint8_t answers[] = { f->can,	f->advised, f->hardware,
				    f->offered, f->granted, f->works };
	uint32_t i;

	for (i = 0; i < sizeof(answers); i++)
		PROMISE(answers[i] < PVROM_PROBE_ANSWER_COUNT);
	PROMISE(strcmp(pvrom_probe_why_words(f->why), "?"));
	PROMISE(f->granted != PVROM_PROBE_YES || f->offered == PVROM_PROBE_YES);
	PROMISE(f->works != PVROM_PROBE_YES || evidence.tried >> number & 1);
	/* A no has its reason. */
	PROMISE(f->granted != PVROM_PROBE_NO || f->why != PVROM_REASON_NONE);
}

static void check_verdict(void)
{
	const uint32_t status = pvrom_probe_status(&verdict);
	uint32_t i;

	PROMISE(status <= 4 && status != 2);
	PROMISE(verdict.vmm < PVROM_PROBE_VMM_COUNT && verdict.rom < PVROM_PROBE_ROM_COUNT);
	PROMISE(verdict.rom != PVROM_PROBE_ROM_VALID ||
		pvrom_rom_check(rom, evidence.rom_size) == PVROM_VERDICT_READY);
	for (i = 0; i < PVROM_FEATURE_COUNT; i++) {
		if (granted_to_all)
			verdict.feature[i].granted = PVROM_PROBE_YES;
		check_feature(&verdict.feature[i], i);
	}
}

static void tell(void)
{
	first.length = 0;
	pvrom_probe_report(&verdict, collect, &first);
	pvrom_probe_json(&verdict, collect, &first);
	pvrom_probe_dot(&verdict, collect, &first);
	pvrom_probe_chain(&evidence, &verdict, collect, &first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	evidence.rom = rom;
	again.rom = rom_again;
	evidence.rom_room = again.rom_room = ROOM;
	if (pvrom_probe_read(&evidence, (const char *)data, size) == 0)
		write_and_read();
	/* What was read before a wrong line is evidence too. */
	pvrom_probe_judge(&evidence, &verdict);
	check_verdict();
	tell();
	pvrom_probe_judge_host(&evidence, &verdict);
	check_verdict();
	tell();
	return 0;
}
