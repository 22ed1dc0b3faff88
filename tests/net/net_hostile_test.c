/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Drivers that break the card's rules: commands, frames to be sent, buffers for what arrives. Each is
 * answered, changes nothing that it should not, and the card goes on working.
 */
#include <string.h>

#include "../cunit_tap.h"
#include "frame_oracle.h"
#include "net_world.h"

#define SPLIT PVROM_VQ_F_VERSION_1

static uint8_t payload[70000], frame[ORACLE_FRAME_ROOM];
static struct world_received got;

/* The card still does its work: a frame out, a frame in, a command. */
static bool still_works(struct net_world *w)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	const struct pvrom_net_header plain = { 0 };
	const size_t len = oracle_build(&p, payload, 100, frame);
	const uint32_t sent = w->sent_count;
	const uint8_t on = 1;

	memcpy(frame, w->host.driver.mac, 6);
	while (net_world_give(w, 0, 300))
		;
	return net_world_send(w, 0, &plain, frame, len, 1000) && w->sent_count == sent + 1 &&
	       net_world_command(w, 0, 0, &on, 1) == PVROM_NET_CTRL_OK &&
	       pvrom_net_receive(&w->host, &plain, frame, len) == PVROM_NET_DELIVERED;
}

/* ---- commands ----------------------------------------------------------------------------------------------- */

struct command_case {
	const char *name;
	uint8_t class, number;
	uint32_t len;
	uint8_t data[64];
};

#define KEY_40                                                                                     \
	40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
		25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40

static const struct command_case commands[] = {
	{ "an unknown class", 7, 0, 1, { 1 } },
	{ "class 255", 255, 255, 1, { 1 } },
	{ "a receive mode that is none", 0, 6, 1, { 1 } },
	{ "a MAC command that is none", 1, 2, 6, { 2 } },
	{ "a VLAN command that is none", 2, 2, 2, { 1 } },
	{ "an announcement that is none", 3, 1, 0, { 0 } },
	{ "a queue command that is none", 4, 3, 2, { 1 } },
	{ "an offload command that is none", 5, 1, 8, { 0 } },
	{ "a coalescing command that is none", 6, 2, 8, { 0 } },
	{ "a receive mode without its byte", 0, 0, 0, { 0 } },
	{ "a receive mode of two bytes", 0, 0, 2, { 0 } },
	{ "address tables without a count", 1, 0, 0, { 0 } },
	{ "address tables, the first count cut", 1, 0, 3, { 0 } },
	{ "address tables, the first shorter than its count", 1, 0, 13, { 2, 0, 0, 0, 2 } },
	{ "address tables, a count of 2^32 - 1", 1, 0, 14, { 255, 255, 255, 255, 2 } },
	{ "address tables, a count that wraps times 6", 1, 0, 8, { 0xab, 0xaa, 0xaa, 0x2a } },
	{ "address tables, no second one", 1, 0, 4, { 0 } },
	{ "address tables, the second count cut", 1, 0, 7, { 0 } },
	{ "address tables, the second shorter than its count", 1, 0, 13, { 0, 0, 0, 0, 1 } },
	{ "address tables, a byte behind", 1, 0, 9, { 0 } },
	{ "an address of 5 bytes", 1, 1, 5, { 2, 3, 4, 5, 6 } },
	{ "an address of 7 bytes", 1, 1, 7, { 2, 3, 4, 5, 6, 7, 8 } },
	{ "a group's address as the card's own", 1, 1, 6, { 3, 3, 4, 5, 6, 7 } },
	{ "VLAN 4096", 2, 0, 2, { 0, 16 } },
	{ "VLAN 65,535 away", 2, 1, 2, { 255, 255 } },
	{ "a VLAN of one byte", 2, 0, 1, { 1 } },
	{ "a VLAN of three bytes", 2, 0, 3, { 1 } },
	{ "an announcement's acknowledgement with data", 3, 0, 1, { 0 } },
	{ "no queue pairs", 4, 0, 2, { 0, 0 } },
	{ "more queue pairs than there are", 4, 0, 2, { 5, 0 } },
	{ "65,535 queue pairs", 4, 0, 2, { 255, 255 } },
	{ "queue pairs in one byte", 4, 0, 1, { 2 } },
	{ "RSS, unknown types", 4, 1, 53, { 64, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, a table longer than there is room for", 4, 1, 64, { 1, 0, 0, 0, 128 } },
	{ "RSS, a mask of 65,535", 4, 1, 64, { 1, 0, 0, 0, 255, 255 } },
	{ "RSS, a mask that is none",
	  4,
	  1,
	  57,
	  { 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, a table entry of no pair",
	  4,
	  1,
	  53,
	  { 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, KEY_40 } },
	{ "RSS, the rest to no pair", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 4, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, no pairs to send by", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, KEY_40 } },
	{ "RSS, more pairs to send by than there are",
	  4,
	  1,
	  53,
	  { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 0, KEY_40 } },
	{ "RSS, a key of 41 bytes", 4, 1, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 41 } },
	{ "RSS, a key of 255 bytes", 4, 1, 64, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 255 } },
	{ "RSS, a key cut short", 4, 1, 52, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 40 } },
	{ "RSS, a byte behind the key", 4, 1, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
	{ "RSS, no key at all", 4, 1, 12, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0 } },
	{ "RSS, a table cut short", 4, 1, 9, { 1, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "hashes, unknown types", 4, 2, 53, { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, KEY_40 } },
	{ "hashes, a key of 41 bytes", 4, 2, 54, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41 } },
	{ "hashes, cut in the reserved words", 4, 2, 11, { 1 } },
	{ "offloads of 7 bytes", 5, 0, 7, { 0 } },
	{ "offloads of 9 bytes", 5, 0, 9, { 0 } },
	{ "offloads, a feature that is none", 5, 0, 8, { 1 } },
	{ "coalescing of 4 bytes", 6, 0, 4, { 1 } },
	{ "coalescing of 12 bytes", 6, 1, 12, { 1 } },
};

static void refused_commands(void)
{
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	struct pvrom_net_driver_state before;
	uint32_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command_case *c = &commands[i];
		bool fine;

		memcpy(&before, &w->host.driver, sizeof(before));
		fine = net_world_command(w, c->class, c->number, c->data, c->len) ==
			       PVROM_NET_CTRL_ERR &&
		       !memcmp(&before, &w->host.driver, sizeof(before)) && still_works(w);
		if (!fine)
			tap_note("%s", c->name);
		CU_ASSERT(fine);
	}
	CU_ASSERT_EQUAL(w->host.counters.commands_failed, i);
	net_world_close(w);
}

/* Each of them is fine with its feature, and refused without. */
static void commands_without_their_feature(void)
{
	static const struct command_case good[] = {
		{ "mode", 0, 1, 1, { 1 } },
		{ "extra mode", 0, 2, 1, { 1 } },
		{ "tables", 1, 0, 8, { 0 } },
		{ "address", 1, 1, 6, { 2 } },
		{ "VLAN", 2, 0, 2, { 1 } },
		{ "announce", 3, 0, 0, { 0 } },
		{ "pairs", 4, 0, 2, { 2 } },
		{ "RSS", 4, 1, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, KEY_40 } },
		{ "hash", 4, 2, 53, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, KEY_40 } },
		{ "offloads", 5, 0, 8, { 0 } },
		{ "coalescing", 6, 0, 8, { 0 } },
	};
	struct net_world *all = net_world_open(4, 0, NET_ALL, SPLIT);
	struct net_world *none = net_world_open(4, 0, PVROM_NET_F_CTRL_VQ, SPLIT);
	uint32_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct command_case *c = &good[i];

		CU_ASSERT_EQUAL(net_world_command(all, c->class, c->number, c->data, c->len),
				PVROM_NET_CTRL_OK);
		CU_ASSERT_EQUAL(net_world_command(none, c->class, c->number, c->data, c->len),
				PVROM_NET_CTRL_ERR);
	}
	net_world_close(all);
	net_world_close(none);
}

static void offloads_that_were_not_negotiated(void)
{
	struct net_world *w = net_world_open(1, 0,
					     PVROM_NET_F_CTRL_VQ | PVROM_NET_F_CTRL_GUEST_OFFLOADS |
						     PVROM_NET_F_GUEST_CSUM,
					     SPLIT);
	const uint64_t tso = PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4;

	CU_ASSERT_EQUAL(net_world_command(w, 5, 0, &tso, 8), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(w->told_offloads, PVROM_NET_F_GUEST_CSUM);
	net_world_close(w);
}

/* With all the bytes that it says: the table would be written past its end. */
static void rss_table_longer_than_there_is_room_for(void)
{
	struct net_world *w = net_world_open(4, 0, NET_ALL, SPLIT);
	uint8_t data[8 + 256 * 2 + 2 + 1] = { 1, 0, 0, 0, 255 };

	data[8 + 256 * 2] = 1; /* pairs to send by; no key */
	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, data, sizeof(data)), PVROM_NET_CTRL_ERR);
	data[4] = 127;
	data[8 + 128 * 2] = 1;
	CU_ASSERT_EQUAL(net_world_command(w, 4, 1, data, 8 + 128 * 2 + 3), PVROM_NET_CTRL_OK);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

static void command_buffers(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const uint8_t off[3] = { 0, 0, 0 };

	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 3, 0), -1); /* nowhere to acknowledge */
	CU_ASSERT(w->host.driver.promiscuous);			  /* so it is not obeyed */
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 0, 1), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 1, 1), PVROM_NET_CTRL_ERR);
	CU_ASSERT_EQUAL(net_world_command_raw(w, off, 3, 0x100000), PVROM_NET_CTRL_OK);
	CU_ASSERT_FALSE(w->host.driver.promiscuous);
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static const struct frame_plan tcp = { .ip = 4, .tcp = true };

/* Sends it; true when it came back, was counted as malformed, and nothing went out. */
static bool refused(struct net_world *w, const struct pvrom_net_header *h, size_t len)
{
	const uint64_t malformed = w->host.counters.malformed;

	return net_world_send(w, 0, h, frame, len, 70000) && !w->sent_count &&
	       w->host.counters.malformed == malformed + 1;
}

/* 100 bytes from an address of the guest's. */
static bool sends_from(struct net_world *w, uint64_t addr)
{
	const struct pvrom_vq_buf buf = { .addr = addr, .len = 100 };
	struct world_queue *q = &w->queue[1];
	struct pvrom_vq_done done;
	uint64_t again;

	pvrom_vq_driver_add(&q->driver, &buf, 1, 0, w);
	pvrom_vq_driver_publish(&q->driver);
	pvrom_net_transmit(&q->queue, 8);
	pvrom_net_queue_publish(&q->queue, 0, &again);
	return pvrom_vq_driver_get(&q->driver, &done) == PVROM_VQ_OK;
}

static void frames_too_short_or_long(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const struct pvrom_net_header plain = { 0 };
	uint64_t malformed;

	CU_ASSERT(refused(w, &plain, 0)); /* a header alone */
	CU_ASSERT(refused(w, &plain, 13));
	CU_ASSERT(refused(w, &plain, PVROM_NET_FRAME_MAX + 1));
	malformed = w->host.counters.malformed;
	CU_ASSERT(net_world_send_raw(w, 0, &plain, 11, 11)); /* not even that */
	CU_ASSERT(net_world_send_raw(w, 0, &plain, 0, 1));   /* a buffer to write to */
	CU_ASSERT_EQUAL(w->host.counters.malformed, malformed + 2);
	CU_ASSERT_EQUAL(w->sent_count, 0);
	CU_ASSERT(still_works(w));
	net_world_forget_sent(w);
	CU_ASSERT(sends_from(w, WORLD_MEMORY - 50)); /* ends outside guest memory */
	CU_ASSERT_EQUAL(w->host.counters.malformed, malformed + 3);
	CU_ASSERT_EQUAL(w->sent_count, 0);
	net_world_close(w);
}

static void frames_that_ask_for_what_was_not_negotiated(void)
{
	static const struct {
		uint8_t type;
		uint64_t without;
	} cases[] = {
		{ PVROM_NET_GSO_NONE, PVROM_NET_F_CSUM },
		{ PVROM_NET_GSO_TCPV4, PVROM_NET_F_HOST_TSO4 },
		{ PVROM_NET_GSO_TCPV6, PVROM_NET_F_HOST_TSO6 },
		{ PVROM_NET_GSO_UDP_L4, PVROM_NET_F_HOST_USO },
		{ PVROM_NET_GSO_TCPV4 | PVROM_NET_GSO_ECN, PVROM_NET_F_HOST_ECN },
	};
	const uint64_t all = PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 |
			     PVROM_NET_F_HOST_USO | PVROM_NET_F_HOST_ECN;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool udp = cases[i].type == PVROM_NET_GSO_UDP_L4;
		const struct frame_plan p = { .ip = cases[i].type == PVROM_NET_GSO_TCPV6 ? 6 : 4,
					      .tcp = !udp };
		/* A backend that could do everything is not asked either. */
		struct net_world *w =
			net_world_open(1, all, i ? all & ~cases[i].without : 0, SPLIT);
		struct pvrom_net_header h = oracle_header(&p, 500);
		const size_t len = oracle_build_partial(&p, payload, 1000, frame);

		h.gso_type = cases[i].type;
		CU_ASSERT(refused(w, &h, len));
		net_world_close(w);
		w = net_world_open(1, all, all, SPLIT);
		CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
		CU_ASSERT_EQUAL(w->sent_count, 1);
		net_world_close(w);
	}
}

static void headers_that_lie(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const size_t len = oracle_build_partial(&tcp, payload, 4000, frame);
	struct pvrom_net_header h;

	h = oracle_header(&tcp, 1000), h.csum_start = 5000;
	CU_ASSERT(refused(w, &h, len));
	h = oracle_header(&tcp, 0);
	CU_ASSERT(refused(w, &h, len));
	h = oracle_header(&tcp, 1);
	CU_ASSERT(refused(w, &h, len)); /* 4,000 segments */
	h = oracle_header(&tcp, 1000), h.flags = 0;
	CU_ASSERT(refused(w, &h, len));
	h = oracle_header(&tcp, 1000), h.gso_type = 3;
	CU_ASSERT(refused(w, &h, len));
	h = oracle_header(&tcp, 1000), h.gso_type = PVROM_NET_GSO_ECN;
	CU_ASSERT(refused(w, &h, len));
	h = oracle_header(&tcp, 1000), h.hdr_len = 65535; /* a hint: not believed */
	CU_ASSERT(net_world_send(w, 0, &h, frame, len, 70000));
	CU_ASSERT_EQUAL(w->sent_count, 4);
	CU_ASSERT(still_works(w));
	net_world_close(w);
	w = net_world_open(1, UINT64_MAX, NET_ALL, SPLIT); /* no type is a backend's to judge */
	h = oracle_header(&tcp, 1000), h.gso_type = 3;
	oracle_build_partial(&tcp, payload, 4000, frame);
	CU_ASSERT(refused(w, &h, len));
	net_world_close(w);
}

/* ---- buffers for what arrives ------------------------------------------------------------------------------------ */

static bool add(struct net_world *w, uint64_t addr, uint32_t readable, uint32_t writable)
{
	const struct pvrom_vq_buf buf = { .addr = addr, .len = readable + writable };
	struct pvrom_vq_driver *driver = &w->queue[0].driver;

	if (pvrom_vq_driver_add(driver, &buf, !!readable, !!writable, w->memory) != PVROM_VQ_OK)
		return false;
	pvrom_vq_driver_publish(driver);
	return true;
}

/* Buffers that came back with nothing in them. */
static uint32_t came_back_empty(struct net_world *w)
{
	struct pvrom_vq_done done;
	uint64_t again;
	uint32_t n = 0;

	pvrom_net_queue_publish(&w->queue[0].queue, 0, &again);
	while (pvrom_vq_driver_get(&w->queue[0].driver, &done) == PVROM_VQ_OK && !done.len)
		n++;
	return n;
}

static void buffers_that_can_hold_nothing(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);

	add(w, 0x800000, 0, 11);	   /* not even a header */
	add(w, 0x800000, 100, 0);	   /* to be read */
	add(w, WORLD_MEMORY - 50, 0, 100); /* out of guest memory */
	memset(frame, 2, 60);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 60), PVROM_NET_NO_BUFFER);
	CU_ASSERT_EQUAL(came_back_empty(w), 3);
	CU_ASSERT_EQUAL(w->host.counters.malformed, 3);
	net_world_give(w, 0, 100);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 60), PVROM_NET_DELIVERED);
	CU_ASSERT(net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(memcmp(got.bytes, frame, 60), 0);
	net_world_close(w);
}

/* As many tiny ones as the card can have in hand: they come back, and do not block it for ever. */
static void too_many_tiny_buffers(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	uint32_t i;

	for (i = 0; i < WORLD_QUEUE_SIZE; i++)
		CU_ASSERT(add(w, 0x800000, 0, 13));
	memset(frame, 2, 1500);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 1500), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.too_small, 1);
	CU_ASSERT_EQUAL(came_back_empty(w), WORLD_QUEUE_SIZE);
	net_world_give(w, 0, 1600);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &plain, frame, 1500), PVROM_NET_DELIVERED);
	net_world_close(w);
}

static void frames_from_outside_that_lie(void)
{
	struct net_world *w = net_world_open(1, 0, NET_ALL, SPLIT);
	const size_t len = oracle_build_partial(&tcp, payload, 4000, frame);
	struct pvrom_net_header h = oracle_header(&tcp, 0);

	while (net_world_give(w, 0, 1000))
		;
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	h.gso_size = 100, h.csum_start = 60000;
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, 3), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.refused, 3);
	CU_ASSERT_FALSE(net_world_take(w, 0, &got));
	CU_ASSERT(still_works(w));
	net_world_close(w);
}

/* A frame that is cut while the driver runs out of buffers: what fitted is there, the rest is dropped. */
static void buffers_run_out_within_a_frame(void)
{
	struct net_world *w = net_world_open(1, 0, PVROM_NET_F_MRG_RXBUF, SPLIT);
	const struct pvrom_net_header h = oracle_header(&tcp, 1000);
	const size_t len = oracle_build_partial(&tcp, payload, 4000, frame);

	net_world_give(w, 0, 1600);
	net_world_give(w, 0, 1600);
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_DROPPED);
	CU_ASSERT_EQUAL(w->host.counters.received, 2);
	CU_ASSERT_EQUAL(w->host.counters.no_buffer, 1);
	CU_ASSERT(net_world_take(w, 0, &got) && net_world_take(w, 0, &got));
	CU_ASSERT_EQUAL(pvrom_net_receive(&w->host, &h, frame, len), PVROM_NET_NO_BUFFER);
	net_world_close(w);
}

static const struct tap_test tests[] = {
	{ "54 commands that are refused, and change nothing", refused_commands },
	{ "commands without their feature", commands_without_their_feature },
	{ "offloads that were not negotiated", offloads_that_were_not_negotiated },
	{ "an RSS table longer than there is room for", rss_table_longer_than_there_is_room_for },
	{ "commands without place for an answer, or without a command", command_buffers },
	{ "frames too short or too long", frames_too_short_or_long },
	{ "frames that ask for what was not negotiated",
	  frames_that_ask_for_what_was_not_negotiated },
	{ "headers that lie", headers_that_lie },
	{ "receive buffers that can hold nothing", buffers_that_can_hold_nothing },
	{ "more tiny receive buffers than the card can hold", too_many_tiny_buffers },
	{ "frames from outside that lie", frames_from_outside_that_lie },
	{ "receive buffers that run out within a frame", buffers_run_out_within_a_frame },
	{ 0 }
};

int main(void)
{
	return tap_run("net.hostile", tests);
}
