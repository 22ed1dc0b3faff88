/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Does /dev/kvm run guests as a CPU would? Some virtual machines have one that emulates ring 0 in software, slowly
 * and only in part. Each returns 0 if it does, else -1 with the reason in message. May hang where a KVM does.
 */
#ifndef KVM_TRIAL_H
#define KVM_TRIAL_H

#define KVM_TRIAL_MESSAGE 128

int kvm_trial_real_mode(char message[KVM_TRIAL_MESSAGE]);
/* 64-bit mode, with privileged instructions. */
int kvm_trial_long_mode(char message[KVM_TRIAL_MESSAGE]);
/* A million turns of a loop in ring 0: the speed of a CPU, not of an interpreter. */
int kvm_trial_speed(char message[KVM_TRIAL_MESSAGE]);

#endif
