/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Saved state of the card: one fixed record, little-endian, with its length and a sum. Every field is
 * judged at load, as if an enemy had written it.
 */
#include "net_host_internal.h"

#define STATE_MAGIC 0x74656e76u /* "vnet" */
#define STATE_VERSION 1u

enum {
	FLAG_PROMISCUOUS = 1,
	FLAG_ALL_MULTICAST = 2,
	FLAG_ALL_UNICAST = 4,
	FLAG_NO_MULTICAST = 8,
	FLAG_NO_UNICAST = 16,
	FLAG_NO_BROADCAST = 32,
	FLAG_UNICAST_OVERFLOW = 64,
	FLAG_MULTICAST_OVERFLOW = 128,
	FLAG_RSS = 256,
	FLAG_LINK_UP = 512,
	FLAG_ANNOUNCE = 1024,
	FLAGS_ALL = 2047,
};

/* No bool in it: any byte may come back. No padding either. */
struct state {
	uint32_t magic, version, size, flags;
	uint64_t accepted, offered, offloads;
	uint64_t vlan[64];
	struct pvrom_net_counters counters;
	struct pvrom_net_coalesce transmit, receive;
	uint32_t generation, types;
	uint16_t pairs, mask, other, unicasts, multicasts, reserved;
	uint16_t table[PVROM_NET_RSS_ENTRIES];
	uint8_t key[PVROM_NET_HASH_KEY_BYTES];
	uint8_t unicast[PVROM_NET_MACS_MAX][6], multicast[PVROM_NET_MACS_MAX][6];
	uint8_t mac[6], own_mac[6];
	uint32_t nothing;
	uint32_t sum; /* the last */
};
_Static_assert(sizeof(struct state) == offsetof(struct state, sum) + 4, "every byte is summed");

static uint32_t sum_of(const struct state *state)
{
	const uint8_t *bytes = (const uint8_t *)state;
	uint32_t sum = 1, i;

	for (i = 0; i < offsetof(struct state, sum); i++)
		sum = (sum << 5 | sum >> 27) + bytes[i];
	return sum;
}

/* ---- save ----------------------------------------------------------------------------------------------- */

static uint32_t flags_of(const struct pvrom_net_host *host)
{
	const struct pvrom_net_driver_state *d = &host->driver;

	return (d->promiscuous ? FLAG_PROMISCUOUS : 0u) |
	       (d->all_multicast ? FLAG_ALL_MULTICAST : 0u) |
	       (d->all_unicast ? FLAG_ALL_UNICAST : 0u) |
	       (d->no_multicast ? FLAG_NO_MULTICAST : 0u) | (d->no_unicast ? FLAG_NO_UNICAST : 0u) |
	       (d->no_broadcast ? FLAG_NO_BROADCAST : 0u) |
	       (d->unicast.overflow ? FLAG_UNICAST_OVERFLOW : 0u) |
	       (d->multicast.overflow ? FLAG_MULTICAST_OVERFLOW : 0u) |
	       (d->steering.rss ? FLAG_RSS : 0u) | (host->link_up ? FLAG_LINK_UP : 0u) |
	       (host->announce ? FLAG_ANNOUNCE : 0u);
}

static void save_driver(struct state *state, const struct pvrom_net_driver_state *d)
{
	state->accepted = d->accepted;
	state->offloads = d->offloads;
	__builtin_memcpy(state->vlan, d->vlan, sizeof(state->vlan));
	state->transmit = d->transmit;
	state->receive = d->receive;
	state->types = d->steering.types;
	state->pairs = d->steering.pairs;
	state->mask = d->steering.mask;
	state->other = d->steering.other;
	__builtin_memcpy(state->table, d->steering.table, sizeof(state->table));
	__builtin_memcpy(state->key, d->steering.key, sizeof(state->key));
	state->unicasts = d->unicast.count;
	state->multicasts = d->multicast.count;
	__builtin_memcpy(state->unicast, d->unicast.address, sizeof(state->unicast));
	__builtin_memcpy(state->multicast, d->multicast.address, sizeof(state->multicast));
	__builtin_memcpy(state->mac, d->mac, sizeof(state->mac));
}

size_t pvrom_net_host_save(const struct pvrom_net_host *host, void *buffer, size_t room)
{
	struct state state;

	if (room < sizeof(state))
		return sizeof(state);
	__builtin_memset(&state, 0, sizeof(state));
	state.magic = STATE_MAGIC;
	state.version = STATE_VERSION;
	state.size = sizeof(state);
	state.flags = flags_of(host);
	state.offered = pvrom_net_host_features(host);
	state.counters = host->counters;
	state.generation = host->generation;
	__builtin_memcpy(state.own_mac, host->setup.mac, sizeof(state.own_mac));
	save_driver(&state, &host->driver);
	state.sum = sum_of(&state);
	__builtin_memcpy(buffer, &state, sizeof(state));
	return sizeof(state);
}

/* ---- load ----------------------------------------------------------------------------------------------- */

static void load_macs(struct pvrom_net_macs *macs, uint16_t count, bool overflow,
		      const uint8_t address[PVROM_NET_MACS_MAX][6])
{
	macs->count = count;
	macs->overflow = overflow;
	__builtin_memcpy(macs->address, address, sizeof(macs->address));
}

static void load_modes(struct pvrom_net_driver_state *d, uint32_t flags)
{
	d->promiscuous = flags & FLAG_PROMISCUOUS;
	d->all_multicast = flags & FLAG_ALL_MULTICAST;
	d->all_unicast = flags & FLAG_ALL_UNICAST;
	d->no_multicast = flags & FLAG_NO_MULTICAST;
	d->no_unicast = flags & FLAG_NO_UNICAST;
	d->no_broadcast = flags & FLAG_NO_BROADCAST;
	d->steering.rss = flags & FLAG_RSS;
}

static void load_driver(struct pvrom_net_driver_state *d, const struct state *state)
{
	d->accepted = state->accepted;
	d->offloads = state->offloads;
	__builtin_memcpy(d->vlan, state->vlan, sizeof(d->vlan));
	d->transmit = state->transmit;
	d->receive = state->receive;
	d->steering.types = state->types;
	d->steering.pairs = state->pairs;
	d->steering.mask = state->mask;
	d->steering.other = state->other;
	__builtin_memcpy(d->steering.table, state->table, sizeof(d->steering.table));
	__builtin_memcpy(d->steering.key, state->key, sizeof(d->steering.key));
	load_macs(&d->unicast, state->unicasts, state->flags & FLAG_UNICAST_OVERFLOW,
		  state->unicast);
	load_macs(&d->multicast, state->multicasts, state->flags & FLAG_MULTICAST_OVERFLOW,
		  state->multicast);
	__builtin_memcpy(d->mac, state->mac, sizeof(d->mac));
	load_modes(d, state->flags);
}

static bool driver_is_valid(const struct pvrom_net_host *host,
			    const struct pvrom_net_driver_state *d)
{
	struct pvrom_net_backend silent = *host->setup.backend;
	struct pvrom_net_host scratch = *host;

	silent.ops = &(struct pvrom_net_backend_ops){ 0 };
	scratch.setup.backend = &silent;
	return pvrom_net_host_accept(&scratch, d->accepted) &&
	       scratch.driver.accepted == d->accepted &&
	       !(d->offloads & ~(d->accepted & GUEST_OFFLOADS)) && !(d->mac[0] & 1) &&
	       d->unicast.count <= PVROM_NET_MACS_MAX && d->multicast.count <= PVROM_NET_MACS_MAX &&
	       pvrom_net_steering_valid(host, &d->steering);
}

static bool record_fits(const struct pvrom_net_host *host, const struct state *state)
{
	return state->magic == STATE_MAGIC && state->version == STATE_VERSION &&
	       state->size == sizeof(*state) && state->sum == sum_of(state) &&
	       !(state->flags & ~(uint32_t)FLAGS_ALL) &&
	       (!(state->flags & FLAG_ANNOUNCE) || state->accepted & PVROM_NET_F_GUEST_ANNOUNCE) &&
	       state->offered == pvrom_net_host_features(host) &&
	       !__builtin_memcmp(state->own_mac, host->setup.mac, sizeof(state->own_mac));
}

bool pvrom_net_host_load(struct pvrom_net_host *host, const void *buffer, size_t size)
{
	struct pvrom_net_driver_state driver;
	struct state state;

	__builtin_memset(&driver, 0, sizeof(driver));
	if (size != sizeof(state))
		return false;
	__builtin_memcpy(&state, buffer, sizeof(state));
	if (!record_fits(host, &state))
		return false;
	load_driver(&driver, &state);
	if (!driver_is_valid(host, &driver))
		return false;
	host->driver = driver;
	host->counters = state.counters;
	host->generation = state.generation;
	host->link_up = state.flags & FLAG_LINK_UP;
	host->announce = state.flags & FLAG_ANNOUNCE;
	pvrom_net_set_offloads(host, driver.offloads);
	return true;
}
