/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What changes under a running front end: the dirty log, the disk's length, limits. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_world.h"

/* ---- the dirty log ------------------------------------------------------------------------------------------------------- */

static void want(uint8_t *bits, const void *at, uint64_t len)
{
	uint64_t page = vu_client_gpa(&client, at) / VU_LOG_PAGE;
	const uint64_t last = (vu_client_gpa(&client, at) + len - 1) / VU_LOG_PAGE;

	for (; page <= last; page++)
		bits[page / 8] |= (uint8_t)(1u << page % 8);
}

/* One request; then the log has its pages and the ring's, and no other. */
static bool logged(uint32_t type, uint32_t length, bool data, bool on)
{
	/* Its status is not in the page of the ring. */
	struct vu_client_request *r = &client.queue[0].request[1];
	const bool packed = client.accepted & PVROM_VQ_F_RING_PACKED;
	uint8_t bits[4096] = { 0 };
	uint64_t i, limit;
	bool good;

	memset(client.log, 0, client.log_size);
	if (data)
		want(bits, r->data, length);
	want(bits, r->status, 1);
	want(bits, client.queue[0].device, 4);
	if (packed)
		want(bits, client.queue[0].desc, 16);
	*(struct pvrom_blk_range *)(void *)r->data = (struct pvrom_blk_range){ 0, 8, 0 };
	good = HOLDS(blk_client_submit(&client, 0, r, type, 0, length));
	blk_client_publish(&client, 0);
	good = good && HOLDS(blk_client_wait(&client, 0, PATIENCE) == r) && HOLDS(*r->status == 0);
	/* The page of the ring may be marked once more when the server goes to sleep. */
	limit = vu_client_now() + (uint64_t)PATIENCE * 1000000;
	if (!on)
		memset(bits, 0, sizeof(bits));
	while (on && memcmp(bits, client.log, client.log_size) && vu_client_now() < limit)
		usleep(1000);
	for (i = 0; i < client.log_size && good; i++)
		if (client.log[i] != bits[i] && !slipped)
			printf("# request %u: pages from %llu: 0x%x in the log, 0x%x wanted\n",
			       type, (unsigned long long)i * 8, client.log[i], bits[i]);
	return good && HOLDS(!memcmp(bits, client.log, client.log_size));
}

static bool log_for(uint64_t features)
{
	bool good =
		HOLDS(serve("memory=16M", features | PVROM_BLK_F_FLUSH | PVROM_BLK_F_DISCARD)) &&
		HOLDS(works(&client)) && HOLDS(vu_client_log(&client, true));

	good = good && logged(PVROM_BLK_T_IN, 4096, true, true) &&
	       logged(PVROM_BLK_T_IN, 512, true, true) &&
	       logged(PVROM_BLK_T_OUT, 4096, false, true) &&
	       logged(PVROM_BLK_T_FLUSH, 0, false, true) &&
	       logged(PVROM_BLK_T_GET_ID, 20, true, true) &&
	       logged(PVROM_BLK_T_DISCARD, 16, false, true);
	good = good && HOLDS(vu_client_log(&client, false)) &&
	       logged(PVROM_BLK_T_IN, 4096, true, false);
	end();
	return good;
}

bool dirty_log(void)
{
	return log_for(0) && log_for(PVROM_VQ_F_EVENT_IDX) && log_for(PVROM_VQ_F_RING_PACKED);
}

/* ---- resize ---------------------------------------------------------------------------------------------------------------- */

bool resize(void)
{
	int pair[2];
	struct vu_head head = { 0 };
	struct pollfd p;
	uint8_t space[8];
	uint64_t capacity = 0;
	bool good = HOLDS(serve_file("", 0)) &&
		    HOLDS(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) &&
		    HOLDS(!vu_client_ack(&client, VU_SET_BACKEND_REQ_FD, NULL, 0, &pair[1], 1));

	if (!good)
		return false;
	p = (struct pollfd){ .fd = pair[0], .events = POLLIN };
	good = HOLDS(!truncate(file_path, 12 * MB)) && HOLDS(!kill(pid, SIGHUP)) &&
	       HOLDS(poll(&p, 1, PATIENCE) == 1) &&
	       HOLDS(read(pair[0], &head, sizeof(head)) == sizeof(head)) &&
	       HOLDS(head.request == VU_BACKEND_CONFIG_CHANGE) &&
	       HOLDS(get_config(0, 8, space) == 20);
	memcpy(&capacity, space, 8);
	good = good && HOLDS(capacity == 12 * MB / 512) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, capacity - 8, NULL, 4096) == 0) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, capacity, NULL, 4096) == 1);
	close(pair[0]);
	close(pair[1]);
	end();
	return good;
}

/* Two disks of a group in turn, so that each has half. */
bool group_is_limited(void)
{
	struct vu_client second;
	uint64_t began;
	int i;
	bool good;

	other_disk = "memory=16M,group=g";
	start_server("memory=16M,group=g,iops=100", true);
	other_disk = "memory=16M";
	good = HOLDS(connect_to(&client, socket_path, 0)) &&
	       HOLDS(connect_to(&second, other_path, 0));
	began = vu_client_now();
	for (i = 0; i < 31 && good; i++)
		good = HOLDS(blk_client_do(i & 1 ? &second : &client, 0, PVROM_BLK_T_IN, 0, NULL,
					   512) == 0);
	good = good && HOLDS(vu_client_now() - began >= 297000000);
	vu_client_close(&second);
	end();
	return good;
}

/* 100 a second, none of them before its time: the clock here may only be late. */
bool limited(void)
{
	uint64_t began;
	int i;
	bool good = HOLDS(serve("memory=16M,iops=100", 0));

	began = vu_client_now();
	for (i = 0; i < 31 && good; i++)
		good = HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, NULL, 512) == 0);
	good = good && HOLDS(vu_client_now() - began >= 297000000);
	end();
	return good;
}
