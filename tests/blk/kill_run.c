/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A server that may die, and a load of counters on it. */
#define _GNU_SOURCE
#include "kill_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *server, *directory;
char socket_path[256], file_path[256], log_path[256], export_word[768];
int tests;

void result(bool good, const char *format, const char *a, const char *b, const char *why)
{
	tests++;
	printf("%s %d - ", good ? "ok" : "not ok", tests);
	printf(format, a, b);
	printf("\n");
	if (!good)
		printf("# %s\n", why && *why ? why : "?");
	fflush(stdout);
}

/* ---- a server and a load ---------------------------------------------------------------------------------- */

static pid_t start(const char *kill_at, const char *more)
{
	const char *argv[8] = { server, export_word };
	int n = 2;

	if (more)
		argv[n++] = more;
	if (kill_at) {
		argv[n++] = "--kill-at";
		argv[n++] = kill_at;
	}
	return server_start(argv, log_path);
}

/* The dead one's socket may still take connections for a moment. */
bool run_revive(struct run *r)
{
	const uint64_t limit = vu_client_now() + 10000000000ull;
	bool good = false;

	r->deaths++;
	r->pid = start(NULL, r->no_inflight);
	while (!good && vu_client_now() < limit) {
		vu_client_disconnect(&r->client);
		good = vu_client_connect(&r->client, 10000);
	}
	return good;
}

bool run_begin(struct run *r, bool packed, const char *kill_at, uint64_t requests, uint64_t seed)
{
	const uint64_t format = packed ? PVROM_VQ_F_RING_PACKED : 0;

	r->client =
		(struct vu_client){ .path = socket_path,
				    .features = PVROM_VQ_F_VERSION_1 | PVROM_VQ_F_EVENT_IDX |
						PVROM_BLK_F_FLUSH | PVROM_BLK_F_SEG_MAX | format,
				    .protocol = UINT64_MAX,
				    .queues = 1,
				    .size = packed ? 100 : 128,
				    .depth = 32,
				    .data_bytes = LOAD_BLOCK,
				    .logs = r->logs };
	r->load = (struct counter_load){ .client = &r->client, .seed = seed, .to_do = requests };
	int status;

	r->deaths = 0;
	if (!make_file(file_path, LOAD_BLOCKS * LOAD_BLOCK) || !vu_client_open(&r->client))
		return false;
	r->pid = start(kill_at, r->no_inflight);
	/* It may die as early as this. */
	if (vu_client_connect(&r->client, 10000) ||
	    (server_ended(r->pid, &status) && run_revive(r)))
		return true;
	server_stop(r->pid, SIGKILL, 5000);
	return false;
}

void run_drive(struct run *r, int ms)
{
	uint64_t last = vu_client_now();
	int status;

	while (!r->load.wrong[0] && (r->load.to_do || r->load.in_flight)) {
		load_fill(&r->load);
		if (load_take(&r->load)) {
			last = vu_client_now();
			continue;
		}
		if (server_ended(r->pid, &status) && !run_revive(r)) {
			snprintf(r->load.wrong, sizeof(r->load.wrong), "no connection again: %s",
				 r->client.what);
			return;
		}
		if (vu_client_now() - last > (uint64_t)ms * 1000000)
			snprintf(r->load.wrong, sizeof(r->load.wrong), "%u requests are lost",
				 r->load.in_flight);
		usleep(20);
	}
}

void run_end(struct run *r)
{
	vu_client_close(&r->client);
	server_stop(r->pid, SIGTERM, 5000);
	unlink(socket_path);
}
