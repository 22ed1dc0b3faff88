/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The server dies at each step of a request's way, is started anew, and goes on: nothing lost, nothing
 * done twice. And one process takes over from another under load.
 *
 *	kill_test SERVER DIRECTORY [ROUNDS]		(SERVER is a test build)
 */
#define _GNU_SOURCE
#include "kill_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- every step ------------------------------------------------------------------------------------------- */

/*
 * A server that was quick enough, or that was always kept busy, has not come to its step so often: a few requests at a
 * time then, with a rest behind each. Otherwise it would die while the disk is verified.
 */
static void drive_to_death(struct run *r)
{
	int i;

	for (i = 0; i < 400 && !r->deaths && !r->load.wrong[0]; i++) {
		usleep(1000);
		r->load.to_do = 8;
		run_drive(r, 20000);
	}
	if (!r->deaths && !r->load.wrong[0])
		snprintf(r->load.wrong, sizeof(r->load.wrong), "the step was never reached");
}

static void at_step(const char *name, bool packed, unsigned int round)
{
	struct run r = { .no_inflight = NULL };
	const char *format = packed ? "packed" : "split";
	char kill_at[64];

	snprintf(kill_at, sizeof(kill_at), "%s:%u", name, 1 + round * 7 % 12);
	if (!run_begin(&r, packed, kill_at, 600, 88172645463325252ull + round)) {
		result(false, "killed at %s (%s)", kill_at, format, r.client.what);
		return;
	}
	run_drive(&r, 20000);
	drive_to_death(&r);
	if (!r.load.wrong[0])
		load_verify(&r.load);
	result(!r.load.wrong[0], "killed at %s (%s): nothing lost, nothing twice [PVROM-BLK-17]",
	       kill_at, format, r.load.wrong);
	run_end(&r);
}

/* The list comes from the code itself. */
static void every_step(unsigned int rounds)
{
	char command[300], line[256], name[64], formats[8];
	unsigned int round, number = 0;
	FILE *list;

	snprintf(command, sizeof(command), "%s --steps", server);
	list = popen(command, "r"); /* NOLINT(cert-env33-c): a test's own server */
	while (list && fgets(line, sizeof(line), list)) {
		printf("# step %s", line);
		if (sscanf(line, "%63s %7s", name, formats) != 2)
			continue;
		for (round = 0; round < rounds; round++) {
			number++;
			if (strchr(formats, 'S'))
				at_step(name, false, number * 3 + round);
			if (strchr(formats, 'P'))
				at_step(name, true, number * 3 + round);
			if (strchr(formats, 'S'))
				at_step_logged(name, false, number + round);
			if (strchr(formats, 'P'))
				at_step_logged(name, true, number + round);
		}
	}
	if (list)
		pclose(list);
	result(number >= 10 * rounds, "the list of steps has %s%s", number ? "entries" : "none", "",
	       "");
}

/* ---- without a record -------------------------------------------------------------------------------------- */

/* The same load and deaths must show a loss or a repetition, or the test above proves nothing. */
static void without_record(bool packed)
{
	static const char *const at[] = { "USED_SHOWN:9",    "POP_DONE:77", "BLK_COMPLETED:50",
					  "USED_WRITTEN:90", "BLK_DONE:64", "BLK_PUBLISHED:12" };
	struct run r = { .no_inflight = "--no-inflight" };
	unsigned int i;
	bool seen = false;

	for (i = 0; i < 24 && !seen; i++) {
		if (!run_begin(&r, packed, at[i % 6], 600, 1234567 + i * 7919))
			continue;
		run_drive(&r, 1000);
		if (!r.load.wrong[0])
			load_verify(&r.load);
		seen = r.load.wrong[0];
		if (seen)
			printf("# %s: %s\n", at[i % 6], r.load.wrong);
		run_end(&r);
	}
	result(seen, "without INFLIGHT a %s ring loses or repeats%s", packed ? "packed" : "split",
	       "", "24 deaths did no harm");
}

/* ---- a new server takes over --------------------------------------------------------------------------------- */

#define TURNS 5

/* What a server of the same kind needs from its exec to the answer to its first request. */
static uint64_t start_time(void)
{
	char path[280], word[1024];
	const char *argv[] = { server, word, NULL };
	struct vu_client client = { .path = path,
				    .features = PVROM_VQ_F_VERSION_1,
				    .protocol = UINT64_MAX,
				    .queues = 1,
				    .size = 128,
				    .depth = 1,
				    .data_bytes = LOAD_BLOCK };
	uint64_t before, took = UINT64_MAX;
	pid_t pid;

	snprintf(path, sizeof(path), "%s.other", socket_path);
	snprintf(word, sizeof(word), "socket=%s,file=%s,no-lock", path, file_path);
	unlink(path);
	if (!vu_client_open(&client))
		return took;
	before = vu_client_now();
	pid = server_start(argv, "/dev/null");
	if (vu_client_connect(&client, 10000) &&
	    !blk_client_do(&client, 0, PVROM_BLK_T_IN, 0, NULL, LOAD_BLOCK))
		took = vu_client_now() - before;
	vu_client_close(&client);
	server_stop(pid, SIGTERM, 5000);
	return took;
}

static pid_t take_over(const char *control)
{
	const char *argv[] = { server, "--take-over", control, "--control", control, NULL };
	char log[280];

	snprintf(log, sizeof(log), "%s.next", log_path);
	return server_start(argv, log);
}

static void drive_for(struct run *r, uint64_t ms)
{
	const uint64_t until = vu_client_now() + ms * 1000000;

	while (!r->load.wrong[0] && vu_client_now() < until) {
		load_fill(&r->load);
		if (!load_take(&r->load))
			usleep(20);
	}
}

static bool replaced(struct run *r, pid_t next)
{
	const uint64_t limit = vu_client_now() + 20000000000ull;
	int status = -1;

	while (!server_ended(r->pid, &status) && vu_client_now() < limit)
		drive_for(r, 5);
	r->pid = next;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void least(uint64_t *a, uint64_t b)
{
	*a = b < *a ? b : *a;
}

/*
 * Times of both kinds are taken in turn, for other work on this machine makes all of them longer; the best
 * of each is what the servers themselves need.
 */
static bool take_turns(struct run *r, const char *control, uint64_t *wait, uint64_t *own)
{
	/* On a machine that has no time every turn has somebody else's work in it for long. */
	const uint64_t limit = vu_client_now() + 40000000000u;
	bool good = true;
	int i;

	for (i = 0; good && (i < TURNS || (*wait > 3 * *own && vu_client_now() < limit)); i++) {
		least(own, start_time());
		drive_for(r, 20);
		r->load.longest = 0;
		good = replaced(r, take_over(control));
		drive_for(r, 20);
		least(wait, r->load.longest);
	}
	return good;
}

static void upgrade(bool packed)
{
	struct run r = { .no_inflight = NULL };
	const char *format = packed ? "packed" : "split";
	char control[280], option[300], text[96];
	uint64_t own = UINT64_MAX, wait = UINT64_MAX;
	bool good;

	snprintf(control, sizeof(control), "%s/control", directory);
	snprintf(option, sizeof(option), "--control=%s", control);
	r.no_inflight = option;
	if (!run_begin(&r, packed, NULL, UINT64_MAX / 2, 42)) {
		result(false, "take-over (%s)%s", format, "", r.client.what);
		return;
	}
	good = take_turns(&r, control, &wait, &own);
	r.load.to_do = 0;
	run_drive(&r, 20000);
	load_verify(&r.load);
	result(good && !r.load.wrong[0],
	       "servers after one another under load (%s) [PVROM-BLK-18]%s", format, "",
	       good ? r.load.wrong : "the old server did not end well");
	snprintf(text, sizeof(text), "%.1f ms, a start %.1f ms", (double)wait / 1e6,
		 (double)own / 1e6);
	printf("# the longest request took %s; %llu requests\n", text,
	       (unsigned long long)r.load.done);
	result(wait <= 3 * own, "no request waits longer than three starts (%s)%s", format, "",
	       text);
	run_end(&r);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	server = argv[1];
	directory = argv[2];
	snprintf(socket_path, sizeof(socket_path), "%s/kill.socket", directory);
	snprintf(file_path, sizeof(file_path), "%s/kill.disk", directory);
	snprintf(log_path, sizeof(log_path), "%s/kill.log", directory);
	snprintf(export_word, sizeof(export_word), "socket=%s,file=%s", socket_path, file_path);
	unlink(socket_path);
	printf("TAP version 13\n");
	every_step(argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 1);
	log_that_forgets();
	without_record(false);
	without_record(true);
	upgrade(false);
	upgrade(true);
	printf("1..%d\n", tests);
	return 0;
}
