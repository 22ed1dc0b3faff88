/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A hostile driver's hands: rings written word by word, and what the device half must make of them.
 */
#include <string.h>

#include "hostile_ring.h"

static struct pvrom_vq_piece piece[PIECES_MAX];
static uint16_t position; /* packed: of the next descriptor */
static bool wrap;

static bool is_packed(void)
{
	return world.device_config.features & PVROM_VQ_F_RING_PACKED;
}

void hd_begin(uint64_t features, uint32_t size)
{
	ring_world_init(&world, features, size, false);
	req = (struct pvrom_vq_request){ .piece = piece, .room = 16 };
	position = 0;
	wrap = true;
}

void hd_desc(uint32_t i, uint64_t addr, uint32_t len, uint32_t flags, uint32_t next)
{
	struct pvrom_vq_desc *desc = ring_at(&world, RING_DESC);

	desc[i] = (struct pvrom_vq_desc){ addr, len, (uint16_t)flags, (uint16_t)next };
}

void hd_avail(uint32_t head)
{
	struct pvrom_vq_avail *avail = ring_at(&world, RING_DRIVER);

	avail->ring[avail->idx & (world.device_config.size - 1)] = (uint16_t)head;
	avail->idx++;
}

void hd_put(uint64_t addr, uint32_t len, uint32_t id, uint32_t flags)
{
	struct pvrom_vq_packed_desc *desc = ring_at(&world, RING_DESC);

	flags |= wrap ? PVROM_VQ_DESC_AVAIL : PVROM_VQ_DESC_USED;
	desc[position] = (struct pvrom_vq_packed_desc){ addr, len, (uint16_t)id, (uint16_t)flags };
	if (++position == world.device_config.size) {
		position = 0;
		wrap = !wrap;
	}
}

void hd_table(uint64_t gpa, uint32_t i, uint64_t addr, uint32_t len, uint32_t flags, uint32_t next)
{
	struct pvrom_vq_desc d = { addr, len, (uint16_t)flags, (uint16_t)next };
	uint8_t *bytes = (uint8_t *)&d;
	uint32_t n;

	if (is_packed()) {
		d.flags = (uint16_t)next;
		d.next = (uint16_t)flags;
	}
	for (n = 0; n < sizeof(d); n++) /* it may lie across the seam */
		*(uint8_t *)ring_at(&world, gpa + 16ull * i + n) = bytes[n];
}

void hd_one(uint32_t id, uint64_t addr, uint32_t len, uint32_t flags)
{
	if (is_packed()) {
		hd_put(addr, len, id, flags);
		return;
	}
	hd_desc(id, addr, len, flags, 0);
	hd_avail(id);
}

void hd_pop(uint32_t readable, uint32_t writable)
{
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == PVROM_VQ_FAULT_NONE);
	EXPECT(req.readable_pieces == readable && req.writable_pieces == writable);
}

/* What the next used entry says, at the place where the device will write it. */
static void used_entry(uint32_t at, uint32_t *id, uint32_t *len)
{
	if (is_packed()) {
		struct pvrom_vq_packed_desc *desc = ring_at(&world, RING_DESC);

		*id = desc[at].id;
		*len = desc[at].len;
	} else {
		struct pvrom_vq_used *used = ring_at(&world, RING_DEVICE);

		*id = used->ring[at & (world.device_config.size - 1)].id;
		*len = used->ring[at & (world.device_config.size - 1)].len;
	}
}

void hd_back(uint32_t id, uint32_t written)
{
	uint16_t at = world.device.shown;
	uint32_t used_id, len;

	EXPECT(pvrom_vq_device_complete(&world.device, &req, written) == PVROM_VQ_OK);
	pvrom_vq_device_publish(&world.device);
	EXPECT(world.device.shown != at || world.device_config.size == 1);
	used_entry(at, &used_id, &len);
	EXPECT(used_id == id && len == written);
}

void hd_good(void)
{
	uint32_t id = world.device_config.size > 1 ? GOOD_ID : 0;

	hd_one(id, DATA, 64, WRITE);
	hd_pop(0, 1);
	EXPECT(req.piece[0].at == ring_at(&world, DATA) && req.piece[0].len == 64);
	hd_back(id, 64);
}

void hd_fault(enum pvrom_vq_fault fault, uint32_t id)
{
	uint64_t before = world.translated;
	uint32_t i;

	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_OK);
	EXPECT(req.fault == fault);
	/* One for each piece, one for each last byte, and those of a table. */
	EXPECT(world.translated - before <= req.room + 3ull * world.device.chain_max);
	EXPECT(req.readable_pieces + req.writable_pieces <= req.room);
	for (i = 0; i < req.readable_pieces + req.writable_pieces; i++)
		EXPECT(req.piece[i].at && req.piece[i].len);
	hd_back(id, 0);
	hd_good();
}

void hd_broken(enum pvrom_vq_reason reason)
{
	uint16_t shown = world.device.shown;

	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_reason(&world.device) == reason);
	EXPECT(pvrom_vq_device_pop(&world.device, &req) == PVROM_VQ_BROKEN);
	EXPECT(pvrom_vq_device_pending(&world.device)); /* nobody waits for it in vain */
	EXPECT(!pvrom_vq_device_publish(&world.device) && world.device.shown == shown);
	hd_begin(world.device_config.features, world.device_config.size);
	hd_good();
}
