/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the reference kernel's TCP refuses: segments that are right but for one thing, each of which would have an
 * effect without the check that it is there for. Beside it, net_stack_test.c has connections, and
 * net_stack_bad.c who guesses at one.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/net/stack_internal.h"
#include "../cunit_tap.h"

#define US 0x0a000002u
#define THEM 0x0a000001u
#define PORT 80u

static struct stack s;
static uint8_t frame[256];
static uint32_t len, answers, answer_flags, taken;

static bool keep_answer(void *ctx, const struct pvrom_net_header *header, const uint8_t *bytes,
			uint32_t bytes_len)
{
	(void)ctx;
	(void)header;
	if (bytes_len >= 54 && bytes[23] == PROTOCOL_TCP) {
		answers++;
		answer_flags = bytes[47];
	}
	return true;
}

static void give_zeros(struct stack_tcp *tcp, uint32_t offset, uint8_t *to, uint32_t bytes)
{
	(void)tcp;
	(void)offset;
	memset(to, 0, bytes);
}

static void count_taken(struct stack_tcp *tcp, const uint8_t *bytes, uint32_t n)
{
	(void)tcp;
	(void)bytes;
	taken += n;
}

static void nothing_more(struct stack_tcp *tcp, enum stack_tcp_end how)
{
	(void)tcp;
	(void)how;
}

static const struct stack_user user = { give_zeros, count_taken, nothing_more };

static void fresh_stack(void)
{
	static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };
	const struct stack_link link = { .send = keep_answer };

	stack_init(&s, &link, our_mac, 1500, 1);
	s.address = US;
	s.mask = 0xffffff00;
	s.neighbour[0] = (struct stack_neighbour){ .address = THEM,
						   .mac = { 2, 0, 0, 0, 0, 1 },
						   .known = true };
	stack_listen(&s, PORT, &user, NULL);
	answers = answer_flags = taken = 0;
}

struct made {
	uint32_t to, seq, ack, flags;
	uint16_t from_port, port;
	uint8_t option[4];
	uint32_t options, data; /* bytes */
};

static void make(const struct made *m)
{
	uint8_t *const ip = frame + 14, *const tcp = ip + 20;
	const uint32_t bytes = 20 + m->options + m->data, to = m->to ? m->to : US;

	memset(frame, 0, sizeof(frame));
	put16(frame + 12, 0x0800);
	put16(ip, 0x4500);
	put16(ip + 2, 20 + bytes);
	put16(ip + 8, 64 << 8 | PROTOCOL_TCP);
	put32(ip + 12, THEM);
	put32(ip + 16, to);
	put16(ip + 10, stack_fold(stack_sum(0, ip, 20)));
	put16(tcp, m->from_port ? m->from_port : 5000);
	put16(tcp + 2, m->port ? m->port : PORT);
	put32(tcp + 4, m->seq);
	put32(tcp + 8, m->ack);
	put16(tcp + 12, (20 + m->options) / 4 << 12 | m->flags);
	put16(tcp + 14, 65535);
	memcpy(tcp + 20, m->option, m->options);
	put16(tcp + 16,
	      stack_fold(stack_sum(stack_pseudo(THEM, to, PROTOCOL_TCP, bytes), tcp, bytes)));
	len = 34 + bytes;
}

static void give(bool summed)
{
	uint8_t *const exact = malloc(len);

	memcpy(exact, frame, len);
	stack_input(&s, exact, len, summed);
	free(exact);
	stack_tick(&s, s.now + 1);
}

static void segment(struct made m)
{
	make(&m);
	give(false);
}

/* A connection to us, of which 100 bytes are to be sent. */
static struct stack_tcp *opened(void)
{
	struct stack_tcp *t = &s.tcp[0];

	fresh_stack();
	segment((struct made){ .seq = 99, .flags = TCP_SYN });
	CU_ASSERT_EQUAL_FATAL(t->state, TCP_SYN_RECEIVED);
	segment((struct made){ .seq = 100, .ack = t->iss + 1, .flags = TCP_ACK });
	CU_ASSERT_EQUAL_FATAL(t->state, TCP_OPEN);
	t->total = 100;
	stack_tick(&s, s.now + 1);
	CU_ASSERT_EQUAL(t->nxt, t->iss + 101);
	return t;
}

/* ---- the cases ------------------------------------------------------------------------------------------------ */

static uint16_t mss_of(struct made m)
{
	fresh_stack();
	m.flags = TCP_SYN;
	segment(m);
	return s.tcp[0].mss;
}

static void sizes_of_segments(void)
{
	CU_ASSERT_EQUAL(mss_of((struct made){ .option = { 2, 4, 4, 0 }, .options = 4 }), 1024);
	CU_ASSERT_EQUAL(mss_of((struct made){ .option = { 2, 4, 35, 40 }, .options = 4 }), 1460);
	CU_ASSERT_EQUAL(mss_of((struct made){ .option = { 2, 4, 0, 1 }, .options = 4 }), 48);
	CU_ASSERT_EQUAL(mss_of((struct made){ .option = { 2, 3, 4, 0 }, .options = 4 }), 536);
	CU_ASSERT_EQUAL(mss_of((struct made){ .options = 0 }), 536);
}

static void sums(void)
{
	const struct made syn = { .flags = TCP_SYN };

	fresh_stack();
	make(&syn);
	frame[50] ^= 1;
	give(false);
	CU_ASSERT(s.counters.bad == 1 && s.tcp[0].state == TCP_FREE && !answers);
	give(true); /* the card has judged it, or it is open */
	CU_ASSERT_EQUAL(s.tcp[0].state, TCP_SYN_RECEIVED);
}

static void segments_of_no_connection(void)
{
	fresh_stack();
	segment((struct made){ .flags = TCP_RST });
	segment((struct made){ .flags = TCP_RST | TCP_ACK, .port = 81 });
	CU_ASSERT_EQUAL(answers, 0); /* a reset is not answered */
	segment((struct made){ .flags = TCP_SYN, .to = 0x0a0000ff });
	CU_ASSERT(!answers && s.tcp[0].state == TCP_FREE); /* nor is what goes to everybody */
	segment((struct made){ .flags = TCP_SYN | TCP_ACK });
	CU_ASSERT(answers == 1 && answer_flags == TCP_RST && s.tcp[0].state == TCP_FREE);
	segment((struct made){ .flags = TCP_SYN, .port = 81 });
	CU_ASSERT(answers == 2 && answer_flags == (TCP_RST | TCP_ACK));
	s.address = 0;
	segment((struct made){ .flags = TCP_SYN });
	CU_ASSERT_EQUAL(answers, 2);
}

static void answers_to_a_beginning(void)
{
	struct stack_tcp *t;

	fresh_stack();
	t = stack_connect(&s, THEM, 5000, &user, NULL);
	CU_ASSERT_FATAL(t != NULL);
	segment((struct made){ .port = t->port, .ack = t->iss + 2, .flags = TCP_SYN | TCP_ACK });
	CU_ASSERT(t->state == TCP_SYN_SENT && answer_flags == TCP_RST);
	segment((struct made){ .port = t->port, .flags = TCP_RST });
	segment((struct made){ .port = t->port, .ack = t->iss, .flags = TCP_RST | TCP_ACK });
	segment((struct made){ .port = t->port, .flags = TCP_SYN });
	CU_ASSERT_EQUAL(t->state, TCP_SYN_SENT);
	segment((struct made){ .port = t->port, .ack = t->iss + 1, .flags = TCP_SYN | TCP_ACK });
	CU_ASSERT_EQUAL(t->state, TCP_OPEN);
}

static void segments_outside_the_window(void)
{
	struct stack_tcp *t = opened();
	const uint32_t una = t->una;

	segment((struct made){ .seq = 100 + 70000, .ack = una + 100, .flags = TCP_ACK });
	segment((struct made){ .seq = 90, .ack = una + 100, .flags = TCP_ACK, .data = 5 });
	CU_ASSERT_EQUAL(t->una, una);
	segment((struct made){ .to = 0x0a0000ff, .seq = 100, .ack = una + 100, .flags = TCP_ACK });
	CU_ASSERT_EQUAL(t->una, una);
	segment((struct made){ .seq = 100, .ack = una + 100, .flags = TCP_ACK });
	CU_ASSERT_EQUAL(t->una, una + 100);
}

static void data_behind_the_end(void)
{
	struct stack_tcp *t = opened();

	segment((struct made){ .seq = 100, .ack = t->una, .flags = TCP_ACK | TCP_FIN, .data = 10 });
	CU_ASSERT(t->peer_ended && taken == 10 && t->rcv == 111);
	segment((struct made){ .seq = 111, .ack = t->una, .flags = TCP_ACK, .data = 10 });
	segment((struct made){ .seq = 111, .ack = t->una, .flags = TCP_ACK | TCP_FIN });
	CU_ASSERT(taken == 10 && t->rcv == 111);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(sizes_of_segments),
		TAP_TEST(sums),
		TAP_TEST(segments_of_no_connection),
		TAP_TEST(answers_to_a_beginning),
		TAP_TEST(segments_outside_the_window),
		TAP_TEST(data_behind_the_end),
		{ 0 },
	};

	return tap_run("net stack, segments", tests);
}
