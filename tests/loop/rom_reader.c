/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The image that the tests of the ROM read: built, and built under every configuration. */
#include "rom_reader.h"

struct world w;
uint8_t *rom;
size_t size;

uint64_t word(size_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | rom[at + bytes];
	return value;
}

void build(void)
{
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
	rom = world_at(&w, WORLD_ROM);
	memset(rom, 0xee, 0x8000);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_build_rom(&w.host, rom, 0x8000, &size), PVROM_HOST_OK);
}

void for_all(void (*check)(void))
{
	uint32_t transport, slots, flags;

	world_open(&w, 1);
	for (transport = 1; transport < PVROM_TRANSPORT_COUNT; transport++)
		for (slots = 0; slots <= PVROM_SLOTS_CALL; slots++)
			for (flags = 0; flags <= PVROM_HOST_EOI_X2APIC;
			     flags += PVROM_HOST_EOI_X2APIC) {
				w.config.transport = (uint16_t)transport;
				w.config.transport_port =
					transport == PVROM_TRANSPORT_PORT ? 0x51 : 0;
				w.config.slots = slots;
				w.config.flags = flags;
				build();
				check();
			}
	world_close(&w);
}
