/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Messages on a socket: a head, its payload, and descriptors beside them, as they come in.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void vu_message_close_fds(struct vu_message *message)
{
	while (message->fds)
		close(message->fd[--message->fds]);
}

int vu_message_take_fd(struct vu_message *message)
{
	if (!message->fds)
		return -1;
	return message->fd[--message->fds];
}

/* ---- receiving --------------------------------------------------------------------------------------- */

static int take_fds(struct vu_message *message, struct msghdr *m)
{
	int result = m->msg_flags & MSG_CTRUNC ? -EMFILE : 0;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		size_t i;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (message->fds < VU_FDS_MAX) {
				message->fd[message->fds++] = fd;
				continue;
			}
			close(fd);
			result = -EMFILE;
		}
	}
	return result;
}

/* Reads at most what the message still lacks: 1 something came, 0 nothing now, or a negated errno. */
static int receive_part(struct pvrom_vu_server *server, void *to, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VU_FDS_MAX)];
	} control;
	struct iovec vec = { to, len };
	struct msghdr m = { .msg_iov = &vec,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(server->connection_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int result;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	result = take_fds(&server->message, &m);
	if (result)
		return result;
	server->received += (size_t)n;
	return n ? 1 : -ECONNRESET;
}

/* The head is judged before its payload is waited for. */
static int judge_head(const struct vu_head *head)
{
	if ((head->flags & VU_VERSION_MASK) != VU_VERSION || (head->flags & VU_REPLY) ||
	    head->size > sizeof(union vu_payload))
		return -EPROTO;
	return 0;
}

int vu_receive(struct pvrom_vu_server *server)
{
	struct vu_message *m = &server->message;
	const size_t head = sizeof(m->head);
	int result = 1;

	while (result > 0 && server->received < head)
		result = receive_part(server, (char *)&m->head + server->received,
				      head - server->received);
	if (result > 0 && judge_head(&m->head))
		return -EPROTO;
	while (result > 0 && server->received < head + m->head.size)
		result = receive_part(server, (char *)&m->payload + (server->received - head),
				      head + m->head.size - server->received);
	return result;
}

/* ---- sending ------------------------------------------------------------------------------------------- */

bool vu_send(int socket, const struct vu_head *head, const void *payload, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vec[2] = { { (void *)(uintptr_t)head, sizeof(*head) },
				{ (void *)(uintptr_t)payload, head->size } };
	struct msghdr m = { .msg_iov = vec, .msg_iovlen = 2 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* A front end that does not take an answer of a few bytes has filled its socket with others. */
	return n == (ssize_t)(sizeof(*head) + head->size);
}
