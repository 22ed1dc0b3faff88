/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The order of things: start, negotiate again when the epoch moved, stop.
 */
#include "guest_internal.h"

PVROM_COLD void pvrom_guest_init(struct pvrom_guest *guest, const struct pvrom_policy *policy,
				 void *os)
{
	*guest = (struct pvrom_guest){
		.policy = policy,
		.os = os,
		.verdict = PVROM_VERDICT_SWITCHED_OFF,
	};
}

/* The parts of the state that belong to a ROM, put aside while a new one is tried. */
struct old_rom {
	uint8_t *copy;
	size_t size;
};

/* Once no site leads there. After a failure sites that the kernel could not write may do so for
 * ever; then the memory stays. */
static void drop_old(struct pvrom_guest *guest, const struct old_rom *old)
{
	if (old->copy && (guest->verdict == PVROM_VERDICT_READY || !guest->patched))
		pvrom_os_text_free(guest->os, old->copy, old->size);
}

/* Do we hold the ROM that the host names? A failed round may have left us without its copy. */
PVROM_COLD bool pvrom_is_rom_of(const struct pvrom_guest *guest, const struct pvrom_negotiation *n)
{
	return (guest->copy || guest->policy->flags & PVROM_POLICY_DATA_ONLY) &&
	       n->rom_size == guest->rom_size && n->rom_checksum == guest->rom_checksum;
}

/*
 * The ROM that the host named in its answer, if it is not the one we have. The one we have is then in
 * *old, and the sites still lead into it.
 */
static uint32_t take_rom(struct pvrom_guest *guest, struct old_rom *old)
{
	const struct pvrom_negotiation *n = &guest->negotiation;
	uint32_t verdict;

	if (pvrom_is_rom_of(guest, n))
		return PVROM_VERDICT_READY;
	old->copy = guest->copy;
	old->size = guest->copy_size;
	guest->copy = NULL;
	guest->copy_size = 0;
	guest->rom_gpa = n->rom_gpa;
	guest->rom_size = n->rom_size;
	guest->rom_checksum = n->rom_checksum;
	verdict = pvrom_load_copy(guest);
	if (verdict != PVROM_VERDICT_READY)
		guest->rom_size = 0; /* we hold none now */
	return verdict;
}

/*
 * One round: query, negotiate, a new ROM, patch and commit. Sites of an old ROM go native before
 * its text goes.
 */
static uint32_t settle_once(struct pvrom_guest *guest)
{
	struct old_rom old = { NULL, 0 };

	guest->call_status = PVROM_STATUS_OK;
	if (pvrom_guest_query(guest) != PVROM_VERDICT_READY ||
	    pvrom_guest_negotiate(guest) != PVROM_VERDICT_READY)
		return guest->verdict;
	if (take_rom(guest, &old) == PVROM_VERDICT_READY)
		pvrom_guest_patch(guest, guest->sites, guest->site_count);
	else
		pvrom_guest_unpatch(guest);
	drop_old(guest, &old);
	return guest->verdict;
}

/* The epoch may move between proposal and commit. */
static uint32_t settle(struct pvrom_guest *guest)
{
	uint32_t tries, verdict;

	for (tries = 0; tries < PVROM_STALE_TRIES; tries++) {
		verdict = settle_once(guest);
		if (verdict != PVROM_VERDICT_HOST_ERROR || guest->call_status != PVROM_STATUS_STALE)
			break;
	}
	return verdict;
}

/* Back to native, with the reason kept. */
static uint32_t give_up(struct pvrom_guest *guest, uint32_t verdict)
{
	pvrom_guest_unpatch(guest);
	pvrom_commit_nothing(guest);
	if (!guest->patched)
		pvrom_drop_copy(guest);
	return guest->verdict = verdict;
}

PVROM_COLD uint32_t pvrom_guest_start(struct pvrom_guest *guest, struct pvrom_site *sites,
				      size_t count)
{
	uint32_t verdict;

	guest->sites = sites;
	guest->site_count = count;
	if (pvrom_guest_find(guest) != PVROM_VERDICT_READY ||
	    pvrom_guest_load(guest) != PVROM_VERDICT_READY)
		return guest->verdict;
	verdict = settle(guest);
	return verdict == PVROM_VERDICT_READY ? verdict : give_up(guest, verdict);
}

/* A refusal changes nothing: sites, copy and set are those of before. (Unless a commit was stale just
 * before: then everything is native already.) */
PVROM_COLD uint32_t pvrom_guest_renegotiate(struct pvrom_guest *guest)
{
	uint32_t verdict = settle(guest);

	if (verdict == PVROM_VERDICT_READY)
		return verdict;
	if (verdict == PVROM_VERDICT_REQUIRED_MISSING && guest->granted)
		return verdict;
	return give_up(guest, verdict);
}

PVROM_COLD uint32_t pvrom_guest_stop(struct pvrom_guest *guest, uint64_t flags)
{
	uint32_t status;

	pvrom_guest_unpatch(guest);
	status = pvrom_call(guest, PVROM_BASE_RESET, flags, 0, 0, 0, NULL);
	if (status != PVROM_STATUS_OK)
		return status;
	guest->granted = 0;
	guest->verdict = PVROM_VERDICT_SWITCHED_OFF;
	if (!guest->patched)
		pvrom_drop_copy(guest);
	return status;
}
