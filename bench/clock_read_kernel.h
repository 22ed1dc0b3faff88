/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What clock_read.c calls in clock_read_kernel.c: so many reads, and the sum of what they said. */
#ifndef BENCH_CLOCK_READ_KERNEL_H
#define BENCH_CLOCK_READ_KERNEL_H

#include <pvrom/clock_guest.h>

extern const struct pvrom_clock_page *kernel_page;
extern struct pvrom_clock_alone kernel_alone;
uint64_t kernel_bare(uint32_t reads);
uint64_t kernel_now(uint32_t reads);
uint64_t kernel_monotonic(uint32_t reads);
uint64_t kernel_everything(uint32_t reads);

#endif
