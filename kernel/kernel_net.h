/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The kernel's network: a VIRTIO card, by whatever way it is reached, over pvnet's driver, under the stack of net/. */
#ifndef KERNEL_NET_H
#define KERNEL_NET_H

#include <pvrom/net_guest.h>

#include "stack.h"
#include "virtio_way.h"

#define NET_PAIRS 2u
#define NET_QUEUES (2 * NET_PAIRS + 1)
#define NET_BUFFERS 64u /* of a receive queue */
#define NET_LARGE 64u	/* long packets in flight: more than TCP has */
#define NET_VECTOR 0x5b /* of its interrupts, on CPU 0 */

struct net {
	struct pvrom_net_guest card;
	struct virtio_way way;
	struct pvrom_net_guest_queue queue[NET_QUEUES];
	struct pvrom_net_guest_buffer buffer[NET_PAIRS][NET_BUFFERS];
	uint8_t *large[NET_LARGE]; /* with room for a header in front */
	bool large_busy[NET_LARGE];
	struct stack stack;
	unsigned send_pair;	/* by which packets go */
	uint64_t received_long; /* frames that lay in several buffers */
};

/* The network, NULL if there is none. */
extern struct net *net;

/*
 * On CPU 0, when CPUs and calls are there: takes the first card that virtio_way_find() finds (on pvrom's device bus
 * unless "net=mmio"). Prints a line about it. "net_avoid=HEX": feature bits not to be taken; "net_address=HEX": an
 * IPv4 address of a network of 24 bits, whose first host is the gateway, instead of DHCP.
 */
void net_init(void);
/* Takes what came, and lets the stack's time go on. False: the card broke the rules, and was stopped. */
bool net_poll(void);
/* Polls until *DONE, at most so long; *DONE. */
bool net_poll_until(const bool *done, uint64_t us);
/* Does the card take a frame, and say so? One that nobody else takes: it is sent to the card's own address. */
bool net_takes_a_frame(void);
/* Polls some time more, for the last acknowledgement, and for those who did not get it. */
void net_linger(void);
/* Stops the card and begins anew with it, the stack as it was. False: it is not to be had again. */
bool net_restart(void);
/* Lets the card's interrupts through to this kernel, or not. */
bool net_interrupts(bool on);

/* "net_answer=SECONDS": answers, and serves the page of net/ on port 80, for so long or until it was served; prints
 * what came, and does nothing else. */
bool net_answer_wanted(void);
void net_answer(void);

#endif
