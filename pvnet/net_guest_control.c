/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Commands to the card: VIRTIO 1.2, 5.1.6.5. One at a time, in memory of the control queue:
 *
 *	class, number | data | acknowledgement, in the last line
 */
#include "net_guest_internal.h"

#define LOOKS 10000000u
#define DATA_AT 2u
#define ACK_AT PVROM_NET_GUEST_COMMAND
#define ACK_NONE 0xffu /* what no device writes */

/* ---- with the device ------------------------------------------------------------------------------- */

static bool look_again(struct pvrom_net_guest *net, uint32_t looks)
{
	if (net->settings.wait)
		return net->settings.wait(net->settings.wait_ctx, looks);
	__asm__ volatile("pause" : : : "memory");
	return looks < LOOKS;
}

/* Waits until the command is no longer the device's. */
static enum pvrom_net_guest_result await(struct pvrom_net_guest *net)
{
	struct pvrom_vq_done done;
	uint32_t looks = 0;

	for (;;) {
		switch (pvrom_vq_driver_get(&net->control->ring, &done)) {
		case PVROM_VQ_OK: net->waiting = false; return PVROM_NET_GUEST_OK;
		case PVROM_VQ_EMPTY: break;
		default: return PVROM_NET_GUEST_BROKEN;
		}
		if (!look_again(net, ++looks))
			return PVROM_NET_GUEST_NO_ANSWER;
	}
}

static enum pvrom_net_guest_result read_ack(struct pvrom_net_guest *net)
{
	const uint8_t *at = net->command + ACK_AT;
	uint8_t ack;

	GUEST_LOADS(at, 1);
	ack = __atomic_load_n(at, __ATOMIC_RELAXED);
	if (ack == PVROM_NET_CTRL_OK)
		return PVROM_NET_GUEST_OK;
	if (GUEST_REFUSE(ACK_VALUE, ack != PVROM_NET_CTRL_ERR))
		net->bad_acks++;
	return PVROM_NET_GUEST_REFUSED;
}

/* ---- one command ------------------------------------------------------------------------------------ */

/* A command that is being written. */
struct command {
	struct pvrom_net_guest *net;
	uint32_t bytes; /* of data */
};

/* May a command be written, and where? */
static enum pvrom_net_guest_result begin(struct command *c, struct pvrom_net_guest *net,
					 uint64_t feature)
{
	*c = (struct command){ .net = net };
	if (!guest_has(net, feature))
		return PVROM_NET_GUEST_UNSUPPORTED;
	if (!net->control || !net->running)
		return PVROM_NET_GUEST_BROKEN;
	return GUEST_REFUSE(COMMAND_WAITING, net->waiting) ? await(net) : PVROM_NET_GUEST_OK;
}

/* The callers see to it that there is room: PVROM_NET_GUEST_MACS and _ENTRIES bound what they put. */
static void put(struct command *c, const void *data, size_t bytes)
{
	if (bytes)
		__builtin_memcpy(c->net->command + DATA_AT + c->bytes, data, bytes);
	c->bytes += (uint32_t)bytes;
}

static enum pvrom_net_guest_result end(struct command *c, uint8_t class, uint8_t number)
{
	struct pvrom_net_guest *net = c->net;
	struct pvrom_vq_buf buf[3] = { { net->command_gpa, DATA_AT, 0 },
				       { net->command_gpa + DATA_AT, c->bytes, 0 } };
	const uint32_t readable = c->bytes ? 2 : 1;
	enum pvrom_net_guest_result result;

	buf[readable] = (struct pvrom_vq_buf){ net->command_gpa + ACK_AT, 1, 0 };
	net->command[0] = class;
	net->command[1] = number;
	net->command[ACK_AT] = ACK_NONE;
	if (pvrom_vq_driver_add(&net->control->ring, buf, readable, 1, net))
		return PVROM_NET_GUEST_BROKEN;
	net->waiting = true;
	pvrom_net_guest_kick(net->control);
	result = await(net);
	return result ? result : read_ack(net);
}

/* One whose data is a few bytes. */
static enum pvrom_net_guest_result simple(struct pvrom_net_guest *net, uint64_t feature,
					  uint8_t class, uint8_t number, const void *data,
					  size_t bytes)
{
	struct command c;
	const enum pvrom_net_guest_result result = begin(&c, net, feature);

	if (result)
		return result;
	put(&c, data, bytes);
	return end(&c, class, number);
}

/* ---- receive modes, addresses, VLANs ---------------------------------------------------------------- */

enum pvrom_net_guest_result pvrom_net_guest_receive_mode(struct pvrom_net_guest *net, uint8_t mode,
							 bool on)
{
	const uint8_t data = on;

	if (mode > PVROM_NET_CTRL_RX_NOBCAST)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return simple(net,
		      mode > PVROM_NET_CTRL_RX_ALLMULTI ? PVROM_NET_F_CTRL_RX_EXTRA
							: PVROM_NET_F_CTRL_RX,
		      PVROM_NET_CTRL_RX, mode, &data, sizeof(data));
}

enum pvrom_net_guest_result pvrom_net_guest_mac_table(struct pvrom_net_guest *net,
						      const uint8_t (*unicast)[6],
						      uint32_t unicasts,
						      const uint8_t (*multicast)[6],
						      uint32_t multicasts)
{
	struct command c;
	enum pvrom_net_guest_result result;

	if (unicasts > PVROM_NET_GUEST_MACS || multicasts > PVROM_NET_GUEST_MACS)
		return PVROM_NET_GUEST_BAD_REQUEST;
	result = begin(&c, net, PVROM_NET_F_CTRL_RX);
	if (result)
		return result;
	put(&c, &unicasts, sizeof(unicasts));
	put(&c, unicast, unicasts * sizeof(*unicast));
	put(&c, &multicasts, sizeof(multicasts));
	put(&c, multicast, multicasts * sizeof(*multicast));
	return end(&c, PVROM_NET_CTRL_MAC, PVROM_NET_CTRL_MAC_TABLE_SET);
}

enum pvrom_net_guest_result pvrom_net_guest_set_mac(struct pvrom_net_guest *net,
						    const uint8_t mac[6])
{
	enum pvrom_net_guest_result result;

	if (mac[0] & 1)
		return PVROM_NET_GUEST_BAD_REQUEST;
	result = simple(net, PVROM_NET_F_CTRL_MAC_ADDR, PVROM_NET_CTRL_MAC,
			PVROM_NET_CTRL_MAC_ADDR_SET, mac, 6);
	if (!result)
		__builtin_memcpy(net->mac, mac, sizeof(net->mac));
	return result;
}

enum pvrom_net_guest_result pvrom_net_guest_vlan(struct pvrom_net_guest *net, uint16_t vlan,
						 bool add)
{
	if (vlan > 4095)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return simple(net, PVROM_NET_F_CTRL_VLAN, PVROM_NET_CTRL_VLAN,
		      (uint8_t)(add ? PVROM_NET_CTRL_VLAN_ADD : PVROM_NET_CTRL_VLAN_DEL), &vlan,
		      sizeof(vlan));
}

enum pvrom_net_guest_result pvrom_net_guest_announced(struct pvrom_net_guest *net)
{
	const enum pvrom_net_guest_result result =
		simple(net, PVROM_NET_F_GUEST_ANNOUNCE, PVROM_NET_CTRL_ANNOUNCE,
		       PVROM_NET_CTRL_ANNOUNCE_ACK, NULL, 0);

	if (!result)
		net->announce = false;
	return result;
}

/* ---- queues, hashes --------------------------------------------------------------------------------- */

enum pvrom_net_guest_result pvrom_net_guest_set_pairs(struct pvrom_net_guest *net, uint16_t pairs)
{
	if (!pairs || pairs > net->pairs)
		return PVROM_NET_GUEST_BAD_REQUEST;
	return simple(net, PVROM_NET_F_MQ, PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_VQ_PAIRS_SET,
		      &pairs, sizeof(pairs));
}

static bool rss_is_good(const struct pvrom_net_guest *net, const struct pvrom_net_guest_rss *rss)
{
	uint32_t i;

	if (!rss->entries || rss->entries > PVROM_NET_GUEST_ENTRIES ||
	    rss->entries & (rss->entries - 1) || !rss->pairs || rss->pairs > net->pairs ||
	    rss->other >= net->pairs || rss->types & ~net->config.supported_hash_types)
		return false;
	for (i = 0; i < rss->entries; i++)
		if (rss->table[i] >= net->pairs)
			return false;
	return true;
}

static void put_key(struct command *c, const uint8_t *key)
{
	const uint8_t bytes = PVROM_NET_HASH_KEY_BYTES;

	put(c, &bytes, sizeof(bytes));
	put(c, key, bytes);
}

enum pvrom_net_guest_result pvrom_net_guest_rss(struct pvrom_net_guest *net,
						const struct pvrom_net_guest_rss *rss)
{
	const uint16_t mask = (uint16_t)(rss->entries - 1);
	struct command c;
	enum pvrom_net_guest_result result;

	if (!rss_is_good(net, rss))
		return PVROM_NET_GUEST_BAD_REQUEST;
	result = begin(&c, net, PVROM_NET_F_RSS);
	if (result)
		return result;
	put(&c, &rss->types, sizeof(rss->types));
	put(&c, &mask, sizeof(mask));
	put(&c, &rss->other, sizeof(rss->other));
	put(&c, rss->table, rss->entries * sizeof(rss->table[0]));
	put(&c, &rss->pairs, sizeof(rss->pairs));
	put_key(&c, rss->key);
	return end(&c, PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_RSS_CONFIG);
}

enum pvrom_net_guest_result pvrom_net_guest_hash(struct pvrom_net_guest *net, uint32_t types,
						 const uint8_t key[PVROM_NET_HASH_KEY_BYTES])
{
	const uint16_t reserved[4] = { 0 };
	struct command c;
	enum pvrom_net_guest_result result;

	if (types & ~net->config.supported_hash_types)
		return PVROM_NET_GUEST_BAD_REQUEST;
	result = begin(&c, net, PVROM_NET_F_HASH_REPORT);
	if (result)
		return result;
	put(&c, &types, sizeof(types));
	put(&c, reserved, sizeof(reserved));
	put_key(&c, key);
	return end(&c, PVROM_NET_CTRL_MQ, PVROM_NET_CTRL_MQ_HASH_CONFIG);
}

/* ---- offloads, coalescing --------------------------------------------------------------------------- */

enum pvrom_net_guest_result pvrom_net_guest_set_offloads(struct pvrom_net_guest *net,
							 uint64_t offloads)
{
	enum pvrom_net_guest_result result;

	if (offloads & ~(net->features & GUEST_OFFLOADS))
		return PVROM_NET_GUEST_BAD_REQUEST;
	result = simple(net, PVROM_NET_F_CTRL_GUEST_OFFLOADS, PVROM_NET_CTRL_GUEST_OFFLOADS,
			PVROM_NET_CTRL_GUEST_OFFLOADS_SET, &offloads, sizeof(offloads));
	if (!result)
		net->offloads = offloads;
	return result;
}

enum pvrom_net_guest_result pvrom_net_guest_coalesce(struct pvrom_net_guest *net, bool receive,
						     uint32_t packets, uint32_t usecs)
{
	const uint32_t data[2] = { packets, usecs };

	return simple(net, PVROM_NET_F_NOTF_COAL, PVROM_NET_CTRL_NOTF_COAL,
		      receive ? PVROM_NET_CTRL_NOTF_COAL_RX_SET : PVROM_NET_CTRL_NOTF_COAL_TX_SET,
		      data, sizeof(data));
}
