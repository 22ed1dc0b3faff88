/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Something like a build: a parent with 200 pages starts eight jobs one after the other; each is
 * forked, replaces its address space, works with memory that it maps, protects and unmaps, and ends;
 * the parent goes on writing what it shared with them.
 */
#include "load.h"
#include "paging.h"

#define AT(n) (LOAD_BASE + (n)*LARGE_SIZE)
#define JOBS 8

/* The job between fork and exec: a little of the parent's memory is written, none that the parent writes. */
static uint64_t job_before_exec(uint64_t key)
{
	load_user_write(AT(0) + 5 * PAGE_SIZE, 5, 40, key);
	return load_user_read(AT(0) + 5 * PAGE_SIZE, 5, 40, key);
}

/* The program: text read, data written, a heap that grows, is protected in part, and shrinks. */
static uint64_t job_program(struct load_space *space, uint64_t key)
{
	uint64_t wrong;

	load_space_map(space, AT(8), 48, false, 16);
	load_space_map(space, AT(9), 16, true, 1);
	load_space_map(space, AT(10), 96, true, 1);
	wrong = load_user_read_zero(AT(8), 24, 2);
	load_user_write(AT(9), 16, 1, key);
	load_user_write(AT(10), 96, 1, key + 1);
	load_space_protect(space, AT(10), 16, false);
	wrong += load_user_read(AT(10), 96, 1, key + 1);
	load_space_protect(space, AT(10), 16, true);
	load_user_write(AT(10), 16, 1, key + 2);
	wrong += load_user_read(AT(10), 16, 1, key + 2);
	load_space_unmap(space, AT(10));
	return wrong + load_user_read(AT(9), 16, 1, key);
}

static uint64_t job(struct load_space *parent, uint64_t key)
{
	struct load_space forked, program;
	uint64_t wrong;

	load_space_fork(&forked, parent);
	load_space_switch(&forked);
	wrong = job_before_exec(key + 1);
	load_space_create(&program);
	load_space_switch(&program);
	load_space_destroy(&forked);
	wrong += job_program(&program, key + 2);
	load_space_switch(parent);
	load_space_destroy(&program);
	return wrong;
}

const char *load_mix_round(struct load_count *count, unsigned number)
{
	struct load_space parent;
	uint64_t key = 0x3c3c000000000000ull + ((uint64_t)number << 20), wrong = 0;

	load_space_create(&parent);
	load_space_switch(&parent);
	load_space_map(&parent, AT(0), 200, true, 1);
	load_user_write(AT(0), 200, 1, key);
	load_count_begin(count);
	for (unsigned i = 0; i < JOBS; i++) {
		wrong += job(&parent, key + 16 + i * 4);
		load_user_write(AT(0), 20, 10, key);
	}
	load_count_end(count);
	wrong += load_user_read(AT(0), 200, 1, key);
	load_space_switch(NULL);
	load_space_destroy(&parent);
	return wrong ? "mix: a page does not hold what was written" : NULL;
}
