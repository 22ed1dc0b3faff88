/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-blkd: what an export is, and which file does what.
 */
#ifndef BLKD_H
#define BLKD_H

#include <pthread.h>
#include <stdatomic.h>

#include <pvrom/blk_backend.h>
#include <pvrom/io_patience.h>
#include <pvrom/vhost_user.h>

/* ---- blkd_spec.c: what the operator wants ------------------------------------------------------- */

struct blkd_spec {
	char *text;  /* as given */
	char *words; /* a copy, into which the words below point */
	const char *socket, *file, *id, *group;
	uint64_t null_sectors, memory_sectors;
	bool read_only, direct, no_lock;
	uint32_t queues, size_max, seg_max;
	struct pvrom_rate bytes, requests;
};

/* NULL, or what is wrong with it. */
const char *blkd_spec_parse(struct blkd_spec *spec, const char *text);

/* ---- blkd_export.c: one disk on one socket, with a thread of its own ------------------------------ */

struct blkd_queue {
	struct pvrom_blk_queue blk;
	struct pvrom_blk_request *pool;
	struct pvrom_vq_device_slot *slots;
	bool live, quiet; /* quiet: notifications are off */
};

/* What another thread asks for; done by the export's own. */
enum blkd_command {
	BLKD_NOTHING,
	BLKD_OPEN,
	BLKD_STOP,
	BLKD_RESIZE,
	BLKD_COUNTERS,
	BLKD_HAND_OVER,
	BLKD_LEAVE,
	BLKD_GO_ON
};

struct blkd_export {
	struct blkd_spec spec;
	struct pvrom_loop loop;
	struct pvrom_vu_server *vu;
	struct pvrom_blk_backend *backend;
	struct pvrom_blk_host host;
	struct pvrom_limit *limit; /* of the group, or own */
	struct blkd_queue queue[PVROM_BLK_QUEUES_MAX];
	pthread_t thread;
	bool started, handed, opened;
	struct pvrom_patience patience;
	uint64_t interrupts, sleeps, popped;
	/* Commands: one at a time. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum blkd_command command;
	atomic_bool asked;
	bool ends;
	/* For a hand-over. */
	struct pvrom_vu_handover handover;
	uint8_t device_state[1024];
	uint32_t device_state_size;
	int file_fd; /* handed over to us: >= 0 */
};

struct blkd_options {
	const char *control, *take_over;
	uint64_t poll_ns;
	bool quiet, no_inflight;
};
#define BLKD_EXPORTS_MAX 64u
extern struct blkd_options blkd_options;

/*
 * Starts its thread, which opens backend and socket; handed: takes up what the export's handover holds, and
 * then waits for BLKD_GO_ON or BLKD_LEAVE. false: the reason was printed.
 */
bool blkd_export_open(struct blkd_export *e, bool handed);
/* Has the export's thread do that, and waits until it is done. */
void blkd_export_ask(struct blkd_export *e, enum blkd_command command);
void blkd_export_join(struct blkd_export *e);
struct pvrom_limit *blkd_limit_for(const struct blkd_spec *spec);

/* ---- blkd_round.c ------------------------------------------------------------------------------- */

/* Once round queues, disk and front end; sleeps if nothing is to be done and nothing asked. */
void blkd_round(struct blkd_export *e);
/* Shows drivers what is done, and prepares their interrupts. */
void blkd_publish(struct blkd_export *e);

/* ---- blkd_queues.c ------------------------------------------------------------------------------ */

extern const struct pvrom_vu_device_ops blkd_vu_ops; /* ctx: a blkd_export */
/* Waits for what is in work, of one queue or (NULL) of all, and shows it. */
void blkd_finish_work(struct blkd_export *e, const struct blkd_queue *only);

void blkd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- blkd_control.c: handing over to the next process ----------------------------------------------- */

/* A socket on which another pvrom-blkd may ask for everything. -1: the reason was printed. */
int blkd_control_listen(const char *path);
/* Serves one that asks. true: it has taken over, and this process is to end. */
bool blkd_control_serve(int listener, struct blkd_export *e, unsigned int count);
/*
 * Asks the server there. Returns the number of exports, filled in but not opened; 0: the reason was printed.
 * *socket is then to be told by blkd_control_taken() whether all went well.
 */
unsigned int blkd_control_ask(const char *path, struct blkd_export **exports, int *socket);
bool blkd_control_taken(int socket, bool well);

#endif
