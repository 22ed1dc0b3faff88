/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The smp group. The state in which a vCPU begins is checked against what every processor
 * refuses (Intel SDM vol. 3A, 2.5 and 26.3.1; AMD APM vol. 2, 3.1 and 15.5.1); what only some
 * refuse (bits of CR4, width of addresses) is the embedder's business, who knows the processor.
 */
#include "host_internal.h"

#define CR0_PE UINT64_C(0x00000001)
#define CR0_NW UINT64_C(0x20000000)
#define CR0_CD UINT64_C(0x40000000)
#define CR0_PG UINT64_C(0x80000000)
#define CR4_PAE UINT64_C(0x20)
#define CR4_LA57 UINT64_C(0x1000)
#define EFER_LME UINT64_C(0x100)
#define EFER_LMA UINT64_C(0x400)
/* SCE, LME, LMA, NXE, SVME, LMSLE, FFXSR, TCE */
#define EFER_KNOWN UINT64_C(0xfd01)
#define SELECTOR_RPL 3

static uint32_t offer(const struct pvrom_host *host)
{
	const struct pvrom_host_ops *ops = host->config.ops;

	return ops->smp_start && ops->smp_kick ? PVROM_REASON_NONE : PVROM_REASON_NOT_SUPPORTED;
}

static bool reserved_ok(const struct pvrom_smp_state *state)
{
	return !state->reserved && !state->reserved2[0] && !state->reserved2[1];
}

static bool control_ok(const struct pvrom_smp_state *state)
{
	const uint64_t cr0 = CR0_PE | CR0_PG, efer = EFER_LME | EFER_LMA;

	if ((state->cr0 & cr0) != cr0 || (state->cr0 >> 32) ||
	    ((state->cr0 & CR0_NW) && !(state->cr0 & CR0_CD)))
		return false;
	return (state->cr4 & CR4_PAE) && (state->efer & efer) == efer &&
	       !(state->efer & ~EFER_KNOWN);
}

static bool canonical(const struct pvrom_smp_state *state, uint64_t address)
{
	uint32_t unused = state->cr4 & CR4_LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}

static bool addresses_ok(const struct pvrom_smp_state *state)
{
	return canonical(state, state->rip) && canonical(state, state->gdt_base) &&
	       canonical(state, state->idt_base) && canonical(state, state->gs_base) &&
	       canonical(state, state->fs_base);
}

/* Each byte of the PAT is a memory type: 0, 1, 4, 5, 6 or 7. */
static bool pat_ok(uint64_t pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
			return false;
	return true;
}

/* Level 0; a code segment there must be, a data segment need not in 64-bit mode. */
static bool selectors_ok(const struct pvrom_smp_state *state)
{
	return state->cs > SELECTOR_RPL && !(state->cs & SELECTOR_RPL) &&
	       !(state->ss & SELECTOR_RPL);
}

static bool state_ok(const struct pvrom_smp_state *state)
{
	return state->size == sizeof(*state) && reserved_ok(state) && control_ok(state) &&
	       addresses_ok(state) && pat_ok(state->pat) && selectors_ok(state);
}

/* Arguments: vCPU, gpa of struct pvrom_smp_state. */
static uint32_t start(const struct pvrom_host_vcpu *vcpu, const uint64_t arg[4])
{
	const struct pvrom_host *host = vcpu->host;
	struct pvrom_smp_state state;

	if (arg[0] >= host->config.vcpus)
		return PVROM_STATUS_INVALID;
	if ((arg[1] & 7) ||
	    pvrom_host_read(host, (struct pvrom_gpa){ arg[1] }, &state, sizeof(state)))
		return PVROM_STATUS_ADDRESS;
	if (!state_ok(&state))
		return PVROM_STATUS_INVALID;
	if (arg[0] == vcpu->id)
		return PVROM_STATUS_BUSY;
	if (PVROM_BUG(START_RDI))
		state.rdi = 0;
	return host->config.ops->smp_start(host->config.ops_ctx, (uint32_t)arg[0], &state);
}

/* A stopped vCPU has no alarm. */
static uint32_t stop(struct pvrom_host *host, const struct pvrom_host_vcpu *vcpu)
{
	pvrom_host_lock(host);
	if (host->started & PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM))
		host->config.ops->alarm_cancel(host->config.ops_ctx, vcpu->id);
	pvrom_host_unlock(host);
	return PVROM_STATUS_OK;
}

/* Argument: vCPU. */
static uint32_t kick(const struct pvrom_host_vcpu *vcpu, const uint64_t arg[4])
{
	const struct pvrom_host_config *config = &vcpu->host->config;

	if (arg[0] >= config->vcpus)
		return PVROM_STATUS_INVALID;
	return config->ops->smp_kick(config->ops_ctx,
				     PVROM_BUG(KICK_SELF) ? vcpu->id : (uint32_t)arg[0]);
}

static PVROM_HOT uint32_t call(struct pvrom_host *host, struct pvrom_host_vcpu *vcpu,
			       uint32_t number, const uint64_t arg[4], uint64_t *value)
{
	(void)value;
	switch (number) {
	case PVROM_SMP_START: return start(vcpu, arg);
	case PVROM_SMP_STOP: return stop(host, vcpu); /* the core lets the vCPU stop */
	case PVROM_SMP_KICK: return kick(vcpu, arg);
	default: return PVROM_STATUS_NOT_SUPPORTED;
	}
}

const struct pvrom_host_feature pvrom_host_smp = {
	.number = PVROM_FEATURE_SMP,
	.group = PVROM_GROUP_SMP,
	.offer = offer,
	.call = call,
};
