/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* pvrun: runs one kernel in a virtual machine on KVM, with pvrom beside it. */
#include "monitor.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
	struct options opt;
	struct stats stats = { 0 };
	enum machine_end end;
	int kvm, status;

	options_parse(&opt, argc, argv);
	kvm = kvm_open();
	vcpu_signals();
	saved_machine_signals(&opt);
	terminal_start();
	do {
		end = machine_run(&opt, kvm, &stats, &status);
		opt.load = NULL;
		/* A machine that was loaded has no kernel to be started anew with. */
	} while (end == RESET && !opt.no_reboot && opt.kernel != NULL);
	stats_report(&opt, &stats);
	return status;
}
