/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Every device that lies, with all checks of the driver, and with the one that the case is about taken out. */
#include "net_lies.h"

#include "../cunit_tap.h"

static const struct net_lie *const lists[] = { net_lies_begin, net_lies_frames, net_lies_headers,
					       net_lies_rings, net_lies_commands };
#define LISTS (sizeof(lists) / sizeof(lists[0]))
#define CASES 76u

static bool run_case(const struct net_lie *l)
{
	const struct ngw_setup setup = { .pairs = 2, .mtu = 1500 };
	struct net_guest_world *w = net_guest_world_open(&setup);
	const bool good = l->run(w);

	net_guest_world_close(w);
	return good;
}

static void every_device_is_borne(void)
{
	const struct net_lie *l;
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < LISTS; i++)
		for (l = lists[i]; l->name; l++, count++) {
			const bool good = run_case(l);

			if (!good)
				tap_note("%s", l->name);
			CU_ASSERT_TRUE(good);
		}
	CU_ASSERT_EQUAL(count, CASES);
}

static void each_check_is_needed(void)
{
	const struct net_lie *l;
	bool noticed[64] = { false };
	size_t i;

	for (i = 0; i < LISTS; i++)
		for (l = lists[i]; l->name; l++) {
			if (!l->check)
				continue;
			pvrom_net_guest_check_off = l->check;
			noticed[l->check] = true;
			if (run_case(l)) {
				tap_note("%s passes without its check", l->name);
				CU_FAIL("a case that proves nothing");
			}
		}
	pvrom_net_guest_check_off = 0;
#define NOTICED(NAME, number, text) CU_ASSERT_TRUE(noticed[number]);
	PVROM_NET_GUEST_CHECK_TABLE(NOTICED)
}

int main(void)
{
	static const struct tap_test tests[] = {
		{ "76 hostile devices [PVROM-NET-30] [PVROM-NET-34] [PVROM-NET-35] [PVROM-NET-36]",
		  every_device_is_borne },
		{ "each check is needed", each_check_is_needed },
		{ 0 },
	};

	return tap_run("net devices", tests);
}
