/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Devices whose registers or capabilities lie about themselves to the guest's transports: each is refused or survived,
 * and nothing outside the registers is touched (they lie in memory of just their size, for the sanitizers).
 */
#include <pvrom/blk.h>
#include <pvrom/virtio_guest.h>
#include <pvrom/virtqueue.h>
#include <stdlib.h>
#include <string.h>

#include "../cunit_tap.h"

/* ---- PCI: a configuration space and one BAR ---------------------------------------------------------- */

#define BAR_BYTES 0x1000u
#define COMMON 0x000u
#define ISR 0x100u
#define DEVICE 0x200u
#define NOTIFY 0x300u

static uint8_t config[256];
static uint8_t *bar;
static uint32_t reads;

static uint32_t os_read(void *ctx, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	(void)ctx;
	reads++;
	CU_ASSERT_TRUE_FATAL(offset + bytes <= sizeof(config) && offset % bytes == 0);
	memcpy(&value, config + offset, bytes);
	return value;
}

static void os_write(void *ctx, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)ctx;
	memcpy(config + offset, &value, bytes);
}

static volatile void *os_map(void *ctx, uint32_t number, uint64_t *len)
{
	(void)ctx;
	*len = BAR_BYTES;
	return number == 4 ? bar : NULL;
}

static const struct pvrom_virtio_pci_os os = { os_read, os_write, os_map };

static void put16(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
}

/* struct virtio_pci_cap, VIRTIO 1.2, 4.1.4 */
static void capability(uint8_t at, uint8_t next, uint8_t type, uint32_t offset, uint32_t length)
{
	config[at] = 0x09;
	config[at + 1] = next;
	config[at + 2] = 20;
	config[at + 3] = type;
	config[at + 4] = 4;
	put32(config + at + 8, offset);
	put32(config + at + 12, length);
	put32(config + at + 16, 4); /* of notifications: the multiplier */
}

/* A block device as it should be, with two queues. */
static void good_function(void)
{
	free(bar);
	bar = calloc(1, BAR_BYTES);
	memset(config, 0, sizeof(config));
	put16(config, 0x1af4);
	put16(config + 2, 0x1042);
	put16(config + 6, 0x10);
	config[0x34] = 0x40;
	capability(0x40, 0x54, 1, COMMON, 56);
	capability(0x54, 0x68, 2, NOTIFY, 0x100);
	capability(0x68, 0x7c, 3, ISR, 4);
	capability(0x7c, 0, 4, DEVICE, 72);
	put16(bar + COMMON + 18, 2);  /* queues */
	put16(bar + COMMON + 24, 64); /* the longest */
	put16(bar + COMMON + 16, 0xffff);
	reads = 0;
}

static enum pvrom_virtio_result open_function(struct pvrom_virtio_pci *dev)
{
	return pvrom_virtio_pci_open(dev, &os, NULL);
}

static void a_good_function(void)
{
	const struct pvrom_virtio_queue where = { 0x1000, 0x2000, 0x3000, 64, 0xffff, 0 };
	struct pvrom_virtio_pci dev;

	good_function();
	CU_ASSERT_EQUAL_FATAL(open_function(&dev), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(dev.virtio.id, PVROM_BLK_DEVICE_ID);
	CU_ASSERT_EQUAL(config[4] & 6, 6);
	CU_ASSERT_EQUAL(dev.virtio.ops->queue_max(&dev.virtio, 1), 64);
	CU_ASSERT_EQUAL(dev.virtio.ops->queue_max(&dev.virtio, 2), 0);
	put16(bar + COMMON + 26, 0xffff);
	put16(bar + COMMON + 30, 3); /* queue_notify_off */
	CU_ASSERT_TRUE(dev.virtio.ops->queue_start(&dev.virtio, 1, &where));
	dev.virtio.ops->notify(&dev.virtio, 1, 1);
	CU_ASSERT_EQUAL(bar[NOTIFY + 12], 1);
	dev.virtio.accepted = PVROM_VQ_F_NOTIFICATION_DATA;
	dev.virtio.ops->notify(&dev.virtio, 1, 0x80050001);
	CU_ASSERT_EQUAL(bar[NOTIFY + 15], 0x80);
}

static void other_functions(void)
{
	struct pvrom_virtio_pci dev;

	good_function();
	put16(config, 0x8086);
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_NO_DEVICE);
	good_function();
	put16(config + 2, 0x1080);
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_NO_DEVICE);
	memset(config, 0xff, sizeof(config));
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_NO_DEVICE);
	/* A transitional device that has no capabilities is of before VIRTIO 1.0. */
	good_function();
	put16(config + 2, 0x1001);
	put16(config + 0x2e, 2);
	put16(config + 6, 0);
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_LEGACY);
	put16(config + 6, 0x10);
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_OK);
}

/* Capabilities in a circle end, and so do ones that lead out of the space. */
static void capabilities_without_end(void)
{
	struct pvrom_virtio_pci dev;
	uint32_t at;

	good_function();
	config[0x7d] = 0x40;
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_OK);
	CU_ASSERT_TRUE(reads < 1000);
	good_function();
	for (at = 0x40; at < 256; at += 4) {
		config[at] = 0x09;
		config[at + 1] = 0xfc;
	}
	config[0x34] = 0xfc;
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_LEGACY);
	good_function();
	config[0x34] = 0x10; /* inside the header */
	CU_ASSERT_EQUAL(open_function(&dev), PVROM_VIRTIO_LEGACY);
}

static enum pvrom_virtio_result with_region(uint8_t cap, uint32_t offset, uint32_t length,
					    uint8_t number)
{
	struct pvrom_virtio_pci dev;

	good_function();
	put32(config + cap + 8, offset);
	put32(config + cap + 12, length);
	config[cap + 4] = number;
	return open_function(&dev);
}

static void regions_outside_their_bar(void)
{
	static const uint32_t bad[][2] = { { BAR_BYTES, 56 },	 { BAR_BYTES - 55, 56 },
					   { 0, BAR_BYTES + 1 }, { 0xfffffffc, 56 },
					   { 0, 0xffffffff },	 { 0xffffffff, 0xffffffff },
					   { BAR_BYTES + 4, 0 }, { 2, 56 } };
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_EQUAL(with_region(0x40, bad[i][0], bad[i][1], 4), PVROM_VIRTIO_MALFORMED);
		CU_ASSERT_EQUAL(with_region(0x54, bad[i][0], bad[i][1], 4), PVROM_VIRTIO_MALFORMED);
	}
	/* Too short for what must be in it; another BAR, none at all. */
	CU_ASSERT_EQUAL(with_region(0x40, 0, 55, 4), PVROM_VIRTIO_MALFORMED);
	CU_ASSERT_EQUAL(with_region(0x54, 0, 3, 4), PVROM_VIRTIO_MALFORMED);
	CU_ASSERT_EQUAL(with_region(0x40, 0, 56, 0), PVROM_VIRTIO_MALFORMED);
	CU_ASSERT_EQUAL(with_region(0x40, 0, 56, 6), PVROM_VIRTIO_MALFORMED);
	CU_ASSERT_EQUAL(with_region(0x68, 0, 0, 4), PVROM_VIRTIO_MALFORMED);
	/* No configuration of its own: reads zero. */
	CU_ASSERT_EQUAL(with_region(0x7c, BAR_BYTES, 72, 4), PVROM_VIRTIO_OK);
}

static bool bell_at(uint32_t offset, uint32_t multiplier)
{
	const struct pvrom_virtio_queue where = { 0x1000, 0x2000, 0x3000, 64, 0xffff, 0 };
	struct pvrom_virtio_pci dev;

	good_function();
	put32(config + 0x54 + 16, multiplier);
	if (open_function(&dev))
		return false;
	put16(bar + COMMON + 26, 0xffff);
	put16(bar + COMMON + 30, offset);
	return dev.virtio.ops->queue_start(&dev.virtio, 0, &where);
}

static void bells_outside_their_region(void)
{
	CU_ASSERT_TRUE(bell_at(0, 0));
	CU_ASSERT_TRUE(bell_at(63, 4));
	CU_ASSERT_FALSE(bell_at(64, 4));
	CU_ASSERT_FALSE(bell_at(0xffff, 0xffffffff));
	CU_ASSERT_FALSE(bell_at(1, 0x80000000));
	CU_ASSERT_FALSE(bell_at(1, 1));
}

/* Such a queue is not to be had, nor one beyond the bells that there is room for. */
static void queues_that_are_on_already(void)
{
	struct pvrom_virtio_queue where = { 0x1000, 0x2000, 0x3000, 64, 5, 0 };
	struct pvrom_virtio_pci dev;

	good_function();
	CU_ASSERT_EQUAL_FATAL(open_function(&dev), PVROM_VIRTIO_OK);
	CU_ASSERT_TRUE(dev.virtio.ops->queue_start(&dev.virtio, 0, &where));
	CU_ASSERT_EQUAL(dev.virtio.ops->queue_max(&dev.virtio, 0), 0); /* enabled already */
	CU_ASSERT_EQUAL(dev.virtio.ops->queue_max(&dev.virtio, 16), 0);
}

/* ---- registers in memory -------------------------------------------------------------------------------- */

static enum pvrom_virtio_result open_registers(uint32_t magic, uint32_t version, uint32_t id,
					       uint32_t bytes)
{
	struct pvrom_virtio_mmio dev;
	uint8_t *registers = calloc(1, bytes ? bytes : 1);
	enum pvrom_virtio_result result;

	if (bytes >= 12) {
		put32(registers, magic);
		put32(registers + 4, version);
		put32(registers + 8, id);
	}
	result = pvrom_virtio_mmio_open(&dev, registers, bytes);
	if (!result) {
		uint8_t byte = 1;

		/* Behind the end of the registers there is nothing. */
		dev.virtio.ops->config_read(&dev.virtio, bytes - 0x100, &byte, 1);
		CU_ASSERT_EQUAL(byte, 0);
		dev.virtio.ops->config_write(&dev.virtio, bytes - 0x100, &byte, 1);
	}
	free(registers);
	return result;
}

static void registers_that_are_none(void)
{
	const uint32_t magic = 0x74726976;

	CU_ASSERT_EQUAL(open_registers(magic, 2, 2, 0x200), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(open_registers(magic, 2, 2, 0x100), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(open_registers(magic, 2, 2, 0xff), PVROM_VIRTIO_NO_DEVICE);
	CU_ASSERT_EQUAL(open_registers(magic, 2, 2, 0), PVROM_VIRTIO_NO_DEVICE);
	CU_ASSERT_EQUAL(open_registers(magic, 1, 2, 0x200), PVROM_VIRTIO_LEGACY);
	CU_ASSERT_EQUAL(open_registers(magic, 3, 2, 0x200), PVROM_VIRTIO_MALFORMED);
	CU_ASSERT_EQUAL(open_registers(magic, 2, 0, 0x200), PVROM_VIRTIO_NO_DEVICE);
	CU_ASSERT_EQUAL(open_registers(0xffffffff, 2, 2, 0x200), PVROM_VIRTIO_NO_DEVICE);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(a_good_function),
		TAP_TEST(other_functions),
		TAP_TEST(capabilities_without_end),
		TAP_TEST(regions_outside_their_bar),
		TAP_TEST(bells_outside_their_region),
		TAP_TEST(queues_that_are_on_already),
		TAP_TEST(registers_that_are_none),
		{ 0 },
	};
	int result = tap_run("transports", tests);

	free(bar);
	return result;
}
