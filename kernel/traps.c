/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The IDT, and what happens after an entry in trap_entry.S. */
#include "traps.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_mmu.h"
#include "kernel_rom.h"
#include "stacks.h"
#include "time.h"
#include "user.h"

uint64_t trap_idt[512] __attribute__((aligned(4096)));
static irq_fn *irq_handlers[256];

extern char trap_stubs[], trap_syscall_entry[], trap_try_landing[];
bool trap_dispatch(struct trap_frame *frame, struct cpu *cpu);
void trap_double_fault(struct trap_frame *frame, struct cpu *cpu);
void trap_nonmaskable(struct trap_frame *frame, struct cpu *cpu);
void trap_catch_begin(struct trap_catch *caught);
uint64_t trap_catch_end(void);

void trap_gate(unsigned vector, uint8_t type_dpl, uint8_t ist)
{
	uint64_t entry = (uint64_t)trap_stubs + vector * 16;

	trap_idt[2 * vector + 1] = entry >> 32;
	trap_idt[2 * vector] = (entry & 0xffff) | SEL_KCODE << 16 | (uint64_t)ist << 32 |
			       (uint64_t)type_dpl << 40 | (entry >> 16 & 0xffff) << 48;
}

void traps_init(void)
{
	for (unsigned vector = 0; vector < 256; vector++)
		trap_gate(vector, 0x8e, 0);
	trap_gate(TRAP_NMI, 0x8e, IST_NMI);
	trap_gate(TRAP_DF, 0x8e, IST_DF);
	trap_gate(TRAP_MC, 0x8e, IST_MC);
	trap_gate(TRAP_BP, 0xee, 0);
	trap_gate(TRAP_OF, 0xee, 0);
	trap_gate(VECTOR_USER_EXIT, 0xee, 0);
}

void traps_load(void)
{
	struct table_pointer idt = { .limit = sizeof(trap_idt) - 1, .base = (uint64_t)trap_idt };

	cpu_lidt(&idt);
}

/* EFER.SCE is set by the boot code. SYSRET takes SS from STAR[63:48] + 8, CS from + 16. */
void traps_init_syscall(void)
{
	cpu_wrmsr(MSR_STAR, (uint64_t)(SEL_UCODE32 | 3) << 48 | (uint64_t)SEL_KCODE << 32);
	cpu_wrmsr(MSR_LSTAR, (uint64_t)trap_syscall_entry);
	cpu_wrmsr(MSR_SFMASK, FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC);
}

void irq_set(unsigned vector, irq_fn *handler)
{
	WRITE_ONCE(irq_handlers[vector], handler);
}

void trap_catch_begin(struct trap_catch *caught)
{
	struct cpu *cpu = this_cpu();

	*caught = (struct trap_catch){ .vector = TRAP_NONE,
				       .flags = cpu_save_flags(),
				       .outer = cpu->catch };
	cpu->catch = caught;
}

uint64_t trap_catch_end(void)
{
	struct cpu *cpu = this_cpu();
	struct trap_catch *caught = cpu->catch;

	cpu->catch = caught->outer;
	cpu_restore_flags(caught->flags);
	return caught->vector;
}

static void trap_caught(struct trap_catch *caught, struct trap_frame *frame)
{
	caught->vector = frame->vector;
	caught->error = frame->error;
	caught->cr2 = cpu_read_cr2();
	caught->frame = *frame;
	frame->rip = (uint64_t)trap_try_landing;
	frame->cs = SEL_KCODE;
	frame->ss = SEL_KDATA;
	frame->rsp = caught->rsp;
	frame->rflags = caught->flags;
}

static void trap_unexpected(const struct trap_frame *f, const struct cpu *cpu)
{
	kprintf("# cpu %u rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n", cpu->index,
		f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp);
	kprintf("# r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", f->r8, f->r9,
		f->r10, f->r11, f->r12, f->r13, f->r14, f->r15);
	panic("cpu %u: vector %lu error %lx at %lx:%lx, stack %lx, flags %lx, cr2 %lx", cpu->index,
	      f->vector, f->error, f->cs, f->rip, f->rsp, f->rflags, cpu_read_cr2());
}

/* A fault inside ROM text is one of the site that called it. */
static void trap_exception(struct trap_frame *frame, struct cpu *cpu)
{
	pvrom_guest_fault_site(&kernel_rom, &frame->rip, &frame->rsp);
	if (cpu->catch)
		trap_caught(cpu->catch, frame);
	else
		trap_unexpected(frame, cpu);
}

static void trap_interrupt(struct trap_frame *frame, struct cpu *cpu)
{
	irq_fn *handler = READ_ONCE(irq_handlers[frame->vector]);

	if (cpu->machine_checks)
		panic("cpu %u: machine check", cpu->index);
	if (frame->vector != VECTOR_ALARM || time_alarm_due()) {
		cpu->irq_count[frame->vector]++;
		if (handler)
			handler(frame);
	}
	/* Below are the vectors of the 8259s and of INT n in facts: not the local APIC's. */
	if (frame->vector >= VECTOR_FIRST_FREE && frame->vector != VECTOR_SPURIOUS)
		irq_eoi();
}

/*
 * On the way back true asks for SYSRET, which only a frame of SYSCALL can have.
 * A handler set for an exception's vector goes before the catch.
 */
bool trap_dispatch(struct trap_frame *frame, struct cpu *cpu)
{
	if (frame->vector == TRAP_PF &&
	    kernel_mmu_filter(&frame->error, frame->rip, frame->cs, frame->rflags))
		return false;
	if (frame->vector < 32 && READ_ONCE(irq_handlers[frame->vector])) {
		irq_handlers[frame->vector](frame);
		return false;
	}
	if (frame->cs & 3 && (frame->vector < 32 || frame->vector == VECTOR_USER_EXIT ||
			      frame->vector == TRAP_SYSCALL))
		return user_leave(cpu, frame);
	if (frame->vector < 32)
		trap_exception(frame, cpu);
	else
		trap_interrupt(frame, cpu);
	return false;
}

/* A fact provoked it; or the page below a stack was touched, and the frame of that fault had no room either. */
void trap_double_fault(struct trap_frame *frame, struct cpu *cpu)
{
	if (stacks_is_guard(cpu_read_cr2()))
		panic("cpu %u: double fault: its stack is full, at %lx:%lx, stack %lx", cpu->index,
		      frame->cs, frame->rip, frame->rsp);
	trap_exception(frame, cpu);
}

/*
 * NMI and #MC: no sites, for one may just be being patched, and no this_cpu(). So a machine check is
 * not looked into here, which takes MSRs, but told by the next interrupt.
 */
void trap_nonmaskable(struct trap_frame *frame, struct cpu *cpu)
{
	if (frame->vector != TRAP_NMI) {
		cpu->machine_checks++;
		return;
	}
	cpu->nmi_count++;
	if (cpu->nmi_hook)
		cpu->nmi_hook(cpu, frame);
}
