/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the files of the clock's host half share: arithmetic with 128 bits, and each other's functions.
 *
 * Times of day are 128-bit numbers here: seconds in the upper half, 2^-64 s in the lower. Rates of TAI are
 * in 2^-(64 + shift) s a tick, so ticks times a rate, shifted right, is a time.
 */
#ifndef PVROM_CLOCK_INTERNAL_H
#define PVROM_CLOCK_INTERNAL_H

#include <pvrom/clock_host.h>

#include "clock_bugs.h"
#include "clock_math.h"

typedef __int128 pvrom_time;

static inline pvrom_time pvrom_clock_time(uint64_t sec, uint64_t frac)
{
	return (pvrom_time)((pvrom_wide)sec << 64 | frac);
}

/* clock_tai.c */
/* Is that status a promise of maxerror_ns? */
static inline bool pvrom_clock_claims(uint32_t status)
{
	return status == PVROM_CLOCK_SYNCHRONIZED || status == PVROM_CLOCK_FREE_RUNNING;
}
pvrom_time pvrom_clock_estimate(const struct pvrom_clock_sample *sample, uint64_t period,
				uint32_t shift, uint64_t tsc);
/* TAI as the readers of a page compute it. */
pvrom_time pvrom_clock_tai_value(const struct pvrom_clock_page *page, uint64_t tsc);
bool pvrom_clock_tai_update(struct pvrom_clock_writer *writer,
			    const struct pvrom_clock_sample *sample,
			    const struct pvrom_clock_period *period, uint64_t tsc, bool anew);

/* clock_leap.c */
/* Which time a sample counts: TAI, or UTC where the host does not know TAI. */
static inline uint8_t pvrom_clock_time_type(uint64_t offset_known)
{
	return offset_known ? PVROM_VMCLOCK_TIME_TAI : PVROM_VMCLOCK_TIME_UTC;
}
void pvrom_clock_leap(struct pvrom_clock_page *page, const struct pvrom_clock_sample *sample);

/* clock_mono.c */
struct pvrom_clock_value {
	uint64_t ns, low; /* low in 2^-mono_shift of the page */
};
struct pvrom_clock_value pvrom_clock_mono_value(const struct pvrom_clock_page *page, uint64_t tsc);
void pvrom_clock_mono_update(struct pvrom_clock_writer *writer,
			     const struct pvrom_clock_period *period, uint64_t tsc,
			     struct pvrom_clock_value value, int64_t slew_ppb64);
int64_t pvrom_clock_slew(struct pvrom_clock_writer *writer, pvrom_time tai,
			 struct pvrom_clock_value value, bool anew);

/* clock_feature.c: the clock of a machine; size bytes of guest memory that are one piece in the host, or NULL. */
struct pvrom_clock_host *pvrom_clock_of(const struct pvrom_host *host);
void *pvrom_clock_piece(const struct pvrom_host *host, uint64_t gpa, uint64_t size);

/* clock_feature_save.c: the entries save and load of struct pvrom_host_feature. */
size_t pvrom_clock_feature_save(const struct pvrom_host *host, void *buffer, size_t room);
bool pvrom_clock_feature_load(struct pvrom_host *host, const void *buffer, size_t size);

#endif
