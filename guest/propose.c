/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Query, propose and commit: the guest's half of <pvrom/negotiate.h>. What a host answers is checked.
 */
#include "guest_internal.h"

static uint32_t host_error(struct pvrom_guest *guest, uint32_t status)
{
	guest->call_status = status;
	if (status == PVROM_STATUS_VERSION)
		return PVROM_VERDICT_WRONG_MAJOR;
	return PVROM_VERDICT_HOST_ERROR;
}

/* Two arguments, the first of them the address of a structure of the shim. */
static uint32_t call_with(struct pvrom_guest *guest, uint32_t call, const void *structure,
			  size_t size, uint64_t argument)
{
	uint64_t gpa = pvrom_os_gpa(guest->os, structure, size);

	if (!gpa)
		return PVROM_STATUS_ADDRESS;
	return pvrom_call(guest, call, gpa, argument, 0, 0, NULL);
}

/* A set that holds everything that its members depend on. */
static bool is_closed(uint64_t set)
{
#define CLOSED_(NAME, bit, needs, name, text)                                                      \
	if (set >> bit & 1 && ((needs) & ~set))                                                    \
		return false;
	PVROM_FEATURE_TABLE(CLOSED_)
	return true;
}

/* A reason for each feature that is not offered, and for no other. */
static bool reasons_are_valid(const struct pvrom_offer *offer)
{
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if ((offer->reason[i] == PVROM_REASON_NONE) != (offer->offered >> i & 1))
			return false;
	return true;
}

static bool offer_is_valid(const struct pvrom_offer *offer)
{
	return offer->size == sizeof(*offer) && offer->major == PVROM_MAJOR && offer->epoch &&
	       !(offer->offered & ~offer->can) && is_closed(offer->offered) &&
	       reasons_are_valid(offer);
}

PVROM_COLD uint32_t pvrom_guest_query(struct pvrom_guest *guest)
{
	struct pvrom_offer *offer = &guest->offer;
	uint32_t status;

	*offer = (struct pvrom_offer){ .size = 0 };
	status = call_with(guest, PVROM_BASE_QUERY, offer, sizeof(*offer), sizeof(*offer));
	if (status != PVROM_STATUS_OK || !offer_is_valid(offer))
		return guest->verdict = host_error(guest, status);
	return guest->verdict = PVROM_VERDICT_READY;
}

/* What this kernel asks for, given what the host advises. */
static uint64_t wanted_set(const struct pvrom_guest *guest)
{
	const struct pvrom_policy *policy = guest->policy;
	uint64_t wanted = policy->wanted;

	if (policy->flags & PVROM_POLICY_ADVISED)
		wanted &= guest->offer.advised;
	return wanted | policy->required;
}

static void fill_in(struct pvrom_guest *guest)
{
	guest->negotiation = (struct pvrom_negotiation){
		.size = sizeof(struct pvrom_negotiation),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch_vector = guest->policy->epoch_vector,
		.alarm_vector = guest->policy->alarm_vector,
		.kick_vector = guest->policy->kick_vector,
		.epoch = guest->offer.epoch,
		.wanted = wanted_set(guest),
		.required = guest->policy->required,
	};
}

/* What the host grants must be what was asked for, and whole. */
static uint32_t check_grant(struct pvrom_guest *guest)
{
	const struct pvrom_negotiation *n = &guest->negotiation;

	if (n->granted & ~wanted_set(guest) || n->granted & ~guest->offer.offered ||
	    !is_closed(n->granted) || !pvrom_size_is_valid(n->rom_size))
		return host_error(guest, PVROM_STATUS_OK);
	guest->missing = guest->policy->required & ~n->granted;
	return guest->missing ? PVROM_VERDICT_REQUIRED_MISSING : PVROM_VERDICT_READY;
}

/* A refusal must name what is missing, or the host makes no sense. */
static uint32_t check_refusal(struct pvrom_guest *guest)
{
	guest->missing = guest->negotiation.missing & guest->policy->required;
	if (!guest->missing)
		return host_error(guest, PVROM_STATUS_REFUSED);
	guest->call_status = PVROM_STATUS_REFUSED;
	return PVROM_VERDICT_REQUIRED_MISSING;
}

static uint32_t propose(struct pvrom_guest *guest)
{
	fill_in(guest);
	return call_with(guest, PVROM_BASE_NEGOTIATE, &guest->negotiation,
			 sizeof(guest->negotiation), PVROM_NEGOTIATE_PROPOSE);
}

PVROM_COLD uint32_t pvrom_guest_negotiate(struct pvrom_guest *guest)
{
	uint32_t status = propose(guest), tries;

	for (tries = 0; status == PVROM_STATUS_STALE && tries < PVROM_STALE_TRIES; tries++) {
		if (pvrom_guest_query(guest) != PVROM_VERDICT_READY)
			return guest->verdict;
		status = propose(guest);
	}
	guest->missing = 0;
	if (status == PVROM_STATUS_OK)
		guest->verdict = check_grant(guest);
	else if (status == PVROM_STATUS_REFUSED)
		guest->verdict = check_refusal(guest);
	else
		guest->verdict = host_error(guest, status);
	return guest->verdict;
}

/*
 * Commits what was granted, or nothing. With nothing the epoch is the host's current one, so
 * that a kernel does not come back at once to what has just failed.
 */
uint32_t pvrom_commit(struct pvrom_guest *guest, uint64_t features)
{
	uint32_t status;

	guest->negotiation.granted = features;
	status = call_with(guest, PVROM_BASE_NEGOTIATE, &guest->negotiation,
			   sizeof(guest->negotiation), PVROM_NEGOTIATE_COMMIT);
	if (status != PVROM_STATUS_OK)
		return host_error(guest, status);
	guest->granted = features;
	guest->epoch = features ? guest->negotiation.epoch : guest->negotiation.host_epoch;
	return PVROM_VERDICT_READY;
}

/* After a failure, whose reason is kept. Before the first proposal there is nothing to take back. */
void pvrom_commit_nothing(struct pvrom_guest *guest)
{
	uint32_t status = guest->call_status;

	if (guest->negotiation.size)
		pvrom_commit(guest, 0);
	guest->granted = 0;
	guest->call_status = status;
}
