/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Inside Linux, which has no <stdint.h>: its own types, so that both may be used in one file. */
#ifndef PVROM_KBUILD_STDINT_H
#define PVROM_KBUILD_STDINT_H

#include <linux/limits.h>
#include <linux/types.h>

#define UINT64_C(value) value##ULL
#define UINT64_MAX U64_MAX

#endif
