/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-blkd as a process, with our own front end: what no stock front end uses, front ends that send rubbish or
 * vanish, and disks that fail. Each case runs against the server as it is, and against one with a mistake in it, where
 * it must fail.
 *
 *	server_test SERVER DIRECTORY
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counter_load.h"
#include "server_process.h"

#define MB 1048576u

static const char *program, *directory, *slipped;
static char socket_path[256], other_path[256], file_path[256], log_path[256];
static pid_t pid;
static struct vu_client client;

static bool holds(bool good, int line, const char *text)
{
	if (!good && !slipped)
		printf("# line %d: %s\n", line, text);
	return good;
}
/* ms: what a healthy server may take on a busy machine; one with a mistake is not waited for as long. */
#define PATIENCE (slipped ? 400 : 10000)
#define HOLDS(what) holds((what), __LINE__, #what)

/* ---- the server --------------------------------------------------------------------------------------------- */

/* With `disk` behind the socket; other: a second export, of memory. */
static void start_server(const char *disk, bool other)
{
	char word[600], second[300];
	const char *argv[8] = { program, word };
	int n = 2;

	snprintf(word, sizeof(word), "socket=%s,%s", socket_path, disk);
	snprintf(second, sizeof(second), "socket=%s,memory=16M", other_path);
	if (other)
		argv[n++] = second;
	if (slipped) {
		argv[n++] = "--slip";
		argv[n++] = slipped;
	}
	unlink(socket_path);
	unlink(other_path);
	pid = server_start(argv, log_path);
}

static bool connect_to(struct vu_client *c, const char *path, uint64_t features)
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

static bool serve(const char *disk, uint64_t features)
{
	start_server(disk, false);
	return connect_to(&client, socket_path, features);
}

static bool serve_file(const char *words, uint64_t features)
{
	char disk[400];

	snprintf(disk, sizeof(disk), "file=%s%s", file_path, words);
	return make_file(file_path, 8 * MB) && serve(disk, features);
}

static void end(void)
{
	if (client.memory)
		vu_client_close(&client);
	memset(&client, 0, sizeof(client));
	server_stop(pid, SIGTERM, 5000);
}

static bool works(struct vu_client *c)
{
	static uint8_t data[LOAD_BLOCK], back[LOAD_BLOCK];

	memset(data, 0x5a, sizeof(data));
	data[0] ^= 1;
	return blk_client_do(c, 0, PVROM_BLK_T_OUT, 8, data, sizeof(data)) == PVROM_BLK_S_OK &&
	       blk_client_do(c, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == PVROM_BLK_S_OK &&
	       blk_client_do(c, 0, PVROM_BLK_T_IN, 8, back, sizeof(back)) == PVROM_BLK_S_OK &&
	       !memcmp(data, back, sizeof(data));
}

static int ranges(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t count)
{
	struct pvrom_blk_range r[20];
	uint32_t i;

	for (i = 0; i < count; i++)
		r[i] = (struct pvrom_blk_range){ sector, sectors, 0 };
	return blk_client_do(&client, 0, type, 0, r, count * (uint32_t)sizeof(r[0]));
}

/* Is somebody at the other end of a connection? */
static bool connection_ended(int fd, int ms)
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

/* ---- what is offered -------------------------------------------------------------------------------------------- */

static bool never_offered(void)
{
	const bool good = HOLDS(serve("memory=16M", 0)) &&
			  HOLDS(!(client.offered & PVROM_VQ_F_RING_RESET)) &&
			  HOLDS(!(client.offered_protocol & VU_PROTOCOL_INBAND_NOTIFICATIONS)) &&
			  HOLDS(client.offered & PVROM_BLK_F_SECURE_ERASE) &&
			  HOLDS(client.offered & PVROM_VQ_F_IN_ORDER) &&
			  HOLDS(client.offered & PVROM_VQ_F_NOTIFICATION_DATA);

	end();
	return good;
}

static int set_config(uint32_t offset, uint8_t value)
{
	union vu_payload p = { .config = { .offset = offset, .size = 1, .bytes = { value } } };

	return vu_client_ack(&client, VU_SET_CONFIG, &p, 13, NULL, 0);
}

static int get_config(uint32_t offset, uint32_t size, uint8_t *to)
{
	union vu_payload p = { .config = { .offset = offset, .size = size } };
	const int n = vu_client_message(&client, VU_GET_CONFIG, &p, 12 + size, NULL, 0, &p, NULL);

	memcpy(to, p.config.bytes, size);
	return n;
}

static bool configuration(void)
{
	uint8_t space[256], one = 0xff;
	struct pvrom_blk_config config;
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH | PVROM_BLK_F_CONFIG_WCE)) &&
		    HOLDS(get_config(0, 256, space) == 268);

	memcpy(&config, space, sizeof(config));
	good = good && HOLDS(config.capacity == 16384) && HOLDS(config.seg_max == 126) &&
	       HOLDS(config.writeback == 1) && HOLDS(space[sizeof(config)] == 0);
	good = good && HOLDS(set_config(32, 0) == 0) && HOLDS(get_config(32, 1, &one) == 13) &&
	       HOLDS(one == 0) && HOLDS(set_config(0, 9) == 1) && HOLDS(set_config(256, 9) == 1) &&
	       HOLDS(get_config(0, 1, &one) == 13) && HOLDS(works(&client));
	end();
	return good;
}

static uint64_t status_now(void)
{
	union vu_payload p;

	return vu_client_message(&client, VU_GET_STATUS, NULL, 0, NULL, 0, &p, NULL) == 8 ? p.word
											  : 999;
}

static bool set_status(uint64_t status)
{
	return !vu_client_ack(&client, VU_SET_STATUS, &status, 8, NULL, 0);
}

/* Rings begin anew after a reset, and then the disk works. */
static bool again(void)
{
	const uint64_t features = client.accepted & ~VU_F_LOG_ALL;
	int64_t base;

	memset(client.queue[0].desc, 0, client.size * 16);
	memset(client.queue[0].driver, 0, 6 + client.size * 2);
	memset(client.queue[0].device, 0, 6 + client.size * 8);
	base = vu_client_stop(&client, 0);
	/* A ring that was not reset is where it was. */
	return base == 0 && !vu_client_ack(&client, VU_SET_FEATURES, &features, 8, NULL, 0);
}

static bool device_status(void)
{
	uint64_t none = 0;
	bool good = HOLDS(serve("memory=16M", 0)) && HOLDS(works(&client)) &&
		    HOLDS(set_status(15)) && HOLDS(status_now() == 15) && HOLDS(set_status(0)) &&
		    HOLDS(status_now() == 0) && HOLDS(again());

	/* Features that do not have VERSION_1 are not OK. */
	good = good && HOLDS(!vu_client_ack(&client, VU_SET_FEATURES, &none, 8, NULL, 0)) &&
	       HOLDS(set_status(11)) && HOLDS(status_now() == 3);
	end();
	return good;
}

static bool reset_device(void)
{
	const bool good = HOLDS(serve("memory=16M", 0)) && HOLDS(works(&client)) &&
			  HOLDS(!vu_client_ack(&client, VU_RESET_DEVICE, NULL, 0, NULL, 0)) &&
			  HOLDS(again());

	end();
	return good;
}

/* ---- requests and rings that stock drivers do not have --------------------------------------------------------------- */

static bool secure_erase(void)
{
	uint8_t data[1024];
	bool good = HOLDS(serve("memory=16M", PVROM_BLK_F_SECURE_ERASE)) &&
		    HOLDS(client.config.capacity == 32768);

	memset(data, 0xee, sizeof(data));
	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_OUT, 7, data, 1024) == 0) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 7, 1, 1) == PVROM_BLK_S_OK) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 7, data, 1024) == 0) &&
	       HOLDS(!data[0] && !data[511]) && HOLDS(data[512] == 0xee) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 32768, 1, 1) == PVROM_BLK_S_IOERR) &&
	       HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 0, 1, 17) == PVROM_BLK_S_IOERR);
	end();
	return good;
}

/* A file cannot promise that nobody finds the old content. */
static bool no_secure_erase_on_files(void)
{
	const bool good = HOLDS(serve_file("", 0)) &&
			  HOLDS(!(client.offered & PVROM_BLK_F_SECURE_ERASE)) &&
			  HOLDS(ranges(PVROM_BLK_T_SECURE_ERASE, 7, 1, 1) == PVROM_BLK_S_UNSUPP);

	end();
	return good;
}

static bool load_with(const char *words, uint64_t features)
{
	struct counter_load load = { .client = &client, .seed = 77, .to_do = 3000 };
	const uint64_t limit = vu_client_now() + 20000000000u;
	bool good = HOLDS(serve_file(words, features)) &&
		    HOLDS((client.accepted & features) == features);

	while (good && !load.wrong[0] && (load.to_do || load.in_flight) &&
	       vu_client_now() < limit) {
		load_fill(&load);
		load_take(&load);
	}
	good = good && HOLDS(!load.in_flight) && load_verify(&load);
	if (load.wrong[0] && !slipped)
		printf("# %s\n", load.wrong);
	end();
	return good;
}

static bool in_order(void)
{
	return load_with("", PVROM_VQ_F_IN_ORDER | PVROM_BLK_F_FLUSH) &&
	       load_with("", PVROM_VQ_F_IN_ORDER | PVROM_VQ_F_RING_PACKED | PVROM_BLK_F_FLUSH);
}

static bool notification_data(void)
{
	return load_with("", PVROM_VQ_F_NOTIFICATION_DATA | PVROM_BLK_F_FLUSH) &&
	       load_with("", PVROM_VQ_F_NOTIFICATION_DATA | PVROM_VQ_F_RING_PACKED |
				     PVROM_VQ_F_EVENT_IDX | PVROM_BLK_F_FLUSH);
}

/* Rings in the first region, most data in the second. */
static bool two_regions(void)
{
	bool good;

	start_server("memory=16M", false);
	client = (struct vu_client){ .path = socket_path,
				     .features = PVROM_VQ_F_VERSION_1,
				     .protocol = VU_PROTOCOL_CONFIGURE_MEM_SLOTS |
						 VU_PROTOCOL_REPLY_ACK | VU_PROTOCOL_CONFIG,
				     .queues = 1,
				     .size = 64,
				     .depth = 64,
				     .data_bytes = 65536,
				     .two_regions = true };
	good = HOLDS(vu_client_open(&client)) && HOLDS(vu_client_connect(&client, 10000));
	if (good) {
		struct vu_client_request *r = &client.queue[0].request[60];
		memset(r->data, 0x33, 65536);
		good = HOLDS(r->data > client.memory + client.memory_size / 2) &&
		       HOLDS(blk_client_submit(&client, 0, r, PVROM_BLK_T_OUT, 0, 65536));
		blk_client_publish(&client, 0);
		good = good && HOLDS(blk_client_wait(&client, 0, PATIENCE) == r) &&
		       HOLDS(*r->status == PVROM_BLK_S_OK);
	}
	end();
	return good;
}

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

static bool dirty_log(void)
{
	return log_for(0) && log_for(PVROM_VQ_F_EVENT_IDX) && log_for(PVROM_VQ_F_RING_PACKED);
}

/* ---- resize ---------------------------------------------------------------------------------------------------------------- */

static bool resize(void)
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

/* 100 a second, none of them before its time: the clock here may only be late. */
static bool limited(void)
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

static bool megabytes_of_rubbish(void)
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

static bool wrong_lengths(void)
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

static bool wrong_heads(void)
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

static bool wrong_descriptor_counts(void)
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
static bool wrong_descriptors(void)
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

/* In the middle of a message, and with requests in flight. */
static bool vanishing(void)
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

/* Guest memory is cut short under the server: that front end is lost, no other, and not the server. */
static bool cut_memory(void)
{
	struct vu_client other;
	bool good;

	start_server("memory=16M", true);
	good = HOLDS(connect_to(&other, other_path, 0)) &&
	       HOLDS(connect_to(&client, socket_path, 0)) && HOLDS(works(&client)) &&
	       HOLDS(!ftruncate(client.memory_fd, 0));
	if (good && write(client.queue[0].kick, &(uint64_t){ 1 }, 8) == 8)
		good = HOLDS(connection_ended(client.socket, PATIENCE));
	good = good && HOLDS(works(&other)) && HOLDS(serves_another());
	/* Its own side is gone too. */
	close(client.socket);
	memset(&client, 0, sizeof(client));
	vu_client_close(&other);
	end();
	return good;
}

/* ---- disks ------------------------------------------------------------------------------------------------------------------------ */

/* It does not start, and says why. */
static bool refuses(const char *disk, const char *why)
{
	int status;

	start_server(disk, false);
	status = server_stop(pid, 0, PATIENCE);
	return HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 1) &&
	       HOLDS(file_says(log_path, why, 100));
}

static bool disks_that_cannot_be(void)
{
	char word[400];
	bool good = HOLDS(refuses("file=/nowhere/at/all", "No such file"));

	snprintf(word, sizeof(word), "file=%s", directory);
	good = good && HOLDS(refuses(word, "directory"));
	good = good && HOLDS(refuses("file=/dev/null", "neither a file nor a block device"));
	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(make_file(file_path, 100)) && HOLDS(refuses(word, "shorter than"));
	return good;
}

/* Root may read everything: the server is started without that right. */
static int refuses_without_rights(const char *word)
{
	const pid_t child = fork();
	int status = -1;

	if (!child) {
		if (geteuid() == 0 && (prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) ||
				       prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)))
			_exit(2);
		_exit(refuses(word, "Permission denied") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

static bool no_permission(void)
{
	char word[400];
	bool good = HOLDS(make_file(file_path, MB)) && HOLDS(!chmod(file_path, 0));

	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(refuses_without_rights(word) == 0);
	unlink(file_path);
	return good;
}

static bool locked_file(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char word[400];
	int fd;
	bool good = HOLDS(make_file(file_path, MB));

	fd = open(file_path, O_RDWR | O_CLOEXEC);
	snprintf(word, sizeof(word), "file=%s", file_path);
	good = good && HOLDS(!fcntl(fd, F_OFD_SETLK, &l)) && HOLDS(refuses(word, "locked"));
	close(fd);
	return good;
}

/* The file becomes shorter: what is gone is an error, also when some of it was read; the rest is there. */
static bool shrinking_file(void)
{
	uint8_t data[4096];
	const bool good =
		HOLDS(serve_file("", 0)) && HOLDS(works(&client)) &&
		HOLDS(!truncate(file_path, 1 * MB + 2048)) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 2 * MB / 512, data, 4096) == 1) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 1 * MB / 512, data, 4096) == 1) &&
		HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 1 * MB / 512, data, 2048) == 0) &&
		HOLDS(works(&client));

	end();
	return good;
}

/* A file system of 1 MiB under a disk of 8 MiB; in a mount namespace of this test's own. */
static bool full_disk(void)
{
	char mount_point[280], word[400], path[300];
	uint8_t data[4096] = { 1 };
	int status = PVROM_BLK_S_OK;
	uint64_t sector;
	bool good;

	snprintf(mount_point, sizeof(mount_point), "%s/small", directory);
	snprintf(path, sizeof(path), "%s/disk", mount_point);
	snprintf(word, sizeof(word), "file=%s", path);
	mkdir(mount_point, 0700);
	good = HOLDS(!mount("tmpfs", mount_point, "tmpfs", 0, "size=1m")) &&
	       HOLDS(make_file(path, 8 * MB)) && HOLDS(serve(word, 0));
	for (sector = 0; good && status == PVROM_BLK_S_OK && sector < 8 * MB / 512; sector += 8)
		status = blk_client_do(&client, 0, PVROM_BLK_T_OUT, sector, data, 4096);
	good = good && HOLDS(status == PVROM_BLK_S_IOERR) && HOLDS(sector > 8) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, data, 4096) == 0) &&
	       HOLDS(data[0] == 1) && HOLDS(ranges(PVROM_BLK_T_DISCARD, 0, 8, 1) >= 0);
	/* Nothing that was acknowledged is lost. */
	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 0);
	end();
	umount2(mount_point, MNT_DETACH);
	return good;
}

/* Run with a server whose disk fails the first flush. */
static bool failed_flush(void)
{
	bool good = HOLDS(serve_file("", PVROM_BLK_F_FLUSH));

	good = good && HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_FLUSH, 0, NULL, 0) == 1) &&
	       HOLDS(blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, NULL, 512) == 0);
	end();
	return good;
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------- */

struct server_case {
	const char *name;
	bool (*run)(void);
	const char *slip
		[3]; /* mistakes that it must notice; the first may begin with `=`: it is needed to run it */
};

/* clang-format off: one case a line */
static const struct server_case cases[] = {
	{ "never offered: INBAND_NOTIFICATIONS, RING_RESET [PVROM-BLK-16]",
	  never_offered,
	  { "OFFER_INBAND", "OFFER_RESET" } },
	{ "CONFIG: read in one piece, writeback alone is written", configuration, { 0 } },
	{ "STATUS: kept, resets with 0, no FEATURES_OK without VERSION_1",
	  device_status,
	  { "STATUS" } },
	{ "RESET_DEVICE: the rings stop where they began", reset_device, { "RESET" } },
	{ "SECURE_ERASE erases, within its limits [PVROM-BLK-6]", secure_erase, { 0 } },
	{ "SECURE_ERASE is not offered for files", no_secure_erase_on_files, { 0 } },
	{ "IN_ORDER, split and packed, over a file", in_order, { 0 } },
	{ "NOTIFICATION_DATA, split and packed, over a file", notification_data, { 0 } },
	{ "memory by ADD_MEM_REG, in two regions", two_regions, { "REGIONS" } },
	{ "LOG_SHMFD: exactly the pages written, request by request [PVROM-BLK-9]",
	  dirty_log,
	  { "LOG_RING", "LOG_ON", "DIRTY_STATUS" } },
	{ "a resize is told and holds [PVROM-BLK-11]", resize, { "CONFIG_TOLD" } },
	{ "a limit of requests holds on a real clock [PVROM-BLK-12]", limited, { "LIMIT_EARLY" } },
	{ "10 MB of rubbish, others undisturbed", megabytes_of_rubbish, { 0 } },
	{ "messages of a wrong length end the connection [PVROM-BLK-15]",
	  wrong_lengths,
	  { "LENGTH" } },
	{ "heads that cannot be end the connection", wrong_heads, { 0 } },
	{ "wrong numbers of descriptors end the connection, and none leaks [PVROM-BLK-15]",
	  wrong_descriptor_counts,
	  { "FDS" } },
	{ "descriptors of a wrong kind", wrong_descriptors, { "EVENTFD" } },
	{ "front ends that vanish", vanishing, { 0 } },
	{ "memory cut short under the server", cut_memory, { "CUT" } },
	{ "disks that are missing, a directory, a device, too short", disks_that_cannot_be, { 0 } },
	{ "a disk without permission", no_permission, { 0 } },
	{ "a disk that another process has locked [PVROM-BLK-19]", locked_file, { "FILE_LOCK" } },
	{ "a disk that becomes shorter", shrinking_file, { "FILE_SHORT" } },
	{ "a disk that is full", full_disk, { "FILE_SPACE" } },
	{ "a flush that failed: none is good after it [PVROM-BLK-20]",
	  failed_flush,
	  { "=FILE_SYNC", "FILE_SYNC_FORGOTTEN" } },
};
/* clang-format on */

static unsigned int number, failures;

static void tell(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(bool good, const char *format, ...)
{
	va_list list;

	failures += !good;
	printf("%sok %u - ", good ? "" : "not ", ++number);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
}

static void run(const struct server_case *c)
{
	const char *const *slip = c->slip;
	bool good;

	if (*slip && **slip == '=') {
		slipped = *slip++ + 1;
		tell(c->run(), "%s", c->name);
	} else {
		slipped = NULL;
		tell(c->run(), "%s", c->name);
	}
	for (; slip < c->slip + 3 && *slip; slip++) {
		slipped = *slip;
		good = !c->run();
		tell(good, "%s: notices %s", c->name, *slip);
	}
	slipped = NULL;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 3)
		return 2;
	program = argv[1];
	directory = argv[2];
	snprintf(socket_path, sizeof(socket_path), "%s/server.socket", directory);
	snprintf(other_path, sizeof(other_path), "%s/other.socket", directory);
	snprintf(file_path, sizeof(file_path), "%s/server.disk", directory);
	snprintf(log_path, sizeof(log_path), "%s/server.log", directory);
	signal(SIGPIPE, SIG_IGN);
	/* For full_disk(); nothing outside sees it. */
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		printf("# no mount namespace of our own\n");
	printf("TAP version 13\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc < 4 || strstr(cases[i].name, argv[3]))
			run(&cases[i]);
	printf("1..%u\n", number);
	return failures != 0;
}
