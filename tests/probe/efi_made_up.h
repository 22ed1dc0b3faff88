/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A made-up UEFI firmware, as much of it as pvrom-probe.efi calls: in a test's process, or at the bottom of a machine of
 * its own (efi_guest.c). It has what it is told to have, and notes what it was asked to do. Freestanding.
 */
#ifndef TESTS_PROBE_EFI_MADE_UP_H
#define TESTS_PROBE_EFI_MADE_UP_H

#include <efi.h>
#include <efipciio.h>
#include <efiprot.h>
#include <efiser.h>
#include <efishell.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MADE_UP_ROMS 8u
#define MADE_UP_WORDS 16u
#define MADE_UP_TABLES 2u

struct made_up {
	/* What it has. Memory is given out from start to end, and used again only by made_up_start(). */
	uint8_t *memory;
	uint64_t memory_size;
	bool console, no_modes, keys, serial;
	bool serial_used;	/* by a driver, as a terminal's port is */
	bool from_shell;	/* with arguments */
	uint32_t columns, rows; /* of the console's mode */
	const char *key;	/* keys that are pressed; after the last nobody is there */
	int64_t serial_room;	/* bytes that the port takes before it times out, -1: all */
	const CHAR16 *words[MADE_UP_WORDS]; /* arguments, the name first */
	uint32_t word_count;
	struct {
		const void *image;
		uint64_t size;
	} rom[MADE_UP_ROMS]; /* of PCI devices */
	uint32_t roms;
	/* One file, of this room, under any name that does not begin with ?; 0: it came from nowhere that has files. */
	char *volume;
	uint32_t volume_room;
	EFI_CONFIGURATION_TABLE table[MADE_UP_TABLES];
	uint32_t tables;
	void (*console_out)(char c);
	void (*serial_out)(char c);
	/* What it was asked. */
	uint64_t memory_used;
	uint32_t allocated, freed;	      /* allocations, of pages and of others */
	uint32_t waits, timeouts;	      /* of the console's keys; of the port */
	uint32_t volume_used, opened, closed; /* the volume and files in it */
	EFI_TPL tpl;
	uint32_t out_of_turn; /* services that may not be called at the level of that time */
	/* Its insides. */
	EFI_SYSTEM_TABLE system;
	EFI_BOOT_SERVICES boot;
	SIMPLE_TEXT_OUTPUT_INTERFACE out;
	SIMPLE_TEXT_OUTPUT_MODE mode;
	SIMPLE_INPUT_INTERFACE in;
	SERIAL_IO_INTERFACE port;
	EFI_SHELL_PARAMETERS_PROTOCOL shell;
	EFI_LOADED_IMAGE loaded;
	EFI_FILE_IO_INTERFACE files;
	EFI_FILE root, file;
	EFI_PCI_IO_PROTOCOL pci[MADE_UP_ROMS];
};

/* The one that its services mean. */
extern struct made_up made_up;

/* As told by the first fields: the system table, and &made_up is the handle of the application. */
EFI_SYSTEM_TABLE *made_up_start(void);

#endif
