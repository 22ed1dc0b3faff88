/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What every file of pvrun may use: sizes, its exit statuses, how it complains. */
#ifndef PVRUN_BASICS_H
#define PVRUN_BASICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* pvrun's own exit statuses; any other value is the guest's. */
#define EXIT_POWEROFF 0	      /* clean power-off, or left by ctrl-a x */
#define EXIT_USAGE 2	      /* the command line is wrong */
#define EXIT_CRASHED 124      /* triple fault, or an internal error of KVM */
#define EXIT_CANNOT_RUN 125   /* no KVM, no memory, unreadable file ... */
#define EXIT_NOT_A_KERNEL 126 /* the file is there and is not a kernel */

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define PAGE_SIZE 4096u

static inline uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* On the way of every exit: the linker puts these functions side by side. */
#define HOT __attribute__((hot))

/* message.c */
_Noreturn void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
