/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Evidence in UEFI: CPUID; and a ROM, looked for by the shim itself, to which this file gives memory, the
 * configuration table, and the expansion ROM of each PCI device as the bus driver has read it (PciIo's RomImage,
 * UEFI 2.10, 14.4): nothing of them is executed.
 */
#include "probe_efi.h"

#include <efipciio.h>
#include <pvrom/kernel_api.h>

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(subleaf));
}

/* ---- places ------------------------------------------------------------------------------------ */

static bool is_same(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a, *y = b;

	while (size && *x == *y) {
		x++;
		y++;
		size--;
	}
	return !size;
}

void *efi_table(const struct efi_face *face, const EFI_GUID *guid)
{
	const EFI_SYSTEM_TABLE *system = face->system;
	UINTN i;

	for (i = 0; system->ConfigurationTable && i < system->NumberOfTableEntries; i++)
		if (is_same(&system->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)))
			return system->ConfigurationTable[i].VendorTable;
	return NULL;
}

static void add_place(struct efi_face *face, const void *where, uint64_t size, const char *what)
{
	if (where && face->places < EFI_PLACES)
		face->place[face->places++] =
			(struct efi_place){ (uint64_t)(uintptr_t)where, size, what };
}

static void add_table(struct efi_face *face)
{
	static const uint8_t bytes[16] = PVROM_UEFI_GUID_BYTES;
	EFI_GUID guid;

	__builtin_memcpy(&guid, bytes, sizeof(guid));
	add_place(face, efi_table(face, &guid), 0, "UEFI configuration table");
}

static void add_device(struct efi_face *face, EFI_HANDLE handle)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
	EFI_PCI_IO_PROTOCOL *pci = NULL;

	if (!EFI_ERROR(face->boot->HandleProtocol(handle, &guid, (void **)&pci)) && pci &&
	    pci->RomSize)
		add_place(face, pci->RomImage, pci->RomSize, "PCI expansion ROM");
}

static void add_devices(struct efi_face *face)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
	EFI_HANDLE *handle = NULL;
	UINTN count = 0, i;

	if (EFI_ERROR(face->boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handle)) ||
	    !handle)
		return;
	for (i = 0; i < count; i++)
		add_device(face, handle[i]);
	face->boot->FreePool(handle);
}

/* ---- what the shim needs of a kernel: pvrom_guest_find() uses these three ---------------------- */

const void *pvrom_os_map(void *os, uint64_t gpa, size_t size)
{
	(void)os;
	return gpa && efi_is_mapped(gpa, size) ? (const void *)(uintptr_t)gpa : NULL;
}

void pvrom_os_unmap(void *os, const void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
}

bool pvrom_os_firmware_rom(void *os, unsigned int n, uint64_t *gpa, uint64_t *size)
{
	const struct efi_face *face = os;

	if (n >= face->places)
		return false;
	*gpa = face->place[n].gpa;
	*size = face->place[n].size;
	return true;
}

/* ---- the ROM ----------------------------------------------------------------------------------- */

/* Where it was found, if firmware left it there. */
static const struct efi_place *place_of(const struct efi_face *face, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < face->places; i++) {
		const struct efi_place *place = &face->place[i];

		if (gpa - place->gpa < (place->size ? place->size : 1))
			return place;
	}
	return NULL;
}

/* As much as there is: a header may say more. */
static void take_image(const struct efi_face *face, struct pvrom_probe_evidence *evidence,
		       uint64_t gpa, uint64_t size, uint32_t route)
{
	const struct efi_place *place = place_of(face, gpa);
	const void *from;

	if (place && place->size && size > place->size - (gpa - place->gpa))
		size = place->size - (gpa - place->gpa);
	if (size > evidence->rom_room)
		size = evidence->rom_room;
	from = pvrom_os_map(NULL, gpa, size);
	if (!from)
		return;
	__builtin_memcpy(evidence->rom, from, size);
	evidence->rom_size = size;
	evidence->rom_route = route;
	if (place && route == PVROM_ROUTE_FIRMWARE)
		pvrom_probe_add_fact(evidence, "rom.place", place->what);
}

static void take_if_signed(const struct efi_face *face, struct pvrom_probe_evidence *evidence,
			   uint64_t gpa, uint64_t room, uint32_t route)
{
	const struct pvrom_rom_header *from = pvrom_os_map(NULL, gpa, sizeof(*from));
	struct pvrom_rom_header header;

	if (!from || (room && room < sizeof(header)) || evidence->rom_size)
		return;
	__builtin_memcpy(&header, from, sizeof(header));
	if (header.option_signature == PVROM_ROM_OPTION_SIGNATURE &&
	    header.signature == PVROM_ROM_SIGNATURE)
		take_image(face, evidence, gpa, sizeof(header), route);
}

/* A ROM of a major that the shim does not know: it has seen one, and kept nothing of it. The header will do. */
static void take_other_major(const struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	uint64_t at;
	uint32_t i;

	for (at = PVROM_WINDOW_FIRST; at < PVROM_WINDOW_END; at += PVROM_WINDOW_STEP)
		take_if_signed(face, evidence, at, PVROM_WINDOW_END - at, PVROM_ROUTE_WINDOW);
	for (i = 0; i < face->places; i++)
		take_if_signed(face, evidence, face->place[i].gpa, face->place[i].size,
			       PVROM_ROUTE_FIRMWARE);
}

/* The shim knows whether a host stands behind it, and whether there is another ROM, which the image does not tell. */
static void take_rom(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	static const struct pvrom_policy policy;

	add_table(face);
	add_devices(face);
	pvrom_guest_init(face->guest, &policy, face);
	pvrom_guest_find(face->guest);
	evidence->look = PVROM_PROBE_LOOKED;
	evidence->two_roms = face->guest->verdict == PVROM_VERDICT_TWO_ROMS;
	evidence->port_answers = face->guest->verdict == PVROM_VERDICT_READY;
	if (face->guest->rom_size)
		take_image(face, evidence, face->guest->rom_gpa, face->guest->rom_size,
			   face->guest->route);
	else if (face->guest->verdict == PVROM_VERDICT_WRONG_MAJOR)
		take_other_major(face, evidence);
}

/* ---- all together ------------------------------------------------------------------------------ */

/* The vendor's text is firmware's, and may be without end or be nothing. */
static void take_source(const struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	static const char before[] = "UEFI firmware of ";
	const CHAR16 *vendor = face->system->FirmwareVendor;
	char *to = evidence->source;
	uint32_t i;

	__builtin_memcpy(to, before, sizeof(before));
	to += sizeof(before) - 1;
	for (i = 0; vendor && vendor[i] && i < 40; i++)
		*to++ = (char)(vendor[i] >= ' ' && vendor[i] <= '~' ? vendor[i] : '?');
	*to = '\0';
}

void efi_gather(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	pvrom_probe_start(evidence);
	pvrom_probe_take_cpuid(evidence, cpuid);
	take_source(face, evidence);
	efi_gather_dmi(face, evidence);
	take_rom(face, evidence);
}
