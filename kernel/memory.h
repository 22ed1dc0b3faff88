/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Physical memory: which there is, and pages of it to have. Physical = virtual in the kernel. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "lib.h"

#define PAGE_SIZE 4096ull
#define LARGE_SIZE 0x200000ull

/* From boot_record, less the low megabyte, the kernel and the modules. */
void memory_init(void);
/*
 * PAGES zeroed pages in a row, the first aligned to ALIGN bytes (a power of two,
 * at least PAGE_SIZE). Panics when there is no more: this kernel has no use for
 * a NULL. Any CPU, not in an interrupt.
 */
void *memory_pages(uint64_t pages, uint64_t align);
void *memory_page(void);
/* Gives one page back. */
void memory_free(void *page);
uint64_t memory_usable_bytes(void);
/* The end of the highest usable range. */
uint64_t memory_top(void);

#endif
