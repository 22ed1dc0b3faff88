/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How a hosted backend is freed: the function stands before the public head. */
#ifndef PVROM_BACKEND_INTERNAL_H
#define PVROM_BACKEND_INTERNAL_H

#include <pvrom/blk_backend.h>

struct hosted_backend {
	void (*close)(struct hosted_backend *hosted);
	struct pvrom_blk_backend head;
};

static inline struct hosted_backend *hosted_of(struct pvrom_blk_backend *backend)
{
	return (struct hosted_backend *)(void *)((char *)backend -
						 offsetof(struct hosted_backend, head));
}

#endif
