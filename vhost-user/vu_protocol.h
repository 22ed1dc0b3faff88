/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of the vhost-user protocol (QEMU 7.2, docs/interop/vhost-user.rst), for server and client.
 */
#ifndef VU_PROTOCOL_H
#define VU_PROTOCOL_H

#include <stdint.h>

/* name, number, bytes of payload (see vu_server.c for those that vary), descriptors it may carry */
enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_LOG_BASE = 6,
	VU_SET_LOG_FD = 7,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SEND_RARP = 19,
	VU_NET_SET_MTU = 20,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_GET_INFLIGHT_FD = 31,
	VU_SET_INFLIGHT_FD = 32,
	VU_RESET_DEVICE = 34,
	VU_GET_MAX_MEM_SLOTS = 36,
	VU_ADD_MEM_REG = 37,
	VU_REM_MEM_REG = 38,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
	VU_REQUESTS = 41
};

#define VU_BACKEND_CONFIG_CHANGE 2u /* from the back end to the front end */

#define VU_VERSION 1u /* flags, bits 0 and 1 */
#define VU_VERSION_MASK 3u
#define VU_REPLY 4u
#define VU_NEED_REPLY 8u

#define VU_F_LOG_ALL (1ull << 26)
#define VU_F_PROTOCOL_FEATURES (1ull << 30)

#define VU_PROTOCOL_MQ (1ull << 0)
#define VU_PROTOCOL_LOG_SHMFD (1ull << 1)
#define VU_PROTOCOL_RARP (1ull << 2)
#define VU_PROTOCOL_REPLY_ACK (1ull << 3)
#define VU_PROTOCOL_NET_MTU (1ull << 4)
#define VU_PROTOCOL_BACKEND_REQ (1ull << 5)
#define VU_PROTOCOL_CONFIG (1ull << 9)
#define VU_PROTOCOL_INFLIGHT_SHMFD (1ull << 12)
#define VU_PROTOCOL_RESET_DEVICE (1ull << 13)
#define VU_PROTOCOL_INBAND_NOTIFICATIONS (1ull << 14) /* never offered */
#define VU_PROTOCOL_CONFIGURE_MEM_SLOTS (1ull << 15)
#define VU_PROTOCOL_STATUS (1ull << 16)

#define VU_STATUS_FEATURES_OK 8u
#define VU_STATUS_DRIVER_OK 4u
#define VU_STATUS_NEEDS_RESET 0x40u

#define VU_NO_FD 0x100u	     /* in the word of SET_VRING_KICK, CALL and ERR */
#define VU_VRING_LOG 1u	     /* flag of SET_VRING_ADDR */
#define VU_TABLE_REGIONS 8u  /* regions that SET_MEM_TABLE may have */
#define VU_CONFIG_BYTES 256u /* of a configuration message */
#define VU_FDS_MAX 16	     /* received with one message; more is an error */
#define VU_LOG_PAGE 4096u
#define VU_INFLIGHT_ALIGN 64u /* of each queue's region */

struct vu_head {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of the payload */
};

struct vu_region {
	uint64_t gpa, size, user, offset; /* user: the front end's own address */
};

struct vu_vring_state {
	uint32_t index, num;
};

struct vu_vring_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

union vu_payload {
	uint64_t word;
	struct vu_vring_state state;
	struct vu_vring_addr addr;
	struct {
		uint32_t count, padding;
		struct vu_region region[VU_TABLE_REGIONS];
	} table;
	struct {
		uint64_t padding;
		struct vu_region region;
	} one;
	struct {
		uint64_t size, offset;
	} log;
	struct {
		uint32_t offset, size, flags;
		uint8_t bytes[VU_CONFIG_BYTES];
	} config;
	struct {
		uint64_t size, offset;
		uint16_t queues, queue_size, padding[2];
	} inflight;
};

struct vu_message {
	struct vu_head head;
	union vu_payload payload;
	int fd[VU_FDS_MAX];
	uint32_t fds;
};

_Static_assert(sizeof(struct vu_head) == 12, "head");
_Static_assert(sizeof(struct vu_vring_addr) == 40, "ring addresses");
_Static_assert(sizeof(struct vu_region) == 32, "region");

#endif
