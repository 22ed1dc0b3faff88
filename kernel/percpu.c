/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Sets up the descriptor tables and the GS base of one CPU. */
#include "percpu.h"

#include "cpu.h"
#include "traps.h"

_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "used by trap_entry.S");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "used by trap_entry.S");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "used by trap_entry.S");
_Static_assert(offsetof(struct tss, io_bits) == 104, "SDM vol. 3A 8.7");

struct cpu cpus[MAX_CPUS];

static void fill_gdt(struct cpu *cpu)
{
	uint64_t tss = (uint64_t)&cpu->tss;
	uint64_t limit = sizeof(cpu->tss) - 1;

	cpu->gdt[SEL_KCODE / 8] = 0x00af9b000000ffff;
	cpu->gdt[SEL_KDATA / 8] = 0x00cf93000000ffff;
	cpu->gdt[SEL_UCODE32 / 8] = 0x00cffb000000ffff;
	cpu->gdt[SEL_UDATA / 8] = 0x00cff3000000ffff;
	cpu->gdt[SEL_UCODE / 8] = 0x00affb000000ffff;
	cpu->gdt[SEL_TSS / 8] =
		limit | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
}

/*
 * The top of each IST stack holds the CPU's own pointer, for handlers that
 * cannot trust GS: the frame that hardware pushes begins right below it.
 */
static uint64_t ist_top(struct cpu *cpu, unsigned ist)
{
	uint64_t top = (uint64_t)cpu->ist_stacks[ist - 1] + IST_STACK - 16;

	*(struct cpu **)top = cpu;
	return top;
}

static void fill_tss(struct cpu *cpu)
{
	cpu->tss = (struct tss){ .io_map = sizeof(struct tss) };
	memset(cpu->tss.io_bits, 0xff, sizeof(cpu->tss.io_bits));
	cpu->tss.rsp[0] = cpu->kernel_rsp;
	for (unsigned ist = 1; ist <= 3; ist++)
		cpu->tss.ist[ist - 1] = ist_top(cpu, ist);
}

void percpu_init(uint32_t index, uint32_t apic_id)
{
	struct cpu *cpu = &cpus[index];
	struct table_pointer gdt = { .limit = sizeof(cpu->gdt) - 1, .base = (uint64_t)cpu->gdt };

	/* The best guess until the vCPU area says it; a CPU that comes again keeps what that said. */
	if (!cpu->self)
		cpu->vcpu = apic_id;
	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = apic_id;
	fill_gdt(cpu);
	fill_tss(cpu);
	cpu_lgdt(&gdt);
	cpu_ltr(SEL_TSS);
	traps_load();
	cpu_wrmsr(MSR_GS_BASE, (uint64_t)cpu);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0);
	traps_init_syscall();
}

uint16_t percpu_descriptor(unsigned slot, uint64_t descriptor)
{
	unsigned entry = SEL_FREE / 8 + slot;

	WRITE_ONCE(this_cpu()->gdt[entry], descriptor);
	return (uint16_t)(entry * 8);
}
