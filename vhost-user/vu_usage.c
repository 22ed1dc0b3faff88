/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a front end makes use of, for people: the protocol features it took, and which of the messages that
 * not every front end sends it has sent.
 */
#include "vu_internal.h"

#include <stdio.h>
#include <string.h>

struct word {
	uint64_t bit;
	const char *name;
};

static const struct word protocol[] = {
	{ VU_PROTOCOL_MQ, "MQ" },
	{ VU_PROTOCOL_LOG_SHMFD, "LOG_SHMFD" },
	{ VU_PROTOCOL_RARP, "RARP" },
	{ VU_PROTOCOL_REPLY_ACK, "REPLY_ACK" },
	{ VU_PROTOCOL_NET_MTU, "NET_MTU" },
	{ VU_PROTOCOL_BACKEND_REQ, "BACKEND_REQ" },
	{ VU_PROTOCOL_CONFIG, "CONFIG" },
	{ VU_PROTOCOL_INFLIGHT_SHMFD, "INFLIGHT_SHMFD" },
	{ VU_PROTOCOL_RESET_DEVICE, "RESET_DEVICE" },
	{ VU_PROTOCOL_CONFIGURE_MEM_SLOTS, "CONFIGURE_MEM_SLOTS" },
	{ VU_PROTOCOL_STATUS, "STATUS" },
	/* For a test that it was not offered: it must be seen if it was. */
	{ VU_PROTOCOL_INBAND_NOTIFICATIONS, "INBAND_NOTIFICATIONS" },
};

static const struct word message[] = {
	{ VU_SET_MEM_TABLE, "SET_MEM_TABLE" },	   { VU_SET_LOG_BASE, "SET_LOG_BASE" },
	{ VU_GET_QUEUE_NUM, "GET_QUEUE_NUM" },	   { VU_SET_VRING_ENABLE, "SET_VRING_ENABLE" },
	{ VU_GET_VRING_BASE, "GET_VRING_BASE" },   { VU_SET_BACKEND_REQ_FD, "SET_BACKEND_REQ_FD" },
	{ VU_GET_CONFIG, "GET_CONFIG" },	   { VU_SET_CONFIG, "SET_CONFIG" },
	{ VU_GET_INFLIGHT_FD, "GET_INFLIGHT_FD" }, { VU_SET_INFLIGHT_FD, "SET_INFLIGHT_FD" },
	{ VU_RESET_DEVICE, "RESET_DEVICE" },	   { VU_ADD_MEM_REG, "ADD_MEM_REG" },
	{ VU_REM_MEM_REG, "REM_MEM_REG" },	   { VU_SET_STATUS, "SET_STATUS" },
	{ VU_GET_STATUS, "GET_STATUS" },	   { VU_SEND_RARP, "SEND_RARP" },
	{ VU_NET_SET_MTU, "NET_SET_MTU" },
};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void append(char *line, const char *text)
{
	strncat(line, text, PVROM_VU_MESSAGE - 1 - strlen(line));
}

void vu_usage_protocol(struct pvrom_vu_server *server)
{
	char line[PVROM_VU_MESSAGE] = "";
	size_t i;

	for (i = 0; i < COUNT(protocol); i++) {
		if (!(server->protocol & protocol[i].bit))
			continue;
		append(line, " ");
		append(line, protocol[i].name);
	}
	vu_say(server, "protocol features:%s", line);
}

void vu_usage_features(struct pvrom_vu_server *server)
{
	vu_say(server, "features 0x%llx: %s ring", (unsigned long long)server->features,
	       server->features & PVROM_VQ_F_RING_PACKED ? "packed" : "split");
}

void vu_usage_count(struct pvrom_vu_server *server)
{
	const struct vu_head *head = &server->message.head;

	if (head->request < VU_REQUESTS)
		server->taken[head->request]++;
	if ((head->flags & VU_NEED_REPLY) && (server->protocol & VU_PROTOCOL_REPLY_ACK))
		server->acknowledged++;
}

/* The counts begin anew: of the next front end. */
void vu_usage_end(struct pvrom_vu_server *server)
{
	char line[PVROM_VU_MESSAGE] = "", part[64];
	size_t i;

	for (i = 0; i < COUNT(message); i++) {
		if (!server->taken[message[i].bit])
			continue;
		snprintf(part, sizeof(part), " %s %u", message[i].name,
			 server->taken[message[i].bit]);
		append(line, part);
	}
	vu_say(server, "messages:%s, acknowledged %u", line, server->acknowledged);
	memset(server->taken, 0, sizeof(server->taken));
	server->acknowledged = 0;
}
