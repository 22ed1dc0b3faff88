/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The verdict about each feature: six answers, and why one is no. */
#include "probe_internal.h"

#define ALL ((PVROM_U64(1) << PVROM_FEATURE_COUNT) - 1)

static uint8_t bit(uint64_t set, uint32_t feature)
{
	return set >> feature & 1 ? PVROM_PROBE_YES : PVROM_PROBE_NO;
}

/* Takes away what depends on something that is not in the set, until nothing changes. */
static uint64_t closed(uint64_t set)
{
	static const uint64_t needs[] = {
#define NEEDS_(NAME, number, needs, name, text) needs,
		PVROM_FEATURE_TABLE(NEEDS_)
	};
	uint64_t before;
	uint32_t i;

	do
		for (before = set, i = 0; i < PVROM_FEATURE_COUNT; i++)
			if (needs[i] & ~set)
				set &= ~PVROM_FEATURE_BIT(i);
	while (set != before);
	return set;
}

/* Why there is nobody who could be asked; PVROM_REASON_NONE if there is. */
static uint8_t why_nobody(const struct pvrom_probe_evidence *evidence,
			  const struct pvrom_probe_verdict *v)
{
	switch (v->rom) {
	case PVROM_PROBE_ROM_NONE: return PVROM_PROBE_WHY_NO_ROM;
	case PVROM_PROBE_ROM_NOT_LOOKED: return PVROM_PROBE_WHY_NOT_LOOKED;
	case PVROM_PROBE_ROM_NOT_LIVE: return PVROM_PROBE_WHY_NOT_LIVE;
	case PVROM_PROBE_ROM_REFUSED: return PVROM_PROBE_WHY_ROM_REFUSED;
	default: return evidence->has_offer ? PVROM_REASON_NONE : PVROM_PROBE_WHY_NOT_ASKED;
	}
}

/* Without an offer: a machine without a usable ROM offers nothing; of others nothing is known. */
static void judge_unasked(struct pvrom_probe_feature *f, uint8_t why)
{
	const bool unknown = why == PVROM_PROBE_WHY_NOT_ASKED || why == PVROM_PROBE_WHY_NOT_LOOKED;
	const uint8_t answer = unknown ? PVROM_PROBE_UNKNOWN : PVROM_PROBE_NO;

	*f = (struct pvrom_probe_feature){ .can = PVROM_PROBE_UNKNOWN,
					   .advised = answer,
					   .hardware = PVROM_PROBE_UNKNOWN,
					   .offered = answer,
					   .granted = answer,
					   .works = PVROM_PROBE_NOT_TRIED,
					   .why = why };
}

/* A host's reason is a number of the table, and none goes with an offer. */
static uint8_t reason_of(const struct pvrom_offer *offer, uint32_t feature)
{
	const uint8_t reason = offer->reason[feature];

	if (offer->offered >> feature & 1)
		return PVROM_REASON_NONE;
	return reason && reason < PVROM_REASON_COUNT ? reason : PVROM_REASON_NOT_SUPPORTED;
}

struct kernel {
	uint64_t wanted, granted;
	bool refuses;
};

/* What the kernel that was asked about would be granted; one that wants all, if none was. */
static struct kernel kernel_of(const struct pvrom_probe_evidence *evidence)
{
	struct kernel kernel = { .wanted = evidence->has_wants ? evidence->wanted : ALL };

	kernel.granted = closed(kernel.wanted & evidence->offer.offered & ALL);
	if (evidence->has_wants && evidence->required & ~kernel.granted) {
		kernel.refuses = true;
		kernel.granted = 0;
	}
	return kernel;
}

static uint8_t works(const struct pvrom_probe_evidence *evidence, uint32_t feature)
{
	if (!(evidence->tried >> feature & 1))
		return PVROM_PROBE_NOT_TRIED;
	return bit(evidence->worked, feature);
}

static void judge_offered(const struct pvrom_probe_evidence *evidence, const struct kernel *kernel,
			  uint32_t i, struct pvrom_probe_feature *f)
{
	const struct pvrom_offer *offer = &evidence->offer;

	*f = (struct pvrom_probe_feature){ .can = bit(offer->can, i),
					   .advised = bit(offer->advised, i),
					   .hardware = bit(offer->hardware, i),
					   .offered = bit(offer->offered, i),
					   .granted = bit(kernel->granted, i),
					   .works = works(evidence, i),
					   .why = reason_of(offer, i) };
	if (f->why != PVROM_REASON_NONE)
		return;
	if (kernel->refuses)
		f->why = PVROM_PROBE_WHY_REQUIRED_MISSING;
	else if (!(kernel->wanted >> i & 1))
		f->why = PVROM_PROBE_WHY_NOT_WANTED;
	else if (f->granted == PVROM_PROBE_NO)
		f->why = PVROM_REASON_DEPENDENCY;
	else if (f->works == PVROM_PROBE_NO)
		f->why = PVROM_PROBE_WHY_NOT_SEEN;
}

static void judge_all_offered(const struct pvrom_probe_evidence *evidence,
			      struct pvrom_probe_verdict *verdict)
{
	const struct kernel kernel = kernel_of(evidence);
	uint32_t i;

	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		judge_offered(evidence, &kernel, i, &verdict->feature[i]);
}

void pvrom_probe_judge(const struct pvrom_probe_evidence *evidence,
		       struct pvrom_probe_verdict *verdict)
{
	uint32_t i;
	uint8_t why;

	__builtin_memset(verdict, 0, sizeof(*verdict));
	pvrom_probe_machine(evidence, verdict);
	pvrom_probe_judge_rom(evidence, verdict);
	why = why_nobody(evidence, verdict);
	for (i = 0; why != PVROM_REASON_NONE && i < PVROM_FEATURE_COUNT; i++)
		judge_unasked(&verdict->feature[i], why);
	if (why == PVROM_REASON_NONE)
		judge_all_offered(evidence, verdict);
}

void pvrom_probe_judge_host(const struct pvrom_probe_evidence *evidence,
			    struct pvrom_probe_verdict *verdict)
{
	pvrom_probe_judge(evidence, verdict);
	verdict->host = true;
	judge_all_offered(evidence, verdict);
}

uint32_t pvrom_probe_status(const struct pvrom_probe_verdict *verdict)
{
	switch (verdict->rom) {
	case PVROM_PROBE_ROM_VALID: return 0;
	case PVROM_PROBE_ROM_NONE: return 1;
	case PVROM_PROBE_ROM_REFUSED:
	case PVROM_PROBE_ROM_NOT_LIVE: return 3;
	default: return 4;
	}
}
