/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Messages about memory that the front end shares: the guest's, the log, and the record of what is in flight.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

/* ---- memory ------------------------------------------------------------------------------------------------ */

/* Rings whose areas are still there go on; another one stops, which the front end can only have wanted. */
static bool remap_rings(struct pvrom_vu_server *s)
{
	bool all = true;
	uint32_t i;

	for (i = 0; i < s->setup.queues; i++)
		all &= vu_ring_remap(&s->ring[i]);
	return all;
}

enum vu_verdict vu_set_mem_table(struct pvrom_vu_server *s, struct vu_message *m)
{
	const uint32_t count = m->payload.table.count;
	struct vu_memory next = { .count = 0 };
	uint32_t i;

	if (count > VU_TABLE_REGIONS || m->fds != count ||
	    m->head.size < 8 + count * sizeof(struct vu_region))
		return VU_RUBBISH;
	for (i = 0; i < count; i++) {
		int fd = m->fd[i];

		m->fd[i] = -1;
		if (vu_memory_add(&next, &m->payload.table.region[i], fd)) {
			vu_memory_clear(&next);
			return VU_REFUSED;
		}
	}
	m->fds = 0;
	s->setup.ops->drain(s->setup.ctx);
	vu_memory_clear(&s->memory);
	s->memory = next;
	return remap_rings(s) ? VU_DONE : VU_REFUSED;
}

enum vu_verdict vu_get_max_mem_slots(struct pvrom_vu_server *s, struct vu_message *m)
{
	(void)s;
	return vu_answer_word(m, PVROM_VU_REGIONS_MAX);
}

enum vu_verdict vu_add_mem_reg(struct pvrom_vu_server *s, struct vu_message *m)
{
	return vu_memory_add(&s->memory, &m->payload.one.region, vu_message_take_fd(m)) ? VU_REFUSED
											: VU_DONE;
}

/* Older front ends send a descriptor along, which means nothing. */
enum vu_verdict vu_rem_mem_reg(struct pvrom_vu_server *s, struct vu_message *m)
{
	s->setup.ops->drain(s->setup.ctx);
	if (!vu_memory_remove(&s->memory, &m->payload.one.region))
		return VU_REFUSED;
	return remap_rings(s) ? VU_DONE : VU_REFUSED;
}

/* ---- the log ----------------------------------------------------------------------------------------------- */

enum vu_verdict vu_set_log_base(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (!(s->protocol & VU_PROTOCOL_LOG_SHMFD) || m->fds != 1)
		return VU_RUBBISH;
	if (vu_log_set(&s->log, vu_message_take_fd(m), m->payload.log.offset, m->payload.log.size))
		return VU_REFUSED;
	return vu_answer_word(m, 0);
}

/* To be written when the log changes; nobody waits for it any more. */
enum vu_verdict vu_set_log_fd(struct pvrom_vu_server *s, struct vu_message *m)
{
	(void)s;
	(void)m;
	return VU_DONE;
}

/* ---- the record of what is in flight ---------------------------------------------------------------------------- */

/* Answered with the descriptor of the new record (vu_server.c sends it along). */
enum vu_verdict vu_get_inflight_fd(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (m->payload.inflight.queues > s->setup.queues || vu_any_ring_runs(s) ||
	    vu_inflight_create(&s->inflight, s->features, m->payload.inflight.queues,
			       m->payload.inflight.queue_size)) {
		m->payload.inflight.size = 0;
		return VU_ANSWER;
	}
	m->payload.inflight.size = s->inflight.size;
	m->payload.inflight.offset = 0;
	return VU_ANSWER;
}

enum vu_verdict vu_set_inflight_fd(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (m->fds != 1)
		return VU_RUBBISH;
	if (vu_any_ring_runs(s) || m->payload.inflight.queues > s->setup.queues)
		return VU_REFUSED;
	return vu_inflight_set(&s->inflight, s->features, vu_message_take_fd(m),
			       m->payload.inflight.offset, m->payload.inflight.size,
			       m->payload.inflight.queues, m->payload.inflight.queue_size)
		       ? VU_REFUSED
		       : VU_DONE;
}
