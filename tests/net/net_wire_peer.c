/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The other end of the reference kernel's wire, under QEMU's dgram netdev: frames over a pair of Unix sockets. It
 * pings the kernel, throws frames at it that make no sense, pings it again, and fetches its page.
 *
 *	net_wire_peer OUR-SOCKET QEMU-SOCKET
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "../../kernel/net/stack_internal.h"
#include "../../kernel/net/stack_page.h"

#define KERNEL 0x0a000302u
#define HOSTILE 3000u /* frames */
#define BATCH 50u     /* of these between looks at what came: a socket holds about 200 */
#define SECONDS 200

static struct stack s;
static struct sockaddr_un to = { .sun_family = AF_UNIX };
static int fd;
static uint8_t last[2000]; /* the frame that was sent last */
static uint32_t last_len, tests, failures;
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- the wire ------------------------------------------------------------------------------------------ */

/* QEMU may not be there yet, or its buffer be full: frames are lost on wires. */
static bool put(const uint8_t *bytes, uint32_t len)
{
	return sendto(fd, bytes, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) == len;
}

static bool transmit(void *ctx, const struct pvrom_net_header *header, const uint8_t *frame,
		     uint32_t len)
{
	(void)ctx;
	(void)header;
	if (len <= sizeof(last)) {
		memcpy(last, frame, len);
		last_len = len;
	}
	return put(frame, len);
}

/* Takes what comes within so many ms. */
static void turn(int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static uint8_t frame[70000];

	while (poll(&p, 1, ms) > 0) {
		const ssize_t len = recv(fd, frame, sizeof(frame), 0);

		if (len > 0)
			stack_input(&s, frame, (uint32_t)len, false);
		ms = 0;
	}
	stack_tick(&s, now_ms());
}

static void say(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
	fflush(stdout);
	failures += !good;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static bool ping(uint16_t sequence, uint32_t len)
{
	const uint64_t end = now_ms() + SECONDS * 1000;
	uint64_t again = 0;

	s.ponged = false;
	do {
		if (now_ms() >= again) {
			stack_ping(&s, KERNEL, sequence, len);
			again = now_ms() + 500;
		}
		turn(10);
	} while (!(s.ponged && s.pong == sequence) && now_ms() < end);
	return s.ponged && s.pong == sequence;
}

static void pings(const char *when)
{
	char text[100];
	uint32_t len;
	bool good = true;

	for (len = 0; len <= 1472; len += 184)
		good = good && ping((uint16_t)(len + 1), len);
	snprintf(text, sizeof(text), "the kernel answers echo requests of 0 to 1472 bytes %s",
		 when);
	say(good, text);
}

static void fetch(void)
{
	const uint64_t end = now_ms() + SECONDS * 1000;
	struct page_fetch f = { 0 };

	while (!page_fetch(&s, &f, KERNEL, 80) && now_ms() < end)
		turn(10);
	while (!f.done && now_ms() < end)
		turn(10);
	say(f.good, "its page arrives, byte for byte");
}

/* ---- nonsense ------------------------------------------------------------------------------------------- */

/* Sums of headers put right again, so that what is behind them is looked at. */
static void mend(uint8_t *frame, uint32_t len)
{
	if (len < 34 || get16(frame + 12) != 0x0800)
		return;
	put16(frame + 16, len - 14);
	put16(frame + 24, 0);
	put16(frame + 24, stack_fold(stack_sum(0, frame + 14, 20)));
}

/* A frame like one of ours, of another length, with a few bytes changed. */
static void throw_one(void)
{
	uint8_t frame[sizeof(last)];
	uint32_t len = last_len, n;

	memcpy(frame, last, len);
	if (draw(3) == 0)
		len = 1 + draw(len);
	for (n = draw(6); n; n--)
		frame[6 + draw(len > 6 ? len - 6 : 1)] = (uint8_t)draw(256);
	if (draw(2))
		mend(frame, len);
	put(frame, len);
}

static void throw_all(void)
{
	struct page_fetch f;
	uint32_t i;

	for (i = 0; i < HOSTILE; i++) {
		switch (draw(4)) {
		case 0: stack_announce(&s); break;
		case 1: stack_ping(&s, KERNEL, (uint16_t)i, draw(600)); break;
		case 2:
			memset(s.tcp, 0, sizeof(s.tcp));
			page_fetch(&s, &f, KERNEL, 80);
			break;
		default: break;
		}
		throw_one();
		if (i % BATCH == 0)
			turn(1);
	}
	memset(s.tcp, 0, sizeof(s.tcp));
	turn(100);
	say(true, "3000 frames that make no sense were thrown at it");
}

int main(int argc, char **argv)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 3, 1 };
	const struct stack_link link = { NULL, transmit, false, false };
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (argc != 3)
		errx(2, "usage: net_wire_peer OUR-SOCKET QEMU-SOCKET");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", argv[2]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(2, "%s", argv[1]);
	stack_init(&s, &link, mac, 1500, now_ms());
	s.address = 0x0a000301;
	s.mask = 0xffffff00;
	s.now = now_ms();
	pings("at first");
	throw_all();
	memset(s.neighbour, 0, sizeof(s.neighbour));
	pings("afterwards");
	fetch();
	return failures != 0;
}
