/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Servers as processes: started, waited for, killed. */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Starts argv[0]; its standard error goes to the file `log` (NULL: stays). -1: could not. */
pid_t server_start(const char *const *argv, const char *log);
/* Has it ended? Its wait status then. */
bool server_ended(pid_t pid, int *status);
/* Ends it with a signal (0: waits only), up to ms; then kill -9. Returns the wait status. */
int server_stop(pid_t pid, int signal, int ms);
/* Waits until somebody listens on a socket. */
bool server_listens(const char *path, int ms);
/* A file of that many bytes, zeros. */
bool make_file(const char *path, uint64_t bytes);
/* Is `text` in the file? Waits up to ms for it. */
bool file_says(const char *path, const char *text, int ms);

#endif
