/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* From one life of a machine to the next: suspend to memory, and the ways to say so. */
#ifndef PVRUN_MACHINE_SLEEP_H
#define PVRUN_MACHINE_SLEEP_H

#include "guest_memory.h"

/* What a machine that sleeps leaves to its next life: its memory, and where that begins. */
struct asleep {
	uint8_t *ram; /* NULL: it does not sleep */
	uint64_t size;
	uint32_t vector; /* 0: nowhere */
	uint64_t kvm_clock_ns;
	uint64_t epoch; /* 0: no ROM */
};

#define SLEEP_CONTROL_PORT 0x565cu
#define SLEEP_STATUS_PORT 0x565du
#define SLEEP_OFF 5u /* the sleep type that means off */
#define SLEEP_S3 3u
/* ACPI 6.4, 4.8.3.7: sleep type in bits 4:2, bit 5 does it; so it is in the upper byte of PM1's control too. */
#define SLEEP_DO(type) (1u << 5 | (type) << 2)
#define SLEEP_MASK SLEEP_DO(7u)

/* acpi_sleep.c */
#define ACPI_FACS (ACPI_RSDP + 64u)
#define ACPI_FACS_BYTES 64u
uint32_t acpi_sleep_vector(const struct vm *vm);

/* machine_sleep.c */
#define PM1_PORT 0x600u
#define PM1_CONTROL 4u /* behind status and enable */
bool pm1_has(const struct vm *vm, uint32_t port);
uint8_t pm1_read(const struct vm *vm, uint32_t port);
void pm1_write(struct vm *vm, uint32_t port, uint8_t value);
void pm1_reset(struct vm *vm, bool woken);
void machine_sleep(struct vm *vm, uint8_t control);
void machine_sleep_begin(const struct vm *vm, struct asleep *memory);
void machine_sleep_end(struct vm *vm, const struct asleep *memory);
void machine_sleep_signals(const struct options *opt);
void machine_sleep_leave(void);
enum machine_end machine_sleep_wait(const struct options *opt, struct asleep *memory);

#endif
