/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Inside Linux, which has no <stdbool.h>: bool is in its types, true and false in stddef.h. */
#ifndef PVROM_KBUILD_STDBOOL_H
#define PVROM_KBUILD_STDBOOL_H

#include <linux/stddef.h>
#include <linux/types.h>

#endif
