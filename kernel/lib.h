/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The few things every C program has and a kernel must bring: memory, strings, locks. */
#ifndef KERNEL_LIB_H
#define KERNEL_LIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((uint64_t)(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define BIT(n) (1ull << (n))

/* The compiler may emit calls to these four for its own purposes. */
void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

size_t lib_strlen(const char *s);
int lib_strcmp(const char *a, const char *b);
bool lib_starts(const char *s, const char *prefix);
/* Decimal, or hexadecimal after 0x; stops at the first other character. */
uint64_t lib_number(const char *s);
/*
 * %s %c %d %u %x with an optional l, %p, width, 0 and - flags. Always ends the
 * text with a NUL and returns the length it has (cut to SIZE - 1).
 */
size_t lib_vformat(char *to, size_t size, const char *format, va_list args);
size_t lib_format(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct lock {
	uint32_t taken;
};

/*
 * Whoever comes first takes it. Not in turn: where a hypervisor has put the next in the queue
 * to sleep, all others would wait for its time slice. The caller settles interrupts.
 */
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline uint64_t cpu_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

#endif
