/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The network card and a driver that keeps the rules: all cases, by subject.
 */
#include <string.h>

#include "net_card.h"

uint8_t payload[66000], frame[ORACLE_FRAME_ROOM], want[ORACLE_FRAME_ROOM];
struct world_received got;
uint64_t seed = 7;

uint32_t draw(uint32_t below)
{
	return oracle_random(&seed, below);
}

enum pvrom_net_fate arrive(struct net_world *w, const char *to, uint32_t vlan)
{
	const struct pvrom_net_header plain = { 0 };

	memset(frame, 0, 60);
	memcpy(frame, to, 6);
	frame[12] = 8;
	if (vlan != PVROM_NET_NO_VLAN) {
		frame[12] = 0x81;
		frame[14] = (uint8_t)(0xe0 | vlan >> 8); /* with a priority */
		frame[15] = (uint8_t)vlan;
	}
	while (net_world_give(w, 0, 100))
		;
	return pvrom_net_receive(&w->host, &plain, frame, 60);
}

int mode(struct net_world *w, uint8_t number, uint8_t on)
{
	return net_world_command(w, PVROM_NET_CTRL_RX, number, &on, 1);
}

struct rss_command rss_command(void)
{
	struct rss_command c = { .types = 7,
				 .mask = 3,
				 .other = 2,
				 .table = { 3, 1, 3, 1 },
				 .pairs = 4,
				 .key_length = 40 };
	uint32_t i;

	for (i = 0; i < sizeof(c.key); i++)
		c.key[i] = (uint8_t)(i * 37 + 1);
	return c;
}

int main(void)
{
	static const struct tap_test *const subjects[] = { net_feature_cases,  net_send_cases,
							   net_receive_cases,  net_filter_cases,
							   net_steering_cases, net_queue_cases,
							   net_state_cases };
	static struct tap_test all[64];
	size_t i, n = 0;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)oracle_random(&(uint64_t){ i * 2654435761u + 99 }, 256);
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const struct tap_test *t;

		for (t = subjects[i]; t->name && n + 1 < sizeof(all) / sizeof(all[0]); t++)
			all[n++] = *t;
	}
	return tap_run("net.card", all);
}
