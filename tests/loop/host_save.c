/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Saving and loading: what comes back. What must not is in host_save_bad.c, what features keep in host_save_sections.c. */
#include <stdlib.h>

#include "../../digest/digest.h"
#include "save_image.h"

static void what_comes_back(void)
{
	const struct pvrom_vcpu_area *area;

	save_a_machine();
	memset(world_at(&w, WORLD_HIGH + 8), 0, 8);
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(w.host.sealed, ALL_FEATURES);
	CU_ASSERT_EQUAL(w.host.epoch, 3);
	CU_ASSERT_EQUAL(w.host.alarm_vector, WORLD_ALARM_VECTOR);
	CU_ASSERT_EQUAL(w.host.kick_vector, WORLD_KICK_VECTOR);
	CU_ASSERT_EQUAL(w.vcpu[0].area_gpa, 0x3000);
	CU_ASSERT_EQUAL(w.vcpu[1].area_gpa, PVROM_VCPU_AREA_NONE);
	CU_ASSERT_EQUAL(w.vcpu[2].area_gpa, WORLD_HIGH);
	/* The embedder hears of it, the guest too, and the calls of the old set are answered. */
	CU_ASSERT_EQUAL(world_arg(&w, W_AREA, 1, 1), WORLD_HIGH);
	CU_ASSERT_EQUAL(world_arg(&w, W_EVENT, 2, 1), WORLD_EPOCH_VECTOR);
	area = world_at(&w, WORLD_HIGH);
	CU_ASSERT_EQUAL(area->epoch, 3);
	CU_ASSERT_EQUAL(pvrom_host_live_read(&w.vcpu[1]), 0x12345678 ^ 0xabcd);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_CLOCK_ALARM_SET, 9, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.alarm_vector[0], WORLD_ALARM_VECTOR);
	world_close(&w);
}

static void an_empty_machine(void)
{
	world_open(&w, 1);
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, image, sizeof(image), &size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	CU_ASSERT_EQUAL(w.host.epoch, 2);
	world_close(&w);
}

/* A proposal that was under way: its commit is STALE, and the guest asks again. */
static void a_proposal_under_way(void)
{
	world_open(&w, 1);
	world_proposal(&w, 0x1000, ALL_FEATURES, 0);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_NEGOTIATE, 0x1000, PVROM_NEGOTIATE_PROPOSE, 0),
			PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, image, sizeof(image), &size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_NEGOTIATE, 0x1000, PVROM_NEGOTIATE_COMMIT, 0),
			PVROM_STATUS_STALE);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	world_close(&w);
}

/* The offer may be another one over there: the sealed set is answered until the guest commits. */
static void onto_other_hardware(void)
{
	save_a_machine();
	w.config.hardware = PVROM_HW_APIC | PVROM_HW_NESTED_PAGING;
	w.config.operator_off = FEATURE(SMP);
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_SMP_KICK, 1, 0, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(w.host.sealed, FEATURE(CPU));
	world_close(&w);
}

static void the_epoch_rises_over_both(void)
{
	uint32_t i;

	save_a_machine();
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	for (i = 0; i < 10; i++)
		pvrom_host_raise_epoch(&w.host);
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(w.host.epoch, 12);
	world_close(&w);
}

static void a_machine_wakes_in_its_memory(void)
{
	save_a_machine();
	w.config.epoch_before = w.host.epoch;
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(w.host.epoch, 3);
	CU_ASSERT_EQUAL(w.host.sealed, 0);
	CU_ASSERT_EQUAL(w.vcpu[0].area_gpa, PVROM_VCPU_AREA_NONE);
	world_close(&w);
}

static void the_image_names_rom_and_transport(void)
{
	uint8_t digest[32];

	save_a_machine();
	pvrom_sha256(world_at(&w, WORLD_ROM), w.host.rom_size, digest);
	CU_ASSERT_EQUAL(memcmp(image + AT_DIGEST, digest, 32), 0);
	CU_ASSERT_EQUAL(memcmp(w.host.rom_digest, digest, 32), 0);
	CU_ASSERT_EQUAL(get(AT_TRANSPORT, 4), PVROM_TRANSPORT_PORT | 0x51 << 16);
	CU_ASSERT_EQUAL(memcmp(image, "pvROMsav", 8), 0);
	CU_ASSERT_EQUAL(get(AT_FORMAT, 2), 1);
	CU_ASSERT_EQUAL(get(AT_SIZE, 4), size);
	CU_ASSERT_EQUAL(get(AT_EPOCH, 8), 2);
	CU_ASSERT_EQUAL(get(AT_SEALED, 8), ALL_FEATURES);
	world_close(&w);
}

static void saving_twice_gives_the_same(void)
{
	static uint8_t again[8192];
	size_t other;

	save_a_machine();
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, again, sizeof(again), &other), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(other, size);
	CU_ASSERT_EQUAL(memcmp(image, again, size), 0);
	world_close(&w);
}

static void room_to_save(void)
{
	uint8_t *tight;
	size_t room, need;

	save_a_machine();
	for (room = 0; room <= size; room++) {
		tight = malloc(room + 1);
		CU_ASSERT_EQUAL(pvrom_host_save(&w.host, tight, room, &need),
				room < size ? PVROM_HOST_NO_ROOM : PVROM_HOST_OK);
		CU_ASSERT_EQUAL(need, size);
		free(tight);
	}
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, NULL, 0, &need), PVROM_HOST_NO_ROOM);
	CU_ASSERT_EQUAL(need, size);
	world_close(&w);
}

/* As many vCPUs as there can be: the work of each call and of a load is bounded by them. */
static void four_thousand_vcpus(void)
{
	static struct pvrom_host_vcpu many[4096];
	static uint8_t large[0x68 + 4096 * 16];
	uint32_t i;

	world_open(&w, 1);
	w.config.vcpus = 4096;
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, many), PVROM_HOST_OK);
	w.host.rom_size = 512;
	for (i = 0; i < 128; i++) {
		struct pvrom_host_regs regs = { .call = PVROM_BASE_VCPU_AREA,
						.mode64 = 1,
						.arg = { i * 0x800, 0x800 } };

		pvrom_host_call(&many[4095 - i], &regs);
		CU_ASSERT_EQUAL(regs.status, PVROM_STATUS_OK);
	}
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, large, sizeof(large), &size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(size, sizeof(large));
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, many), PVROM_HOST_OK);
	w.host.rom_size = 512;
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, large, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(many[4095].area_gpa, 0);
	CU_ASSERT_EQUAL(((struct pvrom_vcpu_area *)world_at(&w, 0x3f800))->epoch, 2);
	CU_ASSERT_EQUAL(((struct pvrom_vcpu_area *)world_at(&w, 0x3f800))->vcpu, 3968);
	world_close(&w);
}

static const struct tap_test tests[] = {
	{ "sealed set, areas, vectors and nonces come back [PVROM-STATE-4 PVROM-STATE-6]",
	  what_comes_back },
	{ "a machine without anything", an_empty_machine },
	{ "a proposal under way is STALE afterwards", a_proposal_under_way },
	{ "loaded onto other hardware [PVROM-STATE-6 PVROM-NEG-19]", onto_other_hardware },
	{ "the epoch rises over both [PVROM-STATE-5 PVROM-NEG-24]", the_epoch_rises_over_both },
	{ "a machine wakes in its memory [PVROM-STATE-7 PVROM-NEG-24]",
	  a_machine_wakes_in_its_memory },
	{ "the image names ROM and transport [PVROM-STATE-1]", the_image_names_rom_and_transport },
	{ "saving changes nothing", saving_twice_gives_the_same },
	{ "room to save", room_to_save },
	{ "4096 vCPUs", four_thousand_vcpus },
	{ "every damaged bit is noticed [PVROM-STATE-3]", damaged_bits },
	{ "truncated at every length [PVROM-STATE-3]", truncated },
	{ "magic, format and size [PVROM-STATE-3]", magic_and_format },
	{ "checksum [PVROM-STATE-3]", checksum },
	{ "another transport [PVROM-STATE-2]", other_transport },
	{ "another number of vCPUs [PVROM-STATE-3]", other_number_of_vcpus },
	{ "epochs and sets [PVROM-STATE-3]", epochs_and_sets },
	{ "vectors [PVROM-STATE-3]", vectors },
	{ "areas [PVROM-STATE-3]", areas },
	{ "a feature is missing [PVROM-STATE-6]", a_feature_is_missing },
	{ "not into a machine that runs", not_just_set_up },
	{ "sections of features come back", sections_come_back },
	{ "sections damaged [PVROM-STATE-3]", sections_damaged },
	{ "a section refused by its feature", section_refused },
	{ 0 }
};

int main(void)
{
	return world_main("host_save", tests);
}
