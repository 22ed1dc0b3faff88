/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The server dies at each step while a front end has its dirty log on: whatever it wrote is in the log when its successor
 * has gone on, or a migration would lose it.
 */
#define _GNU_SOURCE
#include "kill_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_logged(const struct vu_client *c, const void *at)
{
	const uint64_t page = vu_client_gpa(c, at) / VU_LOG_PAGE;

	return __atomic_load_n(&c->log[page / 8], __ATOMIC_ACQUIRE) >> page % 8 & 1;
}

/* What the server wrote since then, for requests that came back: statuses, data of reads, and the ring. */
static const char *not_logged(struct run *r, uint64_t since)
{
	const struct vu_client_queue *q = &r->client.queue[0];
	uint32_t i, n = 0;

	for (i = 0; i < r->client.depth; i++) {
		const struct vu_client_request *one = &q->request[i];

		if (one->busy || one->began < since)
			continue;
		n++;
		if (!is_logged(&r->client, one->status))
			return "the page of a status was written and not logged";
		if (one->header->type == PVROM_BLK_T_IN && !is_logged(&r->client, one->data))
			return "a page of data was written and not logged";
	}
	if (n && !is_logged(&r->client,
			    r->client.accepted & PVROM_VQ_F_RING_PACKED ? q->desc : q->device))
		return "a page of the ring was written and not logged";
	return NULL;
}

/* A few requests from an empty log on. The page of the ring is logged after the driver can see it. */
static void logged_window(struct run *r, uint32_t requests)
{
	const uint64_t since = vu_client_now(), patience = r->no_inflight ? 300000000 : 10000000000;
	const char *wrong;
	uint64_t until;
	int status;

	memset(r->client.log, 0, r->client.log_size);
	r->load.to_do = requests;
	run_drive(r, 20000);
	until = vu_client_now() + patience;
	while ((wrong = not_logged(r, since)) && !r->load.wrong[0] && vu_client_now() < until) {
		usleep(100);
		/* It died when the request had come back. */
		if (server_ended(r->pid, &status) && !run_revive(r))
			return;
	}
	if (wrong && !r->load.wrong[0])
		snprintf(r->load.wrong, sizeof(r->load.wrong), "%s", wrong);
	usleep(1000);
}

/* Empty: all was well. */
static void run_logged(struct run *r, const char *kill_at, bool packed)
{
	int i;

	r->logs = true;
	if (!run_begin(r, packed, kill_at, 0, 4711)) {
		snprintf(r->load.wrong, sizeof(r->load.wrong), "%s", r->client.what);
		return;
	}
	for (i = 0; i < 400 && !r->deaths && !r->load.wrong[0]; i++)
		logged_window(r, 1);
	for (i = 0; i < 3 && !r->load.wrong[0]; i++)
		logged_window(r, 8);
	if (!r->deaths && !r->load.wrong[0])
		snprintf(r->load.wrong, sizeof(r->load.wrong), "the step was never reached");
	if (!r->load.wrong[0])
		load_verify(&r->load);
	run_end(r);
}

void at_step_logged(const char *name, bool packed, unsigned int round)
{
	struct run r = { .no_inflight = NULL };
	char kill_at[64];

	snprintf(kill_at, sizeof(kill_at), "%s:%u", name, 3 + round * 5 % 12);
	run_logged(&r, kill_at, packed);
	result(!r.load.wrong[0],
	       "killed at %s (%s) with the log on: every page written is in it [PVROM-BLK-9] "
	       "[PVROM-BLK-21]",
	       kill_at, packed ? "packed" : "split", r.load.wrong);
}

/* The page of a split ring is logged again anyhow: the wish for notifications stands in it. */
void log_that_forgets(void)
{
	struct run r = { .no_inflight = "--slip=LOG_RESUMED" };

	run_logged(&r, "USED_SHOWN:3", true);
	printf("# %s\n", r.load.wrong);
	result(strstr(r.load.wrong, "not logged"),
	       "a server that forgets what the dead one wrote is noticed%s%s", "", "",
	       "it was not");
}
