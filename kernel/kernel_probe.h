/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the probe's core says of this machine. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

/*
 * After the negotiation, with clock and devices running: prints "# probe:" lines, unless "probe=off" is on the command
 * line; with "probe" on it, tries what was granted first.
 */
void kernel_probe_print(void);

#endif
