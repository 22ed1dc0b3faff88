/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What lwIP wants to know of compiler and library. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stdio.h>
#include <stdlib.h>

#define LWIP_PLATFORM_DIAG(x) (printf x)
#define LWIP_PLATFORM_ASSERT(x) (fprintf(stderr, "lwIP: %s\n", x), abort())
#define LWIP_RAND() ((u32_t)rand())

#endif
