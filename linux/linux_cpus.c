/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The vCPU areas: each CPU registers its own when it comes, and releases it when it goes. In them stand the
 * epoch, the stolen time and the host's counts of calls.
 */
#include "linux_module.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/percpu.h>
#include <linux/slab.h>

static DEFINE_PER_CPU(struct pvrom_vcpu_area *, area); /* read elsewhere: linux_cpus_stolen() */
static DEFINE_PER_CPU(int, vcpu) = -1; /* stays when the area goes: it is the same CPU */
static int hotplug_state;

/*
 * What the host says was stolen is counted from the first word of an area on: another host begins elsewhere. The
 * scheduler asks for a CPU on others too.
 */
struct stolen {
	raw_spinlock_t lock;
	bool begun;
	u64 said;
	u64 sum;
};
static DEFINE_PER_CPU(struct stolen, stolen) = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(stolen.lock),
};

static void begin_stolen(unsigned int cpu)
{
	struct stolen *count = per_cpu_ptr(&stolen, cpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&count->lock, flags);
	count->begun = false;
	raw_spin_unlock_irqrestore(&count->lock, flags);
}

/* On the CPU itself. kmalloc aligns a power of two to itself. A CPU without an area runs all the same. */
static int come(unsigned int cpu)
{
	struct pvrom_vcpu_area *own = kzalloc(sizeof(*own), GFP_KERNEL);
	uint32_t status;

	if (!own)
		return -ENOMEM;
	status = pvrom_guest_vcpu_area(&linux_pvrom->guest, own);
	if (status == PVROM_STATUS_OK) {
		begin_stolen(cpu);
		smp_store_release(&per_cpu(area, cpu), own);
		WRITE_ONCE(per_cpu(vcpu, cpu), (int)min_t(uint32_t, own->vcpu, INT_MAX));
	} else {
		pr_warn("CPU %u: no area: %s\n", cpu, pvrom_status_words(status));
		kfree(own);
	}
	return 0;
}

/* What the host does not give back it may still write to: then it is never used again. */
static int go(unsigned int cpu)
{
	struct pvrom_vcpu_area *own = per_cpu(area, cpu);
	uint32_t status;

	if (!own)
		return 0;
	WRITE_ONCE(per_cpu(area, cpu), NULL);
	status = pvrom_guest_vcpu_area(&linux_pvrom->guest, NULL);
	linux_steal_wait();
	if (status == PVROM_STATUS_OK)
		kfree(own);
	else
		pr_warn("CPU %u: area not released: %s\n", cpu, pvrom_status_words(status));
	return 0;
}

int linux_cpus_suspend(void)
{
	struct pvrom_vcpu_area *own = *this_cpu_ptr(&area);

	if (!own || pvrom_guest_vcpu_area(&linux_pvrom->guest, NULL) == PVROM_STATUS_OK)
		return 0;
	return -EBUSY;
}

/* An area that the host does not take again stands empty: its memory is where it was. */
void linux_cpus_resume(void)
{
	struct pvrom_vcpu_area *own = *this_cpu_ptr(&area);

	if (!own)
		return;
	begin_stolen(smp_processor_id());
	memset(own, 0, sizeof(*own));
	if (pvrom_guest_vcpu_area(&linux_pvrom->guest, own) != PVROM_STATUS_OK)
		*this_cpu_ptr(&area) = NULL;
}

int linux_cpus_start(void)
{
	hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "pvrom:online", come, go);
	return hotplug_state < 0 ? hotplug_state : 0;
}

void linux_cpus_stop(void)
{
	if (hotplug_state > 0)
		cpuhp_remove_state(hotplug_state);
	hotplug_state = 0;
}

/* The host raises the epoch in all areas: one is enough. */
bool linux_cpus_epoch_moved(void)
{
	const struct pvrom_vcpu_area *any = NULL;
	bool moved;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) any = any ?: per_cpu(area, cpu);
	moved = any && pvrom_guest_epoch_moved(&linux_pvrom->guest, any);
	cpus_read_unlock();
	return moved;
}

int linux_cpus_vcpu(unsigned int cpu)
{
	return cpu < nr_cpu_ids ? READ_ONCE(per_cpu(vcpu, cpu)) : -1;
}

bool linux_cpus_read(unsigned int cpu, struct pvrom_clock_vcpu_reading *reading)
{
	const struct pvrom_vcpu_area *own;
	bool kept;

	cpus_read_lock();
	own = per_cpu(area, cpu);
	kept = own && pvrom_clock_vcpu_read(own, reading);
	cpus_read_unlock();
	return kept;
}

bool linux_cpus_calls(unsigned int cpu, struct pvrom_clock_vcpu_calls *calls)
{
	const struct pvrom_vcpu_area *own;
	bool kept;

	cpus_read_lock();
	own = per_cpu(area, cpu);
	kept = own && pvrom_clock_vcpu_calls(own, calls);
	cpus_read_unlock();
	return kept;
}

/* A snapshot that is just being written is left for the next time: nobody waits for a host here. */
static bool read_said(const struct pvrom_vcpu_area *own, u64 *said)
{
	u32 seq = READ_ONCE(own->clock_seq);

	smp_rmb();
	*said = READ_ONCE(own->clock_stolen);
	smp_rmb();
	return seq && !(seq & 1) && READ_ONCE(own->clock_seq) == seq;
}

u64 linux_cpus_stolen(int cpu)
{
	struct stolen *count = per_cpu_ptr(&stolen, cpu);
	const struct pvrom_vcpu_area *own;
	unsigned long flags;
	u64 said, sum;

	/* With interrupts off, so that linux_steal_wait() waits for this reader, whoever calls. */
	raw_spin_lock_irqsave(&count->lock, flags);
	own = smp_load_acquire(&per_cpu(area, cpu));
	if (own && read_said(own, &said)) {
		if (count->begun && said > count->said)
			count->sum += said - count->said;
		count->begun = true;
		count->said = said;
	}
	sum = count->sum;
	raw_spin_unlock_irqrestore(&count->lock, flags);
	return sum;
}
