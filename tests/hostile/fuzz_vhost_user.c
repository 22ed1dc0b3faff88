/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "vhost_user": a front end sends any messages in any order, with any descriptors, and a driver writes anything
 * into the memory that it shared, while a device takes buffers. An input is acts of one byte and their operands.
 *
 * Promised: no feature is in force that was not offered, and neither INBAND_NOTIFICATIONS nor RING_RESET ever; a kick or
 * call descriptor is an eventfd; no ring runs after a reset; what a ring hands out lies in shared memory; descriptors and
 * mappings go with the front end.
 */
#define _GNU_SOURCE
#include "../../vhost-user/vu_internal.h"
#include "hostile.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define ACTS 60u
#define QUEUES 2u
#define BYTES 0x20000u
#define USER 0x7f0000000000ull /* where the front end says that its memory is */
#define GPA 0x100000ull

static struct pvrom_loop loop;
static struct pvrom_vu_server *server;
static int memory_fd = -1;
static uint8_t *memory;

static struct queue {
	struct pvrom_vq_device ring;
	struct pvrom_vq_device_slot slots[1024];
	bool live;
} queue[QUEUES];

/* ---- the device --------------------------------------------------------------------------------------- */

static bool accept_features(void *ctx, uint64_t features)
{
	(void)ctx;
	(void)features;
	return true;
}
static void config_read(void *ctx, uint32_t offset, void *to, uint32_t len)
{
	(void)ctx;
	(void)offset;
	memset(to, 0, len);
}
static bool config_write(void *ctx, uint32_t offset, const void *from, uint32_t len)
{
	(void)ctx;
	(void)from;
	return !offset && len == 1;
}
static struct pvrom_vq_device *queue_start(void *ctx, uint32_t index,
					   struct pvrom_vq_device_config *config)
{
	struct queue *q = &queue[index];

	(void)ctx;
	config->slots = q->slots;
	if (config->size > 1024 || pvrom_vq_device_init(&q->ring, config) != PVROM_VQ_OK)
		return NULL;
	return &q->ring;
}
static void queue_ready(void *ctx, uint32_t index)
{
	(void)ctx;
	queue[index].live = true;
}
static void queue_stop(void *ctx, uint32_t index)
{
	(void)ctx;
	queue[index].live = false;
}
static void nothing(void *ctx)
{
	(void)ctx;
}
static void kicked(void *ctx, uint32_t index)
{
	(void)ctx;
	(void)index;
}
static bool set_mtu(void *ctx, uint64_t mtu)
{
	(void)ctx;
	return mtu >= 68 && mtu <= 65535;
}
static void announce(void *ctx, const uint8_t mac[6])
{
	(void)ctx;
	(void)mac;
}
static const struct pvrom_vu_device_ops ops = { .accept = accept_features,
						.config_read = config_read,
						.config_write = config_write,
						.queue_start = queue_start,
						.queue_ready = queue_ready,
						.queue_stop = queue_stop,
						.drain = nothing,
						.kicked = kicked,
						.reset = nothing,
						.set_mtu = set_mtu,
						.announce = announce };

/* What a ring hands out can be written and read, to the last byte. */
static void work(uint32_t index)
{
	struct pvrom_vq_piece piece[16] = { { .len = 0 } };
	struct pvrom_vq_request request = { .piece = piece, .room = 16 };
	uint32_t n, i;

	if (!queue[index].live || !pvrom_vu_runs(server, index))
		return;
	for (n = 0; n < 8 && pvrom_vq_device_pop(&queue[index].ring, &request) == PVROM_VQ_OK;
	     n++) {
		for (i = 0; request.fault == PVROM_VQ_FAULT_NONE &&
			    i < request.readable_pieces + request.writable_pieces;
		     i++) {
			volatile uint8_t *last = (uint8_t *)piece[i].at + piece[i].len - 1;

			if (i >= request.readable_pieces)
				*last = 1;
			PROMISE(*last <= 0xff);
		}
		pvrom_vq_device_complete(&queue[index].ring, &request, 0);
	}
	pvrom_vq_device_publish(&queue[index].ring);
}

/* ---- the front end ------------------------------------------------------------------------------------- */

static int some_fd(struct input *in)
{
	switch (take8(in) % 5) {
	case 0: return dup(memory_fd);
	case 1: return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 2: return memfd_create("short", MFD_CLOEXEC);
	default: return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
}

static void sent(uint32_t request, uint64_t word)
{
	uint32_t i;

	PROMISE(!(server->features & ~vu_offered_features(server)));
	PROMISE(!(server->features & PVROM_VQ_F_RING_RESET));
	PROMISE(!(server->protocol & VU_PROTOCOL_INBAND_NOTIFICATIONS));
	for (i = 0; i < QUEUES; i++) {
		const struct vu_ring *ring = &server->ring[i];

		PROMISE(ring->kick < 0 || vu_is_eventfd(ring->kick));
		PROMISE(ring->call < 0 || vu_is_eventfd(ring->call));
		if (request == VU_RESET_DEVICE || (request == VU_SET_STATUS && !word))
			PROMISE(!ring->vq);
	}
}

/* false: the connection has ended. */
static bool message(uint32_t request, const void *payload, uint32_t size, const int *fd,
		    uint32_t fds)
{
	const char *why;
	enum vu_verdict verdict;
	uint64_t word = 0;

	server->message = (struct vu_message){ .head = { request, VU_VERSION, size }, .fds = fds };
	if (size)
		memcpy(&server->message.payload, payload, size);
	if (size >= 8)
		memcpy(&word, payload, 8);
	if (fds)
		memcpy(server->message.fd, fd, fds * sizeof(*fd));
	verdict = vu_handle(server, &server->message, &why);
	while (server->message.fds) {
		int *one = &server->message.fd[--server->message.fds];

		vu_close_fd(one);
	}
	pvrom_loop_submit(&loop);
	pvrom_loop_reap(&loop);
	if (verdict == VU_DONE)
		sent(request, word);
	return verdict != VU_RUBBISH;
}

static bool any_message(struct input *in)
{
	const uint32_t request = take8(in) % 44, fds = take8(in);
	uint8_t payload[sizeof(union vu_payload)];
	uint32_t size = take8(in), i;
	int fd[4] = { -1, -1, -1, -1 };
	const uint32_t count = fds < 0xc0 ? fds % 2 : fds % 4;

	for (i = 0; i < size; i++)
		payload[i] = take8(in);
	for (i = 0; i < count; i++)
		fd[i] = some_fd(in);
	return message(request, payload, size, fd, count);
}

static bool say_word(uint32_t request, uint64_t word)
{
	return message(request, &word, 8, NULL, 0);
}

/* The usual beginning, up to a ring that runs; some values are the input's. */
static bool usual(struct input *in)
{
	const uint8_t what = take8(in);
	const uint64_t index = what & 1;
	const struct vu_vring_state num = { (uint32_t)index, 1u << (take8(in) % 11) };
	const struct vu_vring_state base = { (uint32_t)index, take16(in) },
				    on = { (uint32_t)index, 1 };
	const struct vu_vring_addr addr = {
		(uint32_t)index, take8(in) & 1,
		USER + 0x1000,	 USER + (what & 32 ? BYTES - 16u : 0x9000u),
		USER + 0x7000,	 GPA + 0x9000
	};
	union vu_payload table = { .table = { .count = 1 } };
	int fd = dup(memory_fd), kick = eventfd(0, EFD_CLOEXEC), call = eventfd(0, EFD_CLOEXEC);

	table.table.region[0] = (struct vu_region){ GPA, BYTES, USER, 0 };
	say_word(VU_SET_PROTOCOL_FEATURES, 0x1b22bu);
	say_word(VU_SET_FEATURES,
		 PVROM_VQ_F_VERSION_1 | VU_F_PROTOCOL_FEATURES | (what & 2 ? VU_F_LOG_ALL : 0) |
			 (what & 4 ? PVROM_VQ_F_RING_PACKED : 0) |
			 (what & 8 ? PVROM_VQ_F_EVENT_IDX | PVROM_VQ_F_INDIRECT_DESC : 0));
	return message(VU_SET_MEM_TABLE, &table, 40, &fd, 1) &&
	       message(VU_SET_VRING_NUM, &num, 8, NULL, 0) &&
	       message(VU_SET_VRING_BASE, &base, 8, NULL, 0) &&
	       message(VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0) &&
	       message(VU_SET_VRING_CALL, &index, 8, &call, 1) &&
	       message(VU_SET_VRING_KICK, &index, 8, &kick, 1) &&
	       message(VU_SET_VRING_ENABLE, &on, 8, NULL, 0);
}

static void write_memory(struct input *in)
{
	static const uint32_t at[] = { 0x1000, 0x1008, 0x100c, 0x1010,
				       0x7002, 0x7004, 0x9000, 0x1018 };
	const uint32_t place = at[take8(in) % 8] + take8(in) % 64u, value = take32(in);

	memcpy(memory + place, &value, sizeof(value));
}

static bool act(struct input *in)
{
	switch (take8(in) % 8) {
	case 0: return usual(in);
	case 1:
	case 2: write_memory(in); return true;
	case 3: work(take8(in) % QUEUES); return true;
	case 4: return say_word(take8(in) & 1 ? VU_RESET_DEVICE : VU_SET_STATUS, 0);
	case 5: return say_word(VU_SET_PROTOCOL_FEATURES, take32(in));
	default: return any_message(in);
	}
}

/* ---- one input -------------------------------------------------------------------------------------------- */

static uint32_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void begin(void)
{
	const struct pvrom_vu_setup setup = { .ops = &ops,
					      .loop = &loop,
					      .features = PVROM_VQ_F_VERSION_1 |
							  PVROM_VQ_F_RING_PACKED |
							  PVROM_VQ_F_EVENT_IDX |
							  PVROM_VQ_F_INDIRECT_DESC,
					      .queues = QUEUES };

	if (memory_fd < 0) {
		memory_fd = memfd_create("guest", MFD_CLOEXEC);
		PROMISE(!pvrom_loop_open(&loop, 64) && !ftruncate(memory_fd, BYTES));
		memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
		PROMISE(memory != MAP_FAILED);
	}
	memset(memory, 0, BYTES);
	server = vu_new(&setup);
	PROMISE(server);
}

static void end(void)
{
	vu_device_reset(server);
	vu_close_fd(&server->backend_fd);
	vu_inflight_clear(&server->inflight);
	vu_log_clear(&server->log);
	vu_memory_clear(&server->memory);
	free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct input in = { data, bytes };
	uint32_t i, before;
	bool on = true;

	begin();
	before = descriptors();
	for (i = 0; i < ACTS && in.left && on; i++)
		on = act(&in);
	end();
	PROMISE(descriptors() == before);
	return 0;
}

HOSTILE_PLAIN_MUTATOR

/* ---- planted faults: mistakes of the server ------------------------------------------------------------------ */

#define FAULTS(X)                                                                                  \
	X("INBAND_NOTIFICATIONS is offered", VU_SLIP_OFFER_INBAND)                                 \
	X("any descriptor is an eventfd", VU_SLIP_EVENTFD)                                         \
	X("RESET_DEVICE resets nothing", VU_SLIP_RESET)                                            \
	X("a status of 0 resets nothing", VU_SLIP_STATUS)

HOSTILE_FAULTS(FAULTS, pvrom_vu_slipped)
