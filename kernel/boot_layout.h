/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Numbers that boot assembly and C must agree on: selectors, stacks, boot kinds. */
#ifndef KERNEL_BOOT_LAYOUT_H
#define KERNEL_BOOT_LAYOUT_H

/* Selectors. The order of the three user ones is what SYSRET demands (SDM vol. 2B). */
#define SEL_KCODE 0x08
#define SEL_KDATA 0x10
#define SEL_UCODE32 0x18
#define SEL_UDATA 0x20
#define SEL_UCODE 0x28
#define SEL_TSS 0x30
#define SEL_BOOT_CODE32 0x18

/* The most CPUs the kernel uses; more are left parked. */
#define MAX_CPUS 64

/* The lowest page of each is never mapped: see stacks.h. */
#define STACK_SIZE 0x5000

/* The page below 1 MiB to which the AP trampoline is copied: SIPI vector 0x08. */
#define AP_PAGE 0x8000

/* How the loader entered us. */
#define BOOT_MULTIBOOT 1
#define BOOT_PVH 2

#endif
