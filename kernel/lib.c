/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Memory, strings, formatting and locks for the reference kernel. */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
	return start;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + bytes)
		return memcpy(to, from, bytes);
	while (bytes--)
		t[bytes] = f[bytes];
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t lib_strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int lib_strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

bool lib_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

uint64_t lib_number(const char *s)
{
	unsigned base = 10;
	uint64_t n = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	for (; digit_of(*s) < base; s++)
		n = n * base + digit_of(*s);
	return n;
}

struct sink {
	char *to;
	size_t size, length;
};

static void sink_put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->to[sink->length++] = c;
}

struct directive {
	bool left, zero, is_long;
	size_t width;
	char kind;
};

static const char *directive_parse(struct directive *d, const char *f)
{
	*d = (struct directive){ 0 };
	for (;; f++) {
		if (*f == '-')
			d->left = true;
		else if (*f == '0' && !d->width)
			d->zero = true;
		else if (digit_of(*f) < 10)
			d->width = d->width * 10 + digit_of(*f);
		else if (*f == 'l' || *f == 'z')
			d->is_long = true;
		else
			break;
	}
	d->kind = *f;
	return *f ? f + 1 : f;
}

static void sink_text(struct sink *sink, const struct directive *d, const char *text, size_t n)
{
	size_t pad = n < d->width ? d->width - n : 0;

	for (; pad && !d->left; pad--)
		sink_put(sink, d->zero ? '0' : ' ');
	while (n--)
		sink_put(sink, *text++);
	for (; pad; pad--)
		sink_put(sink, ' ');
}

static void sink_number(struct sink *sink, const struct directive *d, uint64_t n, bool negative)
{
	char buffer[24], *end = buffer + sizeof(buffer), *p = end;
	unsigned base = d->kind == 'd' || d->kind == 'u' ? 10 : 16;

	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	if (negative)
		*--p = '-';
	if (d->kind == 'p') {
		*--p = 'x';
		*--p = '0';
	}
	sink_text(sink, d, p, (size_t)(end - p));
}

static void sink_signed(struct sink *sink, const struct directive *d, int64_t n)
{
	sink_number(sink, d, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, n < 0);
}

size_t lib_vformat(char *to, size_t size, const char *format, va_list args)
{
	struct sink sink = { to, size, 0 };
	struct directive d;
	const char *text;
	char c;

	while (*format) {
		if (*format != '%') {
			sink_put(&sink, *format++);
			continue;
		}
		format = directive_parse(&d, format + 1);
		switch (d.kind) {
		case 's':
			text = va_arg(args, const char *);
			sink_text(&sink, &d, text, lib_strlen(text));
			break;
		case 'c':
			c = (char)va_arg(args, int);
			sink_text(&sink, &d, &c, 1);
			break;
		case 'd':
			sink_signed(&sink, &d,
				    d.is_long ? va_arg(args, int64_t) : va_arg(args, int));
			break;
		case 'p': sink_number(&sink, &d, (uint64_t)va_arg(args, void *), false); break;
		case 'u':
		case 'x':
			sink_number(&sink, &d,
				    d.is_long ? va_arg(args, uint64_t) : va_arg(args, unsigned),
				    false);
			break;
		default: sink_put(&sink, d.kind);
		}
	}
	if (size)
		to[sink.length] = 0;
	return sink.length;
}

size_t lib_format(char *to, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;

	va_start(args, format);
	n = lib_vformat(to, size, format, args);
	va_end(args);
	return n;
}

void lock_take(struct lock *lock)
{
	/* Acquire: orders the section after the previous owner's lock_release(). */
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock->taken))
			cpu_relax();
}

void lock_release(struct lock *lock)
{
	/* Release: partner of the acquiring exchange in lock_take(). */
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}
