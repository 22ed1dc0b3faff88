/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Network cards, as the rest of pvrun sees them. net_absent.c stands in where liburing is missing. */
#ifndef PVRUN_NET_DEVICE_H
#define PVRUN_NET_DEVICE_H

#include "stats_report.h"

/* Opens what is behind a card and shows the card as virtio device `number`; ends pvrun if it cannot. */
struct virtio_device *net_create(struct vm *vm, const struct net_arg *arg, unsigned int number);
void net_destroy(struct virtio_device *device);

/* Adds what a card has counted; from any thread but its own. */
void net_count(struct virtio_device *device, struct net_stats *stats);

/* net_helper.c: another process that has the backend of these words; its messages go to stderr. */
struct net_helper {
	int socket; /* frames, by the protocol of a switch's port; the caller's to close */
	int pid;
};
/* false: `message` says why not. */
bool net_helper_start(struct net_helper *helper, const char *words, char *message, size_t room);
/* Waits until it has ended, as it does when its socket is closed. */
void net_helper_stop(struct net_helper *helper);

#endif
