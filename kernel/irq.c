/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The acts of the irq, smp and clock groups: translation of the kernel's CPU
 * indices to the vCPU ids of the interface, and the functions that sites call
 * while they are native.
 *
 * The native functions are called from inside inline assembly with an
 * unaligned stack; the kernel has no vector registers, so nothing cares.
 */
#include "irq.h"

#include "apic.h"
#include "cpu.h"
#include "ioapic.h"
#include "kernel_rom.h"
#include "paging.h"
#include "smp.h"
#include "stacks.h"
#include "time.h"
#include "traps.h"

/* How long a CPU may take from saying that it stops until it has. */
#define START_PATIENCE_US 5000000

/* One call takes 64 ids from a base; a set that spans more is sent in parts. */
void irq_send(unsigned vector, uint64_t set)
{
	uint32_t base = 0;
	uint64_t ids = 0;

	for (unsigned i = 0; set; i++, set >>= 1) {
		uint32_t id = cpus[i].vcpu;

		if (!(set & 1))
			continue;
		if (ids && id - base >= 64) {
			pvrom_irq_send(vector, base, ids);
			ids = 0;
		}
		if (!ids)
			base = id & ~63u;
		ids |= BIT(id - base);
	}
	if (ids)
		pvrom_irq_send(vector, base, ids);
}

static struct pvrom_smp_state start_state __attribute__((aligned(4096)));

/* What boot_ap.S and smp_ap_main() would have found, or set, on this very CPU. */
static void fill_start_state(uint32_t index)
{
	struct cpu *cpu = &cpus[index];

	start_state = (struct pvrom_smp_state){
		.size = sizeof(start_state),
		.rip = (uint64_t)smp_ap_main,
		.rsp = stacks_top(index) - 8,
		.rdi = index,
		.cr0 = cpu_read_cr0(),
		.cr3 = (uint64_t)paging_root,
		.cr4 = cpu_read_cr4(),
		.efer = cpu_rdmsr(MSR_EFER),
		.gdt_base = (uint64_t)cpu->gdt,
		.gdt_limit = sizeof(cpu->gdt) - 1,
		.idt_base = (uint64_t)trap_idt,
		.idt_limit = sizeof(trap_idt) - 1,
		.gs_base = (uint64_t)cpu,
		.pat = cpu_rdmsr(MSR_PAT),
		.cs = SEL_KCODE,
		.ss = SEL_KDATA,
	};
}

/* A CPU says that it stops before it does, for it cannot say so afterwards: until then it is busy. */
void irq_start_cpu(uint32_t index)
{
	uint64_t end = cpu_rdtsc() + time_us(START_PATIENCE_US);

	fill_start_state(index);
	while (pvrom_smp_start(cpus[index].vcpu, (uint64_t)&start_state) == PVROM_STATUS_BUSY &&
	       cpu_rdtsc() < end)
		cpu_relax();
}

void irq_stop_self(void)
{
	for (;;)
		pvrom_smp_stop();
}

/*
 * Where there is no APIC the native functions ask the host as well: a site may be native for a while,
 * between two ROMs, and an interrupt that comes then has to be ended all the same.
 */
static uint32_t ask_host(uint32_t call, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	return pvrom_call(&kernel_rom, call, arg0, arg1, arg2, 0, NULL);
}

void pvrom_native_irq_eoi(void)
{
	if (apic_is_there())
		apic_write(APIC_EOI, 0);
	else
		ask_host(PVROM_IRQ_EOI, 0, 0, 0);
}

static struct cpu *cpu_of_vcpu(uint32_t vcpu)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		if (cpus[i].vcpu == vcpu && READ_ONCE(cpus[i].state) != SMP_OFFLINE)
			return &cpus[i];
	return NULL;
}

uint32_t pvrom_native_irq_send(uint32_t vector, uint32_t base, uint64_t mask)
{
	uint32_t command = (vector == IRQ_NMI ? ICR_NMI : ICR_FIXED | vector) | ICR_ASSERT;
	struct cpu *cpu;
	uint64_t flags;

	if (!apic_is_there())
		return ask_host(PVROM_IRQ_SEND, vector, base, mask);
	flags = cpu_save_flags_cli();
	for (; mask; base++, mask >>= 1) {
		cpu = mask & 1 ? cpu_of_vcpu(base) : NULL;
		if (cpu)
			apic_send(cpu->apic_id, command);
	}
	cpu_restore_flags(flags);
	return PVROM_STATUS_OK;
}

uint32_t pvrom_native_irq_route(uint64_t source, uint32_t vector, uint32_t vcpu)
{
	struct cpu *cpu = cpu_of_vcpu(vcpu);

	if (!apic_is_there())
		return ask_host(PVROM_IRQ_ROUTE, source, vector, vcpu);
	if (!cpu)
		return PVROM_STATUS_INVALID;
	return ioapic_route(source, vector, cpu->apic_id) ? PVROM_STATUS_OK
							  : PVROM_STATUS_NOT_SUPPORTED;
}

uint32_t pvrom_native_irq_mask(uint64_t source, uint32_t masked)
{
	if (!apic_is_there())
		return ask_host(PVROM_IRQ_MASK, source, masked, 0);
	return ioapic_mask(source, masked) ? PVROM_STATUS_OK : PVROM_STATUS_NOT_SUPPORTED;
}

/* Native CPUs begin in boot_ap.S and find all that the state says by their index. */
uint32_t pvrom_native_smp_start(uint32_t vcpu, uint64_t state_gpa)
{
	struct cpu *cpu = cpu_of_vcpu(vcpu);

	if (!apic_is_there())
		return ask_host(PVROM_SMP_START, vcpu, state_gpa, 0);
	if (!cpu)
		return PVROM_STATUS_INVALID;
	smp_native_start(cpu->index);
	return PVROM_STATUS_OK;
}

uint32_t pvrom_native_smp_stop(void)
{
	if (!apic_is_there())
		return ask_host(PVROM_SMP_STOP, 0, 0, 0);
	smp_native_stop();
}

uint32_t pvrom_native_smp_kick(uint32_t vcpu)
{
	if (!apic_is_there())
		return ask_host(PVROM_SMP_KICK, vcpu, 0, 0);
	return pvrom_native_irq_send(VECTOR_WORK, vcpu, 1);
}

uint32_t pvrom_native_alarm_set(uint64_t tsc)
{
	if (!apic_is_there())
		return ask_host(PVROM_CLOCK_ALARM_SET, tsc, 0, 0);
	time_native_alarm_set(tsc);
	return PVROM_STATUS_OK;
}

uint32_t pvrom_native_alarm_cancel(void)
{
	if (!apic_is_there())
		return ask_host(PVROM_CLOCK_ALARM_CANCEL, 0, 0, 0);
	time_native_alarm_cancel();
	return PVROM_STATUS_OK;
}
