/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of an export: socket=PATH,file=PATH,ro,...
 */
#define _GNU_SOURCE
#include "../blk_host_internal.h"
#include "blkd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char wrong[PVROM_BLK_MESSAGE];

/* A number with K, M, G or T behind it. */
static bool number(const char *text, uint64_t most, uint64_t *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		const int shift = 10 * (int)(unit - units + 1);

		if (*value > UINT64_MAX >> shift)
			return false;
		*value <<= shift;
		end++;
	}
	return !*end && *value <= most;
}

struct word {
	const char *name;
	size_t offset;
	enum { FLAG, TEXT, SMALL, LARGE, SECTORS } kind;
	uint64_t most;
};

#define AT(field) offsetof(struct blkd_spec, field)
#define RATE (1ull << 40)
static const struct word words[] = {
	{ "socket", AT(socket), TEXT, 0 },
	{ "file", AT(file), TEXT, 0 },
	{ "null", AT(null_sectors), SECTORS, 1ull << 60 },
	{ "memory", AT(memory_sectors), SECTORS, 1ull << 46 },
	{ "id", AT(id), TEXT, 0 },
	{ "ro", AT(read_only), FLAG, 0 },
	{ "direct", AT(direct), FLAG, 0 },
	{ "no-lock", AT(no_lock), FLAG, 0 },
	{ "queues", AT(queues), SMALL, PVROM_BLK_QUEUES_MAX },
	{ "seg-max", AT(seg_max), SMALL, PVROM_BLK_SEG_MAX },
	{ "size-max", AT(size_max), SMALL, 1u << 30 },
	{ "group", AT(group), TEXT, 0 },
	{ "bps", AT(bytes.rate), LARGE, RATE },
	{ "bps-burst", AT(bytes.burst), LARGE, RATE },
	{ "bps-burst-rate", AT(bytes.burst_rate), LARGE, RATE },
	{ "iops", AT(requests.rate), LARGE, RATE },
	{ "iops-burst", AT(requests.burst), LARGE, RATE },
	{ "iops-burst-rate", AT(requests.burst_rate), LARGE, RATE },
};

static bool store(struct blkd_spec *spec, const struct word *w, const char *value)
{
	void *at = (char *)spec + w->offset;
	uint64_t n = 0;

	if (w->kind == FLAG) {
		*(bool *)at = true;
		return !value;
	}
	if (!value || !*value)
		return false;
	if (w->kind == TEXT) {
		*(const char **)at = value;
		return true;
	}
	if (!number(value, w->most, &n))
		return false;
	if (w->kind == SMALL)
		*(uint32_t *)at = (uint32_t)n;
	else
		*(uint64_t *)at = w->kind == SECTORS ? n >> PVROM_BLK_SECTOR_SHIFT : n;
	return n > 0;
}

static const char *take_word(struct blkd_spec *spec, char *text)
{
	char *value = strchr(text, '=');
	size_t i;

	if (value)
		*value++ = 0;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, text))
			continue;
		if (store(spec, &words[i], value))
			return NULL;
		snprintf(wrong, sizeof(wrong), "%s: not a value: %s", text, value ? value : "none");
		return wrong;
	}
	snprintf(wrong, sizeof(wrong), "no such word: %s", text);
	return wrong;
}

static const char *judge(const struct blkd_spec *spec)
{
	if (BLK_SLIP(WORDS))
		return NULL;
	if (!spec->socket)
		return "socket=PATH is missing";
	if (!spec->file + !spec->null_sectors + !spec->memory_sectors != 2)
		return "one of file=PATH, memory=SIZE and null=SIZE is needed";
	if (spec->size_max % PVROM_BLK_SECTOR)
		return "size-max is not a multiple of 512";
	if ((!spec->bytes.rate && (spec->bytes.burst || spec->bytes.burst_rate)) ||
	    (!spec->requests.rate && (spec->requests.burst || spec->requests.burst_rate)))
		return "a burst without a rate";
	if ((spec->bytes.burst_rate && spec->bytes.burst_rate < spec->bytes.rate) ||
	    (spec->requests.burst_rate && spec->requests.burst_rate < spec->requests.rate))
		return "a burst rate below the rate";
	return NULL;
}

const char *blkd_spec_parse(struct blkd_spec *spec, const char *text)
{
	const char *error = NULL;
	char *rest, *word;

	*spec = (struct blkd_spec){ .queues = 1, .seg_max = PVROM_BLK_SEG_MAX };
	spec->text = strdup(text);
	rest = spec->words = strdup(text);
	while (!error && (word = strsep(&rest, ",")))
		error = take_word(spec, word);
	return error ? error : judge(spec);
}
