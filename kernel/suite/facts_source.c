/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about interrupts of devices: COM1 says that its transmitter is empty (PVROM-IRQ-1, -2, -3).
 * The console polls, so between facts the UART's interrupts are off.
 */
#include "cpu.h"
#include "fact.h"
#include "irq.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define SOURCE 4 /* COM1 on the ISA bus */
#define VECTOR 0x58
#define OTHER_VECTOR 0x59
#define COM1_IER 0x3f9
#define COM1_IIR 0x3fa
#define COM1_MCR 0x3fc
#define COM1_LSR 0x3fd
#define IER_TRANSMITTER 0x02
#define MCR_WITH_OUT2 0x0b
#define LSR_IDLE 0x40
#define SOON_US 5000
#define PATIENCE_US 5000000

/* Takes the interrupt line down: no cause is enabled, and what was pending is read away. */
static void line_down(void)
{
	cpu_out8(COM1_IER, 0);
	cpu_in8(COM1_IIR);
}

/* An edge: an idle transmitter whose interrupt is enabled raises the line. */
static void line_up(void)
{
	unsigned patience = 1000000;

	while (!(cpu_in8(COM1_LSR) & LSR_IDLE) && --patience)
		cpu_relax();
	line_down();
	cpu_out8(COM1_MCR, MCR_WITH_OUT2);
	cpu_out8(COM1_IER, IER_TRANSMITTER);
}

/* How often VECTOR came to CPU in answer to one edge. */
static uint64_t came(uint32_t cpu, unsigned vector, uint64_t wait_us)
{
	uint64_t before = probe_irqs(cpu, vector), count;

	line_up();
	probe_wait_irq(cpu, vector, before + 1, wait_us);
	line_down();
	count = probe_irqs(cpu, vector) - before;
	return count;
}

static bool route(unsigned vector, uint32_t cpu)
{
	return pvrom_irq_route(SOURCE, vector, cpus[cpu].vcpu) == PVROM_STATUS_OK;
}

/* Whether an interrupt for CPU came to OTHER instead, or as well. It is waited for: none is under way afterwards. */
static bool strays(uint32_t cpu, uint32_t other)
{
	uint64_t before = probe_irqs(other, VECTOR);

	return !came(cpu, VECTOR, PATIENCE_US) || probe_irqs(other, VECTOR) != before;
}

static bool mask(bool masked)
{
	return pvrom_irq_mask(SOURCE, masked) == PVROM_STATUS_OK;
}

FACT(routed, "irq.source.route", "82093AA, redirection table",
     "a device's interrupt comes as the vector, and to the CPU, to which it is routed")
{
	for (uint32_t cpu = 0; cpu < smp_cpus; cpu++) {
		EXPECT(route(VECTOR, cpu) && mask(false), "cpu %u: not routed", cpu);
		EXPECT(came(cpu, VECTOR, PATIENCE_US), "it did not come to cpu %u", cpu);
		for (uint32_t other = 0; other < smp_cpus; other++)
			EXPECT(other == cpu || !strays(cpu, other), "it came to cpu %u", other);
	}
	EXPECT(mask(true), "not masked");
	return FACT_PASS;
}

FACT(masked, "irq.source.mask", "82093AA, interrupt mask",
     "a masked source is silent, and comes again once it is unmasked")
{
	EXPECT(route(VECTOR, 0) && mask(true), "not routed");
	EXPECT_EQ(came(0, VECTOR, SOON_US), 0);
	EXPECT(mask(false), "not unmasked");
	EXPECT(came(0, VECTOR, PATIENCE_US), "it did not come");
	EXPECT(mask(true), "not masked");
	EXPECT_EQ(came(0, VECTOR, SOON_US), 0);
	return FACT_PASS;
}

FACT(route_keeps_mask, "irq.source.route_keeps_mask", "82093AA, interrupt mask",
     "routing a masked source leaves it masked, an unmasked one unmasked")
{
	EXPECT(route(VECTOR, 0) && mask(true) && route(OTHER_VECTOR, 0), "not routed");
	EXPECT_EQ(came(0, OTHER_VECTOR, SOON_US), 0);
	EXPECT(mask(false) && route(VECTOR, 0), "not routed");
	EXPECT(came(0, VECTOR, PATIENCE_US), "it did not come");
	EXPECT(mask(true), "not masked");
	return FACT_PASS;
}
