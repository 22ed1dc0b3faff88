/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Inside Linux, which has no <stddef.h>. */
#ifndef PVROM_KBUILD_STDDEF_H
#define PVROM_KBUILD_STDDEF_H

#include <linux/stddef.h>
#include <linux/types.h>

#endif
