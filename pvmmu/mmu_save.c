/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the guest has declared, as bytes, and back. The shadows are not in it: they are built anew. All is
 * little-endian. Loading reads all of it before anything is changed.
 *
 *	0x00	format, 32 bits		1
 *	0x04	number of vCPUs, 32 bits
 *	0x08	number of resident ranges, 32 bits
 *	0x0c	number of registered tables, 32 bits
 *	0x10	for each vCPU: gpa of its ring, 64 bits; slots, retired, refused, 32 bits each; bit 0: takes its
 *		own faults, bit 1: the ring may be polled, 32 bits
 *		for each range: as in RESIDENT, 64 bits
 *		for each table, in ascending order: page number << 3 | level, 64 bits
 */
#include "mmu_internal.h"

#define FORMAT 1
#define HEADER 0x10u
#define VCPU 0x18u

/* ---- save --------------------------------------------------------------------------------------------- */

struct cursor {
	uint8_t *bytes;
	size_t room, at;
};

static void put(struct cursor *c, uint64_t value, uint32_t size)
{
	for (; size; size--, value >>= 8, c->at++)
		if (c->at < c->room)
			c->bytes[c->at] = (uint8_t)value;
}

static void save_vcpu(const struct shadow_vcpu *v, struct cursor *c)
{
	const bool ring = v->ring != PVROM_MMU_NONE;

	put(c, v->ring, 8);
	put(c, ring ? v->slots : 0, 4);
	put(c, ring ? v->retired : 0, 4);
	put(c, ring ? v->refused : 0, 4);
	put(c, v->faults | (ring && v->may_poll ? 2u : 0), 4);
}

static void save_tables(const struct pvrom_mmu *mmu, struct cursor *c)
{
	uint32_t left = mmu->registered;
	uint64_t gfn;

	for (gfn = 0; left && gfn < mmu->config.guest_pages; gfn++)
		if (mmu->gfn[gfn].level) {
			put(c, gfn << 3 | mmu->gfn[gfn].level, 8);
			left--;
		}
}

/* Between calls, no vCPU running. */
size_t pvrom_mmu_save(const struct pvrom_host *host, void *buffer, size_t room)
{
	const struct pvrom_mmu *mmu = pvrom_mmu_of(host);
	struct cursor c = { buffer, buffer ? room : 0, 0 };
	uint32_t i;

	put(&c, FORMAT, 4);
	put(&c, mmu->config.vcpus, 4);
	put(&c, mmu->resident_count, 4);
	put(&c, mmu->registered, 4);
	for (i = 0; i < mmu->config.vcpus; i++)
		save_vcpu(&mmu->vcpu[i], &c);
	for (i = 0; i < mmu->resident_count; i++)
		put(&c, mmu->resident[i], 8);
	save_tables(mmu, &c);
	return c.at;
}

/* ---- load: look ---------------------------------------------------------------------------------------- */

static uint64_t get(const uint8_t *bytes, uint32_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

struct image {
	const uint8_t *vcpus, *ranges, *tables;
	uint64_t range_count, table_count;
};

static bool open_image(const struct pvrom_mmu *mmu, const uint8_t *bytes, size_t size,
		       struct image *image)
{
	const uint32_t vcpus = mmu->config.vcpus;

	if (size < HEADER + VCPU * vcpus || get(bytes, 4) != FORMAT || get(bytes + 4, 4) != vcpus)
		return false;
	image->range_count = get(bytes + 8, 4);
	image->table_count = get(bytes + 12, 4);
	image->vcpus = bytes + HEADER;
	image->ranges = image->vcpus + VCPU * vcpus;
	if (image->range_count > PVROM_MMU_RESIDENT_MAX ||
	    size != HEADER + VCPU * vcpus + (image->range_count + image->table_count) * 8)
		return false;
	image->tables = image->ranges + image->range_count * 8;
	return true;
}

static bool vcpu_ok(struct pvrom_mmu *mmu, const uint8_t *bytes)
{
	const uint64_t ring = get(bytes, 8);
	const uint32_t slots = (uint32_t)get(bytes + 8, 4);

	if (get(bytes + 20, 4) > 3)
		return false;
	if (ring == PVROM_MMU_NONE)
		return !slots && !get(bytes + 12, 8);
	return pvrom_mmu_ring_ok(mmu, ring, slots);
}

static bool tables_ok(struct pvrom_mmu *mmu, const struct image *image)
{
	struct pvrom_mmu_memory memory;
	uint64_t i, word, least = 0;

	for (i = 0; i < image->table_count; i++) {
		word = get(image->tables + i * 8, 8);
		if (word >> 3 < least || (word & 7) < 1 || (word & 7) > 4 ||
		    !guest_page(mmu, word >> 3, &memory) || memory.read_only)
			return false;
		least = (word >> 3) + 1;
	}
	return true;
}

static bool image_ok(struct pvrom_mmu *mmu, const struct image *image)
{
	uint64_t i, pages = 0;

	for (i = 0; i < mmu->config.vcpus; i++)
		if (!vcpu_ok(mmu, image->vcpus + i * VCPU))
			return false;
	for (i = 0; i < image->range_count; i++)
		if (!range_is_valid(get(image->ranges + i * 8, 8)))
			return false;
	for (i = 0; i < image->range_count; i++)
		pages += (get(image->ranges + i * 8, 8) & 4095) + 1;
	return pages <= PVROM_MMU_RESIDENT_PAGES_MAX && tables_ok(mmu, image);
}

/* ---- load: act ---------------------------------------------------------------------------------------- */

static void load_vcpu(struct shadow_vcpu *v, const uint8_t *bytes)
{
	v->ring = get(bytes, 8);
	v->slots = (uint32_t)get(bytes + 8, 4);
	v->retired = (uint32_t)get(bytes + 12, 4);
	v->refused = (uint32_t)get(bytes + 16, 4);
	v->faults = get(bytes + 20, 4) & 1;
	v->may_poll = get(bytes + 20, 4) & 2;
	v->registered = 0;
}

static void take(struct pvrom_mmu *mmu, const struct image *image)
{
	uint64_t i, word;

	for (i = 0; i < mmu->config.vcpus; i++) {
		load_vcpu(&mmu->vcpu[i], image->vcpus + i * VCPU);
		pvrom_mmu_say_polled(mmu, &mmu->vcpu[i]);
	}
	mmu->resident_count = (uint32_t)image->range_count;
	for (i = 0; i < image->range_count; i++)
		mmu->resident[i] = get(image->ranges + i * 8, 8);
	mmu->resident_set++;
	for (i = 0; i < image->table_count; i++) {
		word = get(image->tables + i * 8, 8);
		mmu->gfn[word >> 3].level = word & 7;
		mmu->registered++;
	}
}

bool pvrom_mmu_load(struct pvrom_host *host, const void *buffer, size_t size)
{
	struct pvrom_mmu *mmu = pvrom_mmu_of(host);
	struct image image;
	bool ok;

	pvrom_shadow_enter(mmu, 0);
	mmu->self = 0;
	ok = open_image(mmu, buffer, size, &image) && image_ok(mmu, &image);
	if (ok) {
		pvrom_mmu_forget_tables(mmu);
		take(mmu, &image);
	}
	pvrom_shadow_exit(mmu);
	return ok;
}
