/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Numbers and lines of text; lines go to the debug port 0xe9, where a device may listen. */
#include "hv.h"

#define DEBUG_PORT 0xe9

bool hv_begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return false;
	return true;
}

/* The decimal number behind the word's "=". */
uint32_t hv_number(const char *text)
{
	uint32_t value = 0;

	while (*text++ != '=')
		;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return value;
}

static uint32_t print_lock;

struct line {
	char text[256];
	size_t length;
};

static void add(struct line *line, char c)
{
	if (line->length < sizeof(line->text))
		line->text[line->length++] = c;
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do
		digits[count++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (count)
		add(line, digits[--count]);
}

static void add_text(struct line *line, const char *text, int most)
{
	while (*text && most--)
		add(line, *text++);
}

/* %s, %.*s, %u, %x, %lu and %lx are all that is used here. */
static const char *add_item(struct line *line, const char *format, va_list *args)
{
	int most = -1;
	bool wide;

	if (hv_begins(format, ".*")) {
		most = va_arg(*args, int);
		format += 2;
	}
	wide = *format == 'l';
	format += wide;
	if (*format == 's')
		add_text(line, va_arg(*args, const char *), most);
	else
		add_number(line, wide ? va_arg(*args, uint64_t) : va_arg(*args, uint32_t),
			   *format == 'x' ? 16 : 10);
	return format + 1;
}

void hv_print(const char *format, ...)
{
	struct line line = { .length = 0 };
	va_list args;

	va_start(args, format);
	while (*format)
		if (*format == '%')
			format = add_item(&line, format + 1, &args);
		else
			add(&line, *format++);
	va_end(args);
	hv_lock_take(&print_lock);
	for (size_t i = 0; i < line.length; i++)
		out8(DEBUG_PORT, (uint8_t)line.text[i]);
	hv_lock_release(&print_lock);
}
