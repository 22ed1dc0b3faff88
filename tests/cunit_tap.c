/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* CUnit runs the tests; this prints what became of each as TAP. */
#include "cunit_tap.h"

#include <CUnit/TestRun.h>
#include <stdarg.h>
#include <stdio.h>

/* CUnit hands its callbacks no pointer of ours, so these are global. */
static unsigned int tap_number;
static const char *tap_skip_reason;

void tap_skip(const char *reason)
{
	tap_skip_reason = reason;
}

void tap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

static void tap_start(const CU_pTest test, const CU_pSuite suite)
{
	(void)test;
	(void)suite;
	tap_skip_reason = NULL;
}

static void tap_failures(const struct CU_FailureRecord *failure)
{
	for (; failure; failure = failure->pNext)
		printf("# %s:%u: %s\n", failure->strFileName, failure->uiLineNumber,
		       failure->strCondition);
}

static void tap_complete(const CU_pTest test, const CU_pSuite suite,
			 const CU_pFailureRecord failure)
{
	(void)suite;
	printf("%s %u - %s", failure ? "not ok" : "ok", ++tap_number, test->pName);
	if (tap_skip_reason && !failure)
		printf(" # SKIP %s", tap_skip_reason);
	putchar('\n');
	tap_failures(failure);
	fflush(stdout);
}

static unsigned int tap_add(const char *name, const struct tap_test *tests)
{
	CU_pSuite suite = CU_add_suite(name, NULL, NULL);
	unsigned int count = 0;

	/* CUnit refuses a name twice in a suite only with a warning: count what it took. */
	for (; suite && tests->name; tests++)
		count += CU_add_test(suite, tests->name, tests->run) != NULL;
	return count;
}

int tap_run(const char *suite, const struct tap_test *tests)
{
	unsigned int failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	printf("TAP version 13\n1..%u\n", tap_add(suite, tests));
	fflush(stdout);
	CU_set_test_start_handler(tap_start);
	CU_set_test_complete_handler(tap_complete);
	if (CU_run_all_tests() != CUE_SUCCESS)
		printf("# CUnit: %s\n", CU_get_error_msg());
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
