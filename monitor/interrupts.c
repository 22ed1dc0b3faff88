/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Interrupts into the guest, all through KVM's own controllers: the routes of
 * its 24 input lines, messages to a CPU, and the end of an interrupt.
 */
#include "interrupts.h"
#include "pc_devices.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define LINES ROUTE_PINS
#define PIC_LINES 16u
#define PIT_LINE 0u /* KVM's PIT raises line 0 ... */
#define PIT_PIN 2u  /* ... which is pin 2 of the I/O APIC, as on every PC */
#define MSI_ADDRESS 0xfee00000u
#define MSI_NMI 0x400u
#define MSR_X2APIC_EOI 0x80bu
#define MSR_PV_EOI 0x4b564d04u /* MSR_KVM_PV_EOI_EN: Documentation/virt/kvm/x86/msr.rst */

/* Two controllers see a line at most; a message is one entry. */
struct routing {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry entry[2 * LINES + MESSAGES];
};

static void add_chip(struct routing *table, uint32_t line, uint32_t chip, uint32_t pin)
{
	table->entry[table->head.nr++] = (struct kvm_irq_routing_entry){
		.gsi = line,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

static void add_message(struct routing *table, uint32_t line, const struct route *route)
{
	table->entry[table->head.nr++] = (struct kvm_irq_routing_entry){
		.gsi = line,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = MSI_ADDRESS | route->vcpu << 12, .data = route->vector },
	};
}

/* The line of a pin and the pin of a line; lines 0 and 2 are crossed. */
static uint32_t crossed(uint32_t number)
{
	return number == PIT_LINE ? PIT_PIN : number == PIT_PIN ? PIT_LINE : number;
}

static void add_line(struct routing *table, uint32_t line, const struct route *route)
{
	if (route->masked)
		return;
	if (route->routed) {
		add_message(table, line, route);
		return;
	}
	if (line < PIC_LINES / 2)
		add_chip(table, line, KVM_IRQCHIP_PIC_MASTER, line);
	else if (line < PIC_LINES)
		add_chip(table, line, KVM_IRQCHIP_PIC_SLAVE, line - PIC_LINES / 2);
	if (line != PIT_PIN)
		add_chip(table, line, KVM_IRQCHIP_IOAPIC, crossed(line));
}

static bool apply(struct vm *vm)
{
	struct routing table = { 0 };

	for (uint32_t line = 0; line < LINES; line++)
		add_line(&table, line, &vm->routes.pin[crossed(line)]);
	for (uint32_t i = 0; i < MESSAGES; i++)
		if (vm->routes.message[i].routed)
			add_message(&table, MESSAGE_LINE(i), &vm->routes.message[i]);
	return ioctl(vm->fd, KVM_SET_GSI_ROUTING, &table.head) == 0;
}

/* Sets up the lines as on a PC. */
void interrupts_create(struct vm *vm)
{
	pthread_mutex_init(&vm->routes.lock, NULL);
	if (!apply(vm))
		fail(EXIT_CANNOT_RUN, "this KVM cannot run the guest: KVM_SET_GSI_ROUTING: %s",
		     strerror(errno));
}

/* Delivers a vector (PVROM_IRQ_SEND_NMI: an NMI) to a CPU, as an edge. */
void interrupts_send(struct vm *vm, uint32_t vcpu, uint32_t vector)
{
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | vcpu << 12,
		.data = vector == PVROM_IRQ_SEND_NMI ? MSI_NMI : vector,
	};

	/* A CPU whose APIC is off takes nothing, as on hardware: not an error. */
	pthread_mutex_lock(&vm->vcpus[vcpu].apic);
	ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
	pthread_mutex_unlock(&vm->vcpus[vcpu].apic);
}

static bool set_msr(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry = { index, 0, value } };

	return ioctl(vcpu->fd, KVM_SET_MSRS, &msrs.head) == 1;
}

/* Does for a CPU what its own write to the EOI register would; on its own thread. */
void interrupts_end(struct vcpu *vcpu)
{
	/* KVM takes the register as an MSR in x2APIC mode only. */
	if (!set_msr(vcpu, MSR_X2APIC_EOI, 0))
		apic_end(vcpu);
}

/*
 * Tells KVM the word of the guest where it may say that an interrupt needs no
 * EOI (address | 1), or 0 for none; on the CPU's own thread. A KVM without it
 * leaves the word alone, and every interrupt is ended by hand.
 */
void interrupts_pv_eoi(struct vcpu *vcpu, uint64_t value)
{
	set_msr(vcpu, MSR_PV_EOI, value);
}

/* Applies what was done to a pin and unlocks the routes. */
static bool finish_change(struct vm *vm, uint64_t pin)
{
	bool open = !vm->routes.pin[pin].masked, done = apply(vm);

	pthread_mutex_unlock(&vm->routes.lock);
	/* A line that is high already makes no edge by itself. */
	if (done && pin == COM1_IRQ && open)
		serial_repeat_line(&vm->serial);
	return done;
}

/* Delivers a pin of the I/O APIC as a vector to a CPU from now on; false: no such pin. */
bool interrupts_route(struct vm *vm, uint64_t pin, uint8_t vector, uint32_t vcpu)
{
	if (pin == 0 || pin >= ROUTE_PINS)
		return false;
	pthread_mutex_lock(&vm->routes.lock);
	vm->routes.pin[pin] = (struct route){ true, vm->routes.pin[pin].masked, vector, vcpu };
	return finish_change(vm, pin);
}

/* Holds a pin back, or lets it through again; false: no such pin. */
bool interrupts_mask(struct vm *vm, uint64_t pin, bool masked)
{
	if (pin == 0 || pin >= ROUTE_PINS)
		return false;
	pthread_mutex_lock(&vm->routes.lock);
	vm->routes.pin[pin].masked = masked;
	return finish_change(vm, pin);
}

/* What a device's message is from now on, vector 0: none; from any thread. */
void interrupts_message(struct vm *vm, unsigned int message, uint8_t vector, uint32_t vcpu)
{
	pthread_mutex_lock(&vm->routes.lock);
	vm->routes.message[message] = (struct route){ vector != 0, false, vector, vcpu };
	apply(vm);
	pthread_mutex_unlock(&vm->routes.lock);
}

/* Gives all pins back to the I/O APIC. */
void interrupts_default(struct vm *vm)
{
	pthread_mutex_lock(&vm->routes.lock);
	memset(vm->routes.pin, 0, sizeof(vm->routes.pin));
	memset(vm->routes.message, 0, sizeof(vm->routes.message));
	apply(vm);
	pthread_mutex_unlock(&vm->routes.lock);
}

/* Takes routes back as they were saved. */
void interrupts_take(struct vm *vm, const struct route pin[ROUTE_PINS])
{
	pthread_mutex_lock(&vm->routes.lock);
	memcpy(vm->routes.pin, pin, sizeof(vm->routes.pin));
	apply(vm);
	pthread_mutex_unlock(&vm->routes.lock);
}
