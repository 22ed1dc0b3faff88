/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The first stack of each CPU, STACK_SIZE bytes of which the lowest page is not mapped in the kernel's own tables. What
 * needs more room than there is faults, has no room for the frame of that fault either, and so ends in a double
 * fault, which has a stack of its own and says what it was. No function has so large a frame that it could step over
 * that page: mk/kernel.mk asks the compiler.
 */
#ifndef KERNEL_STACKS_H
#define KERNEL_STACKS_H

#include "lib.h"

/* The top of CPU INDEX's stack; that of CPU 0, at boot, is in boot.S. */
uint64_t stacks_top(uint32_t index);
/* Whether VA is in the page below a stack. */
bool stacks_is_guard(uint64_t va);
/* Test builds, with overflow=CPU on the command line: that CPU calls itself without end. Others: nothing. */
void stacks_overflow(void);

#endif
