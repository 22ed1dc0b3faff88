/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * RSDP, RSDT or XSDT, MADT: just enough of ACPI 6.4 chapter 5 to count CPUs.
 * Reads through the boot page tables, so the tables must lie below 4 GiB.
 */
#include "acpi.h"

#include "boot_record.h"

#define LIMIT BIT(32)
#define MADT_CPU 0
#define MADT_X2CPU 9

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	uint32_t length;
	uint8_t rest[28];
};

static bool sums_to_zero(const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

static const struct rsdp *find_rsdp(void)
{
	if (boot_record.rsdp && boot_record.rsdp < LIMIT)
		return (const struct rsdp *)boot_record.rsdp;
	for (uint64_t at = 0xe0000; at < 0x100000; at += 16)
		if (!memcmp((void *)at, "RSD PTR ", 8) && sums_to_zero((void *)at, 20))
			return (const struct rsdp *)at;
	return NULL;
}

static const struct table *table_at(uint64_t address)
{
	const struct table *table = (const struct table *)address;

	if (!address || address >= LIMIT || table->length < sizeof(*table) ||
	    table->length > 0x100000 || !sums_to_zero(table, table->length))
		return NULL;
	return table;
}

static const struct table *find_madt(uint64_t root_address, size_t entry_size)
{
	const struct table *root = table_at(root_address), *found;
	uint64_t entry;

	for (size_t at = sizeof(*root); root && at + entry_size <= root->length; at += entry_size) {
		entry = 0;
		memcpy(&entry, (const char *)root + at, entry_size);
		found = table_at(entry);
		if (found && !memcmp(found->signature, "APIC", 4))
			return found;
	}
	return NULL;
}

unsigned acpi_cpus(uint32_t *apic_ids, unsigned max)
{
	const struct rsdp *rsdp = find_rsdp();
	const struct table *madt;
	const uint8_t *p, *end;
	unsigned count = 0;
	uint32_t id, flags;

	if (!rsdp)
		return 0;
	madt = rsdp->revision >= 2 && rsdp->xsdt ? find_madt(rsdp->xsdt, 8)
						 : find_madt(rsdp->rsdt, 4);
	if (!madt)
		return 0;
	end = (const uint8_t *)madt + madt->length;
	for (p = (const uint8_t *)madt + 44; p + 2 <= end && p[1] >= 2; p += p[1]) {
		if (p[0] == MADT_CPU && p + 8 <= end) {
			id = p[3];
			memcpy(&flags, p + 4, 4);
		} else if (p[0] == MADT_X2CPU && p + 16 <= end) {
			memcpy(&id, p + 4, 4);
			memcpy(&flags, p + 8, 4);
		} else {
			continue;
		}
		if (flags & 1 && count < max)
			apic_ids[count++] = id;
	}
	return count;
}
