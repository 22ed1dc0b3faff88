/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Limits of the card. A frame goes, and what it took from its limit says when the next one may: so nothing is kept
 * here, what has to wait waits in the driver's ring or in the network, and over any time the rate is exact.
 */
#include "net_host_internal.h"

void pvrom_net_spend(const struct pvrom_net_host *host, struct pvrom_limit *limit, uint64_t bytes,
		     uint64_t *at)
{
	*at = pvrom_limit_take(limit, bytes, host->setup.now(host->setup.now_ctx));
}

static uint64_t held(const struct pvrom_net_host *host, const struct pvrom_limit *limit,
		     uint64_t at)
{
	if (!limit || at <= host->setup.now(host->setup.now_ctx))
		return 0;
	return at;
}

uint64_t pvrom_net_send_held(const struct pvrom_net_host *host)
{
	return NET_REFUSE(SEND_LIMIT, true) ? held(host, host->setup.send_limit, host->send_at) : 0;
}

uint64_t pvrom_net_receive_held(const struct pvrom_net_host *host)
{
	return NET_REFUSE(RECEIVE_LIMIT, true)
		       ? held(host, host->setup.receive_limit, host->receive_at)
		       : 0;
}
