/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Switches that pvrom-netd serves: on a socket each, and for its own cards. */
#ifndef NETD_SWITCH_H
#define NETD_SWITCH_H

#include "../backend/switch_backend.h"
#include "netd.h"

/* flood: see switch_open(); 0: the default. false: message says why. Before any card is opened. */
bool netd_switch_open(const char *path, uint32_t flood, char *message);
/* After all cards are closed. */
void netd_switch_close_all(void);
/* A port of the switch of this process at w->port; NULL without a message: there is none. */
struct netback *netd_switch_port(const struct netback_words *w, const uint8_t mac[6],
				 char *message);

#endif
