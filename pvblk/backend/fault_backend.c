/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A backend in front of another that fails operations, or holds them back and lets them go in any order.
 */
#include <pvrom/blk_backend.h>

#include <stdlib.h>

#include "../blk_host_internal.h"
#include "backend_internal.h"

struct fault {
	struct hosted_backend hosted;
	struct pvrom_blk_backend *below;
	uint32_t (*choose)(void *ctx, const struct pvrom_blk_io *io);
	void *ctx;
	struct pvrom_blk_io *held;
};

static struct fault *fault_of(struct pvrom_blk_backend *backend)
{
	return (struct fault *)(void *)hosted_of(backend);
}

static void hold(struct fault *f, struct pvrom_blk_io *io)
{
	struct pvrom_blk_io **end = &f->held;

	while (*end)
		end = &(*end)->next;
	io->next = NULL;
	*end = io;
}

static void fault_submit(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io)
{
	struct fault *f = fault_of(backend);

	switch (BLK_SLIP(FAULT_THROUGH) ? PVROM_BLK_FAULT_NONE : f->choose(f->ctx, io)) {
	case PVROM_BLK_FAULT_NONE: f->below->ops->submit(f->below, io); break;
	case PVROM_BLK_FAULT_HOLD: hold(f, io); break;
	case PVROM_BLK_FAULT_SPACE: pvrom_blk_io_done(io, PVROM_BLK_NO_SPACE); break;
	default: pvrom_blk_io_done(io, PVROM_BLK_FAILED);
	}
}

static void fault_kick(struct pvrom_blk_backend *backend)
{
	struct fault *f = fault_of(backend);

	if (f->below->ops->kick)
		f->below->ops->kick(f->below);
}

bool pvrom_blk_fault_go(struct pvrom_blk_backend *backend, uint32_t which)
{
	struct fault *f = fault_of(backend);
	struct pvrom_blk_io **at = &f->held, *io;

	for (; *at && which; which--)
		at = &(*at)->next;
	io = *at;
	if (!io)
		return false;
	*at = io->next;
	f->below->ops->submit(f->below, io);
	fault_kick(backend);
	return true;
}

static void fault_close(struct hosted_backend *hosted)
{
	free(hosted);
}

static const struct pvrom_blk_backend_ops fault_ops = { .submit = fault_submit,
							.kick = fault_kick };

struct pvrom_blk_backend *pvrom_blk_fault_open(struct pvrom_blk_backend *below,
					       uint32_t (*choose)(void *ctx,
								  const struct pvrom_blk_io *io),
					       void *ctx)
{
	struct fault *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->hosted.close = fault_close;
	f->hosted.head = *below;
	f->hosted.head.ops = &fault_ops;
	f->below = below;
	f->choose = choose;
	f->ctx = ctx;
	/* cppcheck-suppress memleak; it goes with what is returned, until close */
	return &f->hosted.head;
}
