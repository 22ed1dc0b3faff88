/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The firmware of efi_made_up.h. Handles are the addresses of what they stand for. */
#include "efi_made_up.h"

#define FW made_up

struct made_up made_up;

static bool is_guid(const EFI_GUID *a, EFI_GUID b)
{
	return !__builtin_memcmp(a, &b, sizeof(b));
}

/* Services that UEFI 2.10, 7.1, table 7.2 allows up to a level. */
static void turn(EFI_TPL most)
{
	if (FW.tpl > most)
		FW.out_of_turn++;
}

/* ---- memory and levels --------------------------------------------------------------------------- */

static EFI_TPL EFIAPI raise_tpl(EFI_TPL level)
{
	const EFI_TPL before = FW.tpl;

	if (level < before)
		FW.out_of_turn++;
	FW.tpl = level;
	return before;
}

static void EFIAPI restore_tpl(EFI_TPL level)
{
	if (level > FW.tpl)
		FW.out_of_turn++;
	FW.tpl = level;
}

static void *take(uint64_t size, uint64_t align)
{
	const uint64_t at = (FW.memory_used + align - 1) & ~(align - 1);

	turn(TPL_NOTIFY);
	if (at > FW.memory_size || size > FW.memory_size - at)
		return NULL;
	FW.memory_used = at + size;
	FW.allocated++;
	return FW.memory + at;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE memory, UINTN pages,
					EFI_PHYSICAL_ADDRESS *at)
{
	void *where = take(pages * 4096, 4096);

	(void)type;
	(void)memory;
	*at = (uint64_t)(uintptr_t)where;
	return where ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS at, UINTN pages)
{
	turn(TPL_NOTIFY);
	FW.freed++;
	/* Who uses it afterwards is noticed. */
	__builtin_memset((void *)(uintptr_t)at, 0x5a, pages * 4096);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *where)
{
	(void)where;
	turn(TPL_NOTIFY);
	FW.freed++;
	return EFI_SUCCESS;
}

/* ---- events: the timer, and the key -------------------------------------------------------------- */

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY notify,
				      void *ctx, EFI_EVENT *event)
{
	(void)type;
	(void)level;
	(void)notify;
	(void)ctx;
	*event = &FW.waits;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time)
{
	(void)event;
	(void)type;
	(void)time;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *event, UINTN *which)
{
	(void)event;
	FW.waits++;
	*which = FW.key && *FW.key ? 0 : count - 1;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
	(void)event;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *in, EFI_INPUT_KEY *key)
{
	(void)in;
	if (!FW.key || !*FW.key)
		return EFI_NOT_READY;
	key->UnicodeChar = (CHAR16)*FW.key++;
	return EFI_SUCCESS;
}

/* ---- console and port ---------------------------------------------------------------------------- */

static EFI_STATUS EFIAPI output(SIMPLE_TEXT_OUTPUT_INTERFACE *out, CHAR16 *text)
{
	(void)out;
	turn(TPL_NOTIFY);
	while (*text)
		FW.console_out((char)*text++);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI query_mode(SIMPLE_TEXT_OUTPUT_INTERFACE *out, UINTN mode, UINTN *columns,
				    UINTN *rows)
{
	(void)out;
	if (FW.no_modes || mode != 0)
		return EFI_DEVICE_ERROR;
	*columns = FW.columns;
	*rows = FW.rows;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI write_port(SERIAL_IO_INTERFACE *port, UINTN *size, void *buffer)
{
	const char *text = buffer;
	UINTN done;

	(void)port;
	for (done = 0; done < *size && FW.serial_room; done++) {
		FW.serial_out(text[done]);
		FW.serial_room -= FW.serial_room > 0;
	}
	if (done == *size)
		return EFI_SUCCESS;
	*size = done;
	FW.timeouts++;
	return EFI_TIMEOUT;
}

/* ---- a volume with one file ---------------------------------------------------------------------- */

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *files, EFI_FILE_HANDLE *root)
{
	(void)files;
	FW.opened++;
	*root = &FW.root;
	return EFI_SUCCESS;
}

/* The file is made anew. */
static EFI_STATUS EFIAPI open_file(EFI_FILE_HANDLE root, EFI_FILE_HANDLE *file, CHAR16 *name,
				   UINT64 mode, UINT64 attributes)
{
	(void)root;
	(void)attributes;
	if (!(mode & EFI_FILE_MODE_CREATE) || *name == '?')
		return EFI_NOT_FOUND;
	FW.volume_used = 0;
	FW.opened++;
	*file = &FW.file;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_file(EFI_FILE_HANDLE file)
{
	(void)file;
	FW.closed++;
	return EFI_SUCCESS;
}

/* As some firmware does: what does not fit is left out, and only the size says so. */
static EFI_STATUS EFIAPI write_file(EFI_FILE_HANDLE file, UINTN *size, void *from)
{
	(void)file;
	if (*size > FW.volume_room - FW.volume_used)
		*size = FW.volume_room - FW.volume_used;
	__builtin_memcpy(FW.volume + FW.volume_used, from, *size);
	FW.volume_used += (uint32_t)*size;
	return EFI_SUCCESS;
}

/* ---- protocols ----------------------------------------------------------------------------------- */

static void *protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	uint32_t i;

	if (handle == &FW && FW.from_shell &&
	    is_guid(guid, (EFI_GUID)EFI_SHELL_PARAMETERS_PROTOCOL_GUID))
		return &FW.shell;
	if (handle == &FW && FW.volume_room && is_guid(guid, (EFI_GUID)LOADED_IMAGE_PROTOCOL))
		return &FW.loaded;
	if (handle == &FW.files && is_guid(guid, (EFI_GUID)SIMPLE_FILE_SYSTEM_PROTOCOL))
		return &FW.files;
	if (handle == &FW.port && is_guid(guid, (EFI_GUID)SERIAL_IO_PROTOCOL))
		return &FW.port;
	for (i = 0; i < FW.roms; i++)
		if (handle == &FW.pci[i] && is_guid(guid, (EFI_GUID)EFI_PCI_IO_PROTOCOL_GUID))
			return &FW.pci[i];
	return NULL;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **interface)
{
	*interface = protocol(handle, guid);
	return *interface ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key,
					UINTN *count, EFI_HANDLE **buffer)
{
	EFI_HANDLE all[MADE_UP_ROMS + 1];
	uint32_t found = 0, i;

	(void)type;
	(void)key;
	for (i = 0; i < FW.roms; i++)
		if (protocol(&FW.pci[i], guid))
			all[found++] = &FW.pci[i];
	if (FW.serial && protocol(&FW.port, guid))
		all[found++] = &FW.port;
	*buffer = found ? take(sizeof(all), 16) : NULL;
	if (!*buffer)
		return EFI_NOT_FOUND;
	__builtin_memcpy(*buffer, all, sizeof(all));
	*count = found;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI open_information(EFI_HANDLE handle, EFI_GUID *guid,
					  EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **entry, UINTN *count)
{
	const uint32_t how =
		FW.serial_used ? EFI_OPEN_PROTOCOL_BY_DRIVER : EFI_OPEN_PROTOCOL_GET_PROTOCOL;

	if (!protocol(handle, guid))
		return EFI_NOT_FOUND;
	*entry = take(sizeof(**entry), 16);
	if (!*entry)
		return EFI_OUT_OF_RESOURCES;
	**entry = (EFI_OPEN_PROTOCOL_INFORMATION_ENTRY){ .Attributes = how, .OpenCount = 1 };
	*count = 1;
	return EFI_SUCCESS;
}

/* ---- all together -------------------------------------------------------------------------------- */

static void set_services(EFI_BOOT_SERVICES *boot)
{
	__builtin_memset(boot, 0, sizeof(*boot));
	boot->RaiseTPL = raise_tpl;
	boot->RestoreTPL = restore_tpl;
	boot->AllocatePages = allocate_pages;
	boot->FreePages = free_pages;
	boot->FreePool = free_pool;
	boot->CreateEvent = create_event;
	boot->SetTimer = set_timer;
	boot->WaitForEvent = wait_for_event;
	boot->CloseEvent = close_event;
	boot->HandleProtocol = handle_protocol;
	boot->LocateHandleBuffer = locate_handles;
	boot->OpenProtocolInformation = open_information;
}

static void set_devices(void)
{
	uint32_t i;

	FW.mode = (SIMPLE_TEXT_OUTPUT_MODE){ .MaxMode = 1 };
	FW.out.OutputString = output;
	FW.out.QueryMode = query_mode;
	FW.out.Mode = &FW.mode;
	FW.in.ReadKeyStroke = read_key;
	FW.in.WaitForKey = &FW.in;
	FW.port.Write = write_port;
	FW.loaded.DeviceHandle = &FW.files;
	FW.files.OpenVolume = open_volume;
	FW.root.Open = open_file;
	FW.root.Close = FW.file.Close = close_file;
	FW.file.Write = write_file;
	FW.shell.Argv = (CHAR16 **)(uintptr_t)FW.words;
	FW.shell.Argc = FW.word_count;
	for (i = 0; i < FW.roms; i++) {
		FW.pci[i].RomImage = (void *)(uintptr_t)FW.rom[i].image;
		FW.pci[i].RomSize = FW.rom[i].size;
	}
}

EFI_SYSTEM_TABLE *made_up_start(void)
{
	FW.memory_used = 0;
	FW.allocated = FW.freed = FW.waits = FW.timeouts = FW.out_of_turn = FW.opened = FW.closed =
		0;
	FW.tpl = TPL_APPLICATION;
	set_services(&FW.boot);
	set_devices();
	FW.system = (EFI_SYSTEM_TABLE){
		.FirmwareVendor = (CHAR16 *)(uintptr_t)L"Made up",
		.ConOut = FW.console ? &FW.out : NULL,
		.ConIn = FW.keys ? &FW.in : NULL,
		.BootServices = &FW.boot,
		.NumberOfTableEntries = FW.tables,
		.ConfigurationTable = FW.table,
	};
	return &FW.system;
}
