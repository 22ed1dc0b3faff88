/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What foreign_host.h says. */
#include "foreign_host.h"

struct foreign_host host;
struct foreign_memory memory;

void add_leaf(uint32_t leaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	host.leaves[host.count++] = (struct leaf){ leaf, { a, b, c, d } };
}

/* A leaf that nobody serves answers with something, as on Intel processors. */
static void fake_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	(void)subleaf;
	host.hypervisor_leaves += leaf >> 28 == 4;
	for (uint32_t i = 0; i < host.count; i++)
		if (host.leaves[i].leaf == leaf) {
			memcpy(regs, host.leaves[i].regs, sizeof(host.leaves[i].regs));
			return;
		}
	for (int i = 0; i < 4; i++)
		regs[i] = 0x5a5a5a5a;
}

static uint64_t fake_read_msr(uint32_t index)
{
	(void)index;
	host.unknown_msrs++;
	return 0;
}

static void fake_write_msr(uint32_t index, uint64_t value)
{
	uint8_t *at = memory.shared + (value & 0xffe);

	if (index == MSR_KVM_TIME)
		host.kvm_time = value;
	else if (index == MSR_KVM_WALL)
		host.kvm_wall = value;
	else if (index == MSR_HYPERV_TSC)
		host.hyperv_tsc = value;
	else
		host.unknown_msrs++;
	if (value < 0x100000 || value >= 0x101000)
		return;
	if (index == MSR_KVM_TIME)
		memcpy(at, &host.kvm_page, sizeof(host.kvm_page));
	if (index == MSR_KVM_WALL)
		memcpy(at, &host.kvm_wall_page, sizeof(host.kvm_wall_page));
	if (index == MSR_HYPERV_TSC)
		memcpy(at, &host.hyperv_page, sizeof(host.hyperv_page));
}

const struct pvrom_clock_os foreign_os = { fake_cpuid, fake_read_msr, fake_write_msr };

/* Four letters as a register has them. */
static uint32_t word(const char *text)
{
	uint32_t value;

	memcpy(&value, text, sizeof(value));
	return value;
}

void add_signature(uint32_t base, uint32_t max, const char text[12])
{
	add_leaf(base, max, word(text), word(text + 4), word(text + 8));
}

void empty_host(uint32_t max_leaf, bool hypervisor)
{
	memset(&host, 0, sizeof(host));
	memset(&memory, 0, sizeof(memory));
	add_leaf(0, max_leaf, 0, 0, 0);
	add_leaf(1, 0, 0, hypervisor ? 1u << PVROM_CPUID_HYPERVISOR_BIT : 0, 0);
}

void add_kvm(uint32_t base)
{
	add_signature(base, base + 1, "KVMKVMKVM\0\0\0");
	add_leaf(base + 1, 1u << 3, 0, 0, 0);
	host.kvm_page = (struct pvrom_kvm_page){
		.version = 2, .tsc_timestamp = 0, .system_time = 5 * NS, .mul = 1u << 31, .shift = 0
	};
	host.kvm_wall_page = (struct pvrom_kvm_wall){ .version = 2, .sec = 0xf0000000, .nsec = 7 };
}

void add_hyperv(void)
{
	add_signature(0x40000000, 0x40000005, "Microsoft Hv");
	add_leaf(0x40000001, word("Hv#1"), 0, 0, 0);
	add_leaf(0x40000003, 1u << 9, 0, 0, 0);
	host.hyperv_page = (struct pvrom_hyperv_page){ .sequence = 1,
						       .scale = UINT64_C(1) << 56,
						       .offset = 50000000 };
}

struct pvrom_clock_offer everything(void)
{
	return (struct pvrom_clock_offer){
		.os = &foreign_os,
		.shared = memory.shared,
		.shared_gpa = 0x100000,
		.cpus = CPUS,
		.own = (struct pvrom_clock_page *)memory.own,
	};
}

uint32_t barring(uint32_t from)
{
	uint32_t barred = 0;

	for (uint32_t source = 1; source < from; source++)
		barred |= PVROM_CLOCK_SOURCE_BIT(source);
	return barred;
}

struct pvrom_clock_page *vmclock_page(void)
{
	struct pvrom_clock_page *page = (struct pvrom_clock_page *)memory.page;

	*page = (struct pvrom_clock_page){
		.magic = PVROM_VMCLOCK_MAGIC,
		.size = 4096,
		.version = 1,
		.counter_id = PVROM_VMCLOCK_COUNTER_TSC,
		.time_type = PVROM_VMCLOCK_TIME_UTC,
		.seq_count = 4,
		.disruption_marker = 77,
		.clock_status = PVROM_CLOCK_SYNCHRONIZED,
		.counter_period_shift = 31,
		.counter_period_frac_sec = (uint64_t)(((pvrom_clock_wide)1 << 95) / HZ),
		.time_sec = UINT64_C(4000000000),
	};
	return page;
}
