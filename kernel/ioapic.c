/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One I/O APIC at the address that PC chipsets give it (Intel 82093AA data sheet). The better way
 * is the address of the ACPI MADT; no machine of ours has another.
 */
#include "ioapic.h"

#include "cpu.h"
#include "paging.h"

#define IOAPIC_MMIO 0xfec00000ull
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define REG_VERSION 0x01
#define REG_ENTRY(source, high) (0x10 + 2 * (uint32_t)(source) + (high))
#define ENTRY_MASKED BIT(16)

static struct lock ioapic_lock;
static uint32_t sources;

/* Select and window are two accesses: the lock, with interrupts off, keeps them together. */
static uint32_t read_register(uint32_t reg)
{
	*(volatile uint32_t *)(IOAPIC_MMIO + IOAPIC_SELECT) = reg;
	return *(volatile uint32_t *)(IOAPIC_MMIO + IOAPIC_WINDOW);
}

static void write_register(uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(IOAPIC_MMIO + IOAPIC_SELECT) = reg;
	*(volatile uint32_t *)(IOAPIC_MMIO + IOAPIC_WINDOW) = value;
}

/* An absent I/O APIC reads all ones, and then has no sources. */
void ioapic_init(void)
{
	uint32_t version;

	paging_map_device(IOAPIC_MMIO, PAGE_SIZE);
	version = read_register(REG_VERSION);
	sources = version == 0xffffffff ? 0 : (version >> 16 & 0xff) + 1;
	for (uint32_t source = 0; source < sources; source++)
		write_register(REG_ENTRY(source, 0), ENTRY_MASKED);
}

bool ioapic_route(uint64_t source, uint32_t vector, uint32_t apic_id)
{
	uint64_t flags;
	uint32_t low;

	if (source >= sources)
		return false;
	flags = cpu_save_flags_cli();
	lock_take(&ioapic_lock);
	low = read_register(REG_ENTRY(source, 0)) & ENTRY_MASKED;
	write_register(REG_ENTRY(source, 1), apic_id << 24);
	write_register(REG_ENTRY(source, 0), low | vector);
	lock_release(&ioapic_lock);
	cpu_restore_flags(flags);
	return true;
}

bool ioapic_mask(uint64_t source, bool masked)
{
	uint64_t flags;
	uint32_t low;

	if (source >= sources)
		return false;
	flags = cpu_save_flags_cli();
	lock_take(&ioapic_lock);
	low = read_register(REG_ENTRY(source, 0)) & ~(uint32_t)ENTRY_MASKED;
	write_register(REG_ENTRY(source, 0), low | (masked ? ENTRY_MASKED : 0));
	lock_release(&ioapic_lock);
	cpu_restore_flags(flags);
	return true;
}
