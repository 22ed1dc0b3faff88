/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Exceptions and interrupts: handlers by vector, and a way to provoke a trap and look at it. */
#ifndef KERNEL_TRAPS_H
#define KERNEL_TRAPS_H

#include "lib.h"
#include "percpu.h"

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_BR 5
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MF 16
#define TRAP_AC 17
#define TRAP_MC 18
#define TRAP_XM 19
/* Not vectors of the CPU: nothing was trapped; the SYSCALL instruction. */
#define TRAP_NONE 0x1ff
#define TRAP_SYSCALL 0x100

#define VECTOR_USER_EXIT 0x80
/* For facts: 0x30..0x3f by INT n, 0x40..0x7f by the local APIC. */
#define VECTOR_SOFTWARE 0x30
#define VECTOR_FIRST_FREE 0x40
#define VECTOR_LAST_FREE 0x7f
#define VECTOR_KICK 0xea
#define VECTOR_PIT 0xeb
#define VECTOR_RENEGOTIATE 0xed
#define VECTOR_RENDEZVOUS 0xec
#define VECTOR_ALARM 0xee
#define VECTOR_WORK 0xef
#define VECTOR_SPURIOUS 0xff

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* What trap_try() saw. */
struct trap_catch {
	uint64_t rsp; /* trap_entry.S: must be first */
	uint64_t vector, error, cr2;
	struct trap_frame frame; /* the registers at the trap; the ones in it are as pushed */
	uint64_t flags;
	struct trap_catch *outer;
};

typedef void trap_snippet_fn(uint64_t argument);
typedef void irq_fn(struct trap_frame *frame);

void traps_init(void);
void traps_load(void);
void traps_init_syscall(void);
/* NULL takes the handler away. The handler does not send the EOI; trap_dispatch() does. */
void irq_set(unsigned vector, irq_fn *handler);
/* Changes a gate of the one IDT: TYPE_DPL as in the descriptor (0x8e: interrupt gate, DPL 0). */
void trap_gate(unsigned vector, uint8_t type_dpl, uint8_t ist);
extern uint64_t trap_idt[512];

/*
 * Calls SNIPPET(ARGUMENT). An exception in it (vector 0..31 but NMI and #MC)
 * ends the call; IF and the other flags are as before then. Returns the vector,
 * or TRAP_NONE. Nests.
 */
uint64_t trap_try(struct trap_catch *caught, trap_snippet_fn *snippet, uint64_t argument);

#endif
