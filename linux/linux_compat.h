/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What differs between the Linux versions that the module is compiled for (5.10, 6.1, 6.12), and nothing else.
 */
#ifndef LINUX_COMPAT_H
#define LINUX_COMPAT_H

#include <linux/clocksource.h>
#include <linux/timekeeping.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic_notifier.h>
#else
#include <linux/kernel.h>
#endif

/*
 * One instant for Linux's cross time stamps, on a counter that it knows. Since 6.9 a counter goes by a number,
 * which a module's clocksource cannot have: there it is the TSC, and that works while Linux itself uses it.
 */
static inline struct system_counterval_t linux_counter(u64 tsc, u64 ours,
						       struct clocksource *source)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return (struct system_counterval_t){ .cycles = tsc, .cs_id = CSID_X86_TSC };
#else
	return (struct system_counterval_t){ .cycles = ours, .cs = source };
#endif
}

/* The queues that a virtio driver wants: the parameters of find_vqs(), and what they say of queue i. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define LINUX_WISHES struct virtqueue_info wishes[]
#define LINUX_WISHED_NAME(i) wishes[i].name
#define LINUX_WISHED_CALLBACK(i) wishes[i].callback
#define LINUX_WISHED_CONTEXT(i) wishes[i].ctx
#else
#define LINUX_WISHES vq_callback_t *callbacks[], const char *const names[], const bool *contexts
#define LINUX_WISHED_NAME(i) names[i]
#define LINUX_WISHED_CALLBACK(i) callbacks[i]
#define LINUX_WISHED_CONTEXT(i) (contexts && contexts[i])
#endif

static inline void linux_set_longest(struct virtqueue *vq, unsigned int length)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 0, 0)
	vq->num_max = length;
#endif
}

#endif
