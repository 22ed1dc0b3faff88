/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Where the tiny guest is woken, as real mode has it, and what it keeps in memory meanwhile; for assembler too. */
#ifndef TINY_SLEEP_H
#define TINY_SLEEP_H

#define WAKE_CS 0x812
#define WAKE_IP 4
#define WAKE_KEPT 0x1badcafe

#endif
