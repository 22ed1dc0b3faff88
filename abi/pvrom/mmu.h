/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The paravirtual MMU: page tables that guest and host build together, without write protection.
 *
 * A *registered* table page is an ordinary page of the guest, written by ordinary stores; the host
 * keeps shadows of it and does not watch it. Instead the guest *says* where it has written: each vCPU
 * has a ring, in guest memory, of words that point to changed entries. The host re-reads those
 * entries, each once, when it drains the ring: at every flush, switch of root and page fault that
 * it sees, on any vCPU, and at LAZY_END. A word is never more than "look there again".
 *
 * The rule for the guest is that of the processor's TLB, with one word more: whoever makes an entry
 * of a registered table stricter puts a word for it into the ring of the CPU he runs on and then flushes as
 * he would natively. An entry that was not present needs neither; a word for it makes the host fill it in
 * before it is touched, if its A bit is set (and writable if D is set too).
 */
#ifndef PVROM_MMU_H
#define PVROM_MMU_H

#include <pvrom/constants.h>

/*
 * The calls, with their arguments. INVALID and ADDRESS always mean that nothing has changed.
 *
 *	REGISTER_TABLE	page gpa, level and flags, gpa of the registered page it is a copy of or NONE
 *	RELEASE_TABLE	page gpa					BUSY: it is the root of a vCPU
 *	SET_ENTRY	gpa of the entry, value				INVALID: not in a registered page
 *	SWAP_ENTRY	gpa of the entry, value; returns the old one	likewise
 *	NOTIFY		gpa of the first entry, how many, all in one registered page
 *	ENTRIES		gpa of an array of words, how many; done in order, words that mean nothing left out
 *	RANGE		root and what to do, range, gpa of an array for the old entries (one for each page) or
 *			NONE, mask of vCPUs 0 to 63 to flush beside the caller; returns pages done
 *	SWITCH_ROOT	as a load of CR3, on this vCPU
 *	FLUSH_ONE	linear address; as INVLPG
 *	FLUSH_RANGE	range
 *	FLUSH_ALL	global pages too
 *	FLUSH_SET	base, mask (bit n is vCPU base + n; the caller may be one of them), range, PVROM_MMU_FLUSH_x;
 *			when it returns, all of them have flushed
 *	LAZY_END	drain the rings of all vCPUs
 *	RING		gpa of struct pvrom_mmu_ring, or NONE: none any more; PVROM_MMU_RING_x; for this vCPU
 *	FILL		linear address, PVROM_MMU_FILL_x	INVALID: the guest's tables do not allow it
 *	RESIDENT	range, PVROM_MMU_RESIDENT_x		NO_SPACE: the host cannot hold it
 *	FAULTS		1: page faults go straight to this vCPU; 0: not	NO_SPACE: as above; INVALID: the resident set
 *			is empty, or the root that is loaded is not registered
 *	MAP		gpa of bytes, number of the page that the first one is about, how many
 *
 * A call other than RANGE does all of its work at once: a host that finds too many changed entries in the
 * rings forgets what it has built instead, which is always right.
 */

/* A word of a ring, and of the array of ENTRIES: bits 2:0 say what it is. */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_MMU_WORD_MASK, 7)
/* Entries changed. Bits 51:3: gpa of the first; bits 63:52: how many more behind it, in the same page. */
PVROM_CONSTANT(PVROM_MMU_WORD_CHANGED, 0)
/* The page in bits 51:12 is a table now. Bits 4:3: level - 1; bit 5: it is all zero. */
PVROM_CONSTANT(PVROM_MMU_WORD_REGISTER, 1)
/* The page in bits 51:12 is no table any more. */
PVROM_CONSTANT(PVROM_MMU_WORD_RELEASE, 2)
/* The page of the REGISTER word just before it is a copy of the registered page in bits 51:12. */
PVROM_CONSTANT(PVROM_MMU_WORD_CLONE_OF, 3)
PVROM_CONSTANT(PVROM_MMU_WORD_LEVEL_SHIFT, 3)
PVROM_CONSTANT(PVROM_MMU_WORD_ZEROED, 0x20)
PVROM_CONSTANT(PVROM_MMU_WORD_MORE_SHIFT, 52)
PVROM_CONSTANTS_END

/* Where a call takes an address and there is none. */
#define PVROM_MMU_NONE PVROM_U64(0xffffffffffffffff)

PVROM_CONSTANTS_BEGIN
/* The ring: slots are a power of two in these bounds; the ring's gpa is a multiple of 64. */
PVROM_CONSTANT(PVROM_MMU_RING_SLOTS_MIN, 16)
PVROM_CONSTANT(PVROM_MMU_RING_SLOTS_MAX, 1024)
PVROM_CONSTANT(PVROM_MMU_RING_ALIGN, 64)
/* Offsets for assembler. */
PVROM_CONSTANT(PVROM_MMU_RING_START, 0x08)
PVROM_CONSTANT(PVROM_MMU_RING_DONE, 0x0c)
PVROM_CONSTANT(PVROM_MMU_RING_RETIRED, 0x10)
PVROM_CONSTANT(PVROM_MMU_RING_POLLED, 0x18)
PVROM_CONSTANT(PVROM_MMU_RING_WORDS, 0x40)

/* RING, argument 1: nothing, or this: the ring may be polled, and the guest knows what INVLPG means then. */
PVROM_CONSTANT(PVROM_MMU_RING_POLL, 1)

/* REGISTER_TABLE, argument 1: the level, 1 (of 4 KiB pages) to 4 (a root), and perhaps this: all zero. */
PVROM_CONSTANT(PVROM_MMU_TABLE_ZEROED, 0x100)

/* Most words in an array of ENTRIES; most bytes in a call of MAP. */
PVROM_CONSTANT(PVROM_MMU_ENTRIES_MAX, 512)
PVROM_CONSTANT(PVROM_MMU_MAP_MAX, 65536)

/*
 * A range of linear addresses in one word, where a call says "range": the first page in bits 63:12, the number
 * of further 4 KiB pages in bits 11:0. FLUSH_RANGE, FLUSH_SET, RANGE and RESIDENT take it.
 */
PVROM_CONSTANT(PVROM_MMU_RANGE_MAX, 4096)

/* RANGE, argument 0: the root's gpa in bits 51:12, and in bits 2:0 what to do: */
PVROM_CONSTANT(PVROM_MMU_RANGE_PROTECT, 0) /* clear W in the entries that map the range */
PVROM_CONSTANT(PVROM_MMU_RANGE_CLEAR, 1)   /* store 0 into them */
PVROM_CONSTANT(PVROM_MMU_RANGE_FLUSH, 2)   /* leave them; re-read and flush */
/* Pages that RANGE does before it returns CONTINUE. */
PVROM_CONSTANT(PVROM_MMU_RANGE_BOUND, 1024)

/* FLUSH_SET, argument 3. */
PVROM_CONSTANT(PVROM_MMU_FLUSH_PAGES, 0)      /* the range in argument 2 */
PVROM_CONSTANT(PVROM_MMU_FLUSH_NONGLOBAL, 1)  /* all but global pages, as a load of CR3 does */
PVROM_CONSTANT(PVROM_MMU_FLUSH_EVERYTHING, 2) /* global pages too */

/* FILL, argument 1: bits as in the error code of a page fault. */
PVROM_CONSTANT(PVROM_MMU_FILL_WRITE, 0x02)
PVROM_CONSTANT(PVROM_MMU_FILL_USER, 0x04)
PVROM_CONSTANT(PVROM_MMU_FILL_FETCH, 0x10)

/* RESIDENT, argument 1. */
PVROM_CONSTANT(PVROM_MMU_RESIDENT_ADD, 0)
PVROM_CONSTANT(PVROM_MMU_RESIDENT_DROP, 1)     /* a range that was added, in the same words */
PVROM_CONSTANT(PVROM_MMU_RESIDENT_DROP_ALL, 2) /* all of them; argument 0 is not looked at */
/* Most ranges at a time, and most pages of all of them together: what a host may have to look through at one call. */
PVROM_CONSTANT(PVROM_MMU_RESIDENT_MAX, 128)
PVROM_CONSTANT(PVROM_MMU_RESIDENT_PAGES_MAX, 65536)

/*
 * A byte of the map of MAP, one for each page of guest memory: bit 0: a table; bits 2:1: level - 1. Bit and level are
 * in a byte of their own so that a CPU writes them by one plain store: pages that share a byte, as in a map of bits
 * alone, would want a locked instruction for each table that comes or goes.
 */
PVROM_CONSTANT(PVROM_MMU_MAP_TABLE, 0x01)
PVROM_CONSTANT(PVROM_MMU_MAP_LEVEL_SHIFT, 1)
PVROM_CONSTANTS_END

#ifndef __ASSEMBLER__
/*
 * The ring of one vCPU: this header, and behind it `slots` words of 64 bits. The indices run freely (they
 * wrap at 2^32); the word of index i stands in slot i mod slots. Registered with RING on that vCPU.
 *
 *	0x00	slots		guest, before RING		a power of two
 *	0x04	reserved0	guest, before RING		zero
 *	0x08	start		guest	words before it are there
 *	0x0c	done		guest	the stores that words before it announce are done
 *	0x10	retired		host	slots of words before it are free again
 *	0x14	refused		host	words that meant nothing, since RING; it wraps
 *	0x18	polled		host	1: one of its CPUs looks at this ring all the time
 *	0x1c	reserved1	guest, before RING		zero
 *	0x20	reserved2[4]	guest, before RING		zero
 *	0x40
 *
 * To change an entry the guest, with preemption off: (1) waits until start - retired < slots (LAZY_END
 * makes room), (2) writes the word into its slot, (3) raises start, (4) stores the entry, (5) raises
 * done. Each is one store, in this order; nothing more than the processor's order of stores is needed.
 * (2) and (3) may change places. Several stores may be announced together.
 *
 * Rings of different vCPUs have no order among them. Where words for one page come on two vCPUs and their order
 * matters (REGISTER on one, RELEASE on the other), a drain stands between: any call of this group, on any vCPU.
 *
 * The host retires words before done. CHANGED words from done to start it handles too, without retiring
 * them, so that they are handled again when their stores are done: a drain in between loses nothing.
 * An interrupt in between may add words, but leaves raising done to the code that it interrupted.
 *
 * Where `polled` is 1 the words before done are handled soon, without any call. A vCPU that takes its own page
 * faults then waits until `retired` has passed its words, and need make no call for an entry that was not present,
 * and only execute INVLPG for one that was, if no other vCPU may have it in its TLB. INVLPG on such a vCPU flushes
 * its TLB and is otherwise unknown to the host; for entries of tables that are not registered, and for words of
 * other vCPUs, there is FLUSH_ONE. The guest waits for a bounded time, and then makes the call: a host may stop
 * looking whenever it likes, and then writes 0.
 */
struct pvrom_mmu_ring {
	uint32_t slots;
	uint32_t reserved0;
	uint32_t start;
	uint32_t done;
	uint32_t retired;
	uint32_t refused;
	uint32_t polled;
	uint32_t reserved1;
	uint64_t reserved2[4];
};
PVROM_OFFSET_IS(pvrom_mmu_ring, slots, 0x00);
PVROM_OFFSET_IS(pvrom_mmu_ring, reserved0, 0x04);
PVROM_OFFSET_IS(pvrom_mmu_ring, start, PVROM_MMU_RING_START);
PVROM_OFFSET_IS(pvrom_mmu_ring, done, PVROM_MMU_RING_DONE);
PVROM_OFFSET_IS(pvrom_mmu_ring, retired, PVROM_MMU_RING_RETIRED);
PVROM_OFFSET_IS(pvrom_mmu_ring, refused, 0x14);
PVROM_OFFSET_IS(pvrom_mmu_ring, polled, PVROM_MMU_RING_POLLED);
PVROM_OFFSET_IS(pvrom_mmu_ring, reserved1, 0x1c);
PVROM_OFFSET_IS(pvrom_mmu_ring, reserved2, 0x20);
PVROM_SIZE_IS(pvrom_mmu_ring, PVROM_MMU_RING_WORDS);
#endif

#endif
