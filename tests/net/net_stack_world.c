/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The wire between two stacks, and their cards. */
#include <string.h>

#include <pvrom/net_frame.h>

#include "net_stack_world.h"

struct host a, b;
uint64_t seed, now;
uint32_t lost, doubled, swapped, altered;
uint32_t lose_one;
uint32_t cut, wrong_sums;
uint8_t last_dhcp[600];
uint32_t last_dhcp_len;

uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* ---- the wire ------------------------------------------------------------------------------------------ */

static void post(struct host *to, const uint8_t *bytes, uint32_t len, bool summed)
{
	struct letter *l = &to->in[(to->first + to->count) % WIRE], *before;

	if (to->count == WIRE || draw(1000) < lost || (len > 1000 && lose_one && !--lose_one))
		return;
	memcpy(l->bytes, bytes, len);
	l->len = len;
	l->summed = summed;
	if (draw(1000) < altered)
		l->bytes[draw(len)] ^= (uint8_t)(1u << draw(8));
	to->count++;
	if (to->count > 1 && draw(1000) < swapped) {
		static struct letter keep;

		before = &to->in[(to->first + to->count - 2) % WIRE];
		keep = *before;
		*before = *l;
		*l = keep;
	}
}

/* What the card would do: fill in sums, cut. All that comes out of it must be right. */
static bool transmit(void *ctx, const struct pvrom_net_header *h, const uint8_t *frame,
		     uint32_t len)
{
	static uint8_t whole[STACK_FRAME + 64], segment[STACK_FRAME + 64];
	struct host *from = ctx;
	struct pvrom_net_segments cutting;
	size_t part;

	memcpy(whole, frame, len);
	if (pvrom_net_header_check(h, whole, len) != PVROM_NET_TAKEN) {
		wrong_sums++;
		return false;
	}
	if (h->gso_type) {
		cut++;
		pvrom_net_segments_begin(&cutting, h, whole, len);
		while ((part = pvrom_net_segments_next(&cutting, segment)) != 0)
			post(from->other, segment, (uint32_t)part, false);
		return true;
	}
	if (h->flags)
		pvrom_net_csum_fill(h, whole, len);
	wrong_sums += pvrom_net_frame_judge(whole, len) == PVROM_NET_BAD;
	if (len > 282 && get16(whole + 36) == 67 && len < sizeof(last_dhcp)) {
		memcpy(last_dhcp, whole, len);
		last_dhcp_len = len;
	}
	post(from->other, whole, len, false);
	if (draw(1000) < doubled)
		post(from->other, whole, len, false);
	return true;
}

void deliver(struct host *h)
{
	uint32_t n;

	for (n = h->count; n; n--) {
		const struct letter *l = &h->in[h->first];

		stack_input(&h->s, l->bytes, l->len, l->summed);
		h->first = (h->first + 1) % WIRE;
		h->count--;
	}
	stack_tick(&h->s, now);
}

void open_hosts(bool offloads)
{
	static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 1 }, mac_b[6] = { 2, 0, 0, 0, 0, 2 };
	const struct stack_link link_a = { &a, transmit, offloads, offloads },
				link_b = { &b, transmit, offloads, offloads };

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	now = 1;
	lost = lose_one = doubled = swapped = altered = cut = wrong_sums = last_dhcp_len = 0;
	a.other = &b;
	b.other = &a;
	stack_init(&a.s, &link_a, mac_a, 1500, 1);
	stack_init(&b.s, &link_b, mac_b, 1500, 2);
	a.s.address = 0x0a000001;
	b.s.address = 0x0a000002;
	a.s.mask = b.s.mask = 0xffffff00;
}

void run(uint32_t ms, const bool *done)
{
	const uint64_t end = now + ms;

	for (; now < end && !(done && *done); now++) {
		deliver(&a);
		deliver(&b);
	}
}

bool fetch(struct page_fetch *f, uint32_t ms)
{
	run(2000, NULL);
	if (!page_fetch(&a.s, f, b.s.address, 80))
		run(3000, NULL);
	if (a.s.tcp[0].state == TCP_FREE && !page_fetch(&a.s, f, b.s.address, 80))
		return false;
	run(ms, &f->done);
	return f->good;
}
