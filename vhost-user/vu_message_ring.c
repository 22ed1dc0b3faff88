/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Messages about a ring: size, addresses, position, the descriptors that it rings and is rung by.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

static struct vu_ring *ring_of(struct pvrom_vu_server *s, uint32_t index)
{
	return index < s->setup.queues ? &s->ring[index] : NULL;
}

enum vu_verdict vu_set_vring_num(struct pvrom_vu_server *s, struct vu_message *m)
{
	struct vu_ring *ring = ring_of(s, m->payload.state.index);

	if (!ring || (ring->vq && !VU_SLIP(RUNNING)) ||
	    !pvrom_vq_layout(s->features | PVROM_VQ_F_VERSION_1, m->payload.state.num, NULL))
		return VU_REFUSED;
	ring->size = m->payload.state.num;
	ring->broken = false;
	return VU_DONE;
}

enum vu_verdict vu_set_vring_addr(struct pvrom_vu_server *s, struct vu_message *m)
{
	struct vu_ring *ring = ring_of(s, m->payload.addr.index);

	if (!ring)
		return VU_REFUSED;
	/* Of a ring that runs only the log flag may change; remap stops it if its places did. */
	ring->addr = m->payload.addr;
	ring->has_addr = true;
	if (ring->vq)
		return vu_ring_remap(ring) ? VU_DONE : VU_REFUSED;
	ring->broken = false;
	return vu_ring_start(ring) ? VU_DONE : VU_REFUSED;
}

enum vu_verdict vu_set_vring_base(struct pvrom_vu_server *s, struct vu_message *m)
{
	struct vu_ring *ring = ring_of(s, m->payload.state.index);

	if (!ring || ring->vq)
		return VU_REFUSED;
	ring->base = m->payload.state.num;
	return VU_DONE;
}

enum vu_verdict vu_get_vring_base(struct pvrom_vu_server *s, struct vu_message *m)
{
	struct vu_ring *ring = ring_of(s, m->payload.state.index);

	if (!ring)
		return VU_RUBBISH;
	vu_ring_stop(ring);
	vu_ring_set_kick(ring, -1);
	ring->has_kick = ring->polled = false;
	m->payload.state.num = ring->base;
	m->head.size = sizeof(m->payload.state);
	return VU_ANSWER;
}

/* The word of KICK, CALL and ERR: which ring, and whether a descriptor comes with it. */
static struct vu_ring *ring_with_fd(struct pvrom_vu_server *s, struct vu_message *m, int *fd)
{
	const bool without = m->payload.word & VU_NO_FD;
	struct vu_ring *ring = ring_of(s, (uint32_t)m->payload.word & 0xff);

	*fd = -1;
	if (m->payload.word > (VU_NO_FD | 0xff) || m->fds != !without || !ring)
		return NULL;
	if (without)
		return ring;
	if (!vu_is_eventfd(m->fd[0]) && !VU_SLIP(EVENTFD))
		return NULL;
	*fd = vu_message_take_fd(m);
	return ring;
}

enum vu_verdict vu_set_vring_kick(struct pvrom_vu_server *s, struct vu_message *m)
{
	int fd;
	struct vu_ring *ring = ring_with_fd(s, m, &fd);

	if (!ring)
		return VU_RUBBISH;
	vu_ring_set_kick(ring, fd);
	return vu_ring_start(ring) ? VU_DONE : VU_REFUSED;
}

/* An interrupt that is prepared goes to the old descriptor before that is closed. */
static void replace_fd(struct pvrom_vu_server *s, int *old, int fd)
{
	pvrom_loop_submit(s->setup.loop);
	vu_close_fd(old);
	*old = fd;
}

/* One interrupt too many, by the new descriptor: one that fell between the two would be lost. */
enum vu_verdict vu_set_vring_call(struct pvrom_vu_server *s, struct vu_message *m)
{
	int fd;
	struct vu_ring *ring = ring_with_fd(s, m, &fd);

	if (!ring)
		return VU_RUBBISH;
	replace_fd(s, &ring->call, fd);
	if (ring->vq)
		pvrom_vu_interrupt(s, ring->index);
	return VU_DONE;
}

enum vu_verdict vu_set_vring_err(struct pvrom_vu_server *s, struct vu_message *m)
{
	int fd;
	struct vu_ring *ring = ring_with_fd(s, m, &fd);

	if (!ring)
		return VU_RUBBISH;
	replace_fd(s, &ring->error, fd);
	return VU_DONE;
}

enum vu_verdict vu_set_vring_enable(struct pvrom_vu_server *s, struct vu_message *m)
{
	struct vu_ring *ring = ring_of(s, m->payload.state.index);

	if (!ring || m->payload.state.num > 1)
		return VU_REFUSED;
	ring->enabled = m->payload.state.num;
	if (ring->vq && ring->enabled)
		s->setup.ops->queue_ready(s->setup.ctx, ring->index);
	else if (ring->vq)
		s->setup.ops->kicked(s->setup.ctx, ring->index);
	return VU_DONE;
}
