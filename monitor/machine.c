/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The life of one virtual machine: built, loaded, run until something ends it,
 * taken apart. A reset is a new life: nothing of the old machine remains; after sleep its memory does.
 */
#include "machine.h"
#include "disk.h"
#include "guest_clock.h"
#include "interrupts.h"
#include "kvm_device.h"
#include "load_kernel.h"
#include "machine_sleep.h"
#include "net_device.h"
#include "pc_devices.h"
#include "pvrom_glue.h"
#include "run_vcpu.h"
#include "saved_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What the boot processor begins with. */
static void begin(struct vm *vm, const struct asleep *memory)
{
	if (memory->ram != NULL)
		machine_sleep_end(vm, memory);
	else if (vm->opt->load != NULL)
		saved_machine_read(vm);
	else
		vcpu_state_boot(&vm->vcpus[0], &vm->boot);
}

static void fill_memory(struct vm *vm)
{
	acpi_tables_create(vm);
	if (vm->opt->load == NULL)
		load_kernel(vm);
}

static void build(struct vm *vm, const struct asleep *memory)
{
	vm->rom_size = pvrom_glue_room(vm->opt);
	vm->epoch_before = memory->epoch;
	kvm_create_machine(vm);
	memory_create(vm, memory->ram);
	if (memory->ram == NULL)
		fill_memory(vm);
	pm1_reset(vm, memory->ram != NULL);
	interrupts_create(vm);
	serial_create(&vm->serial, vm);
	delay_port_create(vm);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vcpu_create(vm, i);
	alarms_create(vm);
	guest_tsc_create(vm);
	clock_create(vm);
	if (vm->rom_size != 0)
		pvrom_glue_create(vm);
	for (unsigned int i = 0; i < vm->opt->disk_count; i++)
		vm->virtio[vm->virtio_count++] = disk_create(vm, &vm->opt->disks[i], i);
	for (unsigned int i = 0; i < vm->opt->net_count; i++, vm->virtio_count++)
		vm->virtio[vm->virtio_count] = net_create(vm, &vm->opt->nets[i], vm->virtio_count);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vcpu_state_reset(&vm->vcpus[i]);
	begin(vm, memory);
}

/* Ends the machine's life; the first to say so decides how. From any thread. */
void machine_finish(struct vm *vm, enum machine_end end, int status)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->end == RUNNING) {
		vm->exit_status = status;
		__atomic_store_n(&vm->end, end, __ATOMIC_RELEASE);
		pthread_cond_broadcast(&vm->changed);
	}
	pthread_mutex_unlock(&vm->lock);
}

/* True once machine_finish() was called; cheap, from any thread. */
HOT bool machine_is_over(struct vm *vm)
{
	return __atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) != RUNNING;
}

/* True if it is `until`, which is set to the next second if it was nothing. */
static bool is_time(struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (until->tv_sec == 0)
		*until = (struct timespec){ now.tv_sec + 1, now.tv_nsec };
	return now.tv_sec > until->tv_sec ||
	       (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

/*
 * The end. A second after the guest has logged it may log again, however often this thread is woken
 * meanwhile by what CPUs have to do with each other.
 */
static void wait_for_end(struct vm *vm)
{
	struct timespec until = { 0 };

	pthread_mutex_lock(&vm->lock);
	while (vm->end == RUNNING) {
		if (!vm->pvrom.logged) {
			pthread_cond_wait(&vm->changed, &vm->lock);
		} else if (is_time(&until)) {
			pvrom_glue_refill(vm);
			until.tv_sec = 0;
		} else {
			pthread_cond_timedwait(&vm->changed, &vm->lock, &until);
		}
	}
	pthread_mutex_unlock(&vm->lock);
}

static void run(struct vm *vm)
{
	terminal_attach(vm);
	alarms_start(vm);
	clock_start(vm);
	/* The boot processor last: it may at once ask something of the others' threads. */
	for (unsigned int i = vm->opt->cpus; i-- > 0;)
		vcpu_start(&vm->vcpus[i]);
	saved_machine_start(vm);
	last_words_start(vm);
	wait_for_end(vm);
	last_words_stop(vm);
	vcpu_join_all(vm);
	saved_machine_stop(vm);
	clock_stop(vm);
	alarms_stop(vm);
	terminal_detach();
}

/* The guest memory goes, or stays for the next life. */
static void leave_memory(struct vm *vm, struct asleep *memory)
{
	*memory = (struct asleep){ 0 };
	if (vm->end == SLEPT)
		machine_sleep_begin(vm, memory);
	else
		memory_destroy(vm);
}

static void take_apart(struct vm *vm, struct asleep *memory)
{
	for (unsigned int i = vm->virtio_count; i-- > vm->opt->disk_count;)
		net_destroy(vm->virtio[i]);
	for (unsigned int i = 0; i < vm->opt->disk_count; i++)
		disk_destroy(vm->virtio[i]);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vcpu_destroy(&vm->vcpus[i]);
	serial_destroy(&vm->serial);
	close(vm->delay_port);
	close(vm->fd);
	leave_memory(vm, memory);
	pthread_mutex_destroy(&vm->lock);
	pthread_cond_destroy(&vm->changed);
}

/* A condition whose timed waits go by a clock that nobody sets. */
void machine_condition(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static struct vm *empty_machine(const struct options *opt, int kvm)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (vm == NULL)
		fail(EXIT_CANNOT_RUN, "out of memory");
	vm->opt = opt;
	vm->kvm = kvm;
	pthread_mutex_init(&vm->lock, NULL);
	machine_condition(&vm->changed);
	return vm;
}

/*
 * One life of the machine, in the memory of the last if there is such. Returns ENDED with the exit status in *status,
 * RESET when the guest is to be started anew, or SLEPT, with its memory.
 */
enum machine_end machine_run(const struct options *opt, int kvm, struct stats *stats,
			     struct asleep *memory, int *status)
{
	struct vm *vm = empty_machine(opt, kvm);
	enum machine_end end;

	build(vm, memory);
	run(vm);
	if (vm->end == SAVED)
		saved_machine_write(vm);
	stats_add(stats, vm);
	end = vm->end;
	*status = vm->exit_status;
	take_apart(vm, memory);
	free(vm);
	return end;
}
