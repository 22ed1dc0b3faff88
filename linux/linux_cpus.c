/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The vCPU areas: each CPU registers its own when it comes, and releases it when it goes. In them stand the
 * epoch, the stolen time and the host's counts of calls.
 */
#include "linux_module.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kvm_para.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include <asm/msr.h>

static DEFINE_PER_CPU(struct pvrom_vcpu_area *, area);
static int hotplug_state;

/*
 * Under KVM an area is where KVM itself notes stolen time and interrupts that need no EOI, for kernels that ask
 * for that by pvrom. Linux has asked by KVM's own MSRs, and reads what it named there: so that is put back.
 */
static const uint32_t kept_msr[] = { MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN };

static uint32_t register_area(struct pvrom_vcpu_area *own)
{
	uint64_t value[ARRAY_SIZE(kept_msr)] = { 0 };
	uint32_t status, i;

	for (i = 0; kvm_para_available() && i < ARRAY_SIZE(kept_msr); i++)
		if (rdmsrl_safe(kept_msr[i], &value[i]))
			value[i] = 0;
	status = pvrom_guest_vcpu_area(&linux_pvrom->guest, own);
	for (i = 0; i < ARRAY_SIZE(kept_msr); i++)
		if (value[i] & KVM_MSR_ENABLED)
			wrmsrl_safe(kept_msr[i], value[i]);
	return status;
}

/* On the CPU itself. kmalloc aligns a power of two to itself. A CPU without an area runs all the same. */
static int come(unsigned int cpu)
{
	struct pvrom_vcpu_area *own = kzalloc(sizeof(*own), GFP_KERNEL);
	uint32_t status;

	if (!own)
		return -ENOMEM;
	status = register_area(own);
	if (status == PVROM_STATUS_OK) {
		per_cpu(area, cpu) = own;
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
	per_cpu(area, cpu) = NULL;
	status = register_area(NULL);
	if (status == PVROM_STATUS_OK)
		kfree(own);
	else
		pr_warn("CPU %u: area not released: %s\n", cpu, pvrom_status_words(status));
	return 0;
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
