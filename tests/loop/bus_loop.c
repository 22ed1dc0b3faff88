/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The device bus in one process: pvblk's driver over the bus's guest half, whose calls the host core answers with
 * the bus's host half, behind which stands pvblk's device.
 */
#include <pvrom/dev.h>
#include <pvrom/virtio_bus.h>

#include <stdlib.h>

#include "../blk/guest_world.h"
#include "host_world.h"

#define NEEDED (FEATURE(IRQ) | FEATURE(DEV) | FEATURE(BLK))
#define BUS_FEATURES (FEATURE(DEV) | FEATURE(BLK) | FEATURE(NET))
#define PORT 0x1234u
#define OP(op, index) ((op) | (uint64_t)(index) << 32)

static struct world w;
static struct guest_world disk;
static struct pvrom_bus_host bus;
static const struct pvrom_host_feature *features[5];
/* What the embedder's devices were told. */
static struct pvrom_virtio_queue where[GW_QUEUES];
static uint64_t interrupt_word[GW_QUEUES + 1];
static uint32_t configured, resets, rung;
static uint64_t bell_lie; /* bits that no doorbell has */

/* ---- the embedder's devices ------------------------------------------------------------------------- */

static uint64_t list(void *ctx, uint32_t device, uint32_t what)
{
	(void)ctx;
	(void)device;
	if (what == PVROM_DEV_FEATURES)
		return disk.ops.features(&disk.virtio);
	return PVROM_BLK_DEVICE_ID | 2ull << 32 | 64ull << 48;
}

static uint32_t set_queue(uint32_t op, uint32_t queue, uint64_t word, uint64_t *value)
{
	switch (op) {
	case PVROM_DEV_OP_QUEUE_SIZE: where[queue].size = (uint16_t)word; break;
	case PVROM_DEV_OP_QUEUE_DESC: where[queue].desc_gpa = word; break;
	case PVROM_DEV_OP_QUEUE_DRIVER: where[queue].driver_gpa = word; break;
	case PVROM_DEV_OP_QUEUE_DEVICE: where[queue].device_gpa = word; break;
	case PVROM_DEV_OP_QUEUE_INTERRUPT: interrupt_word[queue] = word; break;
	default:
		if (!disk.ops.queue_start(&disk.virtio, queue, &where[queue]))
			return PVROM_STATUS_INVALID;
		*value = (uint64_t)(queue + 7) << 32 | PORT | bell_lie;
	}
	return PVROM_STATUS_OK;
}

static uint32_t configure(void *ctx, uint32_t device, uint32_t op, uint32_t index, uint64_t word,
			  uint64_t *value)
{
	uint8_t byte = (uint8_t)word;

	(void)ctx;
	(void)device;
	configured++;
	switch (op) {
	case PVROM_DEV_OP_STATUS: *value = disk.ops.status(&disk.virtio); break;
	case PVROM_DEV_OP_SET_STATUS:
		resets += !word;
		disk.ops.set_status(&disk.virtio, (uint32_t)word);
		break;
	case PVROM_DEV_OP_ACCEPT:
		disk.virtio.accepted = word;
		disk.ops.accept(&disk.virtio, word);
		break;
	case PVROM_DEV_OP_CONFIG_READ: disk.ops.config_read(&disk.virtio, index, value, 8); break;
	case PVROM_DEV_OP_CONFIG_WRITE: disk.ops.config_write(&disk.virtio, index, &byte, 1); break;
	case PVROM_DEV_OP_GENERATION: *value = disk.ops.generation(&disk.virtio); break;
	case PVROM_DEV_OP_CONFIG_INTERRUPT: interrupt_word[GW_QUEUES] = word; break;
	default: return set_queue(op, index, word, value);
	}
	return PVROM_STATUS_OK;
}

static uint32_t notify(void *ctx, uint64_t doorbell)
{
	(void)ctx;
	if ((uint32_t)doorbell != PORT || doorbell >> 32 < 7 || doorbell >> 32 > 8)
		return PVROM_STATUS_INVALID;
	rung++;
	return PVROM_STATUS_OK;
}

/* One that is driven over the bus, as all are here. */
static void stop(void *ctx, uint32_t device)
{
	uint64_t value;

	configure(ctx, device, PVROM_DEV_OP_SET_STATUS, 0, 0, &value);
}

static const struct pvrom_bus_ops bus_ops = { list, configure, notify, stop };

/* ---- the kernel's part ------------------------------------------------------------------------------- */

static uint32_t os_call(void *ctx, uint32_t number, uint64_t arg0, uint64_t arg1, uint64_t arg2,
			uint64_t *value)
{
	uint32_t status = world_call(&w, 0, number, arg0, arg1, arg2);

	(void)ctx;
	*value = w.regs.value;
	return status;
}

static void os_out(void *ctx, uint16_t port, uint32_t value)
{
	notify(ctx, (uint64_t)value << 32 | port);
}

static const struct pvrom_virtio_bus_os os = { os_call, os_out };

static void open_kinds(uint32_t devices, uint32_t kinds)
{
	const struct pvrom_blk_host_setup setup = { .queues = 2 };

	guest_world_open(&disk, &setup, PVROM_VQ_F_EVENT_IDX);
	pvrom_bus_host_init(&bus, &bus_ops, NULL, devices, kinds);
	world_open(&w, 2);
	features[0] = &pvrom_host_irq;
	features[1] = &bus.dev;
	features[2] = &bus.blk;
	features[3] = &bus.net;
	w.config.features = features;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	configured = resets = rung = 0;
}

static void open_all(uint32_t devices)
{
	open_kinds(devices, devices > 0 ? PVROM_BUS_DISKS : 0);
}

static void close_all(void)
{
	world_close(&w);
	guest_world_close(&disk);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

static bool start_queues(struct pvrom_blk_guest *blk, struct pvrom_blk_guest_queue *queue)
{
	uint16_t i;

	for (i = 0; i < blk->queues; i++) {
		struct pvrom_virtio_memory m;

		if (!pvrom_blk_guest_memory(blk, i, &m))
			return false;
		m.shared_gpa = 0x10000 + i * 0x40000u;
		m.shared = disk.memory + m.shared_gpa;
		free(disk.own[i]);
		disk.own[i] = m.own = malloc(m.own_bytes);
		m.vector = (uint16_t)(0x50 + i);
		m.vcpu = 1;
		if (!pvrom_blk_guest_queue(blk, i, &queue[i], &m))
			return false;
	}
	return true;
}

/* A disk is found, set up, written and read by the bus alone. */
static void a_disk_works(void)
{
	const struct pvrom_blk_guest_config settings = { .queues = 4 };
	struct pvrom_virtio_bus dev;
	uint8_t *data;

	open_all(1);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_virtio_bus_open(&dev, 1, &os, NULL), PVROM_VIRTIO_NO_DEVICE);
	CU_ASSERT_EQUAL_FATAL(pvrom_virtio_bus_open(&dev, 0, &os, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_blk_guest_begin(&disk.blk, &dev.virtio, &settings),
			      PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL(disk.blk.queues, 2);
	CU_ASSERT_EQUAL(disk.blk.sectors, GW_SECTORS);
	CU_ASSERT_TRUE_FATAL(start_queues(&disk.blk, disk.queue));
	pvrom_blk_guest_go(&disk.blk);
	CU_ASSERT_EQUAL(where[0].size, 64);
	CU_ASSERT_EQUAL(interrupt_word[1], 0x51 | 1ull << 32);
	data = disk.memory + GW_DATA;
	memset(data, 0x5a, 512);
	CU_ASSERT_EQUAL(guest_world_one(&disk, PVROM_BLK_T_OUT, 9, 0, 512), PVROM_BLK_GUEST_OK);
	CU_ASSERT_TRUE(rung > 0);
	memset(data, 0, 512);
	CU_ASSERT_EQUAL(guest_world_one(&disk, PVROM_BLK_T_IN, 9, 0, 512), PVROM_BLK_GUEST_OK);
	CU_ASSERT_TRUE(data[0] == 0x5a && data[511] == 0x5a);
	CU_ASSERT_EQUAL(pvrom_blk_guest_set_writeback(&disk.blk, false), PVROM_BLK_GUEST_OK);
	CU_ASSERT_EQUAL(pvrom_blk_guest_stop(&disk.blk), PVROM_VIRTIO_OK);
	close_all();
}

/* Nothing of it without the feature; and dev alone is not blk. */
static void only_in_the_sealed_set(void)
{
	open_all(1);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_LIST, 0, 0, 0), PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_CONFIGURE, 0, OP(1, 0), 1),
			PVROM_STATUS_DENIED);
	CU_ASSERT_EQUAL(configured, 0);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_LIST, 0, PVROM_DEV_COUNT, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.regs.value, 1);
	close_all();
}

static void offered_where_there_are_devices(void)
{
	static const struct {
		uint32_t devices, kinds;
		uint64_t offered;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1, PVROM_BUS_DISKS, FEATURE(DEV) | FEATURE(BLK) },
		{ 1, PVROM_BUS_CARDS, FEATURE(DEV) | FEATURE(NET) },
		{ 2, PVROM_BUS_DISKS | PVROM_BUS_CARDS, BUS_FEATURES },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pvrom_offer offer;

		open_kinds(cases[i].devices, cases[i].kinds);
		pvrom_host_offer(&w.host, &offer);
		CU_ASSERT_EQUAL(offer.offered & BUS_FEATURES, cases[i].offered);
		close_all();
	}
}

/* What no device is asked for. */
static void refuses_nonsense(void)
{
	static const uint64_t bad[][3] = {
		{ 1, OP(PVROM_DEV_OP_STATUS, 0), 0 },
		{ UINT64_MAX, OP(PVROM_DEV_OP_STATUS, 0), 0 },
		{ 1ull << 32, OP(PVROM_DEV_OP_STATUS, 0), 0 },
		{ 0, OP(PVROM_DEV_OP_COUNT, 0), 0 },
		{ 0, UINT64_MAX, 0 },
		{ 0, OP(PVROM_DEV_OP_QUEUE_SIZE, 2), 16 },
		{ 0, OP(PVROM_DEV_OP_QUEUE_ENABLE, UINT32_MAX), 0 },
		{ 0, OP(PVROM_DEV_OP_CONFIG_WRITE, 32), 256 },
		{ 0, OP(PVROM_DEV_OP_QUEUE_INTERRUPT, 0), 31 },
		{ 0, OP(PVROM_DEV_OP_QUEUE_INTERRUPT, 0), 256 },
		{ 0, OP(PVROM_DEV_OP_QUEUE_INTERRUPT, 0), 0x50 | 2ull << 32 },
		{ 0, OP(PVROM_DEV_OP_CONFIG_INTERRUPT, 0), 0x50 | 1ull << 63 },
	};
	uint32_t i;

	open_all(1);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(
			world_call(&w, 0, PVROM_DEV_CONFIGURE, bad[i][0], bad[i][1], bad[i][2]),
			PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(configured, 0);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_LIST, 1, PVROM_DEV_COUNT, 0),
			PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_LIST, 1, PVROM_DEV_KIND, 0),
			PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_LIST, 0, 3, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_NOTIFY, 9ull << 32 | PORT, 0, 0),
			PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_DEV_NOTIFY, 8ull << 32 | PORT, 0, 0),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(rung, 1);
	close_all();
}

/* RESET, and a set without dev, leave no device at work. */
static void devices_stop_with_the_feature(void)
{
	open_all(1);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(resets, 0);
	CU_ASSERT_EQUAL(
		world_call(&w, 0, PVROM_DEV_CONFIGURE, 0, OP(PVROM_DEV_OP_SET_STATUS, 0), 7),
		PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(disk.status, 7);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_RESET, PVROM_RESET_FORCE, 0, 0),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(resets, 1);
	CU_ASSERT_EQUAL(disk.status, 0);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, FEATURE(IRQ)), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(resets, 2);
	close_all();
}

/* What the guest half does with a vector that moves, and with a doorbell that is none. */
static void vectors_and_bells(void)
{
	const struct pvrom_blk_guest_config settings = { .queues = 2 };
	struct pvrom_virtio_bus dev;

	open_all(1);
	CU_ASSERT_EQUAL(world_negotiate(&w, NEEDED), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_virtio_bus_open(&dev, 0, &os, NULL), PVROM_VIRTIO_OK);
	CU_ASSERT_EQUAL_FATAL(pvrom_blk_guest_begin(&disk.blk, &dev.virtio, &settings),
			      PVROM_VIRTIO_OK);
	CU_ASSERT_TRUE_FATAL(start_queues(&disk.blk, disk.queue));
	CU_ASSERT_TRUE(pvrom_virtio_bus_interrupt(&dev, 1, 0x77, 0));
	CU_ASSERT_EQUAL(interrupt_word[1], 0x77);
	CU_ASSERT_TRUE(pvrom_virtio_bus_interrupt(&dev, PVROM_VIRTIO_BUS_CHANGES, 0x78, 1));
	CU_ASSERT_EQUAL(interrupt_word[GW_QUEUES], 0x78 | 1ull << 32);
	CU_ASSERT_FALSE(pvrom_virtio_bus_interrupt(&dev, 1, 0x77, 2));
	CU_ASSERT_FALSE(pvrom_virtio_bus_interrupt(&dev, 2, 0x77, 0));
	CU_ASSERT_EQUAL(interrupt_word[1], 0x77);
	CU_ASSERT_EQUAL(pvrom_blk_guest_stop(&disk.blk), PVROM_VIRTIO_OK);
	bell_lie = 1 << 16;
	CU_ASSERT_EQUAL_FATAL(pvrom_blk_guest_begin(&disk.blk, &dev.virtio, &settings),
			      PVROM_VIRTIO_OK);
	CU_ASSERT_FALSE(start_queues(&disk.blk, disk.queue));
	bell_lie = 0;
	close_all();
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "a disk is found, set up, written and read by calls [PVROM-DEV-1 PVROM-DEV-4]",
		  a_disk_works },
		{ "calls are denied without the feature", only_in_the_sealed_set },
		{ "offered where there are devices", offered_where_there_are_devices },
		{ "no device is asked for nonsense [PVROM-DEV-2 PVROM-DEV-3]", refuses_nonsense },
		{ "a vector moves while its queue is ready; a doorbell that is none is refused "
		  "[PVROM-DEV-6]",
		  vectors_and_bells },
		{ "devices stop with the feature [PVROM-DEV-5]", devices_stop_with_the_feature },
		{ 0 },
	};

	return world_main("device bus", tests);
}
