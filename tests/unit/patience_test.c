/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How long a server looks on for work, on a clock of the test's own. */
#include <pvrom/io_patience.h>

#include "../cunit_tap.h"

#define MOST 32u

static struct pvrom_patience p;
static uint64_t now;

/* Looks, every ns, until it would sleep or `gap` have passed and work comes; how long it looked. */
static uint64_t one_gap(uint64_t gap)
{
	const uint64_t begin = now;
	uint64_t looked;

	while (now - begin < gap && pvrom_patience_looks(&p, now))
		now++;
	looked = now - begin;
	now = begin + gap;
	pvrom_patience_worked(&p, now);
	return looked;
}

static void begin(uint64_t most)
{
	now = 1000;
	pvrom_patience_init(&p, most);
	pvrom_patience_worked(&p, now);
}

static void looks_for_as_long_as_it_may(void)
{
	begin(MOST);
	CU_ASSERT_EQUAL(one_gap(MOST - 1), MOST - 1);
	CU_ASSERT_EQUAL(one_gap(1000), MOST);
	CU_ASSERT_EQUAL(p.paid, 1);
	CU_ASSERT_EQUAL(p.vain, 1);
}

/* In vain at once, after 1 sleep, after 2 more, 4, and so on, and then after 64 each. */
static void becomes_rare(void)
{
	uint64_t sleeps, wanted = 1, looks;

	begin(MOST);
	for (looks = 0; looks < 20; looks++) {
		CU_ASSERT_EQUAL(one_gap(1000), MOST);
		for (sleeps = 0; sleeps < wanted; sleeps++)
			CU_ASSERT_EQUAL(one_gap(1000), 0);
		wanted = wanted < PVROM_PATIENCE_REST ? wanted * 2 : wanted;
	}
	CU_ASSERT_EQUAL(wanted, PVROM_PATIENCE_REST);
	CU_ASSERT_EQUAL(p.vain, 20);
	CU_ASSERT_EQUAL(p.paid, 0);
}

/* After any time of rest, soon enough. */
static void comes_back_when_it_pays(void)
{
	unsigned int i, gaps;

	begin(MOST);
	for (i = 0; i < 1000; i++)
		one_gap(1000);
	for (gaps = 0; one_gap(5) != 5; gaps++)
		CU_ASSERT(gaps <= PVROM_PATIENCE_REST);
	for (i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(one_gap(5), 5);
	/* And has not forgotten how to begin to doubt. */
	CU_ASSERT_EQUAL(one_gap(1000), MOST);
	CU_ASSERT_EQUAL(one_gap(5), 0);
	CU_ASSERT_EQUAL(one_gap(5), 5);
}

static void never_without_being_asked(void)
{
	unsigned int i;

	begin(0);
	for (i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(one_gap(i % 3), 0);
	CU_ASSERT_EQUAL(p.paid + p.vain, 0);
}

/* Woken for nothing, or not yet used at all: there is nothing to wait for. */
static void never_without_work_before(void)
{
	pvrom_patience_init(&p, MOST);
	CU_ASSERT(!pvrom_patience_looks(&p, 0));
	CU_ASSERT(!pvrom_patience_looks(&p, 5));
	begin(MOST);
	while (pvrom_patience_looks(&p, now))
		now++;
	CU_ASSERT(!pvrom_patience_looks(&p, now));
	now += 1000000;
	CU_ASSERT(!pvrom_patience_looks(&p, now));
	CU_ASSERT_EQUAL(p.vain, 1);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "looks on for as long as it may, and no longer", looks_for_as_long_as_it_may },
		{ "what does not pay becomes rare", becomes_rare },
		{ "what pays again is done again", comes_back_when_it_pays },
		{ "nothing when it may not", never_without_being_asked },
		{ "nothing without work before", never_without_work_before },
		{ 0 }
	};

	return tap_run("patience", tests);
}
