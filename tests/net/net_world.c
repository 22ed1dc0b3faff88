/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine around a network card. */
#include "net_world.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_STRIDE 0x8000u /* guest memory of one queue's areas */
#define RECEIVE_DATA 0x800000u
#define RECEIVE_STRIDE 0x100000u

/* ---- what the card asks of its embedder ---------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct net_world *w = ctx;

	if (gpa.gpa >= WORLD_MEMORY)
		return NULL;
	if (*len > WORLD_MEMORY - gpa.gpa)
		*len = WORLD_MEMORY - gpa.gpa;
	return w->memory + gpa.gpa;
}

static const struct pvrom_vq_device_ops ring_ops = { .translate = translate };

static struct net_world *world_of(struct pvrom_net_backend *backend)
{
	return (struct net_world *)(void *)((char *)backend - offsetof(struct net_world, backend));
}

static bool keep(struct pvrom_net_backend *backend, const struct pvrom_net_header *header,
		 const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct net_world *w = world_of(backend);
	struct world_frame *f = &w->sent[w->sent_count];
	uint32_t i;

	if (w->refuse || w->sent_count == WORLD_FRAMES)
		return false;
	*f = (struct world_frame){ .header = *header, .bytes = malloc(PVROM_NET_FRAME_MAX + 64) };
	for (i = 0; i < count; i++) {
		const uint64_t pass = skip < pieces[i].len ? skip : pieces[i].len;

		memcpy(f->bytes + f->len, (uint8_t *)pieces[i].at + pass, pieces[i].len - pass);
		f->len += (uint32_t)(pieces[i].len - pass);
		skip -= pass;
	}
	w->sent_count++;
	return true;
}

static void offloads(struct pvrom_net_backend *backend, uint64_t guest)
{
	world_of(backend)->told_offloads = guest;
}

static const struct pvrom_net_backend_ops backend_ops = { .send = keep, .offloads = offloads };

void net_world_forget_sent(struct net_world *w)
{
	while (w->sent_count)
		free(w->sent[--w->sent_count].bytes);
}

/* ---- set-up ---------------------------------------------------------------------------------------------- */

static bool open_queue(struct net_world *w, uint32_t n, uint64_t features)
{
	struct world_queue *q = &w->queue[n];
	const uint32_t base = n * QUEUE_STRIDE;
	const struct pvrom_vq_driver_config driver = {
		.features = features,
		.size = WORLD_QUEUE_SIZE,
		.queue = (uint16_t)n,
		.desc = w->memory + base,
		.driver = w->memory + base + 0x4000,
		.device = w->memory + base + 0x6000,
		.slots = q->driver_slots,
	};
	const struct pvrom_vq_device_config device = {
		.ops = &ring_ops,
		.ops_ctx = w,
		.features = features,
		.size = WORLD_QUEUE_SIZE,
		.desc = { base },
		.driver = { base + 0x4000 },
		.device = { base + 0x6000 },
		.slots = q->slots,
	};

	q->next_data = RECEIVE_DATA + n / 2 * RECEIVE_STRIDE;
	return pvrom_vq_driver_init(&q->driver, &driver) == PVROM_VQ_OK &&
	       pvrom_net_queue_init(&q->queue, &w->host, n, &device, q->pool, WORLD_QUEUE_SIZE) ==
		       PVROM_VQ_OK;
}

static bool open_card(struct net_world *w, uint32_t pairs, uint64_t features, uint64_t without)
{
	const struct pvrom_net_host_setup setup = {
		.backend = w->behind ? w->behind : &w->backend,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.pairs = (uint16_t)pairs,
		.whole = w->whole,
		.segment = w->segment,
	};

	if (!pvrom_net_host_init(&w->host, &setup))
		return false;
	if (features == NET_ALL)
		features = pvrom_net_host_features(&w->host);
	return pvrom_net_host_accept(&w->host, features & ~without);
}

/* The last one closed is used again, for pages that the system must clear are dear; buffers stay as they were. */
static struct net_world *spare;

static struct net_world *fresh_world(void)
{
	struct net_world *w = spare;
	uint8_t *memory;

	spare = NULL;
	if (!w) {
		w = calloc(1, sizeof(*w));
		w->memory = calloc(1, WORLD_MEMORY);
		return w;
	}
	memory = w->memory;
	memset(memory, 0, WORLD_QUEUES * QUEUE_STRIDE);
	memset(w, 0, sizeof(*w));
	w->memory = memory;
	return w;
}

static struct net_world *open_world(struct pvrom_net_backend *behind, uint32_t pairs, uint64_t can,
				    uint64_t features, uint64_t without, uint64_t ring_features)
{
	struct net_world *w = fresh_world();
	bool fine;
	uint32_t n;

	w->behind = behind;
	w->backend = (struct pvrom_net_backend){
		.ops = &backend_ops, .can = can, .gives = UINT64_MAX, .mtu = 65535, .speed = 1000
	};
	fine = open_card(w, pairs, features, without);
	for (n = 0; fine && n < 2 * pairs; n++)
		fine = open_queue(w, n, ring_features);
	if (fine && pvrom_net_control_queue(&w->host) != PVROM_NET_NO_QUEUE)
		fine = open_queue(w, pvrom_net_control_queue(&w->host), ring_features);
	if (fine)
		return w;
	net_world_close(w);
	return NULL;
}

struct net_world *net_world_open(uint32_t pairs, uint64_t can, uint64_t features,
				 uint64_t ring_features)
{
	return open_world(NULL, pairs, can, features, 0, ring_features);
}

struct net_world *net_world_open_on(struct pvrom_net_backend *behind, uint32_t pairs,
				    uint64_t without, uint64_t ring_features)
{
	return open_world(behind, pairs, 0, NET_ALL, without, ring_features);
}

struct net_world *net_world_open_without(uint32_t pairs, uint64_t can, uint64_t without,
					 uint64_t ring_features)
{
	return open_world(NULL, pairs, can, NET_ALL, without, ring_features);
}

void net_world_close(struct net_world *w)
{
	net_world_forget_sent(w);
	if (!spare) {
		spare = w;
		return;
	}
	free(w->memory);
	free(w);
}

/* ---- sending ---------------------------------------------------------------------------------------------- */

/* One buffer of one queue; true when it came back. */
static bool round_trip(struct net_world *w, uint32_t n, size_t readable, uint32_t writable,
		       uint32_t piece, struct pvrom_vq_done *done)
{
	struct world_queue *q = &w->queue[n];
	struct pvrom_vq_buf bufs[WORLD_QUEUE_SIZE];
	uint32_t count = 0, in = 0;
	uint64_t again;
	size_t at;

	for (at = 0; at < readable; at += bufs[count++].len)
		bufs[count] = (struct pvrom_vq_buf){
			.addr = WORLD_DATA + at,
			.len = readable - at < piece ? (uint32_t)(readable - at) : piece,
		};
	if (writable)
		bufs[count + in++] =
			(struct pvrom_vq_buf){ .addr = WORLD_DATA + 0x200000, .len = writable };
	if (pvrom_vq_driver_add(&q->driver, bufs, count, in, q) != PVROM_VQ_OK)
		return false;
	pvrom_vq_driver_publish(&q->driver);
	if (n == pvrom_net_control_queue(&w->host))
		pvrom_net_control(&q->queue, 8);
	else
		pvrom_net_transmit(&q->queue, 8);
	pvrom_net_queue_publish(&q->queue, 0, &again);
	return pvrom_vq_driver_get(&q->driver, done) == PVROM_VQ_OK;
}

bool net_world_send_raw(struct net_world *w, uint32_t pair, const void *bytes, size_t len,
			uint32_t piece)
{
	struct pvrom_vq_done done;

	if (len)
		memcpy(w->memory + WORLD_DATA, bytes, len);
	return round_trip(w, 2 * pair + 1, len, len ? 0 : 1, piece, &done);
}

static size_t header_bytes(const struct net_world *w)
{
	return w->host.driver.accepted & PVROM_NET_F_HASH_REPORT ? 20 : 12;
}

bool net_world_send(struct net_world *w, uint32_t pair, const struct pvrom_net_header *header,
		    const uint8_t *bytes, size_t len, uint32_t piece)
{
	static uint8_t raw[20 + PVROM_NET_FRAME_MAX + 64];
	const size_t before = header_bytes(w);

	memset(raw, 0, before);
	memcpy(raw, header, sizeof(*header));
	memcpy(raw + before, bytes, len);
	return net_world_send_raw(w, pair, raw, before + len, piece);
}

static int command(struct net_world *w, const void *readable, size_t len, uint32_t writable,
		   uint32_t piece)
{
	uint8_t *ack = w->memory + WORLD_DATA + 0x200000;
	struct pvrom_vq_done done;

	memcpy(w->memory + WORLD_DATA, readable, len);
	*ack = 0xee;
	if (!round_trip(w, pvrom_net_control_queue(&w->host), len, writable, piece, &done) ||
	    !done.len)
		return -1;
	return *ack;
}

int net_world_command_raw(struct net_world *w, const void *readable, size_t len, uint32_t writable)
{
	return command(w, readable, len, writable, 0x100000);
}

int net_world_command_cut(struct net_world *w, const void *bytes, size_t len, uint32_t piece)
{
	return command(w, bytes, len, 1, piece);
}

int net_world_command(struct net_world *w, uint8_t class, uint8_t number, const void *data,
		      size_t len)
{
	static uint8_t raw[2 + 0x200000];

	raw[0] = class;
	raw[1] = number;
	if (len)
		memcpy(raw + 2, data, len);
	return net_world_command_raw(w, raw, len + 2, 1);
}

/* ---- receiving -------------------------------------------------------------------------------------------- */

bool net_world_give(struct net_world *w, uint32_t pair, uint32_t len)
{
	struct world_queue *q = &w->queue[2 * pair];
	const struct pvrom_vq_buf buf = { .addr = q->next_data, .len = len };
	const uint32_t end = RECEIVE_DATA + (pair + 1) * RECEIVE_STRIDE;

	if (pvrom_vq_driver_add(&q->driver, &buf, 0, 1, w->memory + buf.addr) != PVROM_VQ_OK)
		return false;
	pvrom_vq_driver_publish(&q->driver);
	q->next_data += len;
	if (q->next_data + 0x20000 > end)
		q->next_data = RECEIVE_DATA + pair * RECEIVE_STRIDE;
	return true;
}

static void append(struct world_received *r, const uint8_t *bytes, uint32_t len)
{
	if (r->len + len > sizeof(r->bytes))
		len = (uint32_t)sizeof(r->bytes) - r->len;
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

bool net_world_take(struct net_world *w, uint32_t pair, struct world_received *received)
{
	struct world_queue *q = &w->queue[2 * pair];
	const uint32_t before = (uint32_t)header_bytes(w);
	struct pvrom_vq_done done;
	uint64_t again;
	uint32_t n;

	pvrom_net_queue_publish(&q->queue, 0, &again);
	received->len = 0;
	received->header.num_buffers = 1;
	for (n = 0; n < received->header.num_buffers; n++) {
		const uint8_t *at;

		if (pvrom_vq_driver_get(&q->driver, &done) != PVROM_VQ_OK ||
		    (!n && done.len < before))
			return false;
		at = done.token;
		if (!n) {
			memcpy(&received->header, at, sizeof(received->header));
			memcpy(&received->hash, at + sizeof(received->header), before - 12);
		}
		append(received, at + (n ? 0 : before), done.len - (n ? 0 : before));
	}
	return true;
}
