/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What CPUs have done by each other's threads: a piece of work is left and waited for, and who waits does his
 * own meanwhile. Parking all of them, and running one alone, are made of that.
 */
#include "run_vcpu.h"
#include "guest_clock.h"

/* Takes the first piece of work that may be done now, NULL if there is none; vm->lock held. */
static struct vcpu_work *next_work(struct vcpu *vcpu)
{
	struct vcpu_work **at = &vcpu->work, *work;

	while (*at != NULL && (*at)->between_calls && vcpu->in_call)
		at = &(*at)->next;
	work = *at;
	if (work != NULL)
		__atomic_store_n(at, work->next, __ATOMIC_RELAXED);
	return work;
}

/* Does what others have left for this thread to do; vm->lock held, given up meanwhile. */
static void do_work(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct vcpu_work *work;

	while ((work = next_work(vcpu)) != NULL) {
		pthread_mutex_unlock(&vm->lock);
		work->run(vcpu, work->argument);
		pthread_mutex_lock(&vm->lock);
		work->done = true;
		pthread_cond_broadcast(&vm->changed);
	}
}

/* What others, or a call of its own, have left for the CPU to do before it runs on; on its own thread. */
void vcpu_take_work(struct vcpu *vcpu)
{
	uint8_t vector = __atomic_exchange_n(&vcpu->withdraw, 0, __ATOMIC_RELAXED);

	if (vector != 0)
		alarms_withdraw(vcpu, vector);
	pthread_mutex_lock(&vcpu->vm->lock);
	do_work(vcpu);
	pthread_mutex_unlock(&vcpu->vm->lock);
}

/*
 * Has an alarm's vector taken back before the CPU runs on, if it does not run just now;
 * does not wait, so that locks may be held. From any thread.
 */
void vcpu_withdraw(struct vcpu *vcpu, uint8_t vector)
{
	__atomic_store_n(&vcpu->withdraw, vector, __ATOMIC_RELAXED);
	if (vcpu != vcpu_mine()) /* who passes there anyway before it runs on */
		vcpu_kick(vcpu);
}

/* First come, first served: who stops a CPU last has the last word. */
static void add_work(struct vcpu *vcpu, struct vcpu_work *work)
{
	struct vcpu_work **at = &vcpu->work;

	while (*at != NULL)
		at = &(*at)->next;
	__atomic_store_n(at, work, __ATOMIC_RELAXED);
}

static void forget_work(struct vcpu *vcpu, struct vcpu_work *work)
{
	for (struct vcpu_work **at = &vcpu->work; *at != NULL; at = &(*at)->next)
		if (*at == work) {
			__atomic_store_n(at, work->next, __ATOMIC_RELAXED);
			work->done = true;
			return;
		}
}

/*
 * Waits for the work, doing one's own meanwhile: two CPUs may want something of
 * each other. When the machine's life ends, work that nobody has begun is
 * dropped; vm->lock held.
 */
static void wait_for_work(struct vcpu *vcpu, struct vcpu_work *work)
{
	struct vcpu *me = vcpu_mine();
	struct vm *vm = vcpu->vm;

	while (!work->done) {
		if (me != NULL)
			do_work(me);
		if (work->done)
			return;
		if (vm->end != RUNNING)
			forget_work(vcpu, work);
		if (!work->done)
			pthread_cond_wait(&vm->changed, &vm->lock);
	}
}

static void leave_and_wait(struct vcpu *vcpu, struct vcpu_work *work)
{
	pthread_mutex_lock(&vcpu->vm->lock);
	add_work(vcpu, work);
	vcpu_kick(vcpu);
	/* It may itself wait for somebody's work, where a kick does not reach it. */
	pthread_cond_broadcast(&vcpu->vm->changed);
	wait_for_work(vcpu, work);
	pthread_mutex_unlock(&vcpu->vm->lock);
}

/*
 * Has `run` called on the CPU's own thread, and returns when that is done (or the machine's life
 * is over). With no lock held.
 */
void vcpu_do(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument)
{
	struct vcpu_work work = { .run = run, .argument = argument };

	if (vcpu_is_mine(vcpu))
		run(vcpu, argument);
	else
		leave_and_wait(vcpu, &work);
}

/*
 * The same on another CPU, and not before the call in which that may be has ended. Two that wait
 * for each other so would wait for ever: for RESET only, which the core lets in one at a time.
 */
void vcpu_do_between_calls(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument),
			   void *argument)
{
	struct vcpu_work work = { .run = run, .argument = argument, .between_calls = true };

	leave_and_wait(vcpu, &work);
}

/* Does what others want until the machine's life ends; on the CPU's own thread, between two calls. */
static void park(struct vcpu *vcpu, void *unused)
{
	struct vm *vm = vcpu->vm;

	(void)unused;
	pthread_mutex_lock(&vm->lock);
	vm->parked++;
	pthread_cond_broadcast(&vm->changed);
	while (vm->end == RUNNING) {
		do_work(vcpu);
		if (vm->end == RUNNING)
			pthread_cond_wait(&vm->changed, &vm->lock);
	}
	pthread_mutex_unlock(&vm->lock);
}

/*
 * Brings all CPUs out of the guest, each after the call that it is in, to wait for the machine's end. True
 * when they do; false if it has ended before. Not on a CPU's thread.
 */
bool vcpu_park_all(struct vm *vm)
{
	bool parked;

	pthread_mutex_lock(&vm->lock);
	for (unsigned int i = 0; i < vm->opt->cpus && vm->end == RUNNING; i++) {
		vm->park[i] = (struct vcpu_work){ .run = park, .between_calls = true };
		add_work(&vm->vcpus[i], &vm->park[i]);
		vcpu_kick(&vm->vcpus[i]);
	}
	pthread_cond_broadcast(&vm->changed);
	while (vm->end == RUNNING && vm->parked < vm->opt->cpus)
		pthread_cond_wait(&vm->changed, &vm->lock);
	parked = vm->end == RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return parked;
}

/* ---- one CPU alone ----------------------------------------------------------------------------- */

/* Those that stand still for one; on its stack. */
struct standstill {
	unsigned int standing;
	bool over;
};

static void stand_still(struct vcpu *vcpu, void *argument)
{
	struct standstill *all = argument;
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->lock);
	all->standing++;
	pthread_cond_broadcast(&vm->changed);
	while (!all->over && vm->end == RUNNING)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

/* Another CPU may want the same, and this one is among those that stand still for it; vm->lock held. */
static void wait_for_turn(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	while (vm->one_runs && vm->end == RUNNING) {
		do_work(vcpu);
		if (vm->one_runs && vm->end == RUNNING)
			pthread_cond_wait(&vm->changed, &vm->lock);
	}
	vm->one_runs = true;
}

/* Returns when all others are out of the guest, or the machine's life is over; vm->lock held. */
static void stop_others(struct vcpu *vcpu, struct vcpu_work work[MAX_VCPUS], struct standstill *all)
{
	struct vm *vm = vcpu->vm;

	for (unsigned int i = 0; i < vm->opt->cpus; i++) {
		if (i == vcpu->index)
			continue;
		work[i] = (struct vcpu_work){ .run = stand_still, .argument = all };
		add_work(&vm->vcpus[i], &work[i]);
		vcpu_kick(&vm->vcpus[i]);
	}
	pthread_cond_broadcast(&vm->changed);
	while (all->standing < vm->opt->cpus - 1 && vm->end == RUNNING)
		pthread_cond_wait(&vm->changed, &vm->lock);
}

static void let_others_go(struct vcpu *vcpu, struct vcpu_work work[MAX_VCPUS],
			  struct standstill *all)
{
	struct vm *vm = vcpu->vm;

	all->over = true;
	vm->one_runs = false;
	pthread_cond_broadcast(&vm->changed);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		while (i != vcpu->index && !work[i].done) {
			if (vm->end != RUNNING)
				forget_work(&vm->vcpus[i], &work[i]);
			if (!work[i].done)
				pthread_cond_wait(&vm->changed, &vm->lock);
		}
}

/*
 * Calls `run` while no CPU is in the guest; on the CPU's own thread, with no lock held. in_call keeps away what
 * must not happen in the midst of that: to be stopped, or parked for good.
 */
void vcpu_alone(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument)
{
	struct vcpu_work work[MAX_VCPUS] = { 0 };
	struct standstill all = { 0 };
	struct vm *vm = vcpu->vm;
	bool in_call = vcpu->in_call;

	vcpu->in_call = true;
	pthread_mutex_lock(&vm->lock);
	wait_for_turn(vcpu);
	stop_others(vcpu, work, &all);
	pthread_mutex_unlock(&vm->lock);
	run(vcpu, argument);
	pthread_mutex_lock(&vm->lock);
	let_others_go(vcpu, work, &all);
	pthread_mutex_unlock(&vm->lock);
	vcpu->in_call = in_call;
}
