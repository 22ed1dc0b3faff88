/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Finds a ROM by the four routes of <pvrom/discovery.h>, and a live host behind it.
 *
 * Everything is read once, into a candidate, and only from there. Images are told apart by their
 * version, size and checksum: the same ROM found twice is one ROM.
 */
#include "guest_internal.h"

/* PCI expansion ROMs hold a few images, one a kind of firmware. */
#define IMAGES_MAX 16
#define PLACES_MAX 64

/* What leaves or a header say about a ROM. Leaves fill in a few fields of the header. */
struct candidate {
	uint64_t gpa;
	uint64_t room; /* bytes there, 0 if not known */
	uint32_t route;
	struct pvrom_rom_header header;
};

struct search {
	struct pvrom_guest *guest;
	uint32_t verdict; /* why there is none, if there is none */
	bool found;
	bool named; /* a CPUID leaf names a ROM of a major that we know */
	bool two;
	bool lies; /* leaves of a major that we know cannot be true */
	struct candidate rom;
	struct candidate leaf;
};

/* The first reason is kept: routes are tried in the order of their worth. */
static void remember_verdict(struct search *s, uint32_t verdict)
{
	if (s->verdict == PVROM_VERDICT_NO_ROM)
		s->verdict = verdict;
}

static bool is_same(const struct candidate *a, const struct candidate *b)
{
	return a->header.major == b->header.major && a->header.minor == b->header.minor &&
	       a->header.rom_size == b->header.rom_size && a->header.checksum == b->header.checksum;
}

/* Of the majors that this shim knows (today one) the newest wins, and two of one are too many. */
static void remember(struct search *s, bool *have, struct candidate *best,
		     const struct candidate *c)
{
	if (c->header.major != PVROM_MAJOR) {
		remember_verdict(s, PVROM_VERDICT_WRONG_MAJOR);
	} else if (!*have) {
		*have = true;
		*best = *c;
	} else if (!is_same(best, c)) {
		s->two = true;
	}
}

/* Reads size bytes of physical memory once. */
static bool read_memory(struct search *s, uint64_t gpa, void *to, size_t size)
{
	const void *from;

	if (gpa + size < gpa)
		return false;
	from = pvrom_os_map(s->guest->os, gpa, size);
	if (!from)
		return false;
	pvrom_copy_bytes(to, from, size);
	pvrom_os_unmap(s->guest->os, from, size);
	return true;
}

/* The header at gpa, if there is one: READY, or why not. c->header is filled in for BAD_SIGNATURE too. */
static uint32_t look_at(struct search *s, uint32_t route, uint64_t gpa, uint64_t room,
			struct candidate *c)
{
	c->gpa = gpa;
	c->room = room;
	c->route = route;
	if (room && room < sizeof(c->header))
		return PVROM_VERDICT_TRUNCATED;
	if (!read_memory(s, gpa, &c->header, sizeof(c->header)))
		return PVROM_VERDICT_NO_ROM;
	if (c->header.option_signature != PVROM_ROM_OPTION_SIGNATURE ||
	    c->header.signature != PVROM_ROM_SIGNATURE)
		return PVROM_VERDICT_BAD_SIGNATURE;
	remember(s, &s->found, &s->rom, c);
	return PVROM_VERDICT_READY;
}

/* ---- route 1 ---- */

/* An unknown base may answer with the data of a basic leaf: so the maximum must be in the block. */
static bool base_is_ours(uint32_t base)
{
	uint32_t r[4];

	pvrom_insn_cpuid(base, r);
	return r[0] >= base + PVROM_CPUID_LEAVES - 1 && r[0] < base + PVROM_CPUID_BASE_STEP &&
	       r[1] == PVROM_CPUID_SIGNATURE_EBX && r[2] == PVROM_CPUID_SIGNATURE_ECX &&
	       r[3] == PVROM_CPUID_SIGNATURE_EDX;
}

/* Reads the leaves; false if they cannot be true. */
static bool read_leaves(uint32_t base, struct candidate *c)
{
	uint32_t r[4], reserved;

	pvrom_insn_cpuid(base + 1, r);
	c->header.major = (uint16_t)(r[0] >> 16);
	c->header.minor = (uint16_t)r[0];
	c->header.rom_size = r[2];
	c->header.checksum = r[3];
	reserved = r[1];
	pvrom_insn_cpuid(base + 2, r);
	c->gpa = (uint64_t)r[1] << 32 | r[0];
	c->header.transport = (uint16_t)r[2];
	c->header.transport_port = (uint16_t)(r[2] >> 16);
	reserved |= r[3];
	return !reserved && pvrom_size_is_valid(c->header.rom_size) &&
	       pvrom_transport_is_valid(c->header.transport, c->header.transport_port);
}

static void look_at_base(struct search *s, uint32_t base)
{
	struct candidate c;
	bool true_leaves = read_leaves(base, &c);

	remember(s, &s->named, &s->leaf, &c);
	if (c.header.major != PVROM_MAJOR)
		return;
	if (true_leaves)
		look_at(s, PVROM_ROUTE_CPUID, c.gpa, 0, &c);
	else
		s->lies = true;
}

static void route_cpuid(struct search *s)
{
	uint32_t r[4], base;

	pvrom_insn_cpuid(1, r);
	if (!(r[2] >> PVROM_CPUID_HYPERVISOR_BIT & 1))
		return;
	for (base = PVROM_CPUID_BASE_FIRST; base <= PVROM_CPUID_BASE_LAST;
	     base += PVROM_CPUID_BASE_STEP)
		if (base_is_ours(base))
			look_at_base(s, base);
}

/* ---- route 2 ---- */

/* Images without our signature are stepped over, whatever they are; ours are stepped over whole. */
static void route_window(struct search *s)
{
	struct candidate c;
	uint64_t gpa, step;

	for (gpa = PVROM_WINDOW_FIRST; gpa < PVROM_WINDOW_END; gpa += step) {
		step = PVROM_WINDOW_STEP;
		if (look_at(s, PVROM_ROUTE_WINDOW, gpa, PVROM_WINDOW_END - gpa, &c) ==
			    PVROM_VERDICT_READY &&
		    pvrom_size_is_valid(c.header.rom_size))
			step = (c.header.rom_size + step - 1) / step * step;
	}
}

/* ---- route 3 ---- */

/*
 * The length of an image of a PCI expansion ROM, from its PCI data structure, 0 if it is the last one or
 * none at all (PCI Firmware Specification 3.0, 5.1: at 0x18 where the structure is; in it at 0x10
 * the length in blocks of 512 bytes, at 0x15 bit 7 for the last image).
 */
static uint64_t image_length(struct search *s, uint64_t gpa, const struct pvrom_rom_header *header)
{
	uint8_t pci[0x18];

	if (header->option_signature != PVROM_ROM_OPTION_SIGNATURE ||
	    !read_memory(s, gpa + header->pci_offset, pci, sizeof(pci)))
		return 0;
	if (pci[0] != 'P' || pci[1] != 'C' || pci[2] != 'I' || pci[3] != 'R' || pci[0x15] & 0x80)
		return 0;
	return (uint64_t)(pci[0x10] | pci[0x11] << 8) * PVROM_ROM_BLOCK;
}

/* One place: a ROM, or images one behind the other of which one is a ROM of ours. */
static void look_at_images(struct search *s, uint64_t gpa, uint64_t size)
{
	struct candidate c;
	uint64_t at = 0, step;
	uint32_t i;

	for (i = 0; i < IMAGES_MAX && (!size || at < size); i++) {
		if (look_at(s, PVROM_ROUTE_FIRMWARE, gpa + at, size ? size - at : 0, &c) !=
		    PVROM_VERDICT_BAD_SIGNATURE)
			return;
		step = image_length(s, gpa + at, &c.header);
		if (!step)
			return;
		at += step;
	}
}

static void route_firmware(struct search *s)
{
	uint64_t gpa, size;
	unsigned int n;

	for (n = 0; n < PLACES_MAX; n++) {
		gpa = 0;
		size = 0;
		if (!pvrom_os_firmware_rom(s->guest->os, n, &gpa, &size))
			return;
		look_at_images(s, gpa, size);
	}
}

/* ---- route 4 ---- */

/* Somebody said that there is a ROM: so it is an error worth telling if there is none. */
static void route_loader(struct search *s)
{
	const struct pvrom_policy *policy = s->guest->policy;
	struct candidate c;
	uint32_t verdict;

	if (!policy->loader_gpa)
		return;
	verdict = look_at(s, PVROM_ROUTE_LOADER, policy->loader_gpa, policy->loader_size, &c);
	if (verdict != PVROM_VERDICT_READY)
		remember_verdict(s, verdict);
}

/* ---- a live host ---- */

/* The port is touched only if the whole image is what it says: its header is not to be believed
 * else, and reading a port of somebody else's may do anything. */
static uint32_t checksum_in_place(struct search *s)
{
	const struct candidate *c = &s->rom;
	uint32_t size = c->header.rom_size;
	const void *rom = pvrom_os_map(s->guest->os, c->gpa, size);
	bool right;

	if (!rom)
		return PVROM_VERDICT_TRUNCATED;
	right = pvrom_rom_checksum(rom, size) == c->header.checksum;
	pvrom_os_unmap(s->guest->os, rom, size);
	return right ? PVROM_VERDICT_READY : PVROM_VERDICT_BAD_CHECKSUM;
}

static bool port_answers(uint16_t port, uint32_t key)
{
	uint32_t nonce = pvrom_insn_nonce();

	if (!port || pvrom_insn_in32(port) != key)
		return false;
	pvrom_insn_out32(port, nonce);
	return pvrom_insn_in32(port) == (key ^ nonce);
}

/* Without the leaf neither vmcall nor vmmcall is ever executed: on bare metal they fault, and
 * under a stranger they mean something else. */
static uint32_t find_live_port(struct search *s)
{
	uint32_t verdict = checksum_in_place(s);

	if (verdict != PVROM_VERDICT_READY)
		return verdict;
	if (!port_answers(s->rom.header.live_port, s->rom.header.live_key))
		return PVROM_VERDICT_NO_HOST;
	if (s->rom.header.transport != PVROM_TRANSPORT_PORT)
		return PVROM_VERDICT_NO_TRANSPORT;
	return PVROM_VERDICT_READY;
}

/* ---- all together ---- */

static uint32_t judge_size(const struct candidate *c)
{
	uint32_t size = c->header.rom_size;

	if (!pvrom_size_is_valid(size))
		return PVROM_VERDICT_BAD_HEADER;
	if ((c->room && size > c->room) || c->gpa + size < c->gpa)
		return PVROM_VERDICT_TRUNCATED;
	return PVROM_VERDICT_READY;
}

/* The leaves name a ROM: it must be there, and say the same of itself. */
static bool leaves_agree(const struct search *s)
{
	return !s->lies && s->found && is_same(&s->rom, &s->leaf) &&
	       s->rom.header.transport == s->leaf.header.transport &&
	       s->rom.header.transport_port == s->leaf.header.transport_port;
}

static uint32_t judge_rom(struct search *s)
{
	const struct candidate *c = &s->rom;
	uint32_t verdict;

	if (s->two)
		return PVROM_VERDICT_TWO_ROMS;
	if (s->named && !leaves_agree(s))
		return PVROM_VERDICT_CPUID_LIES;
	if (!s->found)
		return s->verdict;
	if (c->header.minor < s->guest->policy->minor_min)
		return PVROM_VERDICT_OLD_MINOR;
	verdict = judge_size(c);
	if (verdict != PVROM_VERDICT_READY)
		return verdict;
	if (!s->named)
		return find_live_port(s);
	return c->header.transport ? PVROM_VERDICT_READY : PVROM_VERDICT_NO_TRANSPORT;
}

static void keep(struct search *s)
{
	struct pvrom_guest *guest = s->guest;
	const struct candidate *c = &s->rom;

	guest->route = c->route;
	guest->rom_gpa = c->gpa;
	guest->rom_size = c->header.rom_size;
	guest->rom_checksum = c->header.checksum;
	guest->rom_major = c->header.major;
	guest->rom_minor = c->header.minor;
}

PVROM_COLD uint32_t pvrom_guest_find(struct pvrom_guest *guest)
{
	struct search s = { .guest = guest, .verdict = PVROM_VERDICT_NO_ROM };

	guest->transport = PVROM_TRANSPORT_NONE;
	guest->transport_port = 0;
	if (guest->policy->flags & PVROM_POLICY_OFF)
		return guest->verdict = PVROM_VERDICT_SWITCHED_OFF;
	route_cpuid(&s);
	route_window(&s);
	route_firmware(&s);
	route_loader(&s);
	guest->verdict = judge_rom(&s);
	if (s.found)
		keep(&s);
	if (guest->verdict == PVROM_VERDICT_READY) {
		guest->transport = s.rom.header.transport;
		guest->transport_port = s.rom.header.transport_port;
	}
	return guest->verdict;
}
