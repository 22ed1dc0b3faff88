/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The thread of a device: all that the device does is done there, around one io_uring, so that the
 * device itself needs no lock.
 */
#ifndef PVRUN_DEVICE_THREAD_H
#define PVRUN_DEVICE_THREAD_H

#include <pthread.h>
#include <pvrom/io_loop.h>

struct device_task {
	void (*run)(void *argument);
	void *argument;
	bool done;
	struct device_task *next;
};

struct device_thread {
	struct pvrom_loop loop; /* of the thread alone, but for its wake */
	/* Goes on with what there is to do; returns for how many ns there will be nothing, unless an
	 * operation ends or a descriptor becomes ready: UINT64_MAX for ever. */
	uint64_t (*work)(void *device);
	void *device;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct device_task *tasks; /* guarded by lock, as all below */
	int opened;		   /* 1: not yet known; else what pvrom_loop_open() said */
	bool stop;
};

/* The work before a device's own begins and after it has ended: nothing. */
static inline uint64_t device_thread_rest(void *device)
{
	(void)device;
	return UINT64_MAX;
}

/* Starts it; 0, or a negated errno: then there is no thread. */
int device_thread_start(struct device_thread *thread, uint64_t (*work)(void *device), void *device);

/* Has `run` done by the thread, and waits for that; from any other thread. */
void device_thread_do(struct device_thread *thread, void (*run)(void *argument), void *argument);

/* Ends it; nothing of the device may be in flight. */
void device_thread_stop(struct device_thread *thread);

/* On the thread itself, inside `run`: waits for the next thing to happen. */
void device_thread_wait(struct device_thread *thread);

#endif
