/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The words of a card: socket=PATH,mac=...,without=..., and those of its backend.
 */
#define _GNU_SOURCE
#include "netd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool wrong(char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char *message, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(message, PVROM_NET_MESSAGE, format, list);
	va_end(list);
	return false;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static bool read_mac(uint8_t mac[6], const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint32_t i, any = 0;

	if (strlen(text) != 17)
		return false;
	for (i = 0; i < 6; i++, text += 3) {
		if (!strchr(digits, text[0]) || !strchr(digits, text[1]) ||
		    text[2] != (i < 5 ? ':' : 0))
			return false;
		mac[i] = (uint8_t)strtoul(text, NULL, 16);
		any |= mac[i];
	}
	return any && !(mac[0] & 1);
}

/* An address of its own for each socket, the same each time: locally administered. */
static void make_mac(uint8_t mac[6], const char *path)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	uint32_t i;

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 0x100000001b3u;
	mac[0] = 0x52;
	for (i = 1; i < 6; i++)
		mac[i] = (uint8_t)(hash >> 8 * i);
}

static const struct {
	const char *name;
	uint64_t features;
} feature[] = {
	{ "csum", PVROM_NET_F_CSUM | PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 |
			  PVROM_NET_F_HOST_ECN | PVROM_NET_F_HOST_USO },
	{ "tso4", PVROM_NET_F_HOST_TSO4 },
	{ "tso6", PVROM_NET_F_HOST_TSO6 },
	{ "tso", PVROM_NET_F_HOST_TSO4 | PVROM_NET_F_HOST_TSO6 | PVROM_NET_F_HOST_ECN },
	{ "ecn", PVROM_NET_F_HOST_ECN },
	{ "uso", PVROM_NET_F_HOST_USO },
	{ "guest-csum", PVROM_NET_F_GUEST_CSUM | PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 |
				PVROM_NET_F_GUEST_ECN | PVROM_NET_F_GUEST_USO4 |
				PVROM_NET_F_GUEST_USO6 },
	{ "guest-tso4", PVROM_NET_F_GUEST_TSO4 },
	{ "guest-tso6", PVROM_NET_F_GUEST_TSO6 },
	{ "guest-tso", PVROM_NET_F_GUEST_TSO4 | PVROM_NET_F_GUEST_TSO6 | PVROM_NET_F_GUEST_ECN },
	{ "guest-ecn", PVROM_NET_F_GUEST_ECN },
	{ "guest-uso", PVROM_NET_F_GUEST_USO4 | PVROM_NET_F_GUEST_USO6 },
	{ "mergeable", PVROM_NET_F_MRG_RXBUF },
	{ "control", PVROM_NET_F_CTRL_VQ },
	{ "status", PVROM_NET_F_STATUS },
	{ "mtu", PVROM_NET_F_MTU },
	{ "multiqueue", PVROM_NET_F_MQ | PVROM_NET_F_RSS },
	{ "rss", PVROM_NET_F_RSS },
	{ "hash", PVROM_NET_F_HASH_REPORT },
	{ "announce", PVROM_NET_F_GUEST_ANNOUNCE },
	{ "coalescing", PVROM_NET_F_NOTF_COAL },
	{ "packed", PVROM_VQ_F_RING_PACKED },
	{ "in-order", PVROM_VQ_F_IN_ORDER },
	{ "indirect", PVROM_VQ_F_INDIRECT_DESC },
	{ "event-idx", PVROM_VQ_F_EVENT_IDX },
};

static bool withhold(struct netd_spec *spec, char *names, char *message)
{
	char *name;
	size_t i;

	while ((name = strsep(&names, "+"))) {
		for (i = 0; i < sizeof(feature) / sizeof(feature[0]); i++)
			if (!strcmp(feature[i].name, name))
				break;
		if (i == sizeof(feature) / sizeof(feature[0]))
			return wrong(message, "without: no such feature: %s", name);
		spec->withhold |= feature[i].features;
	}
	return true;
}

static bool read_queues(struct netd_spec *spec, const char *value, char *message)
{
	char *end;
	const unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || !n || n > NETD_PAIRS)
		return wrong(message, "queues: 1 to %u, not %s", NETD_PAIRS, value);
	spec->queues = (uint32_t)n;
	return true;
}

/* ---- words --------------------------------------------------------------------------------------------- */

static void append(struct netd_spec *spec, const char *word)
{
	const size_t len = strlen(word);

	if (spec->backend_len)
		spec->backend[spec->backend_len++] = ',';
	memcpy(spec->backend + spec->backend_len, word, len + 1);
	spec->backend_len += len;
}

static char *value_of(char *word, const char *name)
{
	const size_t n = strlen(name);

	return strncmp(word, name, n) || word[n] != '=' ? NULL : word + n + 1;
}

static bool take(struct netd_spec *spec, char *word, char *message)
{
	char *value;

	if ((value = value_of(word, "socket"))) {
		spec->socket = value;
		return *value || wrong(message, "socket: not a path: none");
	}
	if ((value = value_of(word, "mac"))) {
		spec->has_mac = true;
		return read_mac(spec->mac, value) ||
		       wrong(message, "mac: not the address of a card: %s", value);
	}
	if ((value = value_of(word, "without")))
		return withhold(spec, value, message);
	append(spec, word);
	value = value_of(word, "queues");
	return !value || read_queues(spec, value, message);
}

bool netd_spec_read(struct netd_spec *spec, const char *text, char *message)
{
	char *rest, *word;

	*spec = (struct netd_spec){ .text = strdup(text), .words = strdup(text) };
	spec->backend = calloc(1, strlen(text) + 2);
	rest = spec->words;
	while ((word = strsep(&rest, ",")))
		if (!take(spec, word, message))
			return false;
	if (!spec->socket)
		return wrong(message, "socket=PATH is missing");
	if (!spec->has_mac)
		make_mac(spec->mac, spec->socket);
	return true;
}
