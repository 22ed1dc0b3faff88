/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The round of pvrun's network card (monitor/net_round.c) over two pairs of queues, with what it asks of its device in
 * this file: a guest that gives buffers to one queue and none to the other.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/virtqueue_driver.h>

#include "../../monitor/net_round.h"
#include "../cunit_tap.h"

#define MEMORY 0x100000u
#define QUEUE_STRIDE 0x4000u
#define SIZE 64u
#define BUFFER 2048u
#define PAIRS 2u
#define QUEUES (2 * PAIRS)

static uint8_t memory[MEMORY] __attribute__((aligned(4096)));
static struct net_card *card;
static struct pvrom_vq_driver driver[QUEUES];
static struct pvrom_vq_driver_slot driver_slots[QUEUES][SIZE];
static uint32_t next_data;

/* ---- what the round asks of its device ------------------------------------------------------------------ */

static unsigned int interrupts, broken;
static uint64_t now;

void virtio_used(struct virtio_device *device)
{
	(void)device;
	interrupts++;
}

bool virtio_queue_used(struct virtio_queue *queue)
{
	(void)queue;
	return false;
}

void virtio_changed(struct virtio_device *device)
{
	(void)device;
}

void virtio_broken(struct virtio_device *device)
{
	(void)device;
	broken++;
}

void complain(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vprintf(format, list);
	va_end(list);
}

uint64_t pvrom_loop_now(void)
{
	return now += 1000;
}

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa >= MEMORY)
		return NULL;
	if (*len > MEMORY - gpa.gpa)
		*len = MEMORY - gpa.gpa;
	return memory + gpa.gpa;
}

/* ---- the guest --------------------------------------------------------------------------------------------- */

static void open_queue(uint32_t i, uint64_t features)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate };
	const uint32_t base = i * QUEUE_STRIDE;
	const struct pvrom_vq_driver_config d = { .features = features,
						  .size = SIZE,
						  .queue = (uint16_t)i,
						  .desc = memory + base,
						  .driver = memory + base + 0x2000,
						  .device = memory + base + 0x3000,
						  .slots = driver_slots[i] };
	struct pvrom_vq_device_config c = { .ops = &ops,
					    .features = features,
					    .size = SIZE,
					    .desc = { base },
					    .driver = { base + 0x2000 },
					    .device = { base + 0x3000 } };

	c.slots = calloc(SIZE, sizeof(*c.slots));
	card->pool[i] = calloc(SIZE, sizeof(*card->pool[i]));
	CU_ASSERT_EQUAL(pvrom_vq_driver_init(&driver[i], &d), PVROM_VQ_OK);
	CU_ASSERT_EQUAL(
		pvrom_net_queue_init(&card->queue[i], &card->host, i, &c, card->pool[i], SIZE),
		PVROM_VQ_OK);
	card->virtio.queue[i] = (struct virtio_queue){ .device = &card->virtio,
						       .index = i,
						       .started = true,
						       .pending = true,
						       .slots = c.slots };
}

static void open_card(uint64_t features)
{
	static char words[] = "loop";
	static struct net_arg arg = { .backend = words };
	struct pvrom_net_host_setup setup = { .mac = { 2, 0, 0, 0, 0, 1 }, .pairs = PAIRS };
	char message[PVROM_NET_MESSAGE];
	uint32_t i;

	memset(memory, 0, sizeof(memory));
	next_data = 0x40000;
	card = calloc(1, sizeof(*card));
	card->arg = &arg;
	card->virtio.queues = QUEUES;
	card->backend = setup.backend = pvrom_net_backend_open(words, setup.mac, message);
	setup.whole = card->whole;
	setup.segment = card->segment;
	CU_ASSERT_FATAL(pvrom_net_host_init(&card->host, &setup));
	CU_ASSERT(pvrom_net_host_accept(&card->host, 0));
	CU_ASSERT(pvrom_net_host_use_pairs(&card->host, PAIRS));
	for (i = 0; i < QUEUES; i++)
		open_queue(i, features);
}

static void close_card(void)
{
	uint32_t i;

	for (i = 0; i < QUEUES; i++) {
		free(card->virtio.queue[i].slots);
		free(card->pool[i]);
	}
	pvrom_net_backend_close(card->backend);
	free(card);
}

/* A buffer into a queue; rings for it only if that is wanted. */
static void add(uint32_t queue, uint32_t len, bool writable)
{
	const struct pvrom_vq_buf buf = { .addr = next_data, .len = len };

	CU_ASSERT_EQUAL(pvrom_vq_driver_add(&driver[queue], &buf, !writable, writable, &driver),
			PVROM_VQ_OK);
	next_data = next_data + BUFFER < MEMORY - BUFFER ? next_data + BUFFER : 0x40000;
	if (pvrom_vq_driver_publish(&driver[queue]))
		card->virtio.queue[queue].pending = true;
}

static void send_frame(uint16_t port)
{
	static const uint8_t head[] = { 2, 0, 0,    0, 0, 1,   2,  0, 0, 0, 0,	2,
					8, 0, 0x45, 0, 0, 100, 0,  0, 0, 0, 64, 17,
					0, 0, 10,   0, 0, 1,   10, 0, 0, 2, 0,	9 };
	uint8_t *const at = memory + next_data;

	memset(at, 0, 12 + 114);
	memcpy(at + 12, head, sizeof(head));
	at[12 + 36] = (uint8_t)(port >> 8);
	at[12 + 37] = (uint8_t)port;
	at[12 + 39] = 80;
	add(1, 12 + 114, false);
}

/* Goes round until there is nothing to do: how often that was, 1000 at most. */
static uint32_t go_round(void)
{
	uint32_t n = 1;

	while (!net_card_work(card) && n < 1000)
		n++;
	return n;
}

static uint32_t take(uint32_t queue)
{
	struct pvrom_vq_done done;
	uint32_t n = 0;

	while (pvrom_vq_driver_get(&driver[queue], &done) == PVROM_VQ_OK)
		n++;
	return n;
}

/* Sends until a frame waits for a buffer in queue 0; what the others need, is there. */
static uint16_t starve(void)
{
	uint16_t port = 1;

	for (; !card->queue[0].starved && port < 1000; port++) {
		add(2, BUFFER, true);
		send_frame(port);
		if (go_round() == 1000)
			return 0;
		take(1);
		take(2);
	}
	return port;
}

/* ---- the cases ----------------------------------------------------------------------------------------------- */

static const uint64_t rings[] = { 0, PVROM_VQ_F_EVENT_IDX, PVROM_VQ_F_RING_PACKED,
				  PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX };
#define RINGS (sizeof(rings) / sizeof(rings[0]))

/* The card sleeps though another queue has buffers, and goes on when the one has some. */
static void rests_while_one_queue_is_empty(void)
{
	uint32_t i, n;

	for (i = 0; i < RINGS; i++) {
		open_card(PVROM_VQ_F_VERSION_1 | rings[i]);
		for (n = 0; n < 8; n++)
			add(2, BUFFER, true);
		CU_ASSERT(starve() > 0);
		CU_ASSERT(pvrom_vq_device_pending(&card->queue[2].ring));
		CU_ASSERT(go_round() < 10);
		add(0, BUFFER, true);
		CU_ASSERT(card->virtio.queue[0].pending); /* it asked to be rung */
		CU_ASSERT(go_round() < 10);
		CU_ASSERT_EQUAL(take(0), 1);
		close_card();
	}
}

/* One buffer at a time: for each the guest has to ring. */
static void asks_each_time(void)
{
	uint32_t i, n;
	uint16_t port;

	for (i = 0; i < RINGS; i++) {
		open_card(PVROM_VQ_F_VERSION_1 | rings[i]);
		port = (uint16_t)(starve() - 1);
		for (n = 0; n < 5; n++)
			send_frame(port);
		CU_ASSERT(go_round() < 10);
		take(1);
		for (n = 0; n < 6; n++) {
			add(0, BUFFER, true);
			CU_ASSERT(card->virtio.queue[0].pending);
			CU_ASSERT(go_round() < 10);
			CU_ASSERT_EQUAL(take(0), 1);
		}
		close_card();
	}
}

/* A ring that makes no sense ends the card's work, and not by going round for ever. */
static void rests_at_a_broken_queue(void)
{
	struct pvrom_vq_avail *avail;

	open_card(PVROM_VQ_F_VERSION_1);
	CU_ASSERT(starve() > 0);
	avail = (void *)(memory + 0x2000);
	avail->idx = 5000;
	broken = 0;
	card->virtio.queue[0].pending = true;
	CU_ASSERT(go_round() < 10);
	CU_ASSERT(broken > 0);
	CU_ASSERT(interrupts > 0);
	close_card();
}

static const struct tap_test tests[] = {
	TAP_TEST(rests_while_one_queue_is_empty),
	TAP_TEST(asks_each_time),
	TAP_TEST(rests_at_a_broken_queue),
	{ 0 },
};

int main(void)
{
	return tap_run("net.round", tests);
}
