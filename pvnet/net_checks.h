/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The checks that keep a hostile driver or a hostile network harmless, by name, so that a test build can take
 * one out and show that it is missed.
 */
#ifndef PVNET_NET_CHECKS_H
#define PVNET_NET_CHECKS_H

#define NET_CHECK_TABLE(X)                                                                         \
	X(FRAME_SHORT, "a frame without an Ethernet header")                                       \
	X(CSUM_PLACE, "a checksum whose place is not in the frame")                                \
	X(GSO_SIZE, "segments of no bytes, or too many of them")                                   \
	X(GSO_FEATURE, "a frame that asks for what was not negotiated")                            \
	X(ONLY_ASKED, "what a driver has no right to say of its frame")                            \
	X(DRIVER_TAKES, "a frame that the driver does not take")                                   \
	X(OVER_MTU, "a frame longer than the driver was told")                                     \
	X(COMMAND_FEATURE, "a command that was not negotiated")                                    \
	X(COMMAND_END, "a command with bytes behind its data")                                     \
	X(STEERING, "queue pairs that there are not")                                              \
	X(MAC_COUNT, "a table of addresses longer than there is room for")                         \
	X(MAC_GROUP, "a group's address as the card's own")                                        \
	X(VLAN_NUMBER, "a VLAN behind 4095")                                                       \
	X(OFFLOADS, "offloads that were not negotiated")                                           \
	X(SEND_LIMIT, "a frame that the limit holds back")                                         \
	X(RECEIVE_LIMIT, "a frame for the driver that the limit holds back")
enum net_check {
	NET_CHECK_NONE,
#define NET_CHECK_NAME(name, text) NET_CHECK_##name,
	NET_CHECK_TABLE(NET_CHECK_NAME)
#undef NET_CHECK_NAME
};

#ifdef PVROM_TEST
/* The one that is taken out. */
extern enum net_check pvrom_net_removed;
#define NET_REFUSE(name, when) ((when) && pvrom_net_removed != NET_CHECK_##name)
#else
#define NET_REFUSE(name, when) (when)
#endif

#endif
