/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Tells whether /dev/kvm runs guests as a CPU would: exit status 0 if it does, 1 if not; TAP on
 * standard output.  A test that ran on one that does not would fail for reasons that are not its own.
 */
#include "kvm_trial.h"

#include <stdio.h>
#include <unistd.h>

static int number;

static int report(int (*trial)(char *message), const char *name)
{
	char message[KVM_TRIAL_MESSAGE] = "";
	int bad = trial(message);

	printf("%sok %d - %s\n", bad ? "not " : "", ++number, name);
	if (bad)
		printf("# %s\n", message);
	fflush(stdout);
	return bad != 0;
}

/* Of no interest, and long, where the instructions already do not do. */
static int not_tried(char *message)
{
	snprintf(message, KVM_TRIAL_MESSAGE, "not tried");
	return -1;
}

int main(void)
{
	int failed;

	/* A KVM that hangs must not hang us: the default action ends the process. */
	alarm(60);
	puts("1..3");
	failed = report(kvm_trial_real_mode, "real mode");
	failed += report(kvm_trial_long_mode, "64-bit mode with privileged instructions");
	failed += report(failed ? not_tried : kvm_trial_speed,
			 "speed of a CPU, not of an interpreter");
	return failed != 0;
}
