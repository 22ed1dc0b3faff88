/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The type of a guest-physical address in host code.
 */
#ifndef PVROM_GPA_H
#define PVROM_GPA_H

#include <stdint.h>

/* A guest-physical address: a structure, so that it is never taken for a number or a pointer. */
struct pvrom_gpa {
	uint64_t gpa;
};

#endif
