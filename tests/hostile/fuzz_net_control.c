/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "net_control": a driver sends the network card any commands, cut into descriptors in any way, and frames
 * arrive under what it set. An input is a card (pairs, features, ring), then commands.
 *
 * Promised: a command is obeyed exactly if it is one that was negotiated, is whole and has no byte behind it, as
 * judged here once more; one that is not changes nothing; the state stays one that the card can be in; what is
 * saved can be loaded; the card goes on to deliver.
 */
#include "../net/net_world.h"
#include "hostile.h"

#include "../../pvnet/net_checks.h"

#define COMMANDS 40u

static uint8_t data[0x800];

/* ---- what a command should be answered: VIRTIO 1.2, 5.1.6.5 ------------------------------------------------ */

static bool has(const struct net_world *w, uint64_t feature)
{
	return w->host.driver.accepted & feature;
}

static uint32_t number(const uint8_t *at, uint32_t bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static bool macs_are_good(size_t len)
{
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		uint64_t bytes;

		if (len - at < 4)
			return false;
		bytes = number(data + at, 4) * 6ull;
		at += 4;
		if (len - at < bytes)
			return false;
		at += bytes;
	}
	return at == len;
}

static bool key_is_good(size_t at, size_t len)
{
	return at < len && data[at] <= 40 && len == at + 1 + data[at];
}

static bool rss_is_good(const struct net_world *w, size_t len)
{
	const uint32_t pairs = w->host.setup.pairs;
	uint32_t entries, i;

	if (len < 8 || number(data, 4) > 0x3f || number(data + 6, 2) >= pairs)
		return false;
	entries = number(data + 4, 2) + 1;
	if (entries > 128 || entries & (entries - 1) || len < 8 + 2 * entries + 2)
		return false;
	for (i = 0; i <= entries; i++) { /* the last is the number of pairs to send by */
		const uint32_t value = number(data + 8 + 2 * i, 2);

		if (i < entries ? value >= pairs : !value || value > pairs)
			return false;
	}
	return key_is_good(8 + 2 * entries + 2, len);
}

static bool offloads_are_good(const struct net_world *w)
{
	const uint64_t all = PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 |
			     PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN |
			     PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6;
	uint64_t wanted;

	memcpy(&wanted, data, sizeof(wanted));
	return !(wanted & ~(all & w->host.driver.accepted));
}

static bool is_good(const struct net_world *w, uint32_t what, size_t len)
{
	switch (what) {
	case 0x000:
	case 0x001: return has(w, PVROM_NET_F_CTRL_RX) && len == 1;
	case 0x002:
	case 0x003:
	case 0x004:
	case 0x005: return has(w, PVROM_NET_F_CTRL_RX_EXTRA) && len == 1;
	case 0x100: return has(w, PVROM_NET_F_CTRL_RX) && macs_are_good(len);
	case 0x101: return has(w, PVROM_NET_F_CTRL_MAC_ADDR) && len == 6 && !(data[0] & 1);
	case 0x200:
	case 0x201: return has(w, PVROM_NET_F_CTRL_VLAN) && len == 2 && number(data, 2) < 4096;
	case 0x300: return has(w, PVROM_NET_F_GUEST_ANNOUNCE) && len == 0;
	case 0x400:
		return has(w, PVROM_NET_F_MQ) && len == 2 && number(data, 2) &&
		       number(data, 2) <= w->host.setup.pairs;
	case 0x401: return has(w, PVROM_NET_F_RSS) && rss_is_good(w, len);
	case 0x402:
		return has(w, PVROM_NET_F_HASH_REPORT) && len >= 12 && number(data, 4) <= 0x3f &&
		       key_is_good(12, len);
	case 0x500:
		return has(w, PVROM_NET_F_CTRL_GUEST_OFFLOADS) && len == 8 && offloads_are_good(w);
	case 0x600:
	case 0x601: return has(w, PVROM_NET_F_NOTF_COAL) && len == 8;
	default: return false;
	}
}

/* ---- what must always be so ---------------------------------------------------------------------------------- */

static void judge_state(const struct net_world *w)
{
	const struct pvrom_net_driver_state *d = &w->host.driver;
	uint32_t i;

	PROMISE(d->steering.pairs >= 1 && d->steering.pairs <= w->host.setup.pairs);
	PROMISE(!d->steering.rss || d->steering.mask < PVROM_NET_RSS_ENTRIES);
	for (i = 0; d->steering.rss && i <= d->steering.mask; i++)
		PROMISE(d->steering.table[i] < w->host.setup.pairs);
	PROMISE(d->unicast.count <= PVROM_NET_MACS_MAX && d->multicast.count <= PVROM_NET_MACS_MAX);
	PROMISE(!(d->mac[0] & 1));
	PROMISE(!(d->offloads & ~d->accepted) && d->offloads == w->told_offloads);
}

static void frame_arrives(struct net_world *w, struct input *in)
{
	static const struct pvrom_net_header plain;
	static struct world_received got;
	uint8_t frame[80] = { 0 };
	enum pvrom_net_fate fate;
	uint32_t i;

	for (i = 0; i < 40; i++)
		frame[i] = take8(in);
	frame[12] = frame[13] & 1 ? 0x81 : 8;
	frame[13] = 0;
	for (i = 0; i < w->host.setup.pairs; i++)
		net_world_give(w, i, 200);
	fate = pvrom_net_receive(&w->host, &plain, frame, sizeof(frame));
	PROMISE(fate == PVROM_NET_DELIVERED || fate == PVROM_NET_FILTERED);
	/* Whoever wants everything gets it. */
	PROMISE(fate == PVROM_NET_DELIVERED || !w->host.driver.promiscuous);
	for (i = 0; i < w->host.setup.pairs; i++)
		while (net_world_take(w, i, &got))
			;
}

static void save_and_load(struct net_world *w)
{
	static uint8_t state[8192], again[8192];
	const size_t size = pvrom_net_host_save(&w->host, state, sizeof(state));

	PROMISE(size <= sizeof(state));
	PROMISE(pvrom_net_host_load(&w->host, state, size));
	pvrom_net_host_save(&w->host, again, sizeof(again));
	PROMISE(!memcmp(state, again, size));
}

/* ---- the driver -------------------------------------------------------------------------------------------------- */

/* Lengths that commands have, more often than not. */
static size_t some_length(struct input *in)
{
	static const uint16_t len[] = { 0, 1, 2, 6, 8, 13, 14, 20, 32, 53, 54, 311, 392, 400 };
	const uint8_t which = take8(in);

	return which < 0xc0 ? len[which % 14] : take16(in) % (sizeof(data) - 2);
}

static void command(struct net_world *w, struct input *in)
{
	static uint8_t raw[2 + sizeof(data)];
	struct pvrom_net_driver_state before = w->host.driver;
	const uint8_t class = take8(in), what = take8(in), piece = take8(in);
	const size_t len = some_length(in), room = piece < 0x40 ? 8u + piece : sizeof(raw);
	const bool fits = (len + 2 + room - 1) / room < PVROM_NET_PIECES - 1;
	size_t i;
	int ack;

	for (i = 0; i < len; i++)
		data[i] = take8(in);
	raw[0] = class % 8;
	raw[1] = what % 8;
	memcpy(raw + 2, data, len);
	if (!fits)
		return;
	ack = net_world_command_cut(w, raw, len + 2, (uint32_t)room);
	PROMISE(ack == (is_good(w, (uint32_t)(raw[0] << 8 | raw[1]), len) ? 0 : 1));
	PROMISE(!ack || !memcmp(&before, &w->host.driver, sizeof(before)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	const uint8_t what = take8(&in);
	const uint64_t ring = PVROM_VQ_F_VERSION_1 | (what & 8 ? PVROM_VQ_F_RING_PACKED : 0);
	uint64_t without = what & 32 ? 1ull << take8(&in) % 64 : 0;
	struct net_world *w;
	uint32_t i;

	without |= what & 32 ? 1ull << take8(&in) % 64 : 0;
	w = net_world_open_without(1 + what % 4, 0, without, ring);
	if (!w || pvrom_net_control_queue(&w->host) == PVROM_NET_NO_QUEUE)
		goto out; /* the features that are left do not go together */
	for (i = 0; i < COMMANDS && in.left; i++) {
		command(w, &in);
		judge_state(w);
		if (what & 16)
			save_and_load(w);
		frame_arrives(w, &in);
	}
out:
	if (w)
		net_world_close(w);
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: a check of the card taken out ------------------------------------------------------------- */

#define FAULTS(X)                                                                                  \
	X("a command without its feature", NET_CHECK_COMMAND_FEATURE)                              \
	X("bytes behind a command", NET_CHECK_COMMAND_END)                                         \
	X("queue pairs that there are not", NET_CHECK_STEERING)                                    \
	X("more addresses than there is room for", NET_CHECK_MAC_COUNT)                            \
	X("a group's address as its own", NET_CHECK_MAC_GROUP)                                     \
	X("a VLAN that is none", NET_CHECK_VLAN_NUMBER)                                            \
	X("offloads that were not negotiated", NET_CHECK_OFFLOADS)

HOSTILE_FAULTS(FAULTS, pvrom_net_removed)
