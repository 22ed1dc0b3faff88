/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The two halves in one process: the real host behind the real shim. Every way of serving slots, change
 * of hardware, move to another host, reset, and bugs of the host as the shim sees them.
 */
#include <string.h>

#include "../../host/bugs.h"
#include "core_machine.h"

static struct core_machine *b;
static struct machine *m;

static void begin_with(uint32_t slots, uint32_t flags)
{
	b = core_machine_new();
	m = b->m;
	machine_add_usual_sites(m);
	b->config.slots = slots;
	b->config.flags |= flags;
	core_machine_power_on(b);
}

static void begin(void)
{
	begin_with(PVROM_SLOTS_NORMAL, 0);
}

static void end(void)
{
	core_machine_free(b);
}

static struct pvrom_site *site_of(uint32_t call)
{
	size_t i;

	for (i = 0; i < m->site_count; i++)
		if (m->sites[i].call == call)
			return &m->sites[i];
	return NULL;
}

/* What stands at the site of a call: the first byte, with the prefixes of padding taken off. */
static uint8_t opcode(uint32_t call)
{
	const uint8_t *text = machine_site_text(site_of(call));

	while (*text == 0x2e)
		text++;
	return *text;
}

/* Where the call or jump at a site goes, NULL if it does not go into the copy of the ROM. */
static const uint8_t *goes_to(uint32_t call)
{
	const uint8_t *text = machine_site_text(site_of(call));
	int32_t distance;

	memcpy(&distance, text + 1, sizeof(distance));
	return text + 5 + distance;
}

/* The name of the text whose beginning the site calls. */
static const char *symbol(uint32_t call)
{
	uint32_t offset;
	const char *name = pvrom_guest_symbol(m->guest, goes_to(call), &offset);

	return name && !offset ? name : "nothing";
}

/* ---- slots ------------------------------------------------------------------------------------- */

static void normal(void)
{
	begin();
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, ALL);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	CU_ASSERT_EQUAL(m->guest->patched, 2);
	CU_ASSERT_EQUAL(opcode(PVROM_IRQ_EOI), 0xe8);
	CU_ASSERT_STRING_EQUAL(symbol(PVROM_IRQ_EOI), "irq.eoi");
	CU_ASSERT_STRING_EQUAL(symbol(PVROM_CLOCK_ALARM_CANCEL), "clock.alarm_cancel");
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_CLI), 0xfa);
	end();
}

/* In the copy the access to the area is what the policy says: %gs:(0x100 + 0x14). */
static void eoi_is_relocated(void)
{
	begin();
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(memcmp(goes_to(PVROM_IRQ_EOI),
			       "\xf3\x0f\x1e\xfa\x65\x0f\xba\x34\x25\x14\x01\0\0\0\x72", 15),
			0);
	end();
}

static void native(void)
{
	begin_with(PVROM_SLOTS_NATIVE, 0);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, ALL);
	CU_ASSERT_EQUAL(m->guest->patched, 0);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	end();
}

/* Templates are the instructions, so nothing but padding may differ from the native form. */
static void inlined(void)
{
	begin_with(PVROM_SLOTS_INLINE, 0);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_CLI), 0xfa);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_STI), 0xfb);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_HALT), 0xf4);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_READ_CR3), 0x0f);
	CU_ASSERT_EQUAL(opcode(PVROM_IRQ_EOI), 0xe8);
	end();
}

static void called(void)
{
	static const uint32_t calls[] = { PVROM_CPU_CLI,      PVROM_CPU_PAUSE,
					  PVROM_CPU_READ_CR0, PVROM_CPU_READ_CR2,
					  PVROM_CPU_READ_CR3, PVROM_CPU_READ_CR8,
					  PVROM_CPU_READ_DR6, PVROM_CPU_WBINVD,
					  PVROM_CPU_STORE_TR, PVROM_CPU_HALT };
	uint32_t i;

	begin_with(PVROM_SLOTS_CALL, 0);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const uint8_t *text = machine_site_text(site_of(calls[i]));

		while (*text == 0x2e)
			text++;
		CU_ASSERT_EQUAL(*text, 0xe8);
	}
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_IRET), 0xe9);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_SWAPGS), 0x0f);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_STI), 0xfb);
	CU_ASSERT_STRING_EQUAL(symbol(PVROM_CPU_IRET), "cpu.iret");
	end();
}

static void x2apic(void)
{
	begin_with(PVROM_SLOTS_NORMAL, PVROM_HOST_EOI_X2APIC);
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	/* This kernel has not said that its APICs are in that mode. */
	CU_ASSERT_EQUAL(m->guest->patched, 1);
	end();
	begin_with(PVROM_SLOTS_NORMAL, PVROM_HOST_EOI_X2APIC);
	m->policy->flags |= PVROM_POLICY_X2APIC;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	/* xor %eax,%eax behind the test of the area. */
	CU_ASSERT_EQUAL(memcmp(goes_to(PVROM_IRQ_EOI) + 16, "\x31\xc0", 2), 0);
	end();
}

/* ---- the life of a set ------------------------------------------------------------------------- */

static void required_is_missing(void)
{
	begin();
	b->config.operator_off = BIT(IRQ);
	core_machine_power_on(b);
	m->policy->required = BIT(IRQ);
	machine_expect_native(m, PVROM_VERDICT_REQUIRED_MISSING);
	CU_ASSERT_EQUAL(m->guest->missing, BIT(IRQ));
	CU_ASSERT_EQUAL(m->guest->offer.reason[PVROM_FEATURE_IRQ], PVROM_REASON_OPERATOR);
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	end();
}

static void hardware_changes(void)
{
	begin();
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(pvrom_guest_epoch_moved(m->guest, m->area));
	pvrom_host_set_hardware(&b->core, PVROM_HW_APIC | PVROM_HW_NESTED_PAGING);
	CU_ASSERT_EQUAL(b->events[0], 0x41);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(m->guest, m->area));
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->granted, BIT(CPU) | BIT(SMP));
	CU_ASSERT_EQUAL(b->core.sealed, BIT(CPU) | BIT(SMP));
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(m->guest->offer.reason[PVROM_FEATURE_MMU], PVROM_REASON_NESTED_PAGING);
	pvrom_host_set_hardware(&b->core, 0);
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	CU_ASSERT_EQUAL(opcode(PVROM_IRQ_EOI), 0xe8);
	end();
}

/* Saved here, loaded into a host that serves everything by text: a new ROM, patched anew. */
static void moves_to_another_host(void)
{
	uint8_t image[4096];
	size_t size;

	begin();
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_host_save(&b->core, image, sizeof(image), &size), PVROM_HOST_OK);
	b->config.slots = PVROM_SLOTS_CALL;
	core_machine_power_on(b);
	CU_ASSERT_EQUAL(pvrom_host_load(&b->core, image, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	CU_ASSERT_TRUE(pvrom_guest_epoch_moved(m->guest, m->area));
	CU_ASSERT_EQUAL(pvrom_guest_renegotiate(m->guest), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(m->guest->rom_checksum, b->core.rom_checksum);
	CU_ASSERT_EQUAL(opcode(PVROM_CPU_CLI), 0xe8);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	end();
}

static void stops(void)
{
	begin();
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(pvrom_guest_vcpu_area(m->guest, m->area), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_CLOCK_ALARM_SET, 1, 0, 0, 0, NULL),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_guest_stop(m->guest, 0), PVROM_STATUS_OK);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(b->core.sealed, 0);
	CU_ASSERT_EQUAL(b->vcpu[0].area_gpa, PVROM_VCPU_AREA_NONE);
	CU_ASSERT_EQUAL(b->alarm, 0);
	/* The next kernel begins as the first did. */
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_EQUAL(b->core.sealed, ALL);
	end();
}

static void plain_calls(void)
{
	uint64_t value = 0;

	begin();
	m->policy->flags = PVROM_POLICY_DATA_ONLY;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	CU_ASSERT_TRUE(machine_text_is_unchanged(m));
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_BASE_VERSION, 0, 0, 0, 0, &value),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(value, (uint64_t)PVROM_MAJOR << 16 | PVROM_MINOR);
	CU_ASSERT_EQUAL(pvrom_call(m->guest, PVROM_CPU_CLI, 0, 0, 0, 0, NULL),
			PVROM_STATUS_NOT_REQUIRED);
	end();
}

static void only_this_digest(void)
{
	begin();
	m->policy->allowed = (const uint8_t(*)[32]) & b->core.rom_digest;
	m->policy->allowed_count = 1;
	CU_ASSERT_EQUAL(machine_start(m), PVROM_VERDICT_READY);
	end();
	begin();
	m->policy->allowed = (const uint8_t(*)[32])machine_at(m, MACHINE_PCI_ROM);
	m->policy->allowed_count = 1;
	machine_expect_native(m, PVROM_VERDICT_NOT_ALLOWED);
	end();
}

/* ---- bugs of the host, as the shim sees them --------------------------------------------------- */

static void with_bug(uint32_t bug, uint32_t verdict)
{
	pvrom_host_bug = bug;
	begin();
	machine_expect_native(m, verdict);
	end();
	pvrom_host_bug = 0;
}

static void bugs_that_the_shim_sees(void)
{
	with_bug(PVROM_BUG_CPUID_CHECKSUM, PVROM_VERDICT_CPUID_LIES);
	with_bug(PVROM_BUG_CPUID_LEAVES, PVROM_VERDICT_NO_ROM);
	with_bug(PVROM_BUG_TEXT_OVERLAP, PVROM_VERDICT_BAD_TEXT);
}

static void set_that_is_not_closed(void)
{
	pvrom_host_bug = PVROM_BUG_NOT_CLOSED;
	begin();
	b->config.operator_off = BIT(IRQ);
	core_machine_power_on(b);
	machine_expect_native(m, PVROM_VERDICT_HOST_ERROR);
	end();
	pvrom_host_bug = 0;
}

static const struct tap_test tests[] = {
	{ "slots as they usually are", normal },
	{ "eoi finds the area as the kernel declared [PVROM-ROM-23]", eoi_is_relocated },
	{ "slots: all native", native },
	{ "slots: inline", inlined },
	{ "slots: call [PVROM-CPU-4]", called },
	{ "slots: eoi for x2APIC", x2apic },
	{ "a required feature is missing [PVROM-NEG-22]", required_is_missing },
	{ "the hardware changes there and back [PVROM-NEG-19 PVROM-NEG-25]", hardware_changes },
	{ "to another host with another ROM [PVROM-STATE-4 PVROM-STATE-5]", moves_to_another_host },
	{ "stop, and start again [PVROM-BASE-21]", stops },
	{ "plain calls alone [PVROM-ROM-30]", plain_calls },
	{ "only ROMs on the list [PVROM-ROM-29]", only_this_digest },
	{ "bugs of the host that the shim sees [PVROM-DISC-6]", bugs_that_the_shim_sees },
	{ "a host that grants a set which is not closed [PVROM-SEC-6]", set_that_is_not_closed },
	{ 0 }
};

int main(void)
{
	return tap_run("host_guest", tests);
}
