/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A loop of one thread around one io_uring: everything that a server waits for ends here, so that
 * waiting, submitting and signalling are one system call together.
 *
 * A loop belongs to the thread that opened it, but for pvrom_loop_wake().
 */
#ifndef PVROM_IO_LOOP_H
#define PVROM_IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <liburing.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is called when an operation completes; the head of a larger structure of the caller's, which
 * stays until then. result is that of the system call, or a negated errno.
 */
struct pvrom_loop_op {
	void (*done)(struct pvrom_loop_op *op, int32_t result);
};

/* A descriptor that is watched. The caller's memory, until pvrom_loop_forget() and `gone`. */
struct pvrom_loop_watch {
	struct pvrom_loop_op op;
	struct pvrom_loop *loop;
	/* Something may be there. Called once for any number of events: look until there is no more. */
	void (*ready)(struct pvrom_loop_watch *watch);
	int fd;
	bool armed, forgotten;
};

struct pvrom_loop {
	struct io_uring ring;
	struct pvrom_loop_watch wake;
	uint32_t entries;
	uint64_t enters;    /* counter: system calls */
	uint64_t in_flight; /* operations without an end yet */
};

/* 0, or a negated errno. entries: operations between two submits; more are submitted early. */
int pvrom_loop_open(struct pvrom_loop *loop, uint32_t entries);
/* Cancels what is in flight and waits for it (done is called for each), then frees. */
void pvrom_loop_close(struct pvrom_loop *loop);

/* An empty submission entry with op as its owner; filled in by the caller before the next call. */
struct io_uring_sqe *pvrom_loop_entry(struct pvrom_loop *loop, struct pvrom_loop_op *op);

/* Starts what was prepared; does not wait. */
void pvrom_loop_submit(struct pvrom_loop *loop);
/* Calls done for what has completed; returns for how many. Does not wait. */
uint32_t pvrom_loop_reap(struct pvrom_loop *loop);
/* Starts what was prepared and sleeps until something completes, or `ns` have passed (UINT64_MAX:
 * for ever). */
void pvrom_loop_sleep(struct pvrom_loop *loop, uint64_t ns);

/* Watches fd for reading (edge by edge). fd stays the caller's. */
void pvrom_loop_watch_fd(struct pvrom_loop *loop, struct pvrom_loop_watch *watch, int fd,
			 void (*ready)(struct pvrom_loop_watch *watch));
/* Ends that: ready is not called any more when this returns, and fd and memory are the caller's. */
void pvrom_loop_forget(struct pvrom_loop_watch *watch);

/* Adds 1 to an eventfd with the next submit; fd must stay open until then. */
void pvrom_loop_signal(struct pvrom_loop *loop, int fd);

/* Ends a sleep; from any thread or signal handler. */
void pvrom_loop_wake(struct pvrom_loop *loop);

/* CLOCK_MONOTONIC in ns. */
uint64_t pvrom_loop_now(void);

#ifdef __cplusplus
}
#endif

#endif
