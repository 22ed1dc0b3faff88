/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the random kernel does: its operations, of which mmu_random.c makes a mixture. */
#ifndef TESTS_MMU_OPS_H
#define TESTS_MMU_OPS_H

#include <stddef.h>

#include "mmu_os.h"

struct os_operation {
	const char *name;
	bool (*run)(void); /* false: found nothing to do, another is chosen */
	uint32_t weight;
	bool often; /* must be at least one in twenty */
};

/* Each ends with one that has no name. */
extern const struct os_operation os_page_operations[];
extern const struct os_operation os_table_operations[];
extern const struct os_operation os_cpu_operations[];
extern const struct os_operation os_host_operations[];

#endif
