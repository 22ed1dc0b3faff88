/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of a network card in the guest: negotiation, memory of queues, start and stop.
 *
 *	shared memory of a queue, from a page boundary on
 *	descriptors | driver area | device area | send: indirect tables | headers and copies
 *						| control: the command
 */
#include "net_guest_internal.h"

#ifdef PVROM_TEST
uint32_t pvrom_net_guest_check_off;
void (*pvrom_net_guest_load_hook)(const void *at, size_t bytes);
#endif

#define SIZE_DEFAULT 256u
#define PIECES_DEFAULT 18u /* 64 KiB in pages, wherever they begin, and the headers apart */
#define BUFFER_DEFAULT 2048u
#define CONTROL_SIZE 16u
#define COMMAND_BYTES                                                                              \
	(PVROM_NET_GUEST_COMMAND + 64) /* with the acknowledgement on a line of its own */
/* Each turn takes fewer features; a device with which so many do not settle it changes all the time. */
#define TURNS 8u
/* 5.1.6.3.1: what a buffer must have without MRG_RXBUF, the hash of HASH_REPORT included. */
#define BUFFER_ALONE 1534u

#define TEXT_CASE(name, number, text)                                                              \
	case number: return text;

const char *pvrom_net_guest_result_text(enum pvrom_net_guest_result result)
{
	switch ((uint32_t)result) {
		PVROM_NET_GUEST_RESULT_TABLE(TEXT_CASE)
	default: return "?";
	}
}

/* ---- beginning ----------------------------------------------------------------------------------- */

static void usual(struct pvrom_net_guest_config *s)
{
	if (!s->pairs)
		s->pairs = 1;
	if (s->pairs > PVROM_NET_GUEST_PAIRS)
		s->pairs = PVROM_NET_GUEST_PAIRS;
	if (!s->size)
		s->size = SIZE_DEFAULT;
	if (!s->buffer)
		s->buffer = BUFFER_DEFAULT;
	if (s->buffer < sizeof(struct pvrom_net_header) + sizeof(struct pvrom_net_hash))
		s->buffer = sizeof(struct pvrom_net_header) + sizeof(struct pvrom_net_hash);
	if (!s->pieces)
		s->pieces = PIECES_DEFAULT;
	if (s->pieces > PVROM_NET_GUEST_PIECES)
		s->pieces = PVROM_NET_GUEST_PIECES;
	if (s->send_copy > PVROM_NET_GUEST_FRAME)
		s->send_copy = PVROM_NET_GUEST_FRAME;
}

static enum pvrom_virtio_result fail(struct pvrom_virtio *virtio)
{
	virtio->ops->set_status(virtio, PVROM_VIRTIO_FAILED);
	return PVROM_VIRTIO_MALFORMED;
}

/* What the configuration does not bear out is not taken at the next turn. */
static enum pvrom_virtio_result negotiate(struct pvrom_net_guest *net, uint64_t required)
{
	struct pvrom_virtio *virtio = net->virtio;
	uint64_t wanted = pvrom_net_guest_choose(net, virtio->ops->features(virtio));
	uint32_t turn;

	for (turn = 0; turn < TURNS; turn++) {
		const enum pvrom_virtio_result result =
			pvrom_virtio_begin(virtio, wanted, required);

		if (result)
			return result;
		net->features = virtio->accepted;
		if (!pvrom_net_guest_read_config(net))
			return fail(virtio);
		wanted = pvrom_net_guest_usable(net);
		if (wanted == net->features)
			return PVROM_VIRTIO_OK;
	}
	return fail(virtio);
}

enum pvrom_virtio_result pvrom_net_guest_begin(struct pvrom_net_guest *net,
					       struct pvrom_virtio *virtio,
					       const struct pvrom_net_guest_config *settings)
{
	enum pvrom_virtio_result result;

	if (virtio->id != PVROM_NET_DEVICE_ID)
		return PVROM_VIRTIO_NO_DEVICE;
	*net = (struct pvrom_net_guest){ .virtio = virtio, .settings = *settings };
	usual(&net->settings);
	result = negotiate(net, net->settings.buffer < BUFFER_ALONE ? PVROM_NET_F_MRG_RXBUF : 0);
	net->offloads = net->features & GUEST_OFFLOADS;
	return result;
}

/* ---- memory -------------------------------------------------------------------------------------- */

/* Offsets into the shared and the driver's own memory of a queue. */
struct layout {
	struct pvrom_virtio_layout ring;
	size_t more, end;
	size_t places, own_end;
	uint32_t stride;
};

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

static bool sends(const struct pvrom_net_guest *net, uint32_t number)
{
	return number != net->control_number && number % 2;
}

static void lay_out(const struct pvrom_net_guest *net, uint32_t number, uint32_t size,
		    struct layout *l)
{
	const bool send = sends(net, number), control = number == net->control_number;

	/* The header, and the pieces. */
	pvrom_virtio_lay_out(net->virtio, size, send ? net->settings.pieces + 1u : 0, &l->ring);
	l->stride = send ? (uint32_t)round_up(net->header_bytes + net->settings.send_copy, 64) : 0;
	l->more = l->ring.shared_end;
	l->end = l->more + (control ? COMMAND_BYTES : (size_t)size * l->stride);
	l->places = l->ring.own_end;
	l->own_end = l->places + (send ? size * sizeof(struct pvrom_net_guest_place) : 0);
}

bool pvrom_net_guest_memory(struct pvrom_net_guest *net, uint16_t number,
			    struct pvrom_virtio_memory *memory)
{
	struct layout l;

	*memory = (struct pvrom_virtio_memory){ .vector = PVROM_VIRTIO_NO_VECTOR };
	if (number < 2 * net->pairs || number == net->control_number)
		memory->size = pvrom_virtio_queue_size(
			net->virtio, number,
			number == net->control_number ? CONTROL_SIZE : net->settings.size);
	if (!memory->size)
		return false;
	lay_out(net, number, memory->size, &l);
	memory->shared_bytes = l.end;
	memory->own_bytes = l.own_end;
	return true;
}

/* ---- queues -------------------------------------------------------------------------------------- */

/* All places of a send queue are free, in a list. */
static void free_places(struct pvrom_net_guest_queue *queue, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		queue->place[i] = (struct pvrom_net_guest_place){ .next = (uint16_t)(i + 1) };
	queue->free = 0;
}

static void fill_queue(struct pvrom_net_guest_queue *queue, const struct layout *l,
		       const struct pvrom_virtio_memory *memory)
{
	struct pvrom_net_guest *net = queue->net;
	uint8_t *more = (uint8_t *)memory->shared + l->more;

	if (queue->number == net->control_number) {
		net->command = more;
		net->command_gpa = memory->shared_gpa + l->more;
		return;
	}
	if (!sends(net, queue->number))
		return;
	queue->stride = l->stride;
	queue->headers = more;
	queue->headers_gpa = memory->shared_gpa + l->more;
	queue->place = (void *)((uint8_t *)memory->own + l->places);
	free_places(queue, memory->size);
}

bool pvrom_net_guest_queue(struct pvrom_net_guest *net, uint16_t number,
			   struct pvrom_net_guest_queue *queue,
			   const struct pvrom_virtio_memory *memory)
{
	struct layout l;

	lay_out(net, number, memory->size, &l);
	*queue = (struct pvrom_net_guest_queue){ .net = net, .number = number };
	fill_queue(queue, &l, memory);
	if (!pvrom_virtio_queue_start(net->virtio, number, &queue->ring, &l.ring, memory))
		return false;
	if (number == net->control_number) {
		net->control = queue;
		pvrom_vq_driver_interrupts_off(&queue->ring);
	} else {
		net->queue[number] = queue;
	}
	return true;
}

/* 3.1.1: no bell before DRIVER_OK. */
static void ring_bell(struct pvrom_net_guest_queue *queue)
{
	struct pvrom_virtio *virtio = queue->net->virtio;

	queue->owed = !queue->net->running;
	if (!queue->owed)
		virtio->ops->notify(virtio, queue->number,
				    pvrom_vq_driver_notification(&queue->ring));
}

void pvrom_net_guest_kick(struct pvrom_net_guest_queue *queue)
{
	if (pvrom_vq_driver_publish(&queue->ring))
		ring_bell(queue);
}

void pvrom_net_guest_go(struct pvrom_net_guest *net)
{
	uint32_t i;

	net->running = true;
	pvrom_virtio_ready(net->virtio);
	for (i = 0; i < 2u * net->pairs; i++)
		if (net->queue[i] && net->queue[i]->owed)
			ring_bell(net->queue[i]);
}

bool pvrom_net_guest_interrupts(struct pvrom_net_guest_queue *queue, uint32_t after)
{
	if (after)
		return pvrom_vq_driver_interrupts_on(&queue->ring, after);
	pvrom_vq_driver_interrupts_off(&queue->ring);
	return false;
}

/* ---- end ----------------------------------------------------------------------------------------- */

enum pvrom_virtio_result pvrom_net_guest_stop(struct pvrom_net_guest *net)
{
	const enum pvrom_virtio_result result = pvrom_virtio_reset(net->virtio);

	net->stuck = GUEST_REFUSE(STUCK_MEMORY, result);
	net->running = false;
	net->control = NULL;
	return result;
}

/* Buffers of a frame that was not yet all there come first. */
static bool take_part(struct pvrom_net_guest_queue *queue, void **token)
{
	struct pvrom_net_guest_buffer *buffer = queue->part.first;

	if (!buffer)
		return false;
	queue->part.first = buffer == queue->part.last ? NULL : buffer->next;
	*token = buffer;
	return true;
}

bool pvrom_net_guest_take_back(struct pvrom_net_guest_queue *queue, void **token)
{
	if (queue->net->running || queue->net->stuck)
		return false;
	if (take_part(queue, token))
		return true;
	while (pvrom_vq_driver_detach(&queue->ring, token) == PVROM_VQ_OK) {
		const struct pvrom_net_guest_place *place = *token;

		if (!sends(queue->net, queue->number))
			return true;
		if (place->copied)
			continue;
		*token = place->token;
		return true;
	}
	return false;
}
