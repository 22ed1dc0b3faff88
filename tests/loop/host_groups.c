/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The cpu, irq, smp and clock groups, and discovery: each call good and bad, and what the embedder is asked. */
#include "host_world.h"

static struct world w;

#define CALL(call, a, b, c) world_call(&w, 0, PVROM_##call, a, b, c)
#define EXPECT(what, n, index, value) CU_ASSERT_EQUAL(world_arg(&w, what, n, index), value)

static void open_all(uint32_t vcpus)
{
	world_open(&w, vcpus);
	CU_ASSERT_EQUAL_FATAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	world_forget(&w);
}

/* ---- cpu --------------------------------------------------------------------------------------- */

static void cpu_calls(void)
{
	uint32_t number;

	open_all(1);
	for (number = PVROM_CPU_CLI; number <= PVROM_CPU_CLAC; number++)
		if (number != PVROM_CPU_PAUSE)
			CU_ASSERT_EQUAL(world_call(&w, 0, number, 1, 2, 3),
					PVROM_STATUS_NOT_REQUIRED);
	CALL(CPU_PAUSE, 0, 0, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_VOID);
	CU_ASSERT_EQUAL(w.events, 0);
	world_close(&w);
}

/* ---- irq --------------------------------------------------------------------------------------- */

static void irq_route(void)
{
	open_all(3);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 32, 2), PVROM_STATUS_OK);
	EXPECT(W_ROUTE, 0, 0, 5);
	EXPECT(W_ROUTE, 0, 1, 32);
	EXPECT(W_ROUTE, 0, 2, 2);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 255, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 31, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 256, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 0x100000020, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 32, 3), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5, 32, 1ull << 32), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, WORLD_SOURCES, 32, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_EQUAL(CALL(IRQ_ROUTE, 5 | 1ull << 32, 32, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_PTR_NULL(world_event(&w, W_ROUTE, 2));
	world_close(&w);
}

static void irq_mask(void)
{
	open_all(1);
	CU_ASSERT_EQUAL(CALL(IRQ_MASK, 15, 1, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(IRQ_MASK, 14, 0, 0), PVROM_STATUS_OK);
	EXPECT(W_MASK, 0, 0, 15);
	EXPECT(W_MASK, 0, 1, 1);
	EXPECT(W_MASK, 1, 0, 14);
	EXPECT(W_MASK, 1, 1, 0);
	CU_ASSERT_EQUAL(CALL(IRQ_MASK, 15, 2, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_MASK, 15, 1ull << 63, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_MASK, 16, 1, 0), PVROM_STATUS_NOT_SUPPORTED);
	CU_ASSERT_PTR_NULL(world_event(&w, W_MASK, 2));
	world_close(&w);
}

static void irq_eoi(void)
{
	open_all(2);
	world_call(&w, 1, PVROM_IRQ_EOI, 0, 0, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_VOID);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world_event(&w, W_EOI, 0));
	EXPECT(W_EOI, 0, 0, 1);
	world_close(&w);
}

static void irq_send(void)
{
	open_all(70);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 0, 1), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 255, 6, ~0ull), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, PVROM_IRQ_SEND_NMI, 69, 1), PVROM_STATUS_OK);
	EXPECT(W_SEND, 0, 0, 32);
	EXPECT(W_SEND, 0, 1, 0);
	EXPECT(W_SEND, 0, 2, 1);
	EXPECT(W_SEND, 1, 1, 6);
	EXPECT(W_SEND, 1, 2, ~0ull);
	EXPECT(W_SEND, 2, 0, PVROM_IRQ_SEND_NMI);
	world_close(&w);
}

static void irq_send_refused(void)
{
	open_all(70);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 31, 0, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 0, 0, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 0x101, 0, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 1ull << 32 | 32, 0, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 70, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 7, ~0ull), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 69, 2), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, ~0ull, 2), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 1ull << 32, 1), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(IRQ_SEND, 32, 3, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.events, 0);
	world_close(&w);
}

/* ---- smp --------------------------------------------------------------------------------------- */

#define STATE UINT64_C(0x6000)

static struct pvrom_smp_state *good_state(void)
{
	struct pvrom_smp_state *s = world_at(&w, STATE);

	*s = (struct pvrom_smp_state){
		.size = sizeof(*s),
		.rip = 0xffffffff80001000,
		.rsp = 0x9000,
		.rdi = 0x1122334455667788,
		.cr0 = 0x80050033,
		.cr3 = 0x7000,
		.cr4 = 0x6a0,
		.efer = 0xd01,
		.gdt_base = 0xffffffff80002000,
		.idt_base = 0x7fffffffffff,
		.gs_base = 0x1000,
		.fs_base = 0xffff800000000000,
		.pat = 0x0007040600070406,
		.gdt_limit = 0x37,
		.idt_limit = 0xfff,
		.cs = 8,
		.ss = 16,
	};
	return s;
}

static uint32_t start(void)
{
	return world_call(&w, 0, PVROM_SMP_START, 1, STATE, 0);
}

static void smp_start(void)
{
	const struct pvrom_smp_state *s;

	open_all(2);
	s = good_state();
	CU_ASSERT_EQUAL(start(), PVROM_STATUS_OK);
	EXPECT(W_START, 0, 0, 1);
	CU_ASSERT_EQUAL(memcmp(&w.started, s, sizeof(*s)), 0);
	CU_ASSERT_EQUAL(start(), PVROM_STATUS_BUSY);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_START, 0, STATE, 0), PVROM_STATUS_BUSY);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_START, 2, STATE, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_START, 1ull << 32, STATE, 0),
			PVROM_STATUS_INVALID);
	world_close(&w);
}

static void smp_start_addresses(void)
{
	static const uint64_t wrong[] = {
		STATE + 1,  STATE + 4, WORLD_LOW_END, WORLD_LOW_END - 8,
		WORLD_HOLE, ~0x7full,  ~7ull,	      WORLD_MID_END - 0x78
	};
	uint32_t i;

	open_all(2);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_START, 1, wrong[i], 0),
				PVROM_STATUS_ADDRESS);
	memcpy(world_at(&w, WORLD_LOW_END - 0x80), good_state(), 0x80);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_START, 1, WORLD_LOW_END - 0x80, 0),
			PVROM_STATUS_OK);
	world_close(&w);
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct pvrom_smp_state *s = good_state();                                          \
		change;                                                                            \
		CU_ASSERT_EQUAL(start(), PVROM_STATUS_INVALID);                                    \
	} while (0)

static void smp_start_states(void)
{
	open_all(2);
	REFUSED(s->size = 0x7f);
	REFUSED(s->size = 0x88);
	REFUSED(s->reserved = 1);
	REFUSED(s->reserved2[0] = 1);
	REFUSED(s->reserved2[1] = 1ull << 63);
	REFUSED(s->rip = 0x800000000000);
	REFUSED(s->gdt_base = 1ull << 63);
	REFUSED(s->idt_base = 0x800000000000);
	REFUSED(s->gs_base = 0xffff000000000000);
	REFUSED(s->fs_base = 0x00ff800000000000);
	REFUSED(s->cr0 &= ~1ull);
	REFUSED(s->cr0 &= ~0x80000000ull);
	REFUSED(s->cr0 |= 0x20000000);
	REFUSED(s->cr0 |= 1ull << 32);
	REFUSED(s->cr4 &= ~0x20ull);
	REFUSED(s->efer &= ~0x100ull);
	REFUSED(s->efer &= ~0x400ull);
	REFUSED(s->efer |= 2);
	REFUSED(s->efer |= 1ull << 16);
	REFUSED(s->pat = 2);
	REFUSED(s->pat |= 0x0300000000000000);
	REFUSED(s->pat = 8);
	REFUSED(s->cs = 0);
	REFUSED(s->cs = 3);
	REFUSED(s->cs = 0x0b);
	REFUSED(s->ss = 0x13);
	CU_ASSERT_EQUAL(w.events, 0);
	/* With five levels of page tables addresses are longer. */
	good_state()->cr4 |= 0x1000;
	((struct pvrom_smp_state *)world_at(&w, STATE))->rip = 0x00ff800000000000;
	CU_ASSERT_EQUAL(start(), PVROM_STATUS_OK);
	world_close(&w);
}

static void smp_start_without_stack(void)
{
	struct pvrom_smp_state *s;

	open_all(2);
	s = good_state();
	s->ss = 0;
	s->cr0 |= 0x60000000;
	CU_ASSERT_EQUAL(start(), PVROM_STATUS_OK);
	world_close(&w);
}

static void smp_stop(void)
{
	open_all(2);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_CLOCK_ALARM_SET, 5, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_SMP_STOP, 0, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_STOP);
	CU_ASSERT_FALSE(w.alarm[1]);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(SMP)), PVROM_STATUS_OK);
	world_forget(&w);
	world_call(&w, 1, PVROM_SMP_STOP, 0, 0, 0);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_STOP);
	CU_ASSERT_EQUAL(w.events, 0);
	CU_ASSERT_EQUAL(world_negotiate(&w, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_SMP_STOP, 0, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(w.action, PVROM_ACTION_RESUME);
	world_close(&w);
}

static void smp_kick(void)
{
	open_all(3);
	CU_ASSERT_EQUAL(CALL(SMP_KICK, 2, 0, 0), PVROM_STATUS_OK);
	EXPECT(W_KICK, 0, 0, 2);
	CU_ASSERT_EQUAL(CALL(SMP_KICK, 3, 0, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(SMP_KICK, 1ull << 32, 0, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_PTR_NULL(world_event(&w, W_KICK, 1));
	world_close(&w);
}

/* ---- alarms ------------------------------------------------------------------------------------ */

static void alarm_set(void)
{
	open_all(2);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_CLOCK_ALARM_SET, 123456789012, 0, 0),
			PVROM_STATUS_OK);
	CU_ASSERT_TRUE(w.alarm[1]);
	CU_ASSERT_EQUAL(w.alarm_tsc[1], 123456789012);
	CU_ASSERT_EQUAL(w.alarm_vector[1], WORLD_ALARM_VECTOR);
	CU_ASSERT_FALSE(w.alarm[0]);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_CLOCK_ALARM_SET, ~0ull, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.alarm_tsc[1], ~0ull);
	world_close(&w);
}

static void alarm_cancel(void)
{
	open_all(2);
	CU_ASSERT_EQUAL(CALL(CLOCK_ALARM_CANCEL, 0, 0, 0), PVROM_STATUS_OK);
	CALL(CLOCK_ALARM_SET, 5, 0, 0);
	world_call(&w, 1, PVROM_CLOCK_ALARM_SET, 5, 0, 0);
	CU_ASSERT_EQUAL(CALL(CLOCK_ALARM_CANCEL, 0, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(w.alarm[0]);
	CU_ASSERT_TRUE(w.alarm[1]);
	world_close(&w);
}

/* A commit without the feature cancels what was set. */
static void alarm_feature_goes(void)
{
	open_all(2);
	CALL(CLOCK_ALARM_SET, 5, 0, 0);
	world_call(&w, 1, PVROM_CLOCK_ALARM_SET, 5, 0, 0);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(w.alarm[0]);
	CU_ASSERT_FALSE(w.alarm[1]);
	CU_ASSERT_EQUAL(CALL(CLOCK_ALARM_SET, 5, 0, 0), PVROM_STATUS_DENIED);
	world_close(&w);
}

/* ---- discovery --------------------------------------------------------------------------------- */

static void cpuid_leaves(void)
{
	uint32_t base, regs[4];

	world_open(&w, 1);
	w.config.rom_gpa = WORLD_HIGH;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	for (base = 0x40000000; base <= 0x4000ff00; base += 0x100) {
		CU_ASSERT_TRUE(pvrom_host_cpuid(&w.host, base, base, regs));
		CU_ASSERT_EQUAL(regs[0], base + 2);
		CU_ASSERT_EQUAL(memcmp(regs + 1, "pvROM/pvROM/", 12), 0);
		CU_ASSERT_TRUE(pvrom_host_cpuid(&w.host, base, base + 1, regs));
		CU_ASSERT_EQUAL(regs[0], (uint32_t)PVROM_MAJOR << 16 | PVROM_MINOR);
		CU_ASSERT_EQUAL(regs[1], 0);
		CU_ASSERT_EQUAL(regs[2], w.host.rom_size);
		CU_ASSERT_EQUAL(regs[3], w.host.rom_checksum);
		CU_ASSERT_TRUE(pvrom_host_cpuid(&w.host, base, base + 2, regs));
		CU_ASSERT_EQUAL(regs[0], 0);
		CU_ASSERT_EQUAL(regs[1], 1);
		CU_ASSERT_EQUAL(regs[2], PVROM_TRANSPORT_PORT | 0x51u << 16);
		CU_ASSERT_EQUAL(regs[3], 0);
	}
	world_close(&w);
}

static void cpuid_elsewhere(void)
{
	uint32_t regs[4] = { 1, 2, 3, 4 };

	world_open(&w, 1);
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0x40000000, 0x40000003, regs));
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0x40000100, 0x40000000, regs));
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0x40000000, 0, regs));
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0x40000080, 0x40000080, regs));
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0x40010000, 0x40010000, regs));
	CU_ASSERT_FALSE(pvrom_host_cpuid(&w.host, 0, 0, regs));
	CU_ASSERT_EQUAL(regs[0] + regs[1] + regs[2] + regs[3], 10);
	world_close(&w);
}

static void live_port(void)
{
	world_open(&w, 2);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[0]), 0x12345678);
	pvrom_host_live_write(&w.vcpu[0], 0xdeadbeef);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[1]), 0x12345678);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[0]), 0x12345678 ^ 0xdeadbeef);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[0]), 0x12345678);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "cpu: NOT_REQUIRED [PVROM-CPU-6]", cpu_calls },
	{ "irq: route [PVROM-IRQ-4]", irq_route },
	{ "irq: mask [PVROM-IRQ-4]", irq_mask },
	{ "irq: eoi [PVROM-IRQ-5]", irq_eoi },
	{ "irq: send [PVROM-IRQ-7 PVROM-IRQ-10]", irq_send },
	{ "irq: send refused [PVROM-IRQ-8 PVROM-IRQ-9]", irq_send_refused },
	{ "smp: start [PVROM-SMP-1 PVROM-SMP-2 PVROM-SMP-3]", smp_start },
	{ "smp: start and addresses [PVROM-CALL-9]", smp_start_addresses },
	{ "smp: states that a processor refuses [PVROM-SMP-3]", smp_start_states },
	{ "smp: unusual states that a processor takes", smp_start_without_stack },
	{ "smp: stop [PVROM-SMP-6 PVROM-SMP-7]", smp_stop },
	{ "smp: kick [PVROM-SMP-11]", smp_kick },
	{ "alarm: set and replaced [PVROM-ALARM-3]", alarm_set },
	{ "alarm: cancel [PVROM-ALARM-4 PVROM-ALARM-5]", alarm_cancel },
	{ "alarm: none left when the feature goes", alarm_feature_goes },
	{ "discovery: CPUID leaves [PVROM-DISC-5]", cpuid_leaves },
	{ "discovery: other CPUID leaves are left alone [PVROM-DISC-7]", cpuid_elsewhere },
	{ "discovery: live port [PVROM-DISC-19]", live_port },
	{ 0 }
};

int main(void)
{
	return world_main("host_groups", tests);
}
