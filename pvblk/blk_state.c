/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the block device: one fixed record, little-endian, with its length and a sum.
 *
 * The limit's times are saved as distances from now, since the clock of another machine is another.
 */
#include "blk_host_internal.h"

#define STATE_MAGIC 0x6b6c6276u /* "vblk" */
#define STATE_VERSION 1u

struct bucket_state {
	struct pvrom_rate rate;
	uint64_t full_left, full_rest, burst_left, burst_rest;
};

struct state {
	uint32_t magic, version, size, sum;
	uint64_t accepted, offered;
	struct pvrom_blk_config config;
	uint32_t generation, has_limit;
	struct pvrom_blk_counters counters;
	uint64_t last_left, held, held_time, passed, passed_bytes;
	struct bucket_state bytes, requests;
};

/* Not against an enemy, who could write a right sum: every field is judged. Against a torn file. */
static uint32_t sum_of(const struct state *state)
{
	const uint8_t *bytes = (const uint8_t *)state;
	uint32_t sum = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(*state); i++)
		sum = (sum ^
		       (i >= offsetof(struct state, sum) && i < offsetof(struct state, accepted)
				? 0
				: bytes[i])) *
		      16777619u;
	return sum;
}

static uint64_t left(uint64_t until, uint64_t now)
{
	return until > now ? until - now : 0;
}

static struct bucket_state bucket_save(const struct pvrom_bucket *b, uint64_t now)
{
	return (struct bucket_state){ b->rate, left(b->full_until, now), b->full_rest,
				      left(b->burst_until, now), b->burst_rest };
}

static void limit_save(struct state *state, struct pvrom_blk_host *host)
{
	struct pvrom_limit *limit = host->setup.limit;
	uint64_t now = host->setup.ops->now(host->setup.ops_ctx);

	if (limit->lock)
		limit->lock(limit->ctx);
	state->has_limit = 1;
	state->last_left = left(limit->last, now);
	state->held = limit->held;
	state->held_time = limit->held_time;
	state->passed = limit->passed;
	state->passed_bytes = limit->passed_bytes;
	state->bytes = bucket_save(&limit->bytes, now);
	state->requests = bucket_save(&limit->requests, now);
	if (limit->unlock)
		limit->unlock(limit->ctx);
}

size_t pvrom_blk_host_save(const struct pvrom_blk_host *host, void *buffer, size_t room)
{
	struct state state;

	if (host->in_work && !BLK_SLIP(STATE_IN_WORK))
		return 0;
	if (room < sizeof(state))
		return sizeof(state);
	__builtin_memset(&state, 0, sizeof(state));
	state.magic = STATE_MAGIC;
	state.version = STATE_VERSION;
	state.size = sizeof(state);
	state.accepted = host->accepted;
	state.offered = pvrom_blk_host_features(host);
	state.config = host->config;
	state.generation = host->generation;
	state.counters = host->counters;
	if (host->setup.limit)
		limit_save(&state, (struct pvrom_blk_host *)host);
	state.sum = sum_of(&state);
	__builtin_memcpy(buffer, &state, sizeof(state));
	return sizeof(state);
}

/* Rates are within the bounds of pvrom_limit_set(), and no rest is as large as its divisor. */
static bool bucket_is_valid(const struct bucket_state *b)
{
	const uint64_t most = 1ull << 62;

	if (!b->rate.rate)
		return !b->full_rest && !b->burst_rest && !b->full_left && !b->burst_left;
	return b->full_rest < b->rate.rate && b->full_left <= most && b->burst_left <= most &&
	       (b->rate.burst_rate ? b->burst_rest < b->rate.burst_rate : !b->burst_rest);
}

/* The configuration is that of this device but for what changes in its life. */
static bool config_fits(const struct pvrom_blk_host *host, const struct pvrom_blk_config *saved)
{
	struct pvrom_blk_config c = *saved;

	if (c.writeback > 1)
		return false;
	c.writeback = host->config.writeback;
	return !__builtin_memcmp(&c, &host->config, sizeof(c));
}

static bool state_fits(const struct pvrom_blk_host *host, const struct state *state)
{
	return state->magic == STATE_MAGIC && state->version == STATE_VERSION &&
	       state->size == sizeof(*state) &&
	       (state->sum == sum_of(state) || BLK_SLIP(STATE_SUM)) &&
	       state->offered == pvrom_blk_host_features(host) &&
	       !(state->accepted & ~state->offered) && config_fits(host, &state->config) &&
	       state->has_limit == (host->setup.limit != NULL) && bucket_is_valid(&state->bytes) &&
	       bucket_is_valid(&state->requests) && state->last_left <= 1ull << 62;
}

static void bucket_load(struct pvrom_bucket *b, const struct bucket_state *state, uint64_t now)
{
	b->full_until = now + state->full_left;
	b->full_rest = state->full_rest;
	b->burst_until = now + state->burst_left;
	b->burst_rest = state->burst_rest;
}

/* false: the rates themselves are out of bounds. */
static bool limit_load(struct pvrom_blk_host *host, const struct state *state)
{
	struct pvrom_limit *limit = host->setup.limit;
	uint64_t now = host->setup.ops->now(host->setup.ops_ctx);

	if (!pvrom_limit_set(limit, &state->bytes.rate, &state->requests.rate, now))
		return false;
	if (limit->lock)
		limit->lock(limit->ctx);
	bucket_load(&limit->bytes, &state->bytes, now);
	bucket_load(&limit->requests, &state->requests, now);
	limit->last = now + state->last_left;
	limit->held = state->held;
	limit->held_time = state->held_time;
	limit->passed = state->passed;
	limit->passed_bytes = state->passed_bytes;
	if (limit->unlock)
		limit->unlock(limit->ctx);
	return true;
}

bool pvrom_blk_host_load(struct pvrom_blk_host *host, const void *buffer, size_t size)
{
	struct state state;

	if ((host->in_work && !BLK_SLIP(STATE_IN_WORK)) || size != sizeof(state))
		return false;
	__builtin_memcpy(&state, buffer, sizeof(state));
	if (!state_fits(host, &state))
		return false;
	if (host->setup.limit && !BLK_SLIP(STATE_LIMIT) && !limit_load(host, &state))
		return false;
	host->accepted = state.accepted;
	if (!BLK_SLIP(STATE_WRITEBACK))
		host->config = state.config;
	host->generation = state.generation;
	if (!BLK_SLIP(STATE_COUNTERS))
		host->counters = state.counters;
	return true;
}
