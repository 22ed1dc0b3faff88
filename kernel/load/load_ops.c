/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The operations of the work load. Each round prepares, counts the operation alone, looks whether
 * memory holds what it must, and cleans up. Areas begin at a multiple of 2 MiB.
 */
#include "cpu.h"
#include "load.h"
#include "paging.h"
#include "tables.h"

#define AT(n) (LOAD_BASE + (n)*LARGE_SIZE)
#define KEY(number) (0x5a5a000000000000ull + ((uint64_t)(number) << 20) + this_cpu()->index)

/* Ends a round with a sentence if CONDITION does not hold. */
#define EXPECT(condition, text)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return text;                                                               \
	} while (0)

static void begin(struct load_space *space)
{
	load_space_create(space);
	load_space_switch(space);
}

static void end(struct load_space *space)
{
	load_space_switch(NULL);
	load_space_destroy(space);
}

/* ---- fork: 1,000 mapped pages; the child writes 10, exits, and is reaped ---- */

static const char *fork_check(const struct load_space *parent, const struct load_space *child,
			      uint64_t key)
{
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t va = AT(0) + i * PAGE_SIZE;
		const uint64_t *mine = load_space_page(child, va);
		const uint64_t *yours = load_space_page(parent, va);

		EXPECT(yours && *yours == (va ^ key), "fork: a page of the parent has changed");
		EXPECT(mine && *mine == (va ^ (key + (i % 100 == 0))),
		       "fork: a page of the child is wrong");
		EXPECT((mine == yours) == (i % 100 != 0), "fork: shared what was to be copied");
	}
	return NULL;
}

static const char *fork_round(struct load_count *count, unsigned number)
{
	struct load_space parent, child;
	uint64_t key = KEY(number);
	const char *wrong;

	begin(&parent);
	load_space_map(&parent, AT(0), 1000, true, 1);
	load_user_write(AT(0), 1000, 1, key);
	load_count_begin(count);
	load_space_fork(&child, &parent);
	load_space_switch(&child);
	load_user_write(AT(0), 10, 100, key + 1);
	load_count_end(count);
	wrong = fork_check(&parent, &child, key);
	load_count_begin(count);
	load_space_switch(&parent);
	load_space_destroy(&child);
	load_count_end(count);
	if (!wrong && load_user_read(AT(0), 1000, 1, key))
		wrong = "fork: the parent does not find its pages";
	end(&parent);
	return wrong;
}

/* ---- exec: a new address space in the place of the old, of which 40 pages are touched ---- */

static const char *exec_round(struct load_count *count, unsigned number)
{
	struct load_space old, new;
	uint64_t key = KEY(number), wrong;

	begin(&old);
	load_space_map(&old, AT(0), 64, true, 1);
	load_user_write(AT(0), 64, 1, key);
	load_count_begin(count);
	load_space_create(&new);
	load_space_map(&new, AT(0), 32, false, 1);
	load_space_map(&new, AT(1), 16, true, 1);
	load_space_map(&new, AT(511), 8, true, 1);
	load_space_switch(&new);
	load_space_destroy(&old);
	wrong = load_user_read_zero(AT(0), 20, 1);
	load_user_write(AT(1), 12, 1, key);
	load_user_write(AT(511), 8, 1, key);
	load_count_end(count);
	wrong += load_user_read(AT(1), 12, 1, key) + load_user_read(AT(511), 8, 1, key);
	end(&new);
	return wrong ? "exec: the new space does not hold what was written" : NULL;
}

/* ---- map, touch, unmap ---- */

static const char *map_round(struct load_count *count, unsigned number, uint32_t around, bool unmap)
{
	struct load_space space;
	uint64_t key = KEY(number), faults = load_this_cpu()->faults, wrong;
	bool gone;

	begin(&space);
	load_count_begin(count);
	load_space_map(&space, AT(0), 512, true, around);
	load_user_write(AT(0), 512, 1, key);
	load_count_end(count);
	wrong = load_user_read(AT(0), 512, 1, key);
	faults = load_this_cpu()->faults - faults;
	if (unmap)
		load_count_begin(count);
	load_space_unmap(&space, AT(0));
	if (unmap)
		load_count_end(count);
	gone = !load_space_page(&space, AT(0)) && !load_space_page(&space, AT(0) + 511 * PAGE_SIZE);
	/* What is mapped there next is zero: nothing of the old is seen. */
	load_space_map(&space, AT(0), 512, true, 16);
	wrong += load_user_read_zero(AT(0), 512, 1);
	end(&space);
	EXPECT(faults == 512 / around, "map: not one fault for each page, or group of pages");
	EXPECT(gone, "map: an unmapped page is still there");
	return wrong ? "map: a page does not hold what was written" : NULL;
}

static const char *map512_round(struct load_count *count, unsigned number)
{
	return map_round(count, number, 1, true);
}

static const char *around_round(struct load_count *count, unsigned number)
{
	return map_round(count, number, 16, true);
}

static const char *demand_round(struct load_count *count, unsigned number)
{
	return map_round(count, number, 1, false);
}

/* ---- protect 256 pages and back, touching all ---- */

static const char *protect_round(struct load_count *count, unsigned number)
{
	struct load_space space;
	uint64_t key = KEY(number), faults, wrong;

	begin(&space);
	load_space_map(&space, AT(0), 256, true, 1);
	load_user_write(AT(0), 256, 1, key);
	faults = load_this_cpu()->faults;
	load_count_begin(count);
	load_space_protect(&space, AT(0), 256, false);
	wrong = load_user_read(AT(0), 256, 1, key);
	load_space_protect(&space, AT(0), 256, true);
	load_user_write(AT(0), 256, 1, key + 1);
	load_count_end(count);
	faults = load_this_cpu()->faults - faults;
	wrong += load_user_read(AT(0), 256, 1, key + 1);
	/* And read-only is read-only: a write there is a fault, which makes the page writable. */
	load_space_protect(&space, AT(0), 256, false);
	wrong += load_this_cpu()->faults;
	load_user_write(AT(0), 256, 1, key);
	wrong += 256 - load_this_cpu()->faults;
	end(&space);
	EXPECT(!faults, "mprotect: a touch that the entry allows has faulted");
	return wrong ? "mprotect: a page is wrong, or could be written while read-only" : NULL;
}

/* ---- switches: each of 2 to 16 address spaces in turn ---- */

#define SPACES 16
#define SWITCHES (SPACES * (SPACES + 1) / 2 - 1)

static struct load_space turns[MAX_CPUS][SPACES];

static const char *switch_round(struct load_count *count, unsigned number)
{
	struct load_space *space = turns[this_cpu()->index];
	uint64_t key = KEY(number), wrong = 0;

	for (unsigned i = 0; i < SPACES; i++) {
		begin(&space[i]);
		load_space_map(&space[i], AT(0), 4, true, 1);
		load_user_write(AT(0), 4, 1, key + i);
	}
	/* Each has been here once with its pages. */
	for (unsigned i = 0; i < SPACES; i++) {
		load_space_switch(&space[i]);
		wrong += load_user_read(AT(0), 4, 1, key + i);
	}
	load_count_begin(count);
	for (unsigned n = 2; n <= SPACES; n++)
		for (unsigned i = 0; i < n; i++) {
			load_space_switch(&space[i]);
			wrong += load_user_read(AT(0), 1, 1, key + i);
		}
	load_count_end(count);
	load_space_switch(NULL);
	for (unsigned i = 0; i < SPACES; i++)
		load_space_destroy(&space[i]);
	return wrong ? "switch: a page of another address space was seen" : NULL;
}

/* ---- touching what is mapped ---- */

static const char *touch_round(struct load_count *count, unsigned number)
{
	struct load_space space;
	uint64_t key = KEY(number), faults = load_this_cpu()->faults, wrong;

	begin(&space);
	load_space_map(&space, AT(0), 512, true, 1);
	load_space_populate(&space, AT(0));
	load_space_switch(&space);
	load_count_begin(count);
	load_user_write(AT(0), 512, 1, key);
	load_count_end(count);
	wrong = load_user_read(AT(0), 512, 1, key) + load_this_cpu()->faults - faults;
	end(&space);
	return wrong ? "touch: a mapped page faulted or is wrong" : NULL;
}

/* ---- copies on write: the 100 pages that a child shares with its parent ---- */

static const char *cow_round(struct load_count *count, unsigned number)
{
	struct load_space parent, child;
	uint64_t key = KEY(number), wrong;

	begin(&parent);
	load_space_map(&parent, AT(0), 100, true, 1);
	load_user_write(AT(0), 100, 1, key);
	load_space_fork(&child, &parent);
	load_space_switch(&child);
	wrong = load_user_read(AT(0), 100, 1, key);
	load_count_begin(count);
	load_user_write(AT(0), 100, 1, key + 1);
	load_count_end(count);
	wrong += load_user_read(AT(0), 100, 1, key + 1);
	load_space_switch(&parent);
	wrong += load_user_read(AT(0), 100, 1, key);
	load_space_destroy(&child);
	end(&parent);
	return wrong ? "cow: a write was seen in the other space, or lost" : NULL;
}

/* ---- reclaim: 64 pages are taken away; those that were written since they were last saved are known ---- */

static void forget_dirty(const struct load_space *space)
{
	for (unsigned i = 0; i < 64; i++) {
		uint64_t *entry = load_space_entry(space, AT(0) + i * PAGE_SIZE, false);

		table_swap(entry, *entry & ~(PTE_A | PTE_D));
	}
	table_flush_range(AT(0), 64);
}

/* Returns how many of them D says something wrong about. */
static uint64_t take_pages(const struct load_space *space, uint64_t *taken)
{
	uint64_t wrong = 0;

	for (unsigned i = 0; i < 64; i++)
		taken[i] = table_swap(load_space_entry(space, AT(0) + i * PAGE_SIZE, false), 0);
	table_flush_range(AT(0), 64);
	for (unsigned i = 0; i < 64; i++)
		wrong += (taken[i] & (PTE_A | PTE_D)) != (i % 4 ? PTE_A : PTE_A | PTE_D);
	return wrong;
}

static const char *reclaim_round(struct load_count *count, unsigned number)
{
	static uint64_t taken[MAX_CPUS][64];
	struct load_space space;
	uint64_t key = KEY(number), *mine = taken[this_cpu()->index], wrong;

	begin(&space);
	load_space_map(&space, AT(0), 64, true, 1);
	load_user_write(AT(0), 64, 1, key);
	forget_dirty(&space);
	wrong = load_user_read(AT(0), 64, 1, key);
	load_user_write(AT(0), 16, 4, key + 1);
	load_count_begin(count);
	wrong += take_pages(&space, mine);
	load_count_end(count);
	for (unsigned i = 0; i < 64; i++)
		table_set(load_space_entry(&space, AT(0) + i * PAGE_SIZE, false), mine[i]);
	wrong += load_user_read(AT(0), 16, 4, key + 1);
	wrong += load_user_read(AT(0) + PAGE_SIZE, 16, 4, key);
	end(&space);
	return wrong ? "reclaim: a page is wrong, or D of its entry" : NULL;
}

const struct load_op load_ops[] = {
	{ "fork", 1, fork_round },	     { "exec", 1, exec_round },
	{ "map512", 1, map512_round },	     { "map512_around16", 1, around_round },
	{ "mprotect256", 1, protect_round }, { "switch", SWITCHES, switch_round },
	{ "touch_mapped", 1, touch_round },  { "demand", 512, demand_round },
	{ "cow", 100, cow_round },	     { "reclaim64", 1, reclaim_round },
	{ "mix", 1, load_mix_round },
};
const unsigned load_op_count = ARRAY_SIZE(load_ops);
