/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What guest_cost compares: every site macro, in small kernel-like functions. Compiled twice, with
 * PVROM_SITES 1 and 0; the symbols get the prefix SIDE. With PLANT the first build differs in one
 * instruction, which the comparison must notice.
 */
#include <pvrom/sites.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FN(name) JOIN(SIDE, name)

#define ACT(name)                                                                                  \
	void FN(name)(void);                                                                       \
	void FN(name)(void)                                                                        \
	{                                                                                          \
		pvrom_##name();                                                                    \
	}
#define READ(name)                                                                                 \
	uint64_t FN(name)(void);                                                                   \
	uint64_t FN(name)(void)                                                                    \
	{                                                                                          \
		return pvrom_##name();                                                             \
	}
#define WRITE(name, type)                                                                          \
	void FN(name)(type value);                                                                 \
	void FN(name)(type value)                                                                  \
	{                                                                                          \
		pvrom_##name(value);                                                               \
	}

/* clang-format off */
ACT(cli) ACT(sti) ACT(sti_halt) ACT(halt) ACT(clts) ACT(wbinvd) ACT(pause) ACT(stac) ACT(clac)
READ(save_flags) READ(read_cr0) READ(read_cr2) READ(read_cr3) READ(read_cr4) READ(read_cr8)
READ(read_dr6) READ(read_dr7) READ(store_tr) READ(store_ldt)
WRITE(restore_flags, uint64_t) WRITE(write_cr0, uint64_t) WRITE(write_cr2, uint64_t)
WRITE(write_cr3, uint64_t) WRITE(write_cr4, uint64_t) WRITE(write_cr8, uint64_t)
WRITE(write_dr0, uint64_t) WRITE(write_dr1, uint64_t) WRITE(write_dr2, uint64_t)
WRITE(write_dr3, uint64_t) WRITE(write_dr6, uint64_t) WRITE(write_dr7, uint64_t)
WRITE(switch_root, uint64_t) WRITE(flush_one, uint64_t)
WRITE(load_gdt, const void *) WRITE(load_idt, const void *) WRITE(load_ldt, uint16_t)
WRITE(load_tr, uint16_t) WRITE(store_gdt, void *) WRITE(store_idt, void *)
	/* clang-format on */

	uint64_t FN(ports)(uint16_t port, uint32_t value)
{
	pvrom_out8(port, (uint8_t)value);
	pvrom_out16(port, (uint16_t)value);
	pvrom_out32(port, value);
	return pvrom_in8(port) + pvrom_in16(port) + (uint64_t)pvrom_in32(port);
}

uint64_t FN(msrs)(uint32_t msr, uint64_t bits);
uint64_t FN(msrs)(uint32_t msr, uint64_t bits)
{
	uint64_t old = pvrom_read_msr(msr);

	pvrom_write_msr(msr, old | bits);
	pvrom_write_xcr(0, bits);
	return old;
}

/* A critical section with branches around and values live across the sites. */
uint64_t FN(section)(uint64_t *list, uint64_t count);
uint64_t FN(section)(uint64_t *list, uint64_t count)
{
	uint64_t flags = pvrom_save_flags(), sum = 0;

	pvrom_cli();
	for (uint64_t i = 0; i < count; i++) {
		if (list[i] & 1)
			sum += list[i];
		else
			pvrom_set_entry(&list[i], sum);
		while (pvrom_swap_entry(&list[i], i) == 7)
			pvrom_pause();
	}
	pvrom_restore_flags(flags);
	return sum;
}

uint32_t FN(interrupts)(uint64_t mask, uint32_t vcpu);
uint32_t FN(interrupts)(uint64_t mask, uint32_t vcpu)
{
	uint32_t status = pvrom_irq_send(0x40, 0, mask) + pvrom_irq_route(3, 0x41, vcpu) +
			  pvrom_irq_mask(3, 1);

	pvrom_irq_eoi();
	status += pvrom_smp_start(vcpu, mask) + pvrom_smp_kick(vcpu) + pvrom_smp_stop();
	return status + pvrom_alarm_set(mask) + pvrom_alarm_cancel() + (uint32_t)pvrom_clock_now();
}

/* What an ordinary process may execute: these run instruction by instruction in guest_cost_steps.c. */
uint64_t FN(steps)(uint64_t *list);
uint64_t FN(steps)(uint64_t *list)
{
	uint32_t regs[4];
	uint64_t flags, i;

	for (i = 0; i < 100; i++) {
		flags = pvrom_save_flags();
		pvrom_cpuid(0, 0, regs);
		pvrom_pause();
		pvrom_set_entry(&list[0], flags & 0x400);
		list[1] += pvrom_swap_entry(&list[0], regs[0]);
		pvrom_restore_flags(0x202);
		pvrom_irq_eoi();
		list[2] += pvrom_irq_send(0x40, 0, i) + pvrom_alarm_set(i) + pvrom_smp_kick(1);
#ifdef PLANT
		__asm__ volatile("test %%eax,%%eax" : : : "cc");
#endif
	}
	return list[1];
}
