/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A page allocator that never touches a page before it is asked for, so that a
 * machine with much sparse memory costs nothing: ranges are cut from the
 * bottom, and only pages that come back go on a list.
 */
#include "memory.h"

#include "boot_record.h"
#include "console.h"
#include "cpu.h"

#define LOW_MEMORY 0x100000ull

struct free_range {
	uint64_t start, end;
};

struct free_page {
	struct free_page *next;
};

extern char kernel_start[], kernel_end[];

static struct free_range ranges[BOOT_RANGES * 2];
static unsigned range_count;
static struct free_page *returned;
static struct lock memory_lock;
static uint64_t usable_bytes, top;

static void range_add(uint64_t start, uint64_t end)
{
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start < end && range_count < ARRAY_SIZE(ranges))
		ranges[range_count++] = (struct free_range){ start, end };
}

/* Takes [start, end) away from every range, which may split one in two. */
static void range_remove(uint64_t start, uint64_t end)
{
	for (unsigned i = range_count; i-- > 0;) {
		struct free_range r = ranges[i];

		if (r.end <= start || end <= r.start)
			continue;
		ranges[i] = ranges[--range_count];
		range_add(r.start, start < r.start ? r.start : start);
		range_add(end > r.end ? r.end : end, r.end);
	}
}

void memory_init(void)
{
	for (unsigned i = 0; i < boot_record.range_count; i++) {
		const struct boot_range *r = &boot_record.ranges[i];

		if (r->type != RANGE_USABLE)
			continue;
		usable_bytes += r->size;
		top = r->start + r->size > top ? r->start + r->size : top;
		range_add(r->start, r->start + r->size);
	}
	range_remove(0, LOW_MEMORY);
	range_remove(ALIGN_DOWN((uint64_t)kernel_start, PAGE_SIZE), (uint64_t)kernel_end);
	for (unsigned i = 0; i < boot_record.module_count; i++) {
		const struct boot_module *m = &boot_record.modules[i];

		range_remove(ALIGN_DOWN(m->start, PAGE_SIZE), m->start + m->size);
	}
	if (!range_count)
		panic("the loader's memory map has no usable range above 1 MiB");
}

/* The lowest place that fits: page tables stay below 4 GiB while there is room. */
static uint64_t cut_from_ranges(uint64_t bytes, uint64_t align)
{
	struct free_range *best = NULL;
	uint64_t start;

	for (unsigned i = 0; i < range_count; i++) {
		struct free_range *r = &ranges[i];

		if (ALIGN_UP(r->start, align) + bytes <= r->end &&
		    (!best || r->start < best->start))
			best = r;
	}
	if (!best)
		return 0;
	start = ALIGN_UP(best->start, align);
	/* What alignment skipped is lost; a kernel that runs for seconds can afford it. */
	best->start = start + bytes;
	return start;
}

static void *take_locked(uint64_t pages, uint64_t align)
{
	struct free_page *page = returned;

	if (pages == 1 && align == PAGE_SIZE && page) {
		returned = page->next;
		return page;
	}
	return (void *)cut_from_ranges(pages * PAGE_SIZE, align);
}

void *memory_pages(uint64_t pages, uint64_t align)
{
	uint64_t flags = cpu_save_flags_cli();
	void *memory;

	lock_take(&memory_lock);
	memory = take_locked(pages, align);
	lock_release(&memory_lock);
	cpu_restore_flags(flags);
	if (!memory)
		panic("out of memory: no %lu pages in a row", pages);
	return memset(memory, 0, pages * PAGE_SIZE);
}

void *memory_page(void)
{
	return memory_pages(1, PAGE_SIZE);
}

void memory_free(void *page)
{
	struct free_page *p = page;
	uint64_t flags = cpu_save_flags_cli();

	lock_take(&memory_lock);
	p->next = returned;
	returned = p;
	lock_release(&memory_lock);
	cpu_restore_flags(flags);
}

uint64_t memory_usable_bytes(void)
{
	return usable_bytes;
}

uint64_t memory_top(void)
{
	return top;
}
