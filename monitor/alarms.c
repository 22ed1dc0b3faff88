/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Alarms at an absolute TSC of a CPU: one thread sleeps until the next is due
 * and sends its vector through the irqchip. Never early: the TSC itself is
 * looked at before the vector goes out, whatever the sleep did.
 *
 * The guest's TSC is the host's plus an offset that KVM tells. It is read when
 * the alarm is set; a guest that writes its TSC afterwards moves its own alarm
 * with it. The better way is to trap these writes, at the price of an exit each.
 */
#include "monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

#define NEVER UINT64_MAX

static uint64_t tsc_offset(const struct vcpu *vcpu)
{
	uint64_t offset = 0;
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uint64_t)(uintptr_t)&offset,
	};

	ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attribute);
	return offset;
}

/* True if this KVM tells the offset, without which there are no alarms. */
bool alarms_possible(const struct vcpu *vcpu)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
	};

	return ioctl(vcpu->fd, KVM_HAS_DEVICE_ATTR, &attribute) == 0;
}

/* The TSC as the CPU would read it now; waits if called for a CPU that runs on another thread. */
uint64_t alarms_tsc_now(const struct vcpu *vcpu)
{
	return __rdtsc() + tsc_offset(vcpu);
}

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

static struct timespec after_ticks(const struct alarms *alarms, uint64_t ticks)
{
	uint64_t ns = (uint64_t)((unsigned __int128)ticks * 1000000 / alarms->tsc_khz);
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

/* Sends the alarm if its time has come, else sleeps until then or a change; lock held. */
static void serve(struct vm *vm, struct alarm *alarm)
{
	struct alarms *alarms = &vm->alarms;
	uint64_t now = __rdtsc();
	struct timespec until;

	if (now >= alarm->deadline) {
		alarm->armed = false;
		alarm->fired = true;
		interrupts_send(vm, (uint32_t)(alarm - alarms->of), alarm->vector);
		return;
	}
	until = after_ticks(alarms, alarm->deadline - now);
	pthread_cond_timedwait(&alarms->changed, &alarms->lock, &until);
}

static void *alarm_thread(void *argument)
{
	struct vm *vm = argument;
	struct alarms *alarms = &vm->alarms;

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

static void create_lock(struct alarms *alarms)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&alarms->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&alarms->lock, NULL);
}

/* Prepares what the alarms need, and finds out the TSC's rate; the CPUs exist. */
void alarms_create(struct vm *vm)
{
	int khz = ioctl(vm->vcpus[0].fd, KVM_GET_TSC_KHZ, 0);

	create_lock(&vm->alarms);
	vm->alarms.tsc_khz = khz > 0 ? (uint64_t)khz : 1000000;
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
 * interrupt; lock held. Another CPU may at that moment be taking it.
 */
static void disarm(struct vcpu *vcpu)
{
	struct alarm *alarm = &vcpu->vm->alarms.of[vcpu->index];

	if (alarm->fired && vcpu_is_mine(vcpu))
		interrupts_withdraw(vcpu, alarm->vector);
	else if (alarm->fired)
		vcpu_withdraw(vcpu, alarm->vector);
	alarm->armed = false;
	alarm->fired = false;
}

/* Replaces the CPU's alarm by one at `tsc`; on the CPU's own thread. */
void alarms_set(struct vcpu *vcpu, uint64_t tsc, uint8_t vector)
{
	struct alarms *alarms = &vcpu->vm->alarms;
	uint64_t offset = tsc_offset(vcpu), now = __rdtsc();
	uint64_t ticks = tsc > now + offset ? tsc - (now + offset) : 0;

	pthread_mutex_lock(&alarms->lock);
	disarm(vcpu);
	alarms->of[vcpu->index] = (struct alarm){
		.armed = true,
		.vector = vector,
		.deadline = ticks < NEVER - now ? now + ticks : NEVER,
	};
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
