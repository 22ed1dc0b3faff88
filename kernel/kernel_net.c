/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Finds a network card, hands the driver its memory, and carries frames between driver and stack. Short packets are
 * copied by the driver; long ones go from one of a few buffers here, which comes back as a token.
 */
#include "kernel_net.h"

#include "boot_record.h"
#include "console.h"
#include "memory.h"
#include "percpu.h"
#include "stack_page.h"
#include "time.h"

#define BUFFER_BYTES 2048u
#define HEADROOM 64u
#define COPIED 512u /* bytes: shorter ones are not worth a buffer of their own */
#define PATIENCE_MS 5000u
#define BATCH 16u
#define LINGER_US 1500000 /* longer than a peer waits before it says its last again */

struct net *net;

static struct net the_net;
static uint8_t whole[PVROM_NET_GUEST_FRAME];

static uint64_t now_ms(void)
{
	return cpu_rdtsc() / (time_us(1000) ? time_us(1000) : 1);
}

/* ---- packets ------------------------------------------------------------------------------------- */

static struct pvrom_net_guest_queue *sending(struct net *n)
{
	return &n->queue[2 * n->send_pair + 1];
}

static void reclaim(struct net *n)
{
	void *token[BATCH];
	bool broken = false;
	uint32_t count, i;

	do {
		count = pvrom_net_guest_reclaim(sending(n), token, BATCH, &broken);
		for (i = 0; i < count; i++)
			*(bool *)token[i] = false;
	} while (count);
}

/* A long packet needs a buffer that stays until it was sent. */
static bool put_large(struct net *n, struct pvrom_net_guest_packet *p,
		      struct pvrom_net_guest_piece *piece, const uint8_t *frame)
{
	for (unsigned i = 0; i < NET_LARGE; i++) {
		if (n->large_busy[i])
			continue;
		piece->at = n->large[i] + HEADROOM;
		piece->gpa = (uint64_t)piece->at;
		memcpy(piece->at, frame, piece->len);
		p->headroom = true;
		p->token = &n->large_busy[i];
		return true;
	}
	return false;
}

static bool send(void *ctx, const struct pvrom_net_header *header, const uint8_t *frame,
		 uint32_t len)
{
	struct net *n = ctx;
	struct pvrom_net_guest_piece piece = { (uint64_t)frame, n->stack.out, len, 0 };
	struct pvrom_net_guest_packet p = { .piece = &piece,
					    .pieces = 1,
					    .flags = header->flags,
					    .gso_type = header->gso_type,
					    .gso_size = header->gso_size,
					    .hdr_len = header->hdr_len,
					    .csum_start = header->csum_start,
					    .csum_offset = header->csum_offset };

	reclaim(n);
	if (len > COPIED && !put_large(n, &p, &piece, frame))
		return false;
	if (pvrom_net_guest_send(sending(n), &p))
		return false;
	if (p.token && !p.copied)
		*(bool *)p.token = true;
	pvrom_net_guest_kick(sending(n));
	return true;
}

/* The frame in one piece. */
static const uint8_t *flatten(struct net *n, const struct pvrom_net_guest_frame *frame)
{
	const struct pvrom_net_guest_buffer *b = frame->buffers;
	uint8_t *to = whole;

	if (!b || !b->next)
		return frame->at;
	memcpy(to, frame->at, b->used);
	for (to += b->used; b->next; to += b->used) {
		b = b->next;
		memcpy(to, b->at, b->used);
	}
	n->received_long++;
	return whole;
}

static void give_again(struct pvrom_net_guest_queue *queue, struct pvrom_net_guest_buffer *b)
{
	while (b) {
		struct pvrom_net_guest_buffer *next = b->next;

		pvrom_net_guest_give(queue, b);
		b = next;
	}
}

static bool receive(struct net *n, unsigned pair)
{
	static uint8_t small[BATCH][COPIED];
	struct pvrom_net_guest_queue *queue = &n->queue[2 * pair];
	struct pvrom_net_guest_frame frame[BATCH];
	bool broken = false;
	uint32_t count, i;

	for (i = 0; i < BATCH; i++)
		frame[i].small = small[i];
	count = pvrom_net_guest_receive(queue, frame, BATCH, &broken);
	for (i = 0; i < count; i++) {
		stack_input(&n->stack, flatten(n, &frame[i]), frame[i].len, frame[i].flags != 0);
		give_again(queue, frame[i].buffers);
	}
	pvrom_net_guest_kick(queue);
	return !broken;
}

bool net_poll(void)
{
	bool good = true;

	if (!net->card.running)
		return false;
	for (unsigned i = 0; i < net->card.pairs; i++)
		good &= receive(net, i);
	stack_tick(&net->stack, now_ms());
	if (!good)
		pvrom_net_guest_stop(&net->card);
	return good;
}

bool net_poll_until(const bool *done, uint64_t us)
{
	const uint64_t end = cpu_rdtsc() + time_us(us);

	while (!READ_ONCE(*done) && cpu_rdtsc() < end) {
		if (!net_poll())
			return false;
		cpu_relax();
	}
	return READ_ONCE(*done);
}

/* Long, so that its buffer has to come back; of a type for experiments (IEEE 802, 9.2.4). */
bool net_takes_a_frame(void)
{
	static const struct pvrom_net_header plain;
	static uint8_t frame[COPIED + 1];
	const uint64_t end = cpu_rdtsc() + time_us(PATIENCE_MS * UINT64_C(1000));

	memcpy(frame, net->card.mac, 6);
	memcpy(frame + 6, net->card.mac, 6);
	memcpy(frame + 12, "\x88\xb5", 2);
	if (!send(net, &plain, frame, sizeof(frame)))
		return false;
	while (READ_ONCE(net->large_busy[0]) && cpu_rdtsc() < end)
		reclaim(net);
	return !net->large_busy[0];
}

void net_linger(void)
{
	const bool never = false;

	net_poll_until(&never, LINGER_US);
}

/* ---- setting it up -------------------------------------------------------------------------------- */

/* What the driver calls while it waits for an answer to a command. */
static bool patient(void *ctx, uint32_t looks)
{
	uint64_t *since = ctx;

	if (looks == 1)
		*since = now_ms();
	cpu_relax();
	return now_ms() - *since < PATIENCE_MS;
}

static bool open_queue(struct net *n, uint16_t number, unsigned place)
{
	struct pvrom_virtio_memory m;

	if (!pvrom_net_guest_memory(&n->card, number, &m))
		return false;
	m.shared = memory_pages(ALIGN_UP(m.shared_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.shared_gpa = (uint64_t)m.shared;
	m.own = memory_pages(ALIGN_UP(m.own_bytes, PAGE_SIZE) / PAGE_SIZE, PAGE_SIZE);
	m.vector = place % 2 == 0 && place < NET_QUEUES - 1 ? n->way.entry : PVROM_VIRTIO_NO_VECTOR;
	m.vcpu = cpus[0].vcpu;
	if (!pvrom_net_guest_queue(&n->card, number, &n->queue[place], &m))
		return false;
	pvrom_net_guest_interrupts(&n->queue[place], 0);
	return true;
}

static void give_buffers(struct net *n, unsigned pair)
{
	for (unsigned i = 0; i < NET_BUFFERS; i++) {
		struct pvrom_net_guest_buffer *b = &n->buffer[pair][i];

		if (!b->at)
			*b = (struct pvrom_net_guest_buffer){ .at = memory_page(),
							      .len = BUFFER_BYTES };
		b->gpa = (uint64_t)b->at;
		pvrom_net_guest_give(&n->queue[2 * pair], b);
	}
	pvrom_net_guest_kick(&n->queue[2 * pair]);
}

static bool open_queues(struct net *n)
{
	for (uint16_t i = 0; i < 2 * n->card.pairs; i++)
		if (!open_queue(n, i, i))
			return false;
	if (n->card.control_number != PVROM_NET_GUEST_NO_QUEUE &&
	    !open_queue(n, n->card.control_number, NET_QUEUES - 1))
		return false;
	for (unsigned i = 0; i < n->card.pairs; i++)
		give_buffers(n, i);
	pvrom_net_guest_go(&n->card);
	return n->card.pairs == 1 ||
	       pvrom_net_guest_set_pairs(&n->card, n->card.pairs) == PVROM_NET_GUEST_OK;
}

static const char *begin(struct net *n, struct pvrom_virtio *virtio)
{
	static uint64_t since;
	const char *avoid = boot_option("net_avoid=");
	const struct pvrom_net_guest_config settings = {
		.avoid = avoid ? lib_number(avoid) : 0,
		.pairs = NET_PAIRS,
		.buffer = BUFFER_BYTES,
		.receive_copy = COPIED,
		.send_copy = COPIED,
		.wait = patient,
		.wait_ctx = &since,
	};
	const enum pvrom_virtio_result result = pvrom_net_guest_begin(&n->card, virtio, &settings);

	if (result)
		return pvrom_virtio_result_text(result);
	return open_queues(n) ? NULL : "it refuses its queues";
}

static void print(const struct net *n)
{
	const uint8_t *m = n->card.mac;
	const uint64_t f = n->card.features;

	kprintf("# net: %s, %02x:%02x:%02x:%02x:%02x:%02x, pairs %u of %u, %s%s%s%s%s\n",
		n->way.name, m[0], m[1], m[2], m[3], m[4], m[5], n->card.pairs,
		n->queue[0].ring.config.size, f & PVROM_VQ_F_RING_PACKED ? "packed" : "split",
		f & PVROM_NET_F_MRG_RXBUF ? ", mergeable" : "",
		f & PVROM_NET_F_CSUM ? ", checksums" : "", f & PVROM_NET_F_HOST_TSO4 ? ", TSO" : "",
		n->card.link_up ? "" : ", no link");
}

static void begin_stack(struct net *n)
{
	static const uint8_t nobodys[6] = { 0x02, 'p', 'v', 'r', 'o', 'm' };
	const struct stack_link link = {
		.ctx = n,
		.send = send,
		.sums = n->card.features & PVROM_NET_F_CSUM,
		.segments = n->card.features & PVROM_NET_F_HOST_TSO4,
	};
	const char *address = boot_option("net_address=");

	if (!n->card.has_mac)
		memcpy(n->card.mac, nobodys, sizeof(nobodys));
	stack_init(&n->stack, &link, n->card.mac, (uint16_t)n->card.mtu, cpu_rdtsc());
	n->stack.now = now_ms();
	if (!address)
		return;
	n->stack.address = (uint32_t)lib_number(address);
	n->stack.mask = 0xffffff00;
	n->stack.gateway = (n->stack.address & n->stack.mask) + 1;
}

void net_init(void)
{
	struct net *n = &the_net;
	struct pvrom_virtio *virtio = virtio_way_find(&n->way, PVROM_NET_DEVICE_ID,
						      PVROM_FEATURE_NET, "net=", NET_VECTOR);
	const char *why;

	if (!virtio)
		return;
	for (unsigned i = 0; i < NET_LARGE; i++)
		n->large[i] = memory_pages(ALIGN_UP(STACK_FRAME + HEADROOM, PAGE_SIZE) / PAGE_SIZE,
					   PAGE_SIZE);
	why = begin(n, virtio);
	if (why) {
		kprintf("# net: %s: %s\n", n->way.name, why);
		return;
	}
	net = n;
	begin_stack(n);
	print(n);
}

/* The queues' memory of before is lost: this kernel does it a few times, to see that it can be done. */
bool net_restart(void)
{
	void *token;

	if (pvrom_net_guest_stop(&net->card))
		return false;
	for (unsigned i = 0; i < net->card.pairs; i++) {
		uint32_t back = 0;

		while (pvrom_net_guest_take_back(&net->queue[2 * i], &token))
			back++;
		if (back != NET_BUFFERS)
			return false;
	}
	memset(net->large_busy, 0, sizeof(net->large_busy));
	return !begin(net, net->card.virtio);
}

bool net_interrupts(bool on)
{
	return virtio_way_interrupts(&net->way, net->card.virtio, on);
}

/* ---- answering -------------------------------------------------------------------------------------- */

bool net_answer_wanted(void)
{
	return boot_option("net_answer=");
}

void net_answer(void)
{
	static struct page_service service;
	const uint64_t end =
		cpu_rdtsc() + time_us(1000000) * lib_number(boot_option("net_answer="));
	const struct stack_counters *c;

	if (!net) {
		kprintf("# net: none\n");
		return;
	}
	stack_announce(&net->stack);
	page_serve(&net->stack, &service, 80);
	while (!service.served && cpu_rdtsc() < end && net_poll())
		cpu_relax();
	net_linger();
	c = &net->stack.counters;
	kprintf("# net: %lu frames, %lu sent, %lu bad, %lu echoes, %lu in several buffers, served "
		"%u, %s\n",
		c->frames, c->sent, c->bad, c->echoes, net->received_long, service.served,
		net->card.running ? "well" : "broken");
}
