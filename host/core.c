/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Setting up a machine, and the way of one call: who asks, may he, who answers. */
#include "host_internal.h"

/* ---- setting up ------------------------------------------------------------------------------ */

static bool features_ok(const struct pvrom_host_feature *const *list)
{
	uint64_t seen = 0;

	if (!list)
		return false;
	for (; *list; list++) {
		const struct pvrom_host_feature *f = *list;

		if (f->number >= PVROM_FEATURE_COUNT || f->group > PVROM_GROUP_COUNT || !f->offer ||
		    (seen & PVROM_FEATURE_BIT(f->number)))
			return false;
		if (f->group < PVROM_GROUP_COUNT && !f->call)
			return false;
		seen |= PVROM_FEATURE_BIT(f->number);
	}
	return true;
}

static bool transport_ok(const struct pvrom_host_config *config)
{
	if (config->transport == PVROM_TRANSPORT_NONE || config->transport >= PVROM_TRANSPORT_COUNT)
		return false;
	return config->transport == PVROM_TRANSPORT_PORT || !config->transport_port;
}

static bool numbers_ok(const struct pvrom_host_config *config)
{
	const uint32_t hardware =
		PVROM_HW_NESTED_PAGING | PVROM_HW_APIC | PVROM_HW_INVARIANT_TSC | PVROM_HW_OWNS_MMU;

	return !(config->hardware & ~hardware) &&
	       !(config->flags & ~(uint32_t)(PVROM_HOST_POISON | PVROM_HOST_EOI_X2APIC)) &&
	       config->slots <= PVROM_SLOTS_CALL && config->vcpus &&
	       config->vcpus <= PVROM_VCPUS_MAX && !(config->rom_gpa & 0xfff) &&
	       config->rom_gpa <= UINT64_MAX - PVROM_ROM_SIZE_MAX &&
	       config->epoch_before < UINT64_MAX / 2;
}

static bool ops_ok(const struct pvrom_host_ops *ops)
{
	return ops && ops->translate && ops->lock && ops->unlock && ops->tsc;
}

/* Who answers a call stands in the machine itself: to look into the features' own pages would cost a walk each. */
static void note_calls(struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list;

	for (list = host->config.features; *list; list++)
		host->call[(*list)->number] = (*list)->call;
}

enum pvrom_host_result pvrom_host_init(struct pvrom_host *host,
				       const struct pvrom_host_config *config,
				       struct pvrom_host_vcpu *vcpus)
{
	uint32_t i;

	if (!ops_ok(config->ops) || !features_ok(config->features) || !transport_ok(config) ||
	    !numbers_ok(config) || !vcpus)
		return PVROM_HOST_BAD_CONFIG;
	*host = (struct pvrom_host){ .config = *config,
				     .vcpu = vcpus,
				     .epoch = config->epoch_before + 1 };
	note_calls(host);
	for (i = 0; i < config->vcpus; i++)
		vcpus[i] = (struct pvrom_host_vcpu){
			.host = host,
			.area_gpa = PVROM_VCPU_AREA_NONE,
			.id = i,
			.log_left = config->log_burst,
		};
	return PVROM_HOST_OK;
}

/* ---- one call -------------------------------------------------------------------------------- */

/* By comparisons (mk/host.mk): a table of addresses would be a page further. */
static inline uint32_t base_call(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	switch (call->number) {
	case PVROM_BASE_VERSION: return pvrom_base_version(vcpu, call);
	case PVROM_BASE_QUERY: return pvrom_base_query(vcpu, call);
	case PVROM_BASE_NEGOTIATE: return pvrom_base_negotiate(vcpu, call);
	case PVROM_BASE_VCPU_AREA: return pvrom_base_vcpu_area(vcpu, call);
	case PVROM_BASE_LOG: return pvrom_base_log(vcpu, call);
	case PVROM_BASE_BATCH: return pvrom_base_batch(vcpu, call);
	case PVROM_BASE_RESET: return pvrom_base_reset(vcpu, call);
	case PVROM_BASE_SHUTDOWN: return pvrom_base_shutdown(vcpu, call);
	default: return PVROM_STATUS_NOT_SUPPORTED;
	}
}

static inline uint32_t feature_call(struct pvrom_host_vcpu *vcpu, uint32_t feature,
				    struct pvrom_host_request *call)
{
	struct pvrom_host *host = vcpu->host;
	uint32_t status;

	if (!(pvrom_host_sealed(host) & PVROM_FEATURE_BIT(feature)))
		return PVROM_STATUS_DENIED;
	if (!host->call[feature])
		return PVROM_STATUS_NOT_SUPPORTED;
	status = host->call[feature](host, vcpu, call->number, call->arg, &call->value);
	if (call->number == PVROM_SMP_STOP && status == PVROM_STATUS_OK && !PVROM_BUG(STOP_RUNS))
		call->action = PVROM_ACTION_STOP;
	return status;
}

static PVROM_HOT uint32_t serve(struct pvrom_host_vcpu *vcpu,
				const struct pvrom_host_call_info *info,
				struct pvrom_host_request *call)
{
	pvrom_host_trace_begin();
	if (!info || (info->properties & PVROM_CALL_RESERVED))
		return PVROM_STATUS_NOT_SUPPORTED;
	vcpu->calls[info->counter]++;
	if (info->feature == PVROM_FEATURE_BASE)
		return base_call(vcpu, call);
	return feature_call(vcpu, info->feature, call);
}

/* A call whose caller may make calls; call->value and call->action are as for "nothing". */
uint32_t pvrom_host_dispatch(struct pvrom_host_vcpu *vcpu, struct pvrom_host_request *call)
{
	return serve(vcpu, pvrom_host_call_info(call->number), call);
}

static bool mode_ok(const struct pvrom_host_regs *regs)
{
	return !regs->cpl && regs->mode64;
}

/* Field by field: this is the way of every call, and compilers clear structures by slow string stores. */
static void begin(struct pvrom_host_request *call, uint32_t number, const uint64_t *arg)
{
	call->number = number;
	call->arg = arg;
	call->action = PVROM_ACTION_RESUME;
	call->value = 0;
}

/* Nothing is said about a void call, whatever becomes of it. */
static enum pvrom_host_action void_call(struct pvrom_host_vcpu *vcpu,
					const struct pvrom_host_call_info *info,
					const struct pvrom_host_regs *regs)
{
	static const uint64_t none[4];
	struct pvrom_host_request call;

	begin(&call, regs->call, none);
	if (vcpu->host->config.transport == PVROM_TRANSPORT_PORT || mode_ok(regs))
		serve(vcpu, info, &call);
	return PVROM_ACTION_VOID;
}

/* The argument registers are dead, and a guest that goes on using them shall find out early. */
static void poison(struct pvrom_host_regs *regs)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		regs->arg[i] = UINT64_C(0xdeaddeaddead0000) + i;
}

static enum pvrom_host_action full_call(struct pvrom_host_vcpu *vcpu,
					const struct pvrom_host_call_info *info,
					struct pvrom_host_regs *regs)
{
	struct pvrom_host_request call;

	begin(&call, regs->call, regs->arg);
	regs->status = mode_ok(regs) ? serve(vcpu, info, &call) : PVROM_STATUS_MODE;
	regs->value = call.value;
	if ((vcpu->host->config.flags & PVROM_HOST_POISON) && call.action == PVROM_ACTION_RESUME)
		poison(regs);
	return call.action;
}

PVROM_HOT enum pvrom_host_action pvrom_host_call(struct pvrom_host_vcpu *vcpu,
						 struct pvrom_host_regs *regs)
{
	const struct pvrom_host_call_info *info = pvrom_host_call_info(regs->call);

	if (info && (info->properties & PVROM_CALL_VOID))
		return void_call(vcpu, info, regs);
	return full_call(vcpu, info, regs);
}
