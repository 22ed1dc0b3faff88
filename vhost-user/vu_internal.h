/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The back end's own structures and which file does what.
 */
#ifndef VU_INTERNAL_H
#define VU_INTERNAL_H

#include <pvrom/vhost_user.h>

#include "vu_protocol.h"

/* ---- vu_memory.c: guest memory as the front end shares it ---------------------------------------- */

struct vu_mapping {
	struct vu_region region;
	uint32_t uses; /* times that it was added, and not removed */
	int fd;	       /* kept for a hand-over */
	uint8_t *base; /* of the mapping */
	uint8_t *at;   /* of the region in it */
	size_t length; /* of the mapping */
};

struct vu_memory {
	struct vu_mapping map[PVROM_VU_REGIONS_MAX];
	uint32_t count, last; /* last: where the last look-up ended */
};

/* All of them: 0, or a negated errno and nothing changed. The descriptor is taken over either way. */
int vu_memory_add(struct vu_memory *memory, const struct vu_region *region, int fd);
bool vu_memory_remove(struct vu_memory *memory, const struct vu_region *region);
void vu_memory_clear(struct vu_memory *memory);
void *vu_memory_at(struct vu_memory *memory, uint64_t gpa, uint64_t *len);
/* The guest-physical address of what the front end knows as `user`; false: not guest memory. */
bool vu_memory_gpa(const struct vu_memory *memory, uint64_t user, uint64_t *gpa);
/* Maps size bytes at offset of fd, whose file must be that long. NULL: errno says why. If it becomes shorter, what is gone
 * reads as zeros, and vu_was_cut() says so. */
void *vu_map_shared(int fd, uint64_t offset, uint64_t size, void **base, size_t *length);
void vu_unmap_shared(void *base, size_t length);
/* True once, when memory, log or record turned out shorter than the front end had said (SIGBUS). */
bool vu_was_cut(struct pvrom_vu_server *server);

/* ---- vu_log.c: which pages were written ----------------------------------------------------------- */

struct vu_log {
	uint8_t *bits;
	uint64_t bytes;
	void *base;
	size_t length;
	uint64_t offset;
	int fd;
};

int vu_log_set(struct vu_log *log, int fd, uint64_t offset, uint64_t size);
void vu_log_clear(struct vu_log *log);
void vu_log_mark(const struct vu_log *log, uint64_t gpa, uint64_t len);

/* ---- vu_inflight.c: the record that outlives us ---------------------------------------------------- */

struct vu_inflight {
	uint8_t *at;
	void *base;
	size_t length;
	uint64_t offset, size;
	uint16_t queues, queue_size;
	int fd;
};

/* A new, zeroed one, whose size is set. */
int vu_inflight_create(struct vu_inflight *inflight, uint64_t features, uint16_t queues,
		       uint16_t queue_size);
int vu_inflight_set(struct vu_inflight *inflight, uint64_t features, int fd, uint64_t offset,
		    uint64_t size, uint16_t queues, uint16_t queue_size);
void vu_inflight_clear(struct vu_inflight *inflight);
/* The region of a queue; NULL: there is no record, or none that fits. */
void *vu_inflight_queue(const struct vu_inflight *inflight, uint64_t features, uint32_t index,
			uint32_t size);

/* ---- vu_ring.c: the life of a queue ----------------------------------------------------------------- */

struct vu_ring {
	struct pvrom_vu_server *server;
	struct pvrom_loop_watch watch;
	struct pvrom_vq_device *vq; /* NULL: stopped */
	struct vu_vring_addr addr;
	uint64_t device_gpa, device_bytes; /* what the device area is, for its log address */
	uint32_t index, size, base;
	int kick, call, error; /* -1: none */
	bool has_addr, has_kick, enabled, polled, broken;
};

void vu_ring_init(struct pvrom_vu_server *server, uint32_t index);
/* Starts the ring if everything for it is there. false: it is, and cannot work. */
bool vu_ring_start(struct vu_ring *ring);
/* Stops it; base is then where it stands. */
void vu_ring_stop(struct vu_ring *ring);
void vu_ring_set_kick(struct vu_ring *ring, int fd);
/* Back to nothing; descriptors are closed. */
void vu_ring_clear(struct vu_ring *ring);
bool vu_ring_is_enabled(const struct vu_ring *ring);
/* Addresses again, after memory or flags changed. false: the ring is stopped, its memory has gone. */
bool vu_ring_remap(struct vu_ring *ring);
bool vu_is_eventfd(int fd);

/* ---- the server ---------------------------------------------------------------------------------------- */

struct pvrom_vu_server {
	struct pvrom_vu_setup setup;
	struct vu_memory memory;
	struct vu_log log;
	struct vu_inflight inflight;
	struct vu_ring ring[PVROM_VU_QUEUES_MAX];
	uint64_t features, protocol; /* accepted */
	uint32_t status;
	bool owned;
	uint32_t cuts; /* of all mappings of the process, when last looked at */
	/* vu_socket.c */
	struct pvrom_loop_watch connection, listener;
	struct vu_message message;
	size_t received; /* bytes of message.head and payload */
	bool busy, again, ended;
	int listen_fd, connection_fd, backend_fd;
	uint64_t said_at;
	uint32_t said;
	char path[108];
	/* vu_usage.c: messages of this front end, by number, and those it wanted an answer to */
	uint32_t taken[VU_REQUESTS], acknowledged;
};

/* ---- vu_socket.c ------------------------------------------------------------------------------------------ */

/* Sends a message with at most one descriptor; false: the front end does not read. */
bool vu_send(int socket, const struct vu_head *head, const void *payload, int fd);
/* Receives what is there of the server's message: 1 it is whole, 0 not yet, or a negated errno. */
int vu_receive(struct pvrom_vu_server *server);
void vu_message_close_fds(struct vu_message *message);
/* Takes the one descriptor of a message; -1: it has none. */
int vu_message_take_fd(struct vu_message *message);

/* ---- vu_message.c: the table of messages ------------------------------------------------------------ */

/* What handling came to. */
enum vu_verdict {
	VU_DONE,     /* no answer of its own */
	VU_ANSWER,   /* the message now holds the answer: payload and head.size */
	VU_REFUSED,  /* said if an answer is wanted, else the connection ends */
	VU_DECLINED, /* said if an answer is wanted, else nothing */
	VU_RUBBISH   /* the connection ends */
};
enum vu_verdict vu_handle(struct pvrom_vu_server *server, struct vu_message *message,
			  const char **why);
/* A word is the answer. */
enum vu_verdict vu_answer_word(struct vu_message *m, uint64_t word);
bool vu_any_ring_runs(const struct pvrom_vu_server *s);

/* ---- vu_message_memory.c ------------------------------------------------------------------------------------- */

enum vu_verdict vu_set_mem_table(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_get_max_mem_slots(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_add_mem_reg(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_rem_mem_reg(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_log_base(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_log_fd(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_get_inflight_fd(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_inflight_fd(struct pvrom_vu_server *s, struct vu_message *m);

/* ---- vu_message_ring.c --------------------------------------------------------------------------------------- */

enum vu_verdict vu_set_vring_num(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_addr(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_base(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_get_vring_base(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_kick(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_call(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_err(struct pvrom_vu_server *s, struct vu_message *m);
enum vu_verdict vu_set_vring_enable(struct pvrom_vu_server *s, struct vu_message *m);
uint64_t vu_offered_features(const struct pvrom_vu_server *server);
void vu_device_reset(struct pvrom_vu_server *server);

/* ---- mistakes that test builds can make on purpose, one at a time ------------------------------------------- */
#define VU_SLIP_TABLE(X)                                                                           \
	X(OFFER_INBAND, "INBAND_NOTIFICATIONS is offered")                                         \
	X(OFFER_RESET, "VIRTIO_F_RING_RESET is offered")                                           \
	X(LENGTH, "the length of a message is not looked at")                                      \
	X(FDS, "the number of descriptors is not looked at")                                       \
	X(EVENTFD, "any descriptor is taken for an eventfd")                                       \
	X(LOG_RING, "the used ring is not logged")                                                 \
	X(LOG_RESUMED, "what a dead server wrote last is not logged by the next one")              \
	X(LOG_ON, "logging is not switched")                                                       \
	X(SEEK, "nobody looks where a packed ring stood")                                          \
	X(STATUS_BASE, "a status of 0 forgets where the rings stood")                              \
	X(STATUS, "a status of 0 resets nothing")                                                  \
	X(RESET, "RESET_DEVICE resets nothing")                                                    \
	X(CONFIG_TOLD, "a change of the configuration is not told")                                \
	X(CUT, "nobody looks whether memory was cut")                                              \
	X(HUGE_PAGE, "all pages that are cut off are taken for small ones")                        \
	X(REGIONS, "of several regions only the first is used")                                    \
	X(CONFIG_SET, "SET_CONFIG is acknowledged and changes nothing")                            \
	X(IN_ORDER, "buffers are used as they are done, in whatever order was promised")           \
	X(NO_DATA, "NOTIFICATION_DATA is not offered")                                             \
	X(RUBBISH, "rubbish does not end the connection")                                          \
	X(TAKEN, "a socket at which another server listens is taken from it")                      \
	X(RUNNING, "a ring that runs takes another size")                                          \
	X(OWNED, "the next front end is taken for the one that has gone")
#ifdef PVROM_TEST
enum vu_slip {
	VU_SLIP_NONE,
#define VU_SLIP_NAME(name, text) VU_SLIP_##name,
	VU_SLIP_TABLE(VU_SLIP_NAME)
#undef VU_SLIP_NAME
		VU_SLIP_COUNT
};
extern enum vu_slip pvrom_vu_slipped;
#define VU_SLIP(name) (pvrom_vu_slipped == VU_SLIP_##name)
#else
#define VU_SLIP(name) false
#endif

/* ---- vu_usage.c: what a front end makes use of, said to people ---------------------------------------------- */
void vu_usage_protocol(struct pvrom_vu_server *server);
void vu_usage_features(struct pvrom_vu_server *server);
void vu_usage_count(struct pvrom_vu_server *server);
void vu_usage_end(struct pvrom_vu_server *server);

/* ---- vu_server.c -------------------------------------------------------------------------------------------- */
struct pvrom_vu_server *vu_new(const struct pvrom_vu_setup *setup);
void vu_watch_sockets(struct pvrom_vu_server *server);
void vu_say(struct pvrom_vu_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void vu_close_fd(int *fd);

#endif
