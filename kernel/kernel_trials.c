/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Each granted feature does its act once, and somebody looks whether that had its effect: an interrupt that came, a
 * mapping that changed, a device that answered. What has no act to be seen here is not tried.
 */
#include "kernel_trials.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_clock.h"
#include "kernel_disk.h"
#include "kernel_net.h"
#include "kernel_rom.h"
#include "memory.h"
#include "paging.h"
#include "smp.h"
#include "time.h"
#include "traps.h"

#define VECTOR 0x52
#define TRIAL_VA (TEST_BASE + BIT(42)) /* apart from what the facts use */
#define SOON_US 100
#define PATIENCE_US 5000000

struct trial {
	unsigned feature;
	bool (*is_there)(void); /* NULL: always */
	bool (*works)(void);
};

static uint64_t came(uint32_t cpu, unsigned vector)
{
	return READ_ONCE(cpus[cpu].irq_count[vector]);
}

static bool comes(uint32_t cpu, unsigned vector, uint64_t count)
{
	uint64_t end = cpu_rdtsc() + time_us(PATIENCE_US);

	while (came(cpu, vector) < count && cpu_rdtsc() < end)
		cpu_relax();
	return came(cpu, vector) >= count;
}

/* ---- CPUs and interrupts ---- */

/* CLI and STI as the ROM has them: what is sent between them comes behind them. */
static bool try_cpu(void)
{
	uint32_t me = this_cpu()->index;
	uint64_t before = came(me, VECTOR);
	bool early;

	cpu_cli();
	irq_send(VECTOR, BIT(me));
	time_spin_us(SOON_US);
	early = came(me, VECTOR) != before;
	cpu_sti();
	return comes(me, VECTOR, before + 1) && !early;
}

/* Twice to each CPU: the second one comes only if the first was ended. */
static bool try_irq(void)
{
	for (uint32_t i = 0; i < 2 * smp_cpus; i++) {
		uint64_t before = came(i / 2, VECTOR);

		irq_send(VECTOR, BIT(i / 2));
		if (!comes(i / 2, VECTOR, before + 1))
			return false;
	}
	return true;
}

static bool several_cpus(void)
{
	return smp_cpus > 1;
}

static void note_index(void *index)
{
	*(uint32_t *)index = this_cpu()->index;
}

static bool try_smp(void)
{
	uint32_t last = smp_cpus - 1, seen = 0;

	if (!smp_stop(last) || !smp_start(last))
		return false;
	smp_run(last, note_index, &seen);
	return seen == last;
}

/* ---- time ---- */

static bool try_alarm(void)
{
	uint32_t me = this_cpu()->index;
	uint64_t before = came(me, VECTOR_ALARM), deadline = cpu_rdtsc() + time_us(SOON_US);

	cpu_cli();
	irq_alarm_set(deadline);
	cpu_sti();
	return comes(me, VECTOR_ALARM, before + 1) && cpu_rdtsc() >= deadline;
}

static bool try_clock(void)
{
	uint64_t before = clock_monotonic();

	time_spin_us(10);
	return before != PVROM_CLOCK_NONE && clock_monotonic() > before;
}

/* ---- memory ---- */

static void read_there(uint64_t va)
{
	(void)READ_ONCE(*(uint64_t *)va);
}

static void set_entry(uint64_t value)
{
	pvrom_set_entry(paging_entry(paging_root, TRIAL_VA, 1), value);
	cpu_invlpg((void *)TRIAL_VA);
}

/* A page, then another one, then none. */
static bool try_mmu(void)
{
	uint64_t *page[2] = { memory_page(), memory_page() };
	struct trap_catch caught;
	bool first, second;

	*page[0] = 1;
	*page[1] = 2;
	paging_map(paging_root, TRIAL_VA, (uint64_t)page[0], PTE_P | PTE_W | PTE_NX, 1);
	cpu_invlpg((void *)TRIAL_VA);
	first = READ_ONCE(*(uint64_t *)TRIAL_VA) == 1;
	set_entry((uint64_t)page[1] | PTE_P | PTE_W | PTE_NX);
	second = READ_ONCE(*(uint64_t *)TRIAL_VA) == 2;
	set_entry(0);
	trap_try(&caught, read_there, TRIAL_VA);
	memory_free(page[0]);
	memory_free(page[1]);
	return first && second && caught.vector == TRAP_PF;
}

/* ---- devices ---- */

static bool disk_on_bus(void)
{
	return disk && virtio_way_is_bus(&disk->way);
}

static bool net_on_bus(void)
{
	return net && virtio_way_is_bus(&net->way);
}

static bool any_on_bus(void)
{
	return disk_on_bus() || net_on_bus();
}

/* What the first device is. */
static bool try_dev(void)
{
	uint64_t kind = 0;

	return pvrom_call(&kernel_rom, PVROM_DEV_LIST, 0, PVROM_DEV_KIND, 0, 0, &kind) ==
		       PVROM_STATUS_OK &&
	       (uint32_t)kind;
}

static bool try_blk(void)
{
	void *sector = memory_page();
	enum pvrom_blk_guest_result result = disk_transfer(0, PVROM_BLK_T_IN, 0, 1, sector);

	memory_free(sector);
	return result == PVROM_BLK_GUEST_OK;
}

/* ---- all together ---- */

void kernel_trials(struct pvrom_probe_evidence *evidence)
{
	static const struct trial trials[] = {
		{ PVROM_FEATURE_CPU, NULL, try_cpu },
		{ PVROM_FEATURE_IRQ, NULL, try_irq },
		{ PVROM_FEATURE_SMP, several_cpus, try_smp },
		{ PVROM_FEATURE_ALARM, NULL, try_alarm },
		{ PVROM_FEATURE_CLOCK, NULL, try_clock },
		{ PVROM_FEATURE_MMU, NULL, try_mmu },
		{ PVROM_FEATURE_DEV, any_on_bus, try_dev },
		{ PVROM_FEATURE_BLK, disk_on_bus, try_blk },
		{ PVROM_FEATURE_NET, net_on_bus, net_takes_a_frame },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(trials); i++) {
		const struct trial *trial = &trials[i];
		const uint64_t feature = PVROM_FEATURE_BIT(trial->feature);

		if (!kernel_rom_granted(trial->feature) || (trial->is_there && !trial->is_there()))
			continue;
		evidence->tried |= feature;
		if (trial->works())
			evidence->worked |= feature;
	}
}
