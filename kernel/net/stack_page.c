/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* One page over HTTP/1.0, either end of it. */
#include "stack_page.h"

#include "page_pattern.h"

static const char request[] = PAGE_REQUEST;
static const char header[] = PAGE_HEADER;
#define HEADER_BYTES (sizeof(header) - 1)
#define REQUEST_BYTES (sizeof(request) - 1)

/* ---- fetching ------------------------------------------------------------------------------------------ */

static void give_request(struct stack_tcp *tcp, uint32_t offset, uint8_t *to, uint32_t len)
{
	(void)tcp;
	__builtin_memcpy(to, request + offset, len);
}

/* "HTTP/1.x NNN", and the empty line that ends the header. */
static void take_header(struct page_fetch *f, uint8_t byte)
{
	static const char end[] = "\r\n\r\n";
	const uint32_t at = f->bytes++;

	if (at > 8 && at < 12)
		f->status = f->status * 10 + (uint32_t)(byte - '0');
	f->header = byte == (uint8_t)end[f->header] ? f->header + 1 : byte == '\r';
	if (f->header == 4)
		f->bytes = 0;
}

static void take_page(struct stack_tcp *tcp, const uint8_t *bytes, uint32_t len)
{
	struct page_fetch *f = tcp->ctx;
	uint32_t i;

	tcp->ended |= !len;
	for (i = 0; i < len; i++) {
		if (f->header < 4) {
			take_header(f, bytes[i]);
			continue;
		}
		if (bytes[i] != page_byte(f->bytes) && f->first_wrong > f->bytes)
			f->first_wrong = f->bytes;
		f->bytes++;
	}
}

static void fetch_ended(struct stack_tcp *tcp, enum stack_tcp_end how)
{
	struct page_fetch *f = tcp->ctx;

	f->done = true;
	f->how = how;
	f->good = how == TCP_WELL && f->header == 4 && f->status == 200 && f->bytes == PAGE_BYTES &&
		  f->first_wrong == UINT32_MAX;
}

struct stack_tcp *page_fetch(struct stack *s, struct page_fetch *fetch, uint32_t from,
			     uint16_t port)
{
	static const struct stack_user user = { give_request, take_page, fetch_ended };
	struct stack_tcp *tcp;

	*fetch = (struct page_fetch){ .first_wrong = UINT32_MAX };
	tcp = stack_connect(s, from, port, &user, fetch);
	if (tcp)
		tcp->total = REQUEST_BYTES;
	return tcp;
}

/* ---- serving -------------------------------------------------------------------------------------------- */

static void give_page(struct stack_tcp *tcp, uint32_t offset, uint8_t *to, uint32_t len)
{
	uint32_t i;

	(void)tcp;
	for (i = 0; i < len; i++, offset++)
		to[i] = offset < HEADER_BYTES ? (uint8_t)header[offset]
					      : page_byte((uint32_t)(offset - HEADER_BYTES));
}

/* Any request will do; an end without one gets nothing. */
static void take_request(struct stack_tcp *tcp, const uint8_t *bytes, uint32_t len)
{
	struct page_service *service = tcp->ctx;

	(void)bytes;
	if (tcp->ended)
		return;
	tcp->ended = true;
	if (!len)
		return;
	tcp->total = HEADER_BYTES + PAGE_BYTES;
	service->asked++;
}

static void service_ended(struct stack_tcp *tcp, enum stack_tcp_end how)
{
	struct page_service *service = tcp->ctx;

	service->served += how == TCP_WELL && tcp->total;
}

void page_serve(struct stack *s, struct page_service *service, uint16_t port)
{
	static const struct stack_user user = { give_page, take_request, service_ended };

	*service = (struct page_service){ 0 };
	stack_listen(s, port, &user, service);
}
