/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One-shot alarms. The embedder has the timer; the core sees to it that an alarm is set only
 * while the feature is in the sealed set, and that none is left when it goes.
 */
#include "host_internal.h"

static uint32_t offer(const struct pvrom_host *host)
{
	const struct pvrom_host_ops *ops = host->config.ops;

	return ops->alarm_set && ops->alarm_cancel ? PVROM_REASON_NONE : PVROM_REASON_NOT_SUPPORTED;
}

static void stop(struct pvrom_host *host)
{
	uint32_t i;

	for (i = 0; i < host->config.vcpus && !PVROM_BUG(RESET_ALARM); i++)
		host->config.ops->alarm_cancel(host->config.ops_ctx, i);
}

/* The lock is held, and the feature is in the sealed set. Argument: TSC. */
static uint32_t do_call(const struct pvrom_host *host, uint32_t vcpu, uint32_t number,
			const uint64_t arg[4])
{
	const struct pvrom_host_config *config = &host->config;
	uint64_t early = PVROM_BUG(ALARM_EARLY) ? 50000000 : 0;
	uint8_t vector = PVROM_BUG(ALARM_VECTOR) ? host->epoch_vector : host->alarm_vector;

	if (number == PVROM_CLOCK_ALARM_SET)
		return config->ops->alarm_set(config->ops_ctx, vcpu, arg[0] - early, vector);
	if (number != PVROM_CLOCK_ALARM_CANCEL)
		return PVROM_STATUS_NOT_SUPPORTED;
	if (!PVROM_BUG(CANCEL_IGNORED))
		config->ops->alarm_cancel(config->ops_ctx, vcpu);
	return PVROM_STATUS_OK;
}

static PVROM_HOT uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu,
			       uint32_t number, const uint64_t arg[4], uint64_t *value)
{
	uint32_t status = PVROM_STATUS_DENIED;

	(void)value;
	/* Looked at again under the lock: another vCPU may just have committed a set without it. */
	pvrom_host_lock(host);
	if (host->started & PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM))
		status = do_call(host, vcpu->id, number, arg);
	pvrom_host_unlock(host);
	return status;
}

const struct pvrom_host_feature pvrom_host_alarm = {
	.number = PVROM_FEATURE_ALARM,
	.group = PVROM_GROUP_CLOCK,
	.offer = offer,
	.stop = stop,
	.call = call,
};
