/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A server that may die, and a load of counters on it: what the parts of kill_test share. */
#ifndef KILL_RUN_H
#define KILL_RUN_H

#include "counter_load.h"
#include "server_process.h"

extern const char *server, *directory;
extern char socket_path[256], file_path[256], log_path[256], export_word[768];
extern int tests;

/* A line of TAP; `format` takes a and b. why: printed if it is not good. */
void result(bool good, const char *format, const char *a, const char *b, const char *why);

struct run {
	struct vu_client client;
	struct counter_load load;
	pid_t pid;
	uint32_t deaths;
	const char *no_inflight; /* an option for the server, or NULL */
	bool logs;		 /* with the dirty log on */
};

/* A disk, a server and a front end; kill_at: where the server dies, or NULL. */
bool run_begin(struct run *r, bool packed, const char *kill_at, uint64_t requests, uint64_t seed);
/* Another server in the place of one that died, and the front end connected to it. */
bool run_revive(struct run *r);
/* Until all is done, or for `ms` nothing happened; servers that die are replaced. */
void run_drive(struct run *r, int ms);
void run_end(struct run *r);

/* kill_log.c: the same deaths while the dirty log is on. */
void at_step_logged(const char *name, bool packed, unsigned int round);
void log_that_forgets(void);

#endif
