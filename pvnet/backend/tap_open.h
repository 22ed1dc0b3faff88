/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Opening a tap interface: what may be wrong with it is found and said here. */
#ifndef TAP_OPEN_H
#define TAP_OPEN_H

#include "netback.h"

struct tap_opened {
	char name[16];
	int fd[PVROM_NET_PAIRS_MAX];
	uint32_t queues;
	uint32_t mtu;
	uint64_t can; /* PVROM_NET_F_CSUM and F_HOST_x that this kernel takes in a header */
};

/* mtu: 0, or what the interface must carry, which it is set to if need be. false: message says why. */
bool tap_open(struct tap_opened *t, const char *name, uint32_t queues, uint32_t mtu, char *message);
void tap_shut(struct tap_opened *t);
/* What may come from now on: PVROM_NET_F_GUEST_x. false: the kernel does not hear of it; nothing does. */
bool tap_set_offloads(const struct tap_opened *t, uint64_t guest);

#endif
