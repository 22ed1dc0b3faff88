/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The functions that compilers call for -fsanitize=thread, as far as the guest half of pvmmu/ needs them. */
#include "mmu_points.h"

#include <stddef.h>

#include "mmu_guest_world.h"

static struct {
	uint32_t count, number;
	bool running;
	void (*hook)(void);
} points;

static void point(void)
{
	if (!points.running || gw.in_host || ++points.count != points.number)
		return;
	points.running = false;
	points.hook();
	points.running = true;
}

bool points_run(void (*op)(void), uint32_t number, void (*hook)(void))
{
	points.count = 0;
	points.number = number;
	points.hook = hook;
	points.running = true;
	op();
	points.running = false;
	return points.count >= number;
}

#define POINT(name)                                                                                \
	void __tsan_##name(void *at);                                                              \
	void __tsan_##name(void *at)                                                               \
	{                                                                                          \
		(void)at;                                                                          \
		point();                                                                           \
	}
/* clang-format off */
POINT(read1) POINT(read2) POINT(read4) POINT(read8) POINT(read16)
POINT(write1) POINT(write2) POINT(write4) POINT(write8) POINT(write16)
/* clang-format on */

#define NO_POINT(name)                                                                             \
	void __tsan_##name(void *at);                                                              \
	void __tsan_##name(void *at)                                                               \
	{                                                                                          \
		(void)at;                                                                          \
	}
		NO_POINT(func_entry) NO_POINT(func_exit)

			void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_write_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size)
{
	(void)at;
	(void)size;
	point();
}

/* The compilers replace atomic operations by these, which have to do them. */
uint64_t __tsan_atomic64_exchange(volatile uint64_t *at, uint64_t value, int order);
uint64_t __tsan_atomic64_exchange(volatile uint64_t *at, uint64_t value, int order)
{
	(void)order;
	point();
	return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *at, uint64_t *expected,
					    uint64_t value, int order, int failure);
int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *at, uint64_t *expected,
					    uint64_t value, int order, int failure)
{
	(void)order;
	(void)failure;
	point();
	return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

uint64_t __tsan_atomic64_compare_exchange_val(volatile uint64_t *at, uint64_t expected,
					      uint64_t value, int order, int failure);
uint64_t __tsan_atomic64_compare_exchange_val(volatile uint64_t *at, uint64_t expected,
					      uint64_t value, int order, int failure)
{
	__tsan_atomic64_compare_exchange_strong(at, &expected, value, order, failure);
	return expected;
}
