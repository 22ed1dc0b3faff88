/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One run of 4 KiB random reads against any vhost-user server of a disk, and what it cost on both sides.
 *
 *	blk_turns SOCKET polled|eventfd DEPTH MILLISECONDS SERVER_PID
 *
 * Prints nanoseconds a request; the server's CPU time a request, ns; notifications a request; interrupts a
 * request; the median time of one request, ns.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../vhost-user/client/vu_client.h"

#define BLOCK 4096u
#define TIMES 65536u /* of the newest requests are kept for the median */

struct run {
	struct vu_client client;
	bool polled;
	uint32_t depth, in_flight;
	uint64_t blocks, seed, done, sleeps;
	struct vu_client_request *stack[256];
	uint32_t free;
	uint32_t took[TIMES];
};

static uint64_t draw(struct run *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return r->seed;
}

static void fill(struct run *r)
{
	while (r->free) {
		struct vu_client_request *one = r->stack[r->free - 1];

		if (!blk_client_submit(&r->client, 0, one, PVROM_BLK_T_IN,
				       draw(r) % r->blocks * (BLOCK / PVROM_BLK_SECTOR), BLOCK))
			break;
		r->free--;
		r->in_flight++;
	}
	blk_client_publish(&r->client, 0);
}

static bool take(struct run *r)
{
	const uint64_t now = r->depth == 1 ? vu_client_now() : 0;
	struct vu_client_request *one;
	bool any = false;

	while ((one = blk_client_done(&r->client, 0)) != NULL) {
		if (*one->status != PVROM_BLK_S_OK) {
			fprintf(stderr, "blk_turns: status %u\n", *one->status);
			exit(1);
		}
		if (r->depth == 1)
			r->took[r->done % TIMES] = (uint32_t)(now - one->began);
		r->stack[r->free++] = one;
		r->in_flight--;
		r->done++;
		any = true;
	}
	return any;
}

/* Three quarters of what is in flight are worth an interrupt: then there is something to refill with. */
static void sleep_for_interrupt(struct run *r)
{
	const uint32_t after = r->in_flight > 4 ? r->in_flight * 3 / 4 : 1;
	struct pollfd p = { .fd = r->client.queue[0].call, .events = POLLIN };
	uint64_t count;

	if (pvrom_vq_driver_interrupts_on(&r->client.queue[0].vq, after))
		return;
	r->sleeps++;
	if (poll(&p, 1, 1000) == 1 && read(p.fd, &count, sizeof(count)) == sizeof(count))
		r->client.queue[0].interrupts += count;
}

static void drive(struct run *r, uint64_t until)
{
	do {
		fill(r);
		if (!take(r)) {
			if (r->polled)
				__builtin_ia32_pause();
			else
				sleep_for_interrupt(r);
		}
	} while ((r->done & 0xff) || vu_client_now() < until);
}

static uint64_t cpu_of(pid_t pid)
{
	struct timespec t = { 0, 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t median(struct run *r)
{
	const uint64_t n = r->done < TIMES ? r->done : TIMES;

	qsort(r->took, n, sizeof(r->took[0]), by_size);
	return n ? r->took[n / 2] : 0;
}

static bool start(struct run *r, char **argv)
{
	uint32_t i;

	r->polled = !strcmp(argv[2], "polled");
	r->depth = (uint32_t)strtoul(argv[3], NULL, 10);
	r->seed = 88172645463325252u;
	r->client = (struct vu_client){ .path = argv[1],
					.features = PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_EVENT_IDX |
						    PVROM_VQ_F_INDIRECT_DESC | PVROM_BLK_F_FLUSH,
					.protocol = VU_PROTOCOL_CONFIG | VU_PROTOCOL_REPLY_ACK |
						    VU_PROTOCOL_MQ,
					.queues = 1,
					.size = 256,
					.depth = r->depth,
					.data_bytes = BLOCK };
	if (r->depth < 1 || r->depth > 64 || !vu_client_open(&r->client) ||
	    !vu_client_connect(&r->client, 10000)) {
		fprintf(stderr, "blk_turns: %s: no connection (%s)\n", argv[1],
			r->client.what ? r->client.what : "memory");
		return false;
	}
	r->blocks = r->client.config.capacity / (BLOCK / PVROM_BLK_SECTOR);
	for (i = 0; i < r->depth; i++)
		r->stack[r->free++] = blk_client_free(&r->client, 0) + i;
	if (r->polled)
		pvrom_vq_driver_interrupts_off(&r->client.queue[0].vq);
	return r->blocks > 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	uint64_t begin, cpu, time, n, ms;
	pid_t pid;

	if (argc != 6 || !start(&r, argv))
		return 1;
	ms = strtoull(argv[4], NULL, 10);
	pid = (pid_t)strtol(argv[5], NULL, 10);
	/* Both sides warm before anything counts. */
	drive(&r, vu_client_now() + ms * 100000);
	r.done = r.client.queue[0].kicks = r.client.queue[0].interrupts = 0;
	cpu = cpu_of(pid);
	begin = vu_client_now();
	drive(&r, begin + ms * 1000000);
	time = vu_client_now() - begin;
	cpu = cpu_of(pid) - cpu;
	n = r.done;
	printf("%.1f %.1f %.5f %.5f %u\n", (double)time / (double)n, (double)cpu / (double)n,
	       (double)r.client.queue[0].kicks / (double)n,
	       (double)r.client.queue[0].interrupts / (double)n, median(&r));
	while (r.in_flight && take(&r))
		;
	vu_client_close(&r.client);
	return 0;
}
