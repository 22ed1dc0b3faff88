/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Target "save": images of a machine's state that nobody saved. The first byte of an input chooses the
 * machine, the rest is the image (its layout: the first comment of host/save.c).
 *
 * Promised: an image that is refused has changed nothing. One that is taken is undamaged; its set is closed and
 * the host has it; its areas are in memory, and apart; the epoch has risen over it; and
 * the machine can be saved and loaded again and is the same. One flipped bit is always refused.
 */
#include "hostile_machine.h"

#include "../../digest/digest.h"
#include "../../host/bugs.h"

#define IMAGE_ROOM 0x1000
#define HEADER 0x68
#define CRC_AT 0x10
#define SECTION_MARK 0x5a

/* ---- a feature with state of its own ------------------------------------------------------------- */

static uint8_t section[8];

static uint32_t offer(const struct pvrom_host *host)
{
	(void)host;
	return PVROM_REASON_NONE;
}

static size_t save_section(const struct pvrom_host *host, void *buffer, size_t room)
{
	(void)host;
	if (room >= sizeof(section))
		memcpy(buffer, section, sizeof(section));
	return sizeof(section);
}

static bool load_section(struct pvrom_host *host, const void *buffer, size_t size)
{
	(void)host;
	if (size != sizeof(section) || *(const uint8_t *)buffer != SECTION_MARK)
		return false;
	memcpy(section, buffer, size);
	return true;
}

static const struct pvrom_host_feature with_state = {
	.number = PVROM_FEATURE_CLOCK,
	.group = PVROM_GROUP_COUNT,
	.offer = offer,
	.save = save_section,
	.load = load_section,
};

static const struct pvrom_host_feature *const features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, &with_state, NULL,
};
static const struct pvrom_host_feature *const fewer[] = { &pvrom_host_cpu, NULL };

/* ---- machines -------------------------------------------------------------------------------------- */

static void machine(struct world *world, uint8_t how)
{
	world_init(world);
	world->config.features = how & 1 ? fewer : features;
	world->config.vcpus = how & 2 ? 1 : WORLD_VCPUS;
	if (how & 4) {
		world->config.transport = PVROM_TRANSPORT_VMCALL;
		world->config.transport_port = 0;
	}
	world_start(world);
	section[0] = SECTION_MARK;
}

static uint32_t call2(struct world *world, uint32_t number, uint64_t arg0, uint64_t arg1)
{
	struct pvrom_host_regs regs = { .call = number, .arg = { arg0, arg1 }, .mode64 = 1 };

	pvrom_host_call(&world->vcpu[0], &regs);
	return regs.status;
}

static void negotiate(struct world *world, uint64_t wanted)
{
	const struct pvrom_negotiation n = {
		.size = sizeof(n),
		.major = PVROM_MAJOR,
		.wanted = wanted,
		.epoch = world->host.epoch,
		.epoch_vector = 0x40,
		.alarm_vector = 0x41,
		.kick_vector = 0x42,
	};

	world_poke(world, 0x1000, &n, sizeof(n));
	call2(world, PVROM_BASE_NEGOTIATE, 0x1000, PVROM_NEGOTIATE_PROPOSE);
	call2(world, PVROM_BASE_NEGOTIATE, 0x1000, PVROM_NEGOTIATE_COMMIT);
}

static size_t saved(const struct world *world, uint8_t *image)
{
	size_t size;

	PROMISE(pvrom_host_save(&world->host, image, IMAGE_ROOM, &size) == PVROM_HOST_OK);
	return size;
}

/* ---- promises ---------------------------------------------------------------------------------------- */

static uint64_t word(const uint8_t *at, uint32_t size)
{
	struct input in = { at, size };

	return take(&in, size);
}

static uint32_t crc_of(const uint8_t *image, size_t size)
{
	uint32_t crc = pvrom_crc32(0, image, CRC_AT);

	crc = pvrom_crc32(crc, "\0\0\0\0", 4);
	return pvrom_crc32(crc, image + CRC_AT + 4, size - CRC_AT - 4);
}

/* Each area in one piece of memory, and told of the epoch. */
static void check_areas(struct world *world)
{
	uint32_t i, j;

	for (i = 0; i < world->config.vcpus; i++) {
		const uint64_t gpa = world->vcpu[i].area_gpa;
		const uint8_t *where;

		if (gpa == PVROM_VCPU_AREA_NONE)
			continue;
		where = world_at(world, gpa, PVROM_VCPU_AREA_SIZE);
		PROMISE(where && !(gpa & (PVROM_VCPU_AREA_ALIGN - 1)));
		PROMISE(word(where + PVROM_VCPU_AREA_EPOCH, 8) == world->host.epoch);
		for (j = 0; j < i; j++)
			PROMISE(world->vcpu[j].area_gpa != gpa);
	}
}

static void check_taken(struct world *world, const uint8_t *image, size_t size)
{
	const struct pvrom_host *host = &world->host;
	const uint64_t alarm = PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);
	struct pvrom_offer now;

	PROMISE(size >= HEADER && !memcmp(image, "pvROMsav", 8));
	PROMISE(word(image + CRC_AT, 4) == crc_of(image, size));
	PROMISE(host->epoch > word(image + 0x40, 8) && host->epoch > 1);
	PROMISE(host->sealed == word(image + 0x48, 8));
	pvrom_host_offer(host, &now);
	PROMISE(!(host->sealed & ~now.can));
	if (host->sealed & alarm)
		PROMISE(host->sealed & PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ));
	check_areas(world);
}

static void check_refused(struct world *world, const struct world *before)
{
	PROMISE(!memcmp(&world->host, &before->host, sizeof(world->host)));
	PROMISE(!memcmp(world->vcpu, before->vcpu, sizeof(world->vcpu)));
	PROMISE(!world->events && !world->alarms_set);
	world_check(world, NULL, 0);
}

/* The machine as it is now goes through a file and is the same, but for the epoch. */
static void check_again(const struct world *world, uint8_t how)
{
	uint8_t image[IMAGE_ROOM];
	const size_t size = saved(world, image);
	struct world other;
	uint32_t i;

	machine(&other, how);
	PROMISE(pvrom_host_load(&other.host, image, size) == PVROM_HOST_OK);
	check_taken(&other, image, size);
	PROMISE(other.host.sealed == world->host.sealed && other.host.epoch > world->host.epoch);
	PROMISE(other.host.alarm_vector == world->host.alarm_vector);
	PROMISE(other.host.kick_vector == world->host.kick_vector);
	for (i = 0; i < other.config.vcpus; i++)
		PROMISE(other.vcpu[i].area_gpa == world->vcpu[i].area_gpa);
	world_end(&other);
}

/* Which bit is flipped is a matter of the image. */
static void check_damaged(const uint8_t *image, size_t size, uint8_t how)
{
	uint8_t damaged[IMAGE_ROOM];
	const size_t bit = pvrom_crc32(0, image, size) % (size * 8);
	struct world other;

	memcpy(damaged, image, size);
	damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
	machine(&other, how);
	PROMISE(pvrom_host_load(&other.host, damaged, size) != PVROM_HOST_OK);
	PROMISE(pvrom_host_load(&other.host, image, size - 1) != PVROM_HOST_OK);
	world_end(&other);
}

/* A guest goes on with what it was given. */
static void use(struct world *world)
{
	uint32_t group, call;

	for (group = 0; group < PVROM_GROUP_COUNT; group++)
		for (call = 0; call < 4; call++)
			call2(world, group << 8 | call, 0x1000, PVROM_VCPU_AREA_SIZE);
}

/* ---- the target ---------------------------------------------------------------------------------------- */

const char *const hostile_faults[] = { "sealed-lost", "load-epoch", "load-anything", NULL };

void hostile_plant(const char *fault)
{
	pvrom_host_bug = pvrom_host_bug_number(fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world, before;
	uint8_t how;

	if (!size || size > IMAGE_ROOM)
		return 0;
	how = *data++;
	size--;
	machine(&world, how);
	if (how & 0x80)
		negotiate(&world, 0xffff);
	before = world;
	world_watch(&world);
	if (pvrom_host_load(&world.host, data, size) == PVROM_HOST_OK) {
		PROMISE(!(how & 0x80) || !before.host.sealed);
		check_taken(&world, data, size);
		check_again(&world, how & 0x7f);
		check_damaged(data, size, how & 0x7f);
		use(&world);
	} else {
		check_refused(&world, &before);
	}
	world_end(&world);
	return 0;
}

/* ---- the mutator: a sound image, changed, and its sums put right ------------------------------------------ */

static void put32(uint8_t *at, size_t value)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static size_t sound_image(uint8_t *data, unsigned int seed)
{
	struct world world;
	size_t size;
	uint32_t i;

	data[0] = seed & 7;
	machine(&world, data[0]);
	negotiate(&world, seed >> 8);
	for (i = 0; i < world.config.vcpus; i++)
		world.vcpu[i].area_gpa =
			seed >> i & 8 ? 0x5000 + PVROM_VCPU_AREA_SIZE * i : PVROM_VCPU_AREA_NONE;
	size = saved(&world, data + 1);
	world_end(&world);
	return size + 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned int seed)
{
	if (room > IMAGE_ROOM)
		room = IMAGE_ROOM;
	if (room < 0x200)
		return LLVMFuzzerMutate(data, size, room);
	if (size < HEADER || seed % 64 == 0)
		size = sound_image(data, seed);
	else
		size = LLVMFuzzerMutate(data, size, room);
	if (size > HEADER && seed % 8) {
		put32(data + 1 + 0x0c, size - 1);
		put32(data + 1 + CRC_AT, crc_of(data + 1, size - 1));
	}
	return size;
}
