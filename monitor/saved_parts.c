/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The parts of a saved machine that are no CPU's: its memory, KVM's devices and ours, the host core. */
#include "saved_machine.h"
#include "interrupts.h"
#include "pc_devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define NO_PAGE UINT64_MAX

struct devices {
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
	struct kvm_clock_data clock;
	struct route pin[ROUTE_PINS];
	struct serial_state serial;
	uint8_t cmos_index;
	uint8_t pm1[PM1_BYTES];
	uint8_t vmclock[PVROM_CLOCK_IMAGE_SIZE];
};

void saved_put_memory(const struct vm *vm, FILE *file)
{
	static const uint8_t zero[PAGE_SIZE];
	uint64_t end = NO_PAGE;

	for (uint64_t at = 0; at < vm->ram_size; at += PAGE_SIZE)
		if (memcmp(vm->ram + at, zero, PAGE_SIZE) != 0) {
			saved_put(file, &at, sizeof(at));
			saved_put(file, vm->ram + at, PAGE_SIZE);
		}
	saved_put(file, &end, sizeof(end));
}

/* All of it: what was built into memory, the ROM say, stands in the file too. */
void saved_take_memory(struct vm *vm, FILE *file)
{
	uint64_t at;

	/* Zero again. */
	madvise(vm->ram, vm->ram_size, MADV_DONTNEED);
	for (;;) {
		saved_take(vm, file, &at, sizeof(at));
		if (at == NO_PAGE)
			return;
		if (at >= vm->ram_size || at % PAGE_SIZE != 0)
			fail(EXIT_CANNOT_RUN, "%s: it is damaged", vm->opt->load);
		saved_take(vm, file, vm->ram + at, PAGE_SIZE);
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

void saved_put_devices(struct vm *vm, FILE *file)
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
	memcpy(devices->pm1, vm->pm1, sizeof(devices->pm1));
	if (vm->vmclock_gpa != 0)
		pvrom_clock_writer_save(&vm->clock.vmclock, devices->vmclock);
	saved_put(file, devices, sizeof(*devices));
}

static bool devices_make_sense(const struct vm *vm, const struct devices *devices)
{
	const struct serial_state *serial = &devices->serial;

	for (uint32_t i = 0; i < ROUTE_PINS; i++)
		if (!saved_is_route(vm, &devices->pin[i]))
			return false;
	return saved_is_bool(&serial->fifo_on) && saved_is_bool(&serial->thre_pending) &&
	       saved_is_bool(&serial->line_high);
}

void saved_take_devices(struct vm *vm, FILE *file)
{
	static struct devices saved;
	struct devices *devices = &saved;

	saved_take(vm, file, devices, sizeof(*devices));
	if (!devices_make_sense(vm, devices))
		fail(EXIT_CANNOT_RUN, "%s: it is damaged", vm->opt->load);
	for (uint32_t i = 0; i < 3; i++)
		DEMAND(vm, KVM_SET_IRQCHIP, &devices->chip[i]);
	DEMAND(vm, KVM_SET_PIT2, &devices->pit);
	DEMAND(vm, KVM_SET_CLOCK, &devices->clock);
	interrupts_take(vm, devices->pin);
	serial_load(&vm->serial, &devices->serial);
	vm->cmos_index = devices->cmos_index;
	memcpy(vm->pm1, devices->pm1, sizeof(vm->pm1));
	if (vm->vmclock_gpa != 0 &&
	    pvrom_clock_writer_load(&vm->clock.vmclock, devices->vmclock,
				    sizeof(devices->vmclock)) != PVROM_CLOCK_OK)
		fail(EXIT_CANNOT_RUN, "%s: VMClock's state is damaged", vm->opt->load);
}

/* ---- the host core --------------------------------------------------------------------------- */

void *saved_host_image(struct vm *vm, size_t *size)
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
void saved_load_host(struct vm *vm, const void *image, size_t size)
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
