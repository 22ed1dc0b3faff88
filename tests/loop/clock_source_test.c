/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The adapters: one guest call on every clock that a machine may have, over a host made of a CPUID table, MSRs
 * and pages. The pages of KVM and Hyper-V are recorded from the lab's KVM; what they must
 * say is what the same kernel said, and what exact arithmetic says.
 */
#include <pvrom/clock_source.h>
#include <pvrom/discovery.h>

#include <stdlib.h>
#include <string.h>

#include "../../pvclock/foreign.h"
#include "../cunit_tap.h"

#define MSR_KVM_WALL 0x4b564d00u
#define MSR_KVM_TIME 0x4b564d01u
#define MSR_HYPERV_TSC 0x40000021u
#define NS UINT64_C(1000000000)
#define CPUS 4u
#define HZ UINT64_C(2596000000)

/* ---- a host ---------------------------------------------------------------------------------- */

struct leaf {
	uint32_t leaf, regs[4];
};

static struct {
	struct leaf leaves[16];
	uint32_t count;
	uint32_t unknown_msrs;	    /* accesses to MSRs that this host has not promised */
	uint32_t hypervisor_leaves; /* looked at */
	uint64_t kvm_time, kvm_wall, hyperv_tsc;
	struct pvrom_kvm_page kvm_page;
	struct pvrom_kvm_wall kvm_wall_page;
	struct pvrom_hyperv_page hyperv_page;
} host;

static struct {
	_Alignas(4096) uint8_t shared[4096];
	_Alignas(4096) uint8_t own[4096];
	_Alignas(4096) uint8_t page[4096];
} memory;

static void add_leaf(uint32_t leaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
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

static const struct pvrom_clock_os os = { fake_cpuid, fake_read_msr, fake_write_msr };

static uint32_t word(const char *text)
{
	uint32_t value;

	memcpy(&value, text, sizeof(value));
	return value;
}

static void add_signature(uint32_t base, uint32_t max, const char text[12])
{
	add_leaf(base, max, word(text), word(text + 4), word(text + 8));
}

static void empty_host(uint32_t max_leaf, bool hypervisor)
{
	memset(&host, 0, sizeof(host));
	memset(&memory, 0, sizeof(memory));
	add_leaf(0, max_leaf, 0, 0, 0);
	add_leaf(1, 0, 0, hypervisor ? 1u << PVROM_CPUID_HYPERVISOR_BIT : 0, 0);
}

static void add_kvm(uint32_t base)
{
	add_signature(base, base + 1, "KVMKVMKVM\0\0\0");
	add_leaf(base + 1, 1u << 3, 0, 0, 0);
	host.kvm_page = (struct pvrom_kvm_page){
		.version = 2, .tsc_timestamp = 0, .system_time = 5 * NS, .mul = 1u << 31, .shift = 0
	};
	host.kvm_wall_page = (struct pvrom_kvm_wall){ .version = 2, .sec = 0xf0000000, .nsec = 7 };
}

static void add_hyperv(void)
{
	add_signature(0x40000000, 0x40000005, "Microsoft Hv");
	add_leaf(0x40000001, word("Hv#1"), 0, 0, 0);
	add_leaf(0x40000003, 1u << 9, 0, 0, 0);
	host.hyperv_page = (struct pvrom_hyperv_page){ .sequence = 1,
						       .scale = UINT64_C(1) << 56,
						       .offset = 50000000 };
}

static struct pvrom_clock_offer everything(void)
{
	return (struct pvrom_clock_offer){
		.os = &os,
		.shared = memory.shared,
		.shared_gpa = 0x100000,
		.cpus = CPUS,
		.own = (struct pvrom_clock_page *)memory.own,
	};
}

static uint32_t barring(uint32_t from)
{
	uint32_t barred = 0;

	for (uint32_t source = 1; source < from; source++)
		barred |= PVROM_CLOCK_SOURCE_BIT(source);
	return barred;
}

/* A VMClock page of a TSC at HZ: UTC 4,000,000,000 s (2096) at TSC 0. */
static struct pvrom_clock_page *vmclock_page(void)
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

/* ---- arithmetic ------------------------------------------------------------------------------ */

static void shift_divide(void)
{
	CU_ASSERT_EQUAL(pvrom_shift_divide(7, 0, 2), 3);
	CU_ASSERT_EQUAL(pvrom_shift_divide(1, 64, 3), UINT64_C(0x5555555555555555));
	CU_ASSERT_EQUAL(pvrom_shift_divide(UINT64_MAX - 1, 64, UINT64_MAX), UINT64_MAX - 1);
	CU_ASSERT_EQUAL(pvrom_shift_divide(1, 64, 1), UINT64_MAX);
	CU_ASSERT_EQUAL(pvrom_shift_divide(UINT64_MAX, 1, 2), UINT64_MAX);
	for (uint32_t i = 0; i < 10000; i++) {
		uint64_t value = (uint64_t)mrand48() << 20, divisor = (uint64_t)mrand48() << 24 | 1;
		uint32_t shift = (uint32_t)lrand48() % 65;
		pvrom_clock_wide exact;

		value &= UINT64_MAX >> (lrand48() % 64);
		exact = ((pvrom_clock_wide)value << shift) / divisor;
		if (exact < UINT64_MAX)
			CU_ASSERT_EQUAL(pvrom_shift_divide(value, shift, divisor), (uint64_t)exact);
	}
}

/* Recorded from KVM in Linux 6.1 (a TSC of 2,596 MHz): pages, a TSC value, and the nanoseconds there. */
static const struct {
	struct pvrom_kvm_page page;
	uint64_t tsc, ns, hz;
} recorded_kvm[] = {
	{ { 4, 0, 0x982323ea, 0x1663e435, 0xc537f148, -1, 1, { 0 } },
	  0x238f5f234,
	  UINT64_C(3069348775),
	  UINT64_C(2596105000) },
	{ { 4, 0, 0x982323ea, 0x1663e435, 0xc537f148, -1, 1, { 0 } },
	  0x24c037448,
	  UINT64_C(3192476450),
	  UINT64_C(2596105000) },
	/* Not recorded: a TSC of 800 MHz, a day on. */
	{ { 2, 0, UINT64_C(1000000000000), UINT64_C(7000000001), 2684354560, 1, 1, { 0 } },
	  UINT64_C(1000000000000) + UINT64_C(69120000000000),
	  UINT64_C(86407000000001),
	  UINT64_C(800000000) },
};

static const struct {
	struct pvrom_hyperv_page page;
	uint64_t tsc, ns, hz;
} recorded_hyperv[] = {
	{ { 1, 0, UINT64_C(0xfc709100000000), -9107955 },
	  0x2b90367c8,
	  UINT64_C(3593622700),
	  UINT64_C(2596105000) },
	{ { 1, 0, UINT64_C(0xfc709100000000), -9107955 },
	  0x2d539ea0e,
	  UINT64_C(3775947500),
	  UINT64_C(2596105000) },
};

static void recorded_pages(void)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < sizeof(recorded_kvm) / sizeof(recorded_kvm[0]); i++) {
		CU_ASSERT(pvrom_kvm_ns(&recorded_kvm[i].page, recorded_kvm[i].tsc, &ns));
		CU_ASSERT_EQUAL(ns, recorded_kvm[i].ns);
		CU_ASSERT_EQUAL(pvrom_kvm_hz(&recorded_kvm[i].page), recorded_kvm[i].hz);
	}
	for (size_t i = 0; i < sizeof(recorded_hyperv) / sizeof(recorded_hyperv[0]); i++) {
		CU_ASSERT(pvrom_hyperv_ns(&recorded_hyperv[i].page, recorded_hyperv[i].tsc, &ns));
		CU_ASSERT_EQUAL(ns, recorded_hyperv[i].ns);
		CU_ASSERT_EQUAL(pvrom_hyperv_hz(&recorded_hyperv[i].page), recorded_hyperv[i].hz);
	}
}

static void kvm_limits(void)
{
	struct pvrom_kvm_page page = { .version = 2, .tsc_timestamp = 1000, .mul = 1u << 31 };
	uint64_t ns;

	/* A CPU a little behind: the base, not 580 years later. */
	page.system_time = 123;
	CU_ASSERT(pvrom_kvm_ns(&page, 999, &ns) && ns == 123);
	CU_ASSERT(pvrom_kvm_ns(&page, 3000, &ns) && ns == 123 + 1000);
	page.mul = 0;
	CU_ASSERT_FALSE(pvrom_kvm_ns(&page, 3000, &ns));
	CU_ASSERT_EQUAL(pvrom_kvm_hz(&page), 0);
	page.mul = 1;
	for (int shift = -128; shift < 128; shift++) {
		page.shift = (int8_t)shift;
		CU_ASSERT_EQUAL(pvrom_kvm_ns(&page, 3000, &ns), shift > -32 && shift < 32);
		pvrom_kvm_hz(&page);
	}
	/* A page that KVM has not written. */
	page = (struct pvrom_kvm_page){ 0 };
	CU_ASSERT_FALSE(pvrom_kvm_ns(&page, 3000, &ns));
	/* More than 64 bits of nanoseconds: no time, rather than a wrong one. */
	page = (struct pvrom_kvm_page){
		.version = 2, .mul = UINT32_MAX, .shift = 31, .system_time = 1
	};
	CU_ASSERT_FALSE(pvrom_kvm_ns(&page, UINT64_MAX, &ns));
	page = (struct pvrom_kvm_page){ .version = 2,
					.mul = UINT32_MAX,
					.system_time = UINT64_MAX };
	CU_ASSERT_FALSE(pvrom_kvm_ns(&page, 2, &ns));
}

static void hyperv_limits(void)
{
	struct pvrom_hyperv_page page = { .sequence = 1, .scale = UINT64_C(1) << 60, .offset = -5 };
	uint64_t ns;

	CU_ASSERT(pvrom_hyperv_ns(&page, 160, &ns) && ns == 500);
	CU_ASSERT_FALSE(pvrom_hyperv_ns(&page, 16, &ns)); /* before its beginning */
	page.scale = 0;
	CU_ASSERT_FALSE(pvrom_hyperv_ns(&page, 160, &ns));
	CU_ASSERT_EQUAL(pvrom_hyperv_hz(&page), 0);
	page.scale = UINT64_MAX;
	CU_ASSERT_FALSE(pvrom_hyperv_ns(&page, UINT64_MAX, &ns));
	page.scale = 1;
	CU_ASSERT_EQUAL(pvrom_hyperv_hz(&page), 0);
}

/* ---- what CPUID states ----------------------------------------------------------------------- */

static void leaf_15(void)
{
	uint32_t source;

	empty_host(0x15, false);
	add_leaf(0x15, 1000000, 2596000, 1000000000, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), HZ);
	CU_ASSERT_EQUAL(source, PVROM_CLOCK_SOURCE_CPUID_15);
	/* Not a hypervisor: its leaves are nobody's. */
	CU_ASSERT_EQUAL(host.hypervisor_leaves, 0);
	empty_host(0x14, false);
	add_leaf(0x15, 2, 216, 24000000, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), 0);
	CU_ASSERT_EQUAL(source, PVROM_CLOCK_SOURCE_NONE);
	CU_ASSERT_EQUAL(host.hypervisor_leaves, 0);
}

static void leaf_15_incomplete(void)
{
	static const uint32_t bad[][3] = { { 0, 216, 24000000 },
					   { 2, 0, 24000000 },
					   { 2, 216, 0 },
					   { 1, UINT32_MAX, UINT32_MAX },
					   { UINT32_MAX, 1, 1000 } };
	uint32_t source;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		empty_host(0x16, false);
		add_leaf(0x15, bad[i][0], bad[i][1], bad[i][2], 0);
		CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), 0);
	}
}

static void leaf_40000010(void)
{
	static const char *const known[] = { "KVMKVMKVM\0\0\0", "VMwareVMware" };
	uint32_t source;

	for (int i = 0; i < 2; i++) {
		empty_host(0xd, true);
		add_signature(0x40000000, 0x40000010, known[i]);
		add_leaf(0x40000010, 2596000, 1000000, 0, 0);
		CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), HZ);
		CU_ASSERT_EQUAL(source, PVROM_CLOCK_SOURCE_CPUID_40000010);
	}
	/* Somebody else's leaf of that number may be anything. */
	empty_host(0xd, true);
	add_signature(0x40000000, 0x40000010, "XenVMMXenVMM");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), 0);
	empty_host(0xd, true);
	add_signature(0x40000000, 0x4000000f, "VMwareVMware");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), 0);
	empty_host(0xd, false);
	add_signature(0x40000000, 0x40000010, "VMwareVMware");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&os, &source), 0);
}

/* ---- choosing -------------------------------------------------------------------------------- */

static void nothing(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;

	empty_host(0xd, false);
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_NONE);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(now.monotonic_ns, PVROM_CLOCK_NONE);
	CU_ASSERT_EQUAL(host.unknown_msrs, 0);
	CU_ASSERT_STRING_EQUAL(pvrom_clock_source_words(pvrom_clock_source(&clock)), "none");
	CU_ASSERT_STRING_EQUAL(pvrom_clock_source_words(99), "unknown");
}

/* All there is, and then each one barred after the other: the order of the table. */
static void best_first(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;
	uint64_t before;

	empty_host(0x15, true);
	add_leaf(0x15, 1000000, 2596000, 1000000000, 0);
	add_hyperv();
	add_kvm(0x40000100);
	CU_ASSERT(pvrom_clock_page_make((struct pvrom_clock_page *)memory.page, 0, HZ, NS));
	offer.page = memory.page;
	offer.measured_hz = HZ;
	for (uint32_t source = 1; source < PVROM_CLOCK_SOURCE_COUNT; source++) {
		if (source == PVROM_CLOCK_SOURCE_VMCLOCK)
			offer.vmclock = vmclock_page();
		/* Hyper-V's own leaves stand where 0x40000010 would be. */
		if (source == PVROM_CLOCK_SOURCE_CPUID_40000010) {
			empty_host(0xd, true);
			add_signature(0x40000000, 0x40000010, "VMwareVMware");
			add_leaf(0x40000010, 2596000, 0, 0, 0);
		}
		offer.barred = barring(source);
		CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), source);
		CU_ASSERT_EQUAL(pvrom_clock_source(&clock), source);
		pvrom_clock_read(&clock, 0, &now);
		before = now.monotonic_ns;
		CU_ASSERT_NOT_EQUAL(before, PVROM_CLOCK_NONE);
		pvrom_clock_read(&clock, 0, &now);
		CU_ASSERT(now.monotonic_ns >= before && now.monotonic_ns < before + NS);
		CU_ASSERT(now.tai_nsec < NS);
	}
	CU_ASSERT_EQUAL(host.unknown_msrs, 0);
}

static void msrs_of_kvm(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;

	empty_host(0xd, true);
	add_kvm(0x40000000);
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_KVMCLOCK);
	CU_ASSERT_EQUAL(host.kvm_time, 0x100001);
	CU_ASSERT_EQUAL(host.kvm_wall, 0x100000 + 64 * CPUS);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 3, &now), PVROM_CLOCK_UNAVAILABLE);
	pvrom_clock_start_cpu(&clock, 3);
	CU_ASSERT_EQUAL(host.kvm_time, 0x1000c1);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 3, &now), PVROM_CLOCK_UNKNOWN);
	pvrom_clock_start_cpu(&clock, CPUS);
	CU_ASSERT_EQUAL(host.kvm_time, 0x1000c1);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, CPUS, &now), PVROM_CLOCK_UNAVAILABLE);
	pvrom_clock_stop_cpu(&clock, 3);
	CU_ASSERT_EQUAL(host.kvm_time, 0);
}

/* A KVM that does not promise the MSRs is not asked; one whose page stays empty is left again. */
static void kvm_without_clock(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;

	empty_host(0xd, true);
	add_signature(0x40000000, 0x40000001, "KVMKVMKVM\0\0\0");
	add_leaf(0x40000001, 0, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_NONE);
	CU_ASSERT_EQUAL(host.kvm_time, 0);
	empty_host(0xd, true);
	add_kvm(0x40000000);
	host.kvm_page.version = 0;
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_NONE);
	CU_ASSERT_EQUAL(host.kvm_time, 0);
	offer.shared = NULL;
	empty_host(0xd, true);
	add_kvm(0x40000000);
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_NONE);
}

/* Seconds of KVM's wall clock are 32 bits; ours are not: it is 2097 here, and goes on past 2106. */
static void wall_of_kvm(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;
	struct pvrom_kvm_page *slot = (struct pvrom_kvm_page *)memory.shared;

	empty_host(0xd, true);
	add_kvm(0x40000000);
	pvrom_clock_start(&clock, &offer);
	slot->tsc_timestamp = UINT64_MAX;
	slot->system_time = 0x20000000 * NS + 999999999;
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNKNOWN);
	CU_ASSERT_EQUAL(now.tai_sec, UINT64_C(0x110000001));
	CU_ASSERT_EQUAL(now.tai_nsec, 6);
	CU_ASSERT_FALSE(now.offset_known);
	CU_ASSERT_EQUAL(now.maxerror_ns, PVROM_CLOCK_NONE);
}

/* The time of day that the kernel has from elsewhere, at every source that has none. */
static void wall_of_kernel(void)
{
	static const uint32_t sources[] = { PVROM_CLOCK_SOURCE_HYPERV,
					    PVROM_CLOCK_SOURCE_MEASURED };
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;

	offer.measured_hz = HZ;
	for (int i = 0; i < 2; i++) {
		empty_host(0xd, true);
		if (!i)
			add_hyperv();
		offer.has_wall = false;
		CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), sources[i]);
		CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNAVAILABLE);
		CU_ASSERT_NOT_EQUAL(now.monotonic_ns, PVROM_CLOCK_NONE);
		offer.has_wall = true;
		offer.wall_utc_sec = UINT64_C(9000000000);
		offer.wall_tsc = now.tsc;
		CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), sources[i]);
		CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNKNOWN);
		CU_ASSERT(now.tai_sec >= UINT64_C(9000000000) &&
			  now.tai_sec < UINT64_C(9000000100));
	}
}

static void never_back(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;
	struct pvrom_kvm_page *slot = (struct pvrom_kvm_page *)memory.shared;
	uint64_t first;

	empty_host(0xd, true);
	add_kvm(0x40000000);
	pvrom_clock_start(&clock, &offer);
	slot->tsc_timestamp = UINT64_MAX;
	slot->system_time = 900000;
	clock.last_ns = 0;
	pvrom_clock_read(&clock, 0, &now);
	first = now.monotonic_ns;
	CU_ASSERT_EQUAL(first, 900000);
	/* KVM's reference is refreshed and 3,509 ns earlier than it was. */
	slot->system_time -= 3509;
	pvrom_clock_read(&clock, 0, &now);
	CU_ASSERT_EQUAL(now.monotonic_ns, first);
	slot->system_time += 4000;
	pvrom_clock_read(&clock, 0, &now);
	CU_ASSERT_EQUAL(now.monotonic_ns, first + 491);
}

/* A migration: the page's time is the new host's, monotonic time is none until it is taken up again. */
static void vmclock_disruption(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock_page *page = vmclock_page();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now = { 0 };
	uint64_t before;

	empty_host(0xd, false);
	page = vmclock_page();
	offer.vmclock = page;
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_VMCLOCK);
	CU_ASSERT(pvrom_clock_tsc_hz(&clock) <= HZ && pvrom_clock_tsc_hz(&clock) >= HZ - 1);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_FALSE(now.disrupted);
	CU_ASSERT(now.tai_sec > UINT64_C(4000000000));
	before = now.monotonic_ns;
	page->disruption_marker++;
	page->counter_value = now.tsc;
	page->time_sec = 5;
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT(now.disrupted);
	CU_ASSERT_EQUAL(now.monotonic_ns, PVROM_CLOCK_NONE);
	CU_ASSERT(now.tai_sec == 5 || now.tai_sec == 6);
	pvrom_clock_resume(&clock);
	pvrom_clock_read(&clock, 0, &now);
	CU_ASSERT_FALSE(now.disrupted);
	CU_ASSERT(now.monotonic_ns >= before && now.monotonic_ns < before + 10 * NS);
}

/* ---- hostile pages --------------------------------------------------------------------------- */

static void unsettled(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;
	struct pvrom_clock_reading now;

	empty_host(0xd, true);
	add_kvm(0x40000000);
	pvrom_clock_start(&clock, &offer);
	((struct pvrom_kvm_page *)memory.shared)->version = 3;
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(now.monotonic_ns, PVROM_CLOCK_NONE);
	empty_host(0xd, true);
	add_hyperv();
	pvrom_clock_start(&clock, &offer);
	CU_ASSERT_EQUAL(clock.source, PVROM_CLOCK_SOURCE_HYPERV);
	((struct pvrom_hyperv_page *)memory.shared)->sequence = 0;
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &now), PVROM_CLOCK_UNAVAILABLE);
	CU_ASSERT_EQUAL(now.monotonic_ns, PVROM_CLOCK_NONE);
}

static void scribble(uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(lrand48() >> 7);
}

/* Any bytes, once the source has been chosen: an answer, and it never goes back. */
static void random_pages(void)
{
	static const uint32_t sources[] = { PVROM_CLOCK_SOURCE_KVMCLOCK, PVROM_CLOCK_SOURCE_HYPERV,
					    PVROM_CLOCK_SOURCE_VMCLOCK };
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock_reading now = { 0 };
	struct pvrom_clock clock;
	uint64_t last;

	for (int s = 0; s < 3; s++) {
		empty_host(0xd, true);
		if (s == 1)
			add_hyperv();
		else
			add_kvm(0x40000000);
		offer.vmclock = s == 2 ? vmclock_page() : NULL;
		CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), sources[s]);
		last = 0;
		for (int i = 0; i < 20000; i++) {
			scribble(memory.shared, 64);
			/* Odd would only be waited for. */
			memory.shared[0] &= 0xfe;
			scribble(memory.page, 0x70);
			memory.page[PVROM_CLOCK_SEQ_COUNT] &= 0xfe;
			pvrom_clock_read(&clock, 0, &now);
			CU_ASSERT(now.status <= PVROM_CLOCK_UNAVAILABLE);
			CU_ASSERT(now.status == PVROM_CLOCK_UNAVAILABLE || now.tai_nsec < NS);
			if (now.monotonic_ns == PVROM_CLOCK_NONE)
				continue;
			CU_ASSERT(now.monotonic_ns >= last);
			last = now.monotonic_ns;
		}
	}
}

/* Pages that are nonsense from the start are not chosen, and nothing is left registered with the host. */
static void random_starts(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock clock;

	for (int i = 0; i < 20000; i++) {
		uint32_t source;

		empty_host(0xd, true);
		add_hyperv();
		add_kvm(0x40000100);
		scribble((uint8_t *)&host.kvm_page, sizeof(host.kvm_page));
		scribble((uint8_t *)&host.kvm_wall_page, sizeof(host.kvm_wall_page));
		scribble((uint8_t *)&host.hyperv_page, sizeof(host.hyperv_page));
		host.kvm_page.version &= ~1u;
		host.kvm_wall_page.version &= ~1u;
		scribble(memory.page, sizeof(memory.page));
		memory.page[PVROM_CLOCK_SEQ_COUNT] &= 0xfe;
		offer.page = offer.vmclock = memory.page;
		source = pvrom_clock_start(&clock, &offer);
		CU_ASSERT(source == PVROM_CLOCK_SOURCE_KVMCLOCK ||
			  source == PVROM_CLOCK_SOURCE_HYPERV || source == PVROM_CLOCK_SOURCE_NONE);
		CU_ASSERT_EQUAL(host.kvm_time != 0, source == PVROM_CLOCK_SOURCE_KVMCLOCK);
		CU_ASSERT_EQUAL(host.hyperv_tsc != 0, source == PVROM_CLOCK_SOURCE_HYPERV);
	}
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "division", shift_divide },
		{ "recorded pages", recorded_pages },
		{ "kvmclock's limits", kvm_limits },
		{ "Hyper-V's limits", hyperv_limits },
		{ "CPUID leaf 0x15", leaf_15 },
		{ "an incomplete leaf 0x15", leaf_15_incomplete },
		{ "CPUID leaf 0x40000010", leaf_40000010 },
		{ "a machine with nothing", nothing },
		{ "the best source first", best_first },
		{ "KVM's MSRs", msrs_of_kvm },
		{ "a KVM without its clock", kvm_without_clock },
		{ "KVM's wall clock", wall_of_kvm },
		{ "a time of day from elsewhere", wall_of_kernel },
		{ "never back", never_back },
		{ "a disrupted VMClock", vmclock_disruption },
		{ "pages that never settle", unsettled },
		{ "random bytes in pages", random_pages },
		{ "random bytes at the start", random_starts },
		{ 0 },
	};

	return tap_run("clock_source", tests);
}
