/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Making lines of text without a C library. */
#include "probe_internal.h"

size_t pvrom_text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static bool begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return false;
	return true;
}

bool pvrom_text_equal(const char *a, const char *b)
{
	return begins(a, b) && begins(b, a);
}

bool pvrom_text_contains(const char *text, const char *part)
{
	for (; *text; text++)
		if (begins(text, part))
			return true;
	return false;
}

/* size bytes at most, and an end. What is no printable ASCII becomes a question mark. */
void pvrom_text_copy(char *to, size_t room, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size && i + 1 < room && from[i]; i++)
		to[i] = (char)(from[i] >= ' ' && from[i] <= '~' ? from[i] : '?');
	to[i] = '\0';
}

void pvrom_text_clear(struct pvrom_text *text)
{
	text->length = 0;
	text->bytes[0] = '\0';
}

static void put_byte(struct pvrom_text *text, char byte)
{
	if (text->length + 1 >= sizeof(text->bytes))
		return;
	text->bytes[text->length++] = byte;
	text->bytes[text->length] = '\0';
}

void pvrom_text_put(struct pvrom_text *text, const char *words)
{
	while (*words)
		put_byte(text, *words++);
}

void pvrom_text_hex(struct pvrom_text *text, uint64_t value, uint32_t digits)
{
	while (digits--)
		put_byte(text, "0123456789abcdef"[value >> 4 * digits & 15]);
}

void pvrom_text_number(struct pvrom_text *text, uint64_t value)
{
	char digits[21], *at = &digits[20];

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	pvrom_text_put(text, at);
}

void pvrom_text_column(struct pvrom_text *text, uint32_t column)
{
	do
		put_byte(text, ' ');
	while (text->length < column);
}

/* Evidence has no control characters: pvrom_text_copy() has seen to it. */
void pvrom_text_quoted(struct pvrom_text *text, const char *words)
{
	put_byte(text, '"');
	for (; *words; words++) {
		if (*words == '"' || *words == '\\')
			put_byte(text, '\\');
		put_byte(text, *words);
	}
	put_byte(text, '"');
}

void pvrom_text_end(struct pvrom_text *text, pvrom_probe_line_fn *line, void *ctx)
{
	line(ctx, text->bytes);
	pvrom_text_clear(text);
}
