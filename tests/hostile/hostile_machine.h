/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine for the host handler, made of arrays: guest memory with holes, seams and racing writers,
 * and callbacks that check what the handler asks of an embedder.
 *
 *	0x00000000000000000  3 pages
 *	0x00000000000003000  a hole
 *	0x00000000000005000  1 page, and behind a seam (contiguous for the guest, not here)
 *	0x00000000000006000  1 page
 *	0x00000000100000000  1 page
 *	0x0fffffffffffff000  1 page, the last that an address reaches
 */
#ifndef TESTS_HOSTILE_MACHINE_H
#define TESTS_HOSTILE_MACHINE_H

#include <pvrom/host.h>

#include "hostile.h"

#define WORLD_VCPUS 3
#define WORLD_PAGE 0x1000
#define WORLD_PAGES 7
#define WORLD_REGIONS 5
#define WORLD_ROM_GPA 0xfff00000u
#define WORLD_TRANSPORT_PORT 0xe4

/* A range of guest memory. */
struct range {
	uint64_t gpa, len;
};

struct world {
	struct pvrom_host host;
	struct pvrom_host_vcpu vcpu[WORLD_VCPUS];
	struct pvrom_host_ops ops;
	struct pvrom_host_config config;
	/* One allocation a region, so that a sanitizer knows where it ends. */
	uint8_t *memory[WORLD_REGIONS];
	uint8_t before[WORLD_PAGES * WORLD_PAGE]; /* as it was when world_watch() was called */
	/* The racing writer: so many calls of translate from now, write there. */
	uint32_t race_in;
	uint8_t race_byte;
	uint16_t race_at;
	struct range last; /* what was translated last */
	uint32_t translations;
	int locked;
	bool others_run;
	/* What the handler asked for since world_watch(). */
	uint32_t events, eois, alarms_set, alarms_cancelled, starts, kicks, logs, resets, parks;
	uint32_t sends, routes, masks;
	uint64_t sent_mask;
	bool alarm_running[WORLD_VCPUS];
	uint8_t status; /* what callbacks with a status answer */
};

/* The configuration that all targets begin with: every feature of the core, port transport. */
void world_init(struct world *world);
/* Sets the machine up (again), with world->config, and builds its ROM. */
void world_start(struct world *world);
void world_end(struct world *world);

/* Where guest memory lies here; NULL if there is none, or not in one piece. */
uint8_t *world_at(struct world *world, uint64_t gpa, uint64_t len);
/* Guest memory as a guest writes it: what does not fit is left out. */
void world_poke(struct world *world, uint64_t gpa, const void *bytes, size_t size);
void world_peek(struct world *world, uint64_t gpa, void *bytes, size_t size);

/* Notes how memory is now, and forgets what the handler asked for. */
void world_watch(struct world *world);
/* PROMISE: since then only bytes in one of the ranges have changed, and the lock is free. */
void world_check(struct world *world, const struct range *allowed, uint32_t count);

/* An address that is interesting: near an end, a seam or the end of all numbers, or any. */
uint64_t take_gpa(struct input *in);
/* A number that is small, a power of two, a gpa or anything. */
uint64_t take_word(struct input *in);

#endif
