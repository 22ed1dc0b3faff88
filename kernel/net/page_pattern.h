/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The page that the kernel serves and fetches: bytes that each say where they stand. Shared with
 * tools/net-peer.c, which is the other end.
 */
#ifndef KERNEL_NET_PAGE_PATTERN_H
#define KERNEL_NET_PAGE_PATTERN_H

#include <stdint.h>

#define PAGE_BYTES 300001u
#define PAGE_HEADER                                                                                \
	"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "            \
	"300001\r\n\r\n"
#define PAGE_REQUEST "GET /page HTTP/1.0\r\n\r\n"

/* No period that a lost, doubled or misplaced part of a segment could hide in. */
static inline uint8_t page_byte(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

#endif
