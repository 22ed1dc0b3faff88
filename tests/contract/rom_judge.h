/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A second reader of ROM images, written from the document and sharing nothing with the shim. */
#ifndef PVROM_ROM_JUDGE_H
#define PVROM_ROM_JUDGE_H

#include <stddef.h>
#include <stdint.h>

/* The first requirement of the document that the image breaks, NULL if it keeps all of them. */
const char *rom_judge(const uint8_t *rom, size_t size);

/* Puts right the checksum and the sum of bytes, after a test has changed something else. */
void rom_settle(uint8_t *rom, size_t size);

#endif
