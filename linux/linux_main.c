/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Linux as a guest of pvrom: finds the ROM, negotiates, and takes what a module can use after the boot. It patches
 * nothing in Linux and runs no code of the ROM's. Where there is no ROM it is not loaded: ENODEV.
 */
#include "linux_module.h"

#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

MODULE_DESCRIPTION("Guest of pvrom: clock, stolen time, virtio devices");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION("0.1");

static unsigned long rom;
module_param(rom, ulong, 0444);
MODULE_PARM_DESC(rom, "physical address where a boot loader put a ROM");

struct linux_pvrom *linux_pvrom;

/* ---- what is agreed with the host ---- */

static void fill_in(struct pvrom_policy *policy)
{
	policy->wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK) | LINUX_BUS_FEATURES;
	policy->flags = PVROM_POLICY_DATA_ONLY;
	policy->loader_gpa = rom;
}

static int negotiate(void)
{
	struct pvrom_guest *guest;
	uint32_t verdict;

	linux_pvrom = kzalloc(sizeof(*linux_pvrom), GFP_KERNEL);
	if (!linux_pvrom)
		return -ENOMEM;
	mutex_init(&linux_pvrom->lock);
	guest = &linux_pvrom->guest;
	fill_in(&linux_pvrom->policy);
	pvrom_guest_init(guest, &linux_pvrom->policy, NULL);
	verdict = pvrom_guest_start(guest, NULL, 0);
	linux_rom_close();
	if (verdict == PVROM_VERDICT_READY)
		return 0;
	pr_info("Linux runs without it: %s\n", pvrom_verdict_words(verdict));
	kfree(linux_pvrom);
	return -ENODEV;
}

/*
 * RESET is for the last CPU that runs. Where there are others the empty set is sealed, which gives back as much
 * once areas and page are released.
 */
static void give_back(void)
{
	mutex_lock(&linux_pvrom->lock);
	if (pvrom_guest_stop(&linux_pvrom->guest, 0) != PVROM_STATUS_OK) {
		linux_pvrom->policy.wanted = 0;
		pvrom_guest_renegotiate(&linux_pvrom->guest);
	}
	mutex_unlock(&linux_pvrom->lock);
}

/* ---- the epoch ---- */

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);

/* Once a second: there is no vector that a module may give to a host. Not while Linux is suspended. */
static void look_soon(void)
{
	queue_delayed_work(system_freezable_wq, &look_work, HZ);
}

void linux_look(void)
{
	uint32_t verdict;

	mutex_lock(&linux_pvrom->lock);
	if (linux_cpus_epoch_moved() || linux_pvrom->again) {
		linux_pvrom->again = false;
		verdict = pvrom_guest_renegotiate(&linux_pvrom->guest);
		pr_info("epoch %llu: %s\n", linux_pvrom->guest.epoch, pvrom_verdict_words(verdict));
		linux_bus_settle();
	}
	linux_clock_settle();
	mutex_unlock(&linux_pvrom->lock);
}

static void look(struct work_struct *work)
{
	linux_look();
	look_soon();
}

/* ---- for ever, though the module stays ---- */

void linux_leave(void)
{
	cancel_delayed_work_sync(&look_work);
	/* sysfs is still read: what keeps CPUs from going does not keep areas from it. */
	mutex_lock(&linux_pvrom->lock);
	linux_clock_release();
	linux_steal_stop();
	linux_cpus_stop();
	mutex_unlock(&linux_pvrom->lock);
	give_back();
}

/* ---- all together ---- */

/* What a step began is ended in the other direction if a later one fails. */
static const struct step {
	int (*start)(void);
	void (*stop)(void);
} steps[] = {
	{ linux_cpus_start, linux_cpus_stop },	     { linux_clock_start, linux_clock_stop },
	{ linux_steal_start, linux_steal_stop },     { linux_ptp_start, linux_ptp_stop },
	{ linux_sysfs_start, linux_sysfs_stop },     { linux_probe_start, linux_probe_stop },
	{ linux_bus_start, linux_bus_stop },	     { linux_life_start, linux_life_stop },
	{ linux_suspend_start, linux_suspend_stop },
};

static void stop_steps(size_t count)
{
	while (count)
		steps[--count].stop();
	give_back();
	kfree(linux_pvrom);
}

static int __init load(void)
{
	size_t done;
	int status = negotiate();

	if (status)
		return status;
	for (done = 0; done < ARRAY_SIZE(steps); done++) {
		status = steps[done].start();
		if (status) {
			stop_steps(done);
			return status;
		}
	}
	look_soon();
	return 0;
}
module_init(load);

static void __exit unload(void)
{
	cancel_delayed_work_sync(&look_work);
	stop_steps(ARRAY_SIZE(steps));
}
module_exit(unload);
