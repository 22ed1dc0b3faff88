/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Memory, numbers, lines of text. Lines go to the debug port 0xe9 if there is a device (it answers
 * reads with its own number), else to COM1, between those of the guest.
 */
#include "hv.h"

#define DEBUG_PORT 0xe9
#define COM1 0x3f8
#define COM1_LSR 0x3fd
#define LSR_EMPTY 0x20

void *memcpy(void *to, const void *from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size)::"memory");
	return to;
}

/* Backwards where the end of the source would else be overwritten before it is read. */
void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t - f >= (ptrdiff_t)size || t < f)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *p = a, *q = b;

	for (; size; size--, p++, q++)
		if (*p != *q)
			return *p < *q ? -1 : 1;
	return 0;
}

bool hv_begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return false;
	return true;
}

/* Decimal digits up to what is none. */
uint64_t hv_number(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static void put_com1(char c)
{
	unsigned patience = 1000000;

	while (!(in8(COM1_LSR) & LSR_EMPTY) && --patience)
		relax();
	out8(COM1, (uint8_t)c);
}

static void put(char c)
{
	static uint8_t port; /* 0: not known yet */

	if (!port)
		port = in8(DEBUG_PORT) == DEBUG_PORT ? DEBUG_PORT : 1;
	if (port == DEBUG_PORT)
		out8(DEBUG_PORT, (uint8_t)c);
	else
		put_com1(c);
}

static struct hv_lock print_lock;

void hv_write(const char *text, size_t length)
{
	hv_lock_take(&print_lock);
	while (length--)
		put(*text++);
	hv_lock_release(&print_lock);
}

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
	bool wide = false;

	if (hv_begins(format, ".*")) {
		most = va_arg(*args, int);
		format += 2;
	}
	if (*format == 'l') {
		wide = true;
		format++;
	}
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
	while (*format) {
		if (*format == '%')
			format = add_item(&line, format + 1, &args);
		else
			add(&line, *format++);
	}
	va_end(args);
	hv_write(line.text, line.length);
}
