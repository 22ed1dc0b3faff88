/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Seeded bugs of the shadow engine: mistakes for trying whether the tests find them. They exist in test
 * builds (PVROM_TEST) only, and there only while pvrom_mmu_bug names one.
 */
#ifndef PVROM_MMU_BUGS_H
#define PVROM_MMU_BUGS_H

/* X(NAME, number, name for people, what the engine does wrong) */
#define PVROM_MMU_BUG_TABLE(X)                                                                     \
	X(LOST_A, 1, "lost-a", "A of upper entries is not set")                                    \
	X(LOST_D, 2, "lost-d", "D is not set by a write")                                          \
	X(STALE_LEAF, 3, "stale-leaf", "an entry that was unmapped stays in the shadow")           \
	X(LARGE_USER, 4, "large-user", "the parts of a large page are all for user mode")          \
	X(RECLAIM_PARENT, 5, "reclaim-parent", "a page taken back is still pointed to")            \
	X(LARGE_NX, 6, "large-nx", "the parts of a large page may all be executed")                \
	X(RESERVED_BITS, 7, "reserved-bits", "reserved bits of large pages are not looked at")     \
	X(WP_IGNORED, 8, "wp-ignored", "CR0.WP is taken for set")                                  \
	X(NOT_WATCHED, 9, "not-watched", "a write to a watched table does not put it out of sync") \
	X(RETIRE_EARLY, 10, "retire-early", "words are retired before their stores are done")      \
	X(MORE_IGNORED, 11, "more-ignored", "of several changed entries only the first is read")   \
	X(RELEASE_KEEPS, 12, "release-keeps", "a released table's shadow lives on")                \
	X(FILL_WITHOUT_A, 13, "fill-without-a", "entries with A clear are filled ahead")           \
	X(WRITE_WITHOUT_D, 14, "write-without-d", "a page may be written before D is set")         \
	X(GIB_OFFSET, 15, "gib-offset", "parts of a 1 GiB page repeat its first 2 MiB")            \
	X(OTHER_RINGS, 16, "other-rings", "a flush drains the ring of its own CPU only")           \
	X(ERROR_USER, 17, "error-user", "injected faults lose the user bit")                       \
	X(SYNC_SHORT, 18, "sync-short", "a table that is read again loses its last entry")         \
	X(RANGE_SHADOW, 19, "range-shadow", "protecting a range leaves the shadow as it is")       \
	X(CLONE_BLIND, 20, "clone-blind", "a clone's shadow copies the template's entries")        \
	X(LINK_BLIND, 21, "link-blind", "an old table is linked to again without a look")          \
	X(ROM_WRITABLE, 22, "rom-writable", "a page of a ROM may be written")                      \
	X(POLL_BLIND, 23, "poll-blind", "polling retires words without a look")                    \
	/* Flushes left out: only a TLB can tell. */                                               \
	X(FLUSH_GONE, 32, "flush-gone", "no flush when an entry goes")                             \
	X(FLUSH_STRICT, 33, "flush-strict", "no flush when an entry loses a right")                \
	X(FLUSH_MOVED, 34, "flush-moved", "no flush when an entry points elsewhere")               \
	X(FLUSH_OTHERS, 35, "flush-others", "FLUSH_SET flushes the caller alone")                  \
	X(FLUSH_WATCH, 36, "flush-watch", "no flush when a table begins to be watched")            \
	X(FLUSH_REUSE, 37, "flush-reuse", "no flush before a shadow page is used again")           \
	X(FLUSH_ROOT, 38, "flush-root", "no flush at a switch of root")                            \
	X(FLUSH_MODE, 39, "flush-mode", "global entries survive a change of CR0 or CR4")           \
	X(FLUSH_GLOBAL, 40, "flush-global", "what changed is flushed, but for global entries")     \
	X(FLUSH_RANGE, 41, "flush-range", "RANGE flushes the caller alone")                        \
	X(FLUSH_NX, 42, "flush-nx", "no flush when an entry gets NX")

#ifdef PVROM_TEST
#include <stdint.h>
enum pvrom_mmu_bug {
#define PVROM_MMU_BUG_NAME_(NAME, number, name, text) PVROM_MMU_BUG_##NAME = number,
	PVROM_MMU_BUG_TABLE(PVROM_MMU_BUG_NAME_)
#undef PVROM_MMU_BUG_NAME_
};
/* The one that is switched on, 0 for none. */
extern uint32_t pvrom_mmu_bug;
#define BUG(NAME) (pvrom_mmu_bug == PVROM_MMU_BUG_##NAME)
#define ANY_BUG (pvrom_mmu_bug != 0)
#else
#define BUG(NAME) 0
#define ANY_BUG 0
#endif

#endif
