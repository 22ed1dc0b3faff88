/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A machine's whole software: the made-up firmware, and pvrom-probe.efi, the file itself, loaded and started by it. It is
 * entered as kernels are (PVH), so that any host that runs the reference kernel runs it, and --try finds a live one.
 * The command line: "console", "port", "both" or "none", which firmware there is, then the arguments.
 */
#include "efi_made_up.h"

#define COM1 0x3f8
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x20
#define STATUS_PORT 0xf4
#define IMAGE_AT 0x1000000u
#define IMAGE_ROOM 0x200000u
#define MEMORY_AT 0x1200000u
#define MEMORY_SIZE 0x1000000u
#define LETTERS 512u

/* The fields of a start info (xen/include/public/arch-x86/hvm/start_info.h) that count here. */
struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line;
};

/* Of a PE32+ file (Microsoft PE and COFF Specification, 2.3, 2.4 and 3): where things are. */
#define PE_OFFSET 0x3c
#define PE_SECTIONS 6
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL 24
#define PE_ENTRY (PE_OPTIONAL + 16)
struct section {
	char name[8];
	uint32_t size, address, raw_size, raw_offset;
	uint32_t rest[4];
};

extern const uint8_t application[];
void guest_main(const struct start_info *info);

/* ---- the port ------------------------------------------------------------------------------------ */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
	return value;
}

static void put(char c)
{
	uint32_t tries;

	for (tries = 0; tries < 100000 && !(in8(COM1 + LINE_STATUS) & TRANSMITTER_EMPTY); tries++)
		__builtin_ia32_pause();
	out8(COM1, (uint8_t)c);
}

static void say(const char *text)
{
	while (*text)
		put(*text++);
}

static void say_hex(uint64_t value)
{
	int32_t shift;

	for (shift = 60; shift > 0 && !(value >> shift); shift -= 4)
		;
	for (; shift >= 0; shift -= 4)
		put("0123456789ABCDEF"[value >> shift & 0xf]);
}

/* ---- what there is ------------------------------------------------------------------------------- */

/* The first word says it; the others are arguments, but for what machines tell their kernels of devices ("x=y"). */
static bool is_for_kernels(const char *word)
{
	while (*word && *word != ' ' && *word != '=')
		word++;
	return *word == '=';
}

static void take_word(const char *word, uint32_t n)
{
	static CHAR16 letters[LETTERS];
	static uint32_t used;

	if (n == 0) {
		made_up.console = *word == 'c' || *word == 'b';
		made_up.serial = *word == 'p' || *word == 'b';
		return;
	}
	if (made_up.word_count == MADE_UP_WORDS || is_for_kernels(word))
		return;
	made_up.words[made_up.word_count++] = letters + used;
	for (; *word && *word != ' ' && used < LETTERS - 1; word++)
		letters[used++] = (CHAR16)*word;
	used += used < LETTERS - 1;
}

static void take_words(const char *line)
{
	uint32_t n = 0;

	made_up.words[made_up.word_count++] = L"pvrom-probe.efi";
	while (*line) {
		if (*line != ' ')
			take_word(line, n++);
		while (*line && *line != ' ')
			line++;
		while (*line == ' ')
			line++;
	}
}

static void set_up(const struct start_info *info)
{
	made_up.memory = (uint8_t *)(uintptr_t)MEMORY_AT;
	made_up.memory_size = MEMORY_SIZE;
	made_up.from_shell = true;
	made_up.columns = 80;
	made_up.rows = 1000;
	made_up.serial_room = -1;
	made_up.console_out = put;
	made_up.serial_out = put;
	take_words((const char *)(uintptr_t)info->command_line);
}

/* ---- the application ----------------------------------------------------------------------------- */

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	__builtin_memcpy(&word, at, sizeof(word));
	return word;
}

/* It moves itself: to where its sections are is enough. NULL: it does not fit. */
static const uint8_t *load(void)
{
	const uint8_t *pe = application + word_at(application + PE_OFFSET);
	const struct section *section =
		(const void *)(pe + PE_OPTIONAL + (word_at(pe + PE_OPTIONAL_SIZE) & 0xffff));
	uint32_t count = word_at(pe + PE_SECTIONS) & 0xffff;
	uint8_t *image = (uint8_t *)(uintptr_t)IMAGE_AT;

	__builtin_memset(image, 0, IMAGE_ROOM);
	for (; count; count--, section++) {
		if (section->address > IMAGE_ROOM ||
		    section->raw_size > IMAGE_ROOM - section->address)
			return NULL;
		__builtin_memcpy(image + section->address, application + section->raw_offset,
				 section->raw_size < section->size ? section->raw_size
								   : section->size);
	}
	return image + word_at(pe + PE_ENTRY);
}

void guest_main(const struct start_info *info)
{
	EFI_STATUS(EFIAPI * start)(EFI_HANDLE image, EFI_SYSTEM_TABLE * system);
	const uint8_t *at = load();
	EFI_STATUS status = EFI_LOAD_ERROR;

	set_up(info);
	if (at) {
		__builtin_memcpy(&start, &at, sizeof(start));
		status = start(&made_up, made_up_start());
	}
	say("\r\nstatus 0x");
	say_hex(status & ~EFI_ERROR_MASK);
	say(made_up.out_of_turn || made_up.tpl != TPL_APPLICATION ? " out of turn\r\n" : "\r\n");
	out8(STATUS_PORT, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}
