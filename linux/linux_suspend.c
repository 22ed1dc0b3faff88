/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Suspend to memory and to disk. The other CPUs' areas go and come with the CPUs; this is for the one that goes on
 * alone, with interrupts off: it gives back its area and the clock page, which are memory that a hibernated Linux
 * saves, and on the way back negotiates anew, maybe with another host.
 */
#include "linux_module.h"

#include <linux/syscore_ops.h>

/* A host that does not let go would write into the saved memory: then Linux stays awake. */
static int suspend(void)
{
	int status = linux_clock_suspend();

	if (!status)
		status = linux_cpus_suspend();
	if (status)
		linux_clock_resume();
	return status;
}

/*
 * The shim's lock is not taken: nothing else runs, and who could hold it was frozen outside of it. A ROM that is not
 * the one of before cannot be read here (linux_os.c): then the set is empty until the devices come back (linux_bus.c), or
 * the work looks again.
 */
static void resume(void)
{
	linux_cpus_resume();
	linux_pvrom->again = pvrom_guest_renegotiate(&linux_pvrom->guest) != PVROM_VERDICT_READY;
	linux_clock_resume();
}

static struct syscore_ops syscore = { .suspend = suspend, .resume = resume };

int linux_suspend_start(void)
{
	register_syscore_ops(&syscore);
	return 0;
}

void linux_suspend_stop(void)
{
	unregister_syscore_ops(&syscore);
}
