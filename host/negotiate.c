/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Propose and commit, and the epoch that makes a guest look at the offer again. Everything that
 * more than one vCPU can change is changed under the lock.
 */
#include "host_internal.h"

/* The part of struct pvrom_negotiation that the host writes. */
#define ANSWER_FIRST __builtin_offsetof(struct pvrom_negotiation, granted)
#define ANSWER_END __builtin_offsetof(struct pvrom_negotiation, reserved2)

/* ---- decode ---------------------------------------------------------------------------------- */

static bool vector_ok(uint8_t vector)
{
	return !vector || vector >= PVROM_VECTOR_MIN;
}

static uint32_t check_words(const struct pvrom_negotiation *n)
{
	/* A guest built for a later minor has a longer one; what is behind this one's end can wait. */
	if (n->size < sizeof(*n))
		return PVROM_STATUS_INVALID;
	if (n->major != PVROM_MAJOR)
		return PVROM_STATUS_VERSION;
	if (n->reserved0 || n->reserved1 || n->reserved2[0] || n->reserved2[1])
		return PVROM_STATUS_INVALID;
	return PVROM_STATUS_OK;
}

static uint32_t check_proposal(const struct pvrom_negotiation *n)
{
	if (!vector_ok(n->epoch_vector) || !vector_ok(n->alarm_vector) ||
	    !vector_ok(n->kick_vector))
		return PVROM_STATUS_INVALID;
	if (!n->alarm_vector && (n->wanted & PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM)))
		return PVROM_STATUS_INVALID;
	if (n->required & ~n->wanted)
		return PVROM_STATUS_INVALID;
	return PVROM_STATUS_OK;
}

/* ---- the epoch ------------------------------------------------------------------------------- */

/* The lock is held: no area comes or goes meanwhile, and no event follows a RESET. */
void pvrom_host_raise_locked(struct pvrom_host *host, uint64_t epoch)
{
	const struct pvrom_host_ops *ops = host->config.ops;
	uint32_t i;

	host->epoch = epoch;
	for (i = 0; i < host->config.vcpus; i++) {
		uint64_t area = host->vcpu[i].area_gpa;

		if (area != PVROM_VCPU_AREA_NONE && !PVROM_BUG(EPOCH_STUCK))
			pvrom_host_store64(host, (struct pvrom_gpa){ area + PVROM_VCPU_AREA_EPOCH },
					   epoch);
	}
	for (i = 0; host->epoch_vector && ops->event && i < host->config.vcpus; i++)
		ops->event(host->config.ops_ctx, i, host->epoch_vector);
}

void pvrom_host_raise_epoch(struct pvrom_host *host)
{
	pvrom_host_lock(host);
	pvrom_host_raise_locked(host, host->epoch + 1);
	pvrom_host_unlock(host);
}

void pvrom_host_set_hardware(struct pvrom_host *host, uint32_t hardware)
{
	pvrom_host_lock(host);
	host->config.hardware = hardware;
	pvrom_host_raise_locked(host, host->epoch + 1);
	pvrom_host_unlock(host);
}

/* ---- the sealed set -------------------------------------------------------------------------- */

/* Seals a set, and lets features begin and end. The lock is held. */
void pvrom_host_seal(struct pvrom_host *host, uint64_t features)
{
	const struct pvrom_host_feature *const *list;

	/* First the set, then stop(): a call that comes late is turned away at the set. */
	__atomic_store_n(&host->sealed, features, __ATOMIC_RELAXED);
	for (list = host->config.features; *list; list++) {
		uint64_t bit = PVROM_FEATURE_BIT((*list)->number);

		if ((host->started & ~features & bit) && (*list)->stop)
			(*list)->stop(host);
		if ((features & ~host->started & bit) && (*list)->start)
			(*list)->start(host);
	}
	host->started = features;
}

static uint32_t propose(struct pvrom_host *host, struct pvrom_negotiation *n)
{
	struct pvrom_offer offer;
	uint64_t granted;

	if (n->epoch != host->epoch)
		return PVROM_STATUS_STALE;
	pvrom_host_offer(host, &offer);
	granted = pvrom_host_close(n->wanted & offer.offered);
	n->missing = n->required & ~granted;
	if (n->missing)
		return PVROM_STATUS_REFUSED;
	n->granted = granted;
	host->pending = granted;
	host->pending_epoch = host->epoch;
	host->pending_vectors =
		n->epoch_vector | (uint32_t)n->alarm_vector << 8 | (uint32_t)n->kick_vector << 16;
	return PVROM_STATUS_OK;
}

static bool is_pending(const struct pvrom_host *host, uint64_t granted)
{
	return host->pending_epoch == host->epoch && host->pending == granted;
}

/* The vectors of the proposal hold from its commit; "nothing" without a proposal has no vectors. */
static void take_vectors(struct pvrom_host *host, uint64_t granted)
{
	uint32_t vectors = is_pending(host, granted) ? host->pending_vectors : 0;

	host->epoch_vector = vectors & 0xff;
	host->alarm_vector = (vectors >> 8) & 0xff;
	host->kick_vector = (vectors >> 16) & 0xff;
}

static uint32_t commit(struct pvrom_host *host, const struct pvrom_negotiation *n)
{
	if (n->granted) {
		if (!host->pending_epoch)
			return PVROM_STATUS_INVALID;
		if (host->pending_epoch != host->epoch)
			return PVROM_STATUS_STALE;
		if (host->pending != n->granted)
			return PVROM_STATUS_INVALID;
	}
	take_vectors(host, n->granted);
	pvrom_host_seal(host, n->granted);
	return PVROM_STATUS_OK;
}

/* ---- the call -------------------------------------------------------------------------------- */

static void answer(const struct pvrom_host *host, struct pvrom_negotiation *n)
{
	n->host_epoch = host->epoch;
	n->rom_gpa = host->config.rom_gpa;
	n->rom_size = host->rom_size;
	n->rom_checksum = host->rom_checksum;
}

static uint32_t negotiate(struct pvrom_host *host, struct pvrom_negotiation *n, uint64_t form)
{
	uint32_t status;

	pvrom_host_lock(host);
	n->missing = 0;
	status = form == PVROM_NEGOTIATE_PROPOSE ? propose(host, n) : commit(host, n);
	answer(host, n);
	pvrom_host_unlock(host);
	return status;
}

/* Argument 0: gpa of struct pvrom_negotiation; argument 1: PVROM_NEGOTIATE_x. */
uint32_t pvrom_base_negotiate(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	const struct pvrom_gpa where = { call->arg[0] };
	struct pvrom_negotiation n;
	uint32_t status;

	if (call->arg[1] > PVROM_NEGOTIATE_COMMIT)
		return PVROM_STATUS_INVALID;
	if ((where.gpa & 7) || pvrom_host_read(vcpu->host, where, &n, sizeof(n)))
		return PVROM_STATUS_ADDRESS;
	status = check_words(&n);
	if (status == PVROM_STATUS_OK && call->arg[1] == PVROM_NEGOTIATE_PROPOSE)
		status = check_proposal(&n);
	if (status != PVROM_STATUS_OK)
		return status;
	status = negotiate(vcpu->host, &n, call->arg[1]);
	pvrom_host_write(vcpu->host, (struct pvrom_gpa){ where.gpa + ANSWER_FIRST }, &n.granted,
			 ANSWER_END - ANSWER_FIRST);
	return status;
}
