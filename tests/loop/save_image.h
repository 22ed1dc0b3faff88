/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A machine that is saved into an image which tests change, and loaded again; and the cases of them. */
#ifndef TESTS_SAVE_IMAGE_H
#define TESTS_SAVE_IMAGE_H

#include "host_world.h"

#define IMAGE_ROOM 8192u

extern struct world w;
extern uint8_t image[IMAGE_ROOM];
extern size_t size; /* of what is in it */

/* Offsets of the image; see host/save.c. */
#define AT_FORMAT 0x08
#define AT_SIZE 0x0c
#define AT_CRC 0x10
#define AT_TRANSPORT 0x14
#define AT_VCPUS 0x18
#define AT_SECTIONS 0x1c
#define AT_DIGEST 0x20
#define AT_EPOCH 0x40
#define AT_SEALED 0x48
#define AT_PENDING 0x50
#define AT_PENDING_EPOCH 0x58
#define AT_PENDING_VECTORS 0x60
#define AT_VECTORS 0x62
#define AT_KICK_VECTORS 0x64
#define AT_RESERVED 0x66
#define AT_VCPU 0x68

/* A field of the image, least significant byte first. */
uint64_t get(uint32_t at, uint32_t bytes);
void put(uint32_t at, uint64_t value, uint32_t bytes);

/* As somebody does who wants his changes to be believed. */
void make_checksum_right(void);

/* A machine with areas, a sealed set and a proposal, saved. */
void save_a_machine(void);

/* Loads the image into a new machine. */
enum pvrom_host_result load(void);

/* Loads what stands in image[] and checks that a refusal has changed nothing. */
void refused(enum pvrom_host_result expected);

/* host_save_bad.c */
void damaged_bits(void);
void truncated(void);
void magic_and_format(void);
void checksum(void);
void other_transport(void);
void other_number_of_vcpus(void);
void epochs_and_sets(void);
void vectors(void);
void areas(void);
void a_feature_is_missing(void);
void not_just_set_up(void);

/* host_save_sections.c */
void sections_come_back(void);
void sections_damaged(void);
void section_refused(void);

#endif
