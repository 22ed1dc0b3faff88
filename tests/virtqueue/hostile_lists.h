/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The lists of hostile cases, by file.
 */
#ifndef TESTS_HOSTILE_LISTS_H
#define TESTS_HOSTILE_LISTS_H

#include "hostile_ring.h"

extern const struct hostile_case hostile_split[];
extern const struct hostile_case hostile_chain[];
extern const struct hostile_case hostile_packed[];
extern const struct hostile_case hostile_setup[];
extern const struct hostile_case hostile_record[];
extern const struct hostile_case hostile_device_split[];
extern const struct hostile_case hostile_device_packed[];

#endif
