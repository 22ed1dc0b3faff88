/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The ring alone: a driver and a device in two threads, each on a CPU of its own, polling.
 *
 *	ring_turns split|packed COUNT [AT-ONCE [burst]]
 *
 * The work is that of Linux's tools/virtio/ringtest: a ring of 256, one piece a buffer, as many in flight
 * as fit, each taken by the device and given back, COUNT times. Either side goes on to the other's work, and
 * publishes its own, after AT-ONCE buffers (64) or when there are no more. The device makes a request of each buffer
 * (pop and complete, what disks do), or with `burst` looks at AT-ONCE of them together (pvrom_vq_device_burst(), what
 * network cards do with buffers of one piece). Memory is the process's own, its translation a bounds check. Prints nothing,
 * as ringtest: who starts it takes the time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/virtqueue_device.h>
#include <pvrom/virtqueue_driver.h>

#define SIZE 256u
#define BASE 0x100000ull
#define BYTES 0x40000u

/* Shared by both: a page each, so that neither's areas lie in the other's cache lines. */
static uint8_t memory[BYTES] __attribute__((aligned(4096)));
static struct pvrom_vq_driver driver __attribute__((aligned(4096)));
static struct pvrom_vq_driver_slot driver_slots[SIZE] __attribute__((aligned(4096)));
static struct pvrom_vq_device device __attribute__((aligned(4096)));
static struct pvrom_vq_device_slot device_slots[SIZE] __attribute__((aligned(4096)));
static uint32_t at_once = 64;
static bool burst;
static uint32_t total __attribute__((aligned(4096)));

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	uint64_t offset = gpa.gpa - BASE;

	(void)ctx;
	if (offset >= BYTES)
		return NULL;
	if (*len > BYTES - offset)
		*len = BYTES - offset;
	return memory + offset;
}

static void run_on(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *drive(void *unused)
{
	struct pvrom_vq_buf buf = { .addr = BASE + 0x20000, .len = 64 };
	uint32_t started = 0, completed = 0, i;
	struct pvrom_vq_done done;

	run_on(0);
	pvrom_vq_driver_interrupts_off(&driver);
	while (completed < total) {
		for (i = 0; i < at_once && started < total; i++, started++)
			if (pvrom_vq_driver_add(&driver, &buf, 0, 1, &driver))
				break;
		pvrom_vq_driver_publish(&driver);
		for (i = 0; i < at_once && !pvrom_vq_driver_get(&driver, &done); i++)
			completed++;
	}
	return unused;
}

/* Takes what there is, at most at_once, and gives it back. */
static uint32_t turn_burst(void)
{
	static struct pvrom_vq_plain plain[SIZE];
	const uint32_t count = pvrom_vq_device_burst(&device, plain, at_once);
	uint32_t i;

	for (i = 0; i < count; i++)
		plain[i].written = plain[i].len;
	if (count)
		pvrom_vq_device_burst_done(&device, plain, count);
	return count;
}

static uint32_t turn_pop(void)
{
	struct pvrom_vq_piece piece[4];
	struct pvrom_vq_request request = { .piece = piece, .room = 4 };
	uint32_t i;

	for (i = 0; i < at_once && !pvrom_vq_device_pop(&device, &request); i++)
		pvrom_vq_device_complete(&device, &request, request.writable);
	return i;
}

static void *serve(void *unused)
{
	uint32_t completed = 0;

	run_on(1);
	pvrom_vq_device_notifications_off(&device);
	while (completed < total) {
		completed += burst ? turn_burst() : turn_pop();
		pvrom_vq_device_publish(&device);
	}
	return unused;
}

static void setup(uint64_t features)
{
	static const struct pvrom_vq_device_ops ops = { .translate = translate };
	struct pvrom_vq_driver_config dr = { .features = features,
					     .size = SIZE,
					     .desc = memory,
					     .driver = memory + 0x8000,
					     .device = memory + 0x10000,
					     .slots = driver_slots };
	struct pvrom_vq_device_config de = { .ops = &ops,
					     .features = features,
					     .size = SIZE,
					     .desc = { BASE },
					     .driver = { BASE + 0x8000 },
					     .device = { BASE + 0x10000 },
					     .slots = device_slots };

	if (pvrom_vq_driver_init(&driver, &dr) || pvrom_vq_device_init(&device, &de)) {
		fprintf(stderr, "ring_turns: refused\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	uint64_t features = PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_EVENT_IDX;
	pthread_t thread[2];

	if (argc < 3 || (argc > 4 && strcmp(argv[4], "burst"))) {
		fprintf(stderr, "usage: ring_turns split|packed COUNT [AT-ONCE [burst]]\n");
		return 2;
	}
	if (!strcmp(argv[1], "packed"))
		features |= PVROM_VQ_F_RING_PACKED;
	if (argc > 3)
		at_once = (uint32_t)strtoul(argv[3], NULL, 0);
	if (at_once < 1 || at_once > SIZE)
		return 2;
	burst = argc > 4;
	total = (uint32_t)strtoul(argv[2], NULL, 0);
	setup(features);
	if (pthread_create(&thread[0], NULL, drive, NULL) ||
	    pthread_create(&thread[1], NULL, serve, NULL))
		return 1;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	return 0;
}
