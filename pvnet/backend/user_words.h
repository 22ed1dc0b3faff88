/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the words of user-mode networking mean to libslirp. */
#ifndef USER_WORDS_H
#define USER_WORDS_H

#include <slirp/libslirp.h>

#include "netback.h"

/* The configuration that they ask for. false: the sentence in message says what is wrong. */
bool user_configure(SlirpConfig *config, const struct netback_words *words, char *message);
/* Opens the host's ports. libslirp's lock is held. false: as above. */
bool user_add_forwards(Slirp *slirp, const struct netback_words *words, char *message);

#endif
