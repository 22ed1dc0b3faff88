/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Interrupts and doorbells: by files of KVM, by lines and messages, and in the local APICs. */
#ifndef PVRUN_INTERRUPTS_H
#define PVRUN_INTERRUPTS_H

#include "machine.h"

/* event_fds.c */
struct doorbell {
	uint64_t address;
	uint32_t size;
	bool is_port;	/* and not an address of memory */
	bool one_value; /* rung by `value` only */
	uint64_t value;
};
int irqfd_open(const struct vm *vm, uint32_t gsi);
void irqfd_raise(int fd);
void doorbell_attach(const struct vm *vm, const struct doorbell *doorbell, int fd);
int doorbell_open(const struct vm *vm, const struct doorbell *doorbell);
uint64_t doorbell_rung(int fd);
void delay_port_create(struct vm *vm);

/* interrupts.c */
void interrupts_create(struct vm *vm);
void interrupts_send(struct vm *vm, uint32_t vcpu, uint32_t vector);
void interrupts_end(struct vcpu *vcpu);
void interrupts_pv_eoi(struct vcpu *vcpu, uint64_t value);
bool interrupts_route(struct vm *vm, uint64_t pin, uint8_t vector, uint32_t vcpu);
bool interrupts_mask(struct vm *vm, uint64_t pin, bool masked);
void interrupts_message(struct vm *vm, unsigned int message, uint8_t vector, uint32_t vcpu);
void interrupts_default(struct vm *vm);
void interrupts_take(struct vm *vm, const struct route pin[ROUTE_PINS]);

/* apic_state.c */
bool apic_requests(struct vcpu *vcpu, uint8_t vector);
void apic_withdraw(struct vcpu *vcpu, uint8_t vector);
void apic_end(struct vcpu *vcpu);

#endif
