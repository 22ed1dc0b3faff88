/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The feature clock in this monitor: a thread hands the host's clock to the guest's page once a
 * second, and each CPU's times go to its area when it comes by, once a millisecond at most; who has not come by for a
 * second is called.
 */
#include "guest_clock.h"
#include "run_vcpu.h"

#include <time.h>

static uint64_t op_tsc(void *ctx)
{
	return guest_tsc_now(&((struct vm *)ctx)->vcpus[0]);
}

static uint32_t op_stolen(void *ctx, uint32_t vcpu, uint64_t *ns)
{
	return vcpu_times_stolen(&((struct vm *)ctx)->vcpus[vcpu], ns) ? PVROM_STATUS_OK
								       : PVROM_STATUS_NOT_SUPPORTED;
}

/*
 * Sets the clock up, before pvrom_host_init(); without what it needs it is not offered. Alarms on available
 * time are declined: how long a CPU was ready KVM tells only when it runs again, which is too late to be
 * never early.
 */
void clock_create(struct vm *vm)
{
	struct pvrom_clock_config config = {
		.tsc = op_tsc,
		.stolen = op_stolen,
		.ctx = vm,
		.rate_ticks = vm->tsc_khz,
		.rate_ns = 1000000,
		.flags = vm->opt->tsc_alone ? PVROM_CLOCK_HOST_TSC_ALONE : 0,
	};

	machine_condition(&vm->clock.changed);
	pthread_mutex_init(&vm->clock.lock, NULL);
	vmclock_create(vm);
	vm->clock.there = vm->rom_size != 0 && vm->tsc_known && vm->tsc_khz != 0 &&
			  pvrom_clock_host_init(&vm->clock.host, &config) == PVROM_CLOCK_OK;
	vm->clock.runs = vm->clock.there || vm->vmclock_gpa != 0;
	host_clock_start(&vm->clock.source, vm->tsc_khz);
}

/* Takes a sample into the page; with clock.lock held. */
static void update(struct vm *vm, int64_t tsc_step)
{
	struct pvrom_clock_sample sample =
		host_clock_sample(&vm->clock.source, guest_tsc_offset(&vm->vcpus[0]));

	if (tsc_step != 0) {
		sample.flags |= PVROM_CLOCK_SAMPLE_STEPPED;
		sample.tsc_step = tsc_step;
	}
	if (vm->clock.there)
		pvrom_clock_host_update(&vm->pvrom.host, &sample);
	vmclock_update(vm, &sample);
}

/* A guest has moved the TSC of a CPU; the first CPU's is the one that the clock follows. */
void clock_tsc_moved(struct vcpu *vcpu, int64_t step)
{
	struct vm *vm = vcpu->vm;

	if (!vm->clock.runs || vcpu->index != 0)
		return;
	pthread_mutex_lock(&vm->clock.lock);
	update(vm, step);
	pthread_mutex_unlock(&vm->clock.lock);
	/* Whoever kept the function of the TSC must take it anew. */
	if (vm->opt->tsc_alone && vm->clock.there)
		pvrom_host_raise_epoch(&vm->pvrom.host);
}

static void *clock_thread(void *argument)
{
	struct vm *vm = argument;
	struct timespec until;

	pthread_mutex_lock(&vm->clock.lock);
	while (!vm->clock.stop) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&vm->clock.changed, &vm->clock.lock, &until);
		if (vm->clock.stop)
			break;
		update(vm, 0);
		vcpu_kick_idle(vm);
	}
	pthread_mutex_unlock(&vm->clock.lock);
	return NULL;
}

/* The machine is to be saved; no CPU runs. */
void clock_pause(struct vm *vm)
{
	if (vm->clock.there)
		pvrom_clock_host_pause(&vm->pvrom.host);
	if (vm->vmclock_gpa != 0)
		pvrom_clock_writer_pause(&vm->clock.vmclock);
}

/* It was loaded: the same functions of the same TSC, or new ones of another. */
static void resume(struct vm *vm)
{
	struct pvrom_clock_sample sample =
		host_clock_sample(&vm->clock.source, guest_tsc_offset(&vm->vcpus[0]));
	const struct pvrom_clock_sample *first = vm->same_tsc ? NULL : &sample;

	if (vm->clock.there)
		pvrom_clock_host_resume(&vm->pvrom.host, first, vm->same_tsc);
	vmclock_resume(vm, first);
}

/* The first sample, and the thread for all others; before the CPUs run. */
void clock_start(struct vm *vm)
{
	int error;

	if (!vm->clock.runs)
		return;
	if (vm->loaded)
		resume(vm);
	else
		update(vm, 0);
	error = pthread_create(&vm->clock.thread, NULL, clock_thread, vm);
	if (error != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for the clock");
}

/* Ends the thread. */
void clock_stop(struct vm *vm)
{
	if (vm->clock.runs) {
		pthread_mutex_lock(&vm->clock.lock);
		vm->clock.stop = true;
		pthread_cond_signal(&vm->clock.changed);
		pthread_mutex_unlock(&vm->clock.lock);
		pthread_join(vm->clock.thread, NULL);
	}
	pthread_cond_destroy(&vm->clock.changed);
	pthread_mutex_destroy(&vm->clock.lock);
}

static void write_times(struct vcpu *vcpu, uint64_t tsc)
{
	struct pvrom_clock_vcpu_times times = vcpu_times_now(vcpu, tsc);

	vcpu->interrupted = false;
	__atomic_store_n(&vcpu->times_tsc, tsc, __ATOMIC_RELAXED);
	pvrom_clock_host_vcpu(&vcpu->vm->pvrom.vcpus[vcpu->index], &times);
}

/* Out of the way of exits of a guest without an area. */
static HOT __attribute__((noinline)) void write_times_if_due(struct vcpu *vcpu)
{
	uint64_t tsc = guest_tsc_now(vcpu);

	if (tsc - vcpu->times_tsc >= vcpu->vm->tsc_khz && vcpu->vm->clock.there)
		write_times(vcpu, tsc);
}

/*
 * Before the CPU runs on; on its own thread, outside calls: writes its times if it is time to and the guest
 * has an area for them. To learn them takes two system calls, which nobody else shall pay for.
 */
HOT void clock_visit(struct vcpu *vcpu)
{
	if (vcpu->pvrom != NULL && vcpu->pvrom->area_gpa != PVROM_VCPU_AREA_NONE)
		write_times_if_due(vcpu);
}
