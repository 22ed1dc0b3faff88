/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A network card's round: what the guest filled with work, then what came from outside, a bounded number of frames
 * of each queue, then who has to be told. On the card's thread.
 */
#include "net_round.h"

#define BUDGET 64u /* frames of one queue before the others have their turn */

/* ---- from the guest ------------------------------------------------------------------------------- */

static bool is_control(const struct net_card *card, unsigned int index)
{
	return index == pvrom_net_control_queue(&card->host);
}

bool net_card_receives(const struct net_card *card, unsigned int index)
{
	return index % 2 == 0 && !is_control(card, index);
}

/* No notification is needed as long as the queue is looked at anyway. */
static bool watch_queue(struct net_card *card, struct virtio_queue *queue, bool polling)
{
	queue->pending =
		polling || pvrom_vq_device_notifications_on(&card->queue[queue->index].ring);
	return queue->pending && !polling;
}

/* Takes what is in a queue that the guest fills with work; counts it in *done. True: there is more. */
static bool run_queue(struct net_card *card, struct virtio_queue *queue, bool polling,
		      uint32_t *done)
{
	struct pvrom_net_queue *work = &card->queue[queue->index];
	uint32_t n;

	if (!queue->started || !queue->pending || net_card_receives(card, queue->index))
		return false;
	pvrom_vq_device_notifications_off(&work->ring);
	n = is_control(card, queue->index) ? pvrom_net_control(work, BUDGET)
					   : pvrom_net_transmit(work, BUDGET);
	*done += n;
	if (work->broken) {
		queue->pending = false;
		virtio_broken(queue->device);
		return false;
	}
	return n == BUDGET || watch_queue(card, queue, polling);
}

static bool run_queues(struct net_card *card, bool polling, uint32_t *done)
{
	bool more = false;

	for (unsigned int i = 0; i < card->virtio.queues; i++)
		more |= run_queue(card, &card->virtio.queue[i], polling, done);
	pvrom_net_backend_flush(card->backend);
	return more;
}

/* ---- to the guest ---------------------------------------------------------------------------------- */

/* The guest rang a receiving queue: there are buffers again. */
static bool buffers_came(struct net_card *card)
{
	bool came = false;

	for (unsigned int i = 0; i < card->virtio.queues; i++) {
		struct virtio_queue *queue = &card->virtio.queue[i];

		if (!queue->started || !net_card_receives(card, i) || !queue->pending)
			continue;
		pvrom_vq_device_notifications_off(&card->queue[i].ring);
		queue->pending = false;
		came = true;
	}
	return came;
}

/* Asks the guest to ring when it has buffers where a frame waits for them; true: it has some already. */
static bool ask_for_buffers(struct net_card *card)
{
	bool there = false;

	for (unsigned int i = 0; i < card->virtio.queues; i++)
		if (card->virtio.queue[i].started && net_card_receives(card, i))
			there |= pvrom_net_queue_await(&card->queue[i]);
	return there;
}

static void find_broken(struct net_card *card)
{
	for (unsigned int i = 0; i < card->virtio.queues; i++)
		if (card->virtio.queue[i].started && card->queue[i].broken)
			virtio_broken(&card->virtio);
}

void net_card_try_all(struct net_card *card)
{
	for (unsigned int pair = 0; pair < MAX_PAIRS; pair++)
		card->arrivals[pair].stalled = false;
}

/* Brings in what has arrived for one pair of the backend's; true: there is more, and it can go on at once. */
static bool receive_pair(struct net_card *card, uint32_t pair, uint32_t *done)
{
	struct net_arrivals *arrivals = &card->arrivals[pair];
	bool stalled = false;
	uint32_t n;

	if (arrivals->stalled || (arrivals->watched && !arrivals->ready))
		return false;
	n = pvrom_net_backend_receive(card->backend, &card->host, pair, BUDGET, &stalled);
	*done += n;
	arrivals->ready = n == BUDGET || stalled;
	arrivals->stalled = stalled;
	return n == BUDGET;
}

/* The same for all; pairs whose frames wait for buffers hold up no others. */
static bool receive(struct net_card *card, uint32_t *done)
{
	const uint16_t pairs = pvrom_net_backend_pairs(card->backend);
	bool more = false, newly = false;

	if (buffers_came(card))
		net_card_try_all(card);
	for (uint32_t pair = 0; pair < pairs && pair < MAX_PAIRS; pair++) {
		const bool before = card->arrivals[pair].stalled;

		more |= receive_pair(card, pair, done);
		newly |= card->arrivals[pair].stalled && !before;
	}
	if (!newly)
		return more;
	find_broken(card);
	if (!ask_for_buffers(card))
		return more;
	net_card_try_all(card);
	return true;
}

/* ---- a round ---------------------------------------------------------------------------------------- */

/* Shows the guest what is done, and interrupts it; returns when (ns) to look again at the latest. */
static uint64_t publish(struct net_card *card, uint64_t time)
{
	uint64_t soonest = UINT64_MAX, again;
	bool wanted = false;

	for (unsigned int i = 0; i < card->virtio.queues; i++) {
		if (!card->virtio.queue[i].started)
			continue;
		if (pvrom_net_queue_publish(&card->queue[i], time, &again)) {
			card->interrupts++;
			wanted |= !virtio_queue_used(&card->virtio.queue[i]);
		}
		if (again < soonest)
			soonest = again;
	}
	if (wanted)
		virtio_used(&card->virtio);
	return soonest;
}

/* What the backend has to say, to people and to the guest. */
static void hear(struct net_card *card)
{
	const char *news;

	while ((news = pvrom_net_backend_news(card->backend)) != NULL)
		complain("--net %s: %s", card->arg->backend, news);
	if (pvrom_net_host_set_link(&card->host, pvrom_net_backend_link(card->backend)))
		virtio_changed(&card->virtio);
	if (!card->announce || !(card->virtio.status & VIRTIO_DRIVER_OK))
		return;
	card->announce = false;
	if (pvrom_net_host_announce(&card->host))
		virtio_changed(&card->virtio);
}

uint64_t net_card_work(void *device)
{
	struct net_card *card = device;
	uint64_t time = pvrom_loop_now(), again;
	bool polling = time < card->busy_until, more;
	uint32_t done = 0;

	more = run_queues(card, polling, &done);
	more |= receive(card, &done);
	again = publish(card, time);
	hear(card);
	if (done > 0 && card->arg->poll > 0)
		card->busy_until = time + card->arg->poll * 1000ull;
	if (more || time < card->busy_until)
		return 0;
	/* Queues that were only looked at want to be heard of again, and once more looked at. */
	if (polling || again <= time)
		return 0;
	return again == UINT64_MAX ? again : again - time;
}
