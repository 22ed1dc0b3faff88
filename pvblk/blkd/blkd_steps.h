/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The steps of a request through the daemon that are not the virtqueue's own (PVROM_VQ_STEP_TABLE): at each
 * of them a test kills the process. In the order of the code.
 */
#ifndef BLKD_STEPS_H
#define BLKD_STEPS_H

#include <pvrom/virtqueue_device.h>

#define BLKD_STEP_TABLE(X)                                                                         \
	X(BLK_STARTED, "the request was judged and its operation given to the backend")            \
	X(BLK_DONE, "the backend is done, the status is written")                                  \
	X(BLK_COMPLETED, "the ring knows that it is complete")                                     \
	X(BLK_PUBLISHED, "its batch is published")                                                 \
	X(BLK_INTERRUPTED, "the interrupt is prepared")                                            \
	X(BLK_SLEEPS, "all is done, and notifications are on again")

#ifdef PVROM_TEST
void blkd_step(const char *name);
/* "STEP:N": kill -9 of oneself when the step is passed for the Nth time. false: no such step. */
bool blkd_kill_at(const char *text);
/* One line a step: name, formats, what has happened. */
void blkd_print_steps(void);
/* Makes one of the mistakes of BLK_SLIP_TABLE or VU_SLIP_TABLE from now on. false: no such mistake. */
bool blkd_slip(const char *name);
#define BLKD_STEP(name) blkd_step(#name)
#else
#define BLKD_STEP(name) ((void)0)
#endif

#endif
