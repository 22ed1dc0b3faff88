/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* RESET: a guest gives everything back, for the kernel that comes after it. */
#include "host_internal.h"

static bool others_run(const struct pvrom_host_vcpu *vcpu)
{
	const struct pvrom_host_config *config = &vcpu->host->config;

	if (!config->ops->others_run)
		return config->vcpus > 1;
	return config->ops->others_run(config->ops_ctx, vcpu->id);
}

/* OK if no other vCPU runs now. */
static uint32_t alone(const struct pvrom_host_vcpu *vcpu, bool force)
{
	const struct pvrom_host_config *config = &vcpu->host->config;

	if (!others_run(vcpu))
		return PVROM_STATUS_OK;
	if (!force || !config->ops->park_others)
		return PVROM_STATUS_BUSY;
	config->ops->park_others(config->ops_ctx, vcpu->id);
	return PVROM_STATUS_OK;
}

/*
 * One at a time: two would park each other, and one that was parked would take back what the
 * guest has set up since.
 */
static bool begin(struct pvrom_host *host)
{
	bool first;

	pvrom_host_lock(host);
	first = !host->resetting;
	host->resetting = true;
	pvrom_host_unlock(host);
	return first;
}

static void end(struct pvrom_host *host)
{
	pvrom_host_lock(host);
	host->resetting = false;
	pvrom_host_unlock(host);
}

/* Features end, areas go, vectors go: after this nothing is written and no event is sent. */
static void give_back(struct pvrom_host *host)
{
	uint32_t i;

	host->epoch_vector = 0;
	pvrom_host_seal(host, 0);
	host->alarm_vector = 0;
	host->kick_vector = 0;
	host->pending = 0;
	host->pending_epoch = 0;
	host->pending_vectors = 0;
	for (i = 0; i < host->config.vcpus; i++) {
		pvrom_host_set_area(&host->vcpu[i], PVROM_VCPU_AREA_NONE);
		host->vcpu[i].live_nonce = 0;
	}
}

/* With no other vCPU running. */
static void reset(struct pvrom_host_vcpu *vcpu)
{
	struct pvrom_host *host = vcpu->host;

	pvrom_host_lock(host);
	give_back(host);
	if (host->config.ops->reset)
		host->config.ops->reset(host->config.ops_ctx, vcpu->id);
	pvrom_host_raise_locked(host, host->epoch + 1);
	pvrom_host_unlock(host);
}

/* Argument 0: PVROM_RESET_FORCE or 0. */
uint32_t pvrom_base_reset(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	uint32_t status;

	if (call->arg[0] & ~(uint64_t)PVROM_RESET_FORCE)
		return PVROM_STATUS_INVALID;
	if (!begin(vcpu->host))
		return PVROM_STATUS_BUSY;
	status = alone(vcpu, call->arg[0] & PVROM_RESET_FORCE);
	if (status == PVROM_STATUS_OK)
		reset(vcpu);
	end(vcpu->host);
	return status;
}
