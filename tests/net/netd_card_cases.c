/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The card that pvrom-netd shows to its front ends: rings of every kind, offloads, queues, commands, messages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pvrom/net_frame.h>

#include "frame_oracle.h"
#include "netd_world.h"

static struct vu_client client;
static pid_t server;

static bool serve(const char *words, uint64_t features, uint32_t queues)
{
	char text[400];

	snprintf(text, sizeof(text), "socket=%s,%s", netd_path("card.socket"), words);
	server = netd_start(netd_path("card.log"), true, text, NULL);
	return netd_connect(&client, netd_path("card.socket"), features, queues);
}

static void end(void)
{
	vu_client_close(&client);
	netd_end(server);
}

static bool rings(void)
{
	static const uint64_t ring[] = {
		0,
		PVROM_VQ_F_EVENT_IDX,
		PVROM_VQ_F_IN_ORDER,
		PVROM_VQ_F_RING_PACKED,
		PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_EVENT_IDX,
		PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER,
		PVROM_VQ_F_INDIRECT_DESC | PVROM_VQ_F_EVENT_IDX | PVROM_NET_F_MRG_RXBUF,
		PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER | PVROM_NET_F_MRG_RXBUF,
	};
	bool good = true;
	size_t i;

	for (i = 0; good && i < sizeof(ring) / sizeof(ring[0]); i++) {
		good = serve("loop", ring[i], 2) && HOLDS((client.accepted & ring[i]) == ring[i]) &&
		       netd_loop_works(&client, 0, 300);
		end();
	}
	return good;
}

/* A front end that stops queues and starts them where they stood: nothing is lost, nothing stands still. */
static bool stopped_with(uint64_t features)
{
	uint32_t i, n;
	int64_t base;
	bool good = serve("loop", features, 2);

	for (n = 0; good && n < 20; n++) {
		good = netd_loop_works(&client, 0, 7 + n * 5);
		for (i = 0; good && i < 2; i++) {
			base = vu_client_stop(&client, i);
			good = HOLDS(base >= 0) &&
			       HOLDS(vu_client_start(&client, i, (uint32_t)base));
		}
	}
	good = good && netd_loop_works(&client, 0, 300);
	end();
	return good;
}

static bool stopped(void)
{
	static const uint64_t ring[] = {
		0,
		PVROM_VQ_F_EVENT_IDX,
		PVROM_NET_F_MRG_RXBUF,
		PVROM_NET_F_MRG_RXBUF | PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_INDIRECT_DESC,
		PVROM_VQ_F_RING_PACKED,
		PVROM_VQ_F_RING_PACKED | PVROM_NET_F_MRG_RXBUF,
		PVROM_VQ_F_RING_PACKED | PVROM_VQ_F_IN_ORDER | PVROM_NET_F_MRG_RXBUF,
		PVROM_VQ_F_IN_ORDER,
	};
	bool good = true;
	size_t i;

	for (i = 0; good && i < sizeof(ring) / sizeof(ring[0]); i++) {
		good = stopped_with(ring[i]);
		if (!good)
			printf("# features 0x%llx\n", (unsigned long long)ring[i]);
	}
	return good;
}

/* QEMU 7.2 stops a device so: status 0, and only then it asks where the rings stand; then it goes on from there. */
static bool paused_with(uint64_t features)
{
	const uint64_t none = 0;
	int64_t base[2] = { 0 };
	uint32_t i, n;
	bool good = serve("loop", features, 2);

	for (n = 0; good && n < 5; n++) {
		good = netd_loop_works(&client, 0, 100) &&
		       HOLDS(!vu_client_ack(&client, VU_SET_STATUS, &none, 8, NULL, 0));
		for (i = 0; good && i < 2; i++)
			good = HOLDS((base[i] = vu_client_stop(&client, i)) >= 0);
		good = good && HOLDS(!vu_client_ack(&client, VU_SET_FEATURES, &client.accepted, 8,
						    NULL, 0));
		for (i = 0; good && i < 2; i++)
			good = HOLDS(vu_client_start(&client, i, (uint32_t)base[i]));
	}
	good = good && netd_loop_works(&client, 0, 100);
	end();
	return good;
}

static bool paused(void)
{
	return paused_with(PVROM_VQ_F_EVENT_IDX) && paused_with(PVROM_NET_F_MRG_RXBUF) &&
	       paused_with(PVROM_VQ_F_RING_PACKED);
}

/* Not resting, and resting at once. */
static bool polling(void)
{
	static const char *const how[] = { "--poll-us=forever", "--poll-us=0" };
	char text[400];
	bool good = true;
	size_t i;

	for (i = 0; good && i < 2; i++) {
		snprintf(text, sizeof(text), "socket=%s,loop", netd_path("card.socket"));
		server = netd_start(netd_path("card.log"), true, how[i], text);
		good = netd_connect(&client, netd_path("card.socket"), PVROM_VQ_F_EVENT_IDX, 2) &&
		       netd_loop_works(&client, 0, 200);
		end();
	}
	return good;
}

/* ---- offloads ------------------------------------------------------------------------------------------ */

#define SEND                                                                                       \
	(PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN | \
	 PVROM_NET_F_HOST_USO)
#define TAKE                                                                                       \
	(PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |                \
	 PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6)
static uint8_t payload[2048], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM];
static uint64_t seed = 3;

static bool one_asking(uint64_t features)
{
	struct frame_plan plan, s;
	struct pvrom_net_header h;
	uint32_t at, n, part, size = 300 + oracle_random(&seed, 300), bytes;
	size_t len;

	oracle_draw(&plan, &seed);
	bytes = 1 + oracle_random(&seed, 1400);
	h = oracle_header(&plan, (uint16_t)size);
	len = oracle_build_partial(&plan, payload, bytes, frame);
	if (len > 2000)
		return true;
	if (!HOLDS(net_client_send(&client, 0, &h, frame, (uint32_t)len)))
		return false;
	if (features & PVROM_NET_F_GUEST_CSUM)
		return HOLDS(netd_gets(&client, 0, frame, (uint32_t)len, PATIENCE));
	for (at = 0, n = 0; at < bytes; at += part, n++) {
		part = bytes - at < size ? bytes - at : size;
		s = oracle_segment(&plan, n, at, at + part == bytes);
		len = oracle_build(&s, payload + at, part, want);
		if (!HOLDS(netd_gets(&client, 0, want, (uint32_t)len, PATIENCE)))
			return false;
	}
	return true;
}

static bool offloads(void)
{
	static const uint64_t ring[] = { 0, PVROM_VQ_F_RING_PACKED };
	bool good = true;
	uint32_t i, n;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)oracle_random(&seed, 256);
	for (i = 0; good && i < 4; i++) {
		const uint64_t features = SEND | (i & 2 ? TAKE : 0) | ring[i & 1];

		good = serve("loop", features, 2) && HOLDS((client.accepted & SEND) == SEND);
		for (n = 0; good && n < 200; n++)
			good = one_asking(features);
		end();
	}
	return good;
}

static bool withheld(void)
{
	bool good = serve("loop,without=tso+mergeable+packed", SEND | PVROM_NET_F_MRG_RXBUF, 2);

	good = good && HOLDS(!(client.offered & (PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6))) &&
	       HOLDS(!(client.offered & PVROM_NET_F_MRG_RXBUF)) &&
	       HOLDS(client.offered & PVROM_NET_F_HOST_USO) &&
	       HOLDS(!(client.offered & PVROM_VQ_F_RING_PACKED));
	end();
	return good;
}

/* ---- queues and commands ------------------------------------------------------------------------------- */

static bool enable(uint32_t queue, bool on)
{
	const struct vu_vring_state s = { queue, on };

	return vu_client_ack(&client, VU_SET_VRING_ENABLE, &s, sizeof(s), NULL, 0) == 0;
}

/* How many of 200 flows come to each of two pairs. */
static bool spread(uint32_t came[2])
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_header h;
	struct frame_plan plan;
	uint32_t i, pair, n;
	size_t len;

	came[0] = came[1] = 0;
	for (i = 0; i < 200; i++) {
		do
			oracle_draw(&plan, &seed);
		while (plan.vlans || plan.extensions);
		len = oracle_build(&plan, payload, 100, frame);
		if (!net_client_send(&client, 0, &plain, frame, (uint32_t)len))
			return false;
		for (n = 0; n < (uint32_t)PATIENCE; n++) {
			pair = n & 1;
			if (net_client_take(&client, pair, &h, want, sizeof(want), 1) == len)
				break;
		}
		if (n == (uint32_t)PATIENCE)
			return false;
		came[pair]++;
	}
	return true;
}

/* Without a control queue a front end says by enabling rings which pairs its driver uses. */
static bool pairs_by_enabling(void)
{
	uint32_t came[2];
	uint64_t pairs = 0;
	bool good = serve("loop,queues=8", 0, 4);

	good = good &&
	       HOLDS(vu_client_message(&client, VU_GET_QUEUE_NUM, NULL, 0, NULL, 0, &pairs, NULL) ==
		     8) &&
	       HOLDS(pairs == 8) && HOLDS(spread(came)) && HOLDS(came[0] > 20 && came[1] > 20) &&
	       HOLDS(enable(2, false)) && HOLDS(spread(came)) && HOLDS(came[1] == 0) &&
	       HOLDS(enable(2, true)) && HOLDS(spread(came)) && HOLDS(came[1] > 20);
	end();
	return good;
}

static bool commands(void)
{
	static const uint8_t mine[6] = { 2, 0, 0, 0, 0, 1 };
	const struct pvrom_net_header plain = { 0 };
	const uint8_t off = 0, on = 1;
	bool good = serve("loop,mac=02:00:00:00:00:01",
			  PVROM_NET_F_CTRL_VQ | PVROM_NET_F_CTRL_RX | PVROM_NET_F_MAC, 3);

	good = good && HOLDS(net_client_command(&client, 2, 0, 0, &off, 1) == 0) &&
	       HOLDS(!memcmp(&client.config, mine, 6));
	netd_frame(frame, 100, 9, 2); /* to another */
	good = good && HOLDS(net_client_send(&client, 0, &plain, frame, 100)) &&
	       HOLDS(!netd_gets(&client, 0, frame, 100, 100));
	netd_frame(frame, 100, 1, 2);
	good = good && HOLDS(net_client_send(&client, 0, &plain, frame, 100)) &&
	       HOLDS(netd_gets(&client, 0, frame, 100, PATIENCE)) &&
	       HOLDS(net_client_command(&client, 2, 0, 0, &on, 1) == 0);
	netd_frame(frame, 100, 9, 2);
	good = good && HOLDS(net_client_send(&client, 0, &plain, frame, 100)) &&
	       HOLDS(netd_gets(&client, 0, frame, 100, PATIENCE)) &&
	       HOLDS(net_client_command(&client, 2, 0, 77, &on, 1) == 1);
	end();
	return good;
}

static bool mtu_message(void)
{
	const uint64_t large = 9000, fits = 1400, tiny = 10;
	struct pvrom_net_config config;
	bool good = serve("user", PVROM_NET_F_MTU, 2);

	good = good && HOLDS(client.accepted_protocol & VU_PROTOCOL_NET_MTU) &&
	       HOLDS(vu_client_ack(&client, VU_NET_SET_MTU, &fits, 8, NULL, 0) == 0) &&
	       HOLDS(vu_client_ack(&client, VU_NET_SET_MTU, &large, 8, NULL, 0) == 1) &&
	       HOLDS(vu_client_ack(&client, VU_NET_SET_MTU, &tiny, 8, NULL, 0) == 1) &&
	       HOLDS(netd_config(&client, &config)) && HOLDS(config.mtu == 1500) &&
	       HOLDS(file_says(netd_path("card.log"), "wants an MTU of 9000; user carries 1500",
			       PATIENCE));
	end();
	return good;
}

/* A driver that gives no buffers: frames wait, and come when it does. */
static bool starved(void)
{
	const struct pvrom_net_header plain = { 0 };
	uint8_t frames[3][100];
	uint32_t i;
	bool good = serve("loop", PVROM_VQ_F_EVENT_IDX, 2);
	struct pvrom_net_header h;

	/* Use up all buffers without giving any back. */
	for (i = 0; good && i < 128 + 3; i++) {
		netd_frame(frames[i < 128 ? 0 : i - 128], 100, 1, 2);
		good = HOLDS(
			net_client_send(&client, 0, &plain, frames[i < 128 ? 0 : i - 128], 100));
		usleep(200);
	}
	usleep(50000);
	/* They are given back 128 at once, and rung for once. */
	for (i = 0; good && i < 128; i++) {
		struct pvrom_vq_done done;

		good = HOLDS(pvrom_vq_driver_get(&client.queue[0].vq, &done) == PVROM_VQ_OK);
		if (good)
			((struct vu_client_request *)done.token)->busy = false;
	}
	net_client_give(&client, 0);
	for (i = 0; good && i < 3; i++)
		good = HOLDS(netd_gets(&client, 0, frames[i], 100, PATIENCE));
	good = good && HOLDS(!net_client_take(&client, 0, &h, frame, sizeof(frame), 20));
	end();
	return good;
}

/* The same, and then one buffer at a time: each has to be rung for. */
static bool starved_again_with(uint64_t features)
{
	const struct pvrom_net_header plain = { 0 };
	struct vu_client_request *buffer[128];
	struct pvrom_vq_done done;
	uint8_t frames[6][100];
	bool good = serve("loop", features, 2);
	uint32_t i;

	for (i = 0; good && i < 128 + 6; i++) {
		uint8_t *const f = frames[i < 128 ? 0 : i - 128];

		netd_frame(f, 100, 1, 2);
		good = HOLDS(net_client_send(&client, 0, &plain, f, 100));
		usleep(200);
	}
	usleep(50000);
	for (i = 0; good && i < 128; i++) {
		good = HOLDS(pvrom_vq_driver_get(&client.queue[0].vq, &done) == PVROM_VQ_OK);
		buffer[i] = good ? done.token : NULL;
	}
	if (good) {
		buffer[0]->busy = false;
		net_client_give(&client, 0);
	}
	for (i = 0; good && i < 6; i++) {
		usleep(10000); /* it rests */
		good = HOLDS(netd_gets(&client, 0, frames[i], 100, PATIENCE));
	}
	end();
	return good;
}

static bool starved_again(void)
{
	return starved_again_with(PVROM_VQ_F_EVENT_IDX) &&
	       starved_again_with(PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_RING_PACKED);
}

/* A ring that is broken costs its own card; another one goes on. */
static bool broken_ring(void)
{
	struct vu_client other;
	char first[300], second[300];
	struct pvrom_vq_avail *avail;
	const uint64_t one = 1;
	bool good;

	snprintf(first, sizeof(first), "socket=%s,loop", netd_path("card.socket"));
	snprintf(second, sizeof(second), "socket=%s,loop", netd_path("other.socket"));
	server = netd_start(netd_path("card.log"), true, first, second);
	good = netd_connect(&client, netd_path("card.socket"), 0, 2) &&
	       netd_connect(&other, netd_path("other.socket"), 0, 2) &&
	       netd_loop_works(&client, 0, 5) && netd_loop_works(&other, 0, 5);
	avail = client.queue[1].driver;
	if (good) {
		avail->idx = (uint16_t)(avail->idx + 1000);
		good = HOLDS(write(client.queue[1].kick, &one, 8) == 8);
	}
	good = good && HOLDS(file_says(netd_path("card.log"), "queue 1 is broken", PATIENCE)) &&
	       netd_loop_works(&other, 0, 50);
	vu_client_close(&other);
	end();
	return good;
}

/* A ring whose position cannot be does not start, and no frame is steered to what is left of it. */
static bool ring_that_cannot_start(void)
{
	const uint16_t two = 2;
	uint32_t came[2] = { 0 };
	bool good = serve("loop,queues=2",
			  PVROM_VQ_F_RING_PACKED | PVROM_NET_F_CTRL_VQ | PVROM_NET_F_MQ, 5);

	good = good &&
	       HOLDS(net_client_command(&client, 4, PVROM_NET_CTRL_MQ,
					PVROM_NET_CTRL_MQ_VQ_PAIRS_SET, &two, 2) == 0) &&
	       HOLDS(spread(came)) && HOLDS(came[1] > 20) &&
	       HOLDS(vu_client_stop(&client, 2) >= 0) &&
	       HOLDS(!vu_client_start(&client, 2, 0x7fff7fff)) && HOLDS(spread(came)) &&
	       HOLDS(came[0] == 200);
	end();
	return good;
}

const struct netd_case netd_card_cases[] = {
	{ "rings: split, packed, in order, with event indices and tables", rings, { NULL } },
	{ "rings: stopped, and started where they stood", stopped, { NULL } },
	{ "rings: a pause as QEMU 7.2 makes it", paused, { "STATUS_BASE" } },
	{ "rings: a server that never rests, and one that always does", polling, { NULL } },
	{ "offloads: asked for, taken, and done in software, over both kinds of ring",
	  offloads,
	  { NULL } },
	{ "features are withheld by name", withheld, { "NETD_WITHHOLD" } },
	{ "pairs are those whose rings are enabled", pairs_by_enabling, { "NETD_PAIRS" } },
	{ "commands of the control queue", commands, { NULL } },
	{ "an MTU that the front end agreed on", mtu_message, { "NETD_MTU" } },
	{ "a driver without buffers is waited for", starved, { "NETD_LISTEN" } },
	{ "a driver that gives one buffer at a time is waited for each time",
	  starved_again,
	  { "NETD_LISTEN_ONCE" } },
	{ "a broken ring does no harm to other cards", broken_ring, { NULL } },
	{ "a ring that cannot start gets no frames", ring_that_cannot_start, { NULL } },
	{ NULL, NULL, { NULL } },
};
