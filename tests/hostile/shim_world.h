/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A kernel and a host for the guest shim, made of arrays: what the shim's instructions and the kernel's
 * functions would do, done here. The host is honest unless it is given lies to tell.
 *
 *	kernel text	a buffer of bytes in which call sites lie, each with its record
 *	the copy	comes from a pool beside it, with guards around
 *	physical memory	the option ROM window, and wherever a ROM was put; kernel memory is at its own address
 */
#ifndef TESTS_SHIM_WORLD_H
#define TESTS_SHIM_WORLD_H

#include <pvrom/guest.h>

#include "rom_make.h"

#define SHIM_TEXT 2048
#define SHIM_SITES 32
#define SHIM_CPUID_BASE 0x40000100u
#define SHIM_ROM_GPA 0x7f000000u

struct shim_world {
	struct pvrom_guest guest;
	struct pvrom_policy policy;
	uint8_t allowed[2][PVROM_DIGEST_SIZE];
	/* Without padding after it, so that what is written beyond its end is seen. */
	uint8_t text[SHIM_TEXT], text_before[SHIM_TEXT];
	struct pvrom_site sites[SHIM_SITES];
	uint32_t site_count;
	uint8_t rom[ROM_ROOM], other_rom[ROM_ROOM];
	size_t rom_size, other_size;
	/* Where a ROM is: routes 1 to 4 as bits 1 to 4, and other_rom as bits 5 to 7 for routes 2 to 4. */
	uint8_t places;
	struct rom_choice choice;

	/* The host. */
	struct input *lies; /* NULL: it is honest */
	uint64_t epoch, offered, sealed, pending;
	uint8_t moves_epoch; /* so often between a query and what follows */
	uint32_t nonce;
	bool leaf_shown, port_right;

	/* The kernel. */
	uint32_t maps, allocs, rendezvous, writes;
	uint8_t fail_write; /* this write of text fails, and no other; 0: none */
	uint8_t fail_seal;
	bool broken_write; /* a write failed while sites were made native: they may stay as they are */
	uint8_t *copy;	   /* the copy that is sealed */
	size_t copy_size;
	uint32_t copy_sum;
	bool in_rendezvous;
	bool writes_too_much, forgets_writes, writes_the_copy; /* planted faults */
};

extern struct shim_world *shim;

/* A machine from the bytes of an input; ROM, sites and policy are sound. */
void shim_setup(struct shim_world *world, struct input *in);
/* PROMISE: what must hold after any function of the shim has returned. */
void shim_check(struct shim_world *world);
/* PROMISE: no byte of the text differs from what it was. */
void shim_check_native(const struct shim_world *world);

#endif
