/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Handing everything over to the next process: one packet an export, with its descriptors; then the next
 * process says whether it has taken all up, and this one whether it has let go.
 */
#define _GNU_SOURCE
#include "blkd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAGIC 0x646b6c62u
#define SPEC_MOST 4096u
#define PATIENCE 10000 /* ms for the other process */

struct packet {
	uint32_t magic, count; /* exports in all */
	uint32_t spec_size, vu_size, device_size, has_file, accepting;
	char spec[SPEC_MOST];
	uint8_t vu[PVROM_VU_HANDOVER_BYTES];
	uint8_t device[1024];
};

#define FDS_MOST (PVROM_VU_HANDOVER_FDS + 1)
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FDS_MOST)];
};

static bool address_of(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path)) {
		blkd_say("%s: too long for a socket", path);
		return false;
	}
	memcpy(address->sun_path, path, strlen(path) + 1);
	return true;
}

/* ---- the old process -------------------------------------------------------------------------------------- */

static bool is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		     errno == ECONNREFUSED;

	close(fd);
	return stale;
}

int blkd_control_listen(const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	int fd;

	if (!address_of(&address, path))
		return -1;
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && is_stale(&address))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !chmod(path, 0600) && !listen(fd, 1))
		return fd;
	blkd_say("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool send_packet(int socket, const struct packet *packet, const int *fd, uint32_t fds)
{
	union control control = { .bytes = { 0 } };
	struct iovec vec = { (void *)(uintptr_t)packet, sizeof(*packet) };
	struct msghdr m = { .msg_iov = &vec,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = CMSG_SPACE(sizeof(int) * fds) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * fds);
	memcpy(CMSG_DATA(c), fd, sizeof(int) * fds);
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*packet);
}

static bool send_export(int socket, const struct blkd_export *e, uint32_t count)
{
	struct packet *packet = calloc(1, sizeof(*packet));
	int fd[FDS_MOST];
	uint32_t fds = 0;
	bool sent;

	if (!packet)
		return false;
	packet->magic = MAGIC;
	packet->count = count;
	packet->spec_size = (uint32_t)strlen(e->spec.text);
	packet->vu_size = e->handover.size;
	packet->device_size = e->device_state_size;
	packet->has_file = e->spec.file != NULL;
	memcpy(packet->spec, e->spec.text, packet->spec_size);
	memcpy(packet->vu, e->handover.bytes, packet->vu_size);
	memcpy(packet->device, e->device_state, packet->device_size);
	if (e->spec.file)
		fd[fds++] = pvrom_blk_file_fd(e->backend);
	memcpy(&fd[fds], e->handover.fd, sizeof(int) * e->handover.fds);
	fds += e->handover.fds;
	sent = send_packet(socket, packet, fd, fds);
	free(packet);
	return sent;
}

static bool may_hand_over(const struct blkd_export *e, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (e[i].spec.memory_sectors || strlen(e[i].spec.text) >= SPEC_MOST) {
			blkd_say("%s: cannot be handed over: it lives in this process",
				 e[i].spec.socket);
			return false;
		}
	return true;
}

/* true: the next process has all of it. */
static bool offer(int socket, struct blkd_export *e, unsigned int count)
{
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
	unsigned int i;
	char word = 0;

	for (i = 0; i < count; i++)
		if (!send_export(socket, &e[i], count))
			return false;
	return poll(&poll_fd, 1, PATIENCE) == 1 && recv(socket, &word, 1, 0) == 1 && word == 'Y';
}

bool blkd_control_serve(int listener, struct blkd_export *e, unsigned int count)
{
	const int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	unsigned int i;
	bool given;

	if (socket < 0)
		return false;
	if (!may_hand_over(e, count)) {
		close(socket);
		return false;
	}
	for (i = 0; i < count; i++)
		blkd_export_ask(&e[i], BLKD_HAND_OVER);
	given = offer(socket, e, count);
	/* The queues are at rest: the next one need not wait until all is put away here. */
	if (given && send(socket, "y", 1, MSG_NOSIGNAL) < 0)
		blkd_say("the next server does not hear that it may begin");
	for (i = 0; i < count; i++)
		blkd_export_ask(&e[i], given ? BLKD_LEAVE : BLKD_GO_ON);
	if (!given)
		blkd_say("the next server did not take over: going on");
	close(socket);
	return given;
}

/* ---- the next process ------------------------------------------------------------------------------------- */

static bool receive_packet(int socket, struct packet *packet, int *fd, uint32_t *fds)
{
	union control control;
	struct iovec vec = { packet, sizeof(*packet) };
	struct msghdr m = { .msg_iov = &vec,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
	struct cmsghdr *c;

	if (poll(&poll_fd, 1, PATIENCE) != 1 ||
	    recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*packet))
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || (m.msg_flags & MSG_CTRUNC))
		return false;
	*fds = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fd, CMSG_DATA(c), *fds * sizeof(int));
	return packet->magic == MAGIC && packet->spec_size < SPEC_MOST &&
	       packet->vu_size <= sizeof(packet->vu) && packet->count &&
	       packet->device_size <= sizeof(packet->device) && *fds >= !!packet->has_file &&
	       packet->count <= BLKD_EXPORTS_MAX;
}

static bool fill(struct blkd_export *e, struct packet *packet, const int *fd, uint32_t fds)
{
	uint32_t at = 0;

	packet->spec[packet->spec_size] = 0;
	if (blkd_spec_parse(&e->spec, packet->spec))
		return false;
	e->file_fd = packet->has_file ? fd[at++] : -1;
	e->handover.size = packet->vu_size;
	memcpy(e->handover.bytes, packet->vu, packet->vu_size);
	e->handover.fds = fds - at;
	memcpy(e->handover.fd, fd + at, (fds - at) * sizeof(int));
	e->device_state_size = packet->device_size;
	memcpy(e->device_state, packet->device, packet->device_size);
	return true;
}

static unsigned int receive_all(int socket, struct blkd_export **exports)
{
	struct packet *packet = malloc(sizeof(*packet));
	struct blkd_export *e = calloc(BLKD_EXPORTS_MAX, sizeof(*e));
	int fd[FDS_MOST];
	uint32_t fds = 0;
	unsigned int n = 0, count = 1;

	for (; packet && e && n < count; n++) {
		if (!receive_packet(socket, packet, fd, &fds) || !fill(&e[n], packet, fd, fds))
			break;
		count = packet->count;
	}
	free(packet);
	*exports = e;
	return n == count ? n : 0;
}

unsigned int blkd_control_ask(const char *path, struct blkd_export **exports, int *socket_fd)
{
	struct sockaddr_un address;
	unsigned int count;

	if (!address_of(&address, path))
		return 0;
	*socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(*socket_fd, (struct sockaddr *)&address, sizeof(address))) {
		blkd_say("%s: %s", path, strerror(errno));
		return 0;
	}
	count = receive_all(*socket_fd, exports);
	if (!count)
		blkd_say("%s: the server there hands nothing over", path);
	return count;
}

bool blkd_control_taken(int socket, bool well)
{
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
	char word = 0;

	if (send(socket, well ? "Y" : "N", 1, MSG_NOSIGNAL) != 1)
		return false;
	return well && poll(&poll_fd, 1, PATIENCE) == 1 && recv(socket, &word, 1, 0) == 1 &&
	       word == 'y';
}
