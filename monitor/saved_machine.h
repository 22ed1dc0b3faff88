/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A machine in a file. */
#ifndef PVRUN_SAVED_MACHINE_H
#define PVRUN_SAVED_MACHINE_H

#include "machine.h"

#include <stdio.h>

/* saved_vcpu.c */
struct saved_msr {
	uint32_t index, reserved;
	uint64_t value;
};
struct saved_vcpu {
	struct kvm_mp_state mp_state;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct saved_xsave {
		uint32_t region[1024];
	} xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct alarm alarm;
	struct past past;
	uint64_t tsc_offset;
	uint32_t msr_count;
	struct saved_msr msr[256];
};
void saved_vcpu_take(struct vcpu *vcpu, struct saved_vcpu *saved);
void saved_vcpu_give(struct vcpu *vcpu, const struct saved_vcpu *from, uint64_t tsc_offset);

/* saved_file.c */
void saved_put(FILE *file, const void *data, size_t size);
void saved_take(const struct vm *vm, FILE *file, void *data, size_t size);
/* In a file it may be any byte, and no truth value may be that. */
bool saved_is_bool(const bool *at);
bool saved_is_route(const struct vm *vm, const struct route *route);

/* saved_parts.c */
void saved_put_memory(const struct vm *vm, FILE *file);
void saved_take_memory(struct vm *vm, FILE *file);
void saved_put_devices(struct vm *vm, FILE *file);
void saved_take_devices(struct vm *vm, FILE *file);
void *saved_host_image(struct vm *vm, size_t *size);
void saved_load_host(struct vm *vm, const void *image, size_t size);

/* saved_virtio.c */
void saved_pause_virtio(struct vm *vm);
void saved_put_virtio(struct vm *vm, FILE *file);
void saved_take_virtio(struct vm *vm, FILE *file);

/* saved_machine.c */
void saved_machine_signals(const struct options *opt);
void saved_machine_start(struct vm *vm);
void saved_machine_stop(struct vm *vm);
void saved_machine_write(struct vm *vm);
void saved_machine_read(struct vm *vm);

#endif
