/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network card as such: set-up, features, configuration space, link, reset.
 */
#include "net_host_internal.h"
#include "net_needs.h"

/* VIRTIO 1.2, 2.2: bits 0 to 23 and from 50 on belong to the device type. */
#define DEVICE_BITS (0xffffffull | ~0ull << 50)

#define OFFERED                                                                                    \
	(PVROM_NET_F_CSUM | PVROM_NET_F_CTRL_GUEST_OFFLOADS | PVROM_NET_F_MAC |                    \
	 PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN |                    \
	 PVROM_NET_F_HOST_USO | PVROM_NET_F_MRG_RXBUF | PVROM_NET_F_STATUS | PVROM_NET_F_CTRL_VQ | \
	 PVROM_NET_F_CTRL_RX | PVROM_NET_F_CTRL_RX_EXTRA | PVROM_NET_F_CTRL_VLAN |                 \
	 PVROM_NET_F_GUEST_ANNOUNCE | PVROM_NET_F_CTRL_MAC_ADDR | PVROM_NET_F_NOTF_COAL |          \
	 PVROM_NET_F_HASH_REPORT | PVROM_NET_F_SPEED_DUPLEX | PVROM_NET_F_GUEST_CSUM)

static bool setup_is_valid(const struct pvrom_net_host_setup *s)
{
	const struct pvrom_net_backend *b = s->backend;

	return b && b->ops && b->ops->send && s->whole && s->segment && !(s->mac[0] & 1) &&
	       b->mtu >= PVROM_NET_MTU_LEAST && b->mtu <= 65535 &&
	       (!s->mtu || (s->mtu >= PVROM_NET_MTU_LEAST && s->mtu <= b->mtu)) && s->pairs >= 1 &&
	       s->pairs <= PVROM_NET_PAIRS_MAX && (s->now || (!s->send_limit && !s->receive_limit));
}

bool pvrom_net_host_init(struct pvrom_net_host *host, const struct pvrom_net_host_setup *setup)
{
	if (!setup_is_valid(setup))
		return false;
	*host = (struct pvrom_net_host){ .setup = *setup, .link_up = true };
	pvrom_net_host_reset(host);
	return true;
}

/* ---- features --------------------------------------------------------------------------------------- */

uint64_t pvrom_net_host_features(const struct pvrom_net_host *host)
{
	uint64_t features = OFFERED | (host->setup.backend->gives & GUEST_OFFLOADS);

	if (host->setup.mtu)
		features |= PVROM_NET_F_MTU;
	if (host->setup.pairs > 1)
		features |= PVROM_NET_F_MQ | PVROM_NET_F_RSS;
	return features & ~host->setup.withhold;
}

bool pvrom_net_host_accept(struct pvrom_net_host *host, uint64_t features)
{
	features &= DEVICE_BITS;
	if (features & ~pvrom_net_host_features(host) || net_needy(features))
		return false;
	host->driver.accepted = features;
	pvrom_net_set_offloads(host, features & GUEST_OFFLOADS);
	return true;
}

void pvrom_net_set_offloads(struct pvrom_net_host *host, uint64_t offloads)
{
	struct pvrom_net_backend *backend = host->setup.backend;

	host->driver.offloads = offloads;
	if (backend->ops->offloads)
		backend->ops->offloads(backend, offloads);
}

/* ---- configuration space ------------------------------------------------------------------------------ */

static struct pvrom_net_config config_now(const struct pvrom_net_host *host)
{
	struct pvrom_net_config c = {
		.max_virtqueue_pairs = host->setup.pairs,
		.mtu = host->setup.mtu,
		.speed = host->setup.backend->speed,
		.duplex = PVROM_NET_DUPLEX_FULL,
		.rss_max_key_size = PVROM_NET_HASH_KEY_BYTES,
		.rss_max_indirection_table_length = PVROM_NET_RSS_ENTRIES,
		.supported_hash_types = PVROM_NET_HASH_ALL,
	};

	__builtin_memcpy(c.mac, host->driver.mac, sizeof(c.mac));
	c.status = host->link_up ? PVROM_NET_S_LINK_UP : 0;
	c.status |= host->announce ? PVROM_NET_S_ANNOUNCE : 0;
	return c;
}

void pvrom_net_host_config_read(const struct pvrom_net_host *host, uint32_t offset, void *to,
				uint32_t len)
{
	const struct pvrom_net_config config = config_now(host);
	const uint8_t *bytes = (const uint8_t *)&config;
	uint8_t *out = to;
	uint32_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint64_t)offset + i < sizeof(config) ? bytes[offset + i] : 0;
}

bool pvrom_net_host_set_link(struct pvrom_net_host *host, bool up)
{
	const bool changed = host->link_up != up;

	host->link_up = up;
	host->generation += changed;
	return changed && has(host, PVROM_NET_F_STATUS);
}

bool pvrom_net_host_announce(struct pvrom_net_host *host)
{
	if (!has(host, PVROM_NET_F_GUEST_ANNOUNCE) || !has(host, PVROM_NET_F_STATUS))
		return false;
	host->announce = true;
	host->generation++;
	return true;
}

/* ---- reset ------------------------------------------------------------------------------------------- */

/*
 * Until the driver says otherwise everything passes: a driver without CTRL_RX cannot ask for more.
 * The MAC address is again the one of the set-up. No hash is told before a driver asks for some (5.1.6.5.6.4).
 */
void pvrom_net_host_reset(struct pvrom_net_host *host)
{
	host->driver = (struct pvrom_net_driver_state){
		.promiscuous = true,
		.steering = { .pairs = 1 },
	};
	__builtin_memcpy(host->driver.mac, host->setup.mac, sizeof(host->driver.mac));
	host->announce = false;
	__builtin_memset(host->receive, 0, sizeof(host->receive));
	pvrom_net_set_offloads(host, 0);
}

uint32_t pvrom_net_control_queue(const struct pvrom_net_host *host)
{
	if (!has(host, PVROM_NET_F_CTRL_VQ))
		return PVROM_NET_NO_QUEUE;
	return has(host, PVROM_NET_F_MQ | PVROM_NET_F_RSS) ? 2u * host->setup.pairs : 2;
}

uint32_t pvrom_net_host_pairs(const struct pvrom_net_host *host)
{
	return host->driver.steering.pairs;
}

bool pvrom_net_host_use_pairs(struct pvrom_net_host *host, uint32_t pairs)
{
	if (!pairs || pairs > host->setup.pairs)
		return false;
	host->driver.steering.pairs = (uint16_t)pairs;
	return true;
}
