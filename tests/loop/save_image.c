/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Saves a machine, changes its image, and loads it. */
#include "save_image.h"

#include "../../digest/digest.h"

struct world w;
uint8_t image[IMAGE_ROOM];
size_t size;

uint64_t get(uint32_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | image[at + bytes];
	return value;
}

void put(uint32_t at, uint64_t value, uint32_t bytes)
{
	for (; bytes; bytes--, value >>= 8)
		image[at++] = (uint8_t)value;
}

void make_checksum_right(void)
{
	put(AT_CRC, 0, 4);
	put(AT_CRC, pvrom_crc32(0, image, size), 4);
}

void save_a_machine(void)
{
	world_open(&w, 3);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_VCPU_AREA, 0x3000, 0x800, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 2, PVROM_BASE_VCPU_AREA, WORLD_HIGH, 0x800, 0),
			PVROM_STATUS_OK);
	pvrom_host_raise_epoch(&w.host);
	pvrom_host_live_write(&w.vcpu[1], 0xabcd);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_save(&w.host, image, sizeof(image), &size), PVROM_HOST_OK);
}

enum pvrom_host_result load(void)
{
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	return pvrom_host_load(&w.host, image, size);
}

void refused(enum pvrom_host_result expected)
{
	static struct pvrom_host before;
	static struct pvrom_host_vcpu vcpus[WORLD_VCPUS];

	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	before = w.host;
	memcpy(vcpus, w.vcpu, sizeof(vcpus));
	world_note(&w);
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), expected);
	CU_ASSERT_EQUAL(memcmp(&before, &w.host, sizeof(before)), 0);
	CU_ASSERT_EQUAL(memcmp(vcpus, w.vcpu, sizeof(vcpus)), 0);
	CU_ASSERT_EQUAL(w.events, 0);
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
}
