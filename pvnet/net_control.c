/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The control queue: VIRTIO 1.2, 5.1.6.5. A command is obeyed whole or not at all: everything is read, once,
 * and checked, before anything changes; one byte too few or too many is an error.
 */
#include "net_host_internal.h"

/* What of a command was not read yet. */
struct command {
	const struct pvrom_vq_request *request;
	uint64_t at, left;
	uint8_t class, number;
};

static bool take(struct command *c, void *to, uint64_t bytes)
{
	if (c->left < bytes)
		return false;
	pvrom_vq_request_read(c->request, c->at, to, bytes);
	c->at += bytes;
	c->left -= bytes;
	return true;
}

static bool take_last(struct command *c, void *to, uint64_t bytes)
{
	return !NET_REFUSE(COMMAND_END, c->left != bytes) && take(c, to, bytes);
}

static bool pass(struct command *c, uint64_t bytes)
{
	if (c->left < bytes)
		return false;
	c->at += bytes;
	c->left -= bytes;
	return true;
}

/* ---- receive modes, addresses, VLANs ------------------------------------------------------------------ */

static bool receive_mode(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_driver_state *d = &host->driver;
	bool *const mode[] = {
		[PVROM_NET_CTRL_RX_PROMISC] = &d->promiscuous,
		[PVROM_NET_CTRL_RX_ALLMULTI] = &d->all_multicast,
		[PVROM_NET_CTRL_RX_ALLUNI] = &d->all_unicast,
		[PVROM_NET_CTRL_RX_NOMULTI] = &d->no_multicast,
		[PVROM_NET_CTRL_RX_NOUNI] = &d->no_unicast,
		[PVROM_NET_CTRL_RX_NOBCAST] = &d->no_broadcast,
	};
	uint8_t on;

	if (!take_last(c, &on, sizeof(on)))
		return false;
	*mode[c->number] = on;
	return true;
}

/* A count and that many addresses; those for which there is no room are passed over. */
static bool take_macs(struct command *c, struct pvrom_net_macs *macs)
{
	uint32_t count, kept;

	if (!take(c, &count, sizeof(count)))
		return false;
	macs->overflow = count > PVROM_NET_MACS_MAX;
	kept = NET_REFUSE(MAC_COUNT, macs->overflow) ? 0 : count;
	macs->count = (uint16_t)kept;
	return take(c, macs->address, kept * 6ull) && pass(c, (count - kept) * 6ull);
}

static bool mac_table(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_macs unicast = { 0 }, multicast = { 0 };

	if (!take_macs(c, &unicast) || !take_macs(c, &multicast) || c->left)
		return false;
	host->driver.unicast = unicast;
	host->driver.multicast = multicast;
	return true;
}

static bool mac_address(struct pvrom_net_host *host, struct command *c)
{
	uint8_t mac[6];

	if (!take_last(c, mac, sizeof(mac)) || NET_REFUSE(MAC_GROUP, mac[0] & 1))
		return false;
	__builtin_memcpy(host->driver.mac, mac, sizeof(mac));
	return true;
}

static bool vlan(struct pvrom_net_host *host, struct command *c)
{
	uint64_t *word;
	uint16_t id;

	if (!take_last(c, &id, sizeof(id)) || NET_REFUSE(VLAN_NUMBER, id > 4095))
		return false;
	word = &host->driver.vlan[id / 64];
	if (c->number == PVROM_NET_CTRL_VLAN_ADD)
		*word |= 1ull << id % 64;
	else
		*word &= ~(1ull << id % 64);
	return true;
}

static bool announce_ack(struct pvrom_net_host *host, struct command *c)
{
	if (c->left)
		return false;
	host->generation += host->announce;
	host->announce = false;
	return true;
}

/* ---- queues, hashes ------------------------------------------------------------------------------------ */

static bool pairs(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_steering s = host->driver.steering;

	if (!take_last(c, &s.pairs, sizeof(s.pairs)))
		return false;
	s.rss = false; /* 5.1.6.5.6.3: the last command counts */
	if (!pvrom_net_steering_valid(host, &s))
		return false;
	host->driver.steering = s;
	return true;
}

static bool take_key(struct command *c, struct pvrom_net_steering *s)
{
	uint8_t length;

	__builtin_memset(s->key, 0, sizeof(s->key));
	return take(c, &length, sizeof(length)) && length <= sizeof(s->key) &&
	       take_last(c, s->key, length);
}

static bool take_table(struct command *c, struct pvrom_net_steering *s)
{
	return take(c, &s->mask, sizeof(s->mask)) && s->mask < PVROM_NET_RSS_ENTRIES &&
	       take(c, &s->other, sizeof(s->other)) &&
	       take(c, s->table, (s->mask + 1u) * sizeof(s->table[0]));
}

static bool rss(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_steering s = { .rss = true };

	if (!take(c, &s.types, sizeof(s.types)) || !take_table(c, &s) ||
	    !take(c, &s.pairs, sizeof(s.pairs)) || !take_key(c, &s) ||
	    !pvrom_net_steering_valid(host, &s))
		return false;
	host->driver.steering = s;
	return true;
}

static bool hash(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_steering s = host->driver.steering;
	uint16_t reserved[4];

	if (!take(c, &s.types, sizeof(s.types)) || !take(c, reserved, sizeof(reserved)) ||
	    !take_key(c, &s) || !pvrom_net_steering_valid(host, &s))
		return false;
	host->driver.steering = s;
	return true;
}

/* ---- offloads, coalescing ------------------------------------------------------------------------------ */

static bool offloads(struct pvrom_net_host *host, struct command *c)
{
	uint64_t wanted;

	if (!take_last(c, &wanted, sizeof(wanted)) ||
	    NET_REFUSE(OFFLOADS, wanted & ~(host->driver.accepted & GUEST_OFFLOADS)))
		return false;
	pvrom_net_set_offloads(host, wanted);
	return true;
}

static bool coalesce(struct pvrom_net_host *host, struct command *c)
{
	struct pvrom_net_coalesce wanted;

	if (!take_last(c, &wanted, sizeof(wanted)))
		return false;
	if (c->number == PVROM_NET_CTRL_NOTF_COAL_TX_SET)
		host->driver.transmit = wanted;
	else
		host->driver.receive = wanted;
	return true;
}

/* ---- the queue ----------------------------------------------------------------------------------------- */

static const struct {
	uint8_t class, first, last; /* commands */
	uint64_t feature;
	bool (*obey)(struct pvrom_net_host *host, struct command *c);
} table[] = {
	{ PVROM_NET_CTRL_RX, PVROM_NET_CTRL_RX_PROMISC, PVROM_NET_CTRL_RX_ALLMULTI,
	  PVROM_NET_F_CTRL_RX, receive_mode },
	{ PVROM_NET_CTRL_RX, PVROM_NET_CTRL_RX_ALLUNI, PVROM_NET_CTRL_RX_NOBCAST,
	  PVROM_NET_F_CTRL_RX_EXTRA, receive_mode },
	{ PVROM_NET_CTRL_MAC, PVROM_NET_CTRL_MAC_TABLE_SET, PVROM_NET_CTRL_MAC_TABLE_SET,
	  PVROM_NET_F_CTRL_RX, mac_table },
	{ PVROM_NET_CTRL_MAC, PVROM_NET_CTRL_MAC_ADDR_SET, PVROM_NET_CTRL_MAC_ADDR_SET,
	  PVROM_NET_F_CTRL_MAC_ADDR, mac_address },
	{ PVROM_NET_CTRL_VLAN, PVROM_NET_CTRL_VLAN_ADD, PVROM_NET_CTRL_VLAN_DEL,
	  PVROM_NET_F_CTRL_VLAN, vlan },
	{ PVROM_NET_CTRL_ANNOUNCE, PVROM_NET_CTRL_ANNOUNCE_ACK, PVROM_NET_CTRL_ANNOUNCE_ACK,
	  PVROM_NET_F_GUEST_ANNOUNCE, announce_ack },
	{ PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_VQ_PAIRS_SET, PVROM_NET_CTRL_MQ_VQ_PAIRS_SET,
	  PVROM_NET_F_MQ, pairs },
	{ PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_RSS_CONFIG, PVROM_NET_CTRL_MQ_RSS_CONFIG,
	  PVROM_NET_F_RSS, rss },
	{ PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_HASH_CONFIG, PVROM_NET_CTRL_MQ_HASH_CONFIG,
	  PVROM_NET_F_HASH_REPORT, hash },
	{ PVROM_NET_CTRL_GUEST_OFFLOADS, PVROM_NET_CTRL_GUEST_OFFLOADS_SET,
	  PVROM_NET_CTRL_GUEST_OFFLOADS_SET, PVROM_NET_F_CTRL_GUEST_OFFLOADS, offloads },
	{ PVROM_NET_CTRL_NOTF_COAL, PVROM_NET_CTRL_NOTF_COAL_TX_SET,
	  PVROM_NET_CTRL_NOTF_COAL_RX_SET, PVROM_NET_F_NOTF_COAL, coalesce },
};

static bool obey(struct pvrom_net_host *host, struct command *c)
{
	uint32_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].class == c->class && c->number >= table[i].first &&
		    c->number <= table[i].last)
			return !NET_REFUSE(COMMAND_FEATURE, !has(host, table[i].feature)) &&
			       table[i].obey(host, c);
	return false;
}

static void control_one(struct pvrom_net_queue *queue, struct pvrom_net_buffer *buffer)
{
	struct pvrom_net_host *host = queue->host;
	const struct pvrom_vq_request *r = &buffer->request;
	struct command c = { .request = r, .left = r->readable };
	const bool obeyed = r->fault == PVROM_VQ_FAULT_NONE && r->writable &&
			    take(&c, &c.class, 1) && take(&c, &c.number, 1) && obey(host, &c);
	const uint8_t ack = (uint8_t)(obeyed ? PVROM_NET_CTRL_OK : PVROM_NET_CTRL_ERR);

	host->counters.commands++;
	host->counters.commands_failed += !obeyed;
	pvrom_net_buffer_done(queue, buffer,
			      pvrom_vq_request_write(&queue->ring, r, 0, &ack, sizeof(ack)));
}

uint32_t pvrom_net_control(struct pvrom_net_queue *queue, uint32_t budget)
{
	uint32_t n;

	for (n = 0; n < budget; n++) {
		if (!pvrom_net_queue_pop(queue, &queue->buffer[0]))
			break;
		control_one(queue, &queue->buffer[0]);
	}
	return n;
}
