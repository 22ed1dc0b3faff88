/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A small reader of ROM images for host_rom.c and host_rom_slots.c: it shares no code with the builder or
 * the guest shim.
 */
#ifndef ROM_READER_H
#define ROM_READER_H

#include "host_world.h"

/* The machine, and the image in its memory with its bytes. */
extern struct world w;
extern uint8_t *rom;
extern size_t size;

/* Little-endian, of so many bytes. */
uint64_t word(size_t at, uint32_t bytes);
/* As w.config says. */
void build(void);
/* Runs a check under each transport, slot form, and kind of EOI. */
void for_all(void (*check)(void));

#endif
