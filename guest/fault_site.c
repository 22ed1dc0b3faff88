/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * From an address in the copy of the ROM back to the site, and to a name.
 */
#include "guest_internal.h"

/* No call has this number: a slot's is 16 bits. */
#define PVROM_CALL_NONE 0x10000

/* The offset of an address in the copy's text; false if it is not there. */
static bool text_offset(const struct pvrom_guest *guest, uintptr_t where,
			struct pvrom_rom_header *header, uint32_t *offset)
{
	uintptr_t at = where - (uintptr_t)guest->text;

	if (!guest->text || at >= guest->text_size)
		return false;
	pvrom_read_header(guest->text, header);
	*offset = (uint32_t)at;
	return at - header->text_offset < header->text_size;
}

/* The number of the call that the text at an offset serves, PVROM_CALL_NONE if it serves none. */
static uint32_t call_at(const struct pvrom_guest *guest, const struct pvrom_rom_header *header,
			uint32_t offset)
{
	struct pvrom_slot slot;
	uint32_t i;

	for (i = 0; i < header->slot_count; i++) {
		pvrom_read_slot(guest->text, header, i, &slot);
		if (offset - slot.text < slot.text_size)
			return slot.call;
	}
	return PVROM_CALL_NONE;
}

static uintptr_t site_address(const struct pvrom_site *site)
{
	return (uintptr_t)site + (uintptr_t)(int64_t)site->offset;
}

/*
 * The site that was left by a call whose return address *rsp is; of a jump, the call's only site: there the
 * stack is not looked at, for before a sysret it is the user's, and may be anything.
 */
static const struct pvrom_site *find_site(const struct pvrom_guest *guest, uint32_t call, bool jump,
					  uint64_t rsp)
{
	const struct pvrom_site *site, *found = NULL;
	size_t i;

	for (i = 0; i < guest->site_count; i++) {
		site = &guest->sites[i];
		if (site->call != call)
			continue;
		if (!jump) {
			if (site_address(site) + site->length == *(const uintptr_t *)(uintptr_t)rsp)
				return site;
		} else if (found) {
			return NULL;
		} else {
			found = site;
		}
	}
	return found;
}

/* A jump leaves no return address, so there the stack is the kernel's own and stays as it is. */
PVROM_COLD bool pvrom_guest_fault_site(const struct pvrom_guest *guest, uint64_t *rip,
				       uint64_t *rsp)
{
	const struct pvrom_call_info *info;
	const struct pvrom_site *site;
	struct pvrom_rom_header header;
	uint32_t offset, call;
	bool jump;

	if (!text_offset(guest, *rip, &header, &offset))
		return false;
	call = call_at(guest, &header, offset);
	info = pvrom_call_info(call);
	if (!info)
		return false;
	jump = info->flags & PVROM_CALL_JUMP;
	site = find_site(guest, call, jump, *rsp);
	if (!site)
		return false;
	*rip = site_address(site);
	if (!jump)
		*rsp += sizeof(uint64_t);
	return true;
}

PVROM_COLD const char *pvrom_guest_symbol(const struct pvrom_guest *guest, const void *where,
					  uint32_t *offset)
{
	struct pvrom_rom_header header;
	struct pvrom_symbol symbol;
	uint32_t at, i;

	if (!text_offset(guest, (uintptr_t)where, &header, &at))
		return NULL;
	for (i = 0; i < header.symbol_count; i++) {
		__builtin_memcpy(&symbol,
				 guest->text + header.symbol_offset + (size_t)i * sizeof(symbol),
				 sizeof(symbol));
		if (at - symbol.offset < symbol.size) {
			*offset = at - symbol.offset;
			return (const char *)guest->text + header.string_offset + symbol.name;
		}
	}
	return NULL;
}
