/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the processes of the work load do in user mode: they touch pages. */
#include "kernel_rom.h"
#include "load.h"
#include "user.h"

/* RDI first address, RSI pages, RDX bytes from one to the next, RCX key; RAX counts what is wrong. */
USER_CODE(load_code_write, "1: mov %rdi, %rax\n"
			   "xor %rcx, %rax\n"
			   "mov %rax, (%rdi)\n"
			   "add %rdx, %rdi\n"
			   "dec %rsi\n"
			   "jnz 1b");
USER_CODE(load_code_read, "xor %eax, %eax\n"
			  "1: mov (%rdi), %r8\n"
			  "xor %rdi, %r8\n"
			  "cmp %rcx, %r8\n"
			  "je 2f\n"
			  "inc %rax\n"
			  "2: add %rdx, %rdi\n"
			  "dec %rsi\n"
			  "jnz 1b");
USER_CODE(load_code_read_zero, "xor %eax, %eax\n"
			       "1: cmpq $0, (%rdi)\n"
			       "je 2f\n"
			       "inc %rax\n"
			       "2: add %rdx, %rdi\n"
			       "dec %rsi\n"
			       "jnz 1b");

/* Anything but the end of the code counts as one more wrong page than there are. */
static uint64_t run(const char *code, uint64_t start, uint64_t pages, uint64_t step, uint64_t key)
{
	struct user_run user;

	/* A host may change at any time; one CPU looks for it. */
	if (!this_cpu()->index)
		kernel_rom_poll();
	user_prepare(&user, code, start, pages, step * PAGE_SIZE);
	user.frame.rcx = key;
	return user_go(&user) == VECTOR_USER_EXIT ? user.frame.rax : pages + 1;
}

void load_user_write(uint64_t start, uint64_t pages, uint64_t step, uint64_t key)
{
	run(load_code_write, start, pages, step, key);
}

uint64_t load_user_read(uint64_t start, uint64_t pages, uint64_t step, uint64_t key)
{
	return run(load_code_read, start, pages, step, key);
}

uint64_t load_user_read_zero(uint64_t start, uint64_t pages, uint64_t step)
{
	return run(load_code_read_zero, start, pages, step, 0);
}
