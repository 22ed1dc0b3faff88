/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Nothing damaged gets in or changes anything: bits, lengths, and each field of an image. */
#include <stdlib.h>

#include "save_image.h"

void damaged_bits(void)
{
	uint32_t bit;

	save_a_machine();
	for (bit = 0; bit < size * 8; bit++) {
		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
		w.host.rom_size = 512;
		if (pvrom_host_load(&w.host, image, size) == PVROM_HOST_OK)
			CU_FAIL("a damaged bit was not noticed");
		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	world_close(&w);
}

void truncated(void)
{
	uint8_t *tight;
	size_t whole, length;

	save_a_machine();
	whole = size;
	for (length = 0; length < whole; length++) {
		CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
		w.host.rom_size = 512;
		tight = malloc(length + 1);
		memcpy(tight, image, length);
		CU_ASSERT_EQUAL(pvrom_host_load(&w.host, tight, length),
				length < 8 ? PVROM_HOST_NOT_AN_IMAGE : PVROM_HOST_IMAGE_TRUNCATED);
		free(tight);
	}
	size = whole + 1;
	refused(PVROM_HOST_IMAGE_FIELD);
	world_close(&w);
}

/* Changes one field of a good image and makes the checksum right again. */
#define FIELD(at, value, bytes, result)                                                            \
	do {                                                                                       \
		save_a_machine();                                                                  \
		put(at, value, bytes);                                                             \
		make_checksum_right();                                                             \
		refused(result);                                                                   \
		world_close(&w);                                                                   \
	} while (0)

void magic_and_format(void)
{
	FIELD(0, 0x7661734d4f527671, 8, PVROM_HOST_NOT_AN_IMAGE);
	FIELD(AT_FORMAT, 0, 2, PVROM_HOST_IMAGE_VERSION);
	FIELD(AT_FORMAT, 2, 2, PVROM_HOST_IMAGE_VERSION);
	FIELD(AT_FORMAT + 2, 1, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SIZE, size + 1, 4, PVROM_HOST_IMAGE_TRUNCATED);
	FIELD(AT_SIZE, size - 1, 4, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SIZE, 0, 4, PVROM_HOST_IMAGE_FIELD);
}

void checksum(void)
{
	save_a_machine();
	image[AT_CRC] ^= 1;
	refused(PVROM_HOST_IMAGE_CHECKSUM);
	world_close(&w);
}

void other_transport(void)
{
	FIELD(AT_TRANSPORT, PVROM_TRANSPORT_VMCALL, 2, PVROM_HOST_IMAGE_TRANSPORT);
	FIELD(AT_TRANSPORT, PVROM_TRANSPORT_NONE, 2, PVROM_HOST_IMAGE_TRANSPORT);
	FIELD(AT_TRANSPORT + 2, 0x50, 2, PVROM_HOST_IMAGE_TRANSPORT);
	save_a_machine();
	w.config.transport = PVROM_TRANSPORT_VMMCALL;
	w.config.transport_port = 0;
	refused(PVROM_HOST_IMAGE_TRANSPORT);
	world_close(&w);
}

void other_number_of_vcpus(void)
{
	FIELD(AT_VCPUS, 2, 4, PVROM_HOST_IMAGE_VCPUS);
	FIELD(AT_VCPUS, 0xffffffff, 4, PVROM_HOST_IMAGE_VCPUS);
	save_a_machine();
	w.config.vcpus = 4;
	refused(PVROM_HOST_IMAGE_VCPUS);
	w.config.vcpus = 2;
	refused(PVROM_HOST_IMAGE_VCPUS);
	world_close(&w);
}

void epochs_and_sets(void)
{
	FIELD(AT_EPOCH, 0, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_EPOCH, ~0ull, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_EPOCH, 1ull << 63, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING_EPOCH, 3, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SEALED, FEATURE(ALARM), 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING, FEATURE(ALARM), 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SEALED, ALL_FEATURES | FEATURE(MMU), 8, PVROM_HOST_IMAGE_FEATURE);
	FIELD(AT_SEALED, 1ull << 63, 8, PVROM_HOST_IMAGE_FEATURE);
	FIELD(AT_RESERVED, 1, 2, PVROM_HOST_IMAGE_FIELD);
}

void vectors(void)
{
	FIELD(AT_VECTORS, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VECTORS + 1, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VECTORS + 1, 0, 1, PVROM_HOST_IMAGE_FIELD); /* alarm is in the sealed set */
	FIELD(AT_PENDING_VECTORS, 1, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING_VECTORS, 0x0100, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_KICK_VECTORS, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_KICK_VECTORS + 1, 31, 1, PVROM_HOST_IMAGE_FIELD);
}

void areas(void)
{
	FIELD(AT_VCPU, 0x3001, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, 0x3400, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_HOLE, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, 0xfffffffffffff800, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_LOW_END, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_HIGH, 8, PVROM_HOST_IMAGE_FIELD); /* which vCPU 2 has */
	FIELD(AT_VCPU + 12, 1, 4, PVROM_HOST_IMAGE_FIELD);
}

void a_feature_is_missing(void)
{
	static const struct pvrom_host_feature *const fewer[] = { &pvrom_host_cpu, &pvrom_host_irq,
								  &pvrom_host_smp, NULL };

	save_a_machine();
	w.config.features = fewer;
	refused(PVROM_HOST_IMAGE_FEATURE);
	world_close(&w);
}

void not_just_set_up(void)
{
	save_a_machine();
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), PVROM_HOST_BAD_CONFIG);
	pvrom_host_init(&w.host, &w.config, w.vcpu);
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), PVROM_HOST_BAD_CONFIG);
	world_close(&w);
}
