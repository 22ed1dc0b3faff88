/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Which frames the driver gets: VIRTIO 1.2, 5.1.6.5.1 to 5.1.6.5.3.
 */
#include "net_host_internal.h"

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static bool same(const uint8_t *a, const uint8_t *b)
{
	return !__builtin_memcmp(a, b, 6);
}

static bool table_has(const struct pvrom_net_macs *macs, const uint8_t *address)
{
	uint32_t i;

	if (macs->overflow)
		return true;
	for (i = 0; i < macs->count; i++)
		if (same(macs->address[i], address))
			return true;
	return false;
}

static bool vlan_passes(const struct pvrom_net_host *host, uint16_t vlan)
{
	if (vlan == PVROM_NET_NO_VLAN || !has(host, PVROM_NET_F_CTRL_VLAN))
		return true;
	return host->driver.vlan[vlan / 64] >> vlan % 64 & 1;
}

static bool unicast_passes(const struct pvrom_net_driver_state *d, const uint8_t *to)
{
	if (d->no_unicast)
		return false;
	return d->all_unicast || same(d->mac, to) || table_has(&d->unicast, to);
}

static bool multicast_passes(const struct pvrom_net_driver_state *d, const uint8_t *to)
{
	if (same(to, broadcast))
		return !d->no_broadcast;
	if (d->no_multicast)
		return false;
	return d->all_multicast || table_has(&d->multicast, to);
}

bool pvrom_net_filter_passes(const struct pvrom_net_host *host, const uint8_t *bytes,
			     const struct pvrom_net_frame *frame)
{
	const struct pvrom_net_driver_state *d = &host->driver;

	if (d->promiscuous)
		return true;
	if (!vlan_passes(host, frame->vlan))
		return false;
	return bytes[0] & 1 ? multicast_passes(d, bytes) : unicast_passes(d, bytes);
}
