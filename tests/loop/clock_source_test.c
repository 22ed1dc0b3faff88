/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The adapters: one guest call on every clock that a machine may have, and on pages of any bytes. */
#include "foreign_host.h"

#include <stdlib.h>

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
