/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * In which of the driver's queues a frame arrives, and the hash that is told with it: VIRTIO 1.2, 5.1.6.5.5 and 5.1.6.5.6.
 */
#include "net_host_internal.h"

/* The same for both directions of a flow (Woo and Park, "Scalable TCP Session Monitoring with Symmetric
 * Receive-side Scaling", 2012). */
static const uint8_t symmetric_key[PVROM_NET_HASH_KEY_BYTES] = {
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
};

/* By the driver's table. */
static uint32_t pair_by_table(const struct pvrom_net_steering *s, const struct pvrom_net_hash *hash)
{
	return hash->report == PVROM_NET_HASH_REPORT_NONE ? s->other
							  : s->table[hash->value & s->mask];
}

/*
 * Without a table: where it comes from, if the backend has spread the frames already; else by all that a flow has,
 * whatever hashes the driver wants to be told, and with whatever key.
 */
static uint32_t pair_of_flow(const struct pvrom_net_host *host, const uint8_t *bytes, size_t len)
{
	const uint32_t pairs = host->driver.steering.pairs;
	uint16_t report;

	if (pairs == 1)
		return 0;
	if (host->from && host->from <= pairs)
		return host->from - 1;
	return pvrom_net_frame_hash(symmetric_key, PVROM_NET_HASH_ALL, bytes, len, &report) % pairs;
}

struct pvrom_net_queue *pvrom_net_steer(const struct pvrom_net_host *host, const uint8_t *bytes,
					size_t len, struct pvrom_net_hash *hash)
{
	const struct pvrom_net_steering *s = &host->driver.steering;
	uint32_t pair;

	*hash = (struct pvrom_net_hash){ 0 };
	if (s->rss || pvrom_net_reports_hashes(host))
		hash->value = pvrom_net_frame_hash(s->key, s->types, bytes, len, &hash->report);
	pair = s->rss ? pair_by_table(s, hash) : pair_of_flow(host, bytes, len);
	return host->receive[pair] ? host->receive[pair] : host->receive[0];
}

bool pvrom_net_steering_valid(const struct pvrom_net_host *host, const struct pvrom_net_steering *s)
{
	uint32_t i;

	if (NET_REFUSE(STEERING, !s->pairs || s->pairs > host->setup.pairs) ||
	    s->types & ~PVROM_NET_HASH_ALL)
		return false;
	if (!s->rss)
		return true;
	if (s->mask >= PVROM_NET_RSS_ENTRIES || s->mask & (s->mask + 1) ||
	    s->other >= host->setup.pairs)
		return false;
	for (i = 0; i <= s->mask; i++)
		if (s->table[i] >= host->setup.pairs)
			return false;
	return true;
}
