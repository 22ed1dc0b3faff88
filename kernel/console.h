/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Text to COM1, at once; the debug-exit port; and the end of the world. */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "lib.h"

/* Values for the debug-exit port: the machine's exit status is (value << 1) | 1. */
#define EXIT_PASSED 0x00
#define EXIT_FAILED 0x01
#define EXIT_PANIC 0x02

void console_init(void);
void console_write(const char *text, size_t length);
/* Lines up to 512 characters. Any context but NMI and #MC. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "Bail out! ..." (TAP) and leaves with EXIT_PANIC. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Leaves by the debug-exit port; where there is none, stops for good. */
void machine_exit(uint8_t value) __attribute__((noreturn));

#endif
