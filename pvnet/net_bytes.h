/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Numbers as they go over the wire, upper byte first, and the places of the fields that pvnet uses:
 * IEEE 802.3 and 802.1Q, RFC 791, 8200, 9293, 768.
 */
#ifndef PVNET_NET_BYTES_H
#define PVNET_NET_BYTES_H

#include <stdint.h>

#define ETHERNET_BYTES 14u
#define ETHERNET_TYPE 12u
#define VLAN_BYTES 4u
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define TYPE_VLAN 0x8100u
#define TYPE_VLAN_OUTER 0x88a8u

#define IPV4_BYTES 20u
#define IPV4_TOTAL 2u
#define IPV4_ID 4u
#define IPV4_FRAGMENT 6u
#define IPV4_PROTOCOL 9u
#define IPV4_SUM 10u
#define IPV4_ADDRESSES 12u
#define IPV6_BYTES 40u
#define IPV6_PAYLOAD 4u
#define IPV6_NEXT 6u
#define IPV6_ADDRESSES 8u

#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u
#define TCP_BYTES 20u
#define TCP_SEQUENCE 4u
#define TCP_OFFSET 12u
#define TCP_FLAGS 13u
#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define TCP_CWR 0x80u
#define TCP_SUM 16u
#define UDP_BYTES 8u
#define UDP_LENGTH 4u
#define UDP_SUM 6u

static inline uint16_t wire16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire32(const uint8_t *at)
{
	return (uint32_t)wire16(at) << 16 | wire16(at + 2);
}

static inline void set_wire16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void set_wire32(uint8_t *at, uint32_t value)
{
	set_wire16(at, value >> 16);
	set_wire16(at + 2, value);
}

#endif
