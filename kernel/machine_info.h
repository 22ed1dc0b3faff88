/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the machine is, as diagnostic lines for people and for the test drivers. */
#ifndef KERNEL_MACHINE_INFO_H
#define KERNEL_MACHINE_INFO_H

/* "# machine: ..." lines: CPU, number of CPUs, how the loader entered, hypervisor, memory, clock. */
void machine_info_print(void);

#endif
