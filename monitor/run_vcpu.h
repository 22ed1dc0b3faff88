/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A CPU's thread: its exits, the ports, its work, its state, and what is said when it crashes. */
#ifndef PVRUN_RUN_VCPU_H
#define PVRUN_RUN_VCPU_H

#include "machine.h"

/* vcpu.c */
void vcpu_signals(void);
void vcpu_create(struct vm *vm, unsigned int index);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_start(struct vcpu *vcpu);
void vcpu_join_all(struct vm *vm);
void vcpu_kick(struct vcpu *vcpu);
void vcpu_kick_idle(struct vm *vm);
struct vcpu *vcpu_mine(void);
bool vcpu_is_mine(const struct vcpu *vcpu);

/* vcpu_work.c */
void vcpu_take_work(struct vcpu *vcpu);
void vcpu_do(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument);
void vcpu_do_between_calls(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument),
			   void *argument);
void vcpu_alone(struct vcpu *vcpu, void (*run)(struct vcpu *vcpu, void *argument), void *argument);
void vcpu_withdraw(struct vcpu *vcpu, uint8_t vector);
bool vcpu_park_all(struct vm *vm);

/* vcpu_state.c */
void vcpu_state_boot(struct vcpu *vcpu, const struct boot_state *boot);
void vcpu_state_real(struct vcpu *vcpu, uint32_t at);
void vcpu_state_reset(struct vcpu *vcpu);
void vcpu_state_stop(struct vcpu *vcpu);
bool vcpu_state_is_stopped(struct vcpu *vcpu);
bool vcpu_state_start(struct vcpu *vcpu, const struct pvrom_smp_state *state);
bool vcpu_state_wake(struct vcpu *vcpu);

/* vcpu_dump.c */
void vcpu_dump(struct vcpu *vcpu);
void vcpu_dump_all(struct vcpu *first);
void vcpu_dump_last(struct vcpu *vcpu);

/* last_words.c */
int last_words_signal(int number);
void last_words_start(struct vm *vm);
void last_words_stop(struct vm *vm);

/* exits.c */
void exit_handle(struct vcpu *vcpu);

/* ports.c */
#define TRANSPORT_PORT 0xe4u /* no device of a PC is there; within reach of `out %eax,$imm8` */
#define LIVE_PORT 0x5650u
void port_access(struct vcpu *vcpu);

/* counter_port.c */
#define COUNTER_PORT 0x5654u
void counter_port(struct vcpu *vcpu);

#endif
