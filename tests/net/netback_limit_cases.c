/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits of a card, on a clock that the test turns: rates are kept exactly, both ways, and nothing is lost for them.
 */
#include <stdio.h>
#include <string.h>

#include "netback_cases.h"

#define MS 1000000ull
#define LEN 1000u

static struct pvrom_net_backend *backend;
static struct net_world *world;
static uint64_t clock_ns;

static uint64_t turned(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

/* The words' own limits, begun anew on our clock. */
static bool begin_anew(struct pvrom_limit *l)
{
	const struct pvrom_rate bytes = l->bytes.rate, frames = l->requests.rate;

	l->last = 0;
	return pvrom_limit_set(l, &bytes, &frames, clock_ns);
}

static bool open_limited(const char *words)
{
	struct pvrom_net_host_setup *setup;

	clock_ns = 1000 * MS;
	backend = netback_open(words);
	world = HOLDS(backend) ? net_world_open_on(backend, 1, 0, SPLIT) : NULL;
	if (!HOLDS(world))
		return false;
	setup = &world->host.setup;
	pvrom_net_backend_limits(backend, setup);
	setup->now = turned;
	return (!setup->send_limit || HOLDS(begin_anew(setup->send_limit))) &&
	       (!setup->receive_limit || HOLDS(begin_anew(setup->receive_limit)));
}

static void close_limited(void)
{
	if (world)
		net_world_close(world);
	pvrom_net_backend_close(backend);
	world = NULL;
	backend = NULL;
}

/* How many frames are sent while the clock is turned by 1 ms so often. */
static uint32_t sent_in(uint32_t steps)
{
	const struct pvrom_net_header plain = { 0 };
	const uint64_t before = world->host.counters.sent;
	uint32_t i;

	for (i = 0; i < steps; i++) {
		/* One more than may go is always there. */
		net_world_send(world, 0, &plain, netback_payload, LEN, 2000);
		while (pvrom_net_transmit(&world->queue[1].queue, 8))
			;
		clock_ns += MS;
	}
	return (uint32_t)(world->host.counters.sent - before);
}

static uint32_t received_in(uint32_t steps)
{
	const uint64_t before = world->host.counters.received;
	bool stalled;
	uint32_t i;

	for (i = 0; i < steps; i++) {
		while (net_world_take(world, 0, &netback_got))
			;
		netback_give(world, 0);
		while (pvrom_net_backend_receive(backend, &world->host, 0, 8, &stalled))
			;
		clock_ns += MS;
	}
	return (uint32_t)(world->host.counters.received - before);
}

/* 250 frames a second: one in 4 ms, and at the beginning one on trust. */
static bool frames_sent(void)
{
	bool good = open_limited("null,out-pps=250");
	uint32_t n = good ? sent_in(60) : 0;

	good = good && HOLDS(n == 16) && HOLDS(sent_in(60) == 15);
	close_limited();
	return good;
}

static bool bytes_sent(void)
{
	bool good = open_limited("null,out-bps=500000");

	/* 1,000 bytes in 2 ms. */
	good = good && HOLDS(sent_in(60) == 31) && HOLDS(sent_in(60) == 30);
	close_limited();
	return good;
}

/* After a rest so many go at once, and then one by one again. */
static bool burst(void)
{
	bool good = open_limited("null,out-pps=100,out-pps-burst=5");
	uint32_t n = good ? sent_in(1) : 0;

	n += good ? sent_in(10) : 0;
	good = good && HOLDS(n >= 6 && n <= 8);
	close_limited();
	return good;
}

static bool fill_loop(uint32_t frames)
{
	const struct pvrom_net_header plain = { 0 };
	uint32_t i;

	for (i = 0; i < frames; i++)
		if (!HOLDS(net_world_send(world, 0, &plain, netback_payload, LEN, 2000)))
			return false;
	return true;
}

static bool frames_received(void)
{
	bool good = open_limited("loop,in-pps=250") && fill_loop(40);

	good = good && HOLDS(received_in(40) == 11) && HOLDS(received_in(40) == 10) &&
	       HOLDS(received_in(200) == 19) && HOLDS(!world->host.counters.no_buffer);
	close_limited();
	return good;
}

static bool bytes_received(void)
{
	bool good = open_limited("loop,in-bps=500000") && fill_loop(40);

	good = good && HOLDS(received_in(20) == 11) && HOLDS(received_in(20) == 10) &&
	       HOLDS(received_in(80) == 19);
	close_limited();
	return good;
}

/* Two cards with one limit together send as much as one would. */
static bool groups(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct pvrom_net_backend *other;
	struct pvrom_net_host_setup first = { 0 }, second = { 0 }, third = { 0 };
	bool good = open_limited("null,out-pps=250,group=all");

	other = pvrom_net_backend_open("null,out-pps=9,group=all", mac, netback_message);
	good = good && HOLDS(other);
	if (good) {
		pvrom_net_backend_limits(backend, &first);
		pvrom_net_backend_limits(other, &second);
		good = HOLDS(first.send_limit && first.send_limit == second.send_limit) &&
		       HOLDS(first.send_limit->requests.rate.rate == 250) &&
		       HOLDS(!first.receive_limit);
	}
	pvrom_net_backend_close(other);
	close_limited();
	/* The group ended with its last card. */
	other = pvrom_net_backend_open("null,in-pps=9,group=all", mac, netback_message);
	good = good && HOLDS(other);
	if (other)
		pvrom_net_backend_limits(other, &third);
	good = good && HOLDS(third.receive_limit && !third.send_limit);
	pvrom_net_backend_close(other);
	return good;
}

static bool wrong_rates(void)
{
	return HOLDS(netback_refuses("null,out-bps-burst=5", "a burst needs a rate")) &&
	       HOLDS(netback_refuses("null,in-pps=10,in-pps-burst-rate=5", "in-bps, in-pps")) &&
	       HOLDS(netback_refuses("null,out-pps=0", "out-pps: not a value"));
}

const struct netback_case netback_limit_cases[] = {
	{ "limits: frames of the driver [PVROM-NET-24]", frames_sent, { "SEND_LIMIT" } },
	{ "limits: bytes of the driver", bytes_sent, { "SEND_LIMIT" } },
	{ "limits: a burst after a rest", burst, { "SEND_LIMIT" } },
	{ "limits: frames for the driver wait in the network [PVROM-NET-24]",
	  frames_received,
	  { "RECEIVE_LIMIT" } },
	{ "limits: bytes for the driver", bytes_received, { "RECEIVE_LIMIT" } },
	{ "limits: cards of a group share one", groups, { NULL } },
	{ "limits: rates that cannot be", wrong_rates, { NULL } },
	{ NULL, NULL, { NULL } },
};
