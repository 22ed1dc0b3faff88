/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What the cases of drivers that break the card's rules share. Each is answered, changes nothing that it should
 * not, and the card goes on working.
 */
#ifndef TESTS_NET_HOSTILE_H
#define TESTS_NET_HOSTILE_H

#include "../cunit_tap.h"
#include "frame_oracle.h"
#include "net_world.h"

#define SPLIT PVROM_VQ_F_VERSION_1

extern const struct tap_test hostile_commands[], hostile_frames[], hostile_buffers[];

extern uint8_t payload[70000], frame[ORACLE_FRAME_ROOM];
extern struct world_received got;

/* The card still does its work: a frame out, a frame in, a command. */
bool still_works(struct net_world *w);

#endif
