/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A network for a card of another process. */
#ifndef NETD_HELPER_H
#define NETD_HELPER_H

#include "netd.h"

/* Serves the network that `words` say over a connected socket until the other side has gone: an exit status. */
int netd_help(int socket, const char *words);

#endif
