/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The pvrom interface, all of it: the version, and every header of the contract.
 *
 * Only physical addresses of the guest cross the interface, as 64-bit words ending in _gpa.
 * Multi-byte fields are little-endian. The interface is for x86-64 guests in 64-bit mode.
 */
#ifndef PVROM_ABI_H
#define PVROM_ABI_H

#include <pvrom/constants.h>

/*
 * The version of the interface; this is the only place where it stands. Major: what was right
 * becomes wrong. Minor: something was added at an end. Single features are bits (features.h).
 */
PVROM_CONSTANTS_BEGIN
PVROM_CONSTANT(PVROM_MAJOR, 1)
PVROM_CONSTANT(PVROM_MINOR, 0)
PVROM_CONSTANTS_END

#include <pvrom/calls.h>
#include <pvrom/clock.h>
#include <pvrom/dev.h>
#include <pvrom/discovery.h>
#include <pvrom/features.h>
#include <pvrom/mmu.h>
#include <pvrom/negotiate.h>
#include <pvrom/note.h>
#include <pvrom/rom.h>
#include <pvrom/status.h>
#include <pvrom/vcpu.h>
#include <pvrom/verdicts.h>

#endif
