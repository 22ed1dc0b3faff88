/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-blkd: disks for virtual machines, by vhost-user. The command line, signals, and limits in common.
 */
#define _GNU_SOURCE
#include "../blk_host_internal.h"
#include "blkd.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "blkd_steps.h"

/* As long as QEMU's iothreads look on at most, and longer than a front end takes to wake up on most machines. */
#define POLL_NS 32000u

struct blkd_options blkd_options;
static struct blkd_export *exports;
static unsigned int export_count;

void blkd_say(const char *format, ...)
{
	char line[1024];
	va_list list;

	if (blkd_options.quiet)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	fprintf(stderr, "pvrom-blkd: %s\n", line);
}

/* ---- limits ------------------------------------------------------------------------------------------- */

static void lock(void *mutex)
{
	pthread_mutex_lock(mutex);
}

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

/* Groups are found by name among the exports; the first one's rates hold. */
struct group {
	struct pvrom_limit limit;
	pthread_mutex_t mutex;
	const char *name;
	struct group *next;
};
static struct group *groups;
static pthread_mutex_t groups_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct group *find_group(const char *name)
{
	struct group *g;

	for (g = BLK_SLIP(GROUP) ? NULL : groups; g && name; g = g->next)
		if (g->name && !strcmp(g->name, name))
			return g;
	return NULL;
}

static struct group *new_group(const struct blkd_spec *spec)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	pthread_mutex_init(&g->mutex, NULL);
	g->limit.lock = lock;
	g->limit.unlock = unlock;
	g->limit.ctx = &g->mutex;
	g->name = spec->group;
	g->next = groups;
	groups = g;
	pvrom_limit_set(&g->limit, &spec->bytes, &spec->requests, pvrom_loop_now());
	return g;
}

struct pvrom_limit *blkd_limit_for(const struct blkd_spec *spec)
{
	struct group *g;

	if (!spec->group && !spec->bytes.rate && !spec->requests.rate)
		return NULL;
	pthread_mutex_lock(&groups_mutex);
	g = find_group(spec->group);
	if (!g)
		g = new_group(spec);
	pthread_mutex_unlock(&groups_mutex);
	return g ? &g->limit : NULL;
}

/* ---- the command line ------------------------------------------------------------------------------------ */

const char *argp_program_version = "pvrom-blkd " PVROM_BLKD_VERSION;
static const char doc[] =
	"Serves disks to virtual machines by vhost-user.\n\n"
	"EXPORT is socket=PATH and one of file=PATH, memory=SIZE, null=SIZE, then any of ro, "
	"direct, "
	"queues=N, id=TEXT, no-lock, seg-max=N, size-max=BYTES, group=NAME, and limits: iops=N, "
	"iops-burst=N, iops-burst-rate=N, bps=N, bps-burst=N, bps-burst-rate=N; all joined by "
	"commas.\vSignals: HUP looks again how long the files are; USR1 prints counters; INT and "
	"TERM "
	"end the server. See pvrom-blkd(1).";

#define OPT_KILL_AT 1000
#define OPT_STEPS 1001
#define OPT_NO_INFLIGHT 1002
#define OPT_SLIP 1003
static const struct argp_option options[] = {
	{ "control", 'c', "PATH", 0, "Socket on which a later server may take over", 0 },
	{ "take-over", 't', "PATH", 0, "Take over from the server that has this control socket",
	  0 },
	{ "poll-us", 'p', "N", 0,
	  "Look on for work for up to N microseconds before sleeping (32; 0: never)", 0 },
	{ "quiet", 'q', NULL, 0, "No messages", 0 },
#ifdef PVROM_TEST
	{ "kill-at", OPT_KILL_AT, "STEP:N", 0, "Die at that step", 1 },
	{ "steps", OPT_STEPS, NULL, 0, "List the steps", 1 },
	{ "slip", OPT_SLIP, "NAME", 0, "Make that mistake", 1 },
	{ "no-inflight", OPT_NO_INFLIGHT, NULL, 0, "Do not offer INFLIGHT_SHMFD", 1 },
#endif
	{ NULL, 0, NULL, 0, NULL, 0 }
};

static void add_export(const char *text, struct argp_state *state)
{
	const char *error;

	if (export_count == BLKD_EXPORTS_MAX)
		argp_error(state, "more than %u exports", BLKD_EXPORTS_MAX);
	error = blkd_spec_parse(&exports[export_count].spec, text);
	if (error)
		argp_error(state, "%s: %s", text, error);
	exports[export_count++].file_fd = -1;
}

static void set_poll(const char *text, struct argp_state *state)
{
	char *end;
	const unsigned long us = strtoul(text, &end, 10);
	const bool number = *text >= '0' && *text <= '9' && !*end && us <= 1000000000;

	if (!number && !BLK_SLIP(OPTION_ANY))
		argp_error(state, "--poll-us: not a number of microseconds: %s", text);
	blkd_options.poll_ns = us * 1000;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'c': blkd_options.control = arg; break;
	case 't': blkd_options.take_over = arg; break;
	case 'p': set_poll(arg, state); break;
	case 'q': blkd_options.quiet = true; break;
	case ARGP_KEY_ARG: add_export(arg, state); break;
	case ARGP_KEY_END:
		if (!export_count == !blkd_options.take_over)
			argp_error(state, "exports, or --take-over");
		break;
#ifdef PVROM_TEST
	case OPT_KILL_AT:
		if (!blkd_kill_at(arg))
			argp_error(state, "no such step: %s", arg);
		break;
	case OPT_STEPS: blkd_print_steps(); exit(0);
	case OPT_SLIP:
		if (!blkd_slip(arg))
			argp_error(state, "no such mistake: %s", arg);
		break;
	case OPT_NO_INFLIGHT: blkd_options.no_inflight = true; break;
#endif
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Where there is but one CPU, whoever is waited for waits for that CPU. */
static uint64_t poll_by_default(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? POLL_NS : 0;
}

/* ---- life ------------------------------------------------------------------------------------------------- */

static void ask_all(enum blkd_command command)
{
	unsigned int i;

	for (i = 0; i < export_count; i++)
		blkd_export_ask(&exports[i], command);
}

static bool open_all(bool handed)
{
	unsigned int i;
	bool good = true;

	for (i = 0; i < export_count && good; i++)
		good = blkd_export_open(&exports[i], handed);
	if (!good)
		for (i = 0; i < export_count; i++)
			if (exports[i].opened)
				blkd_export_ask(&exports[i], handed ? BLKD_LEAVE : BLKD_STOP);
	return good;
}

static bool take_over(void)
{
	int socket = -1;
	bool well;

	free(exports);
	export_count = blkd_control_ask(blkd_options.take_over, &exports, &socket);
	if (!export_count)
		return false;
	well = open_all(true);
	if (!blkd_control_taken(socket, well)) {
		blkd_say("%s: could not take over", blkd_options.take_over);
		if (well)
			ask_all(BLKD_LEAVE);
		return false;
	}
	ask_all(BLKD_GO_ON);
	close(socket);
	if (blkd_options.control)
		unlink(blkd_options.control);
	return true;
}

/* true: go on. */
static bool on_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return true;
	switch (info.ssi_signo) {
	case SIGHUP: ask_all(BLKD_RESIZE); return true;
	case SIGUSR1: ask_all(BLKD_COUNTERS); return true;
	default: return false;
	}
}

static void serve(int signals, int control)
{
	struct pollfd fd[2] = { { .fd = signals, .events = POLLIN },
				{ .fd = control, .events = POLLIN } };
	bool handed = false;

	for (;;) {
		if (poll(fd, 2, -1) < 0 && errno != EINTR)
			break;
		if ((fd[0].revents & POLLIN) && !on_signal(signals))
			break;
		if (fd[1].revents & POLLIN) {
			handed = blkd_control_serve(control, exports, export_count);
			if (handed)
				break;
		}
	}
	if (handed)
		return;
	ask_all(BLKD_STOP);
	if (control >= 0)
		unlink(blkd_options.control);
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "EXPORT...", doc, NULL, NULL, NULL };
	int signals, control = -1;
	unsigned int i;

	exports = calloc(BLKD_EXPORTS_MAX, sizeof(*exports));
	argp_err_exit_status = 2;
	blkd_options.poll_ns = poll_by_default();
	if (!exports || argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return 2;
	signals = block_signals();
	if (blkd_options.take_over ? !take_over() : !open_all(false))
		return 1;
	if (blkd_options.control) {
		control = blkd_control_listen(blkd_options.control);
		if (control < 0) {
			ask_all(BLKD_STOP);
			return 1;
		}
	}
	blkd_say("ready");
	serve(signals, control);
	for (i = 0; i < export_count; i++)
		blkd_export_join(&exports[i]);
	return 0;
}
