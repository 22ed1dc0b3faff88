/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a device is beside its requests: saved and loaded, reset, resized, and which pages of the guest it writes.
 */
#include <stdio.h>
#include <string.h>

#include "blk_cases.h"
#include "blk_world.h"

#define SECOND 1000000000ull
#define ALL                                                                                        \
	(PVROM_BLK_F_FLUSH | PVROM_BLK_F_CONFIG_WCE | PVROM_BLK_F_DISCARD |                        \
	 PVROM_BLK_F_WRITE_ZEROES | PVROM_BLK_F_SECURE_ERASE)

static const struct pvrom_blk_host_setup setup = { .discard_ranges = 4,
						   .zeroes_ranges = 4,
						   .erase_ranges = 4 };

/* ---- save and load -------------------------------------------------------------------------------------- */

static struct world *limited(struct pvrom_limit *l)
{
	const struct pvrom_rate rate = { 10, 5, 0 }, none = { 0, 0, 0 };
	struct pvrom_blk_host_setup s = setup;

	*l = (struct pvrom_limit){ 0 };
	s.limit = l;
	return pvrom_limit_set(l, &none, &rate, 0) ? world_open(&s, 0, ALL) : NULL;
}

/* Every counter another number, the cache switched, the burst used up. */
static bool use(struct world *w)
{
	const struct pvrom_blk_range r = { 8, 8, 0 };
	const uint8_t through = 0;

	return world_request(w, PVROM_BLK_T_OUT, 0, 512) == PVROM_BLK_S_OK &&
	       world_request(w, PVROM_BLK_T_IN, 0, 1024) == PVROM_BLK_S_OK &&
	       world_request(w, PVROM_BLK_T_FLUSH, 0, 0) == PVROM_BLK_S_OK &&
	       world_ranges(w, PVROM_BLK_T_DISCARD, &r, 1) == PVROM_BLK_S_OK &&
	       world_ranges(w, PVROM_BLK_T_WRITE_ZEROES, &r, 1) == PVROM_BLK_S_OK &&
	       world_ranges(w, PVROM_BLK_T_SECURE_ERASE, &r, 1) == PVROM_BLK_S_OK &&
	       world_request(w, PVROM_BLK_T_IN, 0, 511) == PVROM_BLK_S_IOERR &&
	       world_request(w, 99, 0, 0) == PVROM_BLK_S_UNSUPP &&
	       pvrom_blk_host_config_write(&w->host, 32, &through, 1);
}

static bool same(const struct pvrom_blk_host *a, const struct pvrom_blk_host *b)
{
	return HOLDS(a->accepted == b->accepted) && HOLDS(a->generation == b->generation) &&
	       HOLDS(!memcmp(&a->config, &b->config, sizeof(a->config))) &&
	       HOLDS(!memcmp(&a->counters, &b->counters, sizeof(a->counters)));
}

static bool loaded_is_saved(void)
{
	struct pvrom_limit l, m;
	struct world *a = limited(&l), *b = limited(&m);
	uint8_t state[1024];
	size_t size;
	bool good = a && b && HOLDS(use(a));

	if (!good)
		return false;
	a->time = SECOND / 5;
	b->time = 777 * SECOND; /* another machine, another clock */
	size = pvrom_blk_host_save(&a->host, state, sizeof(state));
	good = HOLDS(size && size <= sizeof(state)) &&
	       HOLDS(pvrom_blk_host_load(&b->host, state, size)) && same(&a->host, &b->host);
	/* And what is held is let go after the same time. */
	good = good && HOLDS(pvrom_limit_take(&l, 0, a->time) - a->time ==
			     pvrom_limit_take(&m, 0, b->time) - b->time);
	good = good && HOLDS(l.passed == m.passed) && HOLDS(l.held == m.held);
	world_close(a);
	world_close(b);
	return good;
}

/* Each bit of it turned over, each length: refused, and the device is as before. */
static bool damage_is_refused(void)
{
	struct world *a = world_open(&setup, 0, ALL), *b = world_open(&setup, 0, ALL);
	struct pvrom_blk_host before;
	uint8_t state[1024];
	size_t size, i;
	bool good = a && b && HOLDS(use(a));

	if (!good)
		return false;
	size = pvrom_blk_host_save(&a->host, state, sizeof(state));
	before = b->host;
	for (i = 0; i < size * 8 && good; i++) {
		state[i / 8] ^= (uint8_t)(1u << i % 8);
		good = HOLDS(!pvrom_blk_host_load(&b->host, state, size)) &&
		       HOLDS(!memcmp(&before, &b->host, sizeof(before)));
		state[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < size && good; i++)
		good = HOLDS(!pvrom_blk_host_load(&b->host, state, i));
	good = good && HOLDS(pvrom_blk_host_load(&b->host, state, size));
	world_close(a);
	world_close(b);
	return good;
}

/* Nothing is saved while a request is in work, and nothing loaded on top of one. */
static bool not_in_work(void)
{
	struct world *w = world_open(&setup, 0, ALL);
	uint8_t state[1024];
	size_t size;
	bool good;

	if (!w)
		return HOLDS(false);
	size = pvrom_blk_host_save(&w->host, state, sizeof(state));
	w->hold = 1;
	good = HOLDS(world_request(w, PVROM_BLK_T_OUT, 0, 512) == -1) &&
	       HOLDS(!pvrom_blk_host_save(&w->host, state, sizeof(state))) &&
	       HOLDS(!pvrom_blk_host_load(&w->host, state, size)) && HOLDS(world_go(w, 0, 0));
	world_close(w);
	return good;
}

/* ---- configuration ------------------------------------------------------------------------------------------ */

static bool config_says(struct world *w, const struct pvrom_blk_config *wanted)
{
	struct pvrom_blk_config c, bytes = { 0 };
	uint8_t beyond[8];
	uint32_t i;

	pvrom_blk_host_config_read(&w->host, 0, &c, sizeof(c));
	for (i = 0; i < sizeof(bytes); i++)
		pvrom_blk_host_config_read(&w->host, i, (uint8_t *)&bytes + i, 1);
	pvrom_blk_host_config_read(&w->host, sizeof(c) - 4, beyond, 8);
	return HOLDS(!memcmp(&c, wanted, sizeof(c))) && HOLDS(!memcmp(&c, &bytes, sizeof(c))) &&
	       HOLDS(!memcmp(beyond, (const uint8_t *)wanted + sizeof(c) - 4, 4)) &&
	       HOLDS(!memcmp(beyond + 4, "\0\0\0", 4));
}

/* The backend of these worlds has blocks of 512 bytes, and discards that make sense from 4,096 on. */
static bool config_is_told(void)
{
	const struct pvrom_blk_host_setup full = { .queues = 5,
						   .seg_max = 17,
						   .size_max = 65536,
						   .physical_block_exp = 3,
						   .alignment_offset = 1,
						   .min_io_size = 8,
						   .opt_io_size = 64,
						   .discard_sectors = 1000,
						   .discard_ranges = 2,
						   .zeroes_sectors = 2000,
						   .zeroes_ranges = 3,
						   .erase_sectors = 3000,
						   .erase_ranges = 4 };
	const struct pvrom_blk_config wanted = { .capacity = WORLD_SECTORS,
						 .size_max = 65536,
						 .seg_max = 17,
						 .blk_size = 512,
						 .physical_block_exp = 3,
						 .alignment_offset = 1,
						 .min_io_size = 8,
						 .opt_io_size = 64,
						 .writeback = 1,
						 .num_queues = 5,
						 .max_discard_sectors = 1000,
						 .max_discard_seg = 2,
						 .discard_sector_alignment = 8,
						 .max_write_zeroes_sectors = 2000,
						 .max_write_zeroes_seg = 3,
						 .write_zeroes_may_unmap = 1,
						 .max_secure_erase_sectors = 3000,
						 .max_secure_erase_seg = 4,
						 .secure_erase_sector_alignment = 8 };
	const struct pvrom_blk_host_setup read_only = { .read_only = true, .discard_ranges = 2 };
	struct world *w = world_open(&full, 0, 0), *plain = world_open(&read_only, 0, 0);
	bool good = w && plain;

	good = good &&
	       HOLDS(pvrom_blk_host_features(&w->host) ==
		     (ALL | PVROM_BLK_F_SIZE_MAX | PVROM_BLK_F_SEG_MAX | PVROM_BLK_F_BLK_SIZE |
		      PVROM_BLK_F_TOPOLOGY | PVROM_BLK_F_MQ)) &&
	       HOLDS(pvrom_blk_host_features(&plain->host) ==
		     (PVROM_BLK_F_RO | PVROM_BLK_F_SEG_MAX | PVROM_BLK_F_BLK_SIZE |
		      PVROM_BLK_F_FLUSH | PVROM_BLK_F_TOPOLOGY | PVROM_BLK_F_CONFIG_WCE)) &&
	       config_says(w, &wanted);
	if (w)
		world_close(w);
	if (plain)
		world_close(plain);
	return good;
}

/* ---- reset, resize ----------------------------------------------------------------------------------------- */

static bool reset_forgets(void)
{
	struct world *w = world_open(&setup, 0, ALL);
	bool good;

	if (!w)
		return HOLDS(false);
	good = HOLDS(use(w));
	w->hold = 1;
	memset(world_at(w, WORLD_DATA), 0x55, 512);
	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 0, 512) == -1);
	pvrom_blk_host_reset(&w->host);
	good = good && HOLDS(w->host.accepted == 0) && HOLDS(w->host.config.writeback == 1) &&
	       HOLDS(w->host.in_work == 1) && HOLDS(world_go(w, 0, PVROM_BLK_DONE));
	/* It was cancelled: no status, no buffer. */
	good = good && HOLDS(w->cancelled == 1) && HOLDS(w->host.in_work == 0) &&
	       HOLDS(w->memory[WORLD_STATUS] == 0xff);
	world_close(w);
	return good;
}

static bool resize_is_told(void)
{
	struct world *w = world_open(&setup, 0, ALL);
	uint64_t capacity;
	bool good;

	if (!w)
		return HOLDS(false);
	good = HOLDS(world_request(w, PVROM_BLK_T_IN, 1024, 512) == PVROM_BLK_S_OK);
	pvrom_blk_host_resize(&w->host, 1024);
	pvrom_blk_host_config_read(&w->host, 0, &capacity, 8);
	good = good && HOLDS(w->changes == 1) && HOLDS(w->host.generation == 1) &&
	       HOLDS(capacity == 1024);
	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 1024, 512) == PVROM_BLK_S_IOERR) &&
	       HOLDS(world_request(w, PVROM_BLK_T_IN, 1023, 512) == PVROM_BLK_S_OK);
	world_close(w);
	return good;
}

/* ---- what is written ------------------------------------------------------------------------------------------ */

/* Exactly those pages of a request that the device may write, and its ring, changed; and all of them are in the log. */
static bool logged(uint64_t ring, uint32_t type, uint32_t length, uint64_t data_pages)
{
	struct world *w = world_open(&setup, ring, ALL);
	uint64_t page, marked = 0, wanted = data_pages + 1;
	bool good = true, is;
	uint8_t *before;

	if (!w)
		return HOLDS(false);
	pvrom_vq_device_log(&w->queue.ring, true);
	before = world_at(w, 0);
	memset(before + WORLD_DATA, 0x77, 0x10000);
	if (type == PVROM_BLK_T_DISCARD) {
		const struct pvrom_blk_range r = { 0, 8, 0 };

		good = HOLDS(world_ranges(w, type, &r, 1) == PVROM_BLK_S_OK);
	} else {
		good = HOLDS(world_request(w, type, 0, length) == PVROM_BLK_S_OK);
	}
	for (page = 0; page < WORLD_MEMORY / 4096; page++) {
		is = w->dirty[page / 64] >> page % 64 & 1;
		marked += is;
		if (page == WORLD_STATUS / 4096)
			good = good && HOLDS(is);
		else if (page >= WORLD_DATA / 4096 && page < WORLD_DATA / 4096 + data_pages)
			good = good && HOLDS(is);
		else if (page >= WORLD_HEADER / 4096)
			good = good && HOLDS(!is);
	}
	/* Below stand the rings: one page of them. */
	good = good && HOLDS(marked == wanted + 1);
	world_close(w);
	return good;
}

static bool log_is_exact(void)
{
	static const uint64_t rings[] = { 0, PVROM_VQ_F_EVENT_IDX, PVROM_VQ_F_RING_PACKED };
	size_t i;

	for (i = 0; i < sizeof(rings) / sizeof(rings[0]); i++)
		if (!logged(rings[i], PVROM_BLK_T_IN, 8192, 2) ||
		    !logged(rings[i], PVROM_BLK_T_OUT, 8192, 0) ||
		    !logged(rings[i], PVROM_BLK_T_FLUSH, 0, 0) ||
		    !logged(rings[i], PVROM_BLK_T_GET_ID, 20, 1) ||
		    !logged(rings[i], PVROM_BLK_T_DISCARD, 0, 0))
			return false;
	return true;
}

/* Which operation of the disk each of the three is, and that the limits of each hold. */
static bool ranges_are_told_apart(void)
{
	static const struct {
		uint32_t type, op;
	} c[] = { { PVROM_BLK_T_DISCARD, PVROM_BLK_IO_DISCARD },
		  { PVROM_BLK_T_WRITE_ZEROES, PVROM_BLK_IO_ZEROES },
		  { PVROM_BLK_T_SECURE_ERASE, PVROM_BLK_IO_ERASE } };
	const struct pvrom_blk_range r[2] = { { 0, 8, 0 }, { 64, 16, 0 } };
	struct world *w = world_open(&setup, 0, ALL);
	bool good = w;
	uint32_t i;

	for (i = 0; i < 3 && good; i++) {
		w->asked_count = 0;
		good = HOLDS(world_ranges(w, c[i].type, r, 2) == PVROM_BLK_S_OK) &&
		       HOLDS(w->asked_count == 2) && HOLDS(w->asked[0].op == c[i].op) &&
		       HOLDS(w->asked[1].offset == 64 * 512) && HOLDS(w->asked[1].length == 8192);
	}
	if (w)
		world_close(w);
	return good;
}

int main(void)
{
	static const struct blk_case cases[] = {
		{ "a device that was loaded is the one that was saved [PVROM-BLK-14]",
		  loaded_is_saved,
		  { BLK_SLIP_STATE_WRITEBACK, BLK_SLIP_STATE_LIMIT, BLK_SLIP_STATE_COUNTERS } },
		{ "a damaged state is refused, and nothing changes [PVROM-BLK-14]",
		  damage_is_refused,
		  { BLK_SLIP_STATE_SUM } },
		{ "nothing is saved while a request is in work",
		  not_in_work,
		  { BLK_SLIP_STATE_IN_WORK } },
		{ "features and configuration are those of the setup",
		  config_is_told,
		  { BLK_SLIP_TOPOLOGY } },
		{ "a reset cancels and forgets [PVROM-BLK-10]",
		  reset_forgets,
		  { BLK_SLIP_RESET_WRITEBACK } },
		{ "a resize is told, and holds at once [PVROM-BLK-11]",
		  resize_is_told,
		  { BLK_SLIP_RESIZE_QUIET } },
		{ "the dirty log has the pages that were written, and no other [PVROM-BLK-9]",
		  log_is_exact,
		  { BLK_SLIP_DIRTY_STATUS, BLK_SLIP_DIRTY_DATA } },
		{ "discard, write-zeroes and secure erase are three things [PVROM-BLK-6]",
		  ranges_are_told_apart,
		  { BLK_SLIP_ERASE_AS_DISCARD } },
	};
	unsigned int bad = 0, n;

	printf("TAP version 13\n");
	n = run_blk_cases(cases, sizeof(cases) / sizeof(cases[0]), &bad);
	printf("1..%u\n", n);
	return bad != 0;
}
