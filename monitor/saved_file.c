/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The file of a saved machine: bytes into it and out of it, and what may stand in it. */
#include "saved_machine.h"

#include <stdio.h>
#include <string.h>

void saved_put(FILE *file, const void *data, size_t size)
{
	fwrite(data, size, 1, file);
}

void saved_take(const struct vm *vm, FILE *file, void *data, size_t size)
{
	if (fread(data, size, 1, file) != 1)
		fail(EXIT_CANNOT_RUN, "%s: it ends too early", vm->opt->load);
}

bool saved_is_bool(const bool *at)
{
	uint8_t byte;

	memcpy(&byte, at, sizeof(byte));
	return byte <= 1;
}

bool saved_is_route(const struct vm *vm, const struct route *route)
{
	return saved_is_bool(&route->routed) && saved_is_bool(&route->masked) &&
	       route->vcpu < vm->opt->cpus;
}
