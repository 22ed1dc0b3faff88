/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the shim know of each other, under the names of the files.
 */
#ifndef PVROM_GUEST_INTERNAL_H
#define PVROM_GUEST_INTERNAL_H

#include <pvrom/abi.h>
#include <pvrom/guest.h>
#include <pvrom/kernel_api.h>

#include "../digest/digest.h"

/* How often the shim asks again when the epoch moves under it: a host that moves it faster than
 * a guest can answer is taken for broken. */
#define PVROM_STALE_TRIES 8

/* Most of the shim runs once a boot: the compiler shall make it small, not fast. Static functions
 * that only cold ones call are cold by themselves. */
#define PVROM_COLD __attribute__((cold))
/* Called at one place, and smaller all the same if the compiler leaves it a function. */
#define PVROM_APART __attribute__((__noinline__))

/* insn.c: the only file with instructions that a hypervisor sees. Tests put others in its place. */
PVROM_COLD void pvrom_insn_cpuid(uint32_t leaf, uint32_t regs[4]); /* eax ebx ecx edx; subleaf 0 */
PVROM_COLD uint32_t pvrom_insn_in32(uint16_t port);
PVROM_COLD void pvrom_insn_out32(uint16_t port, uint32_t value);
PVROM_COLD uint32_t pvrom_insn_nonce(void); /* not 0, and another one each time */
PVROM_COLD uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
					 const uint64_t arg[4], uint64_t *value);

/* call_info.c: the table of calls as data. */
struct pvrom_call_info {
	uint16_t regs;	    /* PVROM_RAX ... that the native form changes */
	uint8_t feature;    /* PVROM_FEATURE_x, or PVROM_FEATURE_NONE for base calls */
	uint8_t flags : 6;  /* PVROM_CALL_x */
	uint8_t native : 2; /* PVROM_NATIVE_x */
};
#define PVROM_COUNT_ONE_(GROUP, NAME, number, feature, args, native, flags, regs, insn, text) +1
enum { PVROM_FEATURE_NONE = 0xff, PVROM_CALL_COUNT = 0 PVROM_CALL_TABLE(PVROM_COUNT_ONE_) };
extern const struct pvrom_call_info pvrom_call_table[PVROM_CALL_COUNT];
PVROM_COLD const struct pvrom_call_info *pvrom_call_info(uint32_t call); /* NULL if there is none */

/* check.c */
PVROM_COLD uint32_t pvrom_check_image(const uint8_t *rom, size_t size);
PVROM_COLD void pvrom_copy_bytes(void *to, const void *from, size_t size);
PVROM_COLD void pvrom_read_header(const uint8_t *rom, struct pvrom_rom_header *header);
PVROM_COLD void pvrom_read_slot(const uint8_t *rom, const struct pvrom_rom_header *header,
				uint32_t index, struct pvrom_slot *slot);
PVROM_COLD void pvrom_read_reloc(const uint8_t *rom, const struct pvrom_rom_header *header,
				 uint32_t index, struct pvrom_reloc *reloc);
PVROM_COLD bool pvrom_size_is_valid(uint64_t size); /* of a ROM image */
PVROM_COLD bool pvrom_transport_is_valid(uint32_t transport, uint32_t port);

/* load.c: as pvrom_guest_load(), but leaves the transport alone. */
PVROM_COLD uint32_t pvrom_load_copy(struct pvrom_guest *guest);
PVROM_COLD void pvrom_drop_copy(struct pvrom_guest *guest);

/* relocate.c: false if the return thunk is out of reach. */
PVROM_COLD bool pvrom_relocate(const struct pvrom_guest *guest, uint8_t *copy);
PVROM_COLD bool pvrom_slot_needs_area(const uint8_t *copy, const struct pvrom_rom_header *header,
				      const struct pvrom_slot *slot);

/* session.c */
PVROM_COLD bool pvrom_is_rom_of(const struct pvrom_guest *guest, const struct pvrom_negotiation *n);

/* propose.c */
PVROM_COLD uint32_t pvrom_commit(struct pvrom_guest *guest, uint64_t features);
PVROM_COLD void pvrom_commit_nothing(struct pvrom_guest *guest);

#endif
