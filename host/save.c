/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The state of a machine as bytes, and back. Everything is little-endian and written out by field,
 * so the image depends on no compiler. Loading reads all of it before anything is changed.
 *
 *	0x00	"pvROMsav"
 *	0x08	format version, 16 bits		1
 *	0x0a	reserved, 16 bits
 *	0x0c	size of the image, 32 bits
 *	0x10	CRC-32 of the image with this field 0
 *	0x14	transport, 16 bits
 *	0x16	its port, 16 bits
 *	0x18	number of vCPUs, 32 bits
 *	0x1c	number of feature sections, 32 bits
 *	0x20	SHA-256 of the ROM that the guest was given
 *	0x40	epoch
 *	0x48	sealed set
 *	0x50	pending set
 *	0x58	pending epoch
 *	0x60	pending vectors, 16 bits
 *	0x62	vectors: epoch in bits 7:0, alarm in bits 15:8
 *	0x64	pending vector of kicks, 8 bits
 *	0x65	vector of kicks, 8 bits
 *	0x66	reserved, 16 bits
 *	0x68	for each vCPU: area, 64 bits; nonce of the live port, 32 bits; reserved, 32 bits
 *		for each feature section: number, 32 bits; size, 32 bits; bytes
 *
 * Alarms are not in it: the embedder, who has the timers, carries them along.
 */
#include "host_internal.h"

#include "../digest/digest.h"

#define IMAGE_MAGIC UINT64_C(0x7661734d4f527670)
#define IMAGE_FORMAT 1
#define IMAGE_CRC 0x10
#define IMAGE_HEADER 0x68
#define IMAGE_VCPU 0x10
#define IMAGE_SECTION 0x08

/* ---- bytes ----------------------------------------------------------------------------------- */

/* A place in a buffer; beyond the room nothing is written, but the place is counted on. */
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

static void put_bytes(struct cursor *c, const uint8_t *bytes, uint32_t size)
{
	while (size--)
		put(c, *bytes++, 1);
}

static uint64_t get(const uint8_t *bytes, uint32_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)get(bytes, 2);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get(bytes, 4);
}

/* ---- save ------------------------------------------------------------------------------------ */

static uint32_t section_count(const struct pvrom_host *host)
{
	const struct pvrom_host_feature *const *list;
	uint32_t count = 0;

	for (list = host->config.features; *list; list++)
		count += (*list)->save != NULL;
	return count;
}

static void save_header(const struct pvrom_host *host, struct cursor *c)
{
	put(c, IMAGE_MAGIC, 8);
	put(c, IMAGE_FORMAT, 2);
	put(c, 0, 2);
	put(c, 0, 4); /* the size and */
	put(c, 0, 4); /* the checksum come last */
	put(c, host->config.transport, 2);
	put(c, host->config.transport_port, 2);
	put(c, host->config.vcpus, 4);
	put(c, section_count(host), 4);
	put_bytes(c, host->rom_digest, sizeof(host->rom_digest));
	put(c, host->epoch, 8);
	put(c, PVROM_BUG(SEALED_LOST) ? 0 : host->sealed, 8);
	put(c, host->pending, 8);
	put(c, host->pending_epoch, 8);
	put(c, host->pending_vectors & 0xffff, 2);
	put(c, host->epoch_vector, 1);
	put(c, host->alarm_vector, 1);
	put(c, host->pending_vectors >> 16, 1);
	put(c, host->kick_vector, 1);
	put(c, 0, 2);
}

static void save_vcpus(const struct pvrom_host *host, struct cursor *c)
{
	uint32_t i;

	for (i = 0; i < host->config.vcpus; i++) {
		put(c, host->vcpu[i].area_gpa, 8);
		put(c, host->vcpu[i].live_nonce, 4);
		put(c, 0, 4);
	}
}

static void save_sections(const struct pvrom_host *host, struct cursor *c)
{
	const struct pvrom_host_feature *const *list;

	for (list = host->config.features; *list; list++) {
		size_t left = c->at + IMAGE_SECTION < c->room ? c->room - c->at - IMAGE_SECTION : 0;
		size_t size;

		if (!(*list)->save)
			continue;
		size = (*list)->save(host, left ? c->bytes + c->at + IMAGE_SECTION : NULL, left);
		put(c, (*list)->number, 4);
		put(c, size, 4);
		c->at += size;
	}
}

static void finish(uint8_t *bytes, size_t size)
{
	struct cursor c = { bytes, size, 0x0c };

	put(&c, size, 4);
	put(&c, pvrom_crc32(0, bytes, size), 4);
}

enum pvrom_host_result pvrom_host_save(const struct pvrom_host *host, void *buffer, size_t room,
				       size_t *size)
{
	struct cursor c = { buffer, buffer ? room : 0, 0 };

	save_header(host, &c);
	save_vcpus(host, &c);
	save_sections(host, &c);
	*size = c.at;
	if (c.at > c.room)
		return PVROM_HOST_NO_ROOM;
	finish(buffer, c.at);
	return PVROM_HOST_OK;
}

/* ---- load: decode ---------------------------------------------------------------------------- */

struct decoded {
	const uint8_t *bytes;
	size_t size;
	uint64_t epoch, sealed, pending, pending_epoch;
	uint32_t sections, section_at;
	uint32_t pending_vectors, vectors; /* epoch, alarm, kick, from bit 0 */
};

/* The CRC of the image with its own field 0, without a copy of the image. */
static uint32_t image_crc(const uint8_t *bytes, size_t size)
{
	static const uint8_t zero[4];
	uint32_t crc = pvrom_crc32(0, bytes, IMAGE_CRC);

	crc = pvrom_crc32(crc, zero, sizeof(zero));
	return pvrom_crc32(crc, bytes + IMAGE_CRC + 4, size - IMAGE_CRC - 4);
}

/* Is it a whole and undamaged image? */
static enum pvrom_host_result check_envelope(const uint8_t *bytes, size_t size)
{
	if (size < 8 || get(bytes, 8) != IMAGE_MAGIC)
		return PVROM_HOST_NOT_AN_IMAGE;
	if (size < IMAGE_HEADER)
		return PVROM_HOST_IMAGE_TRUNCATED;
	if (get16(bytes + 0x08) != IMAGE_FORMAT)
		return PVROM_HOST_IMAGE_VERSION;
	if (size < get32(bytes + 0x0c))
		return PVROM_HOST_IMAGE_TRUNCATED;
	if (size > get32(bytes + 0x0c))
		return PVROM_HOST_IMAGE_FIELD;
	if (get32(bytes + IMAGE_CRC) != image_crc(bytes, size) && !PVROM_BUG(LOAD_ANYTHING))
		return PVROM_HOST_IMAGE_CHECKSUM;
	return PVROM_HOST_OK;
}

/* Is it the image of a machine like this one? */
static enum pvrom_host_result check_machine(const struct pvrom_host *host, const uint8_t *bytes)
{
	if (get16(bytes + 0x14) != host->config.transport ||
	    get16(bytes + 0x16) != host->config.transport_port)
		return PVROM_HOST_IMAGE_TRANSPORT;
	if (get32(bytes + 0x18) != host->config.vcpus)
		return PVROM_HOST_IMAGE_VCPUS;
	return PVROM_HOST_OK;
}

static void decode(const uint8_t *bytes, size_t size, struct decoded *d)
{
	*d = (struct decoded){
		.bytes = bytes,
		.size = size,
		.epoch = get(bytes + 0x40, 8),
		.sealed = get(bytes + 0x48, 8),
		.pending = get(bytes + 0x50, 8),
		.pending_epoch = get(bytes + 0x58, 8),
		.pending_vectors = get16(bytes + 0x60) | (uint32_t)bytes[0x64] << 16,
		.vectors = get16(bytes + 0x62) | (uint32_t)bytes[0x65] << 16,
		.sections = get32(bytes + 0x1c),
	};
}

static bool vectors_ok(uint32_t vectors)
{
	for (; vectors; vectors >>= 8)
		if ((vectors & 0xff) && (vectors & 0xff) < PVROM_VECTOR_MIN)
			return false;
	return true;
}

static enum pvrom_host_result check_fields(const struct decoded *d)
{
	const uint64_t alarm = PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM);

	if (get16(d->bytes + 0x0a) || get16(d->bytes + 0x66))
		return PVROM_HOST_IMAGE_FIELD;
	/* An epoch at its end could not be raised any more. */
	if (!d->epoch || d->epoch >= UINT64_MAX / 2 || d->pending_epoch > d->epoch)
		return PVROM_HOST_IMAGE_FIELD;
	if (!vectors_ok(d->vectors) || !vectors_ok(d->pending_vectors))
		return PVROM_HOST_IMAGE_FIELD;
	if ((d->sealed & alarm) && !(d->vectors >> 8 & 0xff))
		return PVROM_HOST_IMAGE_FIELD;
	if (pvrom_host_close(d->sealed) != d->sealed || pvrom_host_close(d->pending) != d->pending)
		return PVROM_HOST_IMAGE_FIELD;
	return PVROM_HOST_OK;
}

static const uint8_t *vcpu_bytes(const struct decoded *d, uint32_t i)
{
	return d->bytes + IMAGE_HEADER + (size_t)i * IMAGE_VCPU;
}

static bool area_ok(const struct pvrom_host *host, const struct decoded *d, uint32_t i)
{
	uint64_t gpa = get(vcpu_bytes(d, i), 8);
	uint32_t j;

	if (gpa == PVROM_VCPU_AREA_NONE)
		return true;
	for (j = 0; j < i; j++)
		if (get(vcpu_bytes(d, j), 8) == gpa)
			return false;
	return pvrom_host_check_area(host, gpa) == PVROM_STATUS_OK;
}

static enum pvrom_host_result check_vcpus(const struct pvrom_host *host, struct decoded *d)
{
	uint32_t i;

	d->section_at = IMAGE_HEADER + host->config.vcpus * IMAGE_VCPU;
	if (d->size < d->section_at)
		return PVROM_HOST_IMAGE_FIELD;
	for (i = 0; i < host->config.vcpus; i++)
		if (!area_ok(host, d, i) || get32(vcpu_bytes(d, i) + 12))
			return PVROM_HOST_IMAGE_FIELD;
	return PVROM_HOST_OK;
}

/* Walks the sections: each in the image, each for a feature of this host, no feature twice. */
static enum pvrom_host_result check_sections(const struct pvrom_host *host, const struct decoded *d)
{
	size_t at = d->section_at;
	uint64_t seen = 0;
	uint32_t i;

	for (i = 0; i < d->sections; i++) {
		const struct pvrom_host_feature *half;

		if (d->size - at < IMAGE_SECTION ||
		    get32(d->bytes + at + 4) > d->size - at - IMAGE_SECTION)
			return PVROM_HOST_IMAGE_FIELD;
		half = pvrom_host_feature(host, get32(d->bytes + at));
		if (!half || !half->load)
			return PVROM_HOST_IMAGE_FEATURE;
		if (seen & PVROM_FEATURE_BIT(half->number))
			return PVROM_HOST_IMAGE_FIELD;
		seen |= PVROM_FEATURE_BIT(half->number);
		at += IMAGE_SECTION + get32(d->bytes + at + 4);
	}
	return at == d->size ? PVROM_HOST_OK : PVROM_HOST_IMAGE_FIELD;
}

static enum pvrom_host_result check_image(const struct pvrom_host *host, const uint8_t *bytes,
					  size_t size, struct decoded *d)
{
	enum pvrom_host_result result = check_envelope(bytes, size);

	if (result == PVROM_HOST_OK)
		result = check_machine(host, bytes);
	if (result != PVROM_HOST_OK)
		return result;
	decode(bytes, size, d);
	result = check_fields(d);
	if (result == PVROM_HOST_OK)
		result = check_vcpus(host, d);
	if (result == PVROM_HOST_OK && (d->sealed & ~pvrom_host_can(host)))
		result = PVROM_HOST_IMAGE_FEATURE;
	if (result == PVROM_HOST_OK)
		result = check_sections(host, d);
	return result;
}

/* ---- load: act ------------------------------------------------------------------------------- */

/* Hands the sections to their features. If one refuses, those before it are stopped again. */
static bool load_sections(struct pvrom_host *host, const struct decoded *d)
{
	size_t at = d->section_at;
	uint64_t loaded = 0;
	uint32_t i;

	for (i = 0; i < d->sections; i++) {
		const uint32_t number = get32(d->bytes + at), size = get32(d->bytes + at + 4);

		if (!pvrom_host_feature(host, number)
			     ->load(host, d->bytes + at + IMAGE_SECTION, size))
			break;
		loaded |= PVROM_FEATURE_BIT(number);
		at += IMAGE_SECTION + size;
	}
	if (i == d->sections)
		return true;
	host->started = loaded;
	pvrom_host_seal(host, 0);
	return false;
}

static void take_state(struct pvrom_host *host, const struct decoded *d)
{
	uint64_t epoch = d->epoch > host->epoch ? d->epoch : host->epoch;
	uint32_t i;

	host->pending = d->pending;
	host->pending_epoch = d->pending_epoch;
	host->pending_vectors = d->pending_vectors;
	host->epoch_vector = (uint8_t)d->vectors;
	host->alarm_vector = (uint8_t)(d->vectors >> 8);
	host->kick_vector = (uint8_t)(d->vectors >> 16);
	for (i = 0; i < host->config.vcpus; i++) {
		pvrom_host_set_area(&host->vcpu[i], get(vcpu_bytes(d, i), 8));
		host->vcpu[i].live_nonce = get32(vcpu_bytes(d, i) + 8);
	}
	pvrom_host_seal(host, d->sealed);
	if (!PVROM_BUG(LOAD_EPOCH))
		epoch++;
	pvrom_host_raise_locked(host, epoch);
}

static bool just_set_up(const struct pvrom_host *host)
{
	uint32_t i;

	for (i = 0; i < host->config.vcpus; i++)
		if (host->vcpu[i].area_gpa != PVROM_VCPU_AREA_NONE)
			return false;
	return host->rom_size && !host->sealed && !host->pending_epoch;
}

enum pvrom_host_result pvrom_host_load(struct pvrom_host *host, const void *buffer, size_t size)
{
	enum pvrom_host_result result;
	struct decoded d;
	bool loaded;

	if (!just_set_up(host))
		return PVROM_HOST_BAD_CONFIG;
	result = check_image(host, buffer, size, &d);
	if (result != PVROM_HOST_OK)
		return result;
	pvrom_host_lock(host);
	loaded = load_sections(host, &d);
	if (loaded)
		take_state(host, &d);
	pvrom_host_unlock(host);
	return loaded ? PVROM_HOST_OK : PVROM_HOST_IMAGE_FIELD;
}
