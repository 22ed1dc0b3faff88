/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Between what is drawn (host_random_draw.c) and what must come out of it (host_random.c). */
#ifndef TESTS_HOST_RANDOM_H
#define TESTS_HOST_RANDOM_H

#include "host_world.h"

#define VCPUS 4
/* Of the device bus. */
#define DEVICES 2
#define QUEUES 3
#define BELL UINT64_C(0x700001234)

#define EVERYTHING (ALL_FEATURES | FEATURE(CLOCK) | FEATURE(DEV) | FEATURE(BLK))

/* The number in the last line, which stands for all that are no calls. */
#define NO_CALL 0xffffffff

struct random_call {
	uint32_t number, properties;
	const char *name;
};

#define ONE(...) +1
enum { CALLS = 1 PVROM_CALL_TABLE(ONE) };
extern const struct random_call calls[CALLS];

/* The numbers behind begin with this. */
void random_from(uint64_t seed);
uint64_t random64(void);
/* 0 to n - 1. */
uint32_t below(uint32_t n);
/* True once in n times. */
bool once_in(uint32_t n);
/* Of any length in bits. */
uint64_t wild(void);

/* The number that line LINE of the calls stands for. */
uint32_t draw_number(uint32_t line);
/* Arguments of CALL, and what it shall find in memory. */
void draw_arguments(struct world *w, uint32_t call, uint64_t arg[4]);

#endif
