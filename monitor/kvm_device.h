/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The KVM below: what it must have, what it says of the hardware, and what its CPUs say that they are. */
#ifndef PVRUN_KVM_DEVICE_H
#define PVRUN_KVM_DEVICE_H

#include "machine.h"

/* kvm_device.c */
int kvm_open(void);
int kvm_extension(int fd, long cap);
void kvm_create_machine(struct vm *vm);

/* hardware_facts.c */
uint32_t hardware_facts(const struct vm *vm);
const char *hardware_module(void);
bool hardware_nested_paging(void);

/* cpuid_table.c */
void cpuid_set(struct vcpu *vcpu);
bool cpuid_supported_bit(int kvm, uint32_t leaf, unsigned int reg, unsigned int bit);

#endif
