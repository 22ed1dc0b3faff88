/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A load whose requests may each be done once only: every write puts the next counter into its block, so one
 * that is lost, or done again after a later one, is seen by the next read of that block.
 */
#ifndef COUNTER_LOAD_H
#define COUNTER_LOAD_H

#include "../../vhost-user/client/vu_client.h"

#define LOAD_BLOCKS 64u
#define LOAD_BLOCK 4096u

struct counter_load {
	struct vu_client *client;
	uint64_t written[LOAD_BLOCKS]; /* counter of the last write that was answered */
	bool busy[LOAD_BLOCKS];
	uint64_t seed;
	uint64_t done, to_do; /* requests */
	uint64_t longest;     /* ns that one took */
	uint32_t in_flight;
	char wrong[160]; /* empty: all is well */
};

/* Puts in as many requests as fit. */
void load_fill(struct counter_load *load);
/* Takes what is done; returns how many. */
uint32_t load_take(struct counter_load *load);
/* Reads every block, when nothing is in flight. */
bool load_verify(struct counter_load *load);

#endif
