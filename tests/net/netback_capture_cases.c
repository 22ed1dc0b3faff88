/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Captures, read back by a reader of pcapng of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netback_cases.h"

#define PACKETS 64u

struct packet {
	uint32_t kept, len, direction;
	char comment[128];
	const uint8_t *bytes;
};
static struct packet packet[PACKETS];
static uint32_t packets, snap;
static uint8_t *file;
static char path[300], words[400];

/* ---- the reader ---------------------------------------------------------------------------------------- */

static uint32_t word(size_t at)
{
	uint32_t w;

	memcpy(&w, file + at, sizeof(w));
	return w;
}

static bool read_options(size_t at, size_t end, struct packet *p)
{
	while (at + 4 <= end && word(at)) {
		const uint32_t code = word(at) & 0xffff, len = word(at) >> 16;

		if (at + 4 + len > end)
			return false;
		if (code == 1 && len < sizeof(p->comment))
			memcpy(p->comment, file + at + 4, len);
		if (code == 2)
			p->direction = word(at + 4);
		at += 4 + ((len + 3) & ~3u);
	}
	return at + 4 == end;
}

static bool read_packet(size_t at, size_t end)
{
	struct packet *p = &packet[packets++];

	*p = (struct packet){ .kept = word(at + 20),
			      .len = word(at + 24),
			      .bytes = file + at + 28 };
	return !word(at + 8) && p->kept <= p->len &&
	       read_options(at + 28 + ((p->kept + 3) & ~3u), end - 4, p);
}

static bool read_block(size_t at, size_t end, uint32_t index)
{
	switch (word(at)) {
	case 0x0a0d0d0a: return !index && word(at + 8) == 0x1a2b3c4d && word(at + 12) == 1;
	case 1: snap = word(at + 12); return index == 1 && word(at + 8) == 1;
	case 6: return index > 1 && packets < PACKETS && read_packet(at, end);
	default: return false;
	}
}

/* All of it must make sense. */
static bool read_capture(const char *name)
{
	FILE *f = fopen(name, "rb");
	size_t size, at, len;
	uint32_t index = 0;
	bool good = true;

	packets = 0;
	free(file);
	file = malloc(1 << 20);
	if (!f)
		return false;
	size = fread(file, 1, 1 << 20, f);
	fclose(f);
	for (at = 0; good && at + 12 <= size; at += len) {
		len = word(at + 4);
		good = len >= 12 && !(len & 3) && at + len <= size && word(at + len - 4) == len &&
		       read_block(at, at + len, index++);
		if (!good)
			break;
	}
	return good && at == size && index >= 2;
}

/* ---- the cases ----------------------------------------------------------------------------------------- */

static struct pvrom_net_backend *backend;
static struct net_world *world;

static bool open_capture(const char *more)
{
	snprintf(path, sizeof(path), "%s/capture.pcapng", netback_directory);
	snprintf(words, sizeof(words), "loop,pcap=%s%s", path, more);
	backend = netback_open(words);
	world = HOLDS(backend) ? net_world_open_on(backend, 1, 0, SPLIT) : NULL;
	return HOLDS(world);
}

static void close_capture(void)
{
	if (world)
		net_world_close(world);
	pvrom_net_backend_close(backend);
}

static bool through(const struct pvrom_net_header *h, const uint8_t *frame, size_t len)
{
	netback_give(world, 0);
	return HOLDS(net_world_send(world, 0, h, frame, len, 500)) &&
	       HOLDS(netback_take(world, backend, 0, 0));
}

static bool both_ways(void)
{
	const struct pvrom_net_header plain = { 0 };
	bool good = open_capture(",pcap-snap=100");

	good = good && through(&plain, netback_payload, 60) &&
	       through(&plain, netback_payload, 1333);
	close_capture();
	good = good && HOLDS(read_capture(path)) && HOLDS(packets == 4) && HOLDS(snap == 100) &&
	       HOLDS(packet[0].direction == 2 && packet[1].direction == 1 &&
		     packet[3].direction == 1) &&
	       HOLDS(packet[0].len == 60 && packet[0].kept == 60) &&
	       HOLDS(packet[2].len == 1333 && packet[2].kept == 100) &&
	       HOLDS(packet[3].len == 1333 && packet[3].kept == 100) &&
	       HOLDS(!memcmp(packet[2].bytes, netback_payload, 100)) &&
	       HOLDS(!packet[0].comment[0]);
	return good;
}

static bool open_work(void)
{
	struct frame_plan plan;
	struct pvrom_net_header h;
	size_t len;
	bool good = open_capture("");

	do
		oracle_draw(&plan, &netback_seed);
	while (!plan.tcp || plan.ip != 4);
	h = oracle_header(&plan, 1448);
	len = oracle_build_partial(&plan, netback_payload, 5000, netback_frame);
	good = good && through(&h, netback_frame, len);
	close_capture();
	good = good && HOLDS(read_capture(path)) && HOLDS(packets == 2) &&
	       HOLDS(strstr(packet[0].comment, "checksum of ")) &&
	       HOLDS(strstr(packet[0].comment, "to be cut: tcp4")) &&
	       HOLDS(strstr(packet[0].comment, "segments of 1448")) &&
	       HOLDS(!strcmp(packet[0].comment, packet[1].comment)) &&
	       HOLDS(packet[0].len == len && !memcmp(packet[0].bytes, netback_frame, len));
	return good;
}

static off_t size_of(const char *suffix)
{
	char name[320];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) ? -1 : st.st_size;
}

/* Three files of 20 KB at most; the newest frame is in the newest file. */
static bool rotation(void)
{
	const struct pvrom_net_header plain = { 0 };
	char name[320];
	bool good;
	uint32_t i;

	snprintf(path, sizeof(path), "%s/capture.pcapng", netback_directory);
	for (i = 1; i < 4; i++) {
		snprintf(name, sizeof(name), "%s.%u", path, i);
		unlink(name);
	}
	good = open_capture(",pcap-size=20K,pcap-files=3");
	for (i = 0; good && i < 60; i++) {
		netback_payload[100] = (uint8_t)i;
		good = through(&plain, netback_payload, 1200);
	}
	close_capture();
	good = good && HOLDS(size_of("") > 0 && size_of("") <= 20480) &&
	       HOLDS(size_of(".1") > 10000 && size_of(".1") <= 20480) &&
	       HOLDS(size_of(".2") > 10000) && HOLDS(size_of(".3") < 0) &&
	       HOLDS(read_capture(path)) && HOLDS(packet[packets - 1].bytes[100] == 59);
	if (!good)
		return false;
	snprintf(name, sizeof(name), "%s.2", path);
	return HOLDS(read_capture(name));
}

/* A disk that is full ends the capture, with a sentence and a count, and nothing else. */
static bool full_disk(void)
{
	const struct pvrom_net_header plain = { 0 };
	struct pvrom_net_backend_counters c;
	const char *news;
	bool good = true, stalled;
	uint32_t i;

	backend = netback_open("loop,pcap=/dev/full");
	world = HOLDS(backend) ? net_world_open_on(backend, 1, 0, SPLIT) : NULL;
	good = HOLDS(world);
	for (i = 0; good && i < 20; i++) {
		good = through(&plain, netback_payload, 1200);
		pvrom_net_backend_receive(backend, &world->host, 0, 1, &stalled);
	}
	if (good) {
		news = pvrom_net_backend_news(backend);
		pvrom_net_backend_count(backend, &c);
		good = HOLDS(news && strstr(news, "No space left")) && HOLDS(c.capture_lost > 0) &&
		       HOLDS(!pvrom_net_backend_news(backend));
	}
	close_capture();
	return good;
}

const struct netback_case netback_capture_cases[] = {
	{ "capture: both directions, frames cut",
	  both_ways,
	  { "CAPTURE_DIRECTION", "CAPTURE_LENGTH", "CAPTURE_SNAP" } },
	{ "capture: what is still to be done to a frame is said",
	  open_work,
	  { "CAPTURE_COMMENT" } },
	{ "capture: files of a size, so many kept", rotation, { "CAPTURE_ROTATE" } },
	{ "capture: a full disk ends it alone", full_disk, { NULL } },
	{ NULL, NULL, { NULL } },
};
