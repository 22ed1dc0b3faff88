/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The reference kernel's network stack in an ordinary program: pages and pings over good and bad wires, and a DHCP server
 * of the test's own. What makes no sense is in net_stack_bad.c.
 */
#include <string.h>

#include "net_stack_world.h"

/* ---- talk ------------------------------------------------------------------------------------------------ */

static void pings_are_answered(void)
{
	uint32_t len;

	open_hosts(false);
	CU_ASSERT_FALSE(stack_ping(&a.s, b.s.address, 1, 56)); /* asks who that is first */
	run(5, NULL);
	for (len = 0; len <= 1472; len += 184) {
		CU_ASSERT_TRUE(stack_ping(&a.s, b.s.address, (uint16_t)len, len));
		run(5, &a.s.ponged);
		CU_ASSERT_TRUE(a.s.ponged && a.s.pong == len);
	}
	CU_ASSERT_FALSE(stack_ping(&a.s, b.s.address, 1, 1473));
	CU_ASSERT_EQUAL(b.s.counters.echoes, 9);
	CU_ASSERT_EQUAL(a.s.counters.bad + b.s.counters.bad + wrong_sums, 0);
}

static void a_page_arrives(void)
{
	struct page_service service;
	struct page_fetch f;
	uint32_t offloads;

	for (offloads = 0; offloads < 2; offloads++) {
		open_hosts(offloads);
		page_serve(&b.s, &service, 80);
		stack_resolve(&a.s, b.s.address);
		CU_ASSERT_TRUE(fetch(&f, 60000));
		run(20000, NULL);
		CU_ASSERT_TRUE(service.asked == 1 && service.served == 1);
		CU_ASSERT_EQUAL(a.s.counters.bad + b.s.counters.bad + wrong_sums, 0);
		CU_ASSERT_EQUAL(b.s.counters.resent, 0);
		CU_ASSERT_TRUE(offloads ? cut > 5 : !cut);
		CU_ASSERT_EQUAL(b.s.tcp[0].state, TCP_FREE);
		CU_ASSERT_EQUAL(a.s.tcp[0].state, TCP_FREE);
	}
}

/* One in 20 of each, 30 times: whatever happens, not a byte is wrong. */
static void a_page_arrives_over_a_bad_wire(void)
{
	struct page_service service;
	struct page_fetch f;
	uint32_t i, good = 0;

	for (i = 0; i < 30; i++) {
		open_hosts(i & 1);
		seed = i;
		stack_resolve(&a.s, b.s.address);
		run(10, NULL);
		stack_resolve(&b.s, a.s.address);
		run(10, NULL);
		lost = doubled = swapped = altered = 50;
		page_serve(&b.s, &service, 80);
		good += fetch(&f, 3000000);
		CU_ASSERT_EQUAL(f.first_wrong, UINT32_MAX);
		CU_ASSERT_TRUE(b.s.counters.resent > 5);
	}
	CU_ASSERT_TRUE(good >= 29); /* seven losses in a row end a connection, as they should */
	CU_ASSERT_EQUAL(wrong_sums, 0);
}

/* The peer says so, and it is sent again long before a second is over. */
static void one_loss_costs_no_timeout(void)
{
	struct page_service service;
	struct page_fetch f;

	open_hosts(false);
	page_serve(&b.s, &service, 80);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	lose_one = 40;
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 80) != NULL);
	run(900, &f.done);
	CU_ASSERT_TRUE(f.good && !lose_one && b.s.counters.resent == 1);
}

static void nobody_there_is_noticed(void)
{
	struct page_fetch f;

	open_hosts(false);
	stack_resolve(&a.s, b.s.address);
	run(10, NULL);
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 81) != NULL); /* nobody listens */
	run(5000, &f.done);
	CU_ASSERT_TRUE(f.done && f.how == TCP_RESET && b.s.counters.resets == 1);
	lost = 1000;
	CU_ASSERT_TRUE(page_fetch(&a.s, &f, b.s.address, 80) != NULL);
	run(100000, &f.done);
	CU_ASSERT_TRUE(f.done && f.how == TCP_SILENT);
}

/* ---- DHCP -------------------------------------------------------------------------------------------------- */

/* The test's answer to what a said last. */
static void answer_dhcp(uint32_t type, uint32_t address, const uint8_t *more, uint32_t more_len)
{
	static uint8_t f[700];
	uint8_t *ip = f + 14, *udp = ip + 20, *dhcp = udp + 8, *at = dhcp + 240;
	uint32_t len;

	memset(f, 0, sizeof(f));
	memset(f, 0xff, 6);
	f[6] = 2;
	f[11] = 9;
	put16(f + 12, 0x0800);
	memcpy(dhcp, last_dhcp + 42, 240);
	dhcp[0] = 2;
	put32(dhcp + 16, address);
	memcpy(at, "\x35\x01", 2);
	at[2] = (uint8_t)type;
	memcpy(at + 3, "\x36\x04\x0a\x00\x02\x02\x01\x04\xff\xff\xff\x00\x03\x04\x0a\x00\x02\x02",
	       18);
	memcpy(at + 21, more, more_len);
	len = (uint32_t)(at + 21 + more_len - udp);
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, len);
	put16(ip, 0x4500);
	put16(ip + 2, len + 20);
	put16(ip + 8, 64 << 8 | 17);
	put32(ip + 12, 0x0a000202);
	put32(ip + 16, 0xffffffff);
	put16(ip + 10, stack_fold(stack_sum(0, ip, 20)));
	stack_input(&a.s, f, 14 + 20 + len, false);
}

static void an_address_comes_by_dhcp(void)
{
	open_hosts(false);
	stack_dhcp(&a.s);
	CU_ASSERT_TRUE(last_dhcp_len > 282 && !a.s.address);
	last_dhcp_len = 0;
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_TRUE(a.s.dhcp.state == DHCP_REQUESTING && last_dhcp_len);
	answer_dhcp(5, 0x0a000210, (const uint8_t *)"\xff", 1); /* not the one that was offered */
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_REQUESTING);
	answer_dhcp(5, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_TRUE(a.s.dhcp.state == DHCP_BOUND && a.s.address == 0x0a00020f &&
		       a.s.mask == 0xffffff00 && a.s.gateway == 0x0a000202);
}

static void dhcp_asks_again_and_begins_anew(void)
{
	uint32_t xid;

	open_hosts(false);
	stack_dhcp(&a.s);
	xid = a.s.dhcp.xid;
	run(1100, NULL);
	CU_ASSERT_TRUE(a.s.dhcp.xid != xid);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	answer_dhcp(6, 0, (const uint8_t *)"\xff", 1);
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_SELECTING);
}

/* Options behind the end, addresses that nobody can have, another's answer: none is taken. */
static void dhcp_that_lies(void)
{
	static const uint32_t never[] = { 0,	      0x7f000001, 0xe0000001,
					  0xffffffff, 0x0a0002ff, 0x0a000200 };
	uint32_t i;

	open_hosts(false);
	stack_dhcp(&a.s);
	for (i = 0; i < 6; i++)
		answer_dhcp(2, never[i], (const uint8_t *)"\xff", 1);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x0c\xff", 2);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x0c", 1);
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x01\x04\x00\x00\x00\x00\xff", 7); /* mask */
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\x01\x04\xff\x00\xff\x00\xff", 7);
	last_dhcp[42 + 4] ^= 1; /* xid */
	answer_dhcp(2, 0x0a00020f, (const uint8_t *)"\xff", 1);
	CU_ASSERT_EQUAL(a.s.dhcp.state, DHCP_SELECTING);
	CU_ASSERT_EQUAL(a.s.counters.bad, 2);
}

int main(void)
{
	static const struct tap_test tests[] = {
		TAP_TEST(pings_are_answered),
		TAP_TEST(a_page_arrives),
		TAP_TEST(a_page_arrives_over_a_bad_wire),
		TAP_TEST(one_loss_costs_no_timeout),
		TAP_TEST(nobody_there_is_noticed),
		TAP_TEST(an_address_comes_by_dhcp),
		TAP_TEST(dhcp_asks_again_and_begins_anew),
		TAP_TEST(dhcp_that_lies),
		TAP_TEST(altered_frames_do_no_harm),
		TAP_TEST(a_flood_of_beginnings),
		TAP_TEST(who_guesses_changes_nothing),
		TAP_TEST(tcp_headers_that_lie),
		TAP_TEST(frames_cut_short),
		{ 0 },
	};

	return tap_run("net stack", tests);
}
