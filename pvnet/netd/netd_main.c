/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-netd: network cards for virtual machines, by vhost-user. The command line and signals.
 */
#define _GNU_SOURCE
#include "netd.h"

#include <argp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../../vhost-user/vu_internal.h"
#include "../backend/netback.h"
#include "../backend/netback_slips.h"
#include "netd_helper.h"
#include "netd_switch.h"

struct netd_options netd_options = { .poll_ns = 20000 };
static struct netd_card *cards;
static unsigned int card_count, switch_count;
static int helper_fd = -1;
static const char *helper_words;

void netd_say(const char *format, ...)
{
	char line[1024];
	va_list list;

	if (netd_options.quiet)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	fprintf(stderr, "pvrom-netd: %s\n", line);
}

/* ---- the command line ---------------------------------------------------------------------------------- */

const char *argp_program_version = "pvrom-netd " PVROM_NETD_VERSION;
static const char doc[] =
	"Serves network cards to virtual machines by vhost-user.\n\n"
	"CARD is socket=PATH and one of user, tap=NAME, port=PATH, loop, null, then any of "
	"mac=ADDRESS, queues=N, mtu=BYTES, without=FEATURE+FEATURE, pcap=FILE and what belongs to "
	"its network; all joined by commas.\vSignals: USR1 prints counters; INT and TERM end the "
	"server. See pvrom-netd(1).";

#define OPT_SWITCH 1000
#define OPT_PORT_FD 1001
#define OPT_SLIP 1002
static const struct argp_option options[] = {
	{ "switch", OPT_SWITCH, "PATH[,flood=N]", 0,
	  "Serve a switch on the socket PATH, for port=PATH of cards here and in pvrun", 0 },
	{ "port-fd", OPT_PORT_FD, "N", 0,
	  "Serve one network, instead of cards, to the port at the other end of socket N", 0 },
	{ "poll-us", 'p', "N", 0,
	  "Look for work for N microseconds before sleeping (default 20); forever: never sleep",
	  0 },
	{ "quiet", 'q', NULL, 0, "No messages", 0 },
#ifdef PVROM_TEST
	{ "slip", OPT_SLIP, "NAME", 0, "Make this mistake", 0 },
#endif
	{ 0 }
};

static void add_card(const char *text, struct argp_state *state)
{
	char message[PVROM_NET_MESSAGE];
	unsigned int i;

	if (card_count == NETD_CARDS_MAX)
		argp_error(state, "more than %u cards", NETD_CARDS_MAX);
	if (!netd_spec_read(&cards[card_count].spec, text, message))
		argp_error(state, "%s: %s", text, message);
	for (i = 0; i < card_count; i++)
		if (!memcmp(cards[i].spec.mac, cards[card_count].spec.mac, 6))
			argp_error(state, "%s: another card has this MAC address", text);
	card_count++;
}

static void add_switch(const char *text, struct argp_state *state)
{
	char message[PVROM_NET_MESSAGE], path[256] = "";
	const char *comma = strchr(text, ',');
	const size_t len = comma ? (size_t)(comma - text) : strlen(text);
	uint64_t flood = 0;

	if (!len || len >= sizeof(path) ||
	    (comma && (strncmp(comma, ",flood=", 7) ||
		       !netback_number(comma + 7, 1000000000, &flood) || !flood)))
		argp_error(state, "--switch: not PATH[,flood=N]: %s", text);
	memcpy(path, text, len);
	if (!netd_switch_open(path, (uint32_t)flood, message)) {
		netd_say("%s", message);
		netd_switch_close_all();
		exit(1);
	}
	switch_count++;
}

static void set_helper(const char *text, struct argp_state *state)
{
	uint64_t fd;

	if (!netback_number(text, 1000000, &fd))
		argp_error(state, "--port-fd: not a descriptor: %s", text);
	helper_fd = (int)fd;
}

static void set_poll(const char *text, struct argp_state *state)
{
	char *end;
	const unsigned long us = strtoul(text, &end, 10);

	netd_options.poll_ns = UINT64_MAX;
	if (!strcmp(text, "forever"))
		return;
	if (end == text || *end || us > 1000000000)
		argp_error(state, "--poll-us: not a number of microseconds: %s", text);
	netd_options.poll_ns = us * 1000;
}

#ifdef PVROM_TEST
static bool slip_of_front_end(const char *name)
{
	static const char *const names[] = { "",
#define NAME(name, text) #name,
					     VU_SLIP_TABLE(NAME)
#undef NAME
	};
	unsigned int i;

	for (i = 1; i < VU_SLIP_COUNT; i++)
		if (!strcmp(names[i], name))
			pvrom_vu_slipped = (enum vu_slip)i;
	return pvrom_vu_slipped != VU_SLIP_NONE;
}
#endif

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'p': set_poll(arg, state); break;
	case 'q': netd_options.quiet = true; break;
	case OPT_SWITCH: add_switch(arg, state); break;
	case OPT_PORT_FD: set_helper(arg, state); break;
#ifdef PVROM_TEST
	case OPT_SLIP:
		if (!netback_slip(arg) && !slip_of_front_end(arg))
			argp_error(state, "no such mistake: %s", arg);
		break;
#endif
	case ARGP_KEY_ARG:
		if (helper_fd < 0)
			add_card(arg, state);
		else if (helper_words)
			argp_error(state, "--port-fd: one network alone");
		helper_words = arg;
		break;
	case ARGP_KEY_END:
		if (!card_count && !switch_count && helper_fd < 0)
			argp_error(state, "no card");
		if (helper_fd >= 0 && (!helper_words || card_count || switch_count))
			argp_error(state, "--port-fd: one network alone");
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void ask_all(enum netd_command command)
{
	unsigned int i;

	for (i = 0; i < card_count; i++)
		if (cards[i].opened)
			netd_card_ask(&cards[i], command);
}

static bool open_all(void)
{
	unsigned int i;
	bool good = true;

	for (i = 0; i < card_count && good; i++)
		good = netd_card_open(&cards[i]);
	if (!good)
		ask_all(NETD_STOP);
	return good;
}

static void serve(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
	       info.ssi_signo == SIGUSR1)
		ask_all(NETD_COUNTERS);
	ask_all(NETD_STOP);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "CARD...", doc, NULL, NULL, NULL };
	unsigned int i;
	/* Before any thread is made: switches are opened as they are named. */
	const int signals = block_signals();
	bool good;

	cards = calloc(NETD_CARDS_MAX, sizeof(*cards));
	argp_err_exit_status = 2;
	netback_own_port = netd_switch_port;
#ifdef PVROM_NETD_SLIRP
	netback_user = netback_user_open;
#endif
	if (!cards || argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return 2;
	if (helper_fd >= 0)
		return netd_help(helper_fd, helper_words);
	good = open_all();
	if (good) {
		netd_say("ready");
		serve(signals);
	}
	for (i = 0; i < card_count; i++)
		netd_card_join(&cards[i]);
	netd_switch_close_all();
	return good ? 0 : 1;
}
