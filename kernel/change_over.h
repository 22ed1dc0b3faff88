/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Changes of the machine under this kernel, as hypervisor/ makes them when it is asked. */
#ifndef KERNEL_CHANGE_OVER_H
#define KERNEL_CHANGE_OVER_H

#include <stdbool.h>

/* "changes=N" is on the command line. */
bool change_over_wanted(void);
/* N changes, with CPUs in all states; then RESETs and reloads in the middle of them. Prints TAP; false: one failed. */
bool change_over_run(void);

#endif
