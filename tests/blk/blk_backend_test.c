/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Backends that need no file, behind a whole device: memory, nothing, and one that fails and holds back on purpose.
 */
#include <stdio.h>
#include <string.h>

#include "blk_cases.h"
#include "blk_world.h"

#define SECTORS 64u
#define ALL                                                                                        \
	(PVROM_BLK_F_FLUSH | PVROM_BLK_F_DISCARD | PVROM_BLK_F_WRITE_ZEROES |                      \
	 PVROM_BLK_F_SECURE_ERASE)

static struct world *over(struct pvrom_blk_backend *backend)
{
	const struct pvrom_blk_host_setup s = {
		.backend = backend, .discard_ranges = 2, .zeroes_ranges = 2, .erase_ranges = 2
	};

	return backend ? world_open(&s, 0, ALL) : NULL;
}

static bool ends(struct world *w, struct pvrom_blk_backend *backend)
{
	if (w)
		world_close(w);
	if (backend)
		pvrom_blk_backend_close(backend);
	return w && backend;
}

static bool all_are(const uint8_t *bytes, size_t count, uint8_t value)
{
	for (; count; count--)
		if (*bytes++ != value)
			return false;
	return true;
}

/* ---- memory, and nothing ----------------------------------------------------------------------------- */

static bool erased(struct world *w, const uint8_t *disk, uint32_t type)
{
	const struct pvrom_blk_range r = { 8, 2, 0 };

	memset(world_at(w, WORLD_DATA), 0x5a, 6 * 512);
	return HOLDS(world_request(w, PVROM_BLK_T_OUT, 6, 6 * 512) == PVROM_BLK_S_OK) &&
	       HOLDS(world_ranges(w, type, &r, 1) == PVROM_BLK_S_OK) &&
	       HOLDS(all_are(disk + 6 * 512, 2 * 512, 0x5a)) &&
	       HOLDS(all_are(disk + 8 * 512, 2 * 512, 0)) &&
	       HOLDS(all_are(disk + 10 * 512, 2 * 512, 0x5a));
}

static bool memory_keeps(void)
{
	struct pvrom_blk_backend *backend = pvrom_blk_memory_open(SECTORS);
	struct world *w = over(backend);
	uint8_t *disk = backend ? pvrom_blk_memory_bytes(backend) : NULL;
	bool good = w && HOLDS(all_are(disk, SECTORS * 512, 0));

	good = good && erased(w, disk, PVROM_BLK_T_DISCARD) &&
	       erased(w, disk, PVROM_BLK_T_WRITE_ZEROES) &&
	       erased(w, disk, PVROM_BLK_T_SECURE_ERASE);
	disk[63 * 512] = 7;
	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 63, 512) == PVROM_BLK_S_OK) &&
	       HOLDS(*(uint8_t *)world_at(w, WORLD_DATA) == 7) &&
	       HOLDS(world_request(w, PVROM_BLK_T_IN, 64, 512) == PVROM_BLK_S_IOERR);
	return ends(w, backend) && good;
}

static bool nothing_is_done(void)
{
	struct pvrom_blk_backend *backend = pvrom_blk_null_open(SECTORS);
	struct world *w = over(backend);
	bool good = w;

	if (good)
		memset(world_at(w, WORLD_DATA), 0x11, 512);
	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 5, 512) == PVROM_BLK_S_OK) &&
	       HOLDS(all_are(world_at(w, WORLD_DATA), 512, 0x11)) &&
	       HOLDS(world_request(w, PVROM_BLK_T_OUT, 5, 512) == PVROM_BLK_S_OK) &&
	       HOLDS(world_request(w, PVROM_BLK_T_IN, SECTORS, 512) == PVROM_BLK_S_IOERR);
	return ends(w, backend) && good;
}

/* ---- faults ---------------------------------------------------------------------------------------------- */

/* What is to become of reads, writes and flushes, by the number of the operation. */
static uint32_t choose(void *ctx, const struct pvrom_blk_io *io)
{
	return ((const uint32_t *)ctx)[io->op];
}

static bool failures_are_told(void)
{
	uint32_t plan[6] = { PVROM_BLK_FAULT_FAIL, PVROM_BLK_FAULT_SPACE, PVROM_BLK_FAULT_FAIL };
	struct pvrom_blk_backend *memory = pvrom_blk_memory_open(SECTORS);
	struct pvrom_blk_backend *backend =
		memory ? pvrom_blk_fault_open(memory, choose, plan) : NULL;
	struct world *w = over(backend);
	bool good = w;

	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 0, 512) == PVROM_BLK_S_IOERR) &&
	       HOLDS(world_request(w, PVROM_BLK_T_OUT, 0, 512) == PVROM_BLK_S_IOERR) &&
	       HOLDS(world_request(w, PVROM_BLK_T_FLUSH, 0, 0) == PVROM_BLK_S_IOERR) &&
	       HOLDS(w->host.counters.failed == 3) && HOLDS(w->host.counters.no_space == 1) &&
	       HOLDS(w->host.counters.malformed == 0);
	memset(plan, 0, sizeof(plan));
	good = good && HOLDS(world_request(w, PVROM_BLK_T_IN, 0, 512) == PVROM_BLK_S_OK);
	good = ends(w, backend) && good;
	if (memory)
		pvrom_blk_backend_close(memory);
	return good;
}

/* Lets number `which` of the held writes go, with that byte in the buffer; it comes back. */
static bool goes(struct world *w, struct pvrom_blk_backend *backend, uint32_t which, uint8_t value)
{
	struct pvrom_vq_done done;

	memset(world_at(w, WORLD_DATA), value, 512);
	if (!pvrom_blk_fault_go(backend, which))
		return false;
	world_run(w);
	return world_get(w, &done) && w->memory[WORLD_STATUS] == PVROM_BLK_S_OK;
}

static bool held_ones_go_in_any_order(void)
{
	uint32_t plan[6] = { 0, PVROM_BLK_FAULT_HOLD };
	struct pvrom_blk_backend *memory = pvrom_blk_memory_open(SECTORS);
	struct pvrom_blk_backend *backend =
		memory ? pvrom_blk_fault_open(memory, choose, plan) : NULL;
	struct world *w = over(backend);
	const uint8_t *disk = memory ? pvrom_blk_memory_bytes(memory) : NULL;
	uint32_t i;
	bool good = w;

	for (i = 0; i < 3 && good; i++)
		good = HOLDS(world_request(w, PVROM_BLK_T_OUT, i, 512) == -1);
	good = good && HOLDS(w->host.in_work == 3) && HOLDS(all_are(disk, 3 * 512, 0)) &&
	       HOLDS(goes(w, backend, 2, 12)) && HOLDS(goes(w, backend, 0, 10)) &&
	       HOLDS(goes(w, backend, 0, 11)) && HOLDS(!pvrom_blk_fault_go(backend, 0)) &&
	       HOLDS(w->host.in_work == 0);
	for (i = 0; i < 3 && good; i++)
		good = HOLDS(all_are(disk + i * 512, 512, (uint8_t)(10 + i)));
	good = ends(w, backend) && good;
	if (memory)
		pvrom_blk_backend_close(memory);
	return good;
}

int main(void)
{
	static const struct blk_case cases[] = {
		{ "memory keeps what is written, and loses what is erased",
		  memory_keeps,
		  { BLK_SLIP_MEMORY_ERASE } },
		{ "nothing is done, and that is well", nothing_is_done, { BLK_SLIP_NULL_READS } },
		{ "failures on purpose are told to the driver",
		  failures_are_told,
		  { BLK_SLIP_FAULT_THROUGH } },
		{ "operations that are held go in any order",
		  held_ones_go_in_any_order,
		  { BLK_SLIP_FAULT_THROUGH } },
	};
	unsigned int bad = 0, n;

	printf("TAP version 13\n");
	n = run_blk_cases(cases, sizeof(cases) / sizeof(cases[0]), &bad);
	printf("1..%u\n", n);
	return bad != 0;
}
