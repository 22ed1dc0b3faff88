/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Saving and loading: what comes back, and that nothing damaged gets in or changes anything. */
#include "host_world.h"

#include <stdlib.h>

#include "../../digest/digest.h"

static struct world w;
static uint8_t image[8192];
static size_t size;

/* Offsets of the image; see host/save.c. */
#define AT_FORMAT 0x08
#define AT_SIZE 0x0c
#define AT_CRC 0x10
#define AT_TRANSPORT 0x14
#define AT_VCPUS 0x18
#define AT_SECTIONS 0x1c
#define AT_DIGEST 0x20
#define AT_EPOCH 0x40
#define AT_SEALED 0x48
#define AT_PENDING 0x50
#define AT_PENDING_EPOCH 0x58
#define AT_PENDING_VECTORS 0x60
#define AT_VECTORS 0x62
#define AT_KICK_VECTORS 0x64
#define AT_RESERVED 0x66
#define AT_VCPU 0x68

static uint64_t get(uint32_t at, uint32_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | image[at + bytes];
	return value;
}

static void put(uint32_t at, uint64_t value, uint32_t bytes)
{
	for (; bytes; bytes--, value >>= 8)
		image[at++] = (uint8_t)value;
}

/* As somebody does who wants his changes to be believed. */
static void make_checksum_right(void)
{
	put(AT_CRC, 0, 4);
	put(AT_CRC, pvrom_crc32(0, image, size), 4);
}

/* A machine with areas, a sealed set and a proposal, saved. */
static void save_a_machine(void)
{
	world_open(&w, 3);
	CU_ASSERT_EQUAL(world_negotiate(&w, ALL_FEATURES), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 0, PVROM_BASE_VCPU_AREA, 0x3000, 0x100, 0), PVROM_STATUS_OK);
	CU_ASSERT_EQUAL(world_call(&w, 2, PVROM_BASE_VCPU_AREA, WORLD_HIGH, 0x100, 0),
			PVROM_STATUS_OK);
	pvrom_host_raise_epoch(&w.host);
	pvrom_host_live_write(&w.vcpu[1], 0xabcd);
	CU_ASSERT_EQUAL_FATAL(pvrom_host_save(&w.host, image, sizeof(image), &size), PVROM_HOST_OK);
}

/* Loads the image into a new machine. */
static enum pvrom_host_result load(void)
{
	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	return pvrom_host_load(&w.host, image, size);
}

/* ---- good -------------------------------------------------------------------------------------- */

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
	for (i = 0; i < 1024; i++) {
		struct pvrom_host_regs regs = { .call = PVROM_BASE_VCPU_AREA,
						.mode64 = 1,
						.arg = { i * 0x100, 0x100 } };

		pvrom_host_call(&many[4095 - i], &regs);
		CU_ASSERT_EQUAL(regs.status, PVROM_STATUS_OK);
	}
	CU_ASSERT_EQUAL(pvrom_host_save(&w.host, large, sizeof(large), &size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(size, sizeof(large));
	CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, many), PVROM_HOST_OK);
	w.host.rom_size = 512;
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, large, size), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(many[4095].area_gpa, 0);
	CU_ASSERT_EQUAL(((struct pvrom_vcpu_area *)world_at(&w, 0x3ff00))->epoch, 2);
	CU_ASSERT_EQUAL(((struct pvrom_vcpu_area *)world_at(&w, 0x3ff00))->vcpu, 3072);
	world_close(&w);
}

/* ---- bad --------------------------------------------------------------------------------------- */

/* Loads what stands in image[] and checks that a refusal has changed nothing. */
static void refused(enum pvrom_host_result expected)
{
	static struct pvrom_host before;
	static struct pvrom_host_vcpu vcpus[WORLD_VCPUS];

	CU_ASSERT_EQUAL_FATAL(world_again(&w), PVROM_HOST_OK);
	before = w.host;
	memcpy(vcpus, w.vcpu, sizeof(vcpus));
	world_note(&w);
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), expected);
	CU_ASSERT_EQUAL(memcmp(&before, &w.host, sizeof(before)), 0);
	CU_ASSERT_EQUAL(memcmp(vcpus, w.vcpu, sizeof(vcpus)), 0);
	CU_ASSERT_EQUAL(w.events, 0);
	CU_ASSERT_TRUE(world_unchanged(&w, 0, 0));
}

static void damaged_bits(void)
{
	uint32_t bit;

	save_a_machine();
	for (bit = 0; bit < size * 8; bit++) {
		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
		w.host.rom_size = 512;
		if (pvrom_host_load(&w.host, image, size) == PVROM_HOST_OK)
			CU_FAIL("a damaged bit was not noticed");
		image[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	world_close(&w);
}

static void truncated(void)
{
	uint8_t *tight;
	size_t whole, length;

	save_a_machine();
	whole = size;
	for (length = 0; length < whole; length++) {
		CU_ASSERT_EQUAL_FATAL(pvrom_host_init(&w.host, &w.config, w.vcpu), PVROM_HOST_OK);
		w.host.rom_size = 512;
		tight = malloc(length + 1);
		memcpy(tight, image, length);
		CU_ASSERT_EQUAL(pvrom_host_load(&w.host, tight, length),
				length < 8 ? PVROM_HOST_NOT_AN_IMAGE : PVROM_HOST_IMAGE_TRUNCATED);
		free(tight);
	}
	size = whole + 1;
	refused(PVROM_HOST_IMAGE_FIELD);
	world_close(&w);
}

/* Changes one field of a good image and makes the checksum right again. */
#define FIELD(at, value, bytes, result)                                                            \
	do {                                                                                       \
		save_a_machine();                                                                  \
		put(at, value, bytes);                                                             \
		make_checksum_right();                                                             \
		refused(result);                                                                   \
		world_close(&w);                                                                   \
	} while (0)

static void magic_and_format(void)
{
	FIELD(0, 0x7661734d4f527671, 8, PVROM_HOST_NOT_AN_IMAGE);
	FIELD(AT_FORMAT, 0, 2, PVROM_HOST_IMAGE_VERSION);
	FIELD(AT_FORMAT, 2, 2, PVROM_HOST_IMAGE_VERSION);
	FIELD(AT_FORMAT + 2, 1, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SIZE, size + 1, 4, PVROM_HOST_IMAGE_TRUNCATED);
	FIELD(AT_SIZE, size - 1, 4, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SIZE, 0, 4, PVROM_HOST_IMAGE_FIELD);
}

static void checksum(void)
{
	save_a_machine();
	image[AT_CRC] ^= 1;
	refused(PVROM_HOST_IMAGE_CHECKSUM);
	world_close(&w);
}

static void other_transport(void)
{
	FIELD(AT_TRANSPORT, PVROM_TRANSPORT_VMCALL, 2, PVROM_HOST_IMAGE_TRANSPORT);
	FIELD(AT_TRANSPORT, PVROM_TRANSPORT_NONE, 2, PVROM_HOST_IMAGE_TRANSPORT);
	FIELD(AT_TRANSPORT + 2, 0x50, 2, PVROM_HOST_IMAGE_TRANSPORT);
	save_a_machine();
	w.config.transport = PVROM_TRANSPORT_VMMCALL;
	w.config.transport_port = 0;
	refused(PVROM_HOST_IMAGE_TRANSPORT);
	world_close(&w);
}

static void other_number_of_vcpus(void)
{
	FIELD(AT_VCPUS, 2, 4, PVROM_HOST_IMAGE_VCPUS);
	FIELD(AT_VCPUS, 0xffffffff, 4, PVROM_HOST_IMAGE_VCPUS);
	save_a_machine();
	w.config.vcpus = 4;
	refused(PVROM_HOST_IMAGE_VCPUS);
	w.config.vcpus = 2;
	refused(PVROM_HOST_IMAGE_VCPUS);
	world_close(&w);
}

static void epochs_and_sets(void)
{
	FIELD(AT_EPOCH, 0, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_EPOCH, ~0ull, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_EPOCH, 1ull << 63, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING_EPOCH, 3, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SEALED, FEATURE(ALARM), 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING, FEATURE(ALARM), 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_SEALED, ALL_FEATURES | FEATURE(MMU), 8, PVROM_HOST_IMAGE_FEATURE);
	FIELD(AT_SEALED, 1ull << 63, 8, PVROM_HOST_IMAGE_FEATURE);
	FIELD(AT_RESERVED, 1, 2, PVROM_HOST_IMAGE_FIELD);
}

static void vectors(void)
{
	FIELD(AT_VECTORS, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VECTORS + 1, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VECTORS + 1, 0, 1, PVROM_HOST_IMAGE_FIELD); /* alarm is in the sealed set */
	FIELD(AT_PENDING_VECTORS, 1, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_PENDING_VECTORS, 0x0100, 2, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_KICK_VECTORS, 31, 1, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_KICK_VECTORS + 1, 31, 1, PVROM_HOST_IMAGE_FIELD);
}

static void areas(void)
{
	FIELD(AT_VCPU, 0x3001, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, 0x3080, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_HOLE, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, 0xffffffffffffff00, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_LOW_END, 8, PVROM_HOST_IMAGE_FIELD);
	FIELD(AT_VCPU, WORLD_HIGH, 8, PVROM_HOST_IMAGE_FIELD); /* which vCPU 2 has */
	FIELD(AT_VCPU + 12, 1, 4, PVROM_HOST_IMAGE_FIELD);
}

static void a_feature_is_missing(void)
{
	static const struct pvrom_host_feature *const fewer[] = { &pvrom_host_cpu, &pvrom_host_irq,
								  &pvrom_host_smp, NULL };

	save_a_machine();
	w.config.features = fewer;
	refused(PVROM_HOST_IMAGE_FEATURE);
	world_close(&w);
}

static void not_just_set_up(void)
{
	save_a_machine();
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), PVROM_HOST_BAD_CONFIG);
	pvrom_host_init(&w.host, &w.config, w.vcpu);
	CU_ASSERT_EQUAL(pvrom_host_load(&w.host, image, size), PVROM_HOST_BAD_CONFIG);
	world_close(&w);
}

/* ---- sections of features ---------------------------------------------------------------------- */

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

static void sections_come_back(void)
{
	save_with_sections();
	CU_ASSERT_EQUAL(load(), PVROM_HOST_OK);
	CU_ASSERT_EQUAL(kept[0][4], 0x11);
	CU_ASSERT_EQUAL(kept[0][5], 0);
	CU_ASSERT_EQUAL(kept[1][39], 0x22);
	world_close(&w);
}

static void sections_damaged(void)
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
static void section_refused(void)
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
