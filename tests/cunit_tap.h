/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs CUnit tests and prints one TAP line for each, with the place of every failed assertion.
 *
 *	static void refuses_wrong_major(void) { CU_ASSERT_EQUAL(status, PVROM_...); }
 *
 *	static const struct tap_test tests[] = {
 *		TAP_TEST(refuses_wrong_major),
 *		{ "accepts the newest of two [GUEST-7]", accepts_newest },
 *		{ 0 }
 *	};
 *
 *	int main(void) { return tap_run("discovery", tests); }
 */
#ifndef TESTS_CUNIT_TAP_H
#define TESTS_CUNIT_TAP_H

#include <CUnit/CUnit.h>

struct tap_test {
	const char *name;	/* free text without '#'; an entry without a name ends the list */
	void (*run)(void);
};

#define TAP_TEST(fn) { #fn, fn }

/*
 * Runs the list as one suite, each test once and in order.  Returns what main() shall: 0 when all
 * passed, 1 when one failed, 2 when CUnit itself could not run.  SUITE is for messages.
 */
int tap_run(const char *suite, const struct tap_test *tests);

/*
 * From inside a test: this machine cannot run it, for REASON (a string that outlives the test).
 * Assertions that failed before still count.  The test should return right after.
 */
void tap_skip(const char *reason);

/* From inside a test: prints "# TEXT", printf style, in one line of its own. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
