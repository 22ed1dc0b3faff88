/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Runs of a queue with every combination of features: the machine, where a run stands, and its turns.
 */
#ifndef RING_RUN_H
#define RING_RUN_H

#include "ring_world.h"

#define COMBINATIONS 32u /* of packed, tables, event index, in order and notification data */

#define OUT_MAX 64u

struct run {
	uint32_t next;	 /* number of the next buffer */
	uint32_t got;	 /* came back */
	uint32_t popped; /* seen by the device */
	uint32_t published;
	uint32_t out; /* popped and not completed */
	uint32_t put_back, in_bursts;
	uint32_t asleep_device, asleep_driver;
	uint32_t turn;
	bool device_sleeps, driver_sleeps;
	bool kick, interrupt;
	bool plain; /* each buffer is one descriptor */
	struct pvrom_vq_request request[OUT_MAX];
	uint8_t state[1u << 20]; /* 0 not added, 1 in flight, 2 back */
};

extern struct ring_world world;
extern struct run run;
extern uint64_t seed; /* of all that a run does at random */

/* Features, VERSION_1 among them, by a number below COMBINATIONS. */
uint64_t combination(uint32_t n);
/* A request with room for RING_PIECES pieces, which all requests share. */
struct pvrom_vq_request request(void);

/* A new world, and a run at its beginning. */
void begin(uint64_t features, uint32_t size, bool record);
/* Turns of driver and device until `count` buffers have come back; ends the test if they do not. */
void go(uint32_t count);
/* The driver's part of a turn. */
void driver_adds(void);

#endif
