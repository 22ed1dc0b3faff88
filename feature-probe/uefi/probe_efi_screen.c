/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Lines on the firmware's console, which is a screen, a serial port or both, a page at a time; and on a serial port that
 * is no part of it. A machine may have no console at all, or one without a keyboard, or nobody in front of it: nothing
 * here waits for ever.
 */
#include "probe_efi.h"

#define LINE_ROOM 160u
#define WAIT_SECONDS 60u
#define PER_SECOND 10000000ull /* a timer counts in 100 ns */

/* ---- a serial port ----------------------------------------------------------------------------- */

/* A driver that uses the port (UEFI 2.10, 7.3.9: BY_DRIVER) makes it a part of the console, as a terminal, or else
 * something that lines of text would disturb. */
static bool is_used(const struct efi_face *face, EFI_HANDLE handle, EFI_GUID *guid)
{
	EFI_OPEN_PROTOCOL_INFORMATION_ENTRY *entry = NULL;
	UINTN count = 0, i;
	bool used = false;

	if (EFI_ERROR(face->boot->OpenProtocolInformation(handle, guid, &entry, &count)) || !entry)
		return false;
	for (i = 0; i < count; i++)
		used |= (entry[i].Attributes & EFI_OPEN_PROTOCOL_BY_DRIVER) != 0;
	face->boot->FreePool(entry);
	return used;
}

static void find_serial(struct efi_face *face)
{
	EFI_GUID guid = SERIAL_IO_PROTOCOL;
	EFI_HANDLE *handle = NULL;
	UINTN count = 0, i;

	if (EFI_ERROR(face->boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handle)) ||
	    !handle)
		return;
	for (i = 0; i < count && !face->serial; i++)
		if (!is_used(face, handle[i], &guid) &&
		    EFI_ERROR(face->boot->HandleProtocol(handle[i], &guid, (void **)&face->serial)))
			face->serial = NULL;
	face->boot->FreePool(handle);
}

/* All of it, or nothing more ever: a port whose wire nobody reads must not take its time for each line. */
static void write_serial(struct efi_face *face, const char *text, UINTN length)
{
	UINTN done = length;

	if (face->serial && length &&
	    (EFI_ERROR(face->serial->Write(face->serial, &done, (void *)(uintptr_t)text)) ||
	     done != length))
		face->serial = NULL;
}

/* ---- the console ------------------------------------------------------------------------------- */

void efi_screen_start(struct efi_face *face, bool pages)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = face->system->ConOut;

	face->columns = 80;
	face->rows = 25;
	face->pages = pages;
	find_serial(face);
	if (!out || !out->Mode || !out->QueryMode)
		return;
	if (EFI_ERROR(out->QueryMode(out, (UINTN)out->Mode->Mode, &face->columns, &face->rows)) ||
	    face->columns < 2 || face->rows < 4) {
		face->columns = 80;
		face->rows = 25;
	}
}

/* What cannot be shown is a question mark. */
static void widen(CHAR16 to[LINE_ROOM], const char *text, UINTN length)
{
	UINTN i;

	for (i = 0; i < length; i++)
		to[i] = (CHAR16)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	to[i] = 0;
}

/* One row. */
static void put(struct efi_face *face, const char *text, UINTN length, CHAR16 *end)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = face->system->ConOut;
	CHAR16 wide[LINE_ROOM];

	if (!out)
		return;
	widen(wide, text, length);
	out->OutputString(out, wide);
	out->OutputString(out, end);
	face->row++;
}

static UINTN length_of(const char *text)
{
	UINTN length = 0;

	while (text[length])
		length++;
	return length;
}

/* ---- keys -------------------------------------------------------------------------------------- */

/* True if there was a key before the time was over. */
static bool key_in_time(const struct efi_face *face)
{
	SIMPLE_INPUT_INTERFACE *in = face->system->ConIn;
	EFI_EVENT events[2];
	UINTN which = 1;

	events[0] = in->WaitForKey;
	if (EFI_ERROR(face->boot->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[1])))
		return false;
	if (!EFI_ERROR(face->boot->SetTimer(events[1], TimerRelative, WAIT_SECONDS * PER_SECOND)))
		face->boot->WaitForEvent(2, events, &which);
	face->boot->CloseEvent(events[1]);
	return which == 0;
}

bool efi_screen_wait(struct efi_face *face, const char *words)
{
	SIMPLE_INPUT_INTERFACE *in = face->system->ConIn;
	EFI_INPUT_KEY key = { 0, 0 };
	static const char blanks[] = "                                                            ";

	if (!in || !face->system->ConOut)
		return false;
	put(face, words, length_of(words), (CHAR16 *)(uintptr_t)L"");
	/* Nobody there: no more pages either. */
	face->pages = key_in_time(face);
	if (face->pages)
		in->ReadKeyStroke(in, &key);
	/* What is read on has no such line in it. */
	put(face, "", 0, (CHAR16 *)(uintptr_t)L"\r");
	put(face, blanks, length_of(words), (CHAR16 *)(uintptr_t)L"\r");
	face->row = 0;
	return (key.UnicodeChar | 0x20) == 'q';
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* A full row would wrap by itself. */
static UINTN most_of(const struct efi_face *face)
{
	return (face->columns < LINE_ROOM ? face->columns : LINE_ROOM) - 1;
}

/* How far the further rows of a line stand in: a little more than the first. */
static UINTN indent_of(const struct efi_face *face, const char *text)
{
	UINTN blanks = 0;

	while (text[blanks] == ' ')
		blanks++;
	return blanks + 2 < most_of(face) / 2 ? blanks + 2 : 0;
}

/* How much of it fits into so many columns, up to a blank if there is one behind a word. */
static UINTN row_of(const char *text, UINTN most)
{
	UINTN length = length_of(text), i;

	if (length <= most)
		return length;
	for (i = most; i && text[i] != ' '; i--)
		;
	while (i && text[i - 1] == ' ')
		i--;
	return i ? i : most;
}

static void put_row(struct efi_face *face, const char *text, UINTN length)
{
	if (face->pages && face->row >= face->rows - 2 &&
	    efi_screen_wait(face, "-- more: any key; q: no more --"))
		face->quiet = true;
	if (face->quiet)
		return;
	put(face, text, length, (CHAR16 *)(uintptr_t)L"\r\n");
	write_serial(face, text, length);
	write_serial(face, "\r\n", 2);
}

void efi_screen_line(void *ctx, const char *text)
{
	struct efi_face *face = ctx;
	const UINTN most = most_of(face), further = indent_of(face, text);
	UINTN indent = 0, length;
	char row[LINE_ROOM];

	do {
		length = row_of(text, most - indent);
		__builtin_memset(row, ' ', indent);
		__builtin_memcpy(row + indent, text, length);
		if (!face->quiet)
			put_row(face, row, indent + length);
		text += length;
		text += *text == ' ';
		indent = further;
	} while (*text);
}
