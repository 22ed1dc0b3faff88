/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The host behind the shim of shim_world.c: its instructions, its physical memory, its answers. With
 * lies to tell it tells them in any place; but what hardware cannot do, it does not do either.
 */
#include "shim_world.h"

#include <pvrom/kernel_api.h>

#include "../../digest/digest.h"
#include "../../guest/guest_internal.h"

/* ---- lies -------------------------------------------------------------------------------------------------- */

/* Every fourth answer of a liar is a lie. */
static bool lies_now(void)
{
	return shim->lies && shim->lies->left && take8(shim->lies) >= 0xc0;
}

static void lie32(uint32_t *word)
{
	if (lies_now())
		*word = take32(shim->lies);
}

/* Some bytes of a structure become others. */
static void lie_in(void *structure, size_t size)
{
	uint8_t *bytes = structure;

	while (lies_now())
		bytes[take16(shim->lies) % size] = take8(shim->lies);
}

/* ---- physical memory ----------------------------------------------------------------------------------------- */

/* Which image begins at gpa, NULL if none. */
static uint8_t *image_at(uint64_t gpa, uint64_t *begin, size_t *size)
{
	static const uint64_t places[] = {
		0,	 SHIM_ROM_GPA,	      0xc8000, SHIM_ROM_GPA * 3ull, SHIM_ROM_GPA * 2ull,
		0xd8000, SHIM_ROM_GPA * 4ull, 0
	};
	uint32_t i;

	for (i = 1; i < 7; i++) {
		*begin = places[i];
		*size = i < 5 ? shim->rom_size : shim->other_size;
		if (shim->places >> i & 1 && gpa - places[i] < *size)
			return i < 5 ? shim->rom : shim->other_rom;
	}
	return NULL;
}

static bool in_window(uint64_t gpa, size_t size)
{
	return gpa >= PVROM_WINDOW_FIRST && size <= PVROM_WINDOW_END - gpa;
}

/* Memory without an image is all ones; each mapping of an image may show another. */
const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	static uint8_t nothing[PVROM_ROM_SIZE_MAX];
	struct shim_world *world = os;
	uint64_t begin;
	size_t room;
	uint8_t *image = image_at(gpa, &begin, &room);

	PROMISE(size && size <= PVROM_ROM_SIZE_MAX && gpa + size >= gpa);
	if (image && size <= room - (gpa - begin)) {
		world->maps++;
		lie_in(image, room);
		return image + (gpa - begin);
	}
	if (!in_window(gpa, size) || image)
		return NULL;
	world->maps++;
	memset(nothing, 0xff, size);
	return nothing;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	struct shim_world *world = os;

	(void)size;
	PROMISE(where && world->maps);
	world->maps--;
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	struct shim_world *world = os;

	if (n == 0 && world->places >> PVROM_ROUTE_FIRMWARE & 1) {
		*gpa = SHIM_ROM_GPA * 3ull;
		*size = world->rom_size;
		return true;
	}
	*gpa = SHIM_ROM_GPA * 4ull;
	*size = 0;
	return n <= 1 && world->places >> 6 & 1;
}

/* ---- CPUID and ports -------------------------------------------------------------------------------------------- */

static void leaf_of_rom(uint32_t leaf, uint32_t r[4])
{
	struct pvrom_rom_header h;

	memcpy(&h, shim->rom, sizeof(h));
	if (leaf == 0) {
		r[0] = SHIM_CPUID_BASE + 2;
		r[1] = PVROM_CPUID_SIGNATURE_EBX;
		r[2] = PVROM_CPUID_SIGNATURE_ECX;
		r[3] = PVROM_CPUID_SIGNATURE_EDX;
	} else if (leaf == 1) {
		r[0] = (uint32_t)h.major << 16 | h.minor;
		r[2] = h.rom_size;
		r[3] = h.checksum;
	} else {
		r[0] = SHIM_ROM_GPA;
		r[2] = shim->choice.transport | (uint32_t)shim->choice.transport_port << 16;
	}
}

void pvrom_insn_cpuid(uint32_t leaf, uint32_t r[4])
{
	r[0] = r[1] = r[2] = r[3] = 0;
	if (leaf == 1)
		r[2] = 1u << PVROM_CPUID_HYPERVISOR_BIT;
	else if (leaf - SHIM_CPUID_BASE <= 2 && shim->places >> PVROM_ROUTE_CPUID & 1)
		leaf_of_rom(leaf - SHIM_CPUID_BASE, r);
	/* A lie at every base would leave none for what comes later. */
	if (leaf == 1 || leaf - 0x40000000 < 0x300) {
		lie32(&r[leaf & 3]);
		lie32(&r[0]);
	}
	if (r[1] == PVROM_CPUID_SIGNATURE_EBX && r[3] == PVROM_CPUID_SIGNATURE_EDX)
		shim->leaf_shown = true;
}

static const struct pvrom_rom_header *header(const uint8_t *rom, struct pvrom_rom_header *h)
{
	memcpy(h, rom, sizeof(*h));
	return h;
}

/* A port may be touched only if a sound image names it. (One that changes may have named any.) */
static bool is_named(const uint8_t *rom, size_t size, uint16_t port)
{
	struct pvrom_rom_header h;

	header(rom, &h);
	return h.live_port == port && pvrom_rom_checksum(rom, size) == h.checksum;
}

static void check_port(uint16_t port)
{
	PROMISE(port && (shim->lies || is_named(shim->rom, shim->rom_size, port) ||
			 is_named(shim->other_rom, shim->other_size, port)));
}

uint32_t pvrom_insn_in32(uint16_t port)
{
	uint32_t answer = shim->choice.live_key ^ shim->nonce;

	check_port(port);
	lie32(&answer);
	shim->port_right = shim->nonce != 0;
	shim->nonce = 0;
	return answer;
}

void pvrom_insn_out32(uint16_t port, uint32_t value)
{
	check_port(port);
	shim->nonce = value;
}

uint32_t pvrom_insn_nonce(void)
{
	return 0xabcd1;
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

static uint64_t closed(uint64_t set)
{
	uint64_t before;

	do {
		before = set;
#define CLOSE(NAME, bit, needs, name, text)                                                        \
	if ((needs) & ~set)                                                                        \
		set &= ~PVROM_FEATURE_BIT(bit);
		PVROM_FEATURE_TABLE(CLOSE)
	} while (set != before);
	return set;
}

static uint32_t query(uint64_t gpa)
{
	struct pvrom_offer *offer = (struct pvrom_offer *)(uintptr_t)gpa;
	uint32_t i;

	*offer = (struct pvrom_offer){
		.size = sizeof(*offer),
		.major = PVROM_MAJOR,
		.epoch = shim->epoch,
		.can = 0x3ff,
		.offered = closed(shim->offered),
		.advised = shim->offered & 0x55,
		.vcpus = 1,
	};
	for (i = 0; i < PVROM_FEATURE_MAX; i++)
		offer->reason[i] = offer->offered >> i & 1 ? 0 : PVROM_REASON_NOT_SUPPORTED;
	lie_in(offer, sizeof(*offer));
	return PVROM_STATUS_OK;
}

static uint32_t propose(struct pvrom_negotiation *n)
{
	const uint64_t granted = closed(n->wanted & shim->offered);

	if (n->epoch != shim->epoch)
		return PVROM_STATUS_STALE;
	n->missing = n->required & ~granted;
	if (n->missing)
		return PVROM_STATUS_REFUSED;
	n->granted = shim->pending = granted;
	return PVROM_STATUS_OK;
}

static uint32_t commit(const struct pvrom_negotiation *n)
{
	if (n->granted && n->epoch != shim->epoch)
		return PVROM_STATUS_STALE;
	if (n->granted && n->granted != shim->pending)
		return PVROM_STATUS_INVALID;
	shim->sealed = n->granted;
	return PVROM_STATUS_OK;
}

static uint32_t negotiate(uint64_t gpa, uint64_t form)
{
	struct pvrom_negotiation *n = (struct pvrom_negotiation *)(uintptr_t)gpa;
	struct pvrom_rom_header h;
	uint32_t status;

	if (form == PVROM_NEGOTIATE_PROPOSE || !shim->lies)
		PROMISE(n->size == sizeof(*n) && n->major == PVROM_MAJOR &&
			!(n->required & ~n->wanted));
	if (shim->moves_epoch && shim->moves_epoch--)
		shim->epoch++;
	status = form == PVROM_NEGOTIATE_PROPOSE ? propose(n) : commit(n);
	header(shim->rom, &h);
	n->host_epoch = shim->epoch;
	n->rom_gpa = SHIM_ROM_GPA;
	n->rom_size = h.rom_size;
	n->rom_checksum = h.checksum;
	lie_in(n, sizeof(*n));
	return status;
}

/* A hypercall is executed only where somebody has shown that he will answer it. */
static void check_alive(uint32_t transport, uint16_t port)
{
	PROMISE(shim->leaf_shown || (transport == PVROM_TRANSPORT_PORT && shim->port_right));
	PROMISE(transport && transport < PVROM_TRANSPORT_COUNT && port <= 0xff);
	PROMISE(!port || transport == PVROM_TRANSPORT_PORT);
}

uint32_t pvrom_insn_hypercall(uint32_t transport, uint16_t port, uint32_t call,
			      const uint64_t arg[4], uint64_t *value)
{
	uint32_t status = PVROM_STATUS_OK;

	check_alive(transport, port);
	if (call == PVROM_BASE_QUERY)
		status = query(arg[0]);
	else if (call == PVROM_BASE_NEGOTIATE)
		status = negotiate(arg[0], arg[1]);
	else if (call == PVROM_BASE_RESET)
		shim->sealed = 0;
	*value = 0;
	lie32(&status);
	if (lies_now())
		*value = take64(shim->lies);
	return status;
}
