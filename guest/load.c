/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Copies the ROM once, and from then on looks at the copy only: checks, hashes, relocates, seals it.
 */
#include "guest_internal.h"

/* The second reading is for nothing but to notice a ROM that changes; it decides nothing else.
 * volatile: each byte is read from the host's memory exactly once a pass. */
static bool copy_twice(uint8_t *to, const void *rom, size_t size)
{
	const volatile uint8_t *from = (const volatile uint8_t *)rom;
	uint32_t changed = 0;
	size_t i;

	for (i = 0; i < size; i++)
		to[i] = from[i];
	for (i = 0; i < size; i++)
		changed |= (uint32_t)(to[i] ^ from[i]);
	return !changed;
}

static uint32_t take_copy(struct pvrom_guest *guest)
{
	size_t size = guest->rom_size;
	const void *rom = NULL;
	bool same = false;

	if (guest->rom_gpa + size > guest->rom_gpa)
		rom = pvrom_os_map(guest->os, guest->rom_gpa, size);
	if (!rom)
		return PVROM_VERDICT_TRUNCATED;
	guest->copy = (uint8_t *)pvrom_os_text_alloc(guest->os, size);
	guest->copy_size = guest->copy ? size : 0;
	if (guest->copy)
		same = copy_twice(guest->copy, rom, size);
	pvrom_os_unmap(guest->os, rom, size);
	if (!guest->copy)
		return PVROM_VERDICT_NO_MEMORY;
	return same ? PVROM_VERDICT_READY : PVROM_VERDICT_ROM_CHANGED;
}

void pvrom_drop_copy(struct pvrom_guest *guest)
{
	if (guest->copy)
		pvrom_os_text_free(guest->os, guest->copy, guest->copy_size);
	guest->copy = NULL;
	guest->copy_size = 0;
}

/* Is this still the ROM that was found, or that the host named? */
static bool is_as_named(const struct pvrom_guest *guest, const struct pvrom_rom_header *h)
{
	return h->option_signature == PVROM_ROM_OPTION_SIGNATURE &&
	       h->signature == PVROM_ROM_SIGNATURE && h->rom_size == guest->rom_size &&
	       h->checksum == guest->rom_checksum;
}

static uint32_t check_copy(struct pvrom_guest *guest)
{
	struct pvrom_rom_header h;
	uint32_t verdict;

	pvrom_read_header(guest->copy, &h);
	if (!is_as_named(guest, &h))
		return PVROM_VERDICT_ROM_CHANGED;
	verdict = pvrom_check_image(guest->copy, guest->copy_size);
	if (verdict != PVROM_VERDICT_READY)
		return verdict;
	if (h.minor < guest->policy->minor_min)
		return PVROM_VERDICT_OLD_MINOR;
	if (h.transport != guest->transport || h.transport_port != guest->transport_port)
		return PVROM_VERDICT_NO_TRANSPORT;
	guest->rom_major = h.major;
	guest->rom_minor = h.minor;
	return PVROM_VERDICT_READY;
}

/* Digests are public, so a comparison that ends early tells nobody anything. */
static bool is_allowed(const struct pvrom_guest *guest)
{
	const struct pvrom_policy *policy = guest->policy;
	uint32_t i, at;

	if (!policy->allowed)
		return true;
	for (i = 0; i < policy->allowed_count; i++) {
		for (at = 0; at < PVROM_DIGEST_SIZE; at++)
			if (policy->allowed[i][at] != guest->digest[at])
				break;
		if (at == PVROM_DIGEST_SIZE)
			return true;
	}
	return false;
}

/* A kernel that runs no foreign code needs the copy no longer than to look at it. */
static uint32_t prepare_copy(struct pvrom_guest *guest)
{
	if (guest->policy->flags & PVROM_POLICY_DATA_ONLY)
		pvrom_drop_copy(guest);
	else if (!pvrom_relocate(guest, guest->copy) ||
		 !pvrom_os_text_seal(guest->os, guest->copy, guest->copy_size))
		return PVROM_VERDICT_PATCH_FAILED;
	return PVROM_VERDICT_READY;
}

uint32_t pvrom_load_copy(struct pvrom_guest *guest)
{
	uint32_t verdict = take_copy(guest);

	if (verdict == PVROM_VERDICT_READY)
		verdict = check_copy(guest);
	if (verdict == PVROM_VERDICT_READY) {
		pvrom_sha256(guest->copy, guest->copy_size, guest->digest);
		verdict = is_allowed(guest) ? prepare_copy(guest) : PVROM_VERDICT_NOT_ALLOWED;
	}
	if (verdict != PVROM_VERDICT_READY)
		pvrom_drop_copy(guest);
	return guest->verdict = verdict;
}

/* No ROM that may be used, no host to talk to. */
PVROM_COLD uint32_t pvrom_guest_load(struct pvrom_guest *guest)
{
	if (pvrom_load_copy(guest) != PVROM_VERDICT_READY)
		guest->transport = PVROM_TRANSPORT_NONE;
	return guest->verdict;
}
