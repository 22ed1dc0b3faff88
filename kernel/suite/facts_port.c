/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about port I/O: widths, registers, and what the ports of a PC's COM1 and PIT must do. */
#include "cpu.h"
#include "fact.h"
#include "pit.h"

#define COM1_SCRATCH 0x3ff
#define COM1_LSR 0x3fd
#define PIT_CHANNEL2 0x42
#define PIT_MODE 0x43
/* No device of any machine of ours: between the LPT and COM ports. */
#define EMPTY_PORT 0x2a0

FACT(scratch, "port.out8.in8", "SDM 2A IN, 2B OUT",
     "what is written to COM1's scratch register is read back")
{
	for (unsigned value = 0; value < 256; value += 51) {
		cpu_out8(COM1_SCRATCH, (uint8_t)value);
		EXPECT_EQ(cpu_in8(COM1_SCRATCH), value);
	}
	return FACT_PASS;
}

static uint64_t in8_with(uint64_t rax, uint16_t port)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_4 "in %%dx,%%al")
		  : "+a"(rax)
		  : PVROM_SITE_OF(PVROM_CPU_IN8), "d"(port)
		  : "memory", "cc");
	return rax;
}

static uint64_t in16_with(uint64_t rax, uint16_t port)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_3 "in %%dx,%%ax")
		  : "+a"(rax)
		  : PVROM_SITE_OF(PVROM_CPU_IN16), "d"(port)
		  : "memory", "cc");
	return rax;
}

static uint64_t in32_with(uint64_t rax, uint16_t port)
{
	PVROM_ASM(PVROM_SITE(PVROM_PAD_4 "in %%dx,%%eax")
		  : "+a"(rax)
		  : PVROM_SITE_OF(PVROM_CPU_IN32), "d"(port)
		  : "memory", "cc");
	return rax;
}

FACT(in8_keeps, "port.in8.keeps", "SDM 1 3.4.1.1", "an 8-bit IN changes AL alone")
{
	cpu_out8(COM1_SCRATCH, 0x5c);
	EXPECT_EQ(in8_with(0x1122334455667788, COM1_SCRATCH), 0x112233445566775c);
	return FACT_PASS;
}

FACT(in16_keeps, "port.in16.keeps", "SDM 1 3.4.1.1", "a 16-bit IN changes AX alone")
{
	EXPECT_EQ(in16_with(0x1122334455667788, EMPTY_PORT) & ~0xffffull, 0x1122334455660000);
	return FACT_PASS;
}

FACT(in32_clears, "port.in32.clears", "SDM 1 3.4.1.1", "a 32-bit IN clears the high half of RAX")
{
	EXPECT_EQ(in32_with(0x1122334455667788, EMPTY_PORT) >> 32, 0);
	return FACT_PASS;
}

FACT(out_keeps, "port.out.keeps", "SDM 2B OUT", "OUT changes no register")
{
	uint64_t rax = 0x1122334455667733, rdx = 0x99887766554403ff;

	PVROM_ASM(PVROM_SITE(PVROM_PAD_4 "out %%al,%%dx")
		  : "+a"(rax), "+d"(rdx)
		  : PVROM_SITE_OF(PVROM_CPU_OUT8)
		  : "memory", "cc");
	EXPECT_EQ(rax, 0x1122334455667733);
	EXPECT_EQ(rdx, 0x99887766554403ff);
	EXPECT_EQ(cpu_in8(COM1_SCRATCH), 0x33);
	return FACT_PASS;
}

FACT(absent, "port.absent", "PC convention: an empty bus floats high",
     "a port without a device reads all ones, in each width")
{
	EXPECT_EQ(cpu_in8(EMPTY_PORT), 0xff);
	EXPECT_EQ(cpu_in16(EMPTY_PORT), 0xffff);
	EXPECT_EQ(cpu_in32(EMPTY_PORT), 0xffffffff);
	return FACT_PASS;
}

FACT(com1_ready, "port.com1.ready", "16550 data sheet, LSR", "COM1's transmitter becomes empty")
{
	unsigned patience = 1000000;

	while (!(cpu_in8(COM1_LSR) & 0x20) && --patience)
		cpu_relax();
	EXPECT(patience, "LSR is %x", cpu_in8(COM1_LSR));
	return FACT_PASS;
}

FACT(pit_latch, "port.pit.latch", "8254 data sheet, counter latch",
     "the PIT's latched count is stable until both bytes are read")
{
	uint8_t low, high;

	if (!pit_is_there())
		return fact_without("PIT");
	cpu_out8(PIT_MODE, 0xb4);
	cpu_out8(PIT_CHANNEL2, 0x00);
	cpu_out8(PIT_CHANNEL2, 0x40);
	cpu_out8(PIT_MODE, 0x80);
	low = cpu_in8(PIT_CHANNEL2);
	high = cpu_in8(PIT_CHANNEL2);
	EXPECT((high << 8 | low) <= 0x4000, "count %x of 4000", (unsigned)(high << 8 | low));
	return FACT_PASS;
}
