/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The front end's messages, in the order in which QEMU sends them.
 */
#define _GNU_SOURCE
#include "vu_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 10000 /* ms for an answer */

uint64_t vu_client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t vu_client_gpa(const struct vu_client *c, const void *at)
{
	return VU_CLIENT_GPA + (uint64_t)((const uint8_t *)at - c->memory);
}

void *vu_client_alloc(struct vu_client *c, uint64_t size, uint64_t align)
{
	const uint64_t at = (c->used + align - 1) & ~(align - 1);

	if (at + size > c->memory_size)
		return NULL;
	c->used = at + size;
	return c->memory + at;
}

/* ---- memory and rings ---------------------------------------------------------------------------------- */

static bool make_requests(struct vu_client *c, struct vu_client_queue *q)
{
	uint32_t i;

	q->request = calloc(c->depth, sizeof(*q->request));
	for (i = 0; q->request && i < c->depth; i++) {
		struct vu_client_request *r = &q->request[i];

		r->index = i;
		r->header = vu_client_alloc(c, sizeof(*r->header), 16);
		r->status = vu_client_alloc(c, 1, 16);
		r->data = vu_client_alloc(c, c->data_bytes, 4096);
		if (!r->data)
			return false;
	}
	return q->request;
}

static bool make_queue(struct vu_client *c, struct vu_client_queue *q)
{
	struct pvrom_vq_layout layout;

	/* Room for either format, for which of them is agreed on later. */
	if (!pvrom_vq_layout(c->features, c->size, &layout))
		return false;
	q->desc = vu_client_alloc(c, (uint64_t)c->size * 16, 4096);
	q->driver = vu_client_alloc(c, 6 + (uint64_t)c->size * 2, 4096);
	q->device = vu_client_alloc(c, 6 + (uint64_t)c->size * 8, 4096);
	q->slots = calloc(c->size, sizeof(*q->slots));
	q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	q->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return q->device && q->slots && q->kick >= 0 && q->call >= 0 && make_requests(c, q);
}

bool vu_client_open(struct vu_client *c)
{
	uint32_t i;

	c->socket = c->inflight_fd = c->log_fd = c->backend_fd = -1;
	c->memory_size = ((uint64_t)c->queues *
				  (c->depth * (c->data_bytes + 8192ull) + c->size * 64ull + 65536) +
			  0x1fffff) &
			 ~0x1fffffull;
	c->memory_fd = memfd_create("guest", MFD_CLOEXEC);
	if (c->memory_fd < 0 || ftruncate(c->memory_fd, (off_t)c->memory_size))
		return false;
	c->memory = mmap(NULL, c->memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->memory_fd, 0);
	if (c->memory == MAP_FAILED)
		return false;
	for (i = 0; i < c->queues; i++)
		if (!make_queue(c, &c->queue[i]))
			return false;
	return true;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

static bool send_message(int socket, const struct vu_head *head, const void *payload, const int *fd,
			 uint32_t fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 32)];
	} control = { .bytes = { 0 } };
	struct iovec vec[2] = { { (void *)(uintptr_t)head, sizeof(*head) },
				{ (void *)(uintptr_t)payload, head->size } };
	struct msghdr m = { .msg_iov = vec, .msg_iovlen = 2 };
	struct cmsghdr *c;

	if (fds) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fds);
		memcpy(CMSG_DATA(c), fd, sizeof(int) * fds);
	}
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)(sizeof(*head) + head->size);
}

static bool receive_bytes(int socket, void *to, size_t len, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vec = { to, len };
	struct msghdr m = { .msg_iov = &vec,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = socket, .events = POLLIN };
	struct cmsghdr *c;

	if (poll(&p, 1, PATIENCE) != 1 ||
	    recvmsg(socket, &m, MSG_WAITALL | MSG_CMSG_CLOEXEC) != (ssize_t)len)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS && fd)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return true;
}

int vu_client_message(struct vu_client *c, uint32_t request, const void *payload, uint32_t size,
		      const int *fd, uint32_t fds, void *reply, int *reply_fd)
{
	struct vu_head head = { request, VU_VERSION, size };
	union vu_payload answer;

	if (!send_message(c->socket, &head, payload, fd, fds))
		return -1;
	if (!reply)
		return 0;
	if (!receive_bytes(c->socket, &head, sizeof(head), reply_fd) || head.request != request ||
	    head.flags != (VU_VERSION | VU_REPLY) || head.size > sizeof(answer) ||
	    (head.size && !receive_bytes(c->socket, &answer, head.size, NULL)))
		return -1;
	memcpy(reply, &answer, head.size);
	return (int)head.size;
}

int vu_client_ack(struct vu_client *c, uint32_t request, const void *payload, uint32_t size,
		  const int *fd, uint32_t fds)
{
	struct vu_head head = { request, VU_VERSION | VU_NEED_REPLY, size };
	uint64_t answer = 1;

	if (!(c->accepted_protocol & VU_PROTOCOL_REPLY_ACK))
		return vu_client_message(c, request, payload, size, fd, fds, NULL, NULL);
	if (!send_message(c->socket, &head, payload, fd, fds) ||
	    !receive_bytes(c->socket, &head, sizeof(head), NULL) || head.request != request ||
	    head.size != sizeof(answer) || !receive_bytes(c->socket, &answer, sizeof(answer), NULL))
		return -1;
	return answer != 0;
}

static bool word(struct vu_client *c, uint32_t request, uint64_t value)
{
	return vu_client_ack(c, request, &value, sizeof(value), NULL, 0) == 0;
}

static bool state(struct vu_client *c, uint32_t request, uint32_t index, uint32_t num)
{
	const struct vu_vring_state s = { index, num };

	return vu_client_ack(c, request, &s, sizeof(s), NULL, 0) == 0;
}

static bool ask(struct vu_client *c, uint32_t request, uint64_t *answer)
{
	union vu_payload p = { .word = 0 };
	const bool good = vu_client_message(c, request, NULL, 0, NULL, 0, &p, NULL) == 8;

	*answer = p.word;
	return good;
}

/* ---- connecting ----------------------------------------------------------------------------------------- */

static bool connect_socket(struct vu_client *c, int ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const uint64_t end = vu_client_now() + (uint64_t)ms * 1000000;

	strncpy(address.sun_path, c->path, sizeof(address.sun_path) - 1);
	do {
		c->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(c->socket, (struct sockaddr *)&address, sizeof(address)))
			return true;
		close(c->socket);
		c->socket = -1;
		usleep(500);
	} while (vu_client_now() < end);
	return false;
}

static bool negotiate(struct vu_client *c)
{
	if (!ask(c, VU_GET_FEATURES, &c->offered))
		return false;
	c->accepted =
		c->offered & (c->features | VU_F_PROTOCOL_FEATURES | (c->logs ? VU_F_LOG_ALL : 0));
	c->accepted_protocol = 0;
	if (!(c->offered & VU_F_PROTOCOL_FEATURES))
		return true;
	if (!ask(c, VU_GET_PROTOCOL_FEATURES, &c->offered_protocol))
		return false;
	c->accepted_protocol = c->offered_protocol & c->protocol;
	/* Sent without asking for an answer: whether there are any is agreed on by it. */
	return !vu_client_message(c, VU_SET_PROTOCOL_FEATURES, &c->accepted_protocol, 8, NULL, 0,
				  NULL, NULL);
}

/* 60 bytes, which is all that older servers have. */
static bool read_config(struct vu_client *c)
{
	union vu_payload p = { .config = { .offset = 0, .size = 60 } };

	if (!(c->accepted_protocol & VU_PROTOCOL_CONFIG))
		return true;
	if (vu_client_message(c, VU_GET_CONFIG, &p, 12 + 60, NULL, 0, &p, NULL) != 12 + 60)
		return false;
	memcpy(&c->config, p.config.bytes, 60);
	return true;
}

static bool share_memory(struct vu_client *c)
{
	const uint64_t half = c->memory_size / 2;
	union vu_payload p = { .table = { .count = 1 } };
	struct vu_region part = { VU_CLIENT_GPA, half, (uint64_t)(uintptr_t)c->memory, 0 };

	if (c->two_regions && (c->accepted_protocol & VU_PROTOCOL_CONFIGURE_MEM_SLOTS)) {
		p.one.padding = 0;
		p.one.region = part;
		if (vu_client_ack(c, VU_ADD_MEM_REG, &p, 40, &c->memory_fd, 1))
			return false;
		part.gpa += half;
		part.user += half;
		part.offset = half;
		p.one.region = part;
		return !vu_client_ack(c, VU_ADD_MEM_REG, &p, 40, &c->memory_fd, 1);
	}
	part.size = c->memory_size;
	p.table.region[0] = part;
	return !vu_client_ack(c, VU_SET_MEM_TABLE, &p, 40, &c->memory_fd, 1);
}

static bool share_record(struct vu_client *c)
{
	union vu_payload p = { .inflight = { .queues = (uint16_t)c->queues,
					     .queue_size = (uint16_t)c->size } };

	if (!(c->accepted_protocol & VU_PROTOCOL_INFLIGHT_SHMFD))
		return true;
	if (c->inflight_fd < 0) {
		if (vu_client_message(c, VU_GET_INFLIGHT_FD, &p, 24, NULL, 0, &p, &c->inflight_fd) <
			    20 ||
		    c->inflight_fd < 0)
			return false;
		c->inflight_size = p.inflight.size;
		c->inflight_offset = p.inflight.offset;
	}
	p.inflight.size = c->inflight_size;
	p.inflight.offset = c->inflight_offset;
	p.inflight.queues = (uint16_t)c->queues;
	p.inflight.queue_size = (uint16_t)c->size;
	return !vu_client_ack(c, VU_SET_INFLIGHT_FD, &p, 24, &c->inflight_fd, 1);
}

/* ---- the dirty log ---------------------------------------------------------------------------------------- */

static bool make_log(struct vu_client *c)
{
	if (c->log)
		return true;
	c->log_size = (VU_CLIENT_GPA + c->memory_size) / VU_LOG_PAGE / 8 + 8;
	c->log_fd = memfd_create("log", MFD_CLOEXEC);
	if (c->log_fd < 0 || ftruncate(c->log_fd, (off_t)c->log_size))
		return false;
	c->log = mmap(NULL, c->log_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->log_fd, 0);
	return c->log != MAP_FAILED;
}

static bool share_log(struct vu_client *c)
{
	union vu_payload p = { .log = { 0, 0 } };

	if (!make_log(c))
		return false;
	p.log.size = c->log_size;
	return vu_client_message(c, VU_SET_LOG_BASE, &p, 16, &c->log_fd, 1, &p, NULL) >= 0;
}

static bool make_ring(struct vu_client *c, uint32_t index)
{
	struct vu_client_queue *q = &c->queue[index];
	const struct pvrom_vq_driver_config config = { .features = c->accepted,
						       .size = c->size,
						       .queue = (uint16_t)index,
						       .desc = q->desc,
						       .driver = q->driver,
						       .device = q->device,
						       .slots = q->slots };

	if (q->vq.config.size)
		return true;
	return pvrom_vq_driver_init(&q->vq, &config) == PVROM_VQ_OK;
}

/* Where a server that knows nothing goes on, as QEMU says it after its server has died. */
static uint32_t base_of(const struct vu_client *c, const struct vu_client_queue *q)
{
	uint32_t at = q->vq.used;

	if (!(c->accepted & PVROM_VQ_F_RING_PACKED))
		return __atomic_load_n(&((struct pvrom_vq_used *)q->device)->idx, __ATOMIC_ACQUIRE);
	at |= (uint32_t)q->vq.used_wrap << 15;
	if (c->loses_place)
		at = 0x8000;
	return at | at << 16;
}

static bool set_addresses(struct vu_client *c, uint32_t index, uint32_t flags)
{
	const struct vu_client_queue *q = &c->queue[index];
	const struct vu_vring_addr a = { .index = index,
					 .flags = flags,
					 .desc = (uint64_t)(uintptr_t)q->desc,
					 .used = (uint64_t)(uintptr_t)q->device,
					 .avail = (uint64_t)(uintptr_t)q->driver,
					 .log = vu_client_gpa(c, q->device) };

	return vu_client_ack(c, VU_SET_VRING_ADDR, &a, sizeof(a), NULL, 0) == 0;
}

bool vu_client_start(struct vu_client *c, uint32_t index, uint32_t base)
{
	struct vu_client_queue *q = &c->queue[index];
	const uint64_t w = index;

	return state(c, VU_SET_VRING_NUM, index, c->size) &&
	       state(c, VU_SET_VRING_BASE, index, base) &&
	       set_addresses(c, index, c->logs ? VU_VRING_LOG : 0) &&
	       !vu_client_ack(c, VU_SET_VRING_CALL, &w, 8, &q->call, 1) &&
	       !vu_client_ack(c, VU_SET_VRING_KICK, &w, 8, &q->kick, 1) &&
	       state(c, VU_SET_VRING_ENABLE, index, 1);
}

#define STEP(name, what_) (c->what = (name), (what_))
bool vu_client_connect(struct vu_client *c, int ms)
{
	uint32_t i;

	if (!STEP("connect", connect_socket(c, ms)) || !STEP("features", negotiate(c)) ||
	    !STEP("owner", !vu_client_ack(c, VU_SET_OWNER, NULL, 0, NULL, 0)) ||
	    !STEP("configuration", read_config(c)) ||
	    !STEP("features", word(c, VU_SET_FEATURES, c->accepted)) ||
	    !STEP("record", share_record(c)) || !STEP("memory", share_memory(c)) ||
	    !STEP("log", !c->logs || share_log(c)))
		return false;
	for (i = 0; i < c->queues; i++)
		if (!STEP("ring", make_ring(c, i)) ||
		    !STEP("queue", vu_client_start(c, i, base_of(c, &c->queue[i]))))
			return false;
	c->what = NULL;
	return true;
}

int64_t vu_client_stop(struct vu_client *c, uint32_t index)
{
	union vu_payload p = { .state = { index, 0 } };

	if (vu_client_message(c, VU_GET_VRING_BASE, &p, 8, NULL, 0, &p, NULL) != 8)
		return -1;
	return p.state.num;
}

bool vu_client_log(struct vu_client *c, bool on)
{
	uint32_t i;

	if (on && !share_log(c))
		return false;
	c->accepted = on ? c->accepted | VU_F_LOG_ALL : c->accepted & ~VU_F_LOG_ALL;
	if (!word(c, VU_SET_FEATURES, c->accepted))
		return false;
	for (i = 0; i < c->queues; i++)
		if (!set_addresses(c, i, on ? VU_VRING_LOG : 0))
			return false;
	return true;
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

void vu_client_disconnect(struct vu_client *c)
{
	if (c->socket >= 0)
		close(c->socket);
	c->socket = -1;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vu_client_close(struct vu_client *c)
{
	uint32_t i;

	vu_client_disconnect(c);
	for (i = 0; i < c->queues; i++) {
		close_fd(c->queue[i].kick);
		close_fd(c->queue[i].call);
		free(c->queue[i].slots);
		free(c->queue[i].request);
	}
	if (c->log)
		munmap(c->log, c->log_size);
	munmap(c->memory, c->memory_size);
	close_fd(c->memory_fd);
	close_fd(c->inflight_fd);
	close_fd(c->log_fd);
	close_fd(c->backend_fd);
}
