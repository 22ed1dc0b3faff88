/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How Linux ends: all is given back before a reboot, a power-off or the next kernel of kexec; the machine is then
 * ended by the host's own call; and of a panic the host is told the message.
 */
#include "linux_module.h"

#include "linux_compat.h"

#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/syscore_ops.h>

static bool shutdown = true;
module_param(shutdown, bool, 0644);
MODULE_PARM_DESC(shutdown, "end the machine by the host's call, not by firmware's ways");

static bool crash;
module_param(crash, bool, 0644);
MODULE_PARM_DESC(crash, "a panic ends the machine, as a crash, unless a crash kernel is loaded");

/* ---- reboot, power-off, kexec ---- */

#define NOT_ENDING (-1)
static int ending = NOT_ENDING; /* PVROM_SHUTDOWN_x */

/* kernel_kexec() says so, and in no other way that a module can see: a restart would lose the next kernel. */
static bool is_kexec(const char *command)
{
	return command && !strcmp(command, "kexec reboot");
}

/*
 * The next kernel of kexec has this memory soon, which must not be written to then. For an end of the machine it is
 * early: disks of ours are still in use.
 */
static int leave(struct notifier_block *block, unsigned long action, void *command)
{
	if (action == SYS_RESTART && is_kexec(command))
		linux_leave();
	else if (action == SYS_RESTART)
		ending = PVROM_SHUTDOWN_RESTART;
	else if (action == SYS_POWER_OFF)
		ending = PVROM_SHUTDOWN_OFF;
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = leave, .priority = INT_MIN };

/* Devices are shut down by now. Where the host refuses, Linux goes on in its own way. */
static void end(void)
{
	if (ending == NOT_ENDING)
		return;
	linux_leave();
	if (!shutdown)
		return;
	pr_emerg("%s by the host\n", ending == PVROM_SHUTDOWN_OFF ? "power off" : "restart");
	pvrom_call(&linux_pvrom->guest, PVROM_BASE_SHUTDOWN, ending, 0, 0, 0, NULL);
}

static struct syscore_ops syscore = { .shutdown = end };

/* ---- panic ---- */

/* Calls are not for NMIs. With a crash kernel Linux comes here only if its administrator wants that. */
static int report(struct notifier_block *block, unsigned long event, void *message)
{
	char *line = linux_pvrom->last_words;
	int size;

	if (in_nmi())
		return NOTIFY_DONE;
	size = scnprintf(line, PVROM_LOG_MAX, "panic: %s", (const char *)message);
	pvrom_call(&linux_pvrom->guest, PVROM_BASE_LOG, virt_to_phys(line), size, 0, 0, NULL);
	if (crash && !kexec_crash_loaded())
		pvrom_call(&linux_pvrom->guest, PVROM_BASE_SHUTDOWN, PVROM_SHUTDOWN_CRASH, 0, 0, 0,
			   NULL);
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = { .notifier_call = report, .priority = INT_MIN };

/* ---- */

int linux_life_start(void)
{
	register_reboot_notifier(&reboot_block);
	register_syscore_ops(&syscore);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	return 0;
}

void linux_life_stop(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_syscore_ops(&syscore);
	unregister_reboot_notifier(&reboot_block);
}
