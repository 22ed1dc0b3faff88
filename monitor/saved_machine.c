/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --save FILE: at SIGUSR2 the machine is stopped between two calls of each CPU, written to the file, and
 * pvrun ends; --load FILE goes on from there. On the same boot of the same host the TSC has gone on
 * as if nothing had been, and so have both functions of the clock page; elsewhere the TSC goes on from
 * the value that it had. The file is for the pvrun that wrote it, not for interchange.
 */
#include "monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define SAVE_SIGNAL SIGUSR2
#define NO_PAGE UINT64_MAX

/* What must be equal, and what everything else depends on. */
struct header {
	char magic[8];
	char version[24];
	char boot_id[40];
	uint64_t memory, features_off;
	uint64_t tsc_khz, guest_tsc;
	uint32_t cpus, rom, slots, vmclock, tsc_alone;
	uint32_t host_size; /* bytes of the host core's image */
};

struct devices {
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
	struct kvm_clock_data clock;
	struct route pin[ROUTE_PINS];
	struct serial_state serial;
	uint8_t cmos_index;
	uint8_t vmclock[PVROM_CLOCK_IMAGE_SIZE];
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

/* ---- files ----------------------------------------------------------------------------------- */

static FILE *open_file(const char *path, const char *how)
{
	FILE *file = fopen(path, how);

	if (file == NULL)
		fail(EXIT_CANNOT_RUN, "cannot %s %s: %s", *how == 'r' ? "read" : "write", path,
		     strerror(errno));
	return file;
}

static void put(FILE *file, const void *data, size_t size)
{
	fwrite(data, size, 1, file);
}

static void take(const struct vm *vm, FILE *file, void *data, size_t size)
{
	if (fread(data, size, 1, file) != 1)
		fail(EXIT_CANNOT_RUN, "%s: it ends too early", vm->opt->load);
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

static void put_memory(const struct vm *vm, FILE *file)
{
	static const uint8_t zero[PAGE_SIZE];
	uint64_t end = NO_PAGE;

	for (uint64_t at = 0; at < vm->ram_size; at += PAGE_SIZE)
		if (memcmp(vm->ram + at, zero, PAGE_SIZE) != 0) {
			put(file, &at, sizeof(at));
			put(file, vm->ram + at, PAGE_SIZE);
		}
	put(file, &end, sizeof(end));
}

/* All of it: what was built into memory, the ROM say, stands in the file too. */
static void take_memory(struct vm *vm, FILE *file)
{
	uint64_t at;

	/* Zero again. */
	madvise(vm->ram, vm->ram_size, MADV_DONTNEED);
	for (;;) {
		take(vm, file, &at, sizeof(at));
		if (at == NO_PAGE)
			return;
		if (at >= vm->ram_size || at % PAGE_SIZE != 0)
			fail(EXIT_CANNOT_RUN, "%s: it is damaged", vm->opt->load);
		take(vm, file, vm->ram + at, PAGE_SIZE);
	}
}

/* ---- devices --------------------------------------------------------------------------------- */

static void demand(const struct vm *vm, unsigned long request, void *state, const char *what)
{
	if (ioctl(vm->fd, request, state) < 0)
		fail(EXIT_CANNOT_RUN, "the machine cannot be saved or loaded: %s: %s", what,
		     strerror(errno));
}
#define DEMAND(vm, request, state) demand(vm, request, state, #request)

static void put_devices(struct vm *vm, FILE *file)
{
	static struct devices saved;
	struct devices *devices = &saved;

	memset(devices, 0, sizeof(*devices));
	for (uint32_t i = 0; i < 3; i++) {
		devices->chip[i].chip_id = i;
		DEMAND(vm, KVM_GET_IRQCHIP, &devices->chip[i]);
	}
	DEMAND(vm, KVM_GET_PIT2, &devices->pit);
	DEMAND(vm, KVM_GET_CLOCK, &devices->clock);
	devices->clock.flags = 0;
	memcpy(devices->pin, vm->routes.pin, sizeof(devices->pin));
	serial_save(&vm->serial, &devices->serial);
	devices->cmos_index = vm->cmos_index;
	if (vm->vmclock_gpa != 0)
		pvrom_clock_writer_save(&vm->clock.vmclock, devices->vmclock);
	put(file, devices, sizeof(*devices));
}

static void take_devices(struct vm *vm, FILE *file)
{
	static struct devices saved;
	struct devices *devices = &saved;

	take(vm, file, devices, sizeof(*devices));
	for (uint32_t i = 0; i < 3; i++)
		DEMAND(vm, KVM_SET_IRQCHIP, &devices->chip[i]);
	DEMAND(vm, KVM_SET_PIT2, &devices->pit);
	DEMAND(vm, KVM_SET_CLOCK, &devices->clock);
	interrupts_take(vm, devices->pin);
	serial_load(&vm->serial, &devices->serial);
	vm->cmos_index = devices->cmos_index;
	if (vm->vmclock_gpa != 0 &&
	    pvrom_clock_writer_load(&vm->clock.vmclock, devices->vmclock,
				    sizeof(devices->vmclock)) != PVROM_CLOCK_OK)
		fail(EXIT_CANNOT_RUN, "%s: VMClock's state is damaged", vm->opt->load);
}

/* ---- the host core --------------------------------------------------------------------------- */

static void *host_image(struct vm *vm, size_t *size)
{
	void *image;

	*size = 0;
	if (vm->rom_size == 0)
		return NULL;
	pvrom_host_save(&vm->pvrom.host, NULL, 0, size);
	image = malloc(*size);
	if (image == NULL || pvrom_host_save(&vm->pvrom.host, image, *size, size) != PVROM_HOST_OK)
		fail(EXIT_CANNOT_RUN, "the host core's state cannot be saved");
	return image;
}

/* After the local APICs were loaded: it sends events. */
static void load_host(struct vm *vm, const void *image, size_t size)
{
	enum pvrom_host_result result;

	if (size == 0)
		return;
	result = pvrom_host_load(&vm->pvrom.host, image, size);
	if (result != PVROM_HOST_OK)
		fail(EXIT_CANNOT_RUN, "%s: the host core refuses its state (reason %d)",
		     vm->opt->load, result);
	for (unsigned int i = 0; i < vm->opt->cpus; i++)
		vm->ops.area_changed(vm, i, (struct pvrom_gpa){ vm->pvrom.vcpus[i].area_gpa });
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
	header.host_size = (uint32_t)host_size;
	return header;
}

static void put_all(struct vm *vm, FILE *file)
{
	static struct saved_vcpu saved;
	struct header header;
	size_t host_size;
	void *host;

	clock_pause(vm);
	host = host_image(vm, &host_size);
	header = header_of(vm, host_size);
	put(file, &header, sizeof(header));
	for (unsigned int i = 0; i < vm->opt->cpus; i++) {
		saved_vcpu_take(&vm->vcpus[i], &saved);
		put(file, &saved, sizeof(saved));
	}
	put_devices(vm, file);
	put_memory(vm, file);
	if (host_size != 0)
		put(file, host, host_size);
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

	take(vm, file, &header, sizeof(header));
	if (memcmp(header.magic, mine.magic, sizeof(mine.magic)) != 0 ||
	    memcmp(header.version, mine.version, sizeof(mine.version)) != 0)
		fail(EXIT_CANNOT_RUN, "%s was not saved by this version of pvrun", vm->opt->load);
	if (header.memory != mine.memory || header.cpus != mine.cpus || header.rom != mine.rom ||
	    header.vmclock != mine.vmclock || header.slots != mine.slots ||
	    header.tsc_alone != mine.tsc_alone)
		fail(EXIT_USAGE,
		     "%s was saved with other options: --cpus, --memory, --rom, --slots, "
		     "--tsc-alone and --vmclock must be the same",
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
		take(vm, file, data, size);
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
	take_devices(vm, file);
	take_memory(vm, file);
	host = take_new(vm, file, header.host_size);
	give_vcpus(vm, saved, header.guest_tsc);
	load_host(vm, host, header.host_size);
	free(host);
	free(saved);
	fclose(file);
	vm->loaded = true;
}
