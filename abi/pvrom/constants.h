/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How a table of this folder becomes named constants, in C, C++ and assembler alike.
 *
 * Each fact of the interface stands in one table, FOO_TABLE(X), whose lines are X(NAME, number, ...).
 * The header that holds the table expands it once with PVROM_CONSTANT; whoever needs names, stubs,
 * documentation or a coverage list expands the same table again with a macro of his own.
 *
 * This header and its siblings may be copied into any tree: they depend on <stdint.h> alone.
 */
#ifndef PVROM_CONSTANTS_H
#define PVROM_CONSTANTS_H

#ifdef __ASSEMBLER__
#define PVROM_CONSTANT(name, value) .set name, value ;
#define PVROM_CONSTANTS_BEGIN
#define PVROM_CONSTANTS_END
#define PVROM_U64(value) value
#else
#include <stdint.h>
#define PVROM_CONSTANT(name, value) name = (value),
#define PVROM_CONSTANTS_BEGIN enum {
#define PVROM_CONSTANTS_END };
#define PVROM_U64(value) UINT64_C(value)
#endif

/* An assertion that C11 and C++ both understand; the assembler never sees a structure. */
#ifdef __cplusplus
#define PVROM_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define PVROM_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define PVROM_OFFSET_IS(type, field, offset)                                                       \
	PVROM_STATIC_ASSERT(__builtin_offsetof(struct type, field) == (offset), #type "." #field)
#define PVROM_SIZE_IS(type, size) PVROM_STATIC_ASSERT(sizeof(struct type) == (size), #type)

#endif
