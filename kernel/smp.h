/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Starting and stopping CPUs, giving them work, and bringing them all together. */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

#include "percpu.h"

enum smp_state { SMP_OFFLINE, SMP_ONLINE, SMP_STOPPED };

typedef void smp_work_fn(void *argument);

/* Number of CPUs that came up, this one included; their indices are 0 to this - 1. */
extern uint32_t smp_cpus;
/* Where the number was expected from: "acpi", "cpus=", "host" or "counted". */
extern const char *smp_source;

/* On the BSP: registers it as CPU 0. */
void smp_init_boot_cpu(void);
/* Starts all others; by list if there is one (ACPI, or a number from "cpus="), else by broadcast. */
void smp_start_all(void);
/* The same without APICs, once the host has granted its calls: its vCPUs, by their numbers. */
void smp_start_by_host(void);
/* Gives CPU INDEX something to do and comes back at once; smp_wait() waits for its end. */
void smp_post(uint32_t index, smp_work_fn *work, void *argument);
/* False if it did not end within ten seconds. */
bool smp_wait(uint32_t index);
/* smp_post() and smp_wait(); on the calling CPU itself, a plain call. Panics on a time-out. */
void smp_run(uint32_t index, smp_work_fn *work, void *argument);
/* On all online CPUs one after the other. */
void smp_run_each(smp_work_fn *work, void *argument);
/*
 * All other online CPUs wait with interrupts off, in code without sites, while ACT runs here;
 * then each serializes itself and goes on. Nests.
 */
void smp_rendezvous(smp_work_fn *act, void *argument);
/* The same, but ACT runs on every online CPU, this one first. Sites may be used, but not patched. */
void smp_rendezvous_each(smp_work_fn *act, void *argument);
/* Takes CPU INDEX (not 0) offline, and starts it again. False on a time-out. */
bool smp_stop(uint32_t index);
bool smp_start(uint32_t index);
/* The host is about to park all other CPUs, wherever they are: they count as stopped. */
void smp_abandon_others(void);
/* INIT, SIPI, SIPI to CPU INDEX, which begins in boot_ap.S. */
void smp_native_start(uint32_t index);
/* The end of the calling CPU until it is started again. */
void smp_native_stop(void) __attribute__((noreturn));
void smp_ap_main(uint32_t index);

#endif
