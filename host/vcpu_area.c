/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The vCPU area: registering and releasing it, and who else has one there. */
#include "host_internal.h"

/* The most that a guest may declare: a page is plenty for what later minors will add. */
#define AREA_SIZE_MAX 0x1000

/* May an area begin at gpa? One piece in the host, for its words are written with single stores. */
uint32_t pvrom_host_check_area(const struct pvrom_host *host, uint64_t gpa)
{
	if (gpa & (PVROM_VCPU_AREA_ALIGN - 1))
		return PVROM_STATUS_ADDRESS;
	return pvrom_host_check_single(host, (struct pvrom_gpa){ gpa }, PVROM_VCPU_AREA_SIZE);
}

/* Areas are aligned to their size, so two overlap only if they are one. The lock is held. */
static bool taken_by_another(const struct pvrom_host_vcpu *vcpu, uint64_t gpa)
{
	const struct pvrom_host *host = vcpu->host;
	uint32_t i;

	for (i = 0; i < host->config.vcpus; i++)
		if (i != vcpu->id && host->vcpu[i].area_gpa == gpa)
			return true;
	return false;
}

/* Notes the area, NONE included, and tells the embedder. The lock is held. */
void pvrom_host_set_area(struct pvrom_host_vcpu *vcpu, uint64_t gpa)
{
	const struct pvrom_host_config *config = &vcpu->host->config;

	if (vcpu->area_gpa == gpa)
		return;
	vcpu->area_gpa = gpa;
	vcpu->eoi_offered = 0; /* what the old one said is said no more */
	if (config->ops->area_changed)
		config->ops->area_changed(config->ops_ctx, vcpu->id, (struct pvrom_gpa){ gpa });
}

static uint32_t fill_in(const struct pvrom_host_vcpu *vcpu, uint64_t gpa)
{
	struct pvrom_vcpu_area area = {
		.size = sizeof(area),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch = vcpu->host->epoch,
		.vcpu = vcpu->id,
	};

	if (PVROM_BUG(AREA_SHIFTED)) {
		area.vcpu = 0;
		area.reserved0[0] = vcpu->id;
	}
	return pvrom_host_write(vcpu->host, (struct pvrom_gpa){ gpa }, &area, sizeof(area));
}

static uint32_t register_area(struct pvrom_host_vcpu *vcpu, uint64_t gpa)
{
	uint32_t status;

	if (taken_by_another(vcpu, gpa))
		return PVROM_STATUS_BUSY;
	status = fill_in(vcpu, gpa);
	if (status == PVROM_STATUS_OK)
		pvrom_host_set_area(vcpu, gpa);
	return status;
}

/* Argument 0: gpa, or PVROM_VCPU_AREA_NONE; argument 1: bytes there (not looked at for NONE). */
uint32_t pvrom_base_vcpu_area(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	uint64_t gpa = call->arg[0];
	uint32_t status = PVROM_STATUS_OK;

	if (gpa != PVROM_VCPU_AREA_NONE) {
		if (call->arg[1] < PVROM_VCPU_AREA_SIZE || call->arg[1] > AREA_SIZE_MAX)
			return PVROM_STATUS_INVALID;
		if (pvrom_host_check_area(vcpu->host, gpa) ||
		    pvrom_host_check(vcpu->host, (struct pvrom_gpa){ gpa }, call->arg[1]))
			return PVROM_STATUS_ADDRESS;
	}
	pvrom_host_lock(vcpu->host);
	if (gpa == PVROM_VCPU_AREA_NONE)
		pvrom_host_set_area(vcpu, gpa);
	else
		status = register_area(vcpu, gpa);
	pvrom_host_unlock(vcpu->host);
	return status;
}

/* ---- the EOI word ------------------------------------------------------------------------------- */

/* NULL if there is no area, or no memory any more. */
static uint32_t *eoi_word(const struct pvrom_host_vcpu *vcpu)
{
	if (vcpu->area_gpa == PVROM_VCPU_AREA_NONE)
		return NULL;
	return pvrom_host_word32(vcpu->host,
				 (struct pvrom_gpa){ vcpu->area_gpa + PVROM_VCPU_AREA_EOI });
}

void pvrom_host_eoi_offer(struct pvrom_host_vcpu *vcpu)
{
	uint32_t *word = eoi_word(vcpu);

	if (!word)
		return;
	__atomic_fetch_or(word, (uint32_t)PVROM_VCPU_EOI_IDLE, __ATOMIC_RELAXED);
	vcpu->eoi_offered = 1;
}

/* One atomic access decides between the guest's end and ours. */
bool pvrom_host_eoi_ended(struct pvrom_host_vcpu *vcpu, bool take_back)
{
	uint32_t *word = vcpu->eoi_offered ? eoi_word(vcpu) : NULL;
	uint32_t mask = take_back ? ~(uint32_t)PVROM_VCPU_EOI_IDLE : ~0u;

	if (!word)
		return false;
	if (__atomic_fetch_and(word, mask, __ATOMIC_RELAXED) & PVROM_VCPU_EOI_IDLE) {
		vcpu->eoi_offered = !take_back;
		return false;
	}
	vcpu->eoi_offered = 0;
	return true;
}
