/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* pvrun: runs one kernel in a virtual machine on KVM, with pvrom beside it. */
#include "kvm_device.h"
#include "machine_sleep.h"
#include "pc_devices.h"
#include "run_vcpu.h"
#include "saved_machine.h"
#include "stats_report.h"

#include <stdlib.h>

/* Whether there is another life. A machine that was loaded has no kernel to be started anew with. */
static bool goes_on(const struct options *opt, enum machine_end end, struct asleep *memory)
{
	if (end == SLEPT)
		end = machine_sleep_wait(opt, memory);
	return end == SLEPT || (end == RESET && !opt->no_reboot && opt->kernel != NULL);
}

int main(int argc, char **argv)
{
	struct options opt;
	struct stats stats = { 0 };
	struct asleep memory = { 0 };
	enum machine_end end;
	int kvm, status;

	options_parse(&opt, argc, argv);
	kvm = kvm_open();
	vcpu_signals();
	saved_machine_signals(&opt);
	machine_sleep_signals(&opt);
	terminal_start();
	do {
		end = machine_run(&opt, kvm, &stats, &memory, &status);
		opt.load = NULL;
	} while (goes_on(&opt, end, &memory));
	stats_report(&opt, &stats);
	return status;
}
