/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Seeded bugs of the guest half: mistakes for trying whether the tests find them. They exist in test builds
 * (PVROM_TEST) only, and there only while pvrom_mmu_guest_bug names one.
 */
#ifndef PVROM_MMU_GUEST_BUGS_H
#define PVROM_MMU_GUEST_BUGS_H

/* X(NAME, number, name for people, what the guest half does wrong) */
#define PVROM_MMU_GUEST_BUG_TABLE(X)                                                               \
	X(SWAP_SILENT, 1, "swap-silent", "an exchange has no word")                                \
	X(DONE_INNER, 2, "done-inner", "a store that interrupts another raises done over it")      \
	X(DONE_EARLY, 3, "done-early", "done is raised before the store")                          \
	X(RAISE_SLOW, 4, "raise-slow", "an index is raised by a load and a store")                 \
	X(EXTEND_PAGE, 5, "extend-page", "a word takes in the first entry of the next page")       \
	X(EXTEND_DONE, 6, "extend-done", "a word is extended that may have been retired")          \
	X(SETTLE_NOT, 7, "settle-not", "a flush in a lazy section leaves done alone")              \
	X(FULL_DROPS, 8, "full-drops", "a store goes without a word when the ring is full")        \
	X(FULL_BLIND, 9, "full-blind", "words are put over others that are not retired")           \
	X(RANGE_ONCE, 10, "range-once", "a range ends where the host has to be asked again")       \
	X(RELEASE_SILENT, 11, "release-silent", "a released table has no word")                    \
	X(ROOT_OLD, 12, "root-old", "the filter walks the root of before the switch")              \
	X(NO_DIRTY, 13, "no-dirty", "D is not set for a hidden fault of a write")                  \
	X(NEVER_STUCK, 14, "never-stuck", "a hidden fault without progress comes again and again") \
	X(FILTER_P, 15, "filter-p", "P of the error code is what the shadow gave")                 \
	X(FILTER_RSVD, 16, "filter-rsvd", "reserved bits are not looked at")                       \
	X(FILTER_WP, 17, "filter-wp", "CR0.WP is taken for set")                                   \
	X(FILTER_SMEP, 18, "filter-smep", "CR4.SMEP is taken for clear")                           \
	X(FILTER_SMAP, 19, "filter-smap", "RFLAGS.AC does not matter")                             \
	X(FILTER_NX, 20, "filter-nx", "NX counts in the last level only")                          \
	X(FILTER_I, 21, "filter-i", "I is reported where the processor has neither NX nor SMEP")   \
	X(MAP_LEVEL, 22, "map-level", "the map has the wrong level")                               \
	X(STOP_FORGETS, 23, "stop-forgets", "the rings are taken for registered after the end")    \
	X(USE_SILENT, 24, "use-silent", "the map is not handed over")                              \
	X(MAP_KEEPS, 25, "map-keeps", "the map goes on to show a released table")                  \
	X(SEEN_EARLY, 26, "seen-early", "a host that polls is taken for one that has looked")

#ifdef PVROM_TEST
#include <stdint.h>
enum pvrom_mmu_guest_bug {
#define PVROM_MMU_GUEST_BUG_NAME_(NAME, number, name, text) PVROM_MMU_GUEST_BUG_##NAME = number,
	PVROM_MMU_GUEST_BUG_TABLE(PVROM_MMU_GUEST_BUG_NAME_)
#undef PVROM_MMU_GUEST_BUG_NAME_
};
/* The one that is switched on, 0 for none. */
extern uint32_t pvrom_mmu_guest_bug;
#define GUEST_BUG(NAME) (pvrom_mmu_guest_bug == PVROM_MMU_GUEST_BUG_##NAME)
#else
#define GUEST_BUG(NAME) 0
#endif

#endif
