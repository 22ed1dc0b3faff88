/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The switch: where frames go, VLANs, floods, and ports that want what is another's.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../../pvnet/backend/net_switch.h"
#include "netback_cases.h"

#define PORTS 4u
#define FLOOD 1000u

static struct net_switch *sw;
static struct switch_port *port[PORTS];
static char text[PORT_TEXT];

static void mac_of(uint8_t *mac, uint32_t n)
{
	const uint8_t address[6] = { 2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(mac, address, 6);
}

/* Port n has the address n + 1; vlans: 0 for all of them. */
static bool open_switch(const uint16_t vlans[PORTS])
{
	uint8_t mac[6];
	uint32_t i;

	sw = switch_open(FLOOD);
	for (i = 0; i < PORTS; i++) {
		mac_of(mac, i + 1);
		port[i] = switch_join(sw, mac, vlans[i] ? vlans[i] : SWITCH_ALL_VLANS, text);
		if (!HOLDS(port[i]))
			return false;
	}
	return true;
}

static void close_switch(void)
{
	uint32_t i;

	for (i = 0; i < PORTS; i++)
		if (port[i])
			switch_leave(port[i]);
	memset(port, 0, sizeof(port));
	switch_close(sw);
}

/* A frame of `len` bytes with a tag if vlan is not 0; addresses as numbers, 0xffff: to all. */
static uint32_t make(uint8_t *to, uint32_t destination, uint32_t source, uint32_t vlan,
		     uint32_t len)
{
	uint32_t at = 12;

	mac_of(to, destination);
	if (destination == 0xffff)
		memset(to, 0xff, 6);
	mac_of(to + 6, source);
	if (vlan) {
		to[at++] = 0x81;
		to[at++] = 0;
		to[at++] = (uint8_t)(vlan >> 8);
		to[at++] = (uint8_t)vlan;
	}
	to[at++] = 0x88;
	to[at++] = 0xb5;
	memcpy(to + at, netback_payload, len - at);
	return len;
}

static bool send_frame(uint32_t from, uint32_t destination, uint32_t source, uint32_t vlan,
		       uint32_t len)
{
	static const struct pvrom_net_header plain;
	uint8_t frame[2000];
	struct iovec vec[3] = { { frame, 5 }, { frame + 5, 11 }, { frame + 16, 0 } };
	bool sent;

	vec[2].iov_len = make(frame, destination, source, vlan, len) - 16;
	sent = switch_send(port[from], &plain, vec, 3);
	switch_flush(port[from]);
	return sent;
}

/* The next frame at a port is this one. */
static bool gets(uint32_t at, uint32_t destination, uint32_t source, uint32_t vlan, uint32_t len)
{
	uint8_t frame[2000];
	struct net_arrival a;
	bool same;

	make(frame, destination, source, vlan, len);
	if (!switch_peek(port[at], &a))
		return false;
	same = a.len == len && !memcmp(a.bytes, frame, len);
	switch_pop(port[at]);
	return same;
}

static bool gets_nothing(uint32_t at)
{
	struct net_arrival a;

	return !switch_peek(port[at], &a);
}

/* ---- the cases ----------------------------------------------------------------------------------------- */

static bool learning(void)
{
	const uint16_t none[PORTS] = { 0 };
	uint32_t i;
	bool good = open_switch(none);

	/* To an unknown one: to all but where it came from. */
	good = good && HOLDS(send_frame(0, 2, 1, 0, 60));
	for (i = 1; good && i < PORTS; i++)
		good = HOLDS(gets(i, 2, 1, 0, 60));
	good = good && HOLDS(gets_nothing(0));
	/* Its answer goes to the first alone, and so do further ones. */
	good = good && HOLDS(send_frame(1, 1, 2, 0, 61)) && HOLDS(gets(0, 1, 2, 0, 61));
	good = good && HOLDS(send_frame(0, 2, 1, 0, 62)) && HOLDS(gets(1, 2, 1, 0, 62));
	for (i = 0; good && i < PORTS; i++)
		good = HOLDS(gets_nothing(i));
	/* To itself: nowhere. To all: always to all. */
	good = good && HOLDS(send_frame(0, 1, 1, 0, 60)) && HOLDS(gets_nothing(0)) &&
	       HOLDS(gets_nothing(1)) && HOLDS(send_frame(3, 0xffff, 4, 0, 60)) &&
	       HOLDS(gets(0, 0xffff, 4, 0, 60)) && HOLDS(gets(2, 0xffff, 4, 0, 60)) &&
	       HOLDS(gets_nothing(3));
	close_switch();
	return good;
}

/* What a sleeper waits for comes once there is something, not for each. */
static bool waking(void)
{
	const uint16_t none[PORTS] = { 0 };
	bool good = open_switch(none);
	struct pollfd p = { .events = POLLIN };
	uint32_t i;

	p.fd = good ? port[1]->event : -1;
	good = good && HOLDS(poll(&p, 1, 0) == 0);
	for (i = 0; good && i < 5; i++)
		good = HOLDS(send_frame(0, 0xffff, 1, 0, 60));
	good = good && HOLDS(poll(&p, 1, 0) == 1);
	switch_woken(port[1]);
	good = good && HOLDS(poll(&p, 1, 0) == 0);
	for (i = 0; good && i < 5; i++)
		good = HOLDS(gets(1, 0xffff, 1, 0, 60));
	good = good && HOLDS(send_frame(0, 0xffff, 1, 0, 60)) && HOLDS(poll(&p, 1, 0) == 1);
	close_switch();
	return good;
}

/* Ports 0 and 1 in VLAN 5, port 2 in VLAN 6, port 3 a trunk. */
static bool vlans(void)
{
	const uint16_t by_port[PORTS] = { 5, 5, 6, 0 };
	bool good = open_switch(by_port);

	good = good && HOLDS(send_frame(0, 0xffff, 1, 0, 100)) &&
	       HOLDS(gets(1, 0xffff, 1, 0, 100)) && HOLDS(gets(3, 0xffff, 1, 5, 104)) &&
	       HOLDS(gets_nothing(2));
	/* From the trunk into each VLAN; without a tag it is a network of its own. */
	good = good && HOLDS(send_frame(3, 0xffff, 4, 6, 104)) &&
	       HOLDS(gets(2, 0xffff, 4, 0, 100)) && HOLDS(gets_nothing(0)) &&
	       HOLDS(send_frame(3, 0xffff, 4, 0, 100)) && HOLDS(gets_nothing(0)) &&
	       HOLDS(gets_nothing(1)) && HOLDS(gets_nothing(2));
	/* What was learned in one VLAN says nothing of another. */
	good = good && HOLDS(send_frame(3, 1, 4, 5, 104)) && HOLDS(gets(0, 1, 4, 0, 100)) &&
	       HOLDS(gets_nothing(1)) && HOLDS(send_frame(3, 1, 4, 6, 104)) &&
	       HOLDS(gets(2, 1, 4, 0, 100)) && HOLDS(gets_nothing(0));
	/* A port of one VLAN is not to speak for others. */
	good = good && HOLDS(!send_frame(0, 0xffff, 1, 6, 104)) && HOLDS(gets_nothing(2)) &&
	       HOLDS(port[0]->counters.refused == 1);
	close_switch();
	return good;
}

/* The work still to be done to a frame moves with its tag. */
static bool tags_and_work(void)
{
	const uint16_t by_port[PORTS] = { 5, 0, 0, 0 };
	const struct pvrom_net_header h = { .flags = PVROM_NET_HDR_NEEDS_CSUM,
					    .gso_type = PVROM_NET_GSO_TCPV4,
					    .gso_size = 1448,
					    .hdr_len = 66,
					    .csum_start = 34,
					    .csum_offset = 16 };
	uint8_t frame[200];
	const struct iovec vec = { frame, make(frame, 0xffff, 1, 0, 200) };
	struct net_arrival a = { .len = 0 };
	bool good = open_switch(by_port);

	good = good && HOLDS(switch_send(port[0], &h, &vec, 1)) &&
	       HOLDS(switch_peek(port[1], &a)) && HOLDS(a.len == 204) &&
	       HOLDS(a.header.csum_start == 38 && a.header.hdr_len == 70) &&
	       HOLDS(a.header.gso_size == 1448 && a.header.csum_offset == 16);
	close_switch();
	return good;
}

static bool stolen_addresses(void)
{
	const uint16_t none[PORTS] = { 0 };
	struct switch_port *other = NULL;
	bool good = open_switch(none);
	uint8_t mac[6];

	mac_of(mac, 2);
	good = good && HOLDS(!send_frame(0, 3, 2, 0, 60)) && HOLDS(gets_nothing(2)) &&
	       HOLDS(port[0]->counters.refused == 1);
	if (good)
		other = switch_join(sw, mac, SWITCH_ALL_VLANS, text);
	good = good && HOLDS(!other) && HOLDS(strstr(text, "02:00:00:00:00:02"));
	if (other)
		switch_leave(other);
	close_switch();
	return good;
}

static bool clash(void)
{
	const uint16_t none[PORTS] = { 0 };
	struct switch_port *other;
	bool good = open_switch(none);
	uint8_t mac[6];

	mac_of(mac, 3);
	other = switch_join(sw, mac, SWITCH_ALL_VLANS, text);
	good = good && HOLDS(!other) && HOLDS(strstr(text, "another port"));
	if (other)
		switch_leave(other);
	/* It is free when its port has left. */
	switch_leave(port[2]);
	port[2] = switch_join(sw, mac, SWITCH_ALL_VLANS, text);
	good = good && HOLDS(port[2]);
	close_switch();
	return good;
}

/* One port makes up addresses and shouts: the others are still found, and not shouted down. */
static bool floods(void)
{
	const uint16_t none[PORTS] = { 0 };
	bool good = open_switch(none);
	uint32_t i, heard = 0;

	good = good && HOLDS(send_frame(1, 0xffff, 2, 0, 60)) && HOLDS(gets(0, 0xffff, 2, 0, 60)) &&
	       HOLDS(gets(2, 0xffff, 2, 0, 60));
	for (i = 0; good && i < 30000; i++) {
		send_frame(0, 0xffff, 1000 + i, 0, 60);
		for (; !gets_nothing(2); heard++)
			switch_pop(port[2]);
		for (; !gets_nothing(1);)
			switch_pop(port[1]);
		for (; !gets_nothing(3);)
			switch_pop(port[3]);
	}
	/* 256 at once and 1,000 a second. */
	good = good && HOLDS(heard < 20000) && HOLDS(port[0]->counters.refused > 1000);
	good = good && HOLDS(send_frame(2, 2, 3, 0, 60)) && HOLDS(gets(1, 2, 3, 0, 60)) &&
	       HOLDS(gets_nothing(0)) && HOLDS(gets_nothing(3));
	close_switch();
	return good;
}

/* Addresses of others stay known, however many one port makes up. */
static bool table_is_shared(void)
{
	const uint16_t none[PORTS] = { 0 };
	bool good = open_switch(none);
	uint32_t i, n, known = 0;

	/* 200 addresses behind port 1, as a bridge would have them. */
	for (n = 0; good && n < 200; n++)
		send_frame(1, 1, 5000 + n, 0, 60);
	for (i = 0; good && i < 20000; i++)
		send_frame(0, 1, 10000 + i, 0, 60);
	for (i = 0; i < PORTS; i++)
		while (!gets_nothing(i))
			switch_pop(port[i]);
	for (n = 0; good && n < 200; n++) {
		send_frame(2, 5000 + n, 3, 0, 60);
		known += gets(1, 5000 + n, 3, 0, 60) && gets_nothing(0);
		for (i = 0; i < PORTS; i++)
			while (!gets_nothing(i))
				switch_pop(port[i]);
	}
	good = good && HOLDS(known >= 195); /* a set of the table has four places */
	close_switch();
	return good;
}

static bool full_queue(void)
{
	const uint16_t none[PORTS] = { 0 };
	bool good = open_switch(none);
	uint32_t sent = 0, i;

	send_frame(1, 0xffff, 2, 0, 60);
	for (i = 0; good && i < 20000 && !port[1]->counters.full; i++)
		sent += send_frame(0, 2, 1, 0, 1514);
	good = good && HOLDS(port[1]->counters.full == 1);
	/* Nobody else is hindered by it. */
	good = good && HOLDS(send_frame(0, 0xffff, 1, 0, 60)) && HOLDS(gets(2, 0xffff, 2, 0, 60)) &&
	       HOLDS(gets(2, 0xffff, 1, 0, 60));
	for (i = 0; good && i < sent; i++)
		good = HOLDS(gets(1, 2, 1, 0, 1514));
	/* A short frame may have found room where a long one did not. */
	gets(1, 0xffff, 1, 0, 60);
	good = good && HOLDS(gets_nothing(1));
	close_switch();
	return good;
}

/* ---- several threads ----------------------------------------------------------------------------------- */

#define FRAMES 20000u
static atomic_uint received[2];

static void *shuttle(void *arg)
{
	const uint32_t me = (uint32_t)(uintptr_t)arg, other = 1 - me;
	uint32_t sent = 0, idle = 0;
	struct net_arrival a;

	while (idle < 2000 && (sent < FRAMES || received[me] < FRAMES)) {
		if (sent < FRAMES && sent < received[me] + 64)
			sent += send_frame(me, other + 1, me + 1, 0, 60 + sent % 1000);
		for (; switch_peek(port[me], &a); switch_pop(port[me]))
			received[me] += a.len == 60 + received[me] % 1000 &&
					!memcmp(a.bytes + 14, netback_payload, a.len - 14);
		idle = received[me] == FRAMES ? idle + 1 : 0;
		if (sent >= received[me] + 64)
			sched_yield();
	}
	return NULL;
}

static void *come_and_go(void *arg)
{
	const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 };
	struct switch_port *p;
	char why[PORT_TEXT];
	uint32_t i;

	for (i = 0; i < 500; i++) {
		p = switch_join(sw, mac, SWITCH_ALL_VLANS, why);
		if (p)
			switch_leave(p);
	}
	return arg;
}

static bool threads(void)
{
	const uint16_t none[PORTS] = { 0 };
	pthread_t t[3];
	bool good = open_switch(none);

	received[0] = received[1] = 0;
	/* Each knows where the other is before. */
	good = good && send_frame(0, 0xffff, 1, 0, 60) && send_frame(1, 0xffff, 2, 0, 60) &&
	       gets(0, 0xffff, 2, 0, 60) && gets(1, 0xffff, 1, 0, 60);
	if (good) {
		pthread_create(&t[0], NULL, shuttle, (void *)0);
		pthread_create(&t[1], NULL, shuttle, (void *)1);
		pthread_create(&t[2], NULL, come_and_go, NULL);
		pthread_join(t[0], NULL);
		pthread_join(t[1], NULL);
		pthread_join(t[2], NULL);
		good = HOLDS(received[0] == FRAMES) && HOLDS(received[1] == FRAMES);
	}
	close_switch();
	return good;
}

const struct netback_case netback_switch_cases[] = {
	{ "switch: addresses are learned, unknown ones flooded", learning, { "SWITCH_FIND" } },
	{ "switch: a sleeper is woken once for a batch", waking, { NULL } },
	{ "switch: VLANs stay apart, tags are put in and taken out",
	  vlans,
	  { "SWITCH_VLAN", "SWITCH_TAG", "SWITCH_TAGGED" } },
	{ "switch: open work moves with a tag", tags_and_work, { "SWITCH_TAG" } },
	{ "switch: nobody sends from the address of another's card",
	  stolen_addresses,
	  { "SWITCH_STOLEN" } },
	{ "switch: a second card with the same address is refused", clash, { "SWITCH_CLASH" } },
	{ "switch: floods have a bound, others are heard [PVROM-NET-26]",
	  floods,
	  { "SWITCH_FLOOD" } },
	{ "switch: made-up addresses displace nobody's [PVROM-NET-27]",
	  table_is_shared,
	  { "SWITCH_LEARNED" } },
	{ "switch: a port that does not read loses its own frames alone", full_queue, { NULL } },
	{ "switch: threads send to each other while ports come and go", threads, { NULL } },
	{ NULL, NULL, { NULL } },
};
