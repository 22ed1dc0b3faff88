/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A kernel for the guest shim, made of arrays, that looks at all the shim does. The host is in shim_host.c. */
#include "shim_world.h"

#include <pvrom/kernel_api.h>

#include "../../digest/digest.h"

#define POOL_SIZE 0x20000
#define GUARD 0x1000
#define GUARD_BYTE 0xa7

struct shim_world *shim;

/* Static, so that it is within 2 GiB of the text. */
static uint8_t pool[POOL_SIZE] __attribute__((aligned(4096)));
static size_t pool_used;

/* ---- promises -------------------------------------------------------------------------------------------- */

static bool is_guard(const uint8_t *at)
{
	uint32_t i;

	for (i = 0; i < GUARD; i++)
		if (at[i] != GUARD_BYTE)
			return false;
	return true;
}

static const struct pvrom_site *site_at(const struct shim_world *world, size_t offset)
{
	uint32_t i;

	for (i = 0; i < world->site_count; i++) {
		const struct pvrom_site *s = &world->sites[i];
		const size_t begin = (size_t)((const uint8_t *)s + s->offset - world->text);

		if (offset - begin < s->length)
			return s;
	}
	return NULL;
}

void shim_check_native(const struct shim_world *world)
{
	if (!world->broken_write)
		PROMISE(!memcmp(world->text, world->text_before, SHIM_TEXT));
}

/* A fault in the text of the copy is one at a site; so is no other. */
static void check_copy(const struct shim_world *world)
{
	if (!world->copy)
		return;
	PROMISE(is_guard(world->copy - GUARD) && is_guard(world->copy + world->copy_size));
	PROMISE(pvrom_crc32(0, world->copy, world->copy_size) == world->copy_sum);
}

void shim_check(struct shim_world *world)
{
	uint32_t verdict = world->guest.verdict;
	size_t i;

	PROMISE(verdict < PVROM_VERDICT_COUNT && !world->maps && !world->in_rendezvous);
	for (i = 0; i < SHIM_TEXT; i++)
		if (world->text[i] != world->text_before[i])
			PROMISE(site_at(world, i));
	PROMISE(world->allocs <= 1 || world->broken_write);
	check_copy(world);
}

/* ---- the kernel's functions ---------------------------------------------------------------------------------- */

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	struct shim_world *world = os;
	const uint8_t *at = where, *begin = (const uint8_t *)&world->guest;

	PROMISE(at >= begin && at + size <= begin + sizeof(world->guest));
	return (uintptr_t)where;
}

static uint8_t *alloc_from_pool(size_t size)
{
	uint8_t *where = pool + pool_used + GUARD;
	const size_t whole = (size + 4095) & ~(size_t)4095;

	if (pool_used + whole + 2 * GUARD > POOL_SIZE)
		return NULL;
	pool_used += whole + GUARD;
	memset(where - GUARD, GUARD_BYTE, GUARD);
	memset(where + size, GUARD_BYTE, whole - size + GUARD);
	return where;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	struct shim_world *world = os;
	uint8_t *where = alloc_from_pool(size);

	if (where)
		world->allocs++;
	return where;
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
	struct shim_world *world = os;

	PROMISE(world->allocs && is_guard((uint8_t *)where - GUARD));
	PROMISE(is_guard((uint8_t *)where + size));
	if (where == world->copy)
		world->copy = NULL;
	world->allocs--;
}

/* From now on not a byte of it may change. */
bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	struct shim_world *world = os;

	if (world->fail_seal && !--world->fail_seal)
		return false;
	world->copy = where;
	world->copy_size = size;
	world->copy_sum = pvrom_crc32(0, where, size);
	if (world->writes_the_copy)
		world->copy[size - 1] ^= 1;
	return true;
}

static bool write_fails(struct shim_world *world, const struct pvrom_site *site, const void *bytes,
			size_t size)
{
	if (!world->fail_write || --world->fail_write)
		return false;
	if (!memcmp(bytes,
		    world->text_before + ((const uint8_t *)site + site->offset - world->text),
		    size))
		world->broken_write = true;
	return true;
}

/* All of a site, and in a rendezvous. */
bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	struct shim_world *world = os;
	const size_t offset = (size_t)((uint8_t *)where - world->text);
	const struct pvrom_site *site = site_at(world, offset);

	PROMISE(world->in_rendezvous && offset < SHIM_TEXT && site && size == site->length);
	PROMISE((const uint8_t *)site + site->offset == (uint8_t *)where);
	if (write_fails(world, site, bytes, size))
		return false;
	world->writes++;
	if (world->forgets_writes && world->writes % 3 == 0)
		return true;
	memcpy(where, bytes, size);
	if (world->writes_too_much)
		world->text[offset + size] ^= 1;
	return true;
}

void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	struct shim_world *world = os;

	PROMISE(!world->in_rendezvous);
	world->rendezvous++;
	world->in_rendezvous = true;
	act(argument);
	world->in_rendezvous = false;
}

/* ---- setting up ---------------------------------------------------------------------------------------------- */

static const struct {
	uint16_t call;
	uint8_t native;
} calls[] = {
#define LINE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	{ number, PVROM_NATIVE_##native },
	PVROM_CALL_TABLE(LINE)
};

/* Sites side by side or apart; a native form that is a call is one, where nobody spoils it. */
static void add_site(struct shim_world *world, struct input *in, size_t *at)
{
	const uint8_t which = take8(in), how = take8(in), length = 5 + how % 11;
	struct pvrom_site *site = &world->sites[world->site_count];
	const uint32_t call = which % (sizeof(calls) / sizeof(calls[0]));

	*at += how >> 5;
	if (calls[call].native == PVROM_NATIVE_NOTHING || *at + length > SHIM_TEXT - 16)
		return;
	site->call = calls[call].call;
	site->length = length;
	site->offset = (int32_t)(world->text + *at - (uint8_t *)site);
	if (calls[call].native == PVROM_NATIVE_CALL)
		world->text[*at + length - 5u] = 0xe8;
	*at += length;
	world->site_count++;
}

/* A record that is wrong: a call that does not exist, or a length. */
static void spoil_site(struct shim_world *world, uint8_t how)
{
	struct pvrom_site *site = &world->sites[how % SHIM_SITES];

	if ((how & 0xe0) == 0x20)
		site->call = 0x7777;
	if ((how & 0xe0) == 0x40)
		site->length = 4;
}

static void set_up_text(struct shim_world *world, struct input *in)
{
	uint32_t count = take8(in) % (SHIM_SITES + 1), i;
	size_t at = 0;

	for (i = 0; i < SHIM_TEXT; i++)
		world->text[i] = (uint8_t)(i * 37 + (i >> 3));
	while (count--)
		add_site(world, in, &at);
	spoil_site(world, take8(in));
	memcpy(world->text_before, world->text, SHIM_TEXT);
}

static void set_up_allowed(struct shim_world *world, uint8_t how)
{
	world->policy.allowed =
		how & 1 ? (const uint8_t(*)[PVROM_DIGEST_SIZE])world->allowed : NULL;
	world->policy.allowed_count = how & 1 ? 2 : 0;
	if (how & 2)
		pvrom_sha256(world->rom, world->rom_size, world->allowed[1]);
}

static void set_up_policy(struct shim_world *world, struct input *in)
{
	const uint8_t how = take8(in), percpu = take8(in);
	struct pvrom_policy *p = &world->policy;

	p->wanted = take16(in);
	p->required = p->wanted & take8(in) & take8(in);
	p->flags = how & 7 ? 0 : take8(in) & 0x1f;
	p->minor_min = how == 0xff;
	p->epoch_vector = 0x40;
	p->alarm_vector = 0x41;
	p->percpu = percpu & 3;
	p->percpu_offset = p->percpu == PVROM_PERCPU_REGISTER ? percpu >> 5 : percpu;
	if (p->percpu == PVROM_PERCPU_REGISTER && p->percpu_offset == 4)
		p->percpu_offset = 5;
	p->return_thunk = how & 8 ? world->text + SHIM_TEXT - 16 : NULL;
	p->loader_gpa = world->places & (1 << PVROM_ROUTE_LOADER | 0x80) ? SHIM_ROM_GPA * 2ull : 0;
	set_up_allowed(world, how >> 4 == 1 ? 3 : how >> 4 == 2 ? 1 : 0);
}

static void set_up_host(struct shim_world *world, struct input *in)
{
	const uint8_t transport = take8(in);

	world->choice.transport = 1 + transport % 3;
	if (world->choice.transport == PVROM_TRANSPORT_PORT)
		world->choice.transport_port = 0xe4;
	world->choice.live_port = transport & 0x80 ? 0 : 0xe8;
	world->choice.live_key = 0xfeed;
	world->places = take8(in);
	world->epoch = 1;
	world->offered = take16(in) & 0x3ff;
	world->rom_size = rom_make(in, &world->choice, world->rom);
	memcpy(world->other_rom, world->rom, sizeof(world->rom));
	world->other_size = world->rom_size;
	if (world->places & 1) {
		world->other_rom[0x10] ^= 1;
		rom_fix(world->other_rom, world->other_size);
	}
}

void shim_setup(struct shim_world *world, struct input *in)
{
	const uint8_t what = take8(in);

	memset(world, 0, sizeof(*world));
	shim = world;
	pool_used = 0;
	world->fail_write = what & 1 ? take8(in) & 31 : 0;
	world->fail_seal = what & 2 ? take8(in) & 3 : 0;
	world->moves_epoch = what & 4 ? take8(in) & 15 : 0;
	set_up_host(world, in);
	set_up_text(world, in);
	set_up_policy(world, in);
	pvrom_guest_init(&world->guest, &world->policy, world);
}
