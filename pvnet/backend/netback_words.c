/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words that say which backend, and how.
 */
#define _GNU_SOURCE
#include "netback.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool netback_complain(char *message, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(message, PVROM_NET_MESSAGE, format, list);
	va_end(list);
	return false;
}

/* A number with K, M or G behind it (powers of 1024). */
bool netback_number(const char *text, uint64_t most, uint64_t *value)
{
	static const char letters[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *value > most)
		return false;
	unit = *end ? strchr(letters, *end) : NULL;
	if (unit) {
		const int shift = 10 * (int)(unit - letters + 1);

		if (*value > most >> shift)
			return false;
		*value <<= shift;
		end++;
	}
	return !*end && *value <= most;
}

enum kind { WHAT, WHAT_TEXT, WHAT_NUMBER, FLAG, TEXT, TEXTS, NUMBER, LARGE };
struct word {
	const char *name;
	size_t offset;
	enum kind kind; /* WHAT: names the backend, with or without something behind it */
	const char *of; /* the backend that it belongs to; NULL: any */
	uint64_t most;
};

#define RATE (1ull << 40)
#define AT(field) offsetof(struct netback_words, field)
static const struct word words[] = {
	{ "null", 0, WHAT, NULL, 0 },
	{ "loop", 0, WHAT, NULL, 0 },
	{ "user", 0, WHAT, NULL, 0 },
	{ "tap", AT(tap), WHAT_TEXT, NULL, 0 },
	{ "port", AT(port), WHAT_TEXT, NULL, 0 },
	{ "port-fd", AT(port_fd), WHAT_NUMBER, NULL, 1u << 20 },
	{ "swap", AT(swap), FLAG, "loop", 0 },
	{ "queues", AT(queues), NUMBER, NULL, PVROM_NET_PAIRS_MAX },
	{ "mtu", AT(mtu), NUMBER, NULL, 65535 },
	{ "vlan", AT(vlan), NUMBER, "port", 4094 },
	{ "hostfwd", AT(forward), TEXTS, "user", 0 },
	{ "net", AT(net), TEXT, "user", 0 },
	{ "hostname", AT(hostname), TEXT, "user", 0 },
	{ "dns", AT(dns), TEXT, "user", 0 },
	{ "restrict", AT(restricted), FLAG, "user", 0 },
	{ "no-ipv6", AT(no_ipv6), FLAG, "user", 0 },
	{ "out-bps", AT(out.bytes.rate), LARGE, NULL, RATE },
	{ "out-bps-burst", AT(out.bytes.burst), LARGE, NULL, RATE },
	{ "out-bps-burst-rate", AT(out.bytes.burst_rate), LARGE, NULL, RATE },
	{ "out-pps", AT(out.frames.rate), LARGE, NULL, RATE },
	{ "out-pps-burst", AT(out.frames.burst), LARGE, NULL, RATE },
	{ "out-pps-burst-rate", AT(out.frames.burst_rate), LARGE, NULL, RATE },
	{ "in-bps", AT(in.bytes.rate), LARGE, NULL, RATE },
	{ "in-bps-burst", AT(in.bytes.burst), LARGE, NULL, RATE },
	{ "in-bps-burst-rate", AT(in.bytes.burst_rate), LARGE, NULL, RATE },
	{ "in-pps", AT(in.frames.rate), LARGE, NULL, RATE },
	{ "in-pps-burst", AT(in.frames.burst), LARGE, NULL, RATE },
	{ "in-pps-burst-rate", AT(in.frames.burst_rate), LARGE, NULL, RATE },
	{ "group", AT(group), TEXT, NULL, 0 },
	{ "pcap", AT(capture), TEXT, NULL, 0 },
	{ "pcap-snap", AT(capture_snap), NUMBER, NULL, 1u << 20 },
	{ "pcap-files", AT(capture_files), NUMBER, NULL, 1000 },
	{ "pcap-size", AT(capture_size), LARGE, NULL, 1ull << 40 },
};

static bool store(struct netback_words *w, const struct word *word, const char *value)
{
	void *at = (char *)w + word->offset;
	uint64_t n = 0;

	if (word->kind == WHAT)
		return !value;
	if (word->kind == FLAG) {
		*(bool *)at = true;
		return !value;
	}
	if (!value || !*value)
		return false;
	switch (word->kind) {
	case TEXT:
	case WHAT_TEXT: *(const char **)at = value; return true;
	case TEXTS:
		if (w->forwards == sizeof(w->forward) / sizeof(w->forward[0]))
			return false;
		w->forward[w->forwards++] = value;
		return true;
	case LARGE: return netback_number(value, word->most, (uint64_t *)at) && *(uint64_t *)at;
	default: break;
	}
	if (!netback_number(value, word->most, &n))
		return false;
	*(uint32_t *)at = (uint32_t)n;
	return n || word->kind == WHAT_NUMBER;
}

static bool names_backend(const struct word *word)
{
	return word->kind == WHAT || word->kind == WHAT_TEXT || word->kind == WHAT_NUMBER;
}

static bool take(struct netback_words *w, const struct word *word, const char *value, char *message)
{
	if (names_backend(word)) {
		if (w->kind)
			return netback_complain(message, "two backends: %s and %s", w->kind,
						word->name);
		w->kind = word->name;
	} else if (word->of && (!w->kind || strcmp(w->kind, word->of))) {
		return netback_complain(message, "%s belongs behind %s", word->name, word->of);
	}
	if (store(w, word, value))
		return true;
	return netback_complain(message, "%s: not a value: %s", word->name, value ? value : "none");
}

static bool take_text(struct netback_words *w, char *text, char *message)
{
	char *value = strchr(text, '=');
	size_t i;

	if (value)
		*value++ = 0;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].name, text))
			return take(w, &words[i], value, message);
	return netback_complain(message, "no such word: %s", text);
}

static bool judge(const struct netback_words *w, char *message)
{
	if (!w->kind)
		return netback_complain(message, "a backend is missing: user, tap=NAME, port=PATH, "
						 "loop or null");
	if (w->mtu && w->mtu < PVROM_NET_MTU_LEAST)
		return netback_complain(message, "mtu=%u: it is at least %u", w->mtu,
					PVROM_NET_MTU_LEAST);
	if (!w->capture && (w->capture_snap || w->capture_size || w->capture_files))
		return netback_complain(message, "pcap=FILE is missing");
	return true;
}

bool netback_words_read(struct netback_words *w, const char *text, char *message)
{
	char *rest, *word;

	*w = (struct netback_words){ .port_fd = -1, .copy = strdup(text) };
	rest = w->copy;
	if (!rest)
		return netback_complain(message, "no memory");
	while (*text && (word = strsep(&rest, ",")))
		if (!take_text(w, word, message))
			return false;
	return judge(w, message);
}

void netback_words_free(struct netback_words *w)
{
	free(w->copy);
	w->copy = NULL;
}
