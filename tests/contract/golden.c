/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Prints the golden list: every constant, structure, field and table line of the interface.
 *
 * The names come from the headers themselves, through names.awk; nothing is listed here by hand
 * but the tables. Sentences that only explain are left out: they may change freely.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <pvrom/abi.h>

static void put_constants(void)
{
#define CONSTANT(name) printf("constant " #name " %#llx\n", (unsigned long long)(name));
#define NUMBER(name) printf("constant " #name " %#llx\n", (unsigned long long)(name));
#define STRING(name) printf("constant " #name " \"%s\"\n", name);
#define BYTES(name)                                                                                \
	{                                                                                          \
		static const unsigned char bytes[] = name;                                         \
		printf("constant " #name);                                                         \
		for (size_t i = 0; i < sizeof(bytes); i++)                                         \
			printf(" %02x", bytes[i]);                                                 \
		printf("\n");                                                                      \
	}
#define STRUCT(name)
#define FIELD(name, field, type)
#include "golden_names.h"
#undef CONSTANT
#undef NUMBER
#undef STRING
#undef BYTES
#undef STRUCT
#undef FIELD
}

static void put_structures(void)
{
#define CONSTANT(name)
#define NUMBER(name)
#define STRING(name)
#define BYTES(name)
#define STRUCT(name) printf("struct " #name " %#zx\n", sizeof(struct name));
#define FIELD(name, field, type)                                                                   \
	printf("field " #name "." #field " 0x%02zx %zu %s\n", offsetof(struct name, field),         \
	       sizeof(((struct name *)0)->field), type);
#include "golden_names.h"
}

static void put_calls(void)
{
#define CALL(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	printf("call " #GROUP "_" #NAME " %#06x feature " #feature " arguments %d " #native        \
	       " flags %#x changes %#x \"%s\"\n",                                                  \
	       number, args, flags, regs, insn);
	PVROM_CALL_TABLE(CALL)
}

static void put_tables(void)
{
#define GROUP(NAME, number, version, name, first, counters)                                        \
	printf("group %d %#x %s\n", number, version, name);
#define FEATURE(NAME, bit, needs, name, text) printf("feature %d needs %#x %s\n", bit, needs, name);
#define WORDS3(kind, number, words) printf(kind " %d \"%s\"\n", number, words);
#define REASON(NAME, number, words, text) WORDS3("reason", number, words)
#define STATUS(NAME, number, words) printf("status %d " #NAME "\n", number);
#define VERDICT(NAME, number, words) WORDS3("verdict", number, words)
#define ROUTE(NAME, number, words) WORDS3("route", number, words)
#define TRANSPORT(NAME, number, words) WORDS3("transport", number, words)
#define FORM(NAME, number, name, text) WORDS3("form", number, name)
	PVROM_GROUP_TABLE(GROUP)
	PVROM_FEATURE_TABLE(FEATURE)
	PVROM_REASON_TABLE(REASON)
	PVROM_STATUS_TABLE(STATUS)
	PVROM_VERDICT_TABLE(VERDICT)
	PVROM_ROUTE_TABLE(ROUTE)
	PVROM_TRANSPORT_TABLE(TRANSPORT)
	PVROM_FORM_TABLE(FORM)
}

int main(void)
{
	printf("interface %d.%d\n", PVROM_MAJOR, PVROM_MINOR);
	put_constants();
	put_structures();
	put_calls();
	put_tables();
	return 0;
}
