/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the files of the UEFI application share. Nothing here outlives efi_main(). */
#ifndef PVROM_PROBE_EFI_H
#define PVROM_PROBE_EFI_H

#include <efi.h>
#include <efiprot.h>
#include <efiser.h>

#include <pvrom/feature_probe.h>
#include <pvrom/guest.h>

#define EFI_PLACES 64u /* the shim looks at no more */

/* Where firmware left something that may be a ROM; size 0: not known. */
struct efi_place {
	uint64_t gpa, size;
	const char *what;
};

/* How a trial ended. */
enum efi_trial_end {
	EFI_TRIAL_NOT_DONE, /* there is nobody to negotiate with */
	EFI_TRIAL_FAILED,
	EFI_TRIAL_DONE,
	EFI_TRIAL_LESS,	   /* than was offered is granted */
	EFI_TRIAL_EMPTIED, /* RESET was refused, the empty set committed */
	EFI_TRIAL_KEPT,	   /* that too: the host may write to the page for ever */
};

/* --try, page-aligned. */
struct efi_trial {
	uint8_t page[4096];
	uint8_t *copy; /* room for the largest ROM that there can be */
	struct pvrom_negotiation nothing;
	uint32_t end;	  /* enum efi_trial_end */
	uint32_t verdict; /* PVROM_VERDICT_x of the shim */
	uint32_t status;  /* PVROM_STATUS_x that the host answered last */
};

struct efi_face {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	/* probe_efi_gather.c */
	struct efi_place place[EFI_PLACES];
	uint32_t places;
	struct pvrom_guest *guest;
	/* probe_efi_try.c; NULL without --try */
	struct efi_trial *trial;
	/* probe_efi_screen.c */
	SERIAL_IO_INTERFACE *serial; /* that nobody else uses, or NULL */
	UINTN columns, rows, row;
	bool pages; /* stop at the end of each */
	bool quiet;
	/* probe_efi_file.c */
	EFI_FILE_HANDLE root, file;
	EFI_STATUS file_status;
};

/* probe_efi_gather.c: everything, into evidence, whose rom has room for the largest there can be. */
void efi_gather(struct efi_face *face, struct pvrom_probe_evidence *evidence);
/* The table that firmware publishes under a GUID, NULL if there is none. */
void *efi_table(const struct efi_face *face, const EFI_GUID *guid);

/* probe_efi_pages.c: is all of it mapped? A lying address must not end in a page fault. */
bool efi_is_mapped(uint64_t address, uint64_t size);

/* probe_efi_try.c: the negotiation, after efi_gather(); into evidence and face->trial. Then what came of it. */
void efi_try(struct efi_face *face, struct pvrom_probe_evidence *evidence);
void efi_try_say(struct efi_face *face);

/* probe_efi_dmi.c: who made the machine, by its SMBIOS tables. */
void efi_gather_dmi(struct efi_face *face, struct pvrom_probe_evidence *evidence);

/* probe_efi_screen.c */
void efi_screen_start(struct efi_face *face, bool pages);
/* A line on the console, ctx is the face, and on the first serial port that is no part of the console. */
void efi_screen_line(void *ctx, const char *text);
/* Shows words and waits for a key, but not for ever; true if it was q. */
bool efi_screen_wait(struct efi_face *face, const char *words);

/* probe_efi_file.c: a file on the partition that the application came from, written anew. */
EFI_STATUS efi_file_start(struct efi_face *face, CHAR16 *name);
void efi_file_line(void *ctx, const char *text);
/* The first error of all. */
EFI_STATUS efi_file_end(struct efi_face *face);

#endif
