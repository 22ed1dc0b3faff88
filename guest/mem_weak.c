/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * memcpy, memmove, memset and memcmp, weak: a compiler may call them even in freestanding code, and a
 * kernel that has its own keeps them. String instructions, so that no compiler can turn
 * the body of memcpy into a call of memcpy.
 */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

__attribute__((weak, cold)) void *memcpy(void *to, const void *from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

/* Downwards, from the last byte, when the ranges overlap that way. */
static void copy_down(char *to, const char *from, size_t size)
{
	to += size - 1;
	from += size - 1;
	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

__attribute__((weak, cold)) void *memmove(void *to, const void *from, size_t size)
{
	if ((size_t)((char *)to - (const char *)from) >= size)
		return memcpy(to, from, size);
	copy_down((char *)to, (const char *)from, size);
	return to;
}

__attribute__((weak, cold)) void *memset(void *to, int value, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(value) : "memory");
	return to;
}

__attribute__((weak, cold)) int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;

	for (; size; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
