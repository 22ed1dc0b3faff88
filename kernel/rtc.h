/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The CMOS clock of a PC, for the date where no interface tells it. */
#ifndef KERNEL_RTC_H
#define KERNEL_RTC_H

#include "lib.h"

/* Seconds since 1970 as the clock says, taken for UTC. False if there is none, or none that makes sense. */
bool rtc_read(uint64_t *seconds);

#endif
