/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writes the little ACPI machine language that a table of devices needs (ACPI 6.4, chapter 20.2).
 * Nothing is ever written behind the buffer: a text that does not fit sets `overflow`.
 */
#ifndef PVRUN_AML_H
#define PVRUN_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *data;
	size_t size;
	size_t room;
	bool overflow;
};

void aml_byte(struct aml *aml, uint8_t value);
void aml_bytes(struct aml *aml, const void *data, size_t size);
void aml_dword(struct aml *aml, uint32_t value);
/* A name of four characters. */
void aml_name(struct aml *aml, const char *name);

/*
 * What has a length of its own: between begin and end stands its content. begin returns what end
 * wants; at most 4,095 bytes, the length included.
 */
size_t aml_scope_begin(struct aml *aml, const char *name);
size_t aml_device_begin(struct aml *aml, const char *name);
size_t aml_resources_begin(struct aml *aml);
void aml_end(struct aml *aml, size_t begin);
void aml_resources_end(struct aml *aml, size_t begin);

/* Names with a value. */
void aml_name_string(struct aml *aml, const char *name, const char *text);
void aml_name_number(struct aml *aml, const char *name, uint32_t value);
void aml_name_id(struct aml *aml, const char *name, const char *id);

/* Resources, between aml_resources_begin() and _end(). */
void aml_memory(struct aml *aml, uint32_t start, uint32_t size);
void aml_ports(struct aml *aml, uint16_t start, uint8_t count);
void aml_interrupt(struct aml *aml, uint32_t line);

#endif
