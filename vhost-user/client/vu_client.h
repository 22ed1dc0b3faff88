/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A vhost-user front end for tests and measurements: guest memory, queues, and block requests.
 *
 *	vu_client_open()     makes memory and rings
 *	vu_client_connect()  tells a server of them; again after the server died or was replaced
 *	blk_client_submit(), blk_client_publish(), blk_client_done()
 *
 * Guest memory begins at guest-physical address VU_CLIENT_GPA. One thread.
 */
#ifndef VU_CLIENT_H
#define VU_CLIENT_H

#include <pvrom/blk.h>
#include <pvrom/virtqueue_driver.h>

#include "../vu_protocol.h"

#define VU_CLIENT_GPA 0x100000ull
#define VU_CLIENT_QUEUES 16u

struct vu_client_request {
	struct pvrom_blk_header *header; /* in guest memory */
	uint8_t *status, *data;
	uint32_t length; /* of data, as last submitted */
	uint32_t index;
	uint64_t began; /* ns */
	uint64_t user;
	bool busy;
};

struct vu_client_queue {
	struct pvrom_vq_driver vq;
	struct pvrom_vq_driver_slot *slots;
	void *desc, *driver, *device; /* the areas, in our memory */
	int kick, call;
	struct vu_client_request *request; /* depth of them */
	uint64_t kicks, interrupts;
};

struct vu_client {
	/* Set before open. */
	const char *path;
	uint64_t features; /* wanted; those that the server does not offer are left out */
	uint64_t protocol; /* the same, of protocol features */
	uint32_t queues, size, depth,
		data_bytes; /* requests a queue; bytes of data each may have */
	bool loses_place; /* says of packed rings that they stand at their beginning, as QEMU 7.2 when its server died */
	bool two_regions; /* memory by ADD_MEM_REG in two parts, if that is negotiated */
	bool logs;	  /* the dirty log is on from the beginning of each connection */
	/* Then. */
	int socket, memory_fd, inflight_fd, log_fd, backend_fd;
	uint8_t *memory;
	uint64_t memory_size, used;
	uint64_t offered, offered_protocol, accepted, accepted_protocol;
	uint64_t inflight_size, inflight_offset;
	uint8_t *log;
	uint64_t log_size;
	struct pvrom_blk_config config;
	struct vu_client_queue queue[VU_CLIENT_QUEUES];
	const char *what; /* where it failed */
};

bool vu_client_open(struct vu_client *c);
/* Waits up to `ms` for a server; false: c->what says at which message it failed. */
bool vu_client_connect(struct vu_client *c, int ms);
/* Leaves the server as a front end that dies would; memory and rings stay. */
void vu_client_disconnect(struct vu_client *c);
void vu_client_close(struct vu_client *c);

/* One message; fds descriptors beside it. reply: where the answer's payload goes (NULL: none is waited
 * for); *reply_fd gets its descriptor. Returns the bytes of the answer, 0 without one, -1: the server has gone. */
int vu_client_message(struct vu_client *c, uint32_t request, const void *payload, uint32_t size,
		      const int *fd, uint32_t fds, void *reply, int *reply_fd);
/* One that the server acknowledges: 0 good, 1 refused, -1 the server has gone. */
int vu_client_ack(struct vu_client *c, uint32_t request, const void *payload, uint32_t size,
		  const int *fd, uint32_t fds);
/* Dirty log on or off, as a front end does that migrates. */
bool vu_client_log(struct vu_client *c, bool on);
/* Stops a queue; its base. -1: failed. */
int64_t vu_client_stop(struct vu_client *c, uint32_t index);
/* Tells the server of the queue, from `base` on. */
bool vu_client_start(struct vu_client *c, uint32_t index, uint32_t base);
uint64_t vu_client_gpa(const struct vu_client *c, const void *at);
void *vu_client_alloc(struct vu_client *c, uint64_t size, uint64_t align);

/* ---- block requests ------------------------------------------------------------------------------- */

/* A free request of a queue; NULL: all are busy. */
struct vu_client_request *blk_client_free(struct vu_client *c, uint32_t queue);
/* Puts a request into the ring; not shown before publish. DISCARD and its kin take data for ranges. */
bool blk_client_submit(struct vu_client *c, uint32_t queue, struct vu_client_request *r,
		       uint32_t type, uint64_t sector, uint32_t length);
/* Shows and, if the server wants that, rings. */
void blk_client_publish(struct vu_client *c, uint32_t queue);
/* The next one that is done; NULL: none. */
struct vu_client_request *blk_client_done(struct vu_client *c, uint32_t queue);
/* Waits up to ms for one; polls, without interrupts. */
struct vu_client_request *blk_client_wait(struct vu_client *c, uint32_t queue, int ms);
/* One request from beginning to end: its status, or -1. */
int blk_client_do(struct vu_client *c, uint32_t queue, uint32_t type, uint64_t sector, void *data,
		  uint32_t length);

uint64_t vu_client_now(void);

#endif
