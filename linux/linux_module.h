/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the module know of each other, under the names of the files.
 */
#ifndef LINUX_MODULE_H
#define LINUX_MODULE_H

#define pr_fmt(format) "pvrom: " format

#include <linux/mutex.h>
#include <linux/types.h>

#include <pvrom/guest.h>

#include <pvrom/clock_guest.h>

/*
 * The shim's state, and what it was told. In one piece of kmalloc's memory, for host and guest share parts of
 * it by their physical address, which a module's own variables need not have in one piece.
 */
struct linux_pvrom {
	struct pvrom_policy policy;
	struct pvrom_guest guest;
	struct mutex lock; /* around all but pvrom_call() and looking at the epoch */
	bool again;	   /* negotiate anew though the epoch has not moved */
	char last_words[PVROM_LOG_MAX];
};
extern struct linux_pvrom *linux_pvrom;

/* linux_main.c: gives all back to the host, for good. */
void linux_leave(void);
/* Negotiates anew if that is due. May sleep. */
void linux_look(void);

/* linux_cpus.c: the vCPU areas, of CPUs that come and go. */
int linux_cpus_start(void);
void linux_cpus_stop(void);
bool linux_cpus_epoch_moved(void);
/* For the last CPU that runs, with interrupts off. 0, or -EBUSY: the host keeps the area. */
int linux_cpus_suspend(void);
void linux_cpus_resume(void);
/* False if the CPU has no area, or the host keeps no times in it. */
bool linux_cpus_read(unsigned int cpu, struct pvrom_clock_vcpu_reading *reading);
bool linux_cpus_calls(unsigned int cpu, struct pvrom_clock_vcpu_calls *calls);

/* The host's number of the CPU that has, or had, an area; -1: not known. Any context. */
int linux_cpus_vcpu(unsigned int cpu);

/* Nanoseconds stolen from the CPU as far as its areas told, never fewer than before. Any context but NMI. */
u64 linux_cpus_stolen(int cpu);

/* linux_steal.c: that, for the scheduler. */
int linux_steal_start(void);
void linux_steal_stop(void);
void linux_steal_wait(void); /* until nobody reads an area any more that no CPU has */

/* linux_clock.c: the clock page and the clocksource. */
int linux_clock_start(void);
void linux_clock_settle(void); /* after each negotiation, and now and then */
void linux_clock_release(
	void); /* the host lets go of the page; the clocksource goes on by the TSC */
void linux_clock_stop(void);
int linux_clock_suspend(void); /* as for the CPUs; back it goes on from where it was */
void linux_clock_resume(void);
bool linux_clock_is_kept(void);
uint32_t linux_clock_read(struct pvrom_clock_reading *reading); /* PVROM_CLOCK_x */
struct clocksource *linux_clock_source(void);
u64 linux_clock_cycles(u64 monotonic_ns); /* as the clocksource says it */

/* linux_ptp.c: the time of day, as a PTP clock. */
int linux_ptp_start(void);
void linux_ptp_stop(void);

/* linux_sysfs.c: /sys/kernel/pvrom. */
int linux_sysfs_start(void);
void linux_sysfs_stop(void);
struct kobject;
struct kobject *linux_sysfs_folder(void);

/* linux_calls.c: a line for each call that was made, for a file of sysfs; as the host has counted, or NULL. */
ssize_t linux_calls_emit(char *out, const struct pvrom_clock_vcpu_calls *host);

/* linux_probe.c: what pvrom-probe would say, in the log; and what it would have to ask, in sysfs. */
int linux_probe_start(void);
void linux_probe_stop(void);

/* linux_bus.c: the device bus, for Linux's virtio drivers; irq because dev depends on it. */
#define LINUX_BUS_FEATURES                                                                         \
	(PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) | PVROM_FEATURE_BIT(PVROM_FEATURE_DEV) |             \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_BLK) | PVROM_FEATURE_BIT(PVROM_FEATURE_NET))
int linux_bus_start(void);
void linux_bus_settle(void); /* after each negotiation */
void linux_bus_stop(void);

/* linux_life.c: reboot, power-off, kexec, panic. */
int linux_life_start(void);
void linux_life_stop(void);

/* linux_suspend.c: suspend to memory and to disk. */
int linux_suspend_start(void);
void linux_suspend_stop(void);

/* linux_rom.c: PCI expansion ROMs, decoded from the first look at them until they are closed. */
const void *linux_rom_at(uint64_t gpa, size_t size); /* NULL: in none of them */
bool linux_rom_has(const void *where);
void linux_rom_close(void);

#endif
