/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Virtqueues: what the driver half and the device half share, the rings as they lie in guest memory.
 *
 * Both formats of VIRTIO 1.2 are here, split (clause 2.7) and packed (clause 2.8). The halves are
 * <pvrom/virtqueue_driver.h> and <pvrom/virtqueue_device.h>; either may face a stranger. Neither
 * allocates, blocks, calls a C library or keeps state outside what its caller hands it.
 *
 * Virtqueues of VIRTIO 1.2 are little-endian, and so is x86-64: nothing is swapped.
 */
#ifndef PVROM_VIRTQUEUE_H
#define PVROM_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The feature bits that a queue looks at (clause 6); all others in a set are ignored. */
#define PVROM_VQ_F_INDIRECT_DESC (1ull << 28)	  /* VIRTIO_F_INDIRECT_DESC */
#define PVROM_VQ_F_EVENT_IDX (1ull << 29)	  /* VIRTIO_F_EVENT_IDX */
#define PVROM_VQ_F_VERSION_1 (1ull << 32)	  /* VIRTIO_F_VERSION_1: must be there */
#define PVROM_VQ_F_RING_PACKED (1ull << 34)	  /* VIRTIO_F_RING_PACKED */
#define PVROM_VQ_F_IN_ORDER (1ull << 35)	  /* VIRTIO_F_IN_ORDER */
#define PVROM_VQ_F_NOTIFICATION_DATA (1ull << 38) /* VIRTIO_F_NOTIFICATION_DATA */
#define PVROM_VQ_F_RING_RESET (1ull << 40)	  /* VIRTIO_F_RING_RESET */

/* Clause 2.7: the highest power of 2 that 16-bit indices can tell from an empty ring; 2.8: 2^15. */
#define PVROM_VQ_SIZE_MAX 32768u

/* ---- the split format, clause 2.7 ---------------------------------------------------------------- */

/* Flags of a descriptor, in both formats (2.7.5, 2.8.3, 2.8.6, 2.8.7). */
#define PVROM_VQ_DESC_NEXT 1u	  /* another descriptor follows */
#define PVROM_VQ_DESC_WRITE 2u	  /* device-writable, otherwise device-readable */
#define PVROM_VQ_DESC_INDIRECT 4u /* the buffer is a table of descriptors */
#define PVROM_VQ_DESC_AVAIL 0x80u /* packed only (2.8.1) */
#define PVROM_VQ_DESC_USED 0x8000u

/*	offset size  field (2.7.5); the driver writes it, the device reads it
 *	0      8     addr    guest-physical address
 *	8      4     len     bytes
 *	12     2     flags   PVROM_VQ_DESC_x
 *	14     2     next    index of the next descriptor, if NEXT
 */
struct pvrom_vq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

#define PVROM_VQ_AVAIL_NO_INTERRUPT 1u

/* In C++ arrays without a length are an extension, which both compilers have. */
#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

/* The available ring (2.7.6): after ring[size] follows used_event, 16 bits. */
struct pvrom_vq_avail {
	uint16_t flags; /* 0 or PVROM_VQ_AVAIL_NO_INTERRUPT */
	uint16_t idx;	/* where the driver puts the next entry, modulo the size */
	__extension__ uint16_t ring[];
};

#define PVROM_VQ_USED_NO_NOTIFY 1u

struct pvrom_vq_used_elem {
	uint32_t id;  /* head of the chain */
	uint32_t len; /* bytes the device wrote, from the first writable one */
};

/* The used ring (2.7.8): after ring[size] follows avail_event, 16 bits. */
struct pvrom_vq_used {
	uint16_t flags; /* 0 or PVROM_VQ_USED_NO_NOTIFY */
	uint16_t idx;
	__extension__ struct pvrom_vq_used_elem ring[];
};

#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic pop
#endif

/* ---- the packed format, clause 2.8 --------------------------------------------------------------- */

/*	offset size  field (2.8.13); both sides write it, in turn
 *	0      8     addr
 *	8      4     len     bytes of the element; in a used descriptor, bytes written
 *	12     2     id      buffer id, in the last descriptor of a list; in a used descriptor, whose
 *	14     2     flags   PVROM_VQ_DESC_x
 */
struct pvrom_vq_packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

#define PVROM_VQ_EVENT_ENABLE 0u
#define PVROM_VQ_EVENT_DISABLE 1u
#define PVROM_VQ_EVENT_DESC 2u /* only with EVENT_IDX */

/* Event suppression (2.8.10, 2.8.14): the driver area is the driver's, the device area the device's. */
struct pvrom_vq_event {
	uint16_t off_wrap; /* bits 0-14 a position in the ring, bit 15 its wrap counter */
	uint16_t flags;	   /* PVROM_VQ_EVENT_x */
};

/* ---- where things lie ---------------------------------------------------------------------------- */

/* The three areas of a queue (2.6): their sizes in bytes and their alignments. */
struct pvrom_vq_layout {
	uint32_t desc_bytes;   /* descriptor area: 524,288 at most */
	uint32_t driver_bytes; /* driver area: available ring, or driver event suppression */
	uint32_t device_bytes; /* device area: used ring, or device event suppression */
	uint8_t desc_align;
	uint8_t driver_align;
	uint8_t device_align;
	uint8_t reserved;
};

/*
 * May a queue with these features have that size? 1 to 32,768; split: a power of 2 (2.7); packed:
 * any (2.8.10.1). Sets *layout (NULL: not wanted) if so. Any context.
 */
bool pvrom_vq_layout(uint64_t features, uint32_t size, struct pvrom_vq_layout *layout);

/*
 * The data of an available buffer notification (2.9, 4.1.5.2, 4.2.3.3). Without NOTIFICATION_DATA it
 * is the queue's number alone. The device side may use it as a hint, never as a truth: pop looks itself.
 */
struct pvrom_vq_notification {
	uint16_t queue;
	uint16_t next; /* split: the available index; packed: position of the next descriptor */
	bool wrap;     /* packed: the driver's wrap counter there */
};

uint32_t pvrom_vq_notification_encode(uint64_t features, const struct pvrom_vq_notification *n);
void pvrom_vq_notification_decode(uint64_t features, uint32_t data,
				  struct pvrom_vq_notification *n);

/* ---- what functions of both halves answer -------------------------------------------------------- */

#define PVROM_VQ_RESULT_TABLE(X)                                                                   \
	X(OK, 0, "done")                                                                           \
	X(EMPTY, 1, "nothing there")                                                               \
	X(FULL, 2, "no room until a buffer comes back")                                            \
	X(TOO_LONG, 3, "more pieces than this queue can ever hold")                                \
	X(BROKEN, 4, "the other side broke the rules: the queue must be reset")                    \
	X(BAD_CONFIG, 5, "a size, an address or a feature set that is not allowed")                \
	X(NO_MEMORY, 6, "a part of the queue does not lie in guest memory")                        \
	X(STALE, 7, "the request is not one that this queue waits for")                            \
	X(BUSY, 8, "buffers are still in flight")                                                  \
	X(BAD_BUFFER, 9, "no pieces, or more than 4 GiB")
enum pvrom_vq_result {
#define PVROM_VQ_RESULT_NAME_(name, number, text) PVROM_VQ_##name = number,
	PVROM_VQ_RESULT_TABLE(PVROM_VQ_RESULT_NAME_)
#undef PVROM_VQ_RESULT_NAME_
};

/* Why a queue is broken; a device then sets DEVICE_NEEDS_RESET (2.1), a driver resets the device. */
#define PVROM_VQ_REASON_TABLE(X)                                                                   \
	X(NONE, 0, "not broken")                                                                   \
	X(INDEX, 1, "the ring's index went further than there can be entries")                     \
	X(HEAD_RANGE, 2, "the head of a chain lies outside the descriptor table")                  \
	X(HEAD_TWICE, 3, "the head of a chain is made available while it is in flight")            \
	X(NO_END, 4, "a packed list has no end, so it has no id")                                  \
	X(OVERRUN, 5, "more packed descriptors are available than are free")                       \
	X(INFLIGHT, 6, "the shared record of buffers in flight makes no sense")                    \
	X(ID_RANGE, 7, "the device used an id that is not in the queue")                           \
	X(ID_UNUSED, 8, "the device used an id that is not in flight")                             \
	X(ORDER, 9, "the device used a buffer out of the order it promised")                       \
	X(STATE, 10, "saved indices that are out of range")
enum pvrom_vq_reason {
#define PVROM_VQ_REASON_NAME_(name, number, text) PVROM_VQ_REASON_##name = number,
	PVROM_VQ_REASON_TABLE(PVROM_VQ_REASON_NAME_)
#undef PVROM_VQ_REASON_NAME_
};

/* Their texts, for people; "?" for a number that is not in the table. */
const char *pvrom_vq_result_text(enum pvrom_vq_result result);
const char *pvrom_vq_reason_text(enum pvrom_vq_reason reason);

#ifdef __cplusplus
}
#endif

#endif
