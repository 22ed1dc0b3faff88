/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the probe's core says of this machine. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

/* After the negotiation, with the clock running: prints "# probe:" lines if "probe" is on the command line. */
void kernel_probe_print(void);

#endif
