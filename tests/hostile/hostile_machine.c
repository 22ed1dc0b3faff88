/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A machine for the host handler, made of arrays. */
#include "hostile_machine.h"

static const struct range regions[WORLD_REGIONS] = {
	{ 0, 3 * WORLD_PAGE },
	{ 0x5000, WORLD_PAGE },
	{ 0x6000, WORLD_PAGE },
	{ 0x100000000, WORLD_PAGE },
	{ 0xfffffffffffff000, WORLD_PAGE },
};

/* ---- guest memory ------------------------------------------------------------------------------ */

static uint8_t *find(struct world *world, uint64_t gpa, uint64_t *room)
{
	uint32_t i;

	for (i = 0; i < WORLD_REGIONS; i++)
		if (gpa - regions[i].gpa < regions[i].len) {
			*room = regions[i].len - (gpa - regions[i].gpa);
			return world->memory[i] + (gpa - regions[i].gpa);
		}
	return NULL;
}

uint8_t *world_at(struct world *world, uint64_t gpa, uint64_t len)
{
	uint64_t room = 0;
	uint8_t *where = find(world, gpa, &room);

	return room >= len ? where : NULL;
}

void world_poke(struct world *world, uint64_t gpa, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	uint8_t *to;

	for (; size--; gpa++, from++) {
		to = world_at(world, gpa, 1);
		if (to)
			*to = *from;
	}
}

void world_peek(struct world *world, uint64_t gpa, void *bytes, size_t size)
{
	uint8_t *to = bytes;

	for (; size--; gpa++, to++) {
		const uint8_t *from = world_at(world, gpa, 1);

		*to = from ? *from : 0;
	}
}

/* ---- the racing writer ------------------------------------------------------------------------- */

static uint8_t *before_at(struct world *world, uint64_t gpa)
{
	uint64_t offset = 0;
	uint32_t i;

	for (i = 0; i < WORLD_REGIONS; offset += regions[i++].len)
		if (gpa - regions[i].gpa < regions[i].len)
			return world->before + offset + (gpa - regions[i].gpa);
	return NULL;
}

/* Another CPU of the guest writes where the handler has just looked, or is just looking. */
static void race(struct world *world)
{
	uint64_t gpa = world->last.gpa + world->race_at % (world->last.len ? world->last.len : 1);
	uint8_t *to = world_at(world, gpa, 1);

	if (!world->race_in || --world->race_in || !to)
		return;
	*to = world->race_byte;
	*before_at(world, gpa) = world->race_byte;
}

/* ---- callbacks --------------------------------------------------------------------------------- */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	struct world *world = ctx;
	uint64_t room = 0;
	uint8_t *where = find(world, gpa.gpa, &room);

	PROMISE(*len && gpa.gpa + *len >= gpa.gpa);
	race(world);
	world->translations++;
	world->last = (struct range){ gpa.gpa, *len };
	if (where && room < *len)
		*len = room;
	return where;
}

static void lock(void *ctx)
{
	struct world *world = ctx;

	PROMISE(!world->locked);
	world->locked = 1;
}

static void unlock(void *ctx)
{
	struct world *world = ctx;

	PROMISE(world->locked);
	world->locked = 0;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	PROMISE(vcpu < WORLD_VCPUS);
	return 1000;
}

static void log_line(void *ctx, uint32_t vcpu, const char *text, uint32_t len)
{
	uint32_t i;

	PROMISE(vcpu < WORLD_VCPUS && len <= PVROM_LOG_MAX);
	for (i = 0; i < len; i++)
		PROMISE(text[i] >= 0x20 && text[i] < 0x7f);
	((struct world *)ctx)->logs++;
}

static void event(void *ctx, uint32_t vcpu, uint8_t vector)
{
	PROMISE(vcpu < WORLD_VCPUS && vector >= PVROM_VECTOR_MIN);
	((struct world *)ctx)->events++;
}

static uint32_t irq_route(void *ctx, uint64_t source, uint8_t vector, uint32_t vcpu)
{
	struct world *world = ctx;

	(void)source;
	PROMISE(vcpu < WORLD_VCPUS && vector >= PVROM_VECTOR_MIN);
	world->routes++;
	return world->status;
}

static uint32_t irq_mask(void *ctx, uint64_t source, bool masked)
{
	struct world *world = ctx;

	(void)source;
	(void)masked;
	world->masks++;
	return world->status;
}

static void irq_eoi(void *ctx, uint32_t vcpu)
{
	PROMISE(vcpu < WORLD_VCPUS);
	((struct world *)ctx)->eois++;
}

static uint32_t irq_send(void *ctx, uint32_t vector, uint32_t base, uint64_t mask)
{
	struct world *world = ctx;

	PROMISE(vector >= PVROM_VECTOR_MIN && vector <= PVROM_IRQ_SEND_NMI);
	PROMISE(base < WORLD_VCPUS && mask && !(mask >> (WORLD_VCPUS - base)));
	world->sends++;
	world->sent_mask = mask;
	return world->status;
}

static bool is_canonical(uint64_t address, uint64_t cr4)
{
	int64_t high = (int64_t)address >> (cr4 & 0x1000 ? 56 : 47);

	return !high || high == -1;
}

/* A state that the processor would refuse never comes this far. */
static uint32_t smp_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *s)
{
	struct world *world = ctx;

	PROMISE(vcpu < WORLD_VCPUS);
	PROMISE((s->cr0 & 0x80000001) == 0x80000001 && s->cr4 & 0x20 && (s->efer & 0x500) == 0x500);
	PROMISE(is_canonical(s->rip, s->cr4) && is_canonical(s->gs_base, s->cr4));
	PROMISE(is_canonical(s->fs_base, s->cr4) && is_canonical(s->gdt_base, s->cr4));
	PROMISE(is_canonical(s->idt_base, s->cr4) && !(s->cs & 3) && s->cs && !(s->ss & 3));
	PROMISE(s->size == sizeof(*s) && !s->reserved && !s->reserved2[0] && !s->reserved2[1]);
	world->starts++;
	return world->status;
}

static uint32_t smp_kick(void *ctx, uint32_t vcpu)
{
	struct world *world = ctx;

	PROMISE(vcpu < WORLD_VCPUS);
	world->kicks++;
	return world->status;
}

static uint32_t alarm_set(void *ctx, uint32_t vcpu, uint64_t when, uint8_t vector)
{
	struct world *world = ctx;

	(void)when;
	PROMISE(vcpu < WORLD_VCPUS && vector >= PVROM_VECTOR_MIN && world->locked);
	world->alarms_set++;
	world->alarm_running[vcpu] = true;
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	struct world *world = ctx;

	PROMISE(vcpu < WORLD_VCPUS);
	world->alarms_cancelled++;
	world->alarm_running[vcpu] = false;
}

static bool others_run(void *ctx, uint32_t vcpu)
{
	PROMISE(vcpu < WORLD_VCPUS);
	return ((struct world *)ctx)->others_run;
}

static void park_others(void *ctx, uint32_t vcpu)
{
	struct world *world = ctx;

	PROMISE(vcpu < WORLD_VCPUS && !world->locked);
	world->others_run = false;
	world->parks++;
}

static void area_changed(void *ctx, uint32_t vcpu, struct pvrom_gpa area)
{
	PROMISE(vcpu < WORLD_VCPUS);
	if (area.gpa != PVROM_VCPU_AREA_NONE)
		PROMISE(world_at(ctx, area.gpa, PVROM_VCPU_AREA_SIZE) &&
			area.gpa % PVROM_VCPU_AREA_ALIGN == 0);
}

/* When the guest is told that all is given back, no alarm may be left. */
static void reset(void *ctx, uint32_t vcpu)
{
	struct world *world = ctx;
	uint32_t i;

	PROMISE(vcpu < WORLD_VCPUS);
	for (i = 0; i < WORLD_VCPUS; i++)
		PROMISE(!world->alarm_running[i]);
	world->resets++;
}

/* ---- setting up -------------------------------------------------------------------------------- */

static const struct pvrom_host_feature *const core_features[] = {
	&pvrom_host_cpu, &pvrom_host_irq, &pvrom_host_smp, &pvrom_host_alarm, NULL,
};

static const struct pvrom_host_ops all_ops = {
	.translate = translate,
	.lock = lock,
	.unlock = unlock,
	.tsc = tsc,
	.log = log_line,
	.event = event,
	.irq_route = irq_route,
	.irq_mask = irq_mask,
	.irq_eoi = irq_eoi,
	.irq_send = irq_send,
	.smp_start = smp_start,
	.smp_kick = smp_kick,
	.alarm_set = alarm_set,
	.alarm_cancel = alarm_cancel,
	.others_run = others_run,
	.park_others = park_others,
	.area_changed = area_changed,
	.reset = reset,
};

void world_init(struct world *world)
{
	uint32_t i;

	memset(world, 0, sizeof(*world));
	world->ops = all_ops;
	world->config = (struct pvrom_host_config){
		.ops = &world->ops,
		.ops_ctx = world,
		.features = core_features,
		.tsc_hz = 1000000000,
		.rom_gpa = WORLD_ROM_GPA,
		.vcpus = WORLD_VCPUS,
		.log_burst = 4,
		.transport = PVROM_TRANSPORT_PORT,
		.transport_port = WORLD_TRANSPORT_PORT,
		.live_port = 0xe8,
		.live_key = 0x12345678,
	};
	for (i = 0; i < WORLD_REGIONS; i++)
		world->memory[i] = calloc(1, regions[i].len);
}

/* The image is built for its size, checksum and digest only. */
void world_start(struct world *world)
{
	static uint8_t rom[0x10000];
	size_t size;

	PROMISE(pvrom_host_init(&world->host, &world->config, world->vcpu) == PVROM_HOST_OK);
	PROMISE(pvrom_host_build_rom(&world->host, rom, sizeof(rom), &size) == PVROM_HOST_OK);
	memset(world->alarm_running, 0, sizeof(world->alarm_running));
}

void world_end(struct world *world)
{
	uint32_t i;

	for (i = 0; i < WORLD_REGIONS; i++)
		free(world->memory[i]);
}

/* ---- watching ---------------------------------------------------------------------------------- */

void world_watch(struct world *world)
{
	uint8_t *to = world->before;
	uint32_t i;

	for (i = 0; i < WORLD_REGIONS; to += regions[i++].len)
		memcpy(to, world->memory[i], regions[i].len);
	world->events = world->eois = world->alarms_set = world->alarms_cancelled = 0;
	world->starts = world->kicks = world->logs = world->resets = world->parks = 0;
	world->sends = world->routes = world->masks = world->translations = 0;
	world->sent_mask = 0;
	world->last.len = 0;
}

static bool is_allowed(uint64_t gpa, const struct range *allowed, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (gpa - allowed[i].gpa < allowed[i].len)
			return true;
	return false;
}

static void check_region(const uint8_t *now, const uint8_t *before, const struct range *region,
			 const struct range *allowed, uint32_t count)
{
	uint64_t i;

	if (!memcmp(now, before, region->len))
		return;
	for (i = 0; i < region->len; i++)
		if (now[i] != before[i])
			PROMISE(is_allowed(region->gpa + i, allowed, count));
}

void world_check(struct world *world, const struct range *allowed, uint32_t count)
{
	const uint8_t *before = world->before;
	uint32_t i;

	PROMISE(!world->locked);
	for (i = 0; i < WORLD_REGIONS; before += regions[i++].len)
		check_region(world->memory[i], before, &regions[i], allowed, count);
}

/* ---- numbers ----------------------------------------------------------------------------------- */

/* From an interesting place some bytes forwards or backwards. */
uint64_t take_gpa(struct input *in)
{
	static const uint64_t places[] = {
		0,
		0x800,
		0x1000,
		0x2000,
		0x3000,
		0x4000,
		0x5000,
		0x5f00,
		0x6000,
		0x7000,
		0x100000000,
		0x100001000,
		0xfffffffffffff000,
		0xffffffffffffff00,
		0,
		0x4f00,
	};
	uint8_t how = take8(in);
	uint64_t place = places[how & 15];

	switch (how >> 6) {
	case 0: return place + 8 * (uint64_t)take8(in);
	case 1: return place + take8(in);
	case 2: return place - take8(in);
	default: return take64(in);
	}
}

uint64_t take_word(struct input *in)
{
	uint8_t how = take8(in);

	switch (how >> 6) {
	case 0: return how & 0x3f;
	case 1: return UINT64_C(1) << (how & 0x3f);
	case 2: return take_gpa(in);
	default: return take64(in);
	}
}
