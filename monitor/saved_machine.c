/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --save FILE: at SIGUSR2 the machine is stopped between two calls of each CPU, written to the file, and
 * pvrun ends; --load FILE goes on from there. On the same boot of the same host the TSC has gone on
 * as if nothing had been, and so have both functions of the clock page; elsewhere the TSC goes on from
 * the value that it had. The file is for the pvrun that wrote it, not for interchange.
 */
#include "saved_machine.h"
#include "guest_clock.h"
#include "run_vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#define SAVE_SIGNAL SIGUSR2

/* What must be equal, and what everything else depends on. */
struct header {
	char magic[8];
	char version[24];
	char boot_id[40];
	uint64_t memory, features_off;
	uint64_t tsc_khz, guest_tsc;
	uint32_t cpus, rom, slots, vmclock, tsc_alone, s3;
	uint32_t devices;   /* virtio */
	uint32_t host_size; /* bytes of the host core's image */
};

/* ---- when ------------------------------------------------------------------------------------ */

/* Once, before any thread: the signal is taken by a thread of its own. */
void saved_machine_signals(const struct options *opt)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SAVE_SIGNAL);
	if (opt->save != NULL)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *wait_for_signal(void *argument)
{
	struct vm *vm = argument;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SAVE_SIGNAL);
	sigwait(&set, &number);
	if (vcpu_park_all(vm))
		machine_finish(vm, SAVED, EXIT_POWEROFF);
	return NULL;
}

/* Before and after the CPUs run. */
void saved_machine_start(struct vm *vm)
{
	if (vm->opt->save != NULL && pthread_create(&vm->saver, NULL, wait_for_signal, vm) != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for --save");
}

void saved_machine_stop(struct vm *vm)
{
	if (vm->opt->save == NULL)
		return;
	pthread_kill(vm->saver, SAVE_SIGNAL);
	pthread_join(vm->saver, NULL);
}

/* ---- the file ------------------------------------------------------------------------------- */

static FILE *open_file(const char *path, const char *how)
{
	FILE *file = fopen(path, how);

	if (file == NULL)
		fail(EXIT_CANNOT_RUN, "cannot %s %s: %s", *how == 'r' ? "read" : "write", path,
		     strerror(errno));
	return file;
}

static void read_boot_id(char id[40])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	memset(id, 0, 40);
	if (file != NULL) {
		id[0] = '\0';
		if (fgets(id, 40, file) == NULL)
			id[0] = '\0';
		fclose(file);
	}
}

/* ---- all together ---------------------------------------------------------------------------- */

static struct header header_of(struct vm *vm, size_t host_size)
{
	struct header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, "PVRUNSAV", sizeof(header.magic));
	strncpy(header.version, PVRUN_VERSION, sizeof(header.version) - 1);
	read_boot_id(header.boot_id);
	header.memory = vm->ram_size;
	header.features_off = vm->opt->features_off;
	header.tsc_khz = vm->tsc_khz;
	header.guest_tsc = guest_tsc_now(&vm->vcpus[0]);
	header.cpus = vm->opt->cpus;
	header.rom = vm->rom_size != 0;
	header.slots = vm->opt->slots;
	header.vmclock = vm->vmclock_gpa != 0;
	header.tsc_alone = vm->opt->tsc_alone;
	header.s3 = vm->opt->s3;
	header.devices = vm->virtio_count;
	header.host_size = (uint32_t)host_size;
	return header;
}

static void put_all(struct vm *vm, FILE *file)
{
	static struct saved_vcpu saved;
	struct header header;
	size_t host_size;
	void *host;

	saved_pause_virtio(vm);
	clock_pause(vm);
	host = saved_host_image(vm, &host_size);
	header = header_of(vm, host_size);
	saved_put(file, &header, sizeof(header));
	for (unsigned int i = 0; i < vm->opt->cpus; i++) {
		saved_vcpu_take(&vm->vcpus[i], &saved);
		saved_put(file, &saved, sizeof(saved));
	}
	saved_put_devices(vm, file);
	saved_put_memory(vm, file);
	if (host_size != 0)
		saved_put(file, host, host_size);
	saved_put_virtio(vm, file);
	free(host);
}

/* Writes the machine, all of whose CPUs have stopped, to --save's file, whole or not at all. */
void saved_machine_write(struct vm *vm)
{
	char path[4096];
	FILE *file;
	bool failed;

	snprintf(path, sizeof(path), "%s.new", vm->opt->save);
	file = open_file(path, "w");
	put_all(vm, file);
	failed = ferror(file);
	if ((fclose(file) != 0) | failed || rename(path, vm->opt->save) < 0)
		fail(EXIT_CANNOT_RUN, "cannot write %s: %s", vm->opt->save, strerror(errno));
}

static struct header take_header(struct vm *vm, FILE *file)
{
	struct header header, mine = header_of(vm, 0);

	saved_take(vm, file, &header, sizeof(header));
	if (memcmp(header.magic, mine.magic, sizeof(mine.magic)) != 0 ||
	    memcmp(header.version, mine.version, sizeof(mine.version)) != 0)
		fail(EXIT_CANNOT_RUN, "%s was not saved by this version of pvrun", vm->opt->load);
	if (header.memory != mine.memory || header.cpus != mine.cpus || header.rom != mine.rom ||
	    header.vmclock != mine.vmclock || header.slots != mine.slots ||
	    header.tsc_alone != mine.tsc_alone || header.devices != mine.devices ||
	    header.s3 != mine.s3)
		fail(EXIT_USAGE,
		     "%s was saved with other options: --cpus, --disk, --memory, --net, --rom, "
		     "--s3, "
		     "--slots, --tsc-alone and --vmclock must be the same",
		     vm->opt->load);
	if (!vm->tsc_known || header.host_size > MIB(1))
		fail(EXIT_CANNOT_RUN, "%s cannot be loaded here", vm->opt->load);
	vm->same_tsc = memcmp(header.boot_id, mine.boot_id, sizeof(mine.boot_id)) == 0 &&
		       header.tsc_khz == mine.tsc_khz;
	return header;
}

/* So many bytes of the file, to be freed. */
static void *take_new(const struct vm *vm, FILE *file, size_t size)
{
	void *data = calloc(1, size + 1);

	if (data == NULL)
		fail(EXIT_CANNOT_RUN, "out of memory");
	if (size != 0)
		saved_take(vm, file, data, size);
	return data;
}

/* Late, for here another TSC begins to count. */
static void give_vcpus(struct vm *vm, const struct saved_vcpu *saved, uint64_t guest_tsc)
{
	uint64_t offset = guest_tsc - __rdtsc();

	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		saved_vcpu_give(&vm->vcpus[i], &saved[i],
				vm->same_tsc ? saved[i].tsc_offset : offset);
}

/* Goes on from --load's file; the machine is built, and nothing runs. */
void saved_machine_read(struct vm *vm)
{
	FILE *file = open_file(vm->opt->load, "r");
	struct saved_vcpu *saved;
	struct header header;
	void *host;

	header = take_header(vm, file);
	saved = take_new(vm, file, header.cpus * sizeof(*saved));
	saved_take_devices(vm, file);
	saved_take_memory(vm, file);
	host = take_new(vm, file, header.host_size);
	give_vcpus(vm, saved, header.guest_tsc);
	saved_load_host(vm, host, header.host_size);
	saved_take_virtio(vm, file);
	free(host);
	free(saved);
	fclose(file);
	vm->loaded = true;
}
