/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Answers to commands: wrong, late, and none. */
#include "net_lies.h"

#include <string.h>

/* ---- commands ------------------------------------------------------------------------------------------------ */

static enum pvrom_net_guest_result command(struct net_guest_world *w)
{
	return pvrom_net_guest_receive_mode(&w->net, PVROM_NET_CTRL_RX_PROMISC, true);
}

/* The first command of all is the one that asks for the pairs: entry 1 and what follows are free. */
static uint32_t answer_id;
static uint8_t answer;
static void answer_it(struct net_guest_world *w)
{
	w->net.command[PVROM_NET_GUEST_COMMAND] = answer;
	lie_use_entry(w, 4, 1, answer_id, 1);
}
static void say_nothing(struct net_guest_world *w)
{
	(void)w;
}

static bool answered(struct net_guest_world *w, uint8_t ack)
{
	if (!lie_begun(w))
		return false;
	answer = ack;
	answer_id = w->net.control->ring.free_head;
	w->instead = answer_it;
	return true;
}

static bool acknowledgement_that_is_none(struct net_guest_world *w)
{
	return answered(w, 0x77) && command(w) == PVROM_NET_GUEST_REFUSED && w->net.bad_acks == 1;
}
static bool acknowledgement_not_written(struct net_guest_world *w)
{
	return answered(w, 0xff) && command(w) == PVROM_NET_GUEST_REFUSED && w->net.bad_acks == 1;
}
static bool command_refused(struct net_guest_world *w)
{
	return answered(w, 1) && command(w) == PVROM_NET_GUEST_REFUSED && !w->net.bad_acks;
}
/* Refused by the device: the driver does not believe it done. */
static bool refused_changes_nothing(struct net_guest_world *w)
{
	static const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 };

	return answered(w, 1) && pvrom_net_guest_set_mac(&w->net, mac) == PVROM_NET_GUEST_REFUSED &&
	       memcmp(w->net.mac, mac, 6) != 0;
}
static bool acknowledgement_read_twice(struct net_guest_world *w)
{
	bool good = answered(w, 0);

	lie_loads = 0;
	pvrom_net_guest_load_hook = lie_count_loads;
	good = good && command(w) == PVROM_NET_GUEST_OK && lie_loads == 1;
	pvrom_net_guest_load_hook = NULL;
	return good;
}
static bool answer_that_never_comes(struct net_guest_world *w)
{
	if (!lie_begun(w))
		return false;
	w->instead = say_nothing;
	w->patience = 1000;
	return command(w) == PVROM_NET_GUEST_NO_ANSWER && !w->patience;
}
/* What the device may still be reading stays as it is. */
static bool command_over_a_command(struct net_guest_world *w)
{
	uint8_t before[16];

	if (!answer_that_never_comes(w))
		return false;
	memcpy(before, w->net.command, sizeof(before));
	w->patience = 10;
	return pvrom_net_guest_vlan(&w->net, 77, true) == PVROM_NET_GUEST_NO_ANSWER &&
	       !memcmp(before, w->net.command, sizeof(before));
}
static bool answer_comes_late(struct net_guest_world *w)
{
	if (!answer_that_never_comes(w))
		return false;
	w->instead = NULL;
	w->patience = 1000;
	return pvrom_net_guest_vlan(&w->net, 77, true) == PVROM_NET_GUEST_OK &&
	       w->host.driver.promiscuous && w->host.driver.vlan[1] == 1ull << 13;
}
static bool answers_another_command(struct net_guest_world *w)
{
	if (!answered(w, 0))
		return false;
	answer_id = 15;
	if (command(w) != PVROM_NET_GUEST_BROKEN)
		return false;
	return command(w) == PVROM_NET_GUEST_BROKEN; /* and stays so */
}
static uint32_t one_descriptor(struct pvrom_virtio *virtio, uint32_t queue)
{
	return queue == 4 ? 1 : honest.queue_max(virtio, queue);
}
static bool control_queue_too_short(struct net_guest_world *w)
{
	honest = w->ops;
	w->ops.queue_max = one_descriptor;
	return net_guest_world_begin(w, NULL, 1) == PVROM_VIRTIO_MALFORMED &&
	       command(w) == PVROM_NET_GUEST_BROKEN;
}
static bool command_after_the_end(struct net_guest_world *w)
{
	return lie_begun(w) && !pvrom_net_guest_stop(&w->net) &&
	       command(w) == PVROM_NET_GUEST_BROKEN;
}

/* ---- the list ------------------------------------------------------------------------------------- */

const struct net_lie net_lies_commands[] = {
	CASE(acknowledgement_that_is_none, CHECK(ACK_VALUE)),
	CASE(acknowledgement_not_written, CHECK(ACK_VALUE)),
	CASE(command_refused, NO_CHECK),
	CASE(refused_changes_nothing, NO_CHECK),
	CASE(acknowledgement_read_twice, NO_CHECK),
	CASE(answer_that_never_comes, NO_CHECK),
	CASE(command_over_a_command, CHECK(COMMAND_WAITING)),
	CASE(answer_comes_late, NO_CHECK),
	CASE(answers_another_command, NO_CHECK),
	CASE(control_queue_too_short, NO_CHECK),
	CASE(command_after_the_end, NO_CHECK),
	{ 0 },
};
