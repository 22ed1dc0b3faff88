/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Both halves in one process: the shim finds, loads and negotiates with the real host core over an array
 * of bytes, is told why it does not get more, and moves to another host.
 */
#include <string.h>

#include "core_machine.h"

#define LIVE_PORT 0x510

static struct core_machine *b;

/* ---- the ROM of the host passes the checks of the guest ------------------------------------------- */

static void each_rom_that_the_host_builds_is_right(void)
{
	static const struct {
		uint16_t transport;
		uint8_t port;
	} transports[] = { { PVROM_TRANSPORT_VMCALL, 0 },
			   { PVROM_TRANSPORT_VMMCALL, 0 },
			   { PVROM_TRANSPORT_PORT, 0 },
			   { PVROM_TRANSPORT_PORT, 0xff } };

	for (uint32_t n = 0; n < 4 * 4 * 2 * 2; n++) {
		uint32_t verdict;

		b = core_machine_new();
		b->config.transport = transports[n % 4].transport;
		b->config.transport_port = transports[n % 4].port;
		b->config.slots = n / 4 % 4;
		b->config.flags = n / 16 % 2 ? PVROM_HOST_EOI_X2APIC : 0;
		b->config.live_port = n / 32 % 2 ? LIVE_PORT : 0;
		core_machine_power_on(b);
		verdict = pvrom_rom_check(b->m->memory + MACHINE_HOST_ROM, 0x80000);
		CU_ASSERT_EQUAL(verdict, PVROM_VERDICT_READY);
		if (verdict)
			tap_note("transport %u, slots %u: %s", b->config.transport, b->config.slots,
				 pvrom_verdict_words(verdict));
		core_machine_free(b);
	}
}

static void starts_with_each_transport(void)
{
	for (uint16_t transport = PVROM_TRANSPORT_VMCALL; transport < PVROM_TRANSPORT_COUNT;
	     transport++) {
		b = core_machine_new();
		machine_add_usual_sites(b->m);
		b->config.transport = transport;
		b->config.transport_port = transport == PVROM_TRANSPORT_PORT ? CORE_PORT : 0;
		CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->granted, ALL);
		CU_ASSERT_EQUAL(b->core.sealed, ALL);
		CU_ASSERT_EQUAL(b->m->guest->epoch, b->core.epoch);
		CU_ASSERT_EQUAL(memcmp(b->m->guest->digest, b->core.rom_digest, 32), 0);
		CU_ASSERT_NOT_EQUAL(b->m->guest->patched, 0);
		pvrom_guest_unpatch(b->m->guest);
		CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
		core_machine_free(b);
	}
}

/* NORMAL serves the cpu group natively; the forms for tests reach sites that have one. */
static void each_way_to_serve_slots(void)
{
	uint32_t patched[4];

	for (uint32_t slots = 0; slots < 4; slots++) {
		b = core_machine_new();
		machine_add_usual_sites(b->m);
		b->config.slots = slots;
		CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
		patched[slots] = b->m->guest->patched;
		pvrom_guest_unpatch(b->m->guest);
		CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
		core_machine_free(b);
	}
	CU_ASSERT_EQUAL(patched[PVROM_SLOTS_NORMAL], 2); /* EOI and alarm cancel */
	CU_ASSERT_EQUAL(patched[PVROM_SLOTS_NATIVE], 0);
	CU_ASSERT_TRUE(patched[PVROM_SLOTS_INLINE] > 10);
	CU_ASSERT_TRUE(patched[PVROM_SLOTS_CALL] > 10);
}

static void live_port_of_the_core(void)
{
	struct pvrom_host_vcpu *vcpu;

	b = core_machine_new();
	b->config.live_port = LIVE_PORT;
	b->config.live_key = 0x12345678;
	core_machine_power_on(b);
	vcpu = &b->vcpu[0];
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678);
	pvrom_host_live_write(vcpu, 0x55);
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678 ^ 0x55);
	CU_ASSERT_EQUAL(pvrom_host_live_read(vcpu), 0x12345678);
	/* And the machine's port, which answers alike, makes the shim believe in it. */
	b->m->leaf_count = 0;
	b->m->hypervisor_bit = false;
	b->m->live_port = LIVE_PORT;
	b->m->live_key = 0x12345678;
	b->m->policy->loader_gpa = MACHINE_HOST_ROM;
	CU_ASSERT_EQUAL(machine_start(b->m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(b->m->guest->route, PVROM_ROUTE_LOADER);
	core_machine_free(b);
}

/* ---- negotiation --------------------------------------------------------------------------------- */

static void operator_and_reasons(void)
{
	b = core_machine_new();
	machine_add_usual_sites(b->m);
	b->config.operator_off = BIT(IRQ);
	b->m->policy->required = BIT(ALARM);
	core_machine_power_on(b);
	machine_expect_native(b->m, PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(b->m->guest->missing, BIT(ALARM));
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_IRQ], PVROM_REASON_OPERATOR);
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_ALARM], PVROM_REASON_DEPENDENCY);
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	core_machine_free(b);
}

static void mmu_is_withheld_with_its_reason(void)
{
	static const struct {
		uint32_t hardware;
		uint64_t off;
		uint8_t reason;
	} cases[] = {
		{ PVROM_HW_NESTED_PAGING, 0, PVROM_REASON_NESTED_PAGING },
		{ 0, 0, PVROM_REASON_NOT_OWNED },
		{ PVROM_HW_NESTED_PAGING, BIT(MMU), PVROM_REASON_OPERATOR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = core_machine_new();
		b->config.hardware = cases[i].hardware;
		b->config.operator_off = cases[i].off;
		b->m->policy->wanted |= BIT(MMU);
		CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
		CU_ASSERT_EQUAL(b->m->guest->granted, ALL);
		CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_MMU], cases[i].reason);
		core_machine_free(b);
	}
}

static void epoch_reaches_the_area(void)
{
	b = core_machine_new();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(b->m->area->size, PVROM_VCPU_AREA_SIZE);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	pvrom_host_set_hardware(&b->core, PVROM_HW_NESTED_PAGING);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(b->events[3], b->m->policy->epoch_vector);
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(b->m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(b->m->guest->offer.reason[PVROM_FEATURE_MMU], PVROM_REASON_NESTED_PAGING);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, NULL), PVROM_STATUS_OK);
	core_machine_free(b);
}

/* Saved here, loaded there: a host with another ROM, so the guest patches anew. */
static void moved_to_another_host(void)
{
	static uint8_t image[0x4000];
	const uint8_t *old_copy;
	size_t size;

	b = core_machine_new();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_host_save(&b->core, image, sizeof(image), &size), PVROM_HOST_OK);
	old_copy = b->m->guest->copy;
	b->config.rom_gpa = 0x280000;
	b->config.slots = PVROM_SLOTS_CALL;
	core_machine_power_on(b);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_load(&b->core, image, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(b->m->guest, b->m->area));
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(b->m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_PTR_NOT_EQUAL(b->m->guest->copy, old_copy);
	CU_ASSERT_EQUAL(b->m->guest->rom_gpa, 0x280000);
	CU_ASSERT_TRUE(b->m->guest->patched > 10);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	pvrom_guest_unpatch(b->m->guest);
	CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
	core_machine_free(b);
}

static void stop_and_start_again(void)
{
	b = core_machine_new();
	machine_add_usual_sites(b->m);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_guest_stop(b->m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	CU_ASSERT_EQUAL(b->vcpu[0].area_gpa, PVROM_VCPU_AREA_NONE);
	CU_ASSERT_TRUE(machine_text_is_unchanged(b->m));
	CU_ASSERT_EQUAL(machine_start(b->m), PVROM_VERDICT_READY); /* the next kernel, say */
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	core_machine_free(b);
}

static void calls_outside_the_sealed_set(void)
{
	b = core_machine_new();
	b->m->policy->wanted = BIT(CPU);
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_CLOCK_ALARM_SET, 5000, 0, 0, 0, NULL),
			PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, 0x7f00, 0, 0, 0, 0, NULL),
			PVROM_STATUS_NOT_SUPPORTED);
	core_machine_free(b);
}

/* A host that leaves in the registers what it had there: nothing of it reaches the kernel. */
static uint32_t careless_host(struct machine *m, uint32_t call, uint64_t arg[4], uint64_t *value)
{
	(void)m;
	(void)call;
	(void)arg;
	*value = 0xdeaddeaddead0001;
	return 0xbadbad;
}

static void void_calls_answer_nothing(void)
{
	uint64_t value = 1;

	b = core_machine_new();
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	b->m->host = careless_host;
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_IRQ_EOI, 0, 0, 0, 0, &value),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, 0);
	CU_ASSERT_EQUAL(pvrom_call(b->m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value), 0xbadbad);
	CU_ASSERT_EQUAL(value, 0xdeaddeaddead0001);
	core_machine_free(b);
}

/* What a new epoch does to memory that once was an area; true if it has changed. */
static bool epoch_writes_old_area(void)
{
	uint8_t *memory = (uint8_t *)b->m->area;
	bool written = false;

	memset(memory, 0x5a, PVROM_VCPU_AREA_SIZE);
	pvrom_host_raise_epoch(&b->core);
	for (size_t i = 0; i < PVROM_VCPU_AREA_SIZE; i++)
		written |= memory[i] != 0x5a;
	return written;
}

static void area_is_released_before_its_memory_is_used(void)
{
	b = core_machine_new();
	CU_ASSERT_EQUAL(core_machine_start(b), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(epoch_writes_old_area()); /* so much for a kernel that does not release it */
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, NULL), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(epoch_writes_old_area());
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(b->m->guest, b->m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_guest_stop(b->m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(epoch_writes_old_area());
	core_machine_free(b);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(each_rom_that_the_host_builds_is_right),
		TAP_TEST(starts_with_each_transport),
		TAP_TEST(each_way_to_serve_slots),
		TAP_TEST(live_port_of_the_core),
		TAP_TEST(operator_and_reasons),
		TAP_TEST(mmu_is_withheld_with_its_reason),
		TAP_TEST(epoch_reaches_the_area),
		TAP_TEST(moved_to_another_host),
		TAP_TEST(stop_and_start_again),
		TAP_TEST(calls_outside_the_sealed_set),
		{ "void_calls_answer_nothing [PVROM-CALL-23]", void_calls_answer_nothing },
		{ "area_is_released_before_its_memory_is_used [PVROM-VCPU-6]",
		  area_is_released_before_its_memory_is_used },
		{ 0 },
	};

	return tap_run("guest_core", tests);
}
