/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Time: the TSCs, the clocks that the guest is told, the times of its CPUs, alarms. */
#ifndef PVRUN_GUEST_CLOCK_H
#define PVRUN_GUEST_CLOCK_H

#include "machine.h"

/* guest_tsc.c */
void guest_tsc_create(struct vm *vm);
bool guest_tsc_set_offset(struct vcpu *vcpu, uint64_t offset);
uint64_t guest_tsc_offset(const struct vcpu *vcpu);
uint64_t guest_tsc_now(const struct vcpu *vcpu);
void guest_tsc_write(struct vcpu *vcpu);

/* host_clock.c */
void host_clock_start(struct host_clock *clock, uint64_t tsc_khz);
struct pvrom_clock_sample host_clock_sample(struct host_clock *clock, uint64_t offset);

/* guest_clock.c */
void clock_create(struct vm *vm);
void clock_start(struct vm *vm);
void clock_stop(struct vm *vm);
void clock_pause(struct vm *vm);
void clock_tsc_moved(struct vcpu *vcpu, int64_t step);
void clock_visit(struct vcpu *vcpu);

/* vcpu_times.c */
void vcpu_times_start(struct vcpu *vcpu);
void vcpu_times_keep(struct vcpu *vcpu);
void vcpu_times_stop(struct vcpu *vcpu);
void vcpu_times_record(struct vcpu *vcpu, uint64_t value);
bool vcpu_times_stolen(const struct vcpu *vcpu, uint64_t *ns);
struct pvrom_clock_vcpu_times vcpu_times_now(const struct vcpu *vcpu, uint64_t tsc);

/* vmclock_page.c */
void vmclock_create(struct vm *vm);
void vmclock_update(struct vm *vm, const struct pvrom_clock_sample *sample);
void vmclock_resume(struct vm *vm, const struct pvrom_clock_sample *first);

/* alarms.c */
void alarms_create(struct vm *vm);
void alarms_start(struct vm *vm);
void alarms_stop(struct vm *vm);
void alarms_move(struct vcpu *vcpu);
void alarms_set(struct vcpu *vcpu, uint64_t tsc, uint8_t vector);
void alarms_cancel(struct vcpu *vcpu);
void alarms_withdraw(struct vcpu *vcpu, uint8_t vector);

#endif
