/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Stolen time for Linux's scheduler and for /proc/stat, in a Linux with the patches of linux/patches: others let no module
 * give it, and there it stands in sysfs alone.
 */
#include "linux_module.h"

#include <linux/rcupdate.h>

#ifdef CONFIG_PARAVIRT
#include <asm/paravirt.h>
#endif

#ifdef paravirt_set_steal_clock
static bool given;

/* Where Linux has the time from the hypervisor by another way, that one stays. */
int linux_steal_start(void)
{
	given = !paravirt_set_steal_clock(linux_cpus_stolen);
	pr_info("stolen time: %s\n", given ? "told to the scheduler" : "the scheduler has another");
	return 0;
}

void linux_steal_stop(void)
{
	if (given)
		paravirt_set_steal_clock(NULL);
	given = false;
}

/* Also while the clock is just being given, or taken back. */
void linux_steal_wait(void)
{
	synchronize_rcu();
}
#else
int linux_steal_start(void)
{
	return 0;
}

void linux_steal_stop(void)
{
}

void linux_steal_wait(void)
{
}
#endif
