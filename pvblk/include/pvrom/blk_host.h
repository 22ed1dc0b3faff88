/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvblk, host half: a VIRTIO 1.2 block device for any embedder, without a socket, a file or a thread.
 *
 * Queues bring buffers of descriptors, and a backend brings the blocks; between the two stands the
 * device: it takes a buffer apart, refuses what must be refused, holds back what is over a limit, and
 * writes the status. Everything is allocated by the caller. To embed it:
 *
 *	1  choose a backend (backend/ has some; struct pvrom_blk_backend is the interface);
 *	2  fill in struct pvrom_blk_host_setup and struct pvrom_blk_host_ops, call pvrom_blk_host_init();
 *	3  offer pvrom_blk_host_features(), and say with pvrom_blk_host_accept() what the driver took;
 *	4  for each queue that the driver enables: pvrom_blk_queue_init();
 *	5  when the driver rings: pvrom_blk_queue_run(), then pvrom_blk_host_kick();
 *	6  when ops->complete is called: pvrom_blk_queue_complete();
 *	7  after a batch of these: pvrom_blk_queue_publish(), and interrupt the driver if it says so;
 *	8  with limits: pvrom_blk_host_release() when the time comes that it named.
 *
 * An embedder with queues of its own calls pvrom_blk_host_start() in the place of 4 to 7.
 *
 * Guests lie: whatever a buffer says, the answer is a status byte, or a buffer that comes back with
 * length 0 when there is no room for one. Each byte of a header is read once. No buffer is lost.
 *
 * Threads: one device is used by one thread at a time; ops are called from inside these functions,
 * and may call back none but pvrom_blk_host_start(). A struct pvrom_limit may be shared between
 * devices of several threads when its lock is given.
 */
#ifndef PVROM_BLK_HOST_H
#define PVROM_BLK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/blk.h>
#include <pvrom/limit.h>
#include <pvrom/virtqueue_device.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Pieces of host memory that one request may have: 126 data segments, header and status in segments
 * of their own, and room for segments that lie across a border of guest memory regions. A chain of
 * more is answered IOERR.
 */
#define PVROM_BLK_PIECES 144u
#define PVROM_BLK_SEG_MAX 126u /* what setup.seg_max may be at most */
#define PVROM_BLK_RANGES 16u   /* ranges in a DISCARD, WRITE_ZEROES or SECURE_ERASE */

/* ---- the backend ------------------------------------------------------------------------------- */

/* Laid out as POSIX's struct iovec, so that hosted backends hand it on as it is. */
struct pvrom_blk_vec {
	void *base;
	size_t len;
};

#define PVROM_BLK_IO_READ 0u
#define PVROM_BLK_IO_WRITE 1u
#define PVROM_BLK_IO_FLUSH 2u	/* all writes that have completed are to be stable */
#define PVROM_BLK_IO_DISCARD 3u /* contents may be anything afterwards */
#define PVROM_BLK_IO_ZEROES 4u	/* contents read zero afterwards */
#define PVROM_BLK_IO_ERASE 5u	/* contents are zero and nobody can find the old ones */

#define PVROM_BLK_IO_STABLE 1u /* flag: done only when it would survive a loss of power */
#define PVROM_BLK_IO_UNMAP 2u  /* flag of ZEROES: the space may be given back */

/* Results: what became of an operation. */
#define PVROM_BLK_DONE 0u
#define PVROM_BLK_FAILED 1u	 /* the driver reads IOERR */
#define PVROM_BLK_NO_SPACE 2u	 /* the same; counted apart */
#define PVROM_BLK_UNSUPPORTED 3u /* the driver reads UNSUPP */

/* One operation; part of a request, and the backend's until it calls pvrom_blk_io_done(). */
struct pvrom_blk_io {
	uint32_t op;		   /* PVROM_BLK_IO_x */
	uint32_t flags;		   /* PVROM_BLK_IO_STABLE, PVROM_BLK_IO_UNMAP */
	uint64_t offset;	   /* bytes from the disk's beginning; a multiple of 512 */
	uint64_t length;	   /* bytes; a multiple of 512; within the capacity */
	struct pvrom_blk_vec *vec; /* READ and WRITE: where, length bytes in all; may be changed */
	uint32_t vecs;
	uint32_t part;		   /* the backend's, zero at submit */
	uint64_t progress;	   /* the backend's, zero at submit */
	uint64_t began;		   /* the backend's */
	void *pointer[2];	   /* the backend's */
	struct pvrom_blk_io *next; /* the backend's, while it has the operation */
};

struct pvrom_blk_backend;
struct pvrom_blk_backend_ops {
	/*
	 * Takes the operation. pvrom_blk_io_done() follows exactly once, from in here or later, by the
	 * thread that uses the device. May put off the work until kick.
	 */
	void (*submit)(struct pvrom_blk_backend *backend, struct pvrom_blk_io *io);
	/* A batch has ended: start what was put off. May be NULL. */
	void (*kick)(struct pvrom_blk_backend *backend);
};

/* The head of every backend's own structure. The backend fills it in before pvrom_blk_host_init(). */
struct pvrom_blk_backend {
	const struct pvrom_blk_backend_ops *ops;
	uint64_t capacity;   /* sectors */
	uint32_t can;	     /* bit n: operation PVROM_BLK_IO_n; READ and FLUSH must be there */
	uint32_t blk_size;   /* bytes, a power of two from 512; what it reads and writes best */
	uint32_t align;	     /* bytes; discards smaller than this free nothing; a multiple of 512 */
	bool volatile_cache; /* writes are lost with the power unless STABLE or flushed */
};

/* What became of an operation; PVROM_BLK_DONE and so on. The backend must not touch io afterwards. */
void pvrom_blk_io_done(struct pvrom_blk_io *io, uint32_t result);

/* ---- requests ---------------------------------------------------------------------------------- */

struct pvrom_blk_host;
struct pvrom_blk_queue;

/* One buffer in work. The caller's memory, which need not be set. */
struct pvrom_blk_request {
	/* Of the queue: filled in by pvrom_vq_device_pop() with piece[] below and PVROM_BLK_PIECES. */
	struct pvrom_vq_request vq;
	struct pvrom_vq_device *ring; /* for dirty logging; NULL: none */
	struct pvrom_blk_queue *queue;
	struct pvrom_blk_request *free; /* list of the queue */
	void *embedder;
	/* The device's. */
	uint8_t result;
	bool cancelled;
	uint32_t epoch; /* of the device when it began; another one since: cancelled */
	uint32_t type;
	uint64_t in_bytes;  /* data that the device writes, without the status */
	uint64_t out_bytes; /* data behind the header */
	uint64_t start_at;  /* ns; when a limit lets it go */
	uint32_t ranges, range_at;
	struct pvrom_blk_host *host;
	struct pvrom_blk_request *next;
	struct pvrom_blk_io io;
	struct pvrom_blk_range range[PVROM_BLK_RANGES];
	struct pvrom_vq_piece piece[PVROM_BLK_PIECES];
	struct pvrom_blk_vec vec[PVROM_BLK_PIECES];
};

/* What the embedder does for a device. ctx is the ops_ctx of the setup. */
struct pvrom_blk_host_ops {
	/*
	 * A request is over. Its buffer goes back to the queue with `written` as its length, unless
	 * request->cancelled: then the queue is gone, and the request alone is given back.
	 */
	void (*complete)(void *ctx, struct pvrom_blk_request *request, uint64_t written);
	/* The configuration changed: raise the interrupt for it. May be NULL. */
	void (*config_changed)(void *ctx);
	/* Monotonic time in ns. May be NULL without limits. */
	uint64_t (*now)(void *ctx);
};

struct pvrom_blk_host_setup {
	const struct pvrom_blk_host_ops *ops;
	void *ops_ctx;
	struct pvrom_blk_backend *backend; /* outlives the device */
	struct pvrom_limit *limit;	   /* NULL: none */
	char id[PVROM_BLK_ID_BYTES];	   /* GET_ID */
	uint16_t queues;		   /* 1 to PVROM_BLK_QUEUES_MAX */
	bool read_only;
	uint32_t seg_max;  /* data segments, told to the driver; 1 to PVROM_BLK_SEG_MAX */
	uint32_t size_max; /* bytes of one data segment; 0: no bound, SIZE_MAX is not offered */
	uint8_t physical_block_exp, alignment_offset; /* topology */
	uint16_t min_io_size;			      /* logical blocks */
	uint32_t opt_io_size;
	/* Bounds of one range and of their number; 0 sectors: as the disk is long; 0 ranges: the
	 * feature is not offered. Not offered either where the backend cannot. */
	uint32_t discard_sectors, discard_ranges;
	uint32_t zeroes_sectors, zeroes_ranges;
	uint32_t erase_sectors, erase_ranges;
};

/* What a device did since init; kept over reset, saved and loaded. */
struct pvrom_blk_counters {
	uint64_t reads, read_bytes, writes, written_bytes;
	uint64_t flushes, discards, zeroes, erases;
	uint64_t failed;      /* answered IOERR, whatever the reason */
	uint64_t no_space;    /* of these: the backend was full */
	uint64_t unsupported; /* answered UNSUPP */
	uint64_t malformed;   /* of failed: the chain itself was wrong; or no room for a status */
	uint64_t held;	      /* had to wait for the limit */
};

struct pvrom_blk_host {
	struct pvrom_blk_host_setup setup;
	struct pvrom_blk_config config;
	struct pvrom_blk_counters counters;
	uint64_t accepted;   /* features in force */
	uint32_t generation; /* of config: rises with each change by the device */
	uint32_t epoch;	     /* rises with each reset */
	uint32_t in_work;    /* requests started and not complete, waiting ones among them */
	struct pvrom_blk_request *waiting, **waiting_end;
};

/* Sets up a device in the caller's memory. false: the setup contradicts itself or the backend. */
bool pvrom_blk_host_init(struct pvrom_blk_host *host, const struct pvrom_blk_host_setup *setup);

/* The feature bits of the block device that are offered; those of ring and transport are theirs. */
uint64_t pvrom_blk_host_features(const struct pvrom_blk_host *host);

/*
 * The driver took these (bits above 23 are ignored). false, and nothing changes: one of them was not
 * offered. Sets `writeback` as VIRTIO 1.2, 5.2.5.2 wants.
 */
bool pvrom_blk_host_accept(struct pvrom_blk_host *host, uint64_t features);

/* Reads of configuration space; bytes behind its end read zero. */
void pvrom_blk_host_config_read(const struct pvrom_blk_host *host, uint32_t offset, void *to,
				uint32_t len);
/* Writes: only `writeback`, and only when CONFIG_WCE is in force; true if the write was one to it. */
bool pvrom_blk_host_config_write(struct pvrom_blk_host *host, uint32_t offset, const void *from,
				 uint32_t len);

/* The disk has another length now, in sectors: new configuration, ops->config_changed. */
void pvrom_blk_host_resize(struct pvrom_blk_host *host, uint64_t capacity);

/* Whether a write that begins now must be stable when it completes (VIRTIO 1.2, 5.2.6.2). */
bool pvrom_blk_host_writes_stable(const struct pvrom_blk_host *host);

/*
 * Begins the work of one buffer, as pvrom_vq_device_pop() left it in request->vq, faults and all.
 * ops->complete follows exactly once, perhaps from in here.
 */
void pvrom_blk_host_start(struct pvrom_blk_host *host, struct pvrom_blk_request *request);

/* The batch has ended: the backend begins what it put off. */
void pvrom_blk_host_kick(struct pvrom_blk_host *host);

/* Begins what the limit holds no longer; returns when (ns) to call again, or UINT64_MAX. */
uint64_t pvrom_blk_host_release(struct pvrom_blk_host *host);

/*
 * Begins all that waits, whatever the limit says (its units are spent already): for a stop, which
 * must not take longer than the backend does. Over when in_work is 0.
 */
void pvrom_blk_host_drain(struct pvrom_blk_host *host);

/*
 * Reset by the driver: all requests in work will complete as cancelled, waiting ones in here, the others
 * when the backend is done with them, and write no status. Features and writeback are as after init.
 * Guest memory may be taken away when in_work is 0, and only then is the reset over.
 */
void pvrom_blk_host_reset(struct pvrom_blk_host *host);

/*
 * Saved state: features, writeback, configuration, counters, and how full the limit is. Only with
 * in_work 0 (drain first); the queues' positions are the embedder's. save writes at most room bytes
 * and returns how many it needs (0: requests are in work). load wants a device just set up with the
 * same backend capacity, features and queues; false, and nothing changed: it does not fit or is damaged.
 */
size_t pvrom_blk_host_save(const struct pvrom_blk_host *host, void *buffer, size_t room);
bool pvrom_blk_host_load(struct pvrom_blk_host *host, const void *buffer, size_t size);

/* ---- queues ------------------------------------------------------------------------------------ */

/* A virtqueue with the requests that are in work for it. The caller's memory. */
struct pvrom_blk_queue {
	struct pvrom_vq_device ring;
	struct pvrom_blk_host *host;
	struct pvrom_blk_request *free;
	uint32_t requests, in_work;
	bool broken; /* the driver broke the ring's rules: the device needs a reset */
	bool dirty;  /* something is complete and not published */
};

/*
 * Sets up a queue over a pool of `count` requests, 1 or more: no more buffers are in work at a time.
 * Answers what pvrom_vq_device_init() does.
 */
enum pvrom_vq_result pvrom_blk_queue_init(struct pvrom_blk_queue *queue,
					  struct pvrom_blk_host *host,
					  const struct pvrom_vq_device_config *config,
					  struct pvrom_blk_request *pool, uint32_t count);

/*
 * Begins at most `budget` buffers that the driver made available; returns how many. Fewer than
 * `budget`: there are no more, or no more requests are free, or queue->broken is set.
 */
uint32_t pvrom_blk_queue_run(struct pvrom_blk_queue *queue, uint32_t budget);

/* From ops->complete, with its arguments. */
void pvrom_blk_queue_complete(struct pvrom_blk_request *request, uint64_t written);

/* Shows the driver what is complete; true: interrupt it. Cheap when nothing is. */
bool pvrom_blk_queue_publish(struct pvrom_blk_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
