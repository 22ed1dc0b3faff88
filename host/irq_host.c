/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The irq group: arguments are checked here, the embedder's interrupt controller does the rest. */
#include "host_internal.h"

static uint32_t offer(const struct pvrom_host *host)
{
	const struct pvrom_host_ops *ops = host->config.ops;

	if (!ops->irq_route || !ops->irq_mask || !ops->irq_eoi || !ops->irq_send)
		return PVROM_REASON_NOT_SUPPORTED;
	return PVROM_REASON_NONE;
}

static bool vector_ok(uint64_t vector)
{
	return vector >= PVROM_VECTOR_MIN && vector <= 0xff;
}

/* Arguments: source, vector, vCPU. */
static uint32_t route(const struct pvrom_host_config *config, const uint64_t arg[4])
{
	if (!vector_ok(arg[1]) || arg[2] >= config->vcpus)
		return PVROM_STATUS_INVALID;
	return config->ops->irq_route(config->ops_ctx, arg[0], (uint8_t)arg[1], (uint32_t)arg[2]);
}

/* Arguments: source, 1 to mask it or 0 to unmask it. */
static uint32_t mask(const struct pvrom_host_config *config, const uint64_t arg[4])
{
	if (arg[1] > 1)
		return PVROM_STATUS_INVALID;
	return config->ops->irq_mask(config->ops_ctx, arg[0],
				     PVROM_BUG(MASK_INVERTED) ? !arg[1] : arg[1]);
}

/* Does base + n name a vCPU for each bit n of the mask? */
static bool set_ok(const struct pvrom_host_config *config, uint64_t base, uint64_t set)
{
	if (base >= config->vcpus)
		return false;
	return !set || base + (63 - (uint32_t)__builtin_clzll(set)) < config->vcpus;
}

/* Arguments: vector or PVROM_IRQ_SEND_NMI, first vCPU, mask of vCPUs from there. */
static uint32_t send(const struct pvrom_host_config *config, const uint64_t arg[4])
{
	uint64_t set = arg[2];

	if (!vector_ok(arg[0]) && arg[0] != PVROM_IRQ_SEND_NMI)
		return PVROM_STATUS_INVALID;
	if (!set_ok(config, arg[1], set))
		return PVROM_STATUS_INVALID;
	if (PVROM_BUG(SEND_SHORT) && set)
		set &= ~(UINT64_C(1) << (63 - __builtin_clzll(set)));
	if (!set)
		return PVROM_STATUS_OK;
	return config->ops->irq_send(config->ops_ctx, (uint32_t)arg[0], (uint32_t)arg[1], set);
}

static uint32_t eoi(const struct pvrom_host_config *config, uint32_t vcpu)
{
	if (!PVROM_BUG(EOI_FORGOTTEN))
		config->ops->irq_eoi(config->ops_ctx, vcpu);
	return PVROM_STATUS_OK;
}

static PVROM_HOT uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu,
			       uint32_t number, const uint64_t arg[4], uint64_t *value)
{
	(void)value;
	switch (number) {
	case PVROM_IRQ_ROUTE: return route(&host->config, arg);
	case PVROM_IRQ_MASK: return mask(&host->config, arg);
	case PVROM_IRQ_EOI: return eoi(&host->config, vcpu->id);
	case PVROM_IRQ_SEND: return send(&host->config, arg);
	default: return PVROM_STATUS_NOT_SUPPORTED;
	}
}

const struct pvrom_host_feature pvrom_host_irq = {
	.number = PVROM_FEATURE_IRQ,
	.group = PVROM_GROUP_IRQ,
	.offer = offer,
	.call = call,
};
