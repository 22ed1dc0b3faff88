/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What there is to know, under /sys/kernel/pvrom: one file a fact, in the words of the tables of abi/.
 */
#include "linux_module.h"

#include <linux/cpumask.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static struct kobject *folder;

/* Each file's text is made with nobody negotiating. */
#define SHOW(name)                                                                                 \
	static ssize_t name##_emit(char *out);                                                     \
	static ssize_t name##_show(struct kobject *kobject, struct kobj_attribute *attribute,      \
				   char *out)                                                      \
	{                                                                                          \
		ssize_t size;                                                                      \
                                                                                                   \
		mutex_lock(&linux_pvrom->lock);                                                    \
		size = name##_emit(out);                                                           \
		mutex_unlock(&linux_pvrom->lock);                                                  \
		return size;                                                                       \
	}                                                                                          \
	static struct kobj_attribute name##_file = __ATTR_RO(name);                                \
	static ssize_t name##_emit(char *out)

static const struct pvrom_guest *guest(void)
{
	return &linux_pvrom->guest;
}

/* Of the ROM, and of the host behind it. */
SHOW(version)
{
	return sysfs_emit(out, "%u.%u %u.%u\n", guest()->rom_major, guest()->rom_minor,
			  guest()->offer.major, guest()->offer.minor);
}

SHOW(verdict)
{
	return sysfs_emit(out, "%s\n", pvrom_verdict_words(guest()->verdict));
}

SHOW(route)
{
	return sysfs_emit(out, "%s\n", pvrom_route_words(guest()->route));
}

SHOW(digest)
{
	return sysfs_emit(out, "%*phN\n", PVROM_DIGEST_SIZE, guest()->digest);
}

SHOW(epoch)
{
	return sysfs_emit(out, "%llu\n", guest()->epoch);
}

static ssize_t emit_set(char *out, uint64_t set)
{
	ssize_t size = 0;
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (set >> i & 1)
			size += sysfs_emit_at(out, size, "%s%s", size ? " " : "",
					      pvrom_feature_name(i));
	return size + sysfs_emit_at(out, size, "\n");
}

SHOW(offered)
{
	return emit_set(out, guest()->offer.offered);
}

SHOW(granted)
{
	return emit_set(out, guest()->granted);
}

/* A line for each feature that is not offered. */
SHOW(reasons)
{
	ssize_t size = 0;
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (guest()->offer.reason[i] != PVROM_REASON_NONE)
			size += sysfs_emit_at(out, size, "%s: %s\n", pvrom_feature_name(i),
					      pvrom_reason_words(guest()->offer.reason[i]));
	return size;
}

/* A line for each CPU of which the host keeps the times. */
SHOW(stolen_ns)
{
	struct pvrom_clock_vcpu_reading reading;
	ssize_t size = 0;
	unsigned int cpu;

	for_each_present_cpu(cpu) if (linux_cpus_read(cpu, &reading)) size +=
		sysfs_emit_at(out, size, "%u %llu\n", cpu, reading.stolen_ns);
	return size;
}

static void add_calls(struct pvrom_clock_vcpu_calls *sum, const struct pvrom_clock_vcpu_calls *its)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sum->made); i++)
		sum->made[i] += its->made[i];
}

/* Each call by itself, of all CPUs, as the host counts them. */
SHOW(calls)
{
	struct pvrom_clock_vcpu_calls *sum = kcalloc(2, sizeof(*sum), GFP_KERNEL);
	unsigned int cpu;
	ssize_t size;

	if (!sum)
		return -ENOMEM;
	for_each_present_cpu(cpu) if (linux_cpus_calls(cpu, &sum[1])) add_calls(&sum[0], &sum[1]);
	size = linux_calls_emit(out, sum);
	kfree(sum);
	return size;
}

/* Each call by itself, as this Linux has made it since the module was loaded. */
SHOW(calls_made)
{
	return linux_calls_emit(out, NULL);
}

/* Of the clock page: how true its time of day is, in the host's words' number, and the greatest error. */
SHOW(clock)
{
	static const char *const words[] = { "unknown",	     "initializing", "synchronized",
					     "free-running", "unreliable",   "unavailable" };
	struct pvrom_clock_reading reading = { 0 };
	uint32_t status = linux_clock_is_kept() ? linux_clock_read(&reading)
						: (uint32_t)PVROM_CLOCK_UNAVAILABLE;

	return sysfs_emit(out, "%s\n", words[min_t(uint32_t, status, ARRAY_SIZE(words) - 1)]);
}

static const struct attribute *const files[] = {
	&version_file.attr,
	&verdict_file.attr,
	&route_file.attr,
	&digest_file.attr,
	&epoch_file.attr,
	&offered_file.attr,
	&granted_file.attr,
	&reasons_file.attr,
	&clock_file.attr,
	&calls_file.attr,
	&calls_made_file.attr,
	&stolen_ns_file.attr,
	NULL,
};

int linux_sysfs_start(void)
{
	int status;

	folder = kobject_create_and_add("pvrom", kernel_kobj);
	if (!folder)
		return -ENOMEM;
	status = sysfs_create_files(folder, (const struct attribute *const *)files);
	if (status)
		linux_sysfs_stop();
	return status;
}

struct kobject *linux_sysfs_folder(void)
{
	return folder;
}

/* Returns when nobody reads any more. */
void linux_sysfs_stop(void)
{
	kobject_put(folder);
	folder = NULL;
}
