/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Front ends that send rubbish, vanish, or cut their memory short. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server_world.h"

/* ---- rubbish ------------------------------------------------------------------------------------------------------------------ */

static int raw_connection(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memccpy(address.sun_path, path, 0, sizeof(address.sun_path) - 1);
	if (!server_listens(path, 10000) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The server serves a front end that has done nothing wrong. */
static bool serves_another(void)
{
	struct vu_client c;
	const bool good = connect_to(&c, socket_path, 0) && works(&c);

	vu_client_close(&c);
	return good;
}

bool megabytes_of_rubbish(void)
{
	static uint8_t bytes[65536];
	uint64_t seed = 88172645463325252u, word;
	struct vu_client other;
	size_t i, sent = 0;
	ssize_t n = 1;
	int fd;
	bool good;

	start_server("memory=16M", true);
	good = HOLDS(connect_to(&other, other_path, 0));
	fd = raw_connection(socket_path);
	for (i = 0; i < sizeof(bytes); i += 8) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		word = seed;
		memcpy(bytes + i, &word, 8);
	}
	for (; sent < 10 * MB && n > 0; sent += (size_t)n)
		n = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	good = good && HOLDS(n <= 0) && HOLDS(works(&other)) && HOLDS(serves_another()) &&
	       HOLDS(works(&other));
	close(fd);
	vu_client_close(&other);
	end();
	return good;
}

struct raw {
	uint32_t request, flags, size;
	int fd[9];
	uint32_t fds;
};

static bool send_raw(int socket, const struct raw *r)
{
	static const char payload[65536];
	const struct vu_head head = { r->request, r->flags, r->size };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 9)];
	} control = { .bytes = { 0 } };
	struct iovec vec[2] = { { (void *)(uintptr_t)&head, sizeof(head) },
				{ (void *)(uintptr_t)payload,
				  r->size < sizeof(payload) ? r->size : sizeof(payload) } };
	struct msghdr m = { .msg_iov = vec, .msg_iovlen = 2 };
	struct cmsghdr *c;

	if (r->fds) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * r->fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * r->fds);
		memcpy(CMSG_DATA(c), r->fd, sizeof(int) * r->fds);
	}
	return sendmsg(socket, &m, MSG_NOSIGNAL) > 0;
}

/* On a connection of its own: it ends. */
static bool ends_the_connection(const struct raw *r)
{
	const int fd = raw_connection(socket_path);
	const bool good = fd >= 0 && send_raw(fd, r) && connection_ended(fd, PATIENCE);

	close(fd);
	return good;
}

bool wrong_lengths(void)
{
	static const struct raw bad[] = {
		{ VU_SET_FEATURES, 1, 4, { 0 }, 0 },	{ VU_SET_FEATURES, 1, 16, { 0 }, 0 },
		{ VU_SET_VRING_NUM, 1, 0, { 0 }, 0 },	{ VU_SET_VRING_ADDR, 1, 39, { 0 }, 0 },
		{ VU_SET_VRING_ADDR, 1, 41, { 0 }, 0 }, { VU_GET_VRING_BASE, 1, 12, { 0 }, 0 },
		{ VU_SET_MEM_TABLE, 1, 7, { 0 }, 0 },	{ VU_SET_PROTOCOL_FEATURES, 1, 0, { 0 }, 0 }
	};
	size_t i;
	bool good = true;

	start_server("memory=16M", false);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++)
		good = HOLDS(ends_the_connection(&bad[i]));
	good = good && HOLDS(serves_another());
	end();
	return good;
}

bool wrong_heads(void)
{
	static const struct raw bad[] = { { VU_GET_FEATURES, 0, 0, { 0 }, 0 },
					  { VU_GET_FEATURES, 2, 0, { 0 }, 0 },
					  { VU_GET_FEATURES, 5, 0, { 0 }, 0 },
					  { VU_GET_FEATURES, 1, 0xffffffff, { 0 }, 0 },
					  { VU_GET_FEATURES, 1, 65536, { 0 }, 0 },
					  { 0, 1, 0, { 0 }, 0 },
					  { 41, 1, 0, { 0 }, 0 },
					  { 0xffffffff, 1, 0, { 0 }, 0 } };
	size_t i;
	bool good = true;

	start_server("memory=16M", false);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++)
		good = HOLDS(ends_the_connection(&bad[i]));
	good = good && HOLDS(serves_another());
	end();
	return good;
}

static uint32_t open_descriptors(void)
{
	char path[64];
	uint32_t n = 0;
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, i);
		n += !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
	}
	return n;
}

bool wrong_descriptor_counts(void)
{
	struct raw bad[] = { { VU_GET_FEATURES, 1, 0, { 0 }, 1 },
			     { VU_SET_FEATURES, 1, 8, { 0 }, 2 },
			     { VU_SET_OWNER, 1, 0, { 0 }, 9 },
			     { VU_SET_VRING_NUM, 1, 8, { 0 }, 1 },
			     { VU_SET_PROTOCOL_FEATURES, 1, 8, { 0 }, 1 } };
	const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t before;
	size_t i, j;
	bool good;

	start_server("memory=16M", false);
	good = HOLDS(serves_another());
	usleep(50000);
	before = open_descriptors();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++) {
		for (j = 0; j < 9; j++)
			bad[i].fd[j] = fd;
		good = HOLDS(ends_the_connection(&bad[i]));
	}
	good = good && HOLDS(serves_another());
	usleep(50000);
	/* None of them stays open with the server. */
	good = good && HOLDS(open_descriptors() <= before);
	close(fd);
	end();
	return good;
}

/* Descriptors of the wrong kind. */
bool wrong_descriptors(void)
{
	const int null = open("/dev/zero", O_RDWR | O_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);
	const struct raw bad[] = { { VU_SET_VRING_KICK, 1, 8, { null }, 1 },
				   { VU_SET_VRING_CALL, 1, 8, { null }, 1 },
				   { VU_SET_VRING_ERR, 1, 8, { null }, 1 },
				   { VU_SET_VRING_CALL, 1, 8, { 0 }, 0 } };
	union vu_payload table = { .table = { .count = 1 } };
	size_t i;
	bool good = true;

	start_server("memory=16M", false);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) && good; i++)
		good = HOLDS(ends_the_connection(&bad[i]));
	/* Memory that is no memory, or shorter than it says. */
	table.table.region[0] = (struct vu_region){ 0, MB, 0x10000, 0 };
	good = good && HOLDS(connect_to(&client, socket_path, 0)) &&
	       HOLDS(vu_client_ack(&client, VU_SET_MEM_TABLE, &table, 40, &event, 1) == 1) &&
	       HOLDS(works(&client));
	table.table.region[0].size = 1ull << 40;
	good = good &&
	       HOLDS(vu_client_ack(&client, VU_SET_MEM_TABLE, &table, 40, &client.memory_fd, 1) ==
		     1) &&
	       HOLDS(works(&client));
	close(null);
	close(event);
	end();
	return good;
}

/* What a ring is stays as it is while it runs. */
bool running_ring(void)
{
	const struct vu_vring_state size = { 0, 32 }, base = { 0, 3 };
	uint64_t features;
	bool good = HOLDS(serve("memory=16M", PVROM_BLK_F_FLUSH)) && HOLDS(works(&client));

	features = client.accepted & ~PVROM_BLK_F_FLUSH;
	good = good &&
	       HOLDS(vu_client_ack(&client, VU_SET_VRING_NUM, &size, sizeof(size), NULL, 0) == 1) &&
	       HOLDS(vu_client_ack(&client, VU_SET_VRING_BASE, &base, sizeof(base), NULL, 0) ==
		     1) &&
	       HOLDS(vu_client_ack(&client, VU_SET_FEATURES, &features, 8, NULL, 0) == 1) &&
	       HOLDS(works(&client));
	end();
	return good;
}

/* In the middle of a message, and with requests in flight. */
bool vanishing(void)
{
	const uint32_t half = VU_SET_FEATURES;
	bool good = true;
	int fd, i;

	start_server("memory=16M", false);
	for (i = 0; i < 20 && good; i++) {
		fd = raw_connection(socket_path);
		good = HOLDS(send(fd, &half, sizeof(half), MSG_NOSIGNAL) == sizeof(half));
		close(fd);
		good = good && HOLDS(connect_to(&client, socket_path, 0));
		while (good && blk_client_free(&client, 0) &&
		       blk_client_submit(&client, 0, blk_client_free(&client, 0), PVROM_BLK_T_OUT,
					 0, 4096))
			;
		blk_client_publish(&client, 0);
		vu_client_close(&client);
		memset(&client, 0, sizeof(client));
	}
	good = good && HOLDS(serves_another());
	end();
	return good;
}

/* What was shared with the server is cut short under it: that front end is lost, no other, and not the server. */
static bool cut(const int *what, bool log)
{
	struct vu_client other;
	bool good;

	start_server("memory=16M", true);
	good = HOLDS(connect_to(&other, other_path, 0)) &&
	       HOLDS(connect_to(&client, socket_path, 0)) && HOLDS(works(&client)) &&
	       (!log || HOLDS(vu_client_log(&client, true))) && HOLDS(*what >= 0) &&
	       HOLDS(blk_client_submit(&client, 0, blk_client_free(&client, 0), PVROM_BLK_T_IN, 0,
				       4096)) &&
	       HOLDS(!ftruncate(*what, 0));
	/* Memory of its own is gone too, then: the request cannot be shown, and the server looks in vain. */
	if (good && what != &client.memory_fd)
		blk_client_publish(&client, 0);
	if (good && write(client.queue[0].kick, &(uint64_t){ 1 }, 8) == 8)
		good = HOLDS(connection_ended(client.socket, PATIENCE));
	good = good && HOLDS(works(&other)) && HOLDS(serves_another());
	close(client.socket);
	memset(&client, 0, sizeof(client));
	vu_client_close(&other);
	end();
	return good;
}

bool cut_memory(void)
{
	return cut(&client.memory_fd, false);
}

bool cut_log(void)
{
	return cut(&client.log_fd, true);
}

bool cut_record(void)
{
	return cut(&client.inflight_fd, false);
}

#define HUGE_2MB (21u << 26) /* MFD_HUGE_2MB of linux/memfd.h, which sys/mman.h lacks */

/* A page of 2 MiB that is gone can only be replaced as a whole, wherever in it the server was. */
bool cut_huge_page(void)
{
	union vu_payload p = { .log = { .size = 2 * MB - 4096, .offset = 4096 } };
	const int fd = memfd_create("log", MFD_CLOEXEC | MFD_HUGETLB | HUGE_2MB);
	uint64_t features;
	struct vu_client other;
	bool good;

	if (fd < 0) /* no such kernel */
		return !slipped;
	start_server("memory=16M", true);
	good = HOLDS(!ftruncate(fd, 2 * MB)) && HOLDS(connect_to(&other, other_path, 0)) &&
	       HOLDS(connect_to(&client, socket_path, 0)) && HOLDS(works(&client)) &&
	       HOLDS(vu_client_message(&client, VU_SET_LOG_BASE, &p, 16, &fd, 1, &p, NULL) >= 0) &&
	       HOLDS(!ftruncate(fd, 0));
	features = client.accepted | VU_F_LOG_ALL;
	good = good && HOLDS(!vu_client_ack(&client, VU_SET_FEATURES, &features, 8, NULL, 0)) &&
	       HOLDS(blk_client_submit(&client, 0, blk_client_free(&client, 0), PVROM_BLK_T_IN, 0,
				       4096));
	if (good)
		blk_client_publish(&client, 0);
	/* With the mistake the server stands still for ever, which need not be waited for. */
	good = good && HOLDS(connection_ended(client.socket, slipped ? 500 : PATIENCE)) &&
	       HOLDS(works(&other)) && HOLDS(serves_another());
	close(fd);
	vu_client_close(&other);
	end();
	return good;
}
