/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A network card of the guest: pvnet's card over one of its backends, with a thread of its own. What that does is in
 * net_round.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_round.h"

#define MAC_BYTES 6u
#define BUFFERS 64u /* of a receiving queue in hand: what one frame may be spread over */

static struct net_card *card_of(struct virtio_device *device)
{
	return (struct net_card *)device; /* its first member */
}

static void arrived(struct pvrom_loop_watch *watch)
{
	((struct net_arrivals *)(void *)watch)->ready = true;
}

/* ---- the kind of device ---------------------------------------------------------------------------- */

static uint64_t features(struct virtio_device *device)
{
	return pvrom_net_host_features(&card_of(device)->host);
}

static bool accept_features(struct virtio_device *device, uint64_t chosen)
{
	return pvrom_net_host_accept(&card_of(device)->host, chosen);
}

static void config_read(struct virtio_device *device, uint32_t offset, void *to, uint32_t len)
{
	pvrom_net_host_config_read(&card_of(device)->host, offset, to, len);
}

/* There is nothing to write in it. */
static void config_write(struct virtio_device *device, uint32_t offset, const void *from,
			 uint32_t len)
{
	(void)device;
	(void)offset;
	(void)from;
	(void)len;
}

static bool allocate(struct net_card *card, unsigned int i, uint32_t buffers)
{
	free(card->pool[i]);
	card->pool[i] = calloc(buffers, sizeof(*card->pool[i]));
	return card->pool[i] != NULL;
}

static bool queue_start(struct virtio_device *device, struct virtio_queue *queue)
{
	struct net_card *card = card_of(device);
	uint32_t buffers = net_card_receives(card, queue->index) ? BUFFERS : 1;
	struct pvrom_vq_device_config config;

	if (!virtio_ring_config(queue, &config) || !allocate(card, queue->index, buffers))
		return false;
	return pvrom_net_queue_init(&card->queue[queue->index], &card->host, queue->index, &config,
				    card->pool[queue->index], buffers) == PVROM_VQ_OK;
}

/* Nothing of a queue is ever in flight between two rounds but buffers that wait for frames. */
static void queue_stop(struct virtio_device *device, struct virtio_queue *queue)
{
	struct net_card *card = card_of(device);
	uint64_t again;

	pvrom_net_queue_stop(&card->queue[queue->index]);
	if (pvrom_net_queue_publish(&card->queue[queue->index], UINT64_MAX, &again) &&
	    !virtio_queue_used(queue))
		virtio_used(device);
}

static void reset(struct virtio_device *device)
{
	struct net_card *card = card_of(device);

	pvrom_net_host_reset(&card->host);
	net_card_try_all(card);
}

/* ---- saved and loaded -------------------------------------------------------------------------------- */

static struct pvrom_vq_device *ring(struct virtio_device *device, unsigned int index)
{
	return &card_of(device)->queue[index].ring;
}

/* The address goes in front, to be named where another one was given. */
static size_t save(struct virtio_device *device, void *buffer, size_t room)
{
	const struct net_card *card = card_of(device);
	uint8_t *bytes = buffer;

	memcpy(bytes, card->arg->mac, MAC_BYTES);
	return MAC_BYTES + pvrom_net_host_save(&card->host, bytes + MAC_BYTES, room - MAC_BYTES);
}

static bool load(struct virtio_device *device, const void *buffer, size_t size)
{
	struct net_card *card = card_of(device);
	const uint8_t *mac = buffer;

	if (size < MAC_BYTES)
		return false;
	if (memcmp(mac, card->arg->mac, MAC_BYTES) != 0) {
		complain("--net %s: saved with --mac %02x:%02x:%02x:%02x:%02x:%02x",
			 card->arg->backend, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		return false;
	}
	/* Perhaps it is elsewhere now. */
	card->announce = true;
	return pvrom_net_host_load(&card->host, mac + MAC_BYTES, size - MAC_BYTES);
}

static const struct virtio_kind net_kind = {
	.id = PVROM_NET_DEVICE_ID,
	.features = features,
	.accept = accept_features,
	.config_read = config_read,
	.config_write = config_write,
	.queue_start = queue_start,
	.queue_stop = queue_stop,
	.reset = reset,
	.ring = ring,
	.save = save,
	.load = load,
};

/* ---- life -------------------------------------------------------------------------------------------- */

static bool is_user(const struct net_arg *arg)
{
	return strncmp(arg->backend, "user", 4) == 0;
}

/* The backend's words: ours, or the way to a helper that has the backend; and what both take. */
static void open_backend(struct net_card *card)
{
	const struct net_arg *arg = card->arg;
	char words[8192], message[PVROM_NET_MESSAGE];
	size_t at;

	if (is_user(arg)) {
		if (!net_helper_start(&card->helper, arg->backend, message, sizeof(message)))
			fail(EXIT_CANNOT_RUN, "--net %s: %s", arg->backend, message);
		at = (size_t)snprintf(words, sizeof(words), "port-fd=%d", card->helper.socket);
	} else {
		at = (size_t)snprintf(words, sizeof(words), "%s", arg->backend);
	}
	if (at < sizeof(words) && arg->pairs > 1 && strncmp(arg->backend, "tap=", 4) == 0)
		at += (size_t)snprintf(words + at, sizeof(words) - at, ",queues=%u", arg->pairs);
	if (at < sizeof(words) && arg->pcap != NULL)
		at += (size_t)snprintf(words + at, sizeof(words) - at, ",pcap=%s", arg->pcap);
	if (at >= sizeof(words))
		fail(EXIT_USAGE, "--net %s: too many words", arg->backend);
	card->backend = pvrom_net_backend_open(words, arg->mac, message);
	if (card->backend == NULL)
		fail(EXIT_CANNOT_RUN, "--net %s: %s", arg->backend, message);
}

static void set_up(struct net_card *card)
{
	struct pvrom_net_host_setup setup = {
		.backend = card->backend,
		.pairs = (uint16_t)card->arg->pairs,
		.mtu = pvrom_net_backend_mtu(card->backend),
		.whole = card->whole,
		.segment = card->segment,
	};

	memcpy(setup.mac, card->arg->mac, sizeof(setup.mac));
	if (!pvrom_net_host_init(&card->host, &setup))
		fail(EXIT_CANNOT_RUN, "--net %s: no card can be made of this", card->arg->backend);
}

static void begin_work(void *argument)
{
	struct net_card *card = argument;

	for (uint32_t pair = 0; pair < pvrom_net_backend_pairs(card->backend) && pair < MAX_PAIRS;
	     pair++) {
		int fd = pvrom_net_backend_fd(card->backend, pair);

		if (fd < 0)
			continue;
		card->arrivals[pair].watched = card->arrivals[pair].ready = true;
		pvrom_loop_watch_fd(&card->virtio.thread.loop, &card->arrivals[pair].watch, fd,
				    arrived);
	}
	card->virtio.thread.work = net_card_work;
}

struct virtio_device *net_create(struct vm *vm, const struct net_arg *arg, unsigned int number)
{
	struct net_card *card = calloc(1, sizeof(*card));
	int result;

	if (card == NULL)
		fail(EXIT_CANNOT_RUN, "out of memory");
	card->arg = arg;
	card->virtio.kind = &net_kind;
	card->virtio.vm = vm;
	card->virtio.queues = 2 * arg->pairs + 1;
	open_backend(card);
	set_up(card);
	result = device_thread_start(&card->virtio.thread, device_thread_rest, card);
	if (result < 0)
		fail(EXIT_CANNOT_RUN, "--net %s: io_uring: %s", arg->backend, strerror(-result));
	virtio_begin(&card->virtio, number, begin_work);
	return &card->virtio;
}

static void end_work(void *argument)
{
	struct net_card *card = argument;

	card->virtio.thread.work = device_thread_rest;
	for (unsigned int pair = 0; pair < MAX_PAIRS; pair++)
		if (card->arrivals[pair].watched)
			pvrom_loop_forget(&card->arrivals[pair].watch);
	pvrom_net_backend_close(card->backend);
}

/* No CPU runs. */
void net_destroy(struct virtio_device *device)
{
	struct net_card *card = card_of(device);

	virtio_end(device, end_work);
	if (is_user(card->arg))
		net_helper_stop(&card->helper);
	for (unsigned int i = 0; i < VIRTIO_QUEUES; i++)
		free(card->pool[i]);
	free(card);
}

/* ---- what it counts ------------------------------------------------------------------------------------ */

struct count_request {
	const struct net_card *card;
	struct net_stats *stats;
};

static void count_card(const struct pvrom_net_counters *c, struct net_stats *stats)
{
	stats->sent += c->sent;
	stats->sent_bytes += c->sent_bytes;
	stats->send_failed += c->send_failed;
	stats->malformed += c->malformed;
	stats->received += c->received;
	stats->received_bytes += c->received_bytes;
	stats->filtered += c->filtered;
	stats->no_buffer += c->no_buffer;
	stats->too_small += c->too_small;
	stats->refused += c->refused;
	stats->link_down += c->link_down;
	stats->commands += c->commands;
	stats->commands_failed += c->commands_failed;
}

static void count(void *argument)
{
	struct count_request *r = argument;
	struct pvrom_net_backend_counters b;

	count_card(&r->card->host.counters, r->stats);
	pvrom_net_backend_count(r->card->backend, &b);
	r->stats->backend_full += b.full;
	r->stats->backend_failed += b.failed;
	r->stats->backend_refused += b.refused;
	r->stats->captured += b.captured;
	r->stats->capture_lost += b.capture_lost;
	r->stats->interrupts += r->card->interrupts;
	for (unsigned int i = 0; i < r->card->virtio.queues; i++)
		r->stats->notifications += r->card->virtio.queue[i].rung;
}

void net_count(struct virtio_device *device, struct net_stats *stats)
{
	struct count_request r = { .card = card_of(device), .stats = stats };

	device_thread_do(&device->thread, count, &r);
}
