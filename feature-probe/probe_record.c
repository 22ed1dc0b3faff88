/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Recordings: evidence as text, and back.
 *
 *	pvrom-evidence 1
 *	source WORDS			where it comes from
 *	cpuid LEAF SUBLEAF EAX EBX ECX EDX	hexadecimal
 *	fact NAME WORDS
 *	looked				the places of a ROM were looked at
 *	live				the live port answers
 *	rom ROUTE SIZE			and then lines of
 *	data HEX			until SIZE bytes are there
 *	wants WANTED REQUIRED		of a kernel's note, hexadecimal
 *	offer EPOCH CAN ADVISED HARDWARE OFFERED VCPUS TSC_HZ	as the host answered, hexadecimal
 *	reason FEATURE NUMBER		for each that is not offered, by name, decimal
 *	tried FEATURES WORKED		hexadecimal
 *
 * Empty lines and those that begin with # say nothing.
 */
#include "probe_internal.h"

#define FIRST_LINE "pvrom-evidence 1"
#define DATA_BYTES 32u

/* ---- writing --------------------------------------------------------------------------------- */

struct out {
	struct pvrom_text text;
	pvrom_probe_line_fn *line;
	void *ctx;
};

static void begin(struct out *out, const char *kind)
{
	pvrom_text_put(&out->text, kind);
}

static void words(struct out *out, const char *text)
{
	pvrom_text_put(&out->text, " ");
	pvrom_text_put(&out->text, text);
}

static void hex(struct out *out, uint64_t value, uint32_t digits)
{
	pvrom_text_put(&out->text, " ");
	pvrom_text_hex(&out->text, value, digits);
}

static void number(struct out *out, uint64_t value)
{
	pvrom_text_put(&out->text, " ");
	pvrom_text_number(&out->text, value);
}

static void end(struct out *out)
{
	pvrom_text_end(&out->text, out->line, out->ctx);
}

static void write_leaf(struct out *out, const struct pvrom_probe_leaf *leaf)
{
	uint32_t i;

	begin(out, "cpuid");
	hex(out, leaf->leaf, 8);
	hex(out, leaf->subleaf, 2);
	for (i = 0; i < 4; i++)
		hex(out, leaf->regs[i], 8);
	end(out);
}

static void write_rom(struct out *out, const struct pvrom_probe_evidence *evidence)
{
	size_t at, i;

	begin(out, "rom");
	number(out, evidence->rom_route);
	number(out, evidence->rom_size);
	end(out);
	for (at = 0; at < evidence->rom_size; at += DATA_BYTES) {
		begin(out, "data ");
		for (i = at; i < at + DATA_BYTES && i < evidence->rom_size; i++)
			pvrom_text_hex(&out->text, evidence->rom[i], 2);
		end(out);
	}
}

static void write_offer(struct out *out, const struct pvrom_offer *offer)
{
	uint32_t i;

	begin(out, "offer");
	hex(out, offer->epoch, 4);
	hex(out, offer->can, 4);
	hex(out, offer->advised, 4);
	hex(out, offer->hardware, 4);
	hex(out, offer->offered, 4);
	hex(out, offer->vcpus, 4);
	hex(out, offer->tsc_hz, 10);
	end(out);
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (!(offer->offered >> i & 1)) {
			begin(out, "reason");
			words(out, pvrom_feature_name(i));
			number(out, offer->reason[i]);
			end(out);
		}
}

static void write_kernel(struct out *out, const struct pvrom_probe_evidence *evidence)
{
	if (evidence->has_wants) {
		begin(out, "wants");
		hex(out, evidence->wanted, 4);
		hex(out, evidence->required, 4);
		end(out);
	}
	if (evidence->tried) {
		begin(out, "tried");
		hex(out, evidence->tried, 4);
		hex(out, evidence->worked, 4);
		end(out);
	}
}

void pvrom_probe_write(const struct pvrom_probe_evidence *evidence, pvrom_probe_line_fn *line,
		       void *ctx)
{
	struct out out = { .line = line, .ctx = ctx };
	uint32_t i;

	pvrom_text_clear(&out.text);
	begin(&out, FIRST_LINE);
	end(&out);
	begin(&out, "source");
	words(&out, evidence->source);
	end(&out);
	for (i = 0; i < evidence->leaves; i++)
		write_leaf(&out, &evidence->leaf[i]);
	for (i = 0; i < evidence->facts; i++) {
		begin(&out, "fact");
		words(&out, evidence->fact[i].name);
		words(&out, evidence->fact[i].value);
		end(&out);
	}
	if (evidence->look == PVROM_PROBE_LOOKED)
		line(ctx, "looked");
	if (evidence->port_answers)
		line(ctx, "live");
	if (evidence->two_roms)
		line(ctx, "two");
	if (evidence->rom && evidence->rom_size)
		write_rom(&out, evidence);
	if (evidence->has_offer)
		write_offer(&out, &evidence->offer);
	write_kernel(&out, evidence);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What is left of a line. */
struct in {
	const char *at, *end;
	struct pvrom_probe_evidence *evidence;
	size_t rom_wanted; /* bytes that `rom` has announced */
};

static void skip_blanks(struct in *in)
{
	while (in->at < in->end && *in->at == ' ')
		in->at++;
}

static bool at_end(struct in *in)
{
	skip_blanks(in);
	return in->at == in->end;
}

/* The next word; false if there is none, or it does not fit. */
static bool take_word(struct in *in, char *word, size_t room)
{
	size_t n = 0;

	skip_blanks(in);
	while (in->at < in->end && *in->at != ' ' && n + 1 < room)
		word[n++] = *in->at++;
	word[n] = '\0';
	return n && (in->at == in->end || *in->at == ' ');
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool take_number(struct in *in, uint32_t base, uint64_t most, uint64_t *value)
{
	char word[20];
	uint32_t i;

	*value = 0;
	if (!take_word(in, word, sizeof(word)))
		return false;
	for (i = 0; word[i]; i++) {
		const int digit = digit_of(word[i]);

		if (digit < 0 || (uint32_t)digit >= base || (uint64_t)digit > most ||
		    *value > (most - (uint64_t)digit) / base)
			return false;
		*value = *value * base + (uint64_t)digit;
	}
	return true;
}

static bool take_numbers(struct in *in, uint32_t base, uint64_t most, uint64_t *values,
			 uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (!take_number(in, base, most, &values[i]))
			return false;
	return at_end(in);
}

static bool read_source(struct in *in)
{
	skip_blanks(in);
	pvrom_text_copy(in->evidence->source, sizeof(in->evidence->source), in->at,
			(size_t)(in->end - in->at));
	return true;
}

static bool read_cpuid(struct in *in)
{
	uint64_t v[6];
	uint32_t regs[4], i;

	if (!take_numbers(in, 16, UINT32_MAX, v, 6))
		return false;
	for (i = 0; i < 4; i++)
		regs[i] = (uint32_t)v[2 + i];
	return pvrom_probe_add_leaf(in->evidence, (uint32_t)v[0], (uint32_t)v[1], regs);
}

static bool read_fact(struct in *in)
{
	char name[PVROM_PROBE_NAME], value[PVROM_PROBE_VALUE];

	if (!take_word(in, name, sizeof(name)))
		return false;
	skip_blanks(in);
	pvrom_text_copy(value, sizeof(value), in->at, (size_t)(in->end - in->at));
	return pvrom_probe_add_fact(in->evidence, name, value);
}

static bool read_looked(struct in *in)
{
	in->evidence->look = PVROM_PROBE_LOOKED;
	return at_end(in);
}

static bool read_live(struct in *in)
{
	in->evidence->port_answers = true;
	return at_end(in);
}

static bool read_two(struct in *in)
{
	in->evidence->two_roms = true;
	return at_end(in);
}

static bool read_rom(struct in *in)
{
	uint64_t v[2];

	if (in->rom_wanted || !take_numbers(in, 10, PVROM_ROM_SIZE_MAX, v, 2) ||
	    v[0] >= PVROM_ROUTE_COUNT || !v[1] || v[1] > in->evidence->rom_room)
		return false;
	in->evidence->rom_route = (uint32_t)v[0];
	in->rom_wanted = (size_t)v[1];
	return true;
}

static bool read_data(struct in *in)
{
	struct pvrom_probe_evidence *evidence = in->evidence;

	for (skip_blanks(in); in->at < in->end; in->at += 2) {
		const int high = digit_of(in->at[0]);
		const int low = in->end - in->at > 1 ? digit_of(in->at[1]) : -1;

		if (high < 0 || low < 0 || evidence->rom_size == in->rom_wanted)
			return false;
		evidence->rom[evidence->rom_size++] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_wants(struct in *in)
{
	uint64_t v[2];

	if (!take_numbers(in, 16, UINT64_MAX, v, 2))
		return false;
	in->evidence->has_wants = true;
	in->evidence->wanted = v[0];
	in->evidence->required = v[1];
	return true;
}

static bool read_offer(struct in *in)
{
	struct pvrom_offer *offer = &in->evidence->offer;
	uint64_t v[7];

	if (!take_numbers(in, 16, UINT64_MAX, v, 7) || v[5] > UINT32_MAX)
		return false;
	in->evidence->has_offer = true;
	offer->size = sizeof(*offer);
	offer->epoch = v[0];
	offer->can = v[1];
	offer->advised = v[2];
	offer->hardware = v[3];
	offer->offered = v[4];
	offer->vcpus = (uint32_t)v[5];
	offer->tsc_hz = v[6];
	return true;
}

static bool read_reason(struct in *in)
{
	char name[PVROM_PROBE_NAME];
	uint64_t reason;
	uint32_t i;

	if (!take_word(in, name, sizeof(name)) ||
	    !take_numbers(in, 10, PVROM_REASON_COUNT - 1, &reason, 1))
		return false;
	for (i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (pvrom_text_equal(name, pvrom_feature_name(i))) {
			in->evidence->offer.reason[i] = (uint8_t)reason;
			return true;
		}
	return false;
}

static bool read_tried(struct in *in)
{
	uint64_t v[2];

	if (!take_numbers(in, 16, UINT64_MAX, v, 2))
		return false;
	in->evidence->tried = v[0];
	in->evidence->worked = v[0] & v[1];
	return true;
}

static bool read_line(struct in *in)
{
	static const struct {
		const char *kind;
		bool (*read)(struct in *in);
	} kinds[] = {
		{ "source", read_source }, { "cpuid", read_cpuid },   { "fact", read_fact },
		{ "looked", read_looked }, { "live", read_live },     { "two", read_two },
		{ "rom", read_rom },	   { "data", read_data },     { "wants", read_wants },
		{ "offer", read_offer },   { "reason", read_reason }, { "tried", read_tried }
	};
	char kind[PVROM_PROBE_NAME];
	uint32_t i;

	if (at_end(in) || *in->at == '#')
		return true;
	if (!take_word(in, kind, sizeof(kind)))
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (pvrom_text_equal(kind, kinds[i].kind))
			return kinds[i].read(in);
	return false;
}

/* The end of the line that begins at `at`. */
static const char *line_end(const char *at, const char *end)
{
	while (at < end && *at != '\n')
		at++;
	return at;
}

static bool is_first_line(const char *at, const char *end)
{
	const char *wanted = FIRST_LINE;

	while (*wanted)
		if (at == end || *at++ != *wanted++)
			return false;
	return at == end;
}

/* From the line that follows in->end on. */
static uint32_t read_lines(struct in *in, const char *end, uint32_t line)
{
	while (in->end < end) {
		in->at = in->end + 1;
		in->end = line_end(in->at, end);
		line++;
		if (!read_line(in))
			return line;
	}
	return in->evidence->rom_size == in->rom_wanted ? 0 : line;
}

uint32_t pvrom_probe_read(struct pvrom_probe_evidence *evidence, const char *text, size_t size)
{
	const char *end = text + size;
	struct in in = { .at = text, .end = line_end(text, end), .evidence = evidence };

	pvrom_probe_start(evidence);
	if (!is_first_line(in.at, in.end))
		return 1;
	return read_lines(&in, end, 1);
}

uint32_t pvrom_probe_read_more(struct pvrom_probe_evidence *evidence, const char *text, size_t size)
{
	const char *end = text + size;
	struct in in = { .at = text, .end = line_end(text, end), .evidence = evidence };

	in.rom_wanted = evidence->rom_size;
	return read_line(&in) ? read_lines(&in, end, 1) : 1;
}
