/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What differs between the Linux versions that the module is compiled for (5.10, 6.1, 6.12), and nothing else.
 */
#ifndef LINUX_COMPAT_H
#define LINUX_COMPAT_H

#include <linux/clocksource.h>
#include <linux/timekeeping.h>
#include <linux/version.h>

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

#endif
