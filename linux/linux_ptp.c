/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The time of day of the clock page as a PTP clock, for chrony and phc2sys: UTC, as the other clocks of a
 * host's are in Linux (ptp_kvm). It can be read and compared, and not be set.
 */
#include "linux_module.h"

#include "linux_compat.h"

#include <linux/clocksource.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/timekeeping.h>

static struct ptp_clock *clock;

static int read_utc(struct pvrom_clock_reading *reading, struct timespec64 *utc)
{
	struct pvrom_clock_date date;

	/* A page that no host keeps any more still counts, at a rate that may be another machine's. */
	if (!linux_clock_is_kept())
		return -EIO;
	reading->marker = 0;
	linux_clock_read(reading);
	if (!pvrom_clock_utc(reading, PVROM_CLOCK_STRICT, &date))
		return -EIO;
	*utc = (struct timespec64){ .tv_sec = date.sec, .tv_nsec = date.nsec };
	return 0;
}

static int get_time(struct ptp_clock_info *info, struct timespec64 *utc,
		    struct ptp_system_timestamp *system)
{
	struct pvrom_clock_reading reading;
	int status;

	ptp_read_system_prets(system);
	status = read_utc(&reading, utc);
	ptp_read_system_postts(system);
	return status;
}

/* Both at one TSC value. */
static int get_both(ktime_t *time, struct system_counterval_t *counter, void *unused)
{
	struct pvrom_clock_reading reading;
	struct timespec64 utc;
	int status = read_utc(&reading, &utc);

	if (status || reading.monotonic_ns == PVROM_CLOCK_NONE)
		return -EIO;
	*time = timespec64_to_ktime(utc);
	*counter = linux_counter(reading.tsc, linux_clock_cycles(reading.monotonic_ns),
				 linux_clock_source());
	return 0;
}

static int get_cross(struct ptp_clock_info *info, struct system_device_crosststamp *stamp)
{
	return get_device_system_crosststamp(get_both, NULL, NULL, stamp);
}

static int refuse_frequency(struct ptp_clock_info *info, long change)
{
	return -EOPNOTSUPP;
}

static int refuse_shift(struct ptp_clock_info *info, s64 change)
{
	return -EOPNOTSUPP;
}

static int refuse_time(struct ptp_clock_info *info, const struct timespec64 *time)
{
	return -EOPNOTSUPP;
}

static int refuse_request(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
	return -EOPNOTSUPP;
}

static struct ptp_clock_info info = {
	.owner = THIS_MODULE,
	.name = "pvrom",
	.gettimex64 = get_time,
	.getcrosststamp = get_cross,
	.adjfine = refuse_frequency,
	.adjtime = refuse_shift,
	.settime64 = refuse_time,
	.enable = refuse_request,
};

/* Without a clock page, or in a Linux without PTP, there is none. */
int linux_ptp_start(void)
{
	if (!linux_clock_is_kept())
		return 0;
	clock = ptp_clock_register(&info, NULL);
	if (!IS_ERR(clock))
		return 0;
	pr_warn("no PTP clock: %ld\n", PTR_ERR(clock));
	clock = NULL;
	return 0;
}

void linux_ptp_stop(void)
{
	if (clock)
		ptp_clock_unregister(clock);
	clock = NULL;
}
