/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* In a replay nothing is mutated, but the targets' mutators want something to link with. */
#include "hostile.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
	(void)data;
	(void)room;
	return size;
}
