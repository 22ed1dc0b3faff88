/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The machine language of ACPI, as much of it as a list of devices needs. */
#include "aml.h"

#include <string.h>

/* ACPI 6.4, 20.2: the encodings that are used here. */
#define OP_NAME 0x08
#define OP_BYTE 0x0a
#define OP_DWORD 0x0c
#define OP_STRING 0x0d
#define OP_SCOPE 0x10
#define OP_BUFFER 0x11
#define OP_EXTENDED 0x5b
#define OP_DEVICE 0x82

/* 6.4.2, 6.4.3: resource descriptors. */
#define RESOURCE_PORTS 0x47
#define RESOURCE_MEMORY32 0x86
#define RESOURCE_INTERRUPT 0x89
#define RESOURCE_END 0x79
#define INTERRUPT_EDGE_HIGH 0x03 /* a consumer, edge-triggered, active high, exclusive */

/* Lengths take two bytes always: four bits in the first, eight in the second. */
#define LENGTH_BYTES 2u
#define LENGTH_MOST 0xfffu

void aml_bytes(struct aml *aml, const void *data, size_t size)
{
	if (size > aml->room - aml->size) {
		aml->overflow = true;
		return;
	}
	memcpy(aml->data + aml->size, data, size);
	aml->size += size;
}

void aml_byte(struct aml *aml, uint8_t value)
{
	aml_bytes(aml, &value, 1);
}

static void aml_word(struct aml *aml, uint16_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

void aml_dword(struct aml *aml, uint32_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

void aml_name(struct aml *aml, const char *name)
{
	aml_bytes(aml, name, 4);
}

/* Leaves room for a length. */
static size_t length_begin(struct aml *aml)
{
	size_t begin = aml->size;

	aml_word(aml, 0);
	return begin;
}

void aml_end(struct aml *aml, size_t begin)
{
	size_t length = aml->size - begin;

	if (aml->overflow || length > LENGTH_MOST) {
		aml->overflow = true;
		return;
	}
	aml->data[begin] = (uint8_t)(0x40 | (length & 0xf));
	aml->data[begin + 1] = (uint8_t)(length >> 4);
}

size_t aml_scope_begin(struct aml *aml, const char *name)
{
	size_t begin;

	aml_byte(aml, OP_SCOPE);
	begin = length_begin(aml);
	aml_byte(aml, '\\');
	aml_name(aml, name);
	return begin;
}

size_t aml_device_begin(struct aml *aml, const char *name)
{
	size_t begin;

	aml_byte(aml, OP_EXTENDED);
	aml_byte(aml, OP_DEVICE);
	begin = length_begin(aml);
	aml_name(aml, name);
	return begin;
}

static void name_is(struct aml *aml, const char *name)
{
	aml_byte(aml, OP_NAME);
	aml_name(aml, name);
}

void aml_name_string(struct aml *aml, const char *name, const char *text)
{
	name_is(aml, name);
	aml_byte(aml, OP_STRING);
	aml_bytes(aml, text, strlen(text) + 1);
}

void aml_name_number(struct aml *aml, const char *name, uint32_t value)
{
	name_is(aml, name);
	aml_byte(aml, OP_DWORD);
	aml_dword(aml, value);
}

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* An identifier such as PNP0501, compressed: three letters of five bits, four digits (19.3.4). */
void aml_name_id(struct aml *aml, const char *name, const char *id)
{
	uint32_t letters = (uint32_t)(id[0] & 0x1f) << 10 | (uint32_t)(id[1] & 0x1f) << 5 |
			   (uint32_t)(id[2] & 0x1f);

	name_is(aml, name);
	aml_byte(aml, OP_DWORD);
	aml_byte(aml, (uint8_t)(letters >> 8));
	aml_byte(aml, (uint8_t)letters);
	aml_byte(aml, (uint8_t)(hex_digit(id[3]) << 4 | hex_digit(id[4])));
	aml_byte(aml, (uint8_t)(hex_digit(id[5]) << 4 | hex_digit(id[6])));
}

/* The size of the buffer is written at the end, as a byte. */
size_t aml_resources_begin(struct aml *aml)
{
	size_t begin;

	name_is(aml, "_CRS");
	aml_byte(aml, OP_BUFFER);
	begin = length_begin(aml);
	aml_byte(aml, OP_BYTE);
	aml_byte(aml, 0);
	return begin;
}

void aml_resources_end(struct aml *aml, size_t begin)
{
	size_t content = begin + LENGTH_BYTES + 2;

	aml_byte(aml, RESOURCE_END);
	aml_byte(aml, 0); /* no checksum */
	if (aml->overflow || aml->size - content > 0xff) {
		aml->overflow = true;
		return;
	}
	aml->data[content - 1] = (uint8_t)(aml->size - content);
	aml_end(aml, begin);
}

void aml_memory(struct aml *aml, uint32_t start, uint32_t size)
{
	aml_byte(aml, RESOURCE_MEMORY32);
	aml_word(aml, 9);
	aml_byte(aml, 1); /* may be written */
	aml_dword(aml, start);
	aml_dword(aml, size);
}

void aml_ports(struct aml *aml, uint16_t start, uint8_t count)
{
	aml_byte(aml, RESOURCE_PORTS);
	aml_byte(aml, 1); /* all 16 address lines */
	aml_word(aml, start);
	aml_word(aml, start);
	aml_byte(aml, 1);
	aml_byte(aml, count);
}

void aml_interrupt(struct aml *aml, uint32_t line)
{
	aml_byte(aml, RESOURCE_INTERRUPT);
	aml_word(aml, 6);
	aml_byte(aml, INTERRUPT_EDGE_HIGH);
	aml_byte(aml, 1);
	aml_dword(aml, line);
}
