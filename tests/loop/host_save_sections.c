/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What features keep in an image: it comes back, or nothing does. */
#include "save_image.h"

static uint8_t kept[2][40];
static uint32_t stops;

static uint32_t section_offer(const struct pvrom_host *host)
{
	(void)host;
	return PVROM_REASON_NONE;
}

static size_t save_first(const struct pvrom_host *host, void *buffer, size_t room)
{
	(void)host;
	if (room >= 5)
		memcpy(buffer, kept[0], 5);
	return 5;
}

static size_t save_second(const struct pvrom_host *host, void *buffer, size_t room)
{
	(void)host;
	if (room >= 40)
		memcpy(buffer, kept[1], 40);
	return 40;
}

static bool load_first(struct pvrom_host *host, const void *buffer, size_t length)
{
	(void)host;
	if (length != 5)
		return false;
	memcpy(kept[0], buffer, 5);
	return true;
}

static bool load_second(struct pvrom_host *host, const void *buffer, size_t length)
{
	(void)host;
	if (length != 40 || *(const uint8_t *)buffer == 0xff)
		return false;
	memcpy(kept[1], buffer, 40);
	return true;
}

static void stop_first(struct pvrom_host *host)
{
	(void)host;
	stops++;
}

static const struct pvrom_host_feature first = {
	.number = PVROM_FEATURE_MEM,
	.group = PVROM_GROUP_COUNT,
	.offer = section_offer,
	.save = save_first,
	.load = load_first,
	.stop = stop_first,
};
static const struct pvrom_host_feature second = {
	.number = PVROM_FEATURE_CLOCK,
	.group = PVROM_GROUP_COUNT,
	.offer = section_offer,
	.save = save_second,
	.load = load_second,
};
static const struct pvrom_host_feature *const with_sections[] = { &pvrom_host_cpu, &first, &second,
								  NULL };

#define AT_SECTION (AT_VCPU + 0x10)

static void save_with_sections(void)
{
	world_open(&w, 1);
	w.config.features = with_sections;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	memset(kept[0], 0x11, sizeof(kept[0]));
	memset(kept[1], 0x22, sizeof(kept[1]));
	stops = 0;
	CU_ASSERT_EQUAL_FATAL(pvrom_host_save(&w.host, image, sizeof(image), &size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(size, AT_SECTION + 8 + 5 + 8 + 40);
	memset(kept, 0, sizeof(kept));
}

void sections_come_back(void)
{
	save_with_sections();
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(kept[0][4], 0x11);
	CU_ASSERT_EQUAL(kept[0][5], 0);
	CU_ASSERT_EQUAL(kept[1][39], 0x22);
	world_close(&w);
}

void sections_damaged(void)
{
	static const struct {
		uint32_t at;
		uint64_t value;
		enum pvrom_host_result result;
	} cases[] = {
		{ AT_SECTION, PVROM_FEATURE_CPU, PVROM_HOST_IMAGE_FEATURE },
		{ AT_SECTION, PVROM_FEATURE_SMP, PVROM_HOST_IMAGE_FEATURE },
		{ AT_SECTION, PVROM_FEATURE_CLOCK, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTION + 4, 4, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTION + 4, 1000, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTION + 4, 0xffffffff, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTIONS, 1, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTIONS, 3, PVROM_HOST_IMAGE_FIELD },
		{ AT_SECTIONS, 0xffffffff, PVROM_HOST_IMAGE_FIELD },
	};
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		save_with_sections();
		put(cases[i].at, cases[i].value, 4);
		make_checksum_right();
		refused(cases[i].result);
		CU_ASSERT_EQUAL(kept[0][0], 0);
		world_close(&w);
	}
}

/* A feature that refuses what it reads takes those before it with it. */
void section_refused(void)
{
	save_with_sections();
	put(AT_SECTION + 8 + 5 + 8, 0xff, 1);
	make_checksum_right();
	CU_ASSERT_EQUAL(load(), PVROM_HOST_IMAGE_FIELD);
	CU_ASSERT_EQUAL(stops, 1);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	CU_ASSERT_EQUAL(w.host.started, 0);
	CU_ASSERT_EQUAL(w.host.epoch, 1);
	world_close(&w);
}
