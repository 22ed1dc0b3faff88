/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the host core asks of this hypervisor (struct pvrom_host_ops of host.h). */
#include "hv.h"

/* The ROM's pages are not memory for a call. */
static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	bool writable = false;
	void *at = hv_memory_at(gpa.gpa, len, &writable);

	return writable ? at : NULL;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	return rdtsc() + hv.vcpu[vcpu].vmcb->tsc_offset;
}

static void log_line(void *ctx, uint32_t vcpu, const char *text, uint32_t len)
{
	hv_print("[guest %u] %.*s\n", vcpu, (int)len, text);
}

static void event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	hv_interrupts_send(&hv.vcpu[vcpu], vector);
}

/* ---- irq group ------------------------------------------------------------------------------ */

/* Input 0 is the 8259s' own. */
static uint32_t change_route(uint64_t source, uint8_t vector, uint32_t vcpu, bool keep, bool masked)
{
	struct hv_route *route;

	if (!source || source >= PINS)
		return PVROM_STATUS_NOT_SUPPORTED;
	hv_lock_take(&hv.routes);
	route = &hv.route[source];
	if (keep)
		route->masked = masked;
	else
		*route = (struct hv_route){ vector, route->masked, vcpu };
	hv_pin_set((uint32_t)source, route->masked || !route->vector, hv.vcpu[route->vcpu].apic_id);
	hv_lock_release(&hv.routes);
	return PVROM_STATUS_OK;
}

static uint32_t irq_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	return change_route(source, vector, vcpu, false, false);
}

static uint32_t irq_mask(void *ctx, uint64_t source, bool masked)
{
	return change_route(source, 0, 0, true, masked);
}

static void irq_eoi(void *ctx, uint32_t vcpu)
{
	/* A guest may call although the word said that it need not: the offer is over. */
	hv_interrupts_look(&hv.vcpu[vcpu], true);
	hv_interrupts_end(&hv.vcpu[vcpu]);
}

static uint32_t irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	for (; mask; mask &= mask - 1)
		hv_interrupts_send(&hv.vcpu[base + (uint32_t)__builtin_ctzll(mask)], vector);
	return PVROM_STATUS_OK;
}

/* ---- smp group ------------------------------------------------------------------------------ */

/* Only one of those who try at the same time gets a stopped vCPU to fill in. */
static uint32_t smp_start(void *ctx, uint32_t id, const struct pvrom_smp_state *state)
{
	struct hv_vcpu *vcpu = &hv.vcpu[id];
	uint32_t stopped = VCPU_STOPPED;

	if (!hv_vcpu_state_ok(state))
		return PVROM_STATUS_INVALID;
	if (!__atomic_compare_exchange_n(&vcpu->state, &stopped, VCPU_STARTING, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return PVROM_STATUS_BUSY;
	hv_vcpu_load(vcpu, state);
	/* Release: the state before the word that lets it run; partner: is_running(). */
	__atomic_store_n(&vcpu->state, VCPU_RUNNING, __ATOMIC_RELEASE);
	hv_request(vcpu, REQUEST_KICK);
	return PVROM_STATUS_OK;
}

/* Remembered until the vCPU halts, if it does not yet. */
static uint32_t smp_kick(void *ctx, uint32_t vcpu)
{
	hv_request(&hv.vcpu[vcpu], REQUEST_WAKE);
	return PVROM_STATUS_OK;
}

/* ---- alarms, RESET -------------------------------------------------------------------------- */

static uint32_t alarm_set(void *ctx, uint32_t vcpu, uint64_t deadline, uint8_t vector)
{
	hv_alarm_set(&hv.vcpu[vcpu], deadline, vector);
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	hv_alarm_cancel(&hv.vcpu[vcpu]);
}

static bool is_stopped(const struct hv_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE) == VCPU_STOPPED;
}

static bool others_run(void *ctx, uint32_t vcpu)
{
	for (uint32_t i = 0; i < hv.cpus; i++)
		if (i != vcpu && !is_stopped(&hv.vcpu[i]))
			return true;
	return false;
}

/* A vCPU that stops late may have started another meanwhile: until all stand still. */
static void park_others(void *ctx, uint32_t vcpu)
{
	do
		for (uint32_t i = 0; i < hv.cpus; i++)
			if (i != vcpu && !is_stopped(&hv.vcpu[i]))
				hv_request(&hv.vcpu[i], REQUEST_STOP);
	while (others_run(ctx, vcpu));
}

/* All inputs are shut again. */
static void reset(void *ctx, uint32_t vcpu)
{
	hv_lock_take(&hv.routes);
	for (uint32_t pin = 0; pin < PINS; pin++) {
		hv.route[pin] = (struct hv_route){ 0 };
		hv_pin_set(pin, true, 0);
	}
	hv_lock_release(&hv.routes);
}

/* In the order of the struct; without a comma at the end, so that the formatter fills the lines. */
const struct pvrom_host_ops hv_ops = { .translate = translate,
				       .lock = hv_lock_take,
				       .unlock = hv_lock_release,
				       .tsc = tsc,
				       .log = log_line,
				       .event = event,
				       .irq_route = irq_route,
				       .irq_mask = irq_mask,
				       .irq_eoi = irq_eoi,
				       .irq_send = irq_send,
				       .smp_start = smp_start,
				       .smp_kick = smp_kick,
				       .alarm_set = alarm_set,
				       .alarm_cancel = alarm_cancel,
				       .others_run = others_run,
				       .park_others = park_others,
				       .reset = reset };
