/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The transport of function calls, and the machine around it. */
#include "net_guest_world.h"

#include <stdlib.h>
#include <string.h>

static struct net_guest_world *world_of(struct pvrom_virtio *virtio)
{
	return (struct net_guest_world *)virtio; /* its first member */
}

/* ---- the card's embedder ---------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct net_guest_world *w = ctx;

	if (gpa.gpa >= NGW_MEMORY)
		return NULL;
	if (*len > NGW_MEMORY - gpa.gpa)
		*len = NGW_MEMORY - gpa.gpa;
	return w->memory + gpa.gpa;
}

static const struct pvrom_vq_device_ops ring_ops = { .translate = translate };

static bool keep(struct pvrom_net_backend *backend, const struct pvrom_net_header *header,
		 const struct pvrom_vq_piece *pieces, uint32_t count, uint64_t skip)
{
	struct net_guest_world *w =
		(void *)((char *)backend - offsetof(struct net_guest_world, wire));
	struct ngw_sent *s = &w->sent[w->sent_count];
	uint32_t i;

	if (w->sent_count == NGW_SENT)
		return false;
	*s = (struct ngw_sent){ .header = *header, .bytes = malloc(PVROM_NET_FRAME_MAX + 64) };
	for (i = 0; i < count; i++) {
		const uint64_t pass = skip < pieces[i].len ? skip : pieces[i].len;

		memcpy(s->bytes + s->len, (uint8_t *)pieces[i].at + pass, pieces[i].len - pass);
		s->len += (uint32_t)(pieces[i].len - pass);
		skip -= pass;
	}
	w->sent_count++;
	return true;
}

static const struct pvrom_net_backend_ops wire_ops = { .send = keep };

/* ---- the transport ------------------------------------------------------------------------------------ */

static uint64_t features(struct pvrom_virtio *virtio)
{
	struct net_guest_world *w = world_of(virtio);

	return pvrom_net_host_features(&w->host) | w->ring_features | w->offered_too;
}

/* A set that contradicts itself is one that the card refuses, later, by FEATURES_OK. */
static void accept(struct pvrom_virtio *virtio, uint64_t chosen)
{
	struct net_guest_world *w = world_of(virtio);

	if (!pvrom_net_host_accept(&w->host, chosen & ~w->offered_too))
		w->status |= PVROM_VIRTIO_NEEDS_RESET;
}

static uint32_t status(struct pvrom_virtio *virtio)
{
	struct net_guest_world *w = world_of(virtio);
	const bool refused =
		w->status & PVROM_VIRTIO_NEEDS_RESET && !(w->status & PVROM_VIRTIO_DRIVER_OK);

	return refused ? w->status & ~PVROM_VIRTIO_FEATURES_OK : w->status;
}

static void set_status(struct pvrom_virtio *virtio, uint32_t value)
{
	struct net_guest_world *w = world_of(virtio);

	w->status = value ? value | (w->status & PVROM_VIRTIO_NEEDS_RESET) : 0;
	if (value)
		return;
	pvrom_net_host_reset(&w->host);
	memset(w->alive, 0, sizeof(w->alive));
}

static uint32_t queue_max(struct pvrom_virtio *virtio, uint32_t queue)
{
	return queue < NGW_QUEUES ? world_of(virtio)->longest : 0;
}

static bool queue_start(struct pvrom_virtio *virtio, uint32_t queue,
			const struct pvrom_virtio_queue *where)
{
	struct net_guest_world *w = world_of(virtio);
	const struct pvrom_vq_device_config config = { .ops = &ring_ops,
						       .ops_ctx = w,
						       .features = virtio->accepted,
						       .size = where->size,
						       .desc = { where->desc_gpa },
						       .driver = { where->driver_gpa },
						       .device = { where->device_gpa },
						       .slots = w->slots[queue] };

	w->alive[queue] = pvrom_net_queue_init(&w->device[queue], &w->host, queue, &config,
					       w->pool[queue], NGW_LONGEST) == PVROM_VQ_OK;
	return w->alive[queue];
}

static void notify(struct pvrom_virtio *virtio, uint32_t queue, uint32_t data)
{
	struct pvrom_vq_notification n;

	pvrom_vq_notification_decode(virtio->accepted, data, &n);
	if (n.queue != queue || !(world_of(virtio)->status & PVROM_VIRTIO_DRIVER_OK))
		abort();
	world_of(virtio)->bells[queue]++;
}

static uint32_t interrupt(struct pvrom_virtio *virtio)
{
	const uint32_t why = world_of(virtio)->why;

	world_of(virtio)->why = 0;
	return why;
}

static uint32_t generation(struct pvrom_virtio *virtio)
{
	return world_of(virtio)->host.generation;
}

static void config_read(struct pvrom_virtio *virtio, uint32_t offset, void *to, uint32_t len)
{
	pvrom_net_host_config_read(&world_of(virtio)->host, offset, to, len);
}

static void config_write(struct pvrom_virtio *virtio, uint32_t offset, const void *from,
			 uint32_t len)
{
	(void)virtio;
	(void)offset;
	(void)from;
	(void)len;
	abort(); /* VIRTIO 1.2, 5.1.4: it is read-only */
}

static const struct pvrom_virtio_ops honest = {
	.features = features,
	.accept = accept,
	.status = status,
	.set_status = set_status,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupt = interrupt,
	.generation = generation,
	.config_read = config_read,
	.config_write = config_write,
};

/* ---- life --------------------------------------------------------------------------------------------- */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct net_guest_world *net_guest_world_open(const struct ngw_setup *setup)
{
	const struct ngw_setup s = setup ? *setup : (struct ngw_setup){ 0 };
	struct net_guest_world *w = must(calloc(1, sizeof(*w)));
	const struct pvrom_net_host_setup card = { .backend = &w->wire,
						   .mac = { 2, 0, 0, 0, 0, 1 },
						   .mtu = s.mtu,
						   .pairs = s.pairs ? s.pairs : 1,
						   .withhold = s.withhold,
						   .whole = w->whole,
						   .segment = w->segment };
	uint32_t i;

	w->ops = honest;
	w->virtio = (struct pvrom_virtio){ .ops = &w->ops, .id = PVROM_NET_DEVICE_ID };
	w->ring_features = s.ring | PVROM_VQ_F_VERSION_1;
	w->longest = NGW_LONGEST;
	w->memory = must(calloc(1, NGW_MEMORY));
	w->wire = (struct pvrom_net_backend){
		.ops = &wire_ops, .can = s.can, .gives = UINT64_MAX, .mtu = 65535, .speed = 1000
	};
	for (i = 0; i < NGW_QUEUES; i++)
		w->pool[i] = must(calloc(NGW_LONGEST, sizeof(*w->pool[i])));
	if (!pvrom_net_host_init(&w->host, &card))
		abort();
	return w;
}

static bool open_queue(struct net_guest_world *w, uint16_t number)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&w->net, number, &m))
		return false;
	m.shared = w->memory + w->free;
	m.shared_gpa = w->free;
	w->free += (m.shared_bytes + 4095) / 4096 * 4096;
	if (w->free > NGW_BUFFERS_AT)
		abort();
	free(w->own[number]);
	w->own[number] = m.own = must(malloc(m.own_bytes));
	return pvrom_net_guest_queue(&w->net, number, &w->queue[number], &m);
}

static bool open_queues(struct net_guest_world *w)
{
	uint16_t i;

	for (i = 0; i < 2 * w->net.pairs; i++)
		if (!open_queue(w, i))
			return false;
	return w->net.control_number == PVROM_NET_GUEST_NO_QUEUE ||
	       open_queue(w, w->net.control_number);
}

static void give_buffers(struct net_guest_world *w, uint32_t pair, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		const uint64_t gpa =
			NGW_BUFFERS_AT + (uint64_t)(pair * NGW_BUFFERS + i) * NGW_BUFFER_ROOM;

		w->buffer[pair][i] = (struct pvrom_net_guest_buffer){
			.gpa = gpa, .at = w->memory + gpa, .len = w->net.settings.buffer
		};
		if (pvrom_net_guest_give(&w->queue[2 * pair], &w->buffer[pair][i]))
			abort();
	}
	pvrom_net_guest_kick(&w->queue[2 * pair]);
}

/* What the driver calls while it waits for the card. */
static bool let_it_run(void *ctx, uint32_t looks)
{
	struct net_guest_world *w = ctx;

	(void)looks;
	if (!w->patience)
		return false;
	w->patience--;
	if (w->instead)
		w->instead(w);
	else
		net_guest_world_run(w);
	return true;
}

enum pvrom_virtio_result net_guest_world_begin(struct net_guest_world *w,
					       const struct pvrom_net_guest_config *settings,
					       uint32_t buffers)
{
	struct pvrom_net_guest_config s = { .pairs = NGW_PAIRS };
	enum pvrom_virtio_result result;
	uint32_t pair;

	if (settings)
		s = *settings;
	s.wait = let_it_run;
	s.wait_ctx = w;
	w->free = 0x1000;
	w->patience = UINT32_MAX;
	result = pvrom_net_guest_begin(&w->net, &w->virtio, &s);
	if (result)
		return result;
	if (!open_queues(w))
		return PVROM_VIRTIO_MALFORMED;
	for (pair = 0; pair < w->net.pairs; pair++)
		give_buffers(w, pair, buffers);
	pvrom_net_guest_go(&w->net);
	if (w->net.pairs > 1 && pvrom_net_guest_set_pairs(&w->net, w->net.pairs))
		return PVROM_VIRTIO_MALFORMED;
	return PVROM_VIRTIO_OK;
}

void net_guest_world_run(struct net_guest_world *w)
{
	const uint32_t control = pvrom_net_control_queue(&w->host);
	uint64_t again;
	uint32_t i;

	for (i = 0; i < NGW_QUEUES; i++) {
		if (!w->alive[i])
			continue;
		if (i == control && !w->deaf)
			pvrom_net_control(&w->device[i], NGW_LONGEST);
		else if (i != control && i % 2)
			pvrom_net_transmit(&w->device[i], NGW_LONGEST);
		w->interrupts[i] += pvrom_net_queue_publish(&w->device[i], 0, &again);
	}
}

enum pvrom_net_fate net_guest_world_arrive(struct net_guest_world *w,
					   const struct pvrom_net_header *header,
					   const uint8_t *bytes, size_t len)
{
	const enum pvrom_net_fate fate = pvrom_net_receive(&w->host, header, bytes, len);

	net_guest_world_run(w);
	return fate;
}

void net_guest_world_forget_sent(struct net_guest_world *w)
{
	while (w->sent_count)
		free(w->sent[--w->sent_count].bytes);
}

void net_guest_world_close(struct net_guest_world *w)
{
	uint32_t i;

	net_guest_world_forget_sent(w);
	for (i = 0; i < NGW_QUEUES; i++) {
		free(w->pool[i]);
		free(w->own[i]);
	}
	free(w->memory);
	free(w);
}

/* ---- one frame ------------------------------------------------------------------------------------------- */

enum pvrom_net_guest_result net_guest_world_send(struct net_guest_world *w, uint32_t pair,
						 const struct pvrom_net_header *header,
						 uint32_t len)
{
	const struct pvrom_net_guest_piece piece = { NGW_DATA, w->memory + NGW_DATA, len, 0 };
	struct pvrom_net_guest_packet p = { .piece = &piece,
					    .pieces = 1,
					    .flags = header->flags,
					    .gso_type = header->gso_type,
					    .gso_size = header->gso_size,
					    .csum_start = header->csum_start,
					    .csum_offset = header->csum_offset,
					    .token = w };
	struct pvrom_net_guest_queue *q = &w->queue[2 * pair + 1];
	const enum pvrom_net_guest_result result = pvrom_net_guest_send(q, &p);
	bool broken = false;
	void *token;

	if (result)
		return result;
	pvrom_net_guest_kick(q);
	net_guest_world_run(w);
	if (pvrom_net_guest_reclaim(q, &token, 1, &broken) != !p.copied || broken)
		return PVROM_NET_GUEST_BROKEN;
	return PVROM_NET_GUEST_OK;
}

static void give_again(struct pvrom_net_guest_queue *q, struct pvrom_net_guest_buffer *b)
{
	while (b) {
		struct pvrom_net_guest_buffer *next = b->next;

		if (pvrom_net_guest_give(q, b))
			abort();
		b = next;
	}
}

bool net_guest_world_take(struct net_guest_world *w, uint32_t pair, struct ngw_received *r)
{
	struct pvrom_net_guest_queue *q = &w->queue[2 * pair];
	const struct pvrom_net_guest_buffer *b;
	bool broken = false;
	uint8_t *to = r->bytes;

	r->frame = (struct pvrom_net_guest_frame){ .small = r->small };
	r->buffers = 0;
	if (!pvrom_net_guest_receive(q, &r->frame, 1, &broken))
		return false;
	for (b = r->frame.buffers; b; to += b->used, b = b->next) {
		memcpy(to, r->buffers ? b->at : r->frame.at, b->used);
		r->buffers++;
	}
	if (!r->buffers)
		memcpy(to, r->frame.at, r->frame.len);
	give_again(q, r->frame.buffers);
	pvrom_net_guest_kick(q);
	return true;
}
