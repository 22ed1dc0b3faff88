/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The table that says what each message of the front end must look like, and a function for each that is about the device
 * as a whole. Memory and its kin: vu_message_memory.c; rings: vu_message_ring.c.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROTOCOL_OFFERED                                                                           \
	(VU_PROTOCOL_MQ | VU_PROTOCOL_LOG_SHMFD | VU_PROTOCOL_REPLY_ACK |                          \
	 VU_PROTOCOL_BACKEND_REQ | VU_PROTOCOL_CONFIG | VU_PROTOCOL_INFLIGHT_SHMFD |               \
	 VU_PROTOCOL_RESET_DEVICE | VU_PROTOCOL_CONFIGURE_MEM_SLOTS | VU_PROTOCOL_STATUS)

#ifdef PVROM_TEST
enum vu_slip pvrom_vu_slipped;
#endif

enum vu_verdict vu_answer_word(struct vu_message *m, uint64_t word)
{
	m->payload.word = word;
	m->head.size = sizeof(word);
	return VU_ANSWER;
}

/* ---- features ------------------------------------------------------------------------------------------ */

uint64_t vu_offered_features(const struct pvrom_vu_server *s)
{
	const uint64_t own = VU_F_PROTOCOL_FEATURES | VU_F_LOG_ALL;

	if (VU_SLIP(OFFER_RESET))
		return s->setup.features | own | PVROM_VQ_F_RING_RESET;
	if (VU_SLIP(NO_DATA))
		return (s->setup.features | own) & ~PVROM_VQ_F_NOTIFICATION_DATA;
	return (s->setup.features | own) & ~PVROM_VQ_F_RING_RESET;
}

static uint64_t offered_protocol(const struct pvrom_vu_server *s)
{
	uint64_t offered = PROTOCOL_OFFERED;

	if (VU_SLIP(OFFER_INBAND))
		offered |= VU_PROTOCOL_INBAND_NOTIFICATIONS;
	if (s->setup.no_inflight)
		offered &= ~VU_PROTOCOL_INFLIGHT_SHMFD;
	if (s->setup.ops->set_mtu)
		offered |= VU_PROTOCOL_NET_MTU;
	if (s->setup.ops->announce)
		offered |= VU_PROTOCOL_RARP;
	return offered;
}

static enum vu_verdict get_features(struct pvrom_vu_server *s, struct vu_message *m)
{
	return vu_answer_word(m, vu_offered_features(s));
}

bool vu_any_ring_runs(const struct pvrom_vu_server *s)
{
	uint32_t i;

	for (i = 0; i < s->setup.queues; i++)
		if (s->ring[i].vq)
			return true;
	return false;
}

/* While rings run only logging may be switched: everything else is built into them. */
static enum vu_verdict set_features(struct pvrom_vu_server *s, struct vu_message *m)
{
	const uint64_t features = m->payload.word, own = VU_F_PROTOCOL_FEATURES | VU_F_LOG_ALL;
	uint32_t i;

	if (features & ~vu_offered_features(s))
		return VU_REFUSED;
	if ((features ^ s->features) & ~own) {
		if (vu_any_ring_runs(s) || !s->setup.ops->accept(s->setup.ctx, features & ~own))
			return VU_REFUSED;
		s->features = features;
		vu_usage_features(s);
	}
	s->features = features;
	for (i = 0; i < s->setup.queues; i++)
		if (s->ring[i].vq && !VU_SLIP(LOG_ON))
			pvrom_vq_device_log(s->ring[i].vq, features & VU_F_LOG_ALL);
	return VU_DONE;
}

static enum vu_verdict get_protocol_features(struct pvrom_vu_server *s, struct vu_message *m)
{
	return vu_answer_word(m, offered_protocol(s));
}

static enum vu_verdict set_protocol_features(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (m->payload.word & ~offered_protocol(s))
		return VU_REFUSED;
	s->protocol = m->payload.word;
	vu_usage_protocol(s);
	return VU_DONE;
}

static enum vu_verdict set_owner(struct pvrom_vu_server *s, struct vu_message *m)
{
	(void)m;
	if (s->owned)
		return VU_REFUSED;
	s->owned = true;
	return VU_DONE;
}

static enum vu_verdict get_queue_num(struct pvrom_vu_server *s, struct vu_message *m)
{
	return vu_answer_word(m, s->setup.queue_number ? s->setup.queue_number : s->setup.queues);
}

/* ---- reset ----------------------------------------------------------------------------------------------- */

void vu_device_reset(struct pvrom_vu_server *s)
{
	uint32_t i;

	for (i = 0; i < s->setup.queues; i++)
		vu_ring_clear(&s->ring[i]);
	s->setup.ops->reset(s->setup.ctx);
	s->features = 0;
	s->status = 0;
}

/* The protocol's document: in use by old front ends only, and means: all rings stop. */
static enum vu_verdict reset_owner(struct pvrom_vu_server *s, struct vu_message *m)
{
	uint32_t i;

	(void)m;
	for (i = 0; i < s->setup.queues; i++)
		vu_ring_stop(&s->ring[i]);
	s->owned = false;
	return VU_DONE;
}

static enum vu_verdict reset_device(struct pvrom_vu_server *s, struct vu_message *m)
{
	(void)m;
	if (!VU_SLIP(RESET))
		vu_device_reset(s);
	return VU_DONE;
}

/*
 * QEMU before 8.1 resets the device when it stops it for a while (a pause, a link that goes down), and asks for the
 * rings' positions only then, to go on from them. They are kept for that question: a driver that begins anew says where.
 */
static void reset_but_bases(struct pvrom_vu_server *s)
{
	uint32_t base[PVROM_VU_QUEUES_MAX] = { 0 }, i;

	for (i = 0; i < s->setup.queues; i++) {
		vu_ring_stop(&s->ring[i]);
		base[i] = s->ring[i].base;
	}
	vu_device_reset(s);
	for (i = 0; i < s->setup.queues && !VU_SLIP(STATUS_BASE); i++)
		s->ring[i].base = base[i];
}

static enum vu_verdict set_status(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (m->payload.word > 0xff)
		return VU_REFUSED;
	if (!m->payload.word && !VU_SLIP(STATUS))
		reset_but_bases(s);
	s->status = (uint32_t)m->payload.word;
	return VU_DONE;
}

/* Features that the device cannot work with are not OK: without VERSION_1 a ring does not start. */
static enum vu_verdict get_status(struct pvrom_vu_server *s, struct vu_message *m)
{
	uint32_t status = s->status, i;

	if (!(s->features & PVROM_VQ_F_VERSION_1))
		status &= ~VU_STATUS_FEATURES_OK;
	for (i = 0; i < s->setup.queues; i++)
		if (s->ring[i].broken)
			status |= VU_STATUS_NEEDS_RESET;
	return vu_answer_word(m, status);
}

/* ---- the rest -------------------------------------------------------------------------------------------------- */

static enum vu_verdict send_rarp(struct pvrom_vu_server *s, struct vu_message *m)
{
	uint8_t mac[8];

	memcpy(mac, &m->payload.word, sizeof(mac));
	s->setup.ops->announce(s->setup.ctx, mac);
	return VU_DONE;
}

static enum vu_verdict net_set_mtu(struct pvrom_vu_server *s, struct vu_message *m)
{
	return s->setup.ops->set_mtu(s->setup.ctx, m->payload.word) ? VU_DONE : VU_DECLINED;
}

static enum vu_verdict set_backend_req_fd(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (m->fds != 1)
		return VU_RUBBISH;
	vu_close_fd(&s->backend_fd);
	s->backend_fd = vu_message_take_fd(m);
	return VU_DONE;
}

static bool config_is_valid(const struct vu_message *m)
{
	return m->payload.config.size <= VU_CONFIG_BYTES &&
	       m->payload.config.offset <= VU_CONFIG_BYTES &&
	       m->head.size == 12 + m->payload.config.size;
}

/* An answer without contents says that there is an error. */
static enum vu_verdict get_config(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (!config_is_valid(m)) {
		m->head.size = 0;
		return VU_ANSWER;
	}
	s->setup.ops->config_read(s->setup.ctx, m->payload.config.offset, m->payload.config.bytes,
				  m->payload.config.size);
	return VU_ANSWER;
}

static enum vu_verdict set_config(struct pvrom_vu_server *s, struct vu_message *m)
{
	if (!config_is_valid(m) || m->payload.config.flags > 1)
		return VU_REFUSED;
	if (VU_SLIP(CONFIG_SET))
		return VU_DONE;
	return s->setup.ops->config_write(s->setup.ctx, m->payload.config.offset,
					  m->payload.config.bytes, m->payload.config.size)
		       ? VU_DONE
		       : VU_DECLINED;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

struct rule {
	enum vu_verdict (*handle)(struct pvrom_vu_server *s, struct vu_message *m);
	uint16_t least, most; /* bytes of payload */
	uint16_t fds;	      /* descriptors at most; the function judges when fewer will not do */
	uint64_t protocol;    /* the protocol feature it belongs to; 0: none */
};

#define WORD sizeof(uint64_t), sizeof(uint64_t)
#define STATE sizeof(struct vu_vring_state), sizeof(struct vu_vring_state)
#define ONE 8 + sizeof(struct vu_region), 8 + sizeof(struct vu_region)

static const struct rule rule[VU_REQUESTS] = {
	[VU_GET_FEATURES] = { get_features, 0, 8, 0, 0 },
	[VU_SET_FEATURES] = { set_features, WORD, 0, 0 },
	[VU_SET_OWNER] = { set_owner, 0, 8, 0, 0 },
	[VU_RESET_OWNER] = { reset_owner, 0, 8, 0, 0 },
	[VU_SET_MEM_TABLE] = { vu_set_mem_table, 8, 8 + VU_TABLE_REGIONS * 32, VU_TABLE_REGIONS,
			       0 },
	[VU_SET_LOG_BASE] = { vu_set_log_base, 16, 16, 1, VU_PROTOCOL_LOG_SHMFD },
	[VU_SET_LOG_FD] = { vu_set_log_fd, 0, 8, 1, 0 },
	[VU_SET_VRING_NUM] = { vu_set_vring_num, STATE, 0, 0 },
	[VU_SET_VRING_ADDR] = { vu_set_vring_addr, 40, 40, 0, 0 },
	[VU_SET_VRING_BASE] = { vu_set_vring_base, STATE, 0, 0 },
	[VU_GET_VRING_BASE] = { vu_get_vring_base, STATE, 0, 0 },
	[VU_SET_VRING_KICK] = { vu_set_vring_kick, WORD, 1, 0 },
	[VU_SET_VRING_CALL] = { vu_set_vring_call, WORD, 1, 0 },
	[VU_SET_VRING_ERR] = { vu_set_vring_err, WORD, 1, 0 },
	[VU_GET_PROTOCOL_FEATURES] = { get_protocol_features, 0, 8, 0, 0 },
	[VU_SET_PROTOCOL_FEATURES] = { set_protocol_features, WORD, 0, 0 },
	[VU_GET_QUEUE_NUM] = { get_queue_num, 0, 8, 0, VU_PROTOCOL_MQ },
	[VU_SET_VRING_ENABLE] = { vu_set_vring_enable, STATE, 0, 0 },
	[VU_SEND_RARP] = { send_rarp, WORD, 0, VU_PROTOCOL_RARP },
	[VU_NET_SET_MTU] = { net_set_mtu, WORD, 0, VU_PROTOCOL_NET_MTU },
	[VU_SET_BACKEND_REQ_FD] = { set_backend_req_fd, 0, 8, 1, VU_PROTOCOL_BACKEND_REQ },
	[VU_GET_CONFIG] = { get_config, 12, 12 + VU_CONFIG_BYTES, 0, VU_PROTOCOL_CONFIG },
	[VU_SET_CONFIG] = { set_config, 12, 12 + VU_CONFIG_BYTES, 0, VU_PROTOCOL_CONFIG },
	[VU_GET_INFLIGHT_FD] = { vu_get_inflight_fd, 20, 24, 0, VU_PROTOCOL_INFLIGHT_SHMFD },
	[VU_SET_INFLIGHT_FD] = { vu_set_inflight_fd, 20, 24, 1, VU_PROTOCOL_INFLIGHT_SHMFD },
	[VU_RESET_DEVICE] = { reset_device, 0, 8, 0, VU_PROTOCOL_RESET_DEVICE },
	[VU_GET_MAX_MEM_SLOTS] = { vu_get_max_mem_slots, 0, 8, 0, VU_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VU_ADD_MEM_REG] = { vu_add_mem_reg, ONE, 1, VU_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VU_REM_MEM_REG] = { vu_rem_mem_reg, ONE, 1, VU_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VU_SET_STATUS] = { set_status, WORD, 0, VU_PROTOCOL_STATUS },
	[VU_GET_STATUS] = { get_status, 0, 8, 0, VU_PROTOCOL_STATUS },
};

enum vu_verdict vu_handle(struct pvrom_vu_server *s, struct vu_message *m, const char **why)
{
	const struct rule *r;

	*why = "a request that does not exist here";
	if (m->head.request >= VU_REQUESTS || !rule[m->head.request].handle)
		return m->fds ? VU_RUBBISH : VU_REFUSED;
	r = &rule[m->head.request];
	*why = "a message of the wrong length";
	if ((m->head.size < r->least || m->head.size > r->most) && !VU_SLIP(LENGTH))
		return VU_RUBBISH;
	*why = "descriptors that do not belong to it";
	if ((m->fds > r->fds || (m->head.request == VU_ADD_MEM_REG && m->fds != 1)) &&
	    !VU_SLIP(FDS))
		return VU_RUBBISH;
	*why = "a protocol feature that was not negotiated";
	if (r->protocol & ~s->protocol)
		return VU_REFUSED;
	*why = "values that cannot be";
	return r->handle(s, m);
}
