/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Test pages and other tools of many facts. */
#include "fact_tools.h"

#include "irq.h"
#include "smp.h"
#include "time.h"

void test_flush_all(void)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_write_cr4(cr4 ^ CR4_PGE);
	cpu_write_cr4(cr4);
}

void test_clear(void)
{
	test_set(TEST_BASE, 4, 0);
	test_flush_all();
}

void test_map(uint64_t va, const void *page, uint64_t flags)
{
	paging_map(paging_root, va, (uint64_t)page, flags, 1);
}

uint64_t *test_page(uint64_t va, uint64_t flags)
{
	uint64_t *page = memory_page();

	test_map(va, page, flags);
	return page;
}

uint64_t *test_block(unsigned which)
{
	static uint64_t *blocks[2];

	if (!blocks[which])
		blocks[which] = memory_pages(LARGE_SIZE / PAGE_SIZE, LARGE_SIZE);
	return blocks[which];
}

uint64_t *test_entry(uint64_t va, int level)
{
	return paging_entry(paging_root, va, level);
}

void test_set(uint64_t va, int level, uint64_t value)
{
	pvrom_set_entry(test_entry(va, level), value);
}

void test_set_flush(uint64_t va, int level, uint64_t value)
{
	test_set(va, level, value);
	cpu_invlpg((void *)va);
}

uint64_t test_accessed_dirty(uint64_t va, int level)
{
	return READ_ONCE(*test_entry(va, level)) & (PTE_A | PTE_D);
}

bool test_reads(uint64_t va, uint64_t value)
{
	return READ_ONCE(*(uint64_t *)va) == value;
}

uint32_t other_cpu(void)
{
	return smp_cpus > 1 ? 1 : 0;
}

bool self_interrupt(unsigned vector)
{
	struct cpu *cpu = this_cpu();
	uint64_t before = READ_ONCE(cpu->irq_count[vector]);
	uint64_t end = cpu_rdtsc() + time_us(1000000);

	irq_send(vector, BIT(cpu->index));
	while (READ_ONCE(cpu->irq_count[vector]) == before)
		if (cpu_rdtsc() > end)
			return false;
	return true;
}

#define RESCUE_US 200000
#define ALARM_PATIENCE_US 5000000

static unsigned alarms_seen;

static void alarm_again(struct trap_frame *frame)
{
	(void)frame;
	alarms_seen++;
	irq_alarm_set(cpu_rdtsc() + time_us(RESCUE_US));
}

bool halt_for_alarm(uint64_t us)
{
	uint64_t end = cpu_rdtsc() + time_us(us + ALARM_PATIENCE_US);

	cpu_cli();
	alarms_seen = 0;
	irq_set(VECTOR_ALARM, alarm_again);
	irq_alarm_set(cpu_rdtsc() + time_us(us));
	cpu_sti_halt();
	/* A native timer may end the halt early, and is then armed again. */
	while (!READ_ONCE(alarms_seen) && cpu_rdtsc() < end)
		cpu_relax();
	cpu_cli();
	irq_alarm_cancel();
	irq_set(VECTOR_ALARM, NULL);
	cpu_sti();
	return alarms_seen == 1;
}

static uint64_t (*shared_now)(void);
static uint64_t shared_time;
static uint32_t went_back;

/* Each CPU takes its turn: the time it reads may not be before the one that was read last. */
static void take_turns(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t last = __atomic_load_n(&shared_time, __ATOMIC_ACQUIRE);
		uint64_t now = shared_now();

		if (now < last)
			__atomic_fetch_add(&went_back, 1, __ATOMIC_RELAXED);
		while (last < now &&
		       !__atomic_compare_exchange_n(&shared_time, &last, now, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			;
	}
}

uint32_t times_gone_back(uint64_t (*now)(void))
{
	bool ended = true;

	shared_now = now;
	shared_time = went_back = 0;
	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, take_turns, NULL);
	take_turns(NULL);
	for (uint32_t i = 1; i < smp_cpus; i++)
		ended &= smp_wait(i);
	return ended ? went_back : UINT32_MAX;
}
