/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the host offers, what it withholds, and why, in the kernel's log: the lines of pvrom-probe, by its own core. And
 * /sys/kernel/pvrom/evidence: what this kernel asked the host and what it answered, as lines of a recording, for the
 * command, which cannot ask.
 */
#include "linux_module.h"

#include <linux/delay.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include <asm/processor.h>

#include <pvrom/feature_probe.h>
#include <pvrom/kernel_api.h>

/* ---- trials ---- */

/* Works: it goes on. */
static void try_clock(struct pvrom_probe_evidence *evidence)
{
	struct pvrom_clock_reading first = { 0 }, second = { 0 };

	if (!linux_clock_is_kept())
		return;
	linux_clock_read(&first);
	udelay(10);
	linux_clock_read(&second);
	evidence->tried |= PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
	if (first.monotonic_ns != PVROM_CLOCK_NONE && second.monotonic_ns > first.monotonic_ns)
		evidence->worked |= PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
}

/* ---- evidence, all of it that this module has ---- */

static void ask_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	cpuid_count(leaf, subleaf, &regs[0], &regs[1], &regs[2], &regs[3]);
}

static void take_answers(struct pvrom_probe_evidence *evidence)
{
	const struct pvrom_guest *guest = &linux_pvrom->guest;

	evidence->look = PVROM_PROBE_LOOKED;
	evidence->port_answers = guest->verdict == PVROM_VERDICT_READY;
	evidence->rom_route = guest->route;
	evidence->has_offer = true;
	evidence->offer = guest->offer;
	evidence->has_wants = true;
	evidence->wanted = linux_pvrom->policy.wanted;
	evidence->required = linux_pvrom->policy.required;
	try_clock(evidence);
}

static void line(void *unused, const char *text)
{
	pr_info("probe: %s\n", text);
}

/* The ROM as it stands there, copied before it is judged: its host may write to it at any time. NULL: not to be had. */
static uint8_t *copy_rom(const struct pvrom_guest *guest)
{
	const void *rom = pvrom_os_map(NULL, guest->rom_gpa, guest->rom_size);
	uint8_t *copy = rom ? kvmalloc(guest->rom_size, GFP_KERNEL) : NULL;

	if (copy)
		memcpy(copy, rom, guest->rom_size);
	if (rom)
		pvrom_os_unmap(NULL, rom, guest->rom_size);
	return copy;
}

static void say(struct pvrom_probe_evidence *evidence)
{
	struct pvrom_probe_verdict verdict;

	pvrom_probe_take_cpuid(evidence, ask_cpuid);
	if (boot_cpu_has(X86_FEATURE_VMX))
		pvrom_probe_add_fact(evidence, "vmx.ept",
				     boot_cpu_has(X86_FEATURE_EPT) ? "yes" : "no");
	take_answers(evidence);
	evidence->rom = copy_rom(&linux_pvrom->guest);
	evidence->rom_size = evidence->rom ? linux_pvrom->guest.rom_size : 0;
	pvrom_probe_judge(evidence, &verdict);
	pvrom_probe_report(&verdict, line, NULL);
	kvfree(evidence->rom);
}

/*
 * A moment after loading, for it asks CPUID some hundred times, each of which may leave the machine, and nobody waits
 * for its lines. Not across a suspend, whose way back changes all this without the lock.
 */
static void say_later(struct work_struct *unused)
{
	struct pvrom_probe_evidence *evidence = kvzalloc(sizeof(*evidence), GFP_KERNEL);

	if (!evidence)
		return;
	mutex_lock(&linux_pvrom->lock);
	say(evidence);
	mutex_unlock(&linux_pvrom->lock);
	kvfree(evidence);
}

static DECLARE_DELAYED_WORK(say_work, say_later);

/* ---- the file ---- */

static ssize_t emit(char *out, const struct pvrom_offer *offer)
{
	ssize_t size = sysfs_emit(out, "offer %04llx %04llx %04llx %04llx %04llx %04x %010llx\n",
				  offer->epoch, offer->can, offer->advised, offer->hardware,
				  offer->offered, offer->vcpus, offer->tsc_hz);
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (!(offer->offered >> i & 1))
			size += sysfs_emit_at(out, size, "reason %s %u\n", pvrom_feature_name(i),
					      offer->reason[i]);
	return size + sysfs_emit_at(out, size, "wants %04llx %04llx\n", linux_pvrom->policy.wanted,
				    linux_pvrom->policy.required);
}

static ssize_t evidence_show(struct kobject *kobject, struct kobj_attribute *attribute, char *out)
{
	ssize_t size;

	mutex_lock(&linux_pvrom->lock);
	size = emit(out, &linux_pvrom->guest.offer);
	mutex_unlock(&linux_pvrom->lock);
	return size;
}

static struct kobj_attribute evidence_file = __ATTR_RO(evidence);

/* ---- start and stop ---- */

int linux_probe_start(void)
{
	int status = sysfs_create_file(linux_sysfs_folder(), &evidence_file.attr);

	if (!status)
		queue_delayed_work(system_freezable_wq, &say_work, HZ / 10);
	return status;
}

void linux_probe_stop(void)
{
	cancel_delayed_work_sync(&say_work);
	sysfs_remove_file(linux_sysfs_folder(), &evidence_file.attr);
}
