/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What devices that lie have in common. */
#include "net_lies.h"

#include <string.h>

struct pvrom_net_config lie, lie_mask;
struct pvrom_virtio_ops honest;
struct pvrom_net_guest_frame lie_frames[8];
const struct pvrom_net_header lie_one = { .num_buffers = 1 };
uint32_t lie_loads;

bool lie_begun_as(struct net_guest_world *w, const struct pvrom_net_guest_config *settings)
{
	return net_guest_world_begin(w, settings, LIE_BUFFERS) == PVROM_VIRTIO_OK;
}

bool lie_begun(struct net_guest_world *w)
{
	return lie_begun_as(w, NULL);
}

/* Bytes that lie_mask sets are those of the lie. */
static void false_config(struct pvrom_virtio *virtio, uint32_t offset, void *to, uint32_t len)
{
	const uint8_t *l = (const uint8_t *)&lie + offset, *m = (const uint8_t *)&lie_mask + offset;
	uint8_t *bytes = to;
	uint32_t i;

	honest.config_read(virtio, offset, to, len);
	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)((bytes[i] & ~m[i]) | (l[i] & m[i]));
}

void lie_use(struct net_guest_world *w)
{
	honest = w->ops;
	w->ops.config_read = false_config;
}

uint32_t lie_restless(struct pvrom_virtio *virtio)
{
	return ++((struct net_guest_world *)virtio)->host.generation;
}

uint32_t lie_status_never_0(struct pvrom_virtio *virtio)
{
	return ((struct net_guest_world *)virtio)->status | 1;
}

/* Entry n of the used ring of a queue. */
void lie_use_entry(struct net_guest_world *w, uint32_t queue, uint16_t n, uint32_t id, uint32_t len)
{
	struct pvrom_vq_used *used = w->queue[queue].ring.config.device;

	used->ring[n] = (struct pvrom_vq_used_elem){ id, len };
	used->idx = (uint16_t)(n + 1);
}

/* Buffer `id` of pair 0 with a header and some bytes; its place in the used ring is n. */
void lie_bring(struct net_guest_world *w, uint16_t n, const struct pvrom_net_header *h,
	       uint32_t len)
{
	memcpy(w->buffer[0][n].at, h, sizeof(*h));
	lie_use_entry(w, 0, n, n, len);
}

uint32_t lie_taken(struct net_guest_world *w)
{
	bool broken = false;
	const uint32_t n = pvrom_net_guest_receive(&w->queue[0], lie_frames, 8, &broken);

	return broken ? UINT32_MAX : n;
}

/* A good frame comes through behind whatever came before; all buffers of that are with the device again. */
bool lie_goes_on(struct net_guest_world *w, uint16_t n)
{
	lie_bring(w, n, &lie_one, HEADER + 60);
	return lie_taken(w) == 1 && lie_frames[0].buffers == &w->buffer[0][n] &&
	       lie_frames[0].len == 60 && pvrom_vq_driver_free(&w->queue[0].ring) == 256 - 80 + 1;
}

/* One frame of one buffer that is to be dropped. */
bool lie_drops(struct net_guest_world *w, struct pvrom_net_header h, uint32_t len)
{
	h.num_buffers = h.num_buffers ? h.num_buffers : 1;
	lie_bring(w, 0, &h, len);
	return !lie_taken(w);
}

void lie_count_loads(const void *at, size_t bytes)
{
	(void)at;
	(void)bytes;
	lie_loads++;
}
