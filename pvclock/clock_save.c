/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A clock as bytes, and back: words of 64 bits, little-endian, in the order of the table below. Loading looks
 * at all of them before anything is changed. The handler's image around it has the checksum.
 */
#include "clock_internal.h"

#define IMAGE_MAGIC UINT64_C(0x31766c634d4f5276) /* "vROMclv1": the version is in it */

/* X(field of the writer) */
#define IMAGE_FIELDS(X)                                                                            \
	X(now.seq_count)                                                                           \
	X(now.disruption_marker)                                                                   \
	X(now.flags)                                                                               \
	X(now.clock_status)                                                                        \
	X(now.leap_second_smearing_hint)                                                           \
	X(now.tai_offset_sec)                                                                      \
	X(now.leap_indicator)                                                                      \
	X(now.counter_period_shift)                                                                \
	X(now.counter_value)                                                                       \
	X(now.counter_period_frac_sec)                                                             \
	X(now.counter_period_maxerror_rate_frac_sec)                                               \
	X(now.time_sec)                                                                            \
	X(now.time_frac_sec)                                                                       \
	X(now.time_maxerror_nanosec)                                                               \
	X(now.vm_generation_counter)                                                               \
	X(now.clock_flags)                                                                         \
	X(now.mono_shift)                                                                          \
	X(now.mono_tsc)                                                                            \
	X(now.mono_period)                                                                         \
	X(now.mono_ns)                                                                             \
	X(now.mono_low)                                                                            \
	X(now.suspended_ns)                                                                        \
	X(now.epoch)                                                                               \
	X(now.leap_utc_sec)                                                                        \
	X(now.utc_offset_sec)                                                                      \
	X(now.leap_sign)                                                                           \
	X(claim.tsc)                                                                               \
	X(claim.sec)                                                                               \
	X(claim.frac)                                                                              \
	X(claim.period)                                                                            \
	X(claim.rate)                                                                              \
	X(claim.maxerror_ns)                                                                       \
	X(claim.shift)                                                                             \
	X(claim.valid)                                                                             \
	X(last_tsc)                                                                                \
	X(offset_sec)                                                                              \
	X(offset_frac)                                                                             \
	X(offset_valid)                                                                            \
	X(paused_tai_sec)                                                                          \
	X(paused_tai_frac)                                                                         \
	X(paused_tai_valid)

#define ONE(field) +1
PVROM_STATIC_ASSERT((1 IMAGE_FIELDS(ONE)) * 8 == PVROM_CLOCK_IMAGE_SIZE, "size of a saved clock");

static void put(uint8_t **to, uint64_t word)
{
	uint32_t i;

	for (i = 0; i < 8; i++, word >>= 8)
		*(*to)++ = (uint8_t)word;
}

static uint64_t get(const uint8_t **from)
{
	uint64_t word = 0;
	uint32_t i;

	for (i = 8; i; i--)
		word = word << 8 | (*from)[i - 1];
	*from += 8;
	return word;
}

void pvrom_clock_writer_save(const struct pvrom_clock_writer *writer, uint8_t *image)
{
	put(&image, IMAGE_MAGIC);
#define PUT(field) put(&image, (uint64_t)writer->field);
	IMAGE_FIELDS(PUT)
#undef PUT
}

/* ---- loading --------------------------------------------------------------------------------- */

/* Do the words fit their fields? Each is read back and compared. */
static bool decode(struct pvrom_clock_writer *writer, const uint8_t *image)
{
	bool fits = get(&image) == IMAGE_MAGIC;
	uint64_t word;

#define GET(field)                                                                                 \
	word = get(&image);                                                                        \
	writer->field = (__typeof__(writer->field))word;                                           \
	fits = fits && (uint64_t)writer->field == word;
	IMAGE_FIELDS(GET)
#undef GET
	return fits;
}

static bool mono_ok(const struct pvrom_clock_page *now)
{
	return now->mono_shift - 1 <= 63 && now->mono_period &&
	       (now->mono_shift == 64 || !(now->mono_low >> now->mono_shift));
}

static bool tai_ok(const struct pvrom_clock_page *now)
{
	const uint64_t flags = PVROM_VMCLOCK_TAI_OFFSET_VALID | PVROM_VMCLOCK_TIME_MAXERROR_VALID |
			       PVROM_VMCLOCK_PERIOD_MAXERROR_VALID |
			       PVROM_VMCLOCK_GENERATION_PRESENT;

	return !(now->flags & ~flags) && now->clock_status <= PVROM_CLOCK_UNRELIABLE &&
	       now->leap_second_smearing_hint <= PVROM_CLOCK_UTC_SLS &&
	       now->leap_indicator <= PVROM_VMCLOCK_LEAP_POST_NEG &&
	       now->counter_period_shift <= 63 && now->counter_period_frac_sec &&
	       !(now->clock_flags & ~(uint32_t)(PVROM_CLOCK_KEPT | PVROM_CLOCK_TSC_ALONE));
}

static bool leap_ok(const struct pvrom_clock_page *now)
{
	return now->leap_sign >= -1 && now->leap_sign <= 1 && !(now->leap_utc_sec % 86400) &&
	       now->leap_utc_sec >= 0 && !(now->leap_utc_sec >> 62);
}

/* The bounds that clock_tai.c counts on. */
static bool claim_ok(const struct pvrom_clock_claim *claim, uint64_t last_tsc)
{
	return !claim->valid ||
	       (claim->shift <= 63 && claim->shift >= 16 && claim->period < UINT64_C(5) << 61 &&
		claim->rate < claim->period && claim->rate < UINT64_C(1) << 61 &&
		claim->sec < UINT64_C(1) << 63 && !(claim->maxerror_ns >> 63) &&
		claim->tsc <= last_tsc);
}

static bool image_ok(const struct pvrom_clock_writer *next)
{
	return mono_ok(&next->now) && tai_ok(&next->now) && leap_ok(&next->now) &&
	       claim_ok(&next->claim, next->last_tsc) && next->now.mono_tsc <= next->last_tsc &&
	       !(next->now.seq_count & 1);
}

enum pvrom_clock_result pvrom_clock_writer_load(struct pvrom_clock_writer *writer,
						const uint8_t *image, size_t size)
{
	struct pvrom_clock_writer next = *writer;

	if (size != PVROM_CLOCK_IMAGE_SIZE || !decode(&next, image))
		return PVROM_CLOCK_BAD_IMAGE;
	if (!image_ok(&next) && !PVROM_CLOCK_BUG(LOADS_ANY))
		return PVROM_CLOCK_BAD_IMAGE;
	next.paused = true;
	if (PVROM_CLOCK_BUG(SAVE_LOW))
		next.now.mono_low &= ~UINT64_C(0xff);
	next.now.time_type = pvrom_clock_time_type(next.now.flags & PVROM_VMCLOCK_TAI_OFFSET_VALID);
	next.now.vm_generation_counter += !PVROM_CLOCK_BUG(SAME_GENERATION);
	/* What this host is, and whether it has the page, are no matter of the image. */
	next.now.clock_flags =
		next.config.flags & PVROM_CLOCK_HOST_TSC_ALONE ? PVROM_CLOCK_TSC_ALONE : 0;
	*writer = next;
	return PVROM_CLOCK_OK;
}
