/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Interrupts at every memory access. What is compiled for ThreadSanitizer calls a function before each of its
 * accesses; here these functions are our own, and in place of a race detector stands an interrupt.
 */
#ifndef TESTS_MMU_POINTS_H
#define TESTS_MMU_POINTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Runs op, and before its number-th access, as an interrupt would, hook; accesses of the host and of hook do not
 * count. False if op had fewer.
 */
bool points_run(void (*op)(void), uint32_t number, void (*hook)(void));

#endif
