/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Fetching the page of page_pattern.h by HTTP, and serving it. */
#ifndef KERNEL_NET_STACK_PAGE_H
#define KERNEL_NET_STACK_PAGE_H

#include "stack.h"

/* One fetch; the caller's memory until done. */
struct page_fetch {
	uint32_t bytes;	 /* of the page so far */
	uint32_t header; /* bytes of the header's end that were seen, 4 when all were */
	uint32_t status; /* of HTTP, as far as it was read */
	uint32_t
		first_wrong; /* the first byte that is not as it must be; PAGE_BYTES or more: none */
	bool done, good;
	enum stack_tcp_end how;
};

/* Fetches it from a server; NULL: not possible now (stack_connect()). */
struct stack_tcp *page_fetch(struct stack *s, struct page_fetch *fetch, uint32_t from,
			     uint16_t port);

/* Serves it to whoever asks. */
struct page_service {
	uint32_t asked, served; /* requests, and pages of which every byte was acknowledged */
};
void page_serve(struct stack *s, struct page_service *service, uint16_t port);

#endif
