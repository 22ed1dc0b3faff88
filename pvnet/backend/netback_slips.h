/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Mistakes that test builds of the backends and of pvrom-netd can make on purpose, one at a time: what a test is
 * for must fail under the one that it is for.
 */
#ifndef NETBACK_SLIPS_H
#define NETBACK_SLIPS_H

#include <stdbool.h>

#define NETBACK_SLIP_TABLE(X)                                                                      \
	X(FIFO_FULL, "a queue that is full takes one more")                                        \
	X(LOOP_SWAP, "the addresses are not exchanged")                                            \
	X(TAP_OFFLOADS, "the kernel is not told what the driver takes")                            \
	X(TAP_PLAIN, "frames with open work go to a driver that does not take them")               \
	X(TAP_GONE, "an interface that has gone is not noticed")                                   \
	X(TAP_PERMISSION, "a missing permission is called anything")                               \
	X(TAP_MTU, "an MTU that the interface does not carry is taken")                            \
	X(TAP_PAIR, "all frames go into the first queue")                                          \
	X(CAPTURE_LENGTH, "the length of a cut frame is that of what is kept")                     \
	X(CAPTURE_COMMENT, "open work is not described")                                           \
	X(CAPTURE_DIRECTION, "all frames are called inbound")                                      \
	X(CAPTURE_ROTATE, "a file grows without end")                                              \
	X(CAPTURE_SNAP, "frames are kept whole")                                                   \
	X(SWITCH_FIND, "no address is found")                                                      \
	X(SWITCH_LEARNED, "a port may displace the addresses of others")                           \
	X(SWITCH_TAGGED, "a port of one VLAN takes tagged frames")                                 \
	X(SWITCH_TAG, "tags are neither put in nor taken out")                                     \
	X(SWITCH_VLAN, "frames go to other VLANs")                                                 \
	X(SWITCH_STOLEN, "anybody may have the address of another port's card")                    \
	X(SWITCH_CLASH, "two ports may have one address")                                          \
	X(SWITCH_FLOOD, "floods have no bound")                                                    \
	X(PORT_AGAIN, "a port whose switch has gone does not look for it again")                   \
	X(PORT_KEEP, "what the socket has no room for is lost")                                    \
	X(PORT_DOWN, "the link stays up without a switch")                                         \
	X(USER_FLUSH, "libslirp's answers wait for its timer")                                     \
	X(NETD_LINK, "a change of the link is not told")                                           \
	X(NETD_ANNOUNCE, "the network is not told where the card is")                              \
	X(NETD_PAIRS, "all receive queues are used, whatever is enabled")                          \
	X(NETD_MTU, "any MTU is agreed on")                                                        \
	X(NETD_LISTEN, "a stalled queue does not ask to be rung")                                  \
	X(NETD_LISTEN_ONCE, "a queue that is stalled again does not ask again")                    \
	X(NETD_WITHHOLD, "what is withheld is offered")

#ifdef PVROM_TEST
enum netback_slip {
	NETBACK_SLIP_NONE,
#define NETBACK_SLIP_NAME(name, text) NETBACK_SLIP_##name,
	NETBACK_SLIP_TABLE(NETBACK_SLIP_NAME)
#undef NETBACK_SLIP_NAME
		NETBACK_SLIP_COUNT
};
extern enum netback_slip netback_slipped;
/* By name; false: no such mistake. */
bool netback_slip(const char *name);
#define NETBACK_SLIP(name) (netback_slipped == NETBACK_SLIP_##name)
#else
#define NETBACK_SLIP(name) false
#endif

#endif
