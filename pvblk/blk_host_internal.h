/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the block device's host half know in common: seeded bugs, for the tests' sake. */
#ifndef PVROM_BLK_HOST_INTERNAL_H
#define PVROM_BLK_HOST_INTERNAL_H

#include <pvrom/blk_host.h>

#endif
