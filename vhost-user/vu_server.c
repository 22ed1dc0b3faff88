/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The server as such: its socket, the front end that comes and goes, and the answers.
 */
#define _GNU_SOURCE
#include "vu_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SAID_MOST 20u /* lines in ten seconds: a front end could make any number of them */

void vu_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vu_say(struct pvrom_vu_server *server, const char *format, ...)
{
	const uint64_t now = pvrom_loop_now();
	char line[PVROM_VU_MESSAGE];
	va_list list;

	if (now - server->said_at > 10000000000u) {
		server->said_at = now;
		server->said = 0;
	}
	if (!server->setup.log || server->said++ >= SAID_MOST)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	server->setup.log(server->setup.ctx, line);
}

/* ---- answers --------------------------------------------------------------------------------------------- */

static bool answer(struct pvrom_vu_server *server, int fd)
{
	struct vu_message *m = &server->message;

	m->head.flags = VU_VERSION | VU_REPLY;
	return vu_send(server->connection_fd, &m->head, &m->payload, fd);
}

static bool answer_result(struct pvrom_vu_server *server, bool good)
{
	server->message.payload.word = !good;
	server->message.head.size = sizeof(server->message.payload.word);
	return answer(server, -1);
}

/* true: the connection goes on. */
static bool respond(struct pvrom_vu_server *server, enum vu_verdict verdict, const char *why)
{
	const struct vu_head head = server->message.head;
	const bool wants =
		(head.flags & VU_NEED_REPLY) && (server->protocol & VU_PROTOCOL_REPLY_ACK);
	const bool record =
		head.request == VU_GET_INFLIGHT_FD && server->message.payload.inflight.size;

	switch (verdict) {
	case VU_ANSWER: return answer(server, record ? server->inflight.fd : -1);
	case VU_DONE: return !wants || answer_result(server, true);
	case VU_DECLINED: return !wants || answer_result(server, false);
	case VU_REFUSED:
		vu_say(server, "message %u refused: %s", head.request, why);
		return wants && answer_result(server, false);
	case VU_RUBBISH: break;
	}
	vu_say(server, "message %u is rubbish: %s", head.request, why);
	return false;
}

/* ---- the connection ---------------------------------------------------------------------------------------- */

static void accept_next(struct pvrom_vu_server *server);

/* All that came with the front end goes with it. Buffers in work are finished before. */
static void end_connection(struct pvrom_vu_server *server, const char *why)
{
	uint32_t i;

	vu_say(server, "front end gone: %s", why);
	vu_usage_end(server);
	pvrom_loop_forget(&server->connection);
	/* Rings first: their records are emptied only when nothing is in them. */
	for (i = 0; i < server->setup.queues; i++)
		vu_ring_clear(&server->ring[i]);
	server->setup.ops->reset(server->setup.ctx);
	vu_message_close_fds(&server->message);
	vu_close_fd(&server->connection_fd);
	vu_close_fd(&server->backend_fd);
	vu_inflight_clear(&server->inflight);
	vu_log_clear(&server->log);
	vu_memory_clear(&server->memory);
	server->features = server->protocol = 0;
	server->status = 0;
	server->owned &= VU_SLIP(OWNED);
	server->ended = false;
	server->received = 0;
	accept_next(server);
}

/* true: one message was dealt with, look for the next. */
static bool one_message(struct pvrom_vu_server *server)
{
	const int result = vu_receive(server);
	const char *why = "";
	enum vu_verdict verdict;
	bool on;

	if (result == 0)
		return false;
	if (result == -EPROTO && VU_SLIP(RUBBISH)) {
		server->received = 0;
		return true;
	}
	if (result < 0) {
		end_connection(server, result == -ECONNRESET ? "it closed the connection"
				       : result == -EPROTO   ? "it does not speak vhost-user"
							     : strerror(-result));
		return false;
	}
	vu_usage_count(server);
	verdict = vu_handle(server, &server->message, &why);
	on = respond(server, verdict, why);
	while (server->message.fds) {
		int *fd = &server->message.fd[--server->message.fds];

		vu_close_fd(fd);
	}
	server->received = 0;
	if (!on)
		end_connection(server, "its message could not be answered");
	return on;
}

/* Handling may itself run the loop (a ring stops when its buffers are done): messages wait for it. */
static void talk(struct pvrom_loop_watch *watch)
{
	struct pvrom_vu_server *server =
		(struct pvrom_vu_server *)(void *)((char *)watch -
						   offsetof(struct pvrom_vu_server, connection));

	server->again = true;
	if (server->busy)
		return;
	server->busy = true;
	while (server->again && server->connection_fd >= 0) {
		server->again = false;
		while (one_message(server))
			;
	}
	server->busy = false;
}

static void accept_next(struct pvrom_vu_server *server)
{
	if (server->connection_fd >= 0)
		return;
	server->connection_fd =
		accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (server->connection_fd < 0)
		return;
	vu_say(server, "front end connected");
	pvrom_loop_watch_fd(server->setup.loop, &server->connection, server->connection_fd, talk);
}

static void listening(struct pvrom_loop_watch *watch)
{
	accept_next((struct pvrom_vu_server *)(void *)((char *)watch -
						       offsetof(struct pvrom_vu_server, listener)));
}

/* ---- the socket -------------------------------------------------------------------------------------------- */

/* A process that was killed is not gone at once: the kernel takes its io_uring apart first, and meanwhile its
 * socket listens and its locks hold. */
#define GHOST_MS 1500

/* 0: somebody listens there; else why nobody does. */
static int try_connect(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int error =
		connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;

	close(fd);
	return error == EAGAIN ? 0 : error;
}

/* A socket nobody listens on is what a dead server left. */
static bool path_is_free(const struct sockaddr_un *address, char *message)
{
	struct stat st;
	int error, ms;

	if (lstat(address->sun_path, &st))
		return true;
	if (VU_SLIP(TAKEN))
		return !unlink(address->sun_path);
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(message, PVROM_VU_MESSAGE, "%s: is there and is no socket",
			 address->sun_path);
		return false;
	}
	error = try_connect(address);
	for (ms = 0; !error && ms < GHOST_MS; ms += 2) {
		usleep(2000);
		error = try_connect(address);
	}
	if (error == ENOENT || (error == ECONNREFUSED && !unlink(address->sun_path)))
		return true;
	snprintf(message, PVROM_VU_MESSAGE, "%s: %s", address->sun_path,
		 error ? strerror(error) : "another server listens there");
	return false;
}

static int listen_at(const char *path, char *message)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(message, PVROM_VU_MESSAGE, "%s: a socket's path has at most %zu bytes",
			 path, sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (!path_is_free(&address, message))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 8))
		return fd;
	snprintf(message, PVROM_VU_MESSAGE, "%s: %s", path, strerror(errno));
	vu_close_fd(&fd);
	return -1;
}

struct pvrom_vu_server *vu_new(const struct pvrom_vu_setup *setup)
{
	struct pvrom_vu_server *server = calloc(1, sizeof(*server));
	uint32_t i;

	if (!server)
		return NULL;
	server->setup = *setup;
	server->listen_fd = server->connection_fd = server->backend_fd = -1;
	for (i = 0; i < PVROM_VU_QUEUES_MAX; i++)
		vu_ring_init(server, i);
	return server;
}

void vu_watch_sockets(struct pvrom_vu_server *server)
{
	pvrom_loop_watch_fd(server->setup.loop, &server->listener, server->listen_fd, listening);
	if (server->connection_fd >= 0)
		pvrom_loop_watch_fd(server->setup.loop, &server->connection, server->connection_fd,
				    talk);
}

struct pvrom_vu_server *pvrom_vu_open(const struct pvrom_vu_setup *setup, const char *path,
				      char *message)
{
	struct pvrom_vu_server *server = vu_new(setup);

	if (!server) {
		snprintf(message, PVROM_VU_MESSAGE, "no memory");
		return NULL;
	}
	server->listen_fd = listen_at(path, message);
	if (server->listen_fd < 0) {
		free(server);
		return NULL;
	}
	snprintf(server->path, sizeof(server->path), "%s", path);
	vu_watch_sockets(server);
	return server;
}

void pvrom_vu_close(struct pvrom_vu_server *server)
{
	pvrom_loop_forget(&server->listener);
	vu_close_fd(&server->listen_fd);
	if (server->connection_fd >= 0)
		end_connection(server, "the server ends");
	if (server->path[0])
		unlink(server->path);
	free(server);
}

/* ---- what the device says ------------------------------------------------------------------------------------ */

void pvrom_vu_interrupt(struct pvrom_vu_server *server, uint32_t index)
{
	if (server->ring[index].call >= 0)
		pvrom_loop_signal(server->setup.loop, server->ring[index].call);
}

void pvrom_vu_broken(struct pvrom_vu_server *server, uint32_t index)
{
	struct vu_ring *ring = &server->ring[index];

	if (ring->broken)
		return;
	ring->broken = true;
	vu_say(server, "queue %u is broken: %s", index,
	       ring->vq ? pvrom_vq_reason_text(pvrom_vq_device_reason(ring->vq)) : "stopped");
	if (ring->error >= 0)
		pvrom_loop_signal(server->setup.loop, ring->error);
}

void pvrom_vu_config_changed(struct pvrom_vu_server *server)
{
	const struct vu_head head = { VU_BACKEND_CONFIG_CHANGE, VU_VERSION, 0 };

	if (server->backend_fd >= 0 && !VU_SLIP(CONFIG_TOLD) &&
	    (server->protocol & VU_PROTOCOL_CONFIG) &&
	    !vu_send(server->backend_fd, &head, &head, -1))
		vu_say(server, "the front end does not hear that the configuration changed");
}

void pvrom_vu_look(struct pvrom_vu_server *server)
{
	if (vu_was_cut(server) && !VU_SLIP(CUT) && server->connection_fd >= 0)
		end_connection(server, "it took back memory that it had shared");
}

bool pvrom_vu_runs(const struct pvrom_vu_server *server, uint32_t index)
{
	const struct vu_ring *ring = &server->ring[index];

	return ring->vq && !ring->broken && vu_ring_is_enabled(ring);
}

bool pvrom_vu_polled(const struct pvrom_vu_server *server, uint32_t index)
{
	return pvrom_vu_runs(server, index) && server->ring[index].polled;
}

bool pvrom_vu_connected(const struct pvrom_vu_server *server)
{
	return server->connection_fd >= 0;
}
