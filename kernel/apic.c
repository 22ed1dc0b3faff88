/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Drives the local APIC; SDM vol. 3A chapter 11. */
#include "apic.h"

#include "boot_record.h"
#include "cpu.h"
#include "cpu_features.h"
#include "paging.h"
#include "traps.h"

#define APIC_MMIO 0xfee00000ull
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define LVT_MASKED BIT(16)
#define LVT_NMI 0x400
#define SPURIOUS_ENABLE 0x100

static bool there, x2apic;

bool apic_is_there(void)
{
	return there;
}

bool apic_is_x2apic(void)
{
	return x2apic;
}

uint32_t apic_read(uint32_t reg)
{
	if (x2apic)
		return (uint32_t)cpu_rdmsr(MSR_X2APIC + (reg >> 4));
	return *(volatile uint32_t *)(APIC_MMIO + reg);
}

void apic_write(uint32_t reg, uint32_t value)
{
	if (x2apic)
		cpu_wrmsr(MSR_X2APIC + (reg >> 4), value);
	else
		*(volatile uint32_t *)(APIC_MMIO + reg) = value;
}

uint32_t apic_own_id(void)
{
	if (!there)
		return cpu_cpuid(1, 0).ebx >> 24;
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

/* x2APIC register writes order nothing: the fence makes earlier stores visible first (11.12.3). */
static void x2apic_send(uint32_t apic_id, uint32_t command)
{
	__asm__ volatile("mfence; lfence" ::: "memory");
	cpu_wrmsr(MSR_X2APIC + (APIC_ICR >> 4), (uint64_t)apic_id << 32 | command);
}

void apic_send(uint32_t apic_id, uint32_t command)
{
	if (x2apic) {
		x2apic_send(apic_id, command);
		return;
	}
	while (apic_read(APIC_ICR) & ICR_PENDING)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR, command);
}

/* The 8259s get vectors 0x20..0x2f and a mask of ones. */
static void mask_8259(void)
{
	static const uint8_t words[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 },
					    { 0xa1, 0x28 }, { 0x21, 0x04 }, { 0xa1, 0x02 },
					    { 0x21, 0x01 }, { 0xa1, 0x01 }, { 0x21, 0xff },
					    { 0xa1, 0xff } };

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		cpu_out8(words[i][0], words[i][1]);
}

void apic_init(void)
{
	x2apic = cpu_cpuid(1, 0).ecx >> 21 & 1 && !boot_option_is("x2apic=", "off");
	there = HAS_APIC;
	mask_8259();
	if (!there)
		return;
	if (!x2apic)
		paging_map_device(APIC_MMIO, PAGE_SIZE);
	apic_init_cpu();
}

void apic_init_cpu(void)
{
	uint64_t base;

	if (!there)
		return;
	base = cpu_rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
	if (x2apic)
		base |= APIC_BASE_X2APIC;
	cpu_wrmsr(MSR_APIC_BASE, base);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
}
