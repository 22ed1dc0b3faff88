/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A vhost-user back end for devices of any kind: the socket, guest memory, and the life of the rings.
 *
 * The protocol is QEMU's document "Vhost-user Protocol" (docs/interop/vhost-user.rst of 7.2). This
 * library speaks it; the device, behind struct pvrom_vu_device_ops, has its own features, its
 * configuration, and the queues that the library starts and stops.
 *
 *	pvrom_vu_open()      binds a socket and waits for a front end, in the caller's loop
 *	pvrom_vu_close()     stops, unmaps, closes
 *	pvrom_vu_hand_over() and pvrom_vu_take_over(): one process to the next, under a running guest
 *
 * The front end is not trusted: sizes, descriptor counts, addresses and the order of messages are
 * checked; guest memory that it cuts short under us is replaced by zeros and costs it the connection. One front end at
 * a time; the next one waits in the socket's backlog.
 *
 * Protocol features: MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, CONFIG, INFLIGHT_SHMFD, RESET_DEVICE,
 * CONFIGURE_MEM_SLOTS, STATUS; of a network card also RARP and NET_MTU. Never INBAND_NOTIFICATIONS, and never VIRTIO_F_RING_RESET, for which the
 * protocol of that version has no message.
 *
 * Threads: all of a server happens in the loop's thread.
 */
#ifndef PVROM_VHOST_USER_H
#define PVROM_VHOST_USER_H

#include <pvrom/io_loop.h>
#include <pvrom/virtqueue_device.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVROM_VU_QUEUES_MAX 17u	 /* eight pairs of a network card and its control queue */
#define PVROM_VU_REGIONS_MAX 64u /* what GET_MAX_MEM_SLOTS answers */
#define PVROM_VU_MESSAGE 512	 /* bytes that a message for people may have */

struct pvrom_vu_server;

/* The device's side. ctx is the ctx of the setup. */
struct pvrom_vu_device_ops {
	/* The driver took these features (SET_FEATURES), transport's bits taken off. false: refused. */
	bool (*accept)(void *ctx, uint64_t features);
	/* Configuration space; len is at most 256. write returns false where nothing may be written. */
	void (*config_read)(void *ctx, uint32_t offset, void *to, uint32_t len);
	bool (*config_write)(void *ctx, uint32_t offset, const void *from, uint32_t len);
	/*
	 * A queue is to run. The device initialises its ring with config, to which it adds the slots, and
	 * returns it; NULL: it cannot. The library then sets the ring's position.
	 */
	struct pvrom_vq_device *(*queue_start)(void *ctx, uint32_t index,
					       struct pvrom_vq_device_config *config);
	/* The ring's position is set: buffers may be there already. */
	void (*queue_ready)(void *ctx, uint32_t index);
	/* The queue stops: finish what is in work, publish, and only then return. After the call no ring and no
	 * guest memory of it may be touched. */
	void (*queue_stop)(void *ctx, uint32_t index);
	/* Finish what is in work in all queues, which go on afterwards: guest memory changes. */
	void (*drain)(void *ctx);
	/* The driver rang, or the queue is no longer enabled. */
	void (*kicked)(void *ctx, uint32_t index);
	/* Back to what it was after init; all queues are stopped. */
	void (*reset)(void *ctx);
	/*
	 * Network cards, NULL for other devices: the MTU that the front end agreed on with the driver, false: it is
	 * too large; and: tell the network that this address is here now.
	 */
	bool (*set_mtu)(void *ctx, uint64_t mtu);
	void (*announce)(void *ctx, const uint8_t mac[6]);
};

struct pvrom_vu_setup {
	const struct pvrom_vu_device_ops *ops;
	void *ctx;
	struct pvrom_loop *loop;
	uint64_t features;     /* of device and rings; the transport's are added */
	uint32_t queues;       /* at most PVROM_VU_QUEUES_MAX */
	uint32_t queue_number; /* what GET_QUEUE_NUM answers: pairs, of a network card; 0: queues */
	bool seek; /* look for the place of packed rings that the front end lost: pvrom_vq_device_seek() */
	bool no_inflight; /* do not offer INFLIGHT_SHMFD: for tests of what is lost without */
	/* A line for people, without an end of line; not more than some a second. May be NULL. */
	void (*log)(void *ctx, const char *line);
};

/*
 * Binds the socket at path. NULL, and a sentence in message[PVROM_VU_MESSAGE]: another server listens there, the
 * path is something else, no permission ... What a dead server left there is replaced.
 */
struct pvrom_vu_server *pvrom_vu_open(const struct pvrom_vu_setup *setup, const char *path,
				      char *message);
/* Stops the queues, closes the connection; the path is removed if this server bound it. */
void pvrom_vu_close(struct pvrom_vu_server *server);

/* Interrupts the driver of a queue: its call descriptor is written at the next submit. */
void pvrom_vu_interrupt(struct pvrom_vu_server *server, uint32_t index);
/* The ring of a queue is broken: tells the front end by the error descriptor and DEVICE_NEEDS_RESET. */
void pvrom_vu_broken(struct pvrom_vu_server *server, uint32_t index);
/* The configuration changed: tells the front end if it can hear that. */
void pvrom_vu_config_changed(struct pvrom_vu_server *server);

/* To be called now and then, outside of ops: ends the connection of a front end that cut its memory. */
void pvrom_vu_look(struct pvrom_vu_server *server);

/* Whether a queue runs and is enabled; and whether it wants to be polled, having no kick descriptor. */
bool pvrom_vu_runs(const struct pvrom_vu_server *server, uint32_t index);
bool pvrom_vu_polled(const struct pvrom_vu_server *server, uint32_t index);
/* Is a front end connected? */
bool pvrom_vu_connected(const struct pvrom_vu_server *server);

/* ---- one process to the next --------------------------------------------------------------------- */

#define PVROM_VU_HANDOVER_FDS (PVROM_VU_REGIONS_MAX + 3 * PVROM_VU_QUEUES_MAX + 5)
#define PVROM_VU_HANDOVER_BYTES 8192

/* All that a server is, as bytes and descriptors. */
struct pvrom_vu_handover {
	uint8_t bytes[PVROM_VU_HANDOVER_BYTES];
	uint32_t size;
	int fd[PVROM_VU_HANDOVER_FDS];
	uint32_t fds;
};

/*
 * Stops the queues where they are and describes the server. The descriptors stay this server's (send them, or
 * duplicate them). Afterwards close it with pvrom_vu_leave(), or go on with pvrom_vu_go_on().
 */
void pvrom_vu_hand_over(struct pvrom_vu_server *server, struct pvrom_vu_handover *handover);
void pvrom_vu_leave(struct pvrom_vu_server *server);
void pvrom_vu_go_on(struct pvrom_vu_server *server);

/*
 * A server as another left it, with the same setup; takes over the descriptors. NULL: message says why; then the
 * descriptors are closed. Queues run when pvrom_vu_go_on() is called.
 */
struct pvrom_vu_server *pvrom_vu_take_over(const struct pvrom_vu_setup *setup,
					   const struct pvrom_vu_handover *handover, char *message);

#ifdef PVROM_TEST
/* Test builds: called at each step of taking and returning a buffer, and at those of the daemon. */
extern void (*pvrom_vu_step)(const char *name);
#endif

#ifdef __cplusplus
}
#endif

#endif
