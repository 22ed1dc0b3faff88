/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "ring_device": a driver writes anything into the memory of a queue, at any time, while the device half
 * works on it. An input is a queue (format, features, size), then acts of one byte and their operands.
 *
 * Promised: what pop hands out, or a burst, lies in guest memory, piece by piece, and adds up; a buffer that was popped can be
 * completed once, whatever its fault; one of before a reset cannot; no more are out than the queue is
 * long; a used entry never says more bytes than were writable; a pop asks for no more memory than its bounds
 * allow; a broken queue stays so until it is set up anew.
 */
#include "../virtqueue/ring_world.h"
#include "hostile.h"

#include "../../virtqueue/vq_checks.h"

#define SIZES 8u
#define OUT 64u
#define PIECES 24u
#define ACTS 400u

static struct ring_world world;
static uint32_t size;
static struct out {
	struct pvrom_vq_request request;
	struct pvrom_vq_piece piece[PIECES];
	bool busy;
} out[OUT];
static uint32_t busy;

/* ---- what the driver does ---------------------------------------------------------------------------- */

static uint64_t some_address(struct input *in)
{
	static const uint64_t at[] = { RING_DATA, RING_TABLES,	   RING_TABLES + 8, RING_SEAM - 24,
				       RING_SEAM, RING_END - 16,   RING_END,	    RING_BASE - 1,
				       0,	  UINT64_MAX - 15, RING_DESC,	    RING_DEVICE };
	uint8_t which = take8(in);

	return which < 0xf0 ? at[which % 12] : take64(in);
}

static uint32_t some_length(struct input *in)
{
	static const uint32_t len[] = { 0, 1, 16, 32, 64, 4096, 17, 0x80000000, 0xffffffff, 48 };
	uint8_t which = take8(in);

	return which < 0xf0 ? len[which % 10] : take32(in);
}

/* In both formats: flags and next, or id and flags. */
static void write_desc(struct input *in)
{
	uint8_t where = take8(in);
	struct pvrom_vq_desc *d =
		where & 0x80 ? (struct pvrom_vq_desc *)ring_at(&world, RING_TABLES) + where % 64
			     : (struct pvrom_vq_desc *)ring_at(&world, RING_DESC) + where % size;

	d->addr = some_address(in);
	d->len = some_length(in);
	d->flags = take16(in);
	d->next = take16(in);
}

static void write_avail(struct input *in)
{
	uint16_t *avail = ring_at(&world, RING_DRIVER);
	uint8_t how = take8(in);

	if (world.device_config.features & PVROM_VQ_F_RING_PACKED) {
		avail[how & 1] = take16(in);
		return;
	}
	if (how & 1)
		avail[2 + (how >> 1) % size] = take16(in);
	else if (how & 2)
		avail[1] = take16(in);
	else
		avail[1]++;
}

/* ---- what is promised of a pop ------------------------------------------------------------------------- */

static void check_piece(const struct pvrom_vq_piece *p)
{
	uint64_t gpa = p->gpa.gpa;

	PROMISE(p->len && gpa >= RING_BASE && gpa < RING_END && p->len <= RING_END - gpa);
	PROMISE(gpa >= RING_SEAM || p->len <= RING_SEAM - gpa);
	PROMISE(p->at == ring_at(&world, gpa));
}

static void check_request(const struct pvrom_vq_request *r)
{
	uint64_t readable = 0, writable = 0;
	uint32_t i;

	PROMISE(r->readable_pieces <= r->room &&
		r->writable_pieces <= r->room - r->readable_pieces);
	for (i = 0; i < r->readable_pieces + r->writable_pieces; i++) {
		check_piece(&r->piece[i]);
		*(i < r->readable_pieces ? &readable : &writable) += r->piece[i].len;
	}
	PROMISE(readable == r->readable && writable == r->writable);
	PROMISE(readable + writable <= 1ull << 32);
	if (r->last)
		PROMISE(r->last == ring_at(&world, r->last_gpa.gpa));
}

static void pop(void)
{
	uint64_t before = world.translated;
	struct out *o = out;
	enum pvrom_vq_result result;

	while (o < out + OUT && o->busy)
		o++;
	if (o == out + OUT)
		return;
	o->request.piece = o->piece;
	o->request.room = PIECES;
	result = pvrom_vq_device_pop(&world.device, &o->request);
	/* A piece each, one for the last byte, two parts a table; far below the descriptors of a long chain. */
	PROMISE(world.translated - before <= 4ull * 1024 + PIECES);
	PROMISE((result == PVROM_VQ_BROKEN) == !!pvrom_vq_device_reason(&world.device));
	if (result)
		return;
	check_request(&o->request);
	o->busy = true;
	busy++;
	PROMISE(busy <= size && pvrom_vq_device_in_flight(&world.device) == busy);
}

/* ---- giving back ---------------------------------------------------------------------------------------- */

static void complete(struct input *in)
{
	struct out *o = &out[take8(in) % OUT];
	uint64_t written = some_length(in);
	enum pvrom_vq_result result = pvrom_vq_device_complete(&world.device, &o->request, written);

	PROMISE(result == (o->busy ? PVROM_VQ_OK : PVROM_VQ_STALE));
	busy -= o->busy;
	o->busy = false;
}

/* The longest answer that a used entry of a split ring gives, as far as any buffer was writable. */
static uint64_t most_writable;

static void check_used(void)
{
	const uint8_t *used = ring_at(&world, RING_DEVICE);
	struct pvrom_vq_used_elem elem;
	uint32_t i;

	if (world.device_config.features & PVROM_VQ_F_RING_PACKED)
		return;
	for (i = 0; i < size; i++) {
		memcpy(&elem, used + 4 + 8 * i, sizeof(elem));
		PROMISE(elem.id < size && elem.len <= most_writable);
	}
}

static void note_writable(void)
{
	uint32_t i;

	for (i = 0; i < OUT; i++)
		if (out[i].busy && out[i].request.writable > most_writable)
			most_writable = out[i].request.writable;
}

/* Looked at without being taken, and some of them done. */
static void burst(uint8_t how)
{
	struct pvrom_vq_plain plain[16];
	const uint32_t n = pvrom_vq_device_burst(&world.device, plain, 16);
	const uint32_t count = how / 8 % 4 < 3 ? n : n / 2;
	uint32_t i;

	PROMISE(n <= size - busy || !(world.device_config.features & PVROM_VQ_F_RING_PACKED));
	PROMISE(!n || !pvrom_vq_device_reason(&world.device));
	for (i = 0; i < n; i++) {
		const struct pvrom_vq_piece piece = { plain[i].at, plain[i].len, plain[i].gpa };

		check_piece(&piece);
		plain[i].written = plain[i].writable ? plain[i].len / (1 + how % 2) : 0;
		if (plain[i].written > most_writable)
			most_writable = plain[i].written;
	}
	pvrom_vq_device_burst_done(&world.device, plain, count);
}

static void reset(void)
{
	uint32_t i;

	PROMISE(!pvrom_vq_device_init(&world.device, &world.device_config));
	for (i = 0; i < OUT; i++)
		out[i].busy = false;
	busy = 0;
}

/* ---- an input -------------------------------------------------------------------------------------------- */

static void act(struct input *in)
{
	uint8_t what;

	switch (take8(in) % 8) {
	case 0:
	case 1: write_desc(in); break;
	case 2: write_avail(in); break;
	case 3:
		pop();
		note_writable();
		break;
	case 4: complete(in); break;
	case 5:
		pvrom_vq_device_publish(&world.device);
		check_used();
		break;
	case 6:
		pvrom_vq_device_notifications_off(&world.device);
		pvrom_vq_device_notifications_on(&world.device);
		break;
	default:
		what = take8(in);
		if (what % 8 == 0)
			reset();
		else if (what & 0x80)
			burst(what);
		else
			pvrom_vq_device_map(&world.device);
	}
}

static void open_queue(struct input *in)
{
	static const uint32_t split[SIZES] = { 1, 2, 4, 8, 16, 32, 64, 4 };
	static const uint32_t packed[SIZES] = { 1, 2, 3, 5, 16, 33, 64, 7 };
	uint8_t what = take8(in), length = take8(in) % SIZES;

	size = what & 1 ? packed[length] : split[length];
	ring_world_init(&world, ring_some_features(what), size, false);
	memset(ring_at(&world, RING_TABLES), 0, 64 * 16);
	world.violations = 0;
	busy = 0;
	most_writable = 0;
	memset(out, 0, sizeof(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = { data, bytes };
	uint32_t i;

	open_queue(&in);
	for (i = 0; i < ACTS && in.left; i++)
		act(&in);
	PROMISE(!world.violations);
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the device half taken out -------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a buffer outside guest memory", PVROM_VQ_CHECK_BUFFER_MEMORY)                           \
	X("a buffer across a seam", PVROM_VQ_CHECK_BUFFER_PIECE)                                   \
	X("more pieces than there is room for", PVROM_VQ_CHECK_CHAIN_ROOM)                         \
	X("a head that is in flight", PVROM_VQ_CHECK_SPLIT_HEAD_TWICE)                             \
	X("a head outside the table", PVROM_VQ_CHECK_SPLIT_HEAD_RANGE)                             \
	X("a request completed twice", PVROM_VQ_CHECK_REQUEST_STALE)                               \
	X("more written than writable", PVROM_VQ_CHECK_WRITTEN_CUT)                                \
	X("a table outside guest memory", PVROM_VQ_CHECK_TABLE_MEMORY)                             \
	X("use of a queue that is broken", PVROM_VQ_CHECK_BROKEN_STAYS)

HOSTILE_FAULTS(FAULTS, pvrom_vq_check_off)
