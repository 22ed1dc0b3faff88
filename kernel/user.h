/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Runs snippets of code in user mode and tells how they ended. */
#ifndef KERNEL_USER_H
#define KERNEL_USER_H

#include "traps.h"

/* Where user_init() puts the .user section and one page of data and stack. */
#define USER_TEXT 0x0000400000000000ull
#define USER_DATA 0x0000400000100000ull
#define USER_DATA_BYTES 0x4000ull
#define USER_STACK_TOP (USER_DATA + USER_DATA_BYTES)

/*
 * Defines user code: USER_CODE(name, "assembly lines"). It is position-independent,
 * has its arguments in RDI, RSI, RDX, and ends with int $0x80, SYSCALL or a fault.
 */
#define USER_CODE(name, text)                                                                      \
	extern const char name[];                                                                  \
	__asm__(".pushsection .user,\"a\",@progbits\n"                                             \
		".balign 16\n" #name ":\n" text "\n\tint $0x80\n\tud2\n.popsection")

struct user_run {
	uint64_t kernel_rsp; /* trap_entry.S: offset 0 */
	/* In: where to start; out: where it ended. trap_entry.S: offset 8. */
	struct trap_frame frame;
	uint64_t vector, error, cr2;
	/* On SYSCALL, if not NULL: true resumes the user by SYSRET, false ends the run. */
	bool (*on_syscall)(struct user_run *run, struct trap_frame *frame);
	struct user_run *outer;
	uint64_t outer_kernel_rsp;
	uint64_t kernel_flags;
};

/* Maps the user pages; once. */
void user_init(void);
/* The user address of code made with USER_CODE. */
uint64_t user_address(const char *code);
/* The kernel's pointer to a byte of the user data pages. */
void *user_alias(uint64_t va);
/* The usual start: CODE on the user stack with three arguments, interrupts on, IOPL 0. */
void user_prepare(struct user_run *run, const char *code, uint64_t a, uint64_t b, uint64_t c);
/* Enters user mode on this CPU; returns the vector that ended it, also in run->vector. */
uint64_t user_go(struct user_run *run);
/* user_prepare() and user_go(). */
uint64_t user_call(struct user_run *run, const char *code, uint64_t a, uint64_t b, uint64_t c);

/* For trap_dispatch(): a trap came from user mode. True: go back by SYSRET. */
bool user_leave(struct cpu *cpu, struct trap_frame *frame);

#endif
