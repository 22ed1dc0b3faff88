/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Prints one test of each outcome, for tools_selftest to look at; run alone it fails, and must. */
#include "../cunit_tap.h"

static void passes(void)
{
	CU_ASSERT_EQUAL(1 + 1, 2);
}

static void fails(void)
{
	CU_ASSERT_EQUAL(1 + 1, 3);
}

static void skips(void)
{
	tap_skip("cannot be done");
}

static void fails_before_it_skips(void)
{
	CU_ASSERT_TRUE(0);
	tap_skip("cannot be done");
}

static const struct tap_test tests[] = {
	TAP_TEST(passes),
	TAP_TEST(fails),
	TAP_TEST(skips),
	TAP_TEST(fails_before_it_skips),
	{ 0 }
};

int main(void)
{
	return tap_run("outcomes", tests);
}
