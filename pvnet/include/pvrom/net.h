/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of a VIRTIO network card that driver and device share: VIRTIO 1.2, 5.1; what only 1.3 has
 * says so.
 *
 * Numbers only, usable from C and C++; all fields are little-endian, and x86-64 is. This file may be
 * copied anywhere.
 */
#ifndef PVROM_NET_H
#define PVROM_NET_H

#include <stddef.h>
#include <stdint.h>

#define PVROM_NET_DEVICE_ID 1 /* VIRTIO 1.2, 5.1.1 */

/* ---- feature bits, VIRTIO 1.2, 5.1.3 ----------------------------------------------------------- */
#define PVROM_NET_F_CSUM (1ull << 0)	   /* the device fills in checksums of what is sent */
#define PVROM_NET_F_GUEST_CSUM (1ull << 1) /* the driver takes frames with partial checksums */
#define PVROM_NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define PVROM_NET_F_MTU (1ull << 3) /* config.mtu */
#define PVROM_NET_F_MAC (1ull << 5) /* config.mac */
#define PVROM_NET_F_GUEST_TSO4 (1ull << 7)
#define PVROM_NET_F_GUEST_TSO6 (1ull << 8)
#define PVROM_NET_F_GUEST_ECN (1ull << 9)
#define PVROM_NET_F_HOST_TSO4 (1ull << 11)
#define PVROM_NET_F_HOST_TSO6 (1ull << 12)
#define PVROM_NET_F_HOST_ECN (1ull << 13)
#define PVROM_NET_F_MRG_RXBUF (1ull << 15) /* a frame may lie in several buffers */
#define PVROM_NET_F_STATUS (1ull << 16)	   /* config.status */
#define PVROM_NET_F_CTRL_VQ (1ull << 17)
#define PVROM_NET_F_CTRL_RX (1ull << 18)
#define PVROM_NET_F_CTRL_VLAN (1ull << 19)
#define PVROM_NET_F_CTRL_RX_EXTRA (1ull << 20)
#define PVROM_NET_F_GUEST_ANNOUNCE (1ull << 21)
#define PVROM_NET_F_MQ (1ull << 22) /* config.max_virtqueue_pairs */
#define PVROM_NET_F_CTRL_MAC_ADDR (1ull << 23)
#define PVROM_NET_F_NOTF_COAL (1ull << 53)
#define PVROM_NET_F_GUEST_USO4 (1ull << 54)
#define PVROM_NET_F_GUEST_USO6 (1ull << 55)
#define PVROM_NET_F_HOST_USO (1ull << 56)
#define PVROM_NET_F_HASH_REPORT (1ull << 57)
#define PVROM_NET_F_RSS (1ull << 60)
#define PVROM_NET_F_SPEED_DUPLEX (1ull << 63) /* config.speed, config.duplex */

/* Those that a card of this project may offer: X(NAME, bit, what it is). */
#define PVROM_NET_FEATURE_TABLE(X)                                                                 \
	X(CSUM, 0, "the device fills in the checksum of a frame that the driver sends")            \
	X(GUEST_CSUM, 1, "the driver takes frames whose checksum is open")                         \
	X(CTRL_GUEST_OFFLOADS, 2, "what the driver takes may change at run time")                  \
	X(MTU, 3, "the longest frame is told in the configuration")                                \
	X(MAC, 5, "the address is told in the configuration")                                      \
	X(GUEST_TSO4, 7, "the driver takes TCP over IPv4 that is to be cut")                       \
	X(GUEST_TSO6, 8, "the driver takes TCP over IPv6 that is to be cut")                       \
	X(GUEST_ECN, 9, "the driver takes such TCP with CWR")                                      \
	X(HOST_TSO4, 11, "the device cuts TCP over IPv4")                                          \
	X(HOST_TSO6, 12, "the device cuts TCP over IPv6")                                          \
	X(HOST_ECN, 13, "the device cuts such TCP with CWR")                                       \
	X(MRG_RXBUF, 15, "a frame may arrive in several buffers")                                  \
	X(STATUS, 16, "the state of the link is told")                                             \
	X(CTRL_VQ, 17, "there is a control queue")                                                 \
	X(CTRL_RX, 18, "receive modes and address tables")                                         \
	X(CTRL_VLAN, 19, "a filter of VLANs")                                                      \
	X(CTRL_RX_EXTRA, 20, "more receive modes")                                                 \
	X(GUEST_ANNOUNCE, 21, "the device can ask the driver to announce itself")                  \
	X(MQ, 22, "several queue pairs")                                                           \
	X(CTRL_MAC_ADDR, 23, "the address may be changed by command")                              \
	X(NOTF_COAL, 53, "interrupts may be held back")                                            \
	X(GUEST_USO4, 54, "the driver takes UDP over IPv4 that is to be cut (1.3)")                \
	X(GUEST_USO6, 55, "the driver takes UDP over IPv6 that is to be cut (1.3)")                \
	X(HOST_USO, 56, "the device cuts UDP (1.3)")                                               \
	X(HASH_REPORT, 57, "the hash of a frame arrives with it")                                  \
	X(RSS, 60, "frames are spread over the queues by a table of the driver's")                 \
	X(SPEED_DUPLEX, 63, "the speed is told in the configuration")

/* ---- the header before each frame, VIRTIO 1.2, 5.1.6 -------------------------------------------- */
#define PVROM_NET_HDR_NEEDS_CSUM 1u /* csum_start and csum_offset say where a sum is to be made */
#define PVROM_NET_HDR_DATA_VALID 2u /* received: the checksum was found right */

#define PVROM_NET_GSO_NONE 0u
#define PVROM_NET_GSO_TCPV4 1u
#define PVROM_NET_GSO_TCPV6 4u
#define PVROM_NET_GSO_UDP_L4 5u
#define PVROM_NET_GSO_ECN 0x80u /* beside a TCP type: the first segment alone carries CWR */

struct pvrom_net_header {
	uint8_t flags;	      /* 0: PVROM_NET_HDR_x */
	uint8_t gso_type;     /* 1: PVROM_NET_GSO_x */
	uint16_t hdr_len;     /* 2: bytes of headers; a hint that nothing here believes */
	uint16_t gso_size;    /* 4: bytes of payload in each segment */
	uint16_t csum_start;  /* 6: bytes from the frame's beginning; summed from here to the end */
	uint16_t csum_offset; /* 8: bytes from csum_start; the sum goes here */
	uint16_t num_buffers; /* 10: received with MRG_RXBUF: buffers of the frame; else 1 or 0 */
};

/* Follows struct pvrom_net_header with HASH_REPORT. */
struct pvrom_net_hash {
	uint32_t value;	 /* 0 */
	uint16_t report; /* 4: PVROM_NET_HASH_REPORT_x */
	uint16_t padding;
};

/* ---- hashes, VIRTIO 1.2, 5.1.6.4 ---------------------------------------------------------------- */
#define PVROM_NET_HASH_IPV4 (1u << 0)  /* addresses */
#define PVROM_NET_HASH_TCPV4 (1u << 1) /* addresses and ports */
#define PVROM_NET_HASH_UDPV4 (1u << 2)
#define PVROM_NET_HASH_IPV6 (1u << 3)
#define PVROM_NET_HASH_TCPV6 (1u << 4)
#define PVROM_NET_HASH_UDPV6 (1u << 5)
#define PVROM_NET_HASH_ALL 0x3fu /* of these */

#define PVROM_NET_HASH_REPORT_NONE 0u
#define PVROM_NET_HASH_REPORT_IPV4 1u
#define PVROM_NET_HASH_REPORT_TCPV4 2u
#define PVROM_NET_HASH_REPORT_UDPV4 3u
#define PVROM_NET_HASH_REPORT_IPV6 4u
#define PVROM_NET_HASH_REPORT_TCPV6 5u
#define PVROM_NET_HASH_REPORT_UDPV6 6u

#define PVROM_NET_HASH_KEY_BYTES 40u

/* ---- configuration space, VIRTIO 1.2, 5.1.4 ------------------------------------------------------ */
#define PVROM_NET_S_LINK_UP 1u
#define PVROM_NET_S_ANNOUNCE 2u /* the driver shall announce itself, and acknowledge */

#define PVROM_NET_SPEED_UNKNOWN 0xffffffffu
#define PVROM_NET_DUPLEX_FULL 1u
#define PVROM_NET_DUPLEX_UNKNOWN 0xffu

struct pvrom_net_config {
	uint8_t mac[6];				   /* 0 */
	uint16_t status;			   /* 6: PVROM_NET_S_x */
	uint16_t max_virtqueue_pairs;		   /* 8: 1 to 32,768 */
	uint16_t mtu;				   /* 10: at least 68 */
	uint32_t speed;				   /* 12: Mbit/s, or PVROM_NET_SPEED_UNKNOWN */
	uint8_t duplex;				   /* 16 */
	uint8_t rss_max_key_size;		   /* 17: bytes, at least 40 */
	uint16_t rss_max_indirection_table_length; /* 18: entries, at least 128 */
	uint32_t supported_hash_types;		   /* 20: PVROM_NET_HASH_x */
};

/* ---- the control queue, VIRTIO 1.2, 5.1.6.5 ------------------------------------------------------ */
#define PVROM_NET_CTRL_OK 0u
#define PVROM_NET_CTRL_ERR 1u

#define PVROM_NET_CTRL_RX 0u /* class; the commands' data is one byte, 0 or 1 */
#define PVROM_NET_CTRL_RX_PROMISC 0u
#define PVROM_NET_CTRL_RX_ALLMULTI 1u
#define PVROM_NET_CTRL_RX_ALLUNI 2u /* this and what follows: CTRL_RX_EXTRA */
#define PVROM_NET_CTRL_RX_NOMULTI 3u
#define PVROM_NET_CTRL_RX_NOUNI 4u
#define PVROM_NET_CTRL_RX_NOBCAST 5u

#define PVROM_NET_CTRL_MAC 1u
#define PVROM_NET_CTRL_MAC_TABLE_SET 0u /* twice: a 32-bit count and that many addresses */
#define PVROM_NET_CTRL_MAC_ADDR_SET 1u	/* 6 bytes */

#define PVROM_NET_CTRL_VLAN 2u /* 16 bits: the VLAN */
#define PVROM_NET_CTRL_VLAN_ADD 0u
#define PVROM_NET_CTRL_VLAN_DEL 1u

#define PVROM_NET_CTRL_ANNOUNCE 3u
#define PVROM_NET_CTRL_ANNOUNCE_ACK 0u

#define PVROM_NET_CTRL_MQ 4u
#define PVROM_NET_CTRL_MQ_VQ_PAIRS_SET 0u /* 16 bits: the number of pairs */
#define PVROM_NET_CTRL_MQ_RSS_CONFIG 1u
#define PVROM_NET_CTRL_MQ_HASH_CONFIG 2u

#define PVROM_NET_CTRL_GUEST_OFFLOADS 5u
#define PVROM_NET_CTRL_GUEST_OFFLOADS_SET 0u /* 64 bits: feature bits */

#define PVROM_NET_CTRL_NOTF_COAL 6u /* 32 bits: packets, 32 bits: microseconds */
#define PVROM_NET_CTRL_NOTF_COAL_TX_SET 0u
#define PVROM_NET_CTRL_NOTF_COAL_RX_SET 1u

/* All of them: X(CLASS, COMMAND, the feature it needs, bytes of its data, what it does). */
#define PVROM_NET_COMMAND_TABLE(X)                                                                 \
	X(RX, RX_PROMISC, CTRL_RX, "1", "every frame arrives")                                     \
	X(RX, RX_ALLMULTI, CTRL_RX, "1", "every multicast frame arrives")                          \
	X(RX, RX_ALLUNI, CTRL_RX_EXTRA, "1", "every unicast frame arrives")                        \
	X(RX, RX_NOMULTI, CTRL_RX_EXTRA, "1", "no multicast frame arrives")                        \
	X(RX, RX_NOUNI, CTRL_RX_EXTRA, "1", "no unicast frame arrives")                            \
	X(RX, RX_NOBCAST, CTRL_RX_EXTRA, "1", "no broadcast frame arrives")                        \
	X(MAC, MAC_TABLE_SET, CTRL_RX, "8 and more", "the unicast and the multicast addresses")    \
	X(MAC, MAC_ADDR_SET, CTRL_MAC_ADDR, "6", "the card's own address")                         \
	X(VLAN, VLAN_ADD, CTRL_VLAN, "2", "frames of this VLAN arrive")                            \
	X(VLAN, VLAN_DEL, CTRL_VLAN, "2", "and no more")                                           \
	X(ANNOUNCE, ANNOUNCE_ACK, GUEST_ANNOUNCE, "0", "the driver has announced itself")          \
	X(MQ, MQ_VQ_PAIRS_SET, MQ, "2", "how many queue pairs the driver uses")                    \
	X(MQ, MQ_RSS_CONFIG, RSS, "13 and more", "types of hash, table, pairs and key")            \
	X(MQ, MQ_HASH_CONFIG, HASH_REPORT, "13 and more", "types of hash and key")                 \
	X(GUEST_OFFLOADS, GUEST_OFFLOADS_SET, CTRL_GUEST_OFFLOADS, "8", "what the driver takes")   \
	X(NOTF_COAL, NOTF_COAL_TX_SET, NOTF_COAL, "8", "when to interrupt for what was sent")      \
	X(NOTF_COAL, NOTF_COAL_RX_SET, NOTF_COAL, "8", "when to interrupt for what arrived")

#ifdef __cplusplus
#define PVROM_NET_ASSERT(what) static_assert(what, #what)
#else
#define PVROM_NET_ASSERT(what) _Static_assert(what, #what)
#endif
PVROM_NET_ASSERT(sizeof(struct pvrom_net_header) == 12);
PVROM_NET_ASSERT(sizeof(struct pvrom_net_hash) == 8);
PVROM_NET_ASSERT(sizeof(struct pvrom_net_config) == 24);
PVROM_NET_ASSERT(offsetof(struct pvrom_net_config, supported_hash_types) == 20);
#define PVROM_NET_BIT_(NAME, bit, text) PVROM_NET_ASSERT(PVROM_NET_F_##NAME == 1ull << (bit));
PVROM_NET_FEATURE_TABLE(PVROM_NET_BIT_)
#undef PVROM_NET_BIT_
#undef PVROM_NET_ASSERT

#endif
