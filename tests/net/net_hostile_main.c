/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Drivers that break the card's rules: commands, frames to be sent, buffers for what arrives.
 */
#include <string.h>

#include "net_hostile.h"

uint8_t payload[70000], frame[ORACLE_FRAME_ROOM];
struct world_received got;

bool still_works(struct net_world *w)
{
	const struct frame_plan p = { .ip = 4, .tcp = true };
	const struct pvrom_net_header plain = { 0 };
	const size_t len = oracle_build(&p, payload, 100, frame);
	const uint32_t sent = w->sent_count;
	const uint8_t on = 1;

	memcpy(frame, w->host.driver.mac, 6);
	while (net_world_give(w, 0, 300))
		;
	return net_world_send(w, 0, &plain, frame, len, 1000) && w->sent_count == sent + 1 &&
	       net_world_command(w, 0, 0, &on, 1) == PVROM_NET_CTRL_OK &&
	       pvrom_net_receive(&w->host, &plain, frame, len) == PVROM_NET_DELIVERED;
}

int main(void)
{
	static const struct tap_test *const subjects[] = { hostile_commands, hostile_frames,
							   hostile_buffers };
	static struct tap_test all[64];
	size_t i, n = 0;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const struct tap_test *t;

		for (t = subjects[i]; t->name && n + 1 < sizeof(all) / sizeof(all[0]); t++)
			all[n++] = *t;
	}
	return tap_run("net.hostile", all);
}
