/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the host core asks of this monitor (struct pvrom_host_ops of host.h).
 * ctx is the struct vm. Each runs on the thread of the CPU that made the call.
 */
#include "pvrom_glue.h"
#include "guest_clock.h"
#include "guest_memory.h"
#include "interrupts.h"
#include "run_vcpu.h"

/* The ROM's pages are not memory for a call: the guest may only read them. */
static void *op_translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct vm *vm = ctx;
	uint64_t up_to_rom = vm->rom_gpa - gpa.gpa;

	if (gpa.gpa >= vm->rom_gpa && gpa.gpa < vm->low_size)
		return NULL;
	if (gpa.gpa < vm->rom_gpa && up_to_rom < *len)
		*len = up_to_rom;
	return memory_span(vm, gpa.gpa, len);
}

static void op_lock(void *ctx)
{
	pthread_mutex_lock(&((struct vm *)ctx)->pvrom.lock);
}

static void op_unlock(void *ctx)
{
	pthread_mutex_unlock(&((struct vm *)ctx)->pvrom.lock);
}

static uint64_t op_tsc(void *ctx, uint32_t vcpu)
{
	return guest_tsc_now(&((struct vm *)ctx)->vcpus[vcpu]);
}

/* A line of the guest's log, on stderr unless -q; it may be logged again a second later. */
static void op_log(void *ctx, uint32_t vcpu, const char *text, uint32_t len)
{
	struct vm *vm = ctx;

	if (!vm->opt->quiet)
		complain("[guest %u] %.*s", vcpu, (int)len, text);
	pthread_mutex_lock(&vm->lock);
	vm->pvrom.logged = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

static void op_event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	interrupts_send(ctx, vcpu, vector);
}

static uint32_t op_irq_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	return interrupts_route(ctx, source, vector, vcpu) ? PVROM_STATUS_OK
							   : PVROM_STATUS_NOT_SUPPORTED;
}

static uint32_t op_irq_mask(void *ctx, uint64_t source, bool masked)
{
	return interrupts_mask(ctx, source, masked) ? PVROM_STATUS_OK : PVROM_STATUS_NOT_SUPPORTED;
}

static void op_irq_eoi(void *ctx, uint32_t vcpu)
{
	interrupts_end(&((struct vm *)ctx)->vcpus[vcpu]);
}

static uint32_t op_irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	for (; mask != 0; mask &= mask - 1)
		interrupts_send(ctx, base + (uint32_t)__builtin_ctzll(mask), vector);
	return PVROM_STATUS_OK;
}

struct start {
	const struct pvrom_smp_state *state;
	uint32_t status;
};

static void start_here(struct vcpu *vcpu, void *argument)
{
	struct start *start = argument;

	if (!vcpu_state_is_stopped(vcpu))
		start->status = PVROM_STATUS_BUSY;
	else if (vcpu_state_start(vcpu, start->state))
		start->status = PVROM_STATUS_OK;
}

static uint32_t op_smp_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state)
{
	struct start start = { state, PVROM_STATUS_INVALID };

	vcpu_do(&((struct vm *)ctx)->vcpus[vcpu], start_here, &start);
	return start.status;
}

/*
 * A CPU that is not halted may be about to halt, and KVM's HLT does not come to us: so the kick is
 * remembered as a pending interrupt with the vector that the guest gave for that; one that gave none
 * loses this kick.
 */
static void wake_here(struct vcpu *vcpu, void *unused)
{
	uint8_t vector = vcpu->vm->pvrom.host.kick_vector;

	(void)unused;
	if (!vcpu_state_wake(vcpu) && vector != 0)
		interrupts_send(vcpu->vm, vcpu->index, vector);
}

static uint32_t op_smp_kick(void *ctx, uint32_t vcpu)
{
	vcpu_do(&((struct vm *)ctx)->vcpus[vcpu], wake_here, NULL);
	return PVROM_STATUS_OK;
}

static uint32_t op_alarm_set(void *ctx, uint32_t vcpu, uint64_t tsc, uint8_t vector)
{
	alarms_set(&((struct vm *)ctx)->vcpus[vcpu], tsc, vector);
	return PVROM_STATUS_OK;
}

static void op_alarm_cancel(void *ctx, uint32_t vcpu)
{
	alarms_cancel(&((struct vm *)ctx)->vcpus[vcpu]);
}

static void ask_running(struct vcpu *vcpu, void *running)
{
	if (!vcpu_state_is_stopped(vcpu))
		*(bool *)running = true;
}

static bool op_others_run(void *ctx, uint32_t vcpu)
{
	struct vm *vm = ctx;
	bool running = false;

	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		if (i != vcpu)
			vcpu_do(&vm->vcpus[i], ask_running, &running);
	return running;
}

static void stop_here(struct vcpu *vcpu, void *unused)
{
	(void)unused;
	vcpu_state_stop(vcpu);
}

/*
 * Each after the call that it is in: a batch would go on after its RESET. A CPU that is stopped late
 * may have started another meanwhile: until all stand still.
 */
static void op_park_others(void *ctx, uint32_t vcpu)
{
	struct vm *vm = ctx;

	do
		for (unsigned int i = 0; i < vm->opt->cpus; i++)
			if (i != vcpu)
				vcpu_do_between_calls(&vm->vcpus[i], stop_here, NULL);
	while (op_others_run(ctx, vcpu));
}

static void op_area_changed(void *ctx, uint32_t vcpu, struct pvrom_gpa area)
{
	area_records_change(&((struct vm *)ctx)->vcpus[vcpu], area.gpa);
}

static void op_reset(void *ctx, uint32_t vcpu)
{
	struct vm *vm = ctx;

	pvrom_glue_forget_callers(&vm->vcpus[vcpu]);
	interrupts_default(vm);
}

/* Fills in vm->ops; without the TSC's offset there are no alarms, and the core says so. */
void pvrom_ops_fill(struct vm *vm)
{
	bool alarms = vm->tsc_known && vm->tsc_khz != 0;

	pthread_mutex_init(&vm->pvrom.lock, NULL);
	vm->ops = (struct pvrom_host_ops){
		.translate = op_translate,
		.lock = op_lock,
		.unlock = op_unlock,
		.tsc = op_tsc,
		.log = op_log,
		.event = op_event,
		.irq_route = op_irq_route,
		.irq_mask = op_irq_mask,
		.irq_eoi = op_irq_eoi,
		.irq_send = op_irq_send,
		.smp_start = op_smp_start,
		.smp_kick = op_smp_kick,
		.alarm_set = alarms ? op_alarm_set : NULL,
		.alarm_cancel = alarms ? op_alarm_cancel : NULL,
		.others_run = op_others_run,
		.park_others = op_park_others,
		.area_changed = op_area_changed,
		.reset = op_reset,
	};
}
