/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Keeping the clock page (<pvrom/clock.h>) right: the host half of the feature clock. Freestanding; allocates
 * nothing, starts no thread, reads no clock but through the embedder's callback.
 *
 * Two layers. struct pvrom_clock_writer is the writer alone: samples of the host's clock in, a page out; for
 * hypervisors that have a page of their own to offer, and for tests. struct pvrom_clock_host around it is
 * the feature as the host handler (<pvrom/host.h>) wants it: registration, calls, save and load. An embedder
 * of the handler
 *
 *	1  fills in struct pvrom_clock_config and calls pvrom_clock_host_init() for each machine;
 *	2  puts &clock_host.feature into the table of features before pvrom_host_init();
 *	3  samples its own clock every second or so (up to a million times a second does no harm) and hands
 *	   the sample to pvrom_clock_host_update(); a first one before the guest runs;
 *	4  says when the machine stands still: pvrom_clock_host_pause(), then _resume();
 *	5  after pvrom_host_load() calls pvrom_clock_host_resume() too: a loaded clock is paused.
 *
 * The page is one way: the writer keeps all of its state here and reads nothing back from the guest but, once
 * at registration, the sequence counter, of which any value will do.
 */
#ifndef PVROM_CLOCK_HOST_H
#define PVROM_CLOCK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/clock.h>
#include <pvrom/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results of the functions below. */
enum pvrom_clock_result {
	PVROM_CLOCK_OK,
	PVROM_CLOCK_BAD_CONFIG, /* a callback is missing, or a rate is outside 1 MHz to 18 GHz */
	PVROM_CLOCK_BAD_SAMPLE, /* a field of the sample is out of range; nothing was changed */
	PVROM_CLOCK_PAUSED,	/* the clock is paused (or, for _resume(), is not) */
	PVROM_CLOCK_BAD_IMAGE,	/* load: damaged, or of another version; nothing was changed */
};

/* ---- samples --------------------------------------------------------------------------------- */

/* Flags of a sample. */
/* utc_offset_sec, leap_utc_sec and leap_sign are known. Without it tai_sec is UTC, and the page says so. */
#define PVROM_CLOCK_SAMPLE_OFFSET 0x1
/* The guest's TSC was moved by tsc_step since the sample before (somebody wrote it, say). */
#define PVROM_CLOCK_SAMPLE_STEPPED 0x2
/* What is said here contradicts what was said before for another reason that the embedder knows of. */
#define PVROM_CLOCK_SAMPLE_DISRUPTED 0x4

/*
 * What the embedder knows of time at one value of the guest's TSC. A status of SYNCHRONIZED or FREE_RUNNING
 * is a promise: true TAI was within maxerror_ns of tai when the TSC was tsc, and the TSC's rate is
 * and stays, until something else is said, within rate_error_ppb of the one given.
 */
struct pvrom_clock_sample {
	uint64_t tsc;
	uint64_t tai_sec;      /* seconds since 1970-01-01 00:00:00 TAI; below 2^62 */
	uint64_t tai_frac_sec; /* 2^-64 s */
	uint64_t maxerror_ns;  /* below 2^62 */
	/* The rate: rate_ticks of the TSC take rate_ns nanoseconds. Both not 0 and below 2^62. */
	uint64_t rate_ticks;
	uint64_t rate_ns;
	uint32_t rate_error_ppb; /* parts in 10^9, below 10^8 */
	uint32_t status;	 /* PVROM_CLOCK_UNKNOWN to PVROM_CLOCK_UNRELIABLE */
	uint32_t flags;		 /* PVROM_CLOCK_SAMPLE_x */
	uint8_t smearing;	 /* PVROM_CLOCK_STRICT, ...: the hint */
	uint8_t reserved[3];
	int64_t tsc_step;
	int64_t leap_utc_sec; /* as in struct pvrom_clock_page; a multiple of 86400 */
	int32_t utc_offset_sec;
	int32_t leap_sign;
};

/* 10^-9 s as the fraction of a second that samples and pages have; for ns below 10^9. */
uint64_t pvrom_clock_frac(uint32_t ns);

/*
 * The date of a PC's CMOS clock, for tai_sec of a first sample where nothing better is known: seconds since 1970, of
 * UTC if the clock is kept so; 0 if there is none, or not in the usual mode (24 hours, BCD). read() reads
 * a register (ports 0x70, 0x71). Takes some milliseconds at most.
 */
uint64_t pvrom_clock_cmos(uint8_t (*read)(uint8_t index));

/* ---- the writer ------------------------------------------------------------------------------ */

/* Flags of a configuration. */
/*
 * The TSC alone is good enough: it is invariant and the same on all vCPUs, and monotonic time never need
 * follow anything else. Monotonic time is then not slewed, and the page says PVROM_CLOCK_TSC_ALONE.
 * The embedder raises the epoch (pvrom_host_raise_epoch()) with every disruption.
 */
#define PVROM_CLOCK_HOST_TSC_ALONE 0x1

struct pvrom_clock_config {
	/*
	 * The guest's TSC now, as every vCPU would read it. Called while the sequence is odd and after all
	 * earlier stores are visible; must take no lock that an update is made under.
	 */
	uint64_t (*tsc)(void *ctx);
	/*
	 * The feature only; may be NULL. Called with the machine's lock held. CLOCK_STOLEN: nanoseconds for which that vCPU was ready and did
	 * not run; PVROM_STATUS_OK or NOT_SUPPORTED.
	 */
	uint32_t (*stolen)(void *ctx, uint32_t vcpu, uint64_t *ns);
	/*
	 * The feature only; may be NULL: declined. Called with the machine's lock held. Send vector to the vCPU once its available time has
	 * reached ns; replaces any alarm the vCPU has. ops->alarm_cancel() of the handler cancels it.
	 */
	uint32_t (*alarm_available)(void *ctx, uint32_t vcpu, uint64_t ns, uint8_t vector);
	void *ctx;
	/* The rate of the guest's TSC, as in a sample; 1 MHz to 18 GHz. */
	uint64_t rate_ticks;
	uint64_t rate_ns;
	/* In what time monotonic time should come back to the host's, in ns: not less than the time
	 * between two updates. 0: 4 seconds. At most 500 ppm are used whatever stands here. */
	uint64_t slew_ns;
	uint32_t flags; /* PVROM_CLOCK_HOST_x */
	uint32_t reserved;
};

/* What was promised of TAI last. The writer's own. */
struct pvrom_clock_claim {
	uint64_t tsc, sec, frac, period, rate, maxerror_ns;
	uint32_t shift;
	bool valid;
	uint8_t reserved[3];
};

/* The writer. The embedder supplies the memory and leaves the fields alone. */
struct pvrom_clock_writer {
	struct pvrom_clock_config config;
	struct pvrom_clock_page *page; /* the guest's, or NULL */
	struct pvrom_clock_page now;   /* what stands in it, or would */
	struct pvrom_clock_claim claim;
	uint64_t last_tsc;   /* the last value that is known of the guest's TSC */
	uint64_t offset_sec; /* TAI less monotonic time, to which the latter is held */
	uint64_t offset_frac;
	uint64_t paused_tai_sec;
	uint64_t paused_tai_frac;
	bool offset_valid, paused, paused_tai_valid;
	uint8_t reserved[5];
};

/* Sets up a writer without a page. Monotonic time is 0 now; status is INITIALIZING. */
enum pvrom_clock_result pvrom_clock_writer_init(struct pvrom_clock_writer *writer,
						const struct pvrom_clock_config *config,
						uint64_t epoch);

/*
 * From now on the page at where (4096 bytes in the host, aligned to 8) is kept; all of it is written. The
 * sequence goes on from what stands there. One page at a time: the one before is no longer written.
 */
void pvrom_clock_writer_attach(struct pvrom_clock_writer *writer, void *where);

/*
 * The page is no longer kept: readers find the status UNAVAILABLE and another marker. Never written afterwards.
 */
void pvrom_clock_writer_detach(struct pvrom_clock_writer *writer);

/*
 * Takes a sample and writes the page. Monotonic time goes on from the value that it has, with the
 * new rate slewed by at most 500 ppm. The TAI interval is narrowed by the sample; where the two contradict
 * each other, or a flag of the sample says so, the sample replaces it and the marker changes. One thread
 * at a time for each clock; readers may read meanwhile.
 */
enum pvrom_clock_result pvrom_clock_writer_update(struct pvrom_clock_writer *writer,
						  const struct pvrom_clock_sample *sample);

/* The host's epoch changed; goes into the page. */
void pvrom_clock_writer_set_epoch(struct pvrom_clock_writer *writer, uint64_t epoch);

/* All vCPUs have stopped: notes the value that monotonic time has reached. */
enum pvrom_clock_result pvrom_clock_writer_pause(struct pvrom_clock_writer *writer);

/*
 * Before vCPUs run again. continuous: the guest's TSC ran on meanwhile as if nothing had been
 * (same host, same offset): both functions are the ones of before, to the last bit. Else: monotonic time goes on
 * from the value at the pause, the time between counts as suspended (as far as both TAI values
 * were known), and the marker changes. Then as pvrom_clock_writer_update().
 */
enum pvrom_clock_result pvrom_clock_writer_resume(struct pvrom_clock_writer *writer,
						  const struct pvrom_clock_sample *sample,
						  bool continuous);

/* The functions of the page at a TSC value, for the host's own use. The caller excludes updates. */
uint64_t pvrom_clock_writer_mono_at(const struct pvrom_clock_writer *writer, uint64_t tsc);
/* The TSC value at which monotonic time reaches ns, rounded up; UINT64_MAX if there is none. */
uint64_t pvrom_clock_writer_tsc_at(const struct pvrom_clock_writer *writer, uint64_t ns);

/* Bytes of a saved clock. */
#define PVROM_CLOCK_IMAGE_SIZE 0x150

/*
 * Saves a clock, paused or not, into PVROM_CLOCK_IMAGE_SIZE bytes. It must have been paused if the TSC does not
 * run on. Load: into a clock that was set up; it is paused then and has the page that it had. The image is
 * input from outside; BAD_IMAGE if anything in it cannot be. The generation counter rises.
 */
void pvrom_clock_writer_save(const struct pvrom_clock_writer *writer, uint8_t *image);
enum pvrom_clock_result pvrom_clock_writer_load(struct pvrom_clock_writer *writer,
						const uint8_t *image, size_t size);

/* ---- one vCPU's times ------------------------------------------------------------------------ */

/* What the embedder knows of one vCPU. */
struct pvrom_clock_vcpu_times {
	uint64_t tsc;	    /* at which the rest holds */
	uint64_t stolen_ns; /* since the machine began; never goes back */
	uint64_t halted_ns;
	uint64_t fresh_ns; /* see struct pvrom_vcpu_area, clock_fresh */
	uint32_t state;	   /* PVROM_VCPU_x */
	uint32_t reserved;
};

/*
 * Writes a snapshot into a vCPU area in the host. real_ns is monotonic time at times->tsc; calls
 * (may be NULL: zeros) is as in the area. By that vCPU's host thread only.
 */
void pvrom_clock_vcpu_write(struct pvrom_vcpu_area *area, uint64_t real_ns,
			    const struct pvrom_clock_vcpu_times *times,
			    const uint64_t calls[PVROM_COUNTER_COUNT]);

/* ---- the feature ----------------------------------------------------------------------------- */

/* The clock of one machine as a feature of the host handler. */
struct pvrom_clock_host {
	/* The embedder names &feature in its table. First, for it is found by its address. */
	struct pvrom_host_feature feature;
	struct pvrom_clock_writer writer;
	uint64_t page_gpa; /* PVROM_CLOCK_PAGE_NONE if none is registered */
};

/* Sets up the feature; before pvrom_host_init() of its machine. */
enum pvrom_clock_result pvrom_clock_host_init(struct pvrom_clock_host *clock,
					      const struct pvrom_clock_config *config);

/*
 * As the functions of the writer, under the machine's lock, from any thread, while vCPUs run (pause and resume:
 * while none runs). host is the machine in whose table the feature is.
 */
enum pvrom_clock_result pvrom_clock_host_update(struct pvrom_host *host,
						const struct pvrom_clock_sample *sample);
enum pvrom_clock_result pvrom_clock_host_pause(struct pvrom_host *host);
enum pvrom_clock_result pvrom_clock_host_resume(struct pvrom_host *host,
						const struct pvrom_clock_sample *sample,
						bool continuous);

/* Writes a snapshot into the vCPU's area, if it has one and the feature is in the sealed set. From that
 * vCPU's thread, not inside pvrom_host_call(). */
void pvrom_clock_host_vcpu(struct pvrom_host_vcpu *vcpu,
			   const struct pvrom_clock_vcpu_times *times);

/* Monotonic time of the machine at a TSC value of its vCPUs, in ns. Not inside a callback. */
uint64_t pvrom_clock_host_mono_at(struct pvrom_host *host, uint64_t tsc);

#ifdef __cplusplus
}
#endif

#endif
