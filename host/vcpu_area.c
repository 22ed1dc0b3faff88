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
