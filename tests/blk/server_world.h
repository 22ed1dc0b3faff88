/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-blkd as a process, with a front end of ours: what the cases of server_test share. Each case starts a server,
 * says whether all held, and ends it; it runs against the server as it is, and against one with a mistake in it.
 */
#ifndef TESTS_SERVER_WORLD_H
#define TESTS_SERVER_WORLD_H

#include "counter_load.h"
#include "server_process.h"

#define MB 1048576u

extern const char *program, *directory;
extern const char *slipped; /* the mistake of this run, or NULL */
extern char socket_path[256], other_path[256], file_path[256], log_path[256];
extern const char *other_disk; /* of the second export */
extern const char *poll_us;    /* --poll-us of the servers to come; NULL: not given */
extern pid_t pid;
extern struct vu_client client;

/* Says where it did not hold, unless that is what is looked for. */
bool holds(bool good, int line, const char *text);
#define HOLDS(what) holds((what), __LINE__, #what)
/* ms: what a healthy server may take on a busy machine; one with a mistake is not waited for as long. */
#define PATIENCE (slipped ? 400 : 10000)

/* With `disk` behind the socket; other: a second export, with other_disk. */
void start_server(const char *disk, bool other);
bool connect_to(struct vu_client *c, const char *path, uint64_t features);
bool serve(const char *disk, uint64_t features);
bool serve_file(const char *words, uint64_t features);
void end(void);
bool works(struct vu_client *c);
int get_config(uint32_t offset, uint32_t size, uint8_t *to);
int ranges(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t count);
/* Is somebody at the other end of a connection? */
bool connection_ended(int fd, int ms);

/* ---- the cases ----------------------------------------------------------------------------------------- */
bool socket_taken(void);
bool wrong_words(void);
bool never_offered(void);
bool configuration(void);
bool device_status(void);
bool reset_device(void);
bool secure_erase(void);
bool no_secure_erase_on_files(void);
bool in_order(void);
bool notification_data(void);
bool two_regions(void);
bool dirty_log(void);
bool resize(void);
bool limited(void);
bool group_is_limited(void);
bool megabytes_of_rubbish(void);
bool wrong_lengths(void);
bool wrong_heads(void);
bool wrong_descriptor_counts(void);
bool wrong_descriptors(void);
bool running_ring(void);
bool vanishing(void);
bool cut_memory(void);
bool cut_log(void);
bool cut_record(void);
bool cut_huge_page(void);
bool disks_that_cannot_be(void);
bool no_permission(void);
bool locked_file(void);
bool shrinking_file(void);
bool full_disk(void);
bool partial_disk(void);
bool failing_disk(void);
bool failed_flush(void);
bool idle_server(void);
bool looks_in_vain(void);
bool no_looks(void);
bool patience_option(void);
bool none_is_missed(void);

#endif
