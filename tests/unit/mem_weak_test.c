/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The shim's own memcpy and its like, under other names, against those of the C library.
 */
#include <string.h>

#include "../cunit_tap.h"

#define memcpy weak_memcpy
#define memmove weak_memmove
#define memset weak_memset
#define memcmp weak_memcmp
#include "../../guest/mem_weak.c" /* NOLINT(bugprone-suspicious-include): under other names */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define SIZE 48

static unsigned char ours[SIZE], theirs[SIZE];
/* More than a byte: the upper part does not count. */
static int fill = 0x1a5;

static void fresh(void)
{
	for (int i = 0; i < SIZE; i++)
		ours[i] = theirs[i] = (unsigned char)(i * 37 + 1);
}

/* Ranges apart, touching, and overlapping either way. */
static void move(size_t to, size_t from, size_t size)
{
	fresh();
	if (weak_memmove(ours + to, ours + from, size) != ours + to)
		CU_FAIL("result");
	memmove(theirs + to, theirs + from, size);
	if (memcmp(ours, theirs, SIZE))
		CU_FAIL("bytes");
}

static void memmove_of_all_ranges(void)
{
	size_t to, from, size;

	for (to = 0; to < SIZE; to++)
		for (from = 0; from < SIZE; from++)
			for (size = 0; size <= SIZE - (to > from ? to : from); size++)
				move(to, from, size);
	CU_PASS("all ranges");
}

static void memcpy_and_memset(void)
{
	for (size_t size = 0; size <= SIZE / 2; size++) {
		fresh();
		CU_ASSERT_PTR_EQUAL(weak_memcpy(ours, ours + SIZE / 2, size), ours);
		memcpy(theirs, theirs + SIZE / 2, size);
		CU_ASSERT_EQUAL(memcmp(ours, theirs, SIZE), 0);
		CU_ASSERT_PTR_EQUAL(weak_memset(ours + 3, fill, size), ours + 3);
		memset(theirs + 3, fill, size);
		CU_ASSERT_EQUAL(memcmp(ours, theirs, SIZE), 0);
	}
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void memcmp_of_each_byte(void)
{
	CU_ASSERT_EQUAL(weak_memcmp("a", "b", 0), 0);
	for (size_t at = 0; at < SIZE; at++) {
		fresh();
		CU_ASSERT_EQUAL(weak_memcmp(ours, theirs, SIZE), 0);
		ours[at] ^= 0x80;
		CU_ASSERT_EQUAL(sign(weak_memcmp(ours, theirs, SIZE)),
				sign(memcmp(ours, theirs, SIZE)));
		CU_ASSERT_EQUAL(weak_memcmp(ours, theirs, at), 0);
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(memmove_of_all_ranges),
		TAP_TEST(memcpy_and_memset),
		TAP_TEST(memcmp_of_each_byte),
		{ 0 },
	};

	return tap_run("mem_weak", tests);
}
