/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueues, the device half: what an embedder's devices use.
 *
 *	pvrom_vq_device_init()      a queue that the driver has enabled
 *	pvrom_vq_device_pop()       the next buffer that the driver made available, as host memory
 *	pvrom_vq_device_complete()  the device is done with it; any order
 *	pvrom_vq_device_publish()   shows the driver all that is complete; true: interrupt it
 *
 * The driver is not trusted. Each word and each descriptor is read once, into private memory, then
 * checked, then used. A chain that makes no sense comes out of pop with its fault named, to be completed
 * like any other, so the driver gets its head back; where not even that is possible the queue is broken
 * and the device sets DEVICE_NEEDS_RESET. One pop does at most `size` direct and chain_max indirect
 * descriptors of work.
 *
 * The rings are reached through pointers that translate gave at init or at map: each of the three areas must
 * be contiguous in host memory (otherwise NO_MEMORY). Buffers need not be: they come as pieces.
 *
 * Threads: one at a time for a queue; the lock is the caller's.
 */
#ifndef PVROM_VIRTQUEUE_DEVICE_H
#define PVROM_VIRTQUEUE_DEVICE_H

#include <pvrom/gpa.h>
#include <pvrom/virtqueue.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The steps of taking and returning a buffer, in the order of the code: between any two the process may die,
 * and with a record of buffers in flight nothing may be lost or repeated then. Test builds report
 * each (struct pvrom_vq_device_ops, step). Names are stable; S and P: split, packed.
 */
#define PVROM_VQ_STEP_TABLE(X)                                                                     \
	X(POP_SEEN, 0, "SP", "a buffer was seen in the ring")                                      \
	X(POP_COUNTED, 1, "SP", "its number in order was noted")                                   \
	X(POP_MARKED, 2, "SP", "it was marked as in flight")                                       \
	X(POP_COPIED, 3, "P", "its descriptors were noted")                                        \
	X(POP_DONE, 4, "SP", "it is the device's")                                                 \
	X(USED_LINKED, 5, "SP", "it was linked to the batch before")                               \
	X(USED_HEAD, 6, "SP", "it is the head of the batch")                                       \
	X(USED_WRITTEN, 7, "SP", "the used entry was written, not yet shown")                      \
	X(USED_INDEX, 8, "P", "the record's used index was moved on")                              \
	X(USED_SHOWN, 9, "SP", "the driver can see it")                                            \
	X(USED_CLEARED, 10, "SP", "it is no longer marked as in flight")                           \
	X(USED_NOTED, 11, "SP", "the record knows of the batch")                                   \
	X(USED_JUDGED, 12, "SP", "it was decided whether to interrupt")
enum pvrom_vq_step {
#define PVROM_VQ_STEP_NAME_(name, number, formats, text) PVROM_VQ_STEP_##name = number,
	PVROM_VQ_STEP_TABLE(PVROM_VQ_STEP_NAME_)
#undef PVROM_VQ_STEP_NAME_
};

/* What the embedder does for a queue. ctx is the ops_ctx of the configuration. */
struct pvrom_vq_device_ops {
	/*
	 * As in struct pvrom_host_ops: where the guest memory at gpa lies; *len is the bytes wanted, 1 or more,
	 * and gpa + *len does not wrap; lowers *len to what is contiguous. NULL: no memory there. Pieces
	 * of a request stay valid until it is completed, those of the rings until the next map or init.
	 */
	void *(*translate)(void *ctx, struct pvrom_gpa gpa, uint64_t *len);
	/*
	 * Guest memory was written (or, by request_dirty, will have been): for dirty page logging. Called
	 * after the write, while logging is on (pvrom_vq_device_log()). May be NULL.
	 */
	void (*dirty)(void *ctx, struct pvrom_gpa gpa, uint64_t len);
	/* Test builds: a step was done. May be NULL. Never called in other builds. */
	void (*step)(void *ctx, enum pvrom_vq_step step);
};

/* What the device remembers of one buffer in flight, or of one place in its order. Private memory. */
struct pvrom_vq_device_slot {
	uint64_t writable;   /* bytes that the device may write */
	uint32_t len;	     /* done: bytes written */
	uint32_t generation; /* of the request that owns it; 0: none */
	uint16_t id;	     /* head or buffer id, as returned to the driver */
	uint16_t count;	     /* packed: descriptors */
	uint16_t record;     /* packed: its entry in the record of buffers in flight */
	uint16_t next;	     /* free list, batch, or what to resubmit */
	uint16_t link;	     /* packed: of the record's entry of this number, the next one */
	uint16_t tail;	     /* and the end of the list of which it is the head */
	uint32_t order;	     /* in order: the slot that was popped as that */
	uint8_t state;
	bool faulty; /* of its buffer not all is known */
	uint8_t reserved[2];
};

struct pvrom_vq_device_config {
	const struct pvrom_vq_device_ops *ops;
	void *ops_ctx;
	uint64_t features; /* as negotiated */
	uint32_t size;
	uint32_t chain_max; /* descriptors in a chain at most, 0: size or 1024, whichever is more */
	struct pvrom_gpa desc; /* the three areas */
	struct pvrom_gpa driver;
	struct pvrom_gpa device;
	struct pvrom_vq_device_slot *slots; /* slots[size] */
	/*
	 * The queue's region of vhost-user's INFLIGHT_SHMFD (its document's QueueRegionSplit or
	 * QueueRegionPacked), of pvrom_vq_inflight_bytes() bytes, aligned to 8; NULL: none. It outlives
	 * the process. Others may write to it: it is checked like guest memory.
	 */
	void *inflight;
};

/* A queue. The caller supplies the memory and leaves the fields alone. */
struct pvrom_vq_device {
	struct pvrom_vq_device_config config;
	void *desc_at; /* the areas in host memory */
	void *driver_at;
	void *device_at;
	uint64_t counter; /* of buffers taken, for the record */
	enum pvrom_vq_reason reason;
	uint32_t chain_max;
	uint32_t generation; /* of the last request; never 0 */
	uint32_t in_flight;  /* requests popped and not completed */
	uint32_t taken;	     /* packed: descriptors popped and not shown as used */
	uint32_t unshown;    /* completed and not published */
	uint32_t unjudged;   /* packed: descriptors used since it was judged whether to interrupt */
	uint32_t resubmit;   /* how many are to be popped again */
	uint32_t burst;	     /* of unshown: done without slots; each has one descriptor */
	uint16_t avail;	     /* split: index; packed: position of the next buffer to pop */
	uint16_t used;	     /* the same for the next one to be completed, shown or not */
	uint16_t shown; /* split: used index as the driver sees it; packed: start of the batch */
	uint16_t avail_seen; /* split: the driver's index as last read */
	uint16_t free_slot;  /* packed: free slots */
	uint16_t batch;	     /* completed and not published: a list of slots */
	uint16_t resubmit_head;
	uint16_t oldest;      /* in order: the next place to be completed */
	uint16_t youngest;    /* in order: the place of the next pop */
	uint16_t first_flags; /* packed: flags of the batch's first, held back */
	uint16_t skip_from; /* in order: where the used entry of those that need none will stand */
	uint16_t record_head; /* record: split, last_batch_head; packed, free_head */
	uint16_t record_old;  /* record: packed, old_free_head */
	uint16_t record_num;  /* record: packed, descriptors of the list that is being taken */
	bool skip;
	bool skip_wrap;
	bool avail_wrap;
	bool used_wrap;
	bool shown_wrap;
	bool notify;	/* notifications are wanted */
	bool signalled; /* an interrupt was judged since init: the event index can be trusted */
	bool log;
	bool quick; /* packed, not broken, and without order, record and log */
};

/* One piece of a request in host memory; gpa for dirty logging and for messages. */
struct pvrom_vq_piece {
	void *at;
	uint64_t len; /* 1 or more */
	struct pvrom_gpa gpa;
};

/* What may be wrong with a chain whose head is known. */
#define PVROM_VQ_FAULT_TABLE(X)                                                                    \
	X(NONE, 0, "a well-formed chain")                                                          \
	X(NEXT_RANGE, 1, "next lies outside the table")                                            \
	X(LOOP, 2, "longer than a chain may be, or a loop")                                        \
	X(NOT_NEGOTIATED, 3, "an indirect descriptor without INDIRECT_DESC")                       \
	X(INDIRECT_NEXT, 4, "an indirect descriptor that has a next one")                          \
	X(NESTED, 5, "an indirect descriptor in an indirect table")                                \
	X(TABLE_SIZE, 6, "an indirect table of no or of broken descriptors")                       \
	X(TABLE_ADDRESS, 7, "an indirect table outside guest memory")                              \
	X(ADDRESS, 8, "a buffer outside guest memory")                                             \
	X(WRITABLE_FIRST, 9, "a readable descriptor behind a writable one")                        \
	X(TOO_BIG, 10, "more than 2^32 bytes")                                                     \
	X(TOO_MANY, 11, "more pieces than the request has room for")
enum pvrom_vq_fault {
#define PVROM_VQ_FAULT_NAME_(name, number, text) PVROM_VQ_FAULT_##name = number,
	PVROM_VQ_FAULT_TABLE(PVROM_VQ_FAULT_NAME_)
#undef PVROM_VQ_FAULT_NAME_
};
const char *pvrom_vq_fault_text(enum pvrom_vq_fault fault);

/*
 * A buffer of the driver's, from pop to complete. piece and room are the caller's and set before pop.
 * With a fault, the pieces up to it are there, and last if the chain could be followed to its end.
 */
struct pvrom_vq_request {
	struct pvrom_vq_piece *piece; /* readable ones first, then writable ones */
	uint32_t room;
	uint32_t readable_pieces;
	uint32_t writable_pieces;
	enum pvrom_vq_fault fault;
	uint64_t readable; /* bytes */
	uint64_t writable;
	/*
	 * The last writable byte, NULL if there is none that lies in guest memory: where a block device puts its
	 * status. Set with TOO_MANY and ADDRESS too, if that byte itself is all right.
	 */
	struct pvrom_gpa last_gpa;
	uint8_t *last;
	/* Private. */
	uint32_t generation;
	uint16_t slot;
	uint16_t reserved;
};

/*
 * Sets up a queue: indices 0, wrap counters 1, notifications on. Zero *vq before the first time, never
 * after. config is copied; what it points to must stay. BAD_CONFIG: size or alignment (2.7, 2.8.10.1), VERSION_1 missing, no slots; NO_MEMORY: see map.
 * Also after a reset, of the queue (2.6.1) too: requests popped before are STALE from then on, so a late
 * complete() of one writes nothing. (Their data is the caller's: a backend must be done before the
 * reset is acknowledged.) If config->inflight has a record, continue with pvrom_vq_device_resume().
 */
enum pvrom_vq_result pvrom_vq_device_init(struct pvrom_vq_device *vq,
					  const struct pvrom_vq_device_config *config);

/* Asks translate for the three areas again, after guest memory was mapped anew. NO_MEMORY: one of
 * them is not there or not contiguous; then nothing is changed and the old ones are still used. */
enum pvrom_vq_result pvrom_vq_device_map(struct pvrom_vq_device *vq);

/*
 * Takes the next buffer. OK: request is filled; look at request->fault; complete it in any case. EMPTY:
 * nothing there; switch notifications on, look again, wait. BROKEN: see pvrom_vq_device_reason().
 */
enum pvrom_vq_result pvrom_vq_device_pop(struct pvrom_vq_device *vq,
					 struct pvrom_vq_request *request);

/* A buffer of one descriptor in one piece of host memory: what small messages are. */
struct pvrom_vq_plain {
	uint8_t *at;
	struct pvrom_gpa gpa;
	uint32_t len; /* 1 or more */
	uint32_t
		written; /* to be set before burst_done: bytes, at most len; 0 if it is not writable */
	uint16_t id;
	bool writable;
	uint8_t reserved[5];
};

/*
 * Asks for the first two lines of a buffer some of whose predecessors are still to be dealt with: they come from the
 * driver's cache, a header and what stands behind it. A few buffers ahead is best; for all of a burst at once
 * a processor has no room. Not __builtin_prefetch(at, 1), of which compilers make a prefetch for reading unless they are
 * told of a processor: the store then waits once more. One that does not know PREFETCHW takes it for a NOP.
 * `head`: bytes at the beginning that are written only if they differ from what is there; of a line that ends with
 * them both processors then keep a copy.
 */
static inline void pvrom_vq_plain_prefetch(const struct pvrom_vq_plain *plain, uint32_t head)
{
	if (plain->writable) {
		if (((uintptr_t)plain->at + head) % 64 == 0)
			__builtin_prefetch(plain->at);
		else
			__asm__ volatile("prefetchw %0" : : "m"(plain->at[0]));
		__asm__ volatile("prefetchw %0" : : "m"(plain->at[64]));
	} else {
		__builtin_prefetch(plain->at);
		__builtin_prefetch(plain->at + 64);
	}
}

/*
 * Looks at the next buffers, at most `most`, as far as they are plain, and takes none: for devices that deal with
 * small messages at once and in order, at half of what pop and complete cost. Returns how many; 0: none is there,
 * or the next one is to be popped. With IN_ORDER always 0 while a popped one has not been published; with a
 * record of buffers in flight always 0. Each word of the driver's is read once, as by pop.
 * Nothing but publish may be asked of the queue before pvrom_vq_device_burst_done().
 */
uint32_t pvrom_vq_device_burst(struct pvrom_vq_device *vq, struct pvrom_vq_plain *plain,
			       uint32_t most);
/*
 * The first `count` of them are taken, done, and logged as written. The others may be given to it later, in order;
 * once something else was asked of the queue but publish, they are as if they had not been looked at. Not shown
 * before publish.
 */
void pvrom_vq_device_burst_done(struct pvrom_vq_device *vq, const struct pvrom_vq_plain *plain,
				uint32_t count);

/*
 * Puts the request that was popped last, and is neither completed nor put back, into the ring again, as if it had
 * never been popped: for a device that looked whether there is room enough and must let go of it. The
 * request is not to be used any more. STALE: it is not that one. BUSY: the queue has a record of buffers in
 * flight, which tells them in the order in which they were taken; complete it instead.
 */
enum pvrom_vq_result pvrom_vq_device_unpop(struct pvrom_vq_device *vq,
					   const struct pvrom_vq_request *request);

/*
 * The device is done with request and wrote written bytes from the first writable byte on (cut to
 * what is writable); written may be less than was written, never more (2.7.8.2). Not shown before publish.
 * With IN_ORDER requests may be completed in any order too: the queue keeps them in order. (A packed queue
 * with a record shows each at once, since the record can take back no more than one.)
 * STALE: not in flight in this queue since its last init; nothing is done.
 */
enum pvrom_vq_result pvrom_vq_device_complete(struct pvrom_vq_device *vq,
					      const struct pvrom_vq_request *request,
					      uint64_t written);

/* Shows the driver what is complete. True: it wants an interrupt (2.7.7, 2.8.10). */
bool pvrom_vq_device_publish(struct pvrom_vq_device *vq);

/* Is there a buffer to pop (or something else for pop to say)? */
bool pvrom_vq_device_pending(struct pvrom_vq_device *vq);

/* Tells the driver that the device polls (2.7.10): a hint. On: returns true if buffers are there
 * already; no notification may come for them, so the caller pops them. */
void pvrom_vq_device_notifications_off(struct pvrom_vq_device *vq);
bool pvrom_vq_device_notifications_on(struct pvrom_vq_device *vq);

/* Why pop says BROKEN, NONE if it does not. Only init mends it. */
enum pvrom_vq_reason pvrom_vq_device_reason(const struct pvrom_vq_device *vq);

/* Requests popped and not completed. */
uint32_t pvrom_vq_device_in_flight(const struct pvrom_vq_device *vq);

/* ---- copying, for headers and statuses ----------------------------------------------------------- */

/*
 * Copies len bytes out of the readable part of a request, from byte offset on, or into the writable part;
 * returns how many there were. The copy is the one fetch: look at the copy only.
 * request_write logs what it writes.
 */
uint64_t pvrom_vq_request_read(const struct pvrom_vq_request *request, uint64_t offset,
			       void *buffer, uint64_t len);
uint64_t pvrom_vq_request_write(struct pvrom_vq_device *vq, const struct pvrom_vq_request *request,
				uint64_t offset, const void *buffer, uint64_t len);

/* Logs len writable bytes of a request from byte offset on as written: data that a backend put there. */
void pvrom_vq_request_dirty(struct pvrom_vq_device *vq, const struct pvrom_vq_request *request,
			    uint64_t offset, uint64_t len);

/* Switches dirty logging on or off. On says nothing of what was written before. */
void pvrom_vq_device_log(struct pvrom_vq_device *vq, bool on);

/* ---- save, load, and going on after a crash ------------------------------------------------------ */

/*
 * Where a queue stands, as vhost-user's VRING_BASE and migration carry it. The used index of a split
 * queue also stands in guest memory. Event suppression stands in guest memory; both halves ask anew.
 */
struct pvrom_vq_state {
	uint16_t avail;
	uint16_t used;
	bool avail_wrap; /* packed; true in a split queue */
	bool used_wrap;
	uint8_t reserved[2];
};

/* BUSY while requests are in flight (state is set all the same: a record may hold them). Publishes nothing:
 * publish first. */
enum pvrom_vq_result pvrom_vq_device_get_state(const struct pvrom_vq_device *vq,
					       struct pvrom_vq_state *state);

/* After init, before the first pop. BROKEN (reason STATE): a position outside the ring, or a used index
 * further from the available one than the queue is long. */
enum pvrom_vq_result pvrom_vq_device_set_state(struct pvrom_vq_device *vq,
					       const struct pvrom_vq_state *state);

/* vhost-user's VRING_BASE: split, the available index; packed, both positions with their wrap counters
 * in bits 15 and 31. decode of a split queue takes the used index from the guest's ring,
 * and of a packed one the available position for both where the upper half is 0, as DPDK has it. */
uint32_t pvrom_vq_device_base(const struct pvrom_vq_device *vq);
enum pvrom_vq_result pvrom_vq_device_set_base(struct pvrom_vq_device *vq, uint32_t base);

/*
 * For a packed queue that stands at its beginning only because nobody knows where it stood when the process before this one
 * died: finds its position by what is in the ring. Right where buffers have one descriptor each and were used in order, as
 * those of a network card; a queue that is new stays where it is. false: not such a queue, or no position is to be
 * seen; then nothing changed. After set_base, before the first pop.
 */
bool pvrom_vq_device_seek(struct pvrom_vq_device *vq);

/* Bytes of a queue's region in INFLIGHT_SHMFD; 0 for a size that is not allowed. */
size_t pvrom_vq_inflight_bytes(uint64_t features, uint32_t size);

/*
 * After init over a record that a process left behind, in the place of set_state: ends what that one had
 * begun, finds the indices, and lets pop return first the buffers that were in flight, in the order in which
 * they were first taken. A record of zeros is a new one: it is set up and the queue begins where
 * init put it or a set_state since. Afterwards interrupt the driver once and look at the ring once, whatever
 * publish and the notifications say: both may have been due when the process died. If logging is on (switch it on
 * before), what the device writes of the queue itself is logged, all of it.
 * BROKEN (reason INFLIGHT): the record makes no sense.
 */
enum pvrom_vq_result pvrom_vq_device_resume(struct pvrom_vq_device *vq);

#ifdef __cplusplus
}
#endif

#endif
