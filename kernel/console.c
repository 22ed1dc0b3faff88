/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* COM1 without interrupts: what is printed has left the machine before the call returns. */
#include "console.h"

#include "cpu.h"

#define COM1 0x3f8
#define COM_DATA (COM1 + 0)
#define COM_IER (COM1 + 1)
#define COM_FCR (COM1 + 2)
#define COM_LCR (COM1 + 3)
#define COM_MCR (COM1 + 4)
#define COM_LSR (COM1 + 5)
#define LSR_THRE 0x20
#define FIFO_BYTES 16
#define DEBUG_EXIT 0xf4

static struct lock console_lock;
static unsigned fifo_room;

void console_init(void)
{
	cpu_out8(COM_IER, 0);
	cpu_out8(COM_LCR, 0x80);
	cpu_out8(COM_DATA, 1);
	cpu_out8(COM_IER, 0);
	cpu_out8(COM_LCR, 0x03);
	cpu_out8(COM_FCR, 0x07);
	cpu_out8(COM_MCR, 0x03);
}

/* An empty transmitter takes 16 bytes, so its state is read once for 16: each read is a VM exit. */
static void put_byte(char c)
{
	unsigned patience = 1000000;

	if (!fifo_room) {
		while (!(cpu_in8(COM_LSR) & LSR_THRE) && --patience)
			cpu_relax();
		fifo_room = FIFO_BYTES;
	}
	cpu_out8(COM_DATA, (uint8_t)c);
	fifo_room--;
}

void console_write(const char *text, size_t length)
{
	uint64_t flags = cpu_save_flags_cli();

	lock_take(&console_lock);
	for (; length; length--, text++) {
		if (*text == '\n')
			put_byte('\r');
		put_byte(*text);
	}
	lock_release(&console_lock);
	cpu_restore_flags(flags);
}

void kprintf(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	console_write(line, lib_vformat(line, sizeof(line), format, args));
	va_end(args);
}

void panic(const char *format, ...)
{
	char line[512];
	va_list args;

	/* The holder of the lock may be the code that failed: do not wait for it. */
	console_lock = (struct lock){ 0 };
	va_start(args, format);
	lib_vformat(line, sizeof(line), format, args);
	va_end(args);
	kprintf("Bail out! %s\n", line);
	machine_exit(EXIT_PANIC);
}

void machine_exit(uint8_t value)
{
	cpu_out8(DEBUG_EXIT, value);
	cpu_cli();
	for (;;)
		cpu_halt();
}
