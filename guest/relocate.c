/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Relocates the checked copy: how this kernel finds the vCPU area, and how it returns.
 *
 * Encodings: Intel SDM vol. 2, 2.1.1 (segment prefixes) and 2.1.5 (ModRM and SIB). In the image an access
 * to the area is %gs:disp32, that is prefix 65, ModRM mod 00 rm 100, SIB 25, disp32.
 */
#include "guest_internal.h"

static void store32(uint8_t *to, uint32_t value)
{
	__builtin_memcpy(to, &value, sizeof(value));
}

/* Through a register there is no segment; the place is filled with a prefix that does nothing. */
static void relocate_segment(const struct pvrom_policy *policy, uint8_t *at)
{
	if (policy->percpu == PVROM_PERCPU_FS)
		*at = 0x64;
	else if (policy->percpu == PVROM_PERCPU_REGISTER)
		*at = 0x2e;
}

static void relocate_address(const struct pvrom_policy *policy, uint8_t *at, uint32_t addend)
{
	uint32_t base = (uint32_t)policy->percpu_offset;

	if (policy->percpu == PVROM_PERCPU_REGISTER) {
		at[0] |= 0x80;
		at[1] = (uint8_t)(0x20 | (base & 7)); /* no index */
		base = 0;
	}
	store32(at + 2, base + addend);
}

static bool relocate_return(const struct pvrom_policy *policy, uint8_t *at)
{
	int64_t distance = (int64_t)((uintptr_t)policy->return_thunk - ((uintptr_t)at + 5));

	if (!policy->return_thunk)
		return true;
	if (distance != (int32_t)distance)
		return false;
	at[0] = 0xe9;
	store32(at + 1, (uint32_t)distance);
	return true;
}

static bool relocate_one(const struct pvrom_guest *guest, uint8_t *copy,
			 const struct pvrom_reloc *reloc)
{
	const struct pvrom_policy *policy = guest->policy;

	if (reloc->kind == PVROM_RELOC_SEGMENT)
		relocate_segment(policy, copy + reloc->offset);
	else if (reloc->kind == PVROM_RELOC_ADDRESS)
		relocate_address(policy, copy + reloc->offset, reloc->addend);
	else
		return relocate_return(policy, copy + reloc->offset);
	return true;
}

/* Only what belongs to a slot of a known call was checked, and only that is relocated. */
bool pvrom_relocate(const struct pvrom_guest *guest, uint8_t *copy)
{
	struct pvrom_rom_header header;
	struct pvrom_reloc reloc;
	struct pvrom_slot slot;
	uint32_t i, r;

	pvrom_read_header(copy, &header);
	for (i = 0; i < header.slot_count; i++) {
		pvrom_read_slot(copy, &header, i, &slot);
		for (r = 0; pvrom_call_info(slot.call) && r < slot.reloc_count; r++) {
			pvrom_read_reloc(copy, &header, (uint32_t)slot.reloc_first + r, &reloc);
			if (!relocate_one(guest, copy, &reloc))
				return false;
		}
	}
	return true;
}

bool pvrom_slot_needs_area(const uint8_t *copy, const struct pvrom_rom_header *header,
			   const struct pvrom_slot *slot)
{
	struct pvrom_reloc reloc;
	uint32_t r;

	for (r = 0; r < slot->reloc_count; r++) {
		pvrom_read_reloc(copy, header, (uint32_t)slot->reloc_first + r, &reloc);
		if (reloc.kind != PVROM_RELOC_RETURN)
			return true;
	}
	return false;
}
