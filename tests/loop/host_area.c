/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The vCPU area: where it may be, what is written into it, whose it is, its EOI word, and its end. */
#include "host_world.h"

static struct world w;

#define CALL(call, a, b) world_call(&w, 0, PVROM_BASE_##call, a, b, 0)

static void area_is_written(void)
{
	const struct pvrom_vcpu_area *area;
	struct pvrom_vcpu_area expected = {
		.size = 0x800, .major = PVROM_MAJOR, .minor = PVROM_MINOR, .epoch = 1, .vcpu = 2
	};

	world_open(&w, 3);
	memset(world_at(&w, 0x3000), 0xff, 0x2000);
	world_note(&w);
	CU_ASSERT_EQUAL(world_call(&w, 2, PVROM_BASE_VCPU_AREA, 0x3800, 0x800, 0), PVROM_STATUS_OK);
	area = world_at(&w, 0x3800);
	CU_ASSERT_EQUAL(memcmp(area, &expected, sizeof(expected)), 0);
	CU_ASSERT_TRUE(world_unchanged(&w, 0x3800, 0x800));
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 0, 0), 2);
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 0, 1), 0x3800);
	world_close(&w);
}

static void area_size(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x7ff), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x1001), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, ~0ull), PVROM_STATUS_INVALID);
	CU_ASSERT_EQUAL(w.events, 0);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x1000), PVROM_STATUS_OK);
	world_close(&w);
}

static void area_address(void)
{
	static const uint64_t wrong[] = { 0x3001,
					  0x3008,
					  0x3100,
					  0x3400,
					  WORLD_LOW_END,
					  WORLD_HOLE,
					  WORLD_MID_END,
					  WORLD_HIGH - 0x800,
					  ~0x7ffull - 0x800,
					  0xfffffffffffff800 };
	uint32_t i;

	world_open(&w, 1);
	world_note(&w);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(CALL(VCPU_AREA, wrong[i], 0x800), PVROM_STATUS_ADDRESS);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, WORLD_LOW_END - 0x800, 0x801), PVROM_STATUS_ADDRESS);
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, WORLD_LOW_END - 0x800, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, WORLD_HIGH_END - 0x800, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, WORLD_BACK + 0x800, 0x800), PVROM_STATUS_OK);
	w.longest = 1024;
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x800), PVROM_STATUS_ADDRESS);
	world_close(&w);
}

static void area_of_another(void)
{
	world_open(&w, 2);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x3000, 0x800, 0),
			PVROM_STATUS_BUSY);
	CU_ASSERT_EQUAL(((struct pvrom_vcpu_area *)world_at(&w, 0x3000))->vcpu, 0);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x3800, 0x800, 0), PVROM_STATUS_OK);
	/* The same vCPU may register its own again, and move. */
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x4000, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x3000, 0x800, 0), PVROM_STATUS_OK);
	world_close(&w);
}

/* The guest ends by clearing the bit, or the host takes it back; never both, and only once. */
static void eoi_word(void)
{
	struct pvrom_host_vcpu *vcpu = &w.vcpu[1];
	struct pvrom_vcpu_area *area;

	world_open(&w, 3);
	pvrom_host_eoi_offer(vcpu);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, true)); /* no area */
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x3800, 0x800, 0), PVROM_STATUS_OK);
	area = world_at(&w, 0x3800);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, true)); /* nothing was offered */
	pvrom_host_eoi_offer(vcpu);
	CU_ASSERT_EQUAL(area->eoi, PVROM_VCPU_EOI_IDLE);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, false));
	area->eoi = 0;
	CU_ASSERT_TRUE(pvrom_host_eoi_ended(vcpu, false));
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, false));
	pvrom_host_eoi_offer(vcpu);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, true));
	CU_ASSERT_EQUAL(area->eoi, 0);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, false)); /* taken back: the end is a call */
	pvrom_host_eoi_offer(vcpu);
	CU_ASSERT_EQUAL(world_call(&w, 1, PVROM_BASE_VCPU_AREA, 0x4000, 0x800, 0), PVROM_STATUS_OK);
	CU_ASSERT_FALSE(pvrom_host_eoi_ended(vcpu, false)); /* another area */
	world_close(&w);
}

static void area_released(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, PVROM_VCPU_AREA_NONE, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, 0x3000, 0x800), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(CALL(VCPU_AREA, PVROM_VCPU_AREA_NONE, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 1, 1), PVROM_VCPU_AREA_NONE);
	world_note(&w);
	pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "VCPU_AREA writes the area [PVROM-BASE-6 PVROM-VCPU-2]", area_is_written },
	{ "VCPU_AREA and sizes [PVROM-BASE-7]", area_size },
	{ "VCPU_AREA and addresses [PVROM-BASE-7]", area_address },
	{ "VCPU_AREA of another vCPU [PVROM-BASE-8 PVROM-BASE-9 PVROM-VCPU-5]", area_of_another },
	{ "the area's EOI word, offered, ended and taken back", eoi_word },
	{ "VCPU_AREA released [PVROM-BASE-8 PVROM-VCPU-3]", area_released },
	{ 0 }
};

int main(void)
{
	return world_main("host_area", tests);
}
