/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The loop around io_uring.
 */
#define _GNU_SOURCE
#include <pvrom/io_loop.h>

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

uint64_t pvrom_loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Newer kernels run completions only when this thread asks; older ones (before 6.1) do not know that. */
static int open_ring(struct io_uring *ring, uint32_t entries)
{
	static const unsigned int flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0
	};
	int result = -EINVAL;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == -EINVAL; i++) {
		struct io_uring_params p = { .flags = flags[i] | IORING_SETUP_CQSIZE,
					     .cq_entries = entries * 8 };

		result = io_uring_queue_init_params(entries, ring, &p);
	}
	return result;
}

static void drain_wake(struct pvrom_loop_watch *watch)
{
	uint64_t count;

	while (read(watch->fd, &count, sizeof(count)) > 0)
		;
}

int pvrom_loop_open(struct pvrom_loop *loop, uint32_t entries)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	*loop = (struct pvrom_loop){ .entries = entries };
	result = open_ring(&loop->ring, entries);
	if (result < 0) {
		close(fd);
		return result;
	}
	io_uring_register_ring_fd(&loop->ring);
	pvrom_loop_watch_fd(loop, &loop->wake, fd, drain_wake);
	return 0;
}

void pvrom_loop_submit(struct pvrom_loop *loop)
{
	if (!io_uring_sq_ready(&loop->ring))
		return;
	loop->enters++;
	while (io_uring_submit(&loop->ring) == -EINTR)
		;
}

struct io_uring_sqe *pvrom_loop_entry(struct pvrom_loop *loop, struct pvrom_loop_op *op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);

	while (!sqe) {
		pvrom_loop_submit(loop);
		sqe = io_uring_get_sqe(&loop->ring);
	}
	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data(sqe, op);
	loop->in_flight++;
	return sqe;
}

/* The owner of signals, which are not waited for: only one that failed has an end. */
static struct pvrom_loop_op signalled;

/* An operation without an owner is one whose end nobody needs. */
static void end_one(struct pvrom_loop *loop, const struct io_uring_cqe *cqe)
{
	struct pvrom_loop_op *op = io_uring_cqe_get_data(cqe);
	int32_t result = cqe->res;

	if (op == &signalled)
		return;
	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		loop->in_flight--;
		if (op && op->done)
			op->done(op, result);
		return;
	}
	if (op && op->done && result >= 0)
		op->done(op, INT32_MAX);
}

uint32_t pvrom_loop_reap(struct pvrom_loop *loop)
{
	struct io_uring_cqe *cqe;
	uint32_t n = 0;

	/* One by one: what is called may submit, reap, or forget a watch. */
	while (n < loop->entries * 8 && io_uring_peek_cqe(&loop->ring, &cqe) == 0) {
		struct io_uring_cqe copy = { .user_data = cqe->user_data,
					     .res = cqe->res,
					     .flags = cqe->flags };

		io_uring_cqe_seen(&loop->ring, cqe);
		end_one(loop, &copy);
		n++;
	}
	return n;
}

void pvrom_loop_sleep(struct pvrom_loop *loop, uint64_t ns)
{
	struct __kernel_timespec t = { .tv_sec = (long long)(ns / 1000000000u),
				       .tv_nsec = (long long)(ns % 1000000000u) };
	struct io_uring_cqe *cqe;

	loop->enters++;
	if (ns == UINT64_MAX)
		io_uring_submit_and_wait(&loop->ring, 1);
	else
		io_uring_submit_and_wait_timeout(&loop->ring, &cqe, 1, &t, NULL);
}

/* ---- watches --------------------------------------------------------------------------------------- */

static void arm(struct pvrom_loop_watch *watch)
{
	struct io_uring_sqe *sqe = pvrom_loop_entry(watch->loop, &watch->op);

	io_uring_prep_poll_multishot(sqe, watch->fd, POLLIN);
	watch->armed = true;
}

/* INT32_MAX: there was an event, and more will be told. Else the watch is over: forgotten, or the
 * kernel had no room for its event, and it is begun again. */
static void polled(struct pvrom_loop_op *op, int32_t result)
{
	struct pvrom_loop_watch *watch = (struct pvrom_loop_watch *)op;

	if (result != INT32_MAX)
		watch->armed = false;
	if (watch->forgotten)
		return;
	if (!watch->armed && result != -EBADF)
		arm(watch);
	if (result >= 0)
		watch->ready(watch);
}

void pvrom_loop_watch_fd(struct pvrom_loop *loop, struct pvrom_loop_watch *watch, int fd,
			 void (*ready)(struct pvrom_loop_watch *watch))
{
	*watch = (struct pvrom_loop_watch){
		.op.done = polled, .loop = loop, .ready = ready, .fd = fd
	};
	arm(watch);
}

void pvrom_loop_forget(struct pvrom_loop_watch *watch)
{
	struct io_uring_sqe *sqe;

	if (!watch->loop || watch->forgotten)
		return;
	watch->forgotten = true;
	if (watch->armed) {
		sqe = pvrom_loop_entry(watch->loop, NULL);
		io_uring_prep_cancel(sqe, &watch->op, 0);
	}
	while (watch->armed) {
		pvrom_loop_sleep(watch->loop, UINT64_MAX);
		pvrom_loop_reap(watch->loop);
	}
	watch->loop = NULL;
}

void pvrom_loop_signal(struct pvrom_loop *loop, int fd)
{
	static const uint64_t one = 1;
	const bool silent = loop->ring.features & IORING_FEAT_CQE_SKIP;
	struct io_uring_sqe *sqe = pvrom_loop_entry(loop, silent ? &signalled : NULL);

	io_uring_prep_write(sqe, fd, &one, sizeof(one), 0);
	if (!silent)
		return;
	/* Its end would wake a sleeper, and cost a round for nothing. */
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	loop->in_flight--;
}

void pvrom_loop_wake(struct pvrom_loop *loop)
{
	const uint64_t one = 1;

	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: the loop wakes up all the same */
}

void pvrom_loop_close(struct pvrom_loop *loop)
{
	struct io_uring_sqe *sqe;
	int fd = loop->wake.fd;

	pvrom_loop_forget(&loop->wake);
	if (loop->in_flight) {
		sqe = pvrom_loop_entry(loop, NULL);
		io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ANY);
	}
	while (loop->in_flight) {
		pvrom_loop_sleep(loop, UINT64_MAX);
		pvrom_loop_reap(loop);
	}
	io_uring_queue_exit(&loop->ring);
	close(fd);
}
