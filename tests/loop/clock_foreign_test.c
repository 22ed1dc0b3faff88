/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What other hosts' pages and CPUID leaves say: the arithmetic of the adapters. The pages of KVM and Hyper-V are
 * recorded from the lab's KVM, that of VMClock from pvrun there; what they must say is what the same kernel said, and
 * what exact arithmetic says.
 */
#include "foreign_host.h"

#include <stdlib.h>

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

/* VMClock's structure in 64-bit words, from a host whose clock was synchronized within 2 ms. */
static const uint64_t recorded_vmclock[14] = { 0x000010004b4c4356,
					       0x0000000801010001,
					       1,
					       0x151,
					       0x1e00ffdb00020000,
					       0x00000001d819e436,
					       0x69e1848388db9814,
					       0,
					       0x000d8d78f640ac6e,
					       0x000000006b01e659,
					       0x008aab2de13ab56f,
					       0,
					       0x0000000000356835,
					       1 };
static const struct {
	uint64_t tsc, sec, error;
	uint32_t nsec;
} said_vmclock[] = {
	{ UINT64_C(7920542774), 1795286617, 3500085, 2115915 },
	{ UINT64_C(8977840600), 1795286617, 3703715, 409379186 },
	{ UINT64_C(9666081244), 1795286617, 3836266, 674484370 },
	/* Not recorded: an hour on without an update. */
	{ UINT64_C(9355681000000), 1795290217, 1803826524, 690018685 },
};

static void recorded_vmclocks(void)
{
	struct pvrom_clock_offer offer = everything();
	struct pvrom_clock_page *page = (struct pvrom_clock_page *)memory.page;
	struct pvrom_clock_reading r;
	struct pvrom_clock clock;

	empty_host(0xd, false);
	memcpy(page, recorded_vmclock, sizeof(recorded_vmclock));
	for (size_t i = 0; i < sizeof(said_vmclock) / sizeof(said_vmclock[0]); i++) {
		const struct pvrom_clock_tai_ tai = pvrom_clock_tai_load_(page);

		pvrom_clock_tai_at_(&tai, said_vmclock[i].tsc, &r);
		CU_ASSERT_EQUAL(r.tai_sec, said_vmclock[i].sec);
		CU_ASSERT_EQUAL(r.tai_nsec, said_vmclock[i].nsec);
		/* Not less than exact, and rounded up by little. */
		CU_ASSERT(r.maxerror_ns >= said_vmclock[i].error &&
			  r.maxerror_ns <= said_vmclock[i].error + 3);
	}
	offer.vmclock = page;
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_VMCLOCK);
	CU_ASSERT(pvrom_clock_tsc_hz(&clock) / 1000 - 2596000 < 1000);
	CU_ASSERT_EQUAL(pvrom_clock_read(&clock, 0, &r), PVROM_CLOCK_SYNCHRONIZED);
	CU_ASSERT_EQUAL(r.utc_offset_sec, -37);
	/* As QEMU's device leaves it (hw/acpi/vmclock.c), which serves the generation counter and no clock. */
	memset(page, 0, PVROM_CLOCK_PAGE_SIZE);
	page->magic = PVROM_VMCLOCK_MAGIC;
	page->size = PVROM_CLOCK_PAGE_SIZE;
	page->version = PVROM_VMCLOCK_VERSION;
	page->counter_id = PVROM_VMCLOCK_COUNTER_INVALID;
	CU_ASSERT_EQUAL(pvrom_clock_start(&clock, &offer), PVROM_CLOCK_SOURCE_NONE);
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
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), HZ);
	CU_ASSERT_EQUAL(source, PVROM_CLOCK_SOURCE_CPUID_15);
	/* Not a hypervisor: its leaves are nobody's. */
	CU_ASSERT_EQUAL(host.hypervisor_leaves, 0);
	empty_host(0x14, false);
	add_leaf(0x15, 2, 216, 24000000, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), 0);
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
		CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), 0);
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
		CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), HZ);
		CU_ASSERT_EQUAL(source, PVROM_CLOCK_SOURCE_CPUID_40000010);
	}
	/* Somebody else's leaf of that number may be anything. */
	empty_host(0xd, true);
	add_signature(0x40000000, 0x40000010, "XenVMMXenVMM");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), 0);
	empty_host(0xd, true);
	add_signature(0x40000000, 0x4000000f, "VMwareVMware");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), 0);
	empty_host(0xd, false);
	add_signature(0x40000000, 0x40000010, "VMwareVMware");
	add_leaf(0x40000010, 2596000, 0, 0, 0);
	CU_ASSERT_EQUAL(pvrom_clock_stated_hz(&foreign_os, &source), 0);
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "division", shift_divide },
		{ "recorded pages", recorded_pages },
		{ "recorded pages of VMClock", recorded_vmclocks },
		{ "kvmclock's limits", kvm_limits },
		{ "Hyper-V's limits", hyperv_limits },
		{ "CPUID leaf 0x15", leaf_15 },
		{ "an incomplete leaf 0x15", leaf_15_incomplete },
		{ "CPUID leaf 0x40000010", leaf_40000010 },
		{ 0 },
	};

	return tap_run("clock_foreign", tests);
}
