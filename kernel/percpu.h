/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What each CPU has for itself: descriptor tables, stacks, the state of traps and of work. */
#ifndef KERNEL_PERCPU_H
#define KERNEL_PERCPU_H

#include "boot_layout.h"

#define IST_NMI 1
#define IST_DF 2
#define IST_MC 3
#define IST_STACK 0x2000

/* Offsets that assembly uses; percpu.c asserts them. */
#define CPU_SELF 0
#define CPU_KERNEL_RSP 8
#define CPU_USER_RSP 16

#ifndef __ASSEMBLER__

#include <pvrom/mmu_guest.h>
#include <pvrom/vcpu.h>

#include "lib.h"

#define GDT_ENTRIES 24
/* Free descriptors behind the TSS's two, for facts to fill. */
#define SEL_FREE 0x40

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
	/* Room for the ports 0..0x3ff, and the byte of ones that ends every map. */
	uint8_t io_bits[129];
} __attribute__((packed));

struct trap_catch;
struct trap_frame;
struct user_run;
struct cpu;

struct cpu {
	struct cpu *self;
	uint64_t kernel_rsp; /* where SYSCALL finds its stack */
	uint64_t user_rsp;   /* SYSCALL's scratch */
	uint32_t index, apic_id;
	uint32_t vcpu; /* its id in the interface; the APIC ID until a host says otherwise */
	struct trap_catch *catch;
	struct user_run *user;
	uint64_t nmi_count;
	uint64_t machine_checks; /* not yet told */
	/* Called in NMI, with the NMI's own stack and no sites; may be NULL. */
	void (*nmi_hook)(struct cpu *cpu, struct trap_frame *frame);
	uint64_t irq_count[256];
	uint32_t state;	     /* enum smp_state */
	uint32_t rendezvous; /* in how many it has waited */
	void (*work)(void *argument);
	void *work_argument;
	bool alarm_native;	 /* the last alarm was set by the native function */
	uint64_t alarm_deadline; /* of the alarm that is set, TSC; 0: none */
	uint64_t pit_deadline;	 /* the same for the PIT, whose interrupt clears it */
	uint64_t alarm_count;	 /* alarms that ended here */
	uint64_t alarm_early;	 /* of which before their time */
	uint64_t alarm_latest;	 /* ticks by which the worst was late */
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
	uint8_t ist_stacks[3][IST_STACK] __attribute__((aligned(16)));
	struct pvrom_mmu_cpu mmu;
	/* Shared with the host, once registered. */
	struct pvrom_vcpu_area area __attribute__((aligned(PVROM_VCPU_AREA_ALIGN)));
};

extern struct cpu cpus[MAX_CPUS];

/* Not in NMI and #MC handlers, which may interrupt user mode with user mode's GS. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/* Gives CPU number INDEX, the one this runs on, its GDT, TSS, IDT and GS base. */
void percpu_init(uint32_t index, uint32_t apic_id);
/* Fills a free descriptor of this CPU; SLOT counts from SEL_FREE; returns its selector. */
uint16_t percpu_descriptor(unsigned slot, uint64_t descriptor);

#endif
#endif
