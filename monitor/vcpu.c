/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A virtual CPU: one thread in KVM_RUN. Only that thread touches its state; the
 * others leave a request (vcpu_work.c) and kick it.
 */
#include "run_vcpu.h"
#include "guest_clock.h"

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

/* Creates CPU `index`; all but the first wait for INIT and SIPI (or a start call). */
void vcpu_create(struct vm *vm, unsigned int index)
{
	struct vcpu *vcpu = &vm->vcpus[index];

	vcpu->vm = vm;
	vcpu->index = index;
	pthread_mutex_init(&vcpu->apic, NULL);
	vcpu->run_size = (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		fail(EXIT_CANNOT_RUN, "KVM makes no CPU %u: %s", index, strerror(errno));
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		fail(EXIT_CANNOT_RUN, "cannot map the state of CPU %u: %s", index, strerror(errno));
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

/* Looks without the lock first: a kick follows each piece of work, so none is missed. */
static HOT void look_for_work(struct vcpu *vcpu)
{
	if (__atomic_load_n(&vcpu->work, __ATOMIC_RELAXED) != NULL ||
	    __atomic_load_n(&vcpu->withdraw, __ATOMIC_RELAXED) != 0)
		vcpu_take_work(vcpu);
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
void vcpu_kick(struct vcpu *vcpu)
{
	pthread_kill(vcpu->thread, KICK_SIGNAL);
}

/* The CPU whose thread this is, NULL on any other thread. */
struct vcpu *vcpu_mine(void)
{
	return me;
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
			vcpu_kick(vcpu);
	}
	pthread_mutex_unlock(&vm->lock);
}

/* True on the CPU's own thread. */
bool vcpu_is_mine(const struct vcpu *vcpu)
{
	return vcpu == me;
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
		vcpu_kick(&vm->vcpus[i]);
	wait_for_threads(vm);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		pthread_join(vm->vcpus[i].thread, NULL);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vcpu_times_stop(&vm->vcpus[i]);
}
