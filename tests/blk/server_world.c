/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A server process with a front end of ours, for one case at a time. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_world.h"

const char *program, *directory, *slipped, *other_disk = "memory=16M", *poll_us;
char socket_path[256], other_path[256], file_path[256], log_path[256];
pid_t pid;
struct vu_client client;

bool holds(bool good, int line, const char *text)
{
	if (!good && !slipped)
		printf("# line %d: %s\n", line, text);
	return good;
}

/* ---- the server --------------------------------------------------------------------------------------------- */

void start_server(const char *disk, bool other)
{
	char word[600], second[300], poll_word[64];
	const char *argv[8] = { program, word };
	int n = 2;

	snprintf(word, sizeof(word), "socket=%s,%s", socket_path, disk);
	snprintf(second, sizeof(second), "socket=%s,%s", other_path, other_disk);
	if (other)
		argv[n++] = second;
	if (poll_us) {
		snprintf(poll_word, sizeof(poll_word), "--poll-us=%s", poll_us);
		argv[n++] = poll_word;
	}
	if (slipped) {
		argv[n++] = "--slip";
		argv[n++] = slipped;
	}
	unlink(socket_path);
	unlink(other_path);
	pid = server_start(argv, log_path);
}

bool connect_to(struct vu_client *c, const char *path, uint64_t features)
{
	*c = (struct vu_client){ .path = path,
				 .features = PVROM_VQ_F_VERSION_1 | features,
				 .protocol = ~VU_PROTOCOL_INBAND_NOTIFICATIONS,
				 .queues = 1,
				 .size = 64,
				 .depth = 16,
				 .data_bytes = LOAD_BLOCK };
	return vu_client_open(c) && vu_client_connect(c, 10000);
}

bool serve(const char *disk, uint64_t features)
{
	start_server(disk, false);
	return connect_to(&client, socket_path, features);
}

bool serve_file(const char *words, uint64_t features)
{
	char disk[400];

	snprintf(disk, sizeof(disk), "file=%s%s", file_path, words);
	return make_file(file_path, 8 * MB) && serve(disk, features);
}

void end(void)
{
	if (client.memory)
		vu_client_close(&client);
	memset(&client, 0, sizeof(client));
	server_stop(pid, SIGTERM, 5000);
}

bool works(struct vu_client *c)
{
	static uint8_t data[LOAD_BLOCK], back[LOAD_BLOCK];

	memset(data, 0x5a, sizeof(data));
	data[0] ^= 1;
	return blk_client_do(c, 0, PVROM_BLK_T_OUT, 8, data, sizeof(data)) == PVROM_BLK_S_OK &&
	       blk_client_do(c, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == PVROM_BLK_S_OK &&
	       blk_client_do(c, 0, PVROM_BLK_T_IN, 8, back, sizeof(back)) == PVROM_BLK_S_OK &&
	       !memcmp(data, back, sizeof(data));
}

int ranges(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t count)
{
	struct pvrom_blk_range r[20];
	uint32_t i;

	for (i = 0; i < count; i++)
		r[i] = (struct pvrom_blk_range){ sector, sectors, 0 };
	return blk_client_do(&client, 0, type, 0, r, count * (uint32_t)sizeof(r[0]));
}

/* Is somebody at the other end of a connection? */
bool connection_ended(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	while (poll(&p, 1, ms) == 1) {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			return true;
	}
	return false;
}

int get_config(uint32_t offset, uint32_t size, uint8_t *to)
{
	union vu_payload p = { .config = { .offset = offset, .size = size } };
	const int n = vu_client_message(&client, VU_GET_CONFIG, &p, 12 + size, NULL, 0, &p, NULL);

	memcpy(to, p.config.bytes, size);
	return n;
}
