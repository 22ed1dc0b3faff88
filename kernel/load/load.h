/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The work load: what kernels do with address spaces, each operation checked and counted. */
#ifndef KERNEL_LOAD_H
#define KERNEL_LOAD_H

#include "memory.h"
#include "percpu.h"
#include "traps.h"

/* "load=" is on the command line. */
bool load_wanted(void);
/* Runs what it asks for and prints TAP; false if a result was wrong. */
bool load_run(void);

/* ---- load_count.c: VM exits, where whoever runs this machine counts them ---- */

struct load_count {
	/* Caused by the operation: neither by counting, nor by another CPU's kick, nor a call continued. */
	uint64_t exits;
	uint64_t kicks, continued;
	uint64_t ticks; /* TSC ticks that it took */
};

/* Is there a counter? Finds out what counting costs. On each CPU that counts. */
bool load_count_init(void);
/* Between these two the operation runs; what it causes is added to COUNT. Does not nest. */
void load_count_begin(struct load_count *count);
void load_count_end(struct load_count *count);
/* Spins for so many ticks and adds the exits of that time to IDLE. */
void load_count_idle(struct load_count *idle, uint64_t ticks);

/* ---- load_space.c: an address space as a process has one ---- */

/* 0x0000500000000000: the area of processes, one entry of the root. */
#define LOAD_BASE 0x0000500000000000ull
#define LOAD_AREAS 8

struct load_area {
	uint64_t start, end;
	uint32_t around; /* pages to map around a fault, a power of two; 1: the one alone */
	bool writable;
};

struct load_space {
	uint64_t *root;
	struct load_area areas[LOAD_AREAS];
	unsigned area_count;
};

void load_space_init(void);
void load_space_create(struct load_space *space);
/* The pages of areas come with the first touch, zeroed. */
void load_space_map(struct load_space *space, uint64_t start, uint64_t pages, bool writable,
		    uint32_t around);
/* Maps all pages of an area now. */
void load_space_populate(struct load_space *space, uint64_t start);
/* Takes the area that begins at START away; the space is loaded on this CPU. */
void load_space_unmap(struct load_space *space, uint64_t start);
/* Makes pages of an area read-only, or writable again. The space is loaded on this CPU. */
void load_space_protect(struct load_space *space, uint64_t start, uint64_t pages, bool writable);
/* CHILD gets the areas and, to be copied on write, the pages of PARENT, which is loaded here. */
void load_space_fork(struct load_space *child, struct load_space *parent);
/* Frees all. The space is loaded nowhere. */
void load_space_destroy(struct load_space *space);
/* Loads SPACE on this CPU, NULL: the kernel's own tables. */
void load_space_switch(struct load_space *space);
/* The level-1 entry for VA, NULL if there is no table. MAKE: makes what is missing. */
uint64_t *load_space_entry(const struct load_space *space, uint64_t va, bool make);
/* The kernel's view of a page of the space, NULL if it has none there. */
const uint64_t *load_space_page(const struct load_space *space, uint64_t va);
/* The end of one use of a page. True if there is one user left. */
void load_page_put(uint64_t page);
bool load_page_is_shared(uint64_t page);

/* ---- load_fault.c ---- */

/* What one CPU is about. */
struct load_cpu {
	struct load_space *space;
	uint64_t faults;   /* that brought a page or a copy */
	uint64_t needless; /* that found all in order: a flush was too much or too late */
};

extern struct load_cpu load_cpus[MAX_CPUS];

static inline struct load_cpu *load_this_cpu(void)
{
	return &load_cpus[this_cpu()->index];
}

/* The handler of #PF while the load runs. */
void load_fault(struct trap_frame *frame);

/* ---- load_user.c: the processes' own code ---- */

/* Writes KEY ^ address to the first word of each of PAGES pages, STEP pages apart. */
void load_user_write(uint64_t start, uint64_t pages, uint64_t step, uint64_t key);
/* Reads them back: how many of them hold something else. */
uint64_t load_user_read(uint64_t start, uint64_t pages, uint64_t step, uint64_t key);
/* How many of them do not hold 0 in their first word. */
uint64_t load_user_read_zero(uint64_t start, uint64_t pages, uint64_t step);

/* ---- load_ops.c, load_mix.c ---- */

struct load_op {
	const char *name;
	unsigned units; /* that one round counts for: the figure is for one of them */
	/* One round; what it measures is added to COUNT. NULL, or what was wrong. */
	const char *(*round)(struct load_count *count, unsigned number);
};

extern const struct load_op load_ops[];
extern const unsigned load_op_count;
const char *load_mix_round(struct load_count *count, unsigned number);

#endif
