/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The I/O ports of the machine, those of KVM's own PIC and PIT aside: COM1, the CMOS clock, the
 * debug exit, the two ways of a PC to reset, ACPI's sleep registers, the counter port, and with a ROM
 * the two of pvrom. Elsewhere reads give ones and writes go nowhere.
 */
#include "run_vcpu.h"
#include "machine_sleep.h"
#include "pc_devices.h"
#include "pvrom_glue.h"

#include <string.h>

#define DEBUG_EXIT 0xf4u
#define KEYBOARD_COMMAND 0x64u
#define KEYBOARD_PULSE_RESET 0xfeu
#define RESET_CONTROL 0xcf9u
#define RESET_CPU 0x04u

static bool is_serial(uint32_t port)
{
	return port >= COM1_PORT && port < COM1_PORT + 8;
}

static void write_byte(struct vm *vm, uint32_t port, uint8_t value)
{
	if (is_serial(port))
		serial_write(&vm->serial, port - COM1_PORT, value);
	else if (port == CMOS_INDEX)
		vm->cmos_index = value & 0x7f;
	else if (port == KEYBOARD_COMMAND && value == KEYBOARD_PULSE_RESET)
		machine_finish(vm, RESET, 0);
	else if (port == RESET_CONTROL && (value & RESET_CPU))
		machine_finish(vm, RESET, 0);
	else if (port == SLEEP_CONTROL_PORT)
		machine_sleep(vm, value);
	else if (pm1_has(vm, port))
		pm1_write(vm, port, value);
}

static uint8_t read_byte(struct vm *vm, uint32_t port)
{
	if (is_serial(port))
		return serial_read(&vm->serial, port - COM1_PORT);
	if (port == CMOS_DATA)
		return cmos_clock_read(vm->cmos_index);
	if (port == KEYBOARD_COMMAND)
		return 0; /* no byte waits, and it takes commands */
	if (port == SLEEP_CONTROL_PORT || port == SLEEP_STATUS_PORT)
		return 0; /* by this one it never sleeps, so it never wakes */
	if (pm1_has(vm, port))
		return pm1_read(vm, port);
	return 0xff;
}

/* QEMU's isa-debug-exit: the exit status is odd, so that 0 stays a power-off. */
static void debug_exit(struct vm *vm, const uint8_t *data, uint32_t size)
{
	uint32_t value = 0;

	memcpy(&value, data, size);
	machine_finish(vm, ENDED, (int)((value << 1 | 1) & 0xff));
}

/* Registers of a byte, reached one after the other where they stand side by side. */
static void byte_access(struct vm *vm, const struct kvm_run *run, uint8_t *data)
{
	for (uint32_t i = 0; i < run->io.size; i++)
		if (run->io.direction == KVM_EXIT_IO_OUT)
			write_byte(vm, run->io.port + i, data[i]);
		else
			data[i] = read_byte(vm, run->io.port + i);
}

/*
 * Elsewhere a wide access is one of another device: 0xcf9 lies in the middle of
 * PCI's configuration address, which guests probe for.
 */
static void access_once(struct vm *vm, const struct kvm_run *run, uint8_t *data)
{
	bool out = run->io.direction == KVM_EXIT_IO_OUT;

	if (out && run->io.port == DEBUG_EXIT)
		debug_exit(vm, data, run->io.size);
	else if (is_serial(run->io.port) || pm1_has(vm, run->io.port) || run->io.size == 1)
		byte_access(vm, run, data);
	else if (!out)
		memset(data, 0xff, run->io.size);
}

/* A string instruction brings several at once. */
static __attribute__((noinline)) void access_all(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->kvm_valid_regs)
		vcpu->last_regs = run->s.regs.regs;
	for (uint32_t i = 0; i < run->io.count; i++)
		access_once(vcpu->vm, run, data + (size_t)i * run->io.size);
}

/* Handles an access to a port; calls first, for theirs is the shortest way. */
HOT void port_access(struct vcpu *vcpu)
{
	if (vcpu->run->io.port == TRANSPORT_PORT && vcpu->pvrom != NULL)
		pvrom_glue_call(vcpu);
	else if (vcpu->run->io.port == LIVE_PORT && vcpu->pvrom != NULL)
		pvrom_glue_live(vcpu);
	else if (vcpu->run->io.port == COUNTER_PORT && vcpu->run->io.size == 4 &&
		 vcpu->run->io.count == 1)
		counter_port(vcpu);
	else
		access_all(vcpu);
}
