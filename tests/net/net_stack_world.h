/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Two of the reference kernel's network stacks on a wire that loses, doubles, reorders and alters frames; and the cases
 * that stand apart.
 */
#ifndef TESTS_NET_STACK_WORLD_H
#define TESTS_NET_STACK_WORLD_H

#include "../../kernel/net/page_pattern.h"
#include "../../kernel/net/stack_internal.h"
#include "../../kernel/net/stack_page.h"
#include "../cunit_tap.h"

#define WIRE 256u

struct letter {
	uint8_t bytes[STACK_FRAME];
	uint32_t len;
	bool summed;
};

struct host {
	struct stack s;
	struct letter in[WIRE]; /* a ring of frames on their way here */
	uint32_t first, count;
	struct host *other;
};

extern struct host a, b;
extern uint64_t seed, now;
/* In 1,000: of each kind of bad luck. */
extern uint32_t lost, doubled, swapped, altered;
extern uint32_t lose_one; /* the so manieth long frame from now on; 0: none */
extern uint32_t cut, wrong_sums;
extern uint8_t last_dhcp[600];
extern uint32_t last_dhcp_len;

uint32_t draw(uint32_t below);
void open_hosts(bool offloads);

/* All that is on its way to that host arrives, and a millisecond is over for it. */
void deliver(struct host *h);

/* Runs for so many ms at most, until *done. */
void run(uint32_t ms, const bool *done);

/* a fetches b's page, for so many ms at most. */
bool fetch(struct page_fetch *f, uint32_t ms);

/* net_stack_bad.c */
void altered_frames_do_no_harm(void);
void a_flood_of_beginnings(void);
void who_guesses_changes_nothing(void);
void tcp_headers_that_lie(void);
void frames_cut_short(void);

#endif
