/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "blk_requests": a driver asks the block device anything, several requests at a time, while its disk answers in
 * any order, limits hold requests back, the disk is resized and the device reset, saved and loaded. An input is a
 * device (features, read-only, limit), then acts of one byte and their operands.
 *
 * Promised: the disk is asked for whole sectors within its length and in guest memory; a read-only one for nothing
 * that changes it; each buffer comes back once; a status is one of three; at the end nothing is in work.
 */
#include "../blk/blk_world.h"
#include "hostile.h"

#include "../../pvblk/blk_host_internal.h"

#define REQUESTS 16u
#define ACTS 200u
#define ALL                                                                                        \
	(PVROM_BLK_F_FLUSH | PVROM_BLK_F_DISCARD | PVROM_BLK_F_WRITE_ZEROES |                      \
	 PVROM_BLK_F_SECURE_ERASE | PVROM_BLK_F_CONFIG_WCE)

static struct world *w;
static struct pvrom_limit limit;
static struct pvrom_blk_io *held[REQUESTS * 2];
static uint32_t held_count, out;
static bool busy[REQUESTS];

/* ---- the disk --------------------------------------------------------------------------------------- */

static void judge(const struct pvrom_blk_io *io)
{
	uint64_t bytes = 0;
	uint32_t i;

	PROMISE(io->offset % 512 == 0 && io->length % 512 == 0);
	PROMISE(io->offset <= WORLD_SECTORS * 512ull &&
		io->length <= WORLD_SECTORS * 512ull - io->offset);
	PROMISE(io->op == PVROM_BLK_IO_READ || io->op == PVROM_BLK_IO_FLUSH ||
		!w->host.setup.read_only);
	if (io->op > PVROM_BLK_IO_WRITE)
		return;
	for (i = 0; i < io->vecs; i++) {
		PROMISE((uint8_t *)io->vec[i].base >= w->memory &&
			(uint8_t *)io->vec[i].base + io->vec[i].len <= w->memory + WORLD_MEMORY);
		bytes += io->vec[i].len;
	}
	PROMISE(bytes == io->length);
}

static void submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	(void)backend;
	judge(io);
	PROMISE(held_count < sizeof(held) / sizeof(held[0]));
	held[held_count++] = io;
}

static const struct pvrom_blk_backend_ops disk_ops = { .submit = submit };

static void go(uint32_t which, uint32_t result)
{
	struct pvrom_blk_io *io;

	if (!held_count)
		return;
	which %= held_count;
	io = held[which];
	held[which] = held[--held_count];
	pvrom_blk_io_done(io, result % 4);
}

/* ---- the driver -------------------------------------------------------------------------------------- */

static uint64_t gpa_of(uint32_t slot)
{
	return 0x10000u + slot * 0x8000u;
}

static uint32_t some_length(struct input *in)
{
	static const uint32_t len[] = { 0, 1, 15, 16, 17, 511, 512, 513, 1024, 4096, 20, 32, 48 };
	const uint8_t which = take8(in);

	return which < 0xe0 ? len[which % 13] : take16(in) % 0x2000;
}

static uint64_t some_sector(struct input *in)
{
	const uint8_t which = take8(in);

	if (which < 0x80)
		return which;
	return which < 0xe0 ? WORLD_SECTORS - which % 4 : take64(in);
}

/* Header and ranges lie at the beginning; pieces are cut from there on, or somewhere else. */
static void ask(struct input *in)
{
	static const uint32_t types[] = { 0, 1, 4, 8, 10, 11, 13, 14, 2, 0xffffffff };
	const uint32_t slot = take8(in) % REQUESTS;
	const uint8_t shape = take8(in);
	struct pvrom_blk_header *h = world_at(w, gpa_of(slot));
	struct pvrom_blk_range *range = (struct pvrom_blk_range *)(void *)(h + 1);
	struct piece piece[8];
	uint32_t readable = shape & 3, writable = shape >> 2 & 3, i;
	uint64_t at = gpa_of(slot);

	if (busy[slot])
		return;
	h->type = types[take8(in) % 10];
	h->sector = some_sector(in);
	for (i = 0; i < 3; i++)
		range[i] = (struct pvrom_blk_range){ some_sector(in),
						     shape & 0x40 ? take32(in) : take8(in),
						     take8(in) % 4 };
	for (i = 0; i < readable + writable; i++) {
		piece[i] = (struct piece){ at, some_length(in) };
		if (shape & 0x80 && i == 1)
			piece[i].gpa = take8(in) & 1 ? take64(in) : WORLD_BORDER - 16;
		at += piece[i].len;
	}
	if (readable + writable && world_put(w, piece, readable, writable, &busy[slot])) {
		busy[slot] = true;
		out++;
	}
}

static void take_back(void)
{
	struct pvrom_vq_done done;

	w->interrupts += pvrom_blk_queue_publish(&w->queue);
	while (world_get(w, &done)) {
		bool *slot = done.token;

		PROMISE(*slot);
		*slot = false;
		out--;
	}
}

static void save_and_load(void)
{
	uint8_t state[1024];
	const size_t size = pvrom_blk_host_save(&w->host, state, sizeof(state));

	PROMISE(!size == (w->host.in_work > 0));
	if (size)
		PROMISE(pvrom_blk_host_load(&w->host, state, size));
}

static void act(struct input *in)
{
	uint8_t mode;

	switch (take8(in) % 8) {
	case 0:
	case 1:
	case 2: ask(in); break;
	case 3: world_run(w); break;
	case 4: go(take8(in), take8(in)); break;
	case 5:
		w->time += take32(in);
		pvrom_blk_host_release(&w->host);
		break;
	case 6:
		mode = take8(in);
		pvrom_blk_host_config_write(&w->host, take8(in), &mode, 1);
		break;
	default: save_and_load();
	}
	take_back();
}

static bool open_world(struct input *in)
{
	const uint8_t what = take8(in);
	const struct pvrom_rate rate = { 1 + take8(in), what & 8 ? 4 : 0, 0 }, none = { 0, 0, 0 };
	struct pvrom_blk_host_setup s = { .read_only = what & 1,
					  .limit = what & 2 ? &limit : NULL,
					  .discard_ranges = 2,
					  .zeroes_ranges = 2,
					  .zeroes_sectors = 64,
					  .erase_ranges = 2 };

	memset(&limit, 0, sizeof(limit));
	pvrom_limit_set(&limit, what & 4 ? &rate : &none, &rate, 0);
	w = world_open(&s, what & 16 ? PVROM_VQ_F_RING_PACKED : PVROM_VQ_F_EVENT_IDX,
		       what & 1 ? PVROM_BLK_F_FLUSH : ALL);
	if (w)
		w->backend.ops = &disk_ops;
	held_count = out = 0;
	memset(busy, 0, sizeof(busy));
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = { data, bytes };
	uint32_t i;

	if (!open_world(&in))
		return 0;
	for (i = 0; i < ACTS && in.left; i++)
		act(&in);
	world_run(w);
	pvrom_blk_host_drain(&w->host);
	while (held_count)
		go(0, PVROM_BLK_DONE);
	take_back();
	PROMISE(!w->host.in_work);
	PROMISE(!out || w->queue.broken);
	world_close(w);
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the device taken out --------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a transfer beyond the end", BLK_CHECK_CAPACITY)                                         \
	X("half a sector", BLK_CHECK_SECTORS)                                                      \
	X("a range beyond the end", BLK_CHECK_RANGE_CAPACITY)                                      \
	X("a change of a read-only disk", BLK_CHECK_READ_ONLY)

HOSTILE_FAULTS(FAULTS, pvrom_blk_removed)
