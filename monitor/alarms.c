/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Alarms at an absolute TSC of a CPU: one thread sleeps until the next is due
 * and sends its vector through the irqchip. Never early: the TSC itself is
 * looked at before the vector goes out, whatever the sleep did; and an alarm moves
 * when the guest moves its TSC. How late they are is counted.
 */
#include "guest_clock.h"
#include "interrupts.h"
#include "run_vcpu.h"

#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <x86intrin.h>

#define NEVER UINT64_MAX

static struct alarm *next_due(struct alarms *alarms)
{
	struct alarm *next = NULL;

	for (unsigned int i = 0; i < MAX_VCPUS; i++) {
		struct alarm *alarm = &alarms->of[i];

		if (alarm->armed && (next == NULL || alarm->deadline < next->deadline))
			next = alarm;
	}
	return next;
}

static struct timespec after_ticks(const struct vm *vm, uint64_t ticks)
{
	uint64_t ns = (uint64_t)((unsigned __int128)ticks * 1000000 / vm->tsc_khz);
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += (time_t)(ns / 1000000000);
	when.tv_nsec += (long)(ns % 1000000000);
	if (when.tv_nsec >= 1000000000) {
		when.tv_nsec -= 1000000000;
		when.tv_sec++;
	}
	return when;
}

static void count(struct alarms *alarms, uint64_t late)
{
	alarms->sent++;
	if (late > alarms->latest)
		alarms->latest = late;
}

/* Sends the alarm if its time has come, else sleeps until then or a change; lock held. */
static void serve(struct vm *vm, struct alarm *alarm)
{
	struct alarms *alarms = &vm->alarms;
	uint64_t now = __rdtsc();
	struct timespec until;

	if (now >= alarm->deadline) {
		alarm->armed = false;
		alarm->fired = true;
		count(alarms, now - alarm->deadline);
		interrupts_send(vm, (uint32_t)(alarm - alarms->of), alarm->vector);
		return;
	}
	until = after_ticks(vm, alarm->deadline - now);
	pthread_cond_timedwait(&alarms->changed, &alarms->lock, &until);
}

static void *alarm_thread(void *argument)
{
	struct vm *vm = argument;
	struct alarms *alarms = &vm->alarms;

	/* The kernel may else wait 50 us longer, to serve several timers at once. */
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
	pthread_mutex_lock(&alarms->lock);
	while (!alarms->stop) {
		struct alarm *alarm = next_due(alarms);

		if (alarm != NULL)
			serve(vm, alarm);
		else
			pthread_cond_wait(&alarms->changed, &alarms->lock);
	}
	pthread_mutex_unlock(&alarms->lock);
	return NULL;
}

/* Prepares what the alarms need. */
void alarms_create(struct vm *vm)
{
	machine_condition(&vm->alarms.changed);
	pthread_mutex_init(&vm->alarms.lock, NULL);
}

/* Starts the thread; before the CPUs run. */
void alarms_start(struct vm *vm)
{
	int error = pthread_create(&vm->alarms.thread, NULL, alarm_thread, vm);

	if (error != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for the alarms: %s",
		     strerror(error));
}

/* Ends the thread; after the CPUs have stopped. */
void alarms_stop(struct vm *vm)
{
	pthread_mutex_lock(&vm->alarms.lock);
	vm->alarms.stop = true;
	pthread_cond_signal(&vm->alarms.changed);
	pthread_mutex_unlock(&vm->alarms.lock);
	pthread_join(vm->alarms.thread, NULL);
	pthread_cond_destroy(&vm->alarms.changed);
	pthread_mutex_destroy(&vm->alarms.lock);
}

/*
 * Takes away the alarm and, if it was sent and the guest has not taken it, its
 * interrupt, before the CPU runs on; lock held. Another CPU may at that moment be taking it.
 */
static void disarm(struct vcpu *vcpu)
{
	struct alarm *alarm = &vcpu->vm->alarms.of[vcpu->index];

	if (alarm->fired)
		vcpu_withdraw(vcpu, alarm->vector);
	alarm->armed = false;
	alarm->fired = false;
}

/* The host's TSC at which the guest's reaches `tsc`; now, if that is in the past. */
static uint64_t host_deadline(const struct vcpu *vcpu, uint64_t tsc)
{
	uint64_t now = __rdtsc(), guest = now + vcpu->tsc_offset;
	uint64_t ticks = tsc > guest ? tsc - guest : 0;

	return ticks < NEVER - now ? now + ticks : NEVER;
}

/* Replaces the CPU's alarm by one at `tsc`; on the CPU's own thread. */
void alarms_set(struct vcpu *vcpu, uint64_t tsc, uint8_t vector)
{
	struct alarms *alarms = &vcpu->vm->alarms;

	pthread_mutex_lock(&alarms->lock);
	disarm(vcpu);
	alarms->of[vcpu->index] = (struct alarm){
		.armed = true,
		.vector = vector,
		.tsc = tsc,
		.deadline = host_deadline(vcpu, tsc),
	};
	pthread_cond_signal(&alarms->changed);
	pthread_mutex_unlock(&alarms->lock);
}

/* The CPU's TSC was moved, and its alarm with it; on the CPU's own thread. */
void alarms_move(struct vcpu *vcpu)
{
	struct alarms *alarms = &vcpu->vm->alarms;
	struct alarm *alarm = &alarms->of[vcpu->index];

	pthread_mutex_lock(&alarms->lock);
	alarm->deadline = host_deadline(vcpu, alarm->tsc);
	pthread_cond_signal(&alarms->changed);
	pthread_mutex_unlock(&alarms->lock);
}

/* After it returns no alarm comes that was set before. */
void alarms_cancel(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->alarms.lock);
	disarm(vcpu);
	pthread_mutex_unlock(&vcpu->vm->alarms.lock);
}

/* The next alarm may have come meanwhile by the same vector: then that is what is asked for. */
static void withdraw_alone(struct vcpu *vcpu, void *vector)
{
	struct alarms *alarms = &vcpu->vm->alarms;
	const struct alarm *alarm = &alarms->of[vcpu->index];

	pthread_mutex_lock(&alarms->lock);
	if (!alarm->fired || alarm->vector != *(uint8_t *)vector)
		apic_withdraw(vcpu, *(uint8_t *)vector);
	pthread_mutex_unlock(&alarms->lock);
}

/*
 * Takes back the interrupt of an alarm that is none any more, if the guest has not taken it; on the CPU's own
 * thread, no lock held. Mostly it has, and then nobody is stopped for it.
 */
void alarms_withdraw(struct vcpu *vcpu, uint8_t vector)
{
	if (apic_requests(vcpu, vector))
		vcpu_alone(vcpu, withdraw_alone, &vector);
}
