/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Network cards on the command line: --net, and --mac and --pcap for the card named last. */
#include "options.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define POLL_MOST 1000u

/* Words that are the card's; all others are the backend's, which judges them. */
enum { NET_QUEUES, NET_POLL };
static const char *const net_words[] = { "queues", "poll", NULL };
static const char *const net_ways[] = { "user", "tap=", "port=" };

static unsigned int number(struct argp_state *state, const char *word, const char *text,
			   unsigned int least, unsigned int most)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || value < least ||
	    value > most)
		argp_error(state, "--net: %s: `%s' is not a number from %u to %u", word,
			   text ? text : "", least, most);
	return (unsigned int)value;
}

/* True if the word is the card's. */
static bool take_word(struct argp_state *state, struct net_arg *net, const char *word)
{
	char copy[64], *rest = copy, *value;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", word) >= sizeof(copy))
		return false;
	switch (getsubopt(&rest, (char *const *)(uintptr_t)net_words, &value)) {
	case NET_QUEUES: net->pairs = number(state, "queues", value, 1, MAX_PAIRS); return true;
	case NET_POLL: net->poll = number(state, "poll", value, 0, POLL_MOST); return true;
	}
	return false;
}

/* The first word says what is behind the card; a way that ends in = wants a name. */
static bool is_way(const char *word)
{
	for (size_t i = 0; i < sizeof(net_ways) / sizeof(net_ways[0]); i++) {
		size_t length = strlen(net_ways[i]);
		bool named = net_ways[i][length - 1] == '=';

		if (strncmp(word, net_ways[i], length) == 0 && (word[length] != '\0') == named)
			return true;
	}
	return false;
}

/* Limits are the backend's words, but who serves the card keeps to them: pvrun does not. */
static bool is_limit(const char *word)
{
	static const char *const limits[] = { "in-", "out-", "group=" };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strncmp(word, limits[i], strlen(limits[i])) == 0)
			return true;
	return false;
}

/* WAY[,WORD[=VALUE]...]; cuts the argument at its commas. */
void net_option(struct argp_state *state, struct options *opt, char *text)
{
	struct net_arg *net = &opt->nets[opt->net_count];
	size_t room = strlen(text) + 1, at;
	char *word, *rest = text;

	if (options_devices(opt) == MAX_DEVICES)
		argp_error(state, "at most %u disks and network cards", MAX_DEVICES);
	opt->net_count++;
	*net = (struct net_arg){ .backend = calloc(1, room), .pairs = 1 };
	if (net->backend == NULL)
		fail(EXIT_CANNOT_RUN, "out of memory");
	word = strsep(&rest, ",");
	if (!is_way(word))
		argp_error(state, "--net: `%s' is not user, tap=NAME or port=SWITCH", word);
	at = (size_t)snprintf(net->backend, room, "%s", word);
	while ((word = strsep(&rest, ",")) != NULL) {
		if (is_limit(word))
			argp_error(state, "--net: `%s': only pvrom-netd(1) has limits", word);
		if (!take_word(state, net, word))
			at += (size_t)snprintf(net->backend + at, room - at, ",%s", word);
	}
}

static struct net_arg *last(struct argp_state *state, struct options *opt, const char *option)
{
	if (opt->net_count == 0)
		argp_error(state, "%s is for the card of a --net before it", option);
	return &opt->nets[opt->net_count - 1];
}

/* Six bytes in hexadecimal, with colons between. */
static bool read_mac(uint8_t mac[6], const char *text)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (unsigned int i = 0; i < 6; i++, text += 3) {
		if (strspn(text, digits) < 2 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)strtoul(text, NULL, 16);
	}
	return true;
}

void net_option_mac(struct argp_state *state, struct options *opt, const char *text)
{
	static const uint8_t none[6];
	struct net_arg *net = last(state, opt, "--mac");

	if (!read_mac(net->mac, text))
		argp_error(state, "--mac: `%s' is not six bytes such as 52:54:00:12:34:56", text);
	if (net->mac[0] & 1)
		argp_error(state, "--mac: `%s' is a group's address, not that of one card", text);
	if (memcmp(net->mac, none, sizeof(none)) == 0)
		argp_error(state, "--mac: an address of zeros is none");
	for (unsigned int i = 0; i + 1 < opt->net_count; i++)
		if (memcmp(opt->nets[i].mac, net->mac, sizeof(net->mac)) == 0)
			argp_error(state, "--mac: two cards with the address `%s'", text);
}

void net_option_pcap(struct argp_state *state, struct options *opt, const char *path)
{
	if (strchr(path, ',') != NULL)
		argp_error(state, "--pcap: no comma can be in the file's name");
	last(state, opt, "--pcap")->pcap = path;
}

/* An address that nobody else is likely to have, for a card without one: the same over resets. */
void net_options_finish(struct options *opt)
{
	static const uint8_t none[6];

	for (unsigned int i = 0; i < opt->net_count; i++) {
		uint8_t *mac = opt->nets[i].mac;

		if (memcmp(mac, none, sizeof(none)) != 0)
			continue;
		if (getrandom(mac, 6, 0) != 6)
			fail(EXIT_CANNOT_RUN, "no random numbers for a --mac");
		mac[0] = (uint8_t)((mac[0] & 0xfc) | 2); /* one card's, and locally given */
	}
}
