/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Trials of what the host has granted. */
#ifndef KERNEL_TRIALS_H
#define KERNEL_TRIALS_H

#include <pvrom/feature_probe.h>

/* On CPU 0, when everything runs, interrupts on: fills in evidence->tried and evidence->worked. */
void kernel_trials(struct pvrom_probe_evidence *evidence);

#endif
