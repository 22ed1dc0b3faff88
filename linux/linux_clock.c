/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The clock page, and a clocksource that reads it. Its rating is below that of a good TSC, because Linux reads
 * the TSC in user mode and foreign clocksources by a system call; where the TSC is not good it is preferred.
 */
#include "linux_module.h"

#include <linux/clocksource.h>
#include <linux/gfp.h>
#include <linux/module.h>

/* The host's page, and a copy for the time after the host let go of it. Each is a page of its own. */
static struct pvrom_clock_page *page, *copy;
static bool registered;
static bool lost; /* the host did not give the page back, and may write to it until it does */
/* The clocksource is the page's time and this: a page that comes again, maybe from another host, goes on from the copy. */
static u64 offset;
static bool follow; /* offset is the page's that is registered; else the copy is read */

/* Linux goes back by itself to the last value that it saw if the copy is a little behind. */
static u64 read_source(struct clocksource *source)
{
	/* Behind it offset is what belongs to the page: partner of follow_page(). */
	u64 ns = likely(smp_load_acquire(&follow)) ? pvrom_clock_page_monotonic(page)
						   : PVROM_CLOCK_NONE;

	return likely(ns != PVROM_CLOCK_NONE) ? ns + offset : pvrom_clock_page_monotonic(copy);
}

static struct clocksource source = {
	.name = "pvrom",
	.rating = 299,
	.read = read_source,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
	.owner = THIS_MODULE,
};
static bool source_registered;

struct clocksource *linux_clock_source(void)
{
	return &source;
}

u64 linux_clock_cycles(u64 monotonic_ns)
{
	return monotonic_ns + offset;
}

/* The monotonic function alone, out of one state of the page; readers of the copy see its own counter. */
static bool read_function(struct pvrom_clock_page *to)
{
	uint32_t before = READ_ONCE(page->seq_count);

	smp_rmb();
	to->clock_magic = page->clock_magic;
	to->clock_flags = page->clock_flags & PVROM_CLOCK_KEPT;
	to->mono_shift = page->mono_shift;
	to->mono_tsc = page->mono_tsc;
	to->mono_period = page->mono_period;
	to->mono_ns = page->mono_ns + offset;
	to->mono_low = page->mono_low;
	smp_rmb();
	return !(before & 1) && READ_ONCE(page->seq_count) == before && to->clock_flags;
}

static void refresh_copy(void)
{
	static struct pvrom_clock_page now;
	uint32_t tries = 0;

	while (!read_function(&now))
		if (++tries == 1000)
			return;
	now.seq_count = READ_ONCE(copy->seq_count) + 1;
	WRITE_ONCE(copy->seq_count, now.seq_count);
	smp_wmb();
	*copy = now;
	smp_wmb();
	WRITE_ONCE(copy->seq_count, now.seq_count + 1);
}

static uint32_t call_page(uint64_t gpa)
{
	return pvrom_call(&linux_pvrom->guest, PVROM_CLOCK_PAGE, gpa, PVROM_CLOCK_PAGE_SIZE, 0, 0,
			  NULL);
}

/* The page is read first, so that its time is never before the copy's. The first page has no copy before it. */
static void follow_page(void)
{
	u64 theirs = pvrom_clock_page_monotonic(page), ours = pvrom_clock_page_monotonic(copy);

	if (ours != PVROM_CLOCK_NONE && theirs != PVROM_CLOCK_NONE)
		offset = ours - theirs;
	smp_store_release(&follow, true);
}

static void register_page(void)
{
	uint32_t status = call_page(virt_to_phys(page));

	registered = status == PVROM_STATUS_OK;
	if (registered)
		follow_page();
	else
		pr_warn_once("no clock page: %s\n", pvrom_status_words(status));
}

/* A set without the clock releases the page. Only a page that can be read becomes a clocksource. */
void linux_clock_settle(void)
{
	if (!(linux_pvrom->guest.granted & PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK)))
		registered = follow = false;
	else if (!registered)
		register_page();
	if (!registered)
		return;
	refresh_copy();
	if (!source_registered && pvrom_clock_page_monotonic(copy) != PVROM_CLOCK_NONE)
		source_registered = !clocksource_register_hz(&source, NSEC_PER_SEC);
}

int linux_clock_start(void)
{
	page = (struct pvrom_clock_page *)get_zeroed_page(GFP_KERNEL);
	copy = (struct pvrom_clock_page *)get_zeroed_page(GFP_KERNEL);
	if (page && copy) {
		linux_clock_settle();
		return 0;
	}
	free_page((unsigned long)page);
	free_page((unsigned long)copy);
	return -ENOMEM;
}

void linux_clock_release(void)
{
	if (registered)
		lost = call_page(PVROM_CLOCK_PAGE_NONE) != PVROM_STATUS_OK;
	registered = follow = false;
}

/* The host writes no more to what is saved, and the copy is what time goes on by. */
int linux_clock_suspend(void)
{
	if (registered)
		refresh_copy();
	linux_clock_release();
	return lost ? -EBUSY : 0;
}

/* A page alone; a clocksource that is not there yet waits for the next look. */
void linux_clock_resume(void)
{
	if (linux_pvrom->guest.granted & PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK))
		register_page();
	if (registered)
		refresh_copy();
}

/* The clocksource is in nobody's use, or the module would not be unloaded. */
void linux_clock_stop(void)
{
	if (source_registered)
		clocksource_unregister(&source);
	source_registered = false;
	linux_clock_release();
	if (!lost)
		free_page((unsigned long)page);
	free_page((unsigned long)copy);
}

bool linux_clock_is_kept(void)
{
	return registered;
}

uint32_t linux_clock_read(struct pvrom_clock_reading *reading)
{
	return pvrom_clock_page_read(page, reading);
}
