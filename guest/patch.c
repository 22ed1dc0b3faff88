/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Patches call sites to the forms that the slots name, and back.
 *
 * All is worked out before the rendezvous, where only writing can still fail. A site's native bytes
 * go to its record before it is first patched, so un-patching needs nothing but the records.
 */
#include "guest_internal.h"

/* What to do, for all sites. No slot: native, or a call of the kernel's own. */
struct plan {
	struct pvrom_guest *guest;
	const uint8_t *copy; /* NULL: there are no slots */
	struct pvrom_rom_header header;
	uint16_t slot[PVROM_CALL_COUNT]; /* index + 1 of the slot of a call, by ordinal; 0: none */
	uint64_t granted;		 /* with copy NULL and this 0: everything becomes native */
	uint32_t verdict;
};

static uint8_t *site_address(const struct pvrom_site *site)
{
	return (uint8_t *)((uintptr_t)site + (uintptr_t)(int64_t)site->offset);
}

static const uint8_t *native_bytes(const struct pvrom_site *site)
{
	return site->saved ? site->native : site_address(site);
}

static bool bytes_are_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	for (; size; size--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* ---- which slot serves a call ---- */

PVROM_STATIC_ASSERT(PVROM_POLICY_NOPREEMPT == PVROM_SLOT_NOPREEMPT << 3 &&
			    PVROM_POLICY_X2APIC == PVROM_SLOT_X2APIC << 3,
		    "flags of slots and policies");

static bool is_usable(const struct plan *plan, const struct pvrom_slot *slot,
		      const struct pvrom_call_info *info, uint64_t granted)
{
	const struct pvrom_policy *policy = plan->guest->policy;

	if (info->feature == PVROM_FEATURE_NONE || !(granted >> info->feature & 1))
		return false;
	if (slot->form == PVROM_FORM_NATIVE || info->flags & PVROM_CALL_RESERVED)
		return false;
	/* What the slot demands of the kernel, the policy allows three bits higher. */
	if (slot->flags & ~(policy->flags >> 3))
		return false;
	return policy->percpu != PVROM_PERCPU_NONE ||
	       !pvrom_slot_needs_area(plan->copy, &plan->header, slot);
}

static void choose_slots(struct plan *plan, uint64_t granted)
{
	const struct pvrom_call_info *info;
	struct pvrom_slot slot;
	uint32_t i;

	for (i = 0; i < PVROM_CALL_COUNT; i++)
		plan->slot[i] = 0;
	plan->granted = granted;
	if (!plan->copy)
		return;
	pvrom_read_header(plan->copy, &plan->header);
	for (i = 0; i < plan->header.slot_count; i++) {
		pvrom_read_slot(plan->copy, &plan->header, i, &slot);
		info = pvrom_call_info(slot.call);
		if (info && is_usable(plan, &slot, info, granted))
			plan->slot[info - pvrom_call_table] = (uint16_t)(i + 1);
	}
}

/* The kernel's own function for a call without a slot, NULL: native. */
static void (*own_function(const struct plan *plan, uint32_t call))(void)
{
	const struct pvrom_policy *policy = plan->guest->policy;
	const struct pvrom_call_info *info = pvrom_call_info(call);
	size_t i;

	if (!info || info->feature == PVROM_FEATURE_NONE || !(plan->granted >> info->feature & 1) ||
	    info->flags & (PVROM_CALL_RESERVED | PVROM_CALL_JUMP | PVROM_CALL_NOCALL))
		return NULL;
	for (i = 0; i < policy->own_count; i++)
		if (policy->own[i].call == call)
			return policy->own[i].function;
	return NULL;
}

/* ---- the bytes of a site ---- */

/* Fills to[0..size) with one or two NOPs (Intel SDM vol. 2B, NOP: recommended forms). */
static void write_nops(uint8_t *to, uint32_t size)
{
	static const uint8_t nop[6][5] = {
		{ 0 },
		{ 0x90 },
		{ 0x66, 0x90 },
		{ 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0x00 },
		{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	};
	uint32_t body = size < 5 ? size : 5;

	for (; size > body; size--)
		*to++ = 0x2e;
	pvrom_copy_bytes(to, nop[body], body);
}

/* A call, or a jump, that ends where the site ends, after prefixes. False if it is too far. */
static bool write_branch(uint8_t *to, uint8_t opcode, uintptr_t end, uint32_t length,
			 uintptr_t target)
{
	int64_t distance = (int64_t)(target - end);
	int32_t rel = (int32_t)distance;
	uint32_t i;

	for (i = 0; i < length - 5; i++)
		to[i] = 0x2e;
	to[i] = opcode;
	__builtin_memcpy(to + i + 1, &rel, sizeof(rel));
	return rel == distance;
}

static bool write_form(const struct plan *plan, const struct pvrom_site *site,
		       const struct pvrom_slot *slot, bool jump, uint8_t *to)
{
	uint32_t length = site->length, size = slot->template_size;

	if (slot->form == PVROM_FORM_INLINE && size <= length) {
		pvrom_copy_bytes(to, plan->copy + slot->template_offset, size);
		write_nops(to + size, length - size);
		return true;
	}
	if (slot->form == PVROM_FORM_NOP) {
		write_nops(to, length);
		return true;
	}
	return write_branch(to, jump ? 0xe9 : 0xe8, (uintptr_t)site_address(site) + length, length,
			    (uintptr_t)plan->copy + slot->text);
}

static bool write_own(const struct plan *plan, const struct pvrom_site *site, uint8_t *to)
{
	void (*own)(void) = own_function(plan, site->call);

	if (own)
		return write_branch(to, 0xe8, (uintptr_t)site_address(site) + site->length,
				    site->length, (uintptr_t)own);
	pvrom_copy_bytes(to, native_bytes(site), site->length);
	return true;
}

/* What the site shall hold. False if the slot or the kernel's function cannot be reached from there. */
static bool site_bytes(const struct plan *plan, const struct pvrom_site *site, uint8_t *to)
{
	const struct pvrom_call_info *info = pvrom_call_info(site->call);
	uint32_t number = plan->copy ? plan->slot[info - pvrom_call_table] : 0;
	struct pvrom_slot slot;

	if (!number)
		return write_own(plan, site, to);
	pvrom_read_slot(plan->copy, &plan->header, number - 1, &slot);
	return write_form(plan, site, &slot, info->flags & PVROM_CALL_JUMP, to);
}

/* ---- before the rendezvous ---- */

/* A native call is e8 rel32 and nothing else. */
static bool site_is_valid(const struct pvrom_site *site)
{
	const struct pvrom_call_info *info = pvrom_call_info(site->call);

	if (!info || info->native == PVROM_NATIVE_NOTHING || site->saved > 1)
		return false;
	if (site->length < PVROM_SITE_MIN || site->length > PVROM_SITE_MAX)
		return false;
	return info->native != PVROM_NATIVE_CALL || native_bytes(site)[site->length - 5] == 0xe8;
}

/*
 * Each of two sites that share bytes would write over the other. *end is where the last of those before it
 * ends: linkers leave them in the order of addresses, and then that is all there is to look at.
 */
static bool overlaps_earlier(const struct pvrom_site *sites, const struct pvrom_site *site,
			     uint8_t **end)
{
	uint8_t *start = site_address(site);

	if (start >= *end) {
		*end = start + site->length;
		return false;
	}
	for (; sites < site; sites++)
		if (site_address(sites) < start + site->length &&
		    start < site_address(sites) + sites->length)
			return true;
	return false;
}

static uint32_t check_sites(const struct plan *plan)
{
	const struct pvrom_guest *guest = plan->guest;
	const struct pvrom_site *site;
	uint8_t bytes[PVROM_SITE_MAX], *end = NULL;
	size_t i;

	for (i = 0; i < guest->site_count; i++) {
		site = &guest->sites[i];
		if (!site_is_valid(site) || !site_bytes(plan, site, bytes))
			return PVROM_VERDICT_BAD_SITE;
		if (overlaps_earlier(guest->sites, site, &end))
			return PVROM_VERDICT_SITES_OVERLAP;
	}
	return PVROM_VERDICT_READY;
}

/* ---- in the rendezvous ---- */

static bool makes_native(const struct plan *plan)
{
	return !plan->copy && !plan->granted;
}

/* To make all native, only sites that were patched before are of interest. */
static bool write_site(struct plan *plan, struct pvrom_site *site)
{
	uint8_t *where = site_address(site), bytes[PVROM_SITE_MAX];

	if (makes_native(plan) && !site->saved)
		return true;
	site_bytes(plan, site, bytes);
	if (bytes_are_equal(bytes, where, site->length))
		return true;
	if (!site->saved) {
		pvrom_copy_bytes(site->native, where, site->length);
		site->saved = 1;
	}
	return pvrom_os_text_write(plan->guest->os, where, bytes, site->length);
}

static uint32_t count_patched(const struct pvrom_guest *guest)
{
	const struct pvrom_site *site;
	uint32_t patched = 0;
	size_t i;

	for (i = 0; i < guest->site_count; i++) {
		site = &guest->sites[i];
		patched += site->saved &&
			   !bytes_are_equal(site->native, site_address(site), site->length);
	}
	return patched;
}

/* The first failure ends it when patching; when making native every site is tried. */
static void write_sites(struct plan *plan)
{
	struct pvrom_guest *guest = plan->guest;
	size_t i;

	for (i = 0; i < guest->site_count; i++) {
		if (write_site(plan, &guest->sites[i]))
			continue;
		plan->verdict = PVROM_VERDICT_PATCH_FAILED;
		if (!makes_native(plan))
			break;
	}
	guest->patched = count_patched(guest);
}

/* From here on a fault in the copy is one at a site. */
static void set_text(struct pvrom_guest *guest, const uint8_t *text, size_t size)
{
	guest->text = text;
	guest->text_size = size;
}

static void make_native(struct plan *plan)
{
	plan->copy = NULL;
	plan->granted = 0;
	write_sites(plan);
	if (!plan->guest->patched)
		set_text(plan->guest, NULL, 0);
}

static PVROM_COLD void make_native_act(void *argument)
{
	make_native((struct plan *)argument);
}

static void write_and_commit(struct plan *plan)
{
	plan->verdict = PVROM_VERDICT_READY;
	write_sites(plan);
	if (plan->verdict == PVROM_VERDICT_READY)
		plan->verdict = pvrom_commit(plan->guest, plan->guest->negotiation.granted);
}

/*
 * Was the commit too late, and does the host grant a set anew? Asked in the rendezvous: where the next
 * rendezvous needs what only the host can give, there would be none. Another ROM cannot be had here.
 */
static bool is_granted_anew(struct plan *plan)
{
	struct pvrom_guest *guest = plan->guest;

	if (plan->verdict != PVROM_VERDICT_HOST_ERROR || guest->call_status != PVROM_STATUS_STALE)
		return false;
	if (pvrom_guest_query(guest) == PVROM_VERDICT_READY &&
	    pvrom_guest_negotiate(guest) == PVROM_VERDICT_READY &&
	    pvrom_is_rom_of(guest, &guest->negotiation)) {
		choose_slots(plan, guest->negotiation.granted);
		plan->verdict = check_sites(plan);
		return plan->verdict == PVROM_VERDICT_READY;
	}
	guest->call_status = PVROM_STATUS_STALE;
	return false;
}

/* If the set cannot be sealed, the sites must not stay: native, and the empty set. */
static PVROM_COLD void patch_act(void *argument)
{
	struct plan *plan = (struct plan *)argument;
	struct pvrom_guest *guest = plan->guest;
	uint32_t verdict, tries = 0;

	do
		write_and_commit(plan);
	while (++tries < PVROM_STALE_TRIES && is_granted_anew(plan));
	verdict = plan->verdict;
	if (verdict != PVROM_VERDICT_READY)
		make_native(plan);
	plan->verdict = verdict;
	if (verdict == PVROM_VERDICT_READY || (guest->patched && !guest->text))
		set_text(guest, guest->copy, guest->copy_size);
}

/* ---- all together ---- */

PVROM_COLD uint32_t pvrom_guest_patch(struct pvrom_guest *guest, struct pvrom_site *sites,
				      size_t count)
{
	struct plan plan = { .guest = guest, .copy = guest->copy };

	guest->sites = sites;
	guest->site_count = count;
	choose_slots(&plan, guest->negotiation.granted);
	plan.verdict = check_sites(&plan);
	if (plan.verdict == PVROM_VERDICT_READY) {
		plan.verdict = PVROM_VERDICT_PATCH_FAILED; /* until the rendezvous says else */
		pvrom_os_rendezvous(guest->os, patch_act, &plan);
	} else {
		pvrom_guest_unpatch(guest);
	}
	if (plan.verdict != PVROM_VERDICT_READY)
		pvrom_commit_nothing(guest);
	return guest->verdict = plan.verdict;
}

PVROM_COLD void pvrom_guest_unpatch(struct pvrom_guest *guest)
{
	struct plan plan = { .guest = guest, .verdict = PVROM_VERDICT_READY };

	if (guest->patched)
		pvrom_os_rendezvous(guest->os, make_native_act, &plan);
	else
		set_text(guest, NULL, 0);
}
