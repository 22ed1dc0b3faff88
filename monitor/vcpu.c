/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A virtual CPU: one thread in KVM_RUN. Only that thread touches its state; the
 * others leave a request and kick it.
 */
#include "monitor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The signal that takes a thread out of KVM_RUN. */
#define KICK_SIGNAL SIGUSR1

static _Thread_local struct vcpu *me;

/*
 * immediate_exit closes the window between the thread's last look at its
 * requests and KVM_RUN: a kick that comes there makes KVM_RUN return at once.
 */
static void on_kick(int signal)
{
	(void)signal;
	if (me != NULL)
		__atomic_store_n(&me->run->immediate_exit, 1, __ATOMIC_RELAXED);
}

/* Prepares the process for kicks; once, before the first vCPU. */
void vcpu_signals(void)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigaction(KICK_SIGNAL, &action, NULL);
}

static void check_creation(struct vm *vm, unsigned int index)
{
	if (vm->vcpus[index].fd < 0)
		fail(EXIT_CANNOT_RUN, "KVM makes no CPU %u: %s", index, strerror(errno));
	if (vm->vcpus[index].run == MAP_FAILED)
		fail(EXIT_CANNOT_RUN, "cannot map the state of CPU %u: %s", index, strerror(errno));
}

/* Creates CPU `index`; all but the first wait for INIT and SIPI (or a start call). */
void vcpu_create(struct vm *vm, unsigned int index)
{
	struct vcpu *vcpu = &vm->vcpus[index];

	vcpu->vm = vm;
	vcpu->index = index;
	pthread_mutex_init(&vcpu->apic, NULL);
	vcpu->run_size = (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	check_creation(vm, index);
	if (vm->rom_size != 0)
		vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	pthread_mutex_destroy(&vcpu->apic);
}

static void run_failed(struct vcpu *vcpu)
{
	int error = errno;

	if (error == EAGAIN) /* a CPU that waits for its SIPI was woken for nothing */
		return;
	complain("CPU %u: KVM cannot go on: %s%s", vcpu->index, strerror(error),
		 error == EFAULT || error == ENOMEM ? " (the host is out of memory)" : "");
	vcpu_dump(vcpu);
	machine_finish(vcpu->vm, ENDED, EXIT_CRASHED);
}

static HOT void run_once(struct vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
		exit_handle(vcpu);
	} else if (errno == EINTR) {
		vcpu->exits.signal++;
		vcpu->interrupted = true;
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	} else {
		run_failed(vcpu);
	}
}

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

static void take_work(struct vcpu *vcpu)
{
	uint8_t vector = __atomic_exchange_n(&vcpu->withdraw, 0, __ATOMIC_RELAXED);

	if (vector != 0)
		interrupts_withdraw(vcpu, vector);
	pthread_mutex_lock(&vcpu->vm->lock);
	do_work(vcpu);
	pthread_mutex_unlock(&vcpu->vm->lock);
}

/* Looks without the lock first: a kick follows each piece of work, so none is missed. */
static HOT void look_for_work(struct vcpu *vcpu)
{
	if (__atomic_load_n(&vcpu->work, __ATOMIC_RELAXED) != NULL ||
	    __atomic_load_n(&vcpu->withdraw, __ATOMIC_RELAXED) != 0)
		take_work(vcpu);
}

static HOT void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;

	me = vcpu;
	vcpu_times_start(vcpu);
	while (!machine_is_over(vcpu->vm)) {
		look_for_work(vcpu);
		clock_visit(vcpu);
		run_once(vcpu);
	}
	vcpu_times_keep(vcpu);
	me = NULL;
	pthread_mutex_lock(&vcpu->vm->lock);
	vcpu->vm->threads--;
	pthread_cond_broadcast(&vcpu->vm->changed);
	pthread_mutex_unlock(&vcpu->vm->lock);
	return NULL;
}

static void count_thread(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->threads++;
	pthread_mutex_unlock(&vm->lock);
}

/* Starts the thread; it takes kicks and no other signal. */
void vcpu_start(struct vcpu *vcpu)
{
	sigset_t all_but_kick, before;
	int error;

	sigfillset(&all_but_kick);
	sigdelset(&all_but_kick, KICK_SIGNAL);
	count_thread(vcpu->vm);
	pthread_sigmask(SIG_SETMASK, &all_but_kick, &before);
	error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for CPU %u: %s", vcpu->index,
		     strerror(error));
}

/* Makes the thread look for work soon, wherever it is. */
static void kick(struct vcpu *vcpu)
{
	pthread_kill(vcpu->thread, KICK_SIGNAL);
}

/*
 * Has a vector taken back before the CPU runs on, if it does not run just now;
 * does not wait, so that locks may be held. From any thread.
 */
void vcpu_withdraw(struct vcpu *vcpu, uint8_t vector)
{
	__atomic_store_n(&vcpu->withdraw, vector, __ATOMIC_RELAXED);
	kick(vcpu);
}

/*
 * Has each CPU come by that has not written its times for a second, as one that is halted: then the others
 * can see that it is. From any thread; the threads are there while the machine's life is not over.
 */
void vcpu_kick_idle(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	for (unsigned int i = 0; i < vm->opt->cpus && vm->end == RUNNING; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];
		uint64_t wrote = __atomic_load_n(&vcpu->times_tsc, __ATOMIC_RELAXED);

		if (wrote != 0 && guest_tsc_now(vcpu) - wrote >= vm->tsc_khz * 1000)
			kick(vcpu);
	}
	pthread_mutex_unlock(&vm->lock);
}

/* True on the CPU's own thread. */
bool vcpu_is_mine(const struct vcpu *vcpu)
{
	return vcpu == me;
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
	kick(vcpu);
	/* It may itself wait for somebody's work, where a kick does not reach it. */
	pthread_cond_broadcast(&vcpu->vm->changed);
	wait_for_work(vcpu, work);
	pthread_mutex_unlock(&vcpu->vm->lock);
}

/*
 * Has `run` called on the CPU's own thread, and returns when that is done (or the machine's life
 * is over). With no lock held, by a CPU's thread.
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
		kick(&vm->vcpus[i]);
	}
	pthread_cond_broadcast(&vm->changed);
	while (vm->end == RUNNING && vm->parked < vm->opt->cpus)
		pthread_cond_wait(&vm->changed, &vm->lock);
	parked = vm->end == RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return parked;
}

static void wait_for_threads(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	while (vm->threads > 0)
		pthread_cond_wait(&vm->changed, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
}

/*
 * Waits for all threads' end, after machine_finish(). None is joined before the last has left the
 * guest: until then each may be kicked by the others.
 */
void vcpu_join_all(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		kick(&vm->vcpus[i]);
	wait_for_threads(vm);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		pthread_join(vm->vcpus[i].thread, NULL);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vcpu_times_stop(&vm->vcpus[i]);
}
