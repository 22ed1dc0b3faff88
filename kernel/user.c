/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* User mode: its pages, the way in, and what ends a run. */
#include "user.h"

#include "console.h"
#include "cpu.h"
#include "paging.h"

_Static_assert(offsetof(struct user_run, frame) == 8, "USER_FRAME in trap_entry.S");

extern const char user_text_start[], user_text_end[];
extern char user_landing[];
void user_enter(struct user_run *run);
void user_enter_prepare(struct user_run *run);

static char *user_text, *user_data;

void user_init(void)
{
	uint64_t bytes = (uint64_t)(user_text_end - user_text_start);
	uint64_t pages = ALIGN_UP(bytes, PAGE_SIZE) / PAGE_SIZE;

	user_text = memory_pages(pages ? pages : 1, PAGE_SIZE);
	memcpy(user_text, user_text_start, bytes);
	for (uint64_t i = 0; i < pages; i++)
		paging_map(paging_root, USER_TEXT + i * PAGE_SIZE,
			   (uint64_t)user_text + i * PAGE_SIZE, PTE_P | PTE_U | PTE_A, 1);
	user_data = memory_pages(USER_DATA_BYTES / PAGE_SIZE, PAGE_SIZE);
	for (uint64_t at = 0; at < USER_DATA_BYTES; at += PAGE_SIZE)
		paging_map(paging_root, USER_DATA + at, (uint64_t)user_data + at,
			   PTE_P | PTE_W | PTE_U | PTE_NX | PTE_A | PTE_D, 1);
}

uint64_t user_address(const char *code)
{
	return USER_TEXT + (uint64_t)(code - user_text_start);
}

void *user_alias(uint64_t va)
{
	return user_data + (va - USER_DATA);
}

void user_prepare(struct user_run *run, const char *code, uint64_t a, uint64_t b, uint64_t c)
{
	*run = (struct user_run){ .frame = { .rdi = a,
					     .rsi = b,
					     .rdx = c,
					     .rip = user_address(code),
					     .cs = SEL_UCODE | 3,
					     .rflags = FLAG_IF | 2,
					     .rsp = USER_STACK_TOP - 64,
					     .ss = SEL_UDATA | 3 } };
}

/* Traps from user mode build their frames right below the caller of user_enter(). */
void user_enter_prepare(struct user_run *run)
{
	struct cpu *cpu = this_cpu();

	run->outer = cpu->user;
	run->outer_kernel_rsp = cpu->kernel_rsp;
	cpu->user = run;
	/* The frame that trap_return is about to consume lies there too: it is read before a trap. */
	cpu->kernel_rsp = ALIGN_DOWN(run->kernel_rsp, 16);
	cpu->tss.rsp[0] = cpu->kernel_rsp;
}

uint64_t user_go(struct user_run *run)
{
	run->kernel_flags = cpu_save_flags_cli();
	user_enter(run);
	cpu_restore_flags(run->kernel_flags);
	return run->vector;
}

uint64_t user_call(struct user_run *run, const char *code, uint64_t a, uint64_t b, uint64_t c)
{
	user_prepare(run, code, a, b, c);
	return user_go(run);
}

bool user_leave(struct cpu *cpu, struct trap_frame *frame)
{
	struct user_run *run = cpu->user;

	if (!run)
		panic("a trap from user mode, which nobody entered");
	if (frame->vector == TRAP_SYSCALL && run->on_syscall && run->on_syscall(run, frame))
		return true;
	run->vector = frame->vector;
	run->error = frame->error;
	run->cr2 = cpu_read_cr2();
	run->frame = *frame;
	cpu->user = run->outer;
	cpu->kernel_rsp = run->outer_kernel_rsp;
	cpu->tss.rsp[0] = cpu->kernel_rsp;
	frame->rip = (uint64_t)user_landing;
	frame->cs = SEL_KCODE;
	frame->ss = SEL_KDATA;
	frame->rsp = run->kernel_rsp;
	frame->rflags = 2;
	return false;
}
