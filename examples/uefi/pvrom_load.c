/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-load.efi: a boot loader's part in finding a ROM. It takes the ROM out of a PCI device's expansion ROM,
 * publishes it in the UEFI configuration table (discovery route 3), and, as "pvrom-load.efi KERNEL [WORD...]",
 * loads a kernel from its own partition and enters it by PVH with the ROM's address on the command line (route 4).
 * Whether the ROM is any good the kernel finds out; it is read here and not executed.
 */
#include <efi.h>
#include <efipciio.h>
#include <efilib.h>
#include <efishell.h>
#include <elf.h>
#include <stddef.h>

#include <pvrom/abi.h>

#define BELOW_4G 0xffffffffull
#define PAGES(size) (((size) + 4095) / 4096)
#define FILE_MOST (32u << 20)
#define MAP_ROOM (64u << 10)
#define RANGES 64	     /* as many as the reference kernel takes */
#define NOTE_PHYS32_ENTRY 18 /* of Xen's ELF notes */

/* xen/include/public/arch-x86/hvm/start_info.h; behind it what it points to. */
struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp, map;
	uint32_t ranges, reserved;
	struct range {
		uint64_t start, size;
		uint32_t type, reserved;
	} range[RANGES];
	char words[1024];
};

static EFI_BOOT_SERVICES *boot;
extern char load_jump[], load_jump_end[];

static void *pages_below_4g(EFI_MEMORY_TYPE type, UINTN size)
{
	EFI_PHYSICAL_ADDRESS at = BELOW_4G;

	return EFI_ERROR(boot->AllocatePages(AllocateMaxAddress, type, PAGES(size), &at))
		       ? NULL
		       : (void *)(uintptr_t)at;
}

/* The first device whose expansion ROM begins with ours, all of it; a longer list of images is left to kernels. */
static const uint8_t *find_rom(uint32_t *size)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
	const struct pvrom_rom_header *rom = NULL;
	EFI_PCI_IO_PROTOCOL *pci;
	EFI_HANDLE *handle = NULL;
	UINTN count = 0, i;

	if (EFI_ERROR(boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handle)))
		return NULL;
	for (i = 0; i < count && !rom; i++) {
		if (EFI_ERROR(boot->HandleProtocol(handle[i], &guid, (void **)&pci)))
			continue;
		rom = pci->RomImage;
		if (rom && (pci->RomSize < sizeof(*rom) || rom->rom_size > pci->RomSize ||
			    rom->option_signature != PVROM_ROM_OPTION_SIGNATURE ||
			    rom->signature != PVROM_ROM_SIGNATURE))
			rom = NULL;
	}
	boot->FreePool(handle);
	*size = rom ? rom->rom_size : 0;
	return (const uint8_t *)rom;
}

/* The copy outlives the firmware: no kernel takes reserved memory for its own. NULL: there is none. */
static uint8_t *publish(void)
{
	static const uint8_t bytes[16] = PVROM_UEFI_GUID_BYTES;
	uint32_t size;
	const uint8_t *rom = find_rom(&size);
	uint8_t *copy = rom ? pages_below_4g(EfiReservedMemoryType, size) : NULL;
	EFI_GUID guid;

	if (!copy)
		return NULL;
	__builtin_memcpy(copy, rom, size);
	__builtin_memcpy(&guid, bytes, sizeof(guid));
	return EFI_ERROR(boot->InstallConfigurationTable(&guid, copy)) ? NULL : copy;
}

static EFI_STATUS read_file(EFI_HANDLE image, CHAR16 *name, uint8_t **data, UINTN *size)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_HANDLE root, file;
	EFI_STATUS status = boot->HandleProtocol(image, &guid, (void **)&loaded);

	root = EFI_ERROR(status) ? NULL : LibOpenRoot(loaded->DeviceHandle);
	if (!root)
		return EFI_NOT_FOUND;
	*size = FILE_MOST;
	status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0);
	if (!EFI_ERROR(status))
		status = boot->AllocatePool(EfiLoaderData, *size, (void **)data);
	return EFI_ERROR(status) ? status : file->Read(file, size, *data);
}

/* The entry by PVH, 0 if the notes name none: lengths 4 and 4, the type, "Xen", and there it is. */
static uint32_t entry_in(const uint8_t *note, uint64_t size)
{
	static const uint32_t head[4] = { 4, 4, NOTE_PHYS32_ENTRY, 0x006e6558 };
	uint64_t at;

	for (at = 0; at + 20 <= size; at += 4)
		if (!__builtin_memcmp(note + at, head, sizeof(head)))
			return *(const uint32_t *)(const void *)(note + at + sizeof(head));
	return 0;
}

static EFI_STATUS load_segment(const uint8_t *data, const Elf64_Phdr *segment)
{
	EFI_PHYSICAL_ADDRESS at = segment->p_paddr & ~0xfffull;
	uint8_t *to = (uint8_t *)(uintptr_t)segment->p_paddr;

	if (segment->p_paddr > BELOW_4G || segment->p_memsz > BELOW_4G - segment->p_paddr ||
	    segment->p_filesz > segment->p_memsz ||
	    EFI_ERROR(boot->AllocatePages(AllocateAddress, EfiLoaderData,
					  PAGES(segment->p_paddr - at + segment->p_memsz), &at)))
		return EFI_OUT_OF_RESOURCES;
	__builtin_memcpy(to, data + segment->p_offset, segment->p_filesz);
	__builtin_memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
	return EFI_SUCCESS;
}

/* Loads it where it wants to be; *entry is where it is entered. */
static EFI_STATUS load(const uint8_t *data, UINTN size, uint32_t *entry)
{
	const Elf64_Ehdr *header = (const void *)data;
	const Elf64_Phdr *segment;
	uint32_t i;

	if (size < sizeof(*header) || __builtin_memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_machine != EM_X86_64 || header->e_phentsize != sizeof(*segment) ||
	    header->e_phoff > size || header->e_phnum * sizeof(*segment) > size - header->e_phoff)
		return EFI_UNSUPPORTED;
	segment = (const void *)(data + header->e_phoff);
	for (i = 0; i < header->e_phnum; i++, segment++) {
		if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset)
			return EFI_UNSUPPORTED;
		if (segment->p_type == PT_NOTE && !*entry)
			*entry = entry_in(data + segment->p_offset, segment->p_filesz);
		if (segment->p_type == PT_LOAD && EFI_ERROR(load_segment(data, segment)))
			return EFI_OUT_OF_RESOURCES;
	}
	return *entry ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static void fill_words(struct start_info *info, const uint8_t *rom,
		       const EFI_SHELL_PARAMETERS_PROTOCOL *shell)
{
	POOL_PRINT words = { 0 };
	UINTN i;

	if (rom)
		CatPrint(&words, L"pvrom=0x%lx", (UINT64)(uintptr_t)rom);
	for (i = 2; i < shell->Argc; i++)
		CatPrint(&words, L" %s", shell->Argv[i]);
	for (i = 0; i < sizeof(info->words) - 1 && words.str && words.str[i]; i++)
		info->words[i] = (char)words.str[i];
	info->command_line = (uintptr_t)info->words;
}

/* As E820 calls it: without boot services their memory is free. Neighbours of a kind are one range. */
static void add_range(struct start_info *info, const EFI_MEMORY_DESCRIPTOR *d)
{
	struct range *last = info->range + info->ranges;
	uint32_t type = 2;

	if ((d->Type >= EfiLoaderCode && d->Type <= EfiBootServicesData) ||
	    d->Type == EfiConventionalMemory)
		type = 1;
	if (info->ranges && last[-1].type == type &&
	    last[-1].start + last[-1].size == d->PhysicalStart) {
		last[-1].size += d->NumberOfPages * 4096;
	} else if (info->ranges < RANGES) {
		*last = (struct range){ d->PhysicalStart, d->NumberOfPages * 4096, type, 0 };
		info->ranges++;
	}
}

/* The map changes while it is asked for, until boot services have ended. */
static EFI_STATUS leave_firmware(EFI_HANDLE image, struct start_info *info, uint8_t *map)
{
	UINTN size = 0, step = 1, key, at, tries;
	UINT32 version;
	EFI_STATUS status = EFI_INVALID_PARAMETER;

	for (tries = 0; tries < 8 && EFI_ERROR(status); tries++) {
		size = MAP_ROOM;
		status = boot->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)(void *)map, &key,
					    &step, &version);
		if (!EFI_ERROR(status))
			status = boot->ExitBootServices(image, key);
	}
	for (at = 0; !EFI_ERROR(status) && at < size; at += step)
		add_range(info, (EFI_MEMORY_DESCRIPTOR *)(void *)(map + at));
	return status;
}

static EFI_STATUS enter(EFI_HANDLE image, uint32_t entry, const uint8_t *rom,
			const EFI_SHELL_PARAMETERS_PROTOCOL *shell)
{
	struct start_info *info = pages_below_4g(EfiLoaderData, sizeof(*info));
	uint8_t *map = pages_below_4g(EfiLoaderData, MAP_ROOM);
	void *jump = pages_below_4g(EfiLoaderCode, 4096), *rsdp = NULL;
	EFI_GUID guid = ACPI_20_TABLE_GUID;

	if (!info || !jump || !map)
		return EFI_OUT_OF_RESOURCES;
	__builtin_memcpy(jump, load_jump, (size_t)(load_jump_end - load_jump));
	LibGetSystemConfigurationTable(&guid, &rsdp);
	*info = (struct start_info){ .magic = 0x336ec578,
				     .version = 1,
				     .rsdp = (uintptr_t)rsdp,
				     .map = (uintptr_t)info->range };
	fill_words(info, rom, shell);
	if (EFI_ERROR(leave_firmware(image, info, map)))
		return EFI_DEVICE_ERROR;
	((void (*)(uint32_t, uint32_t))jump)(entry, (uint32_t)(uintptr_t)info);
	return EFI_SUCCESS;
}

/* Returns only if the kernel was not entered. */
static EFI_STATUS start(EFI_HANDLE image, const uint8_t *rom,
			const EFI_SHELL_PARAMETERS_PROTOCOL *shell)
{
	uint32_t entry = 0;
	uint8_t *data;
	UINTN size;
	EFI_STATUS status = read_file(image, shell->Argv[1], &data, &size);

	if (!EFI_ERROR(status))
		status = load(data, size, &entry);
	if (!EFI_ERROR(status))
		status = enter(image, entry, rom, shell);
	Print(L"pvrom-load: %s: %r\n", shell->Argv[1], status);
	return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
	EFI_SHELL_PARAMETERS_PROTOCOL *shell;
	uint8_t *rom;

	InitializeLib(image, system);
	boot = system->BootServices;
	if (EFI_ERROR(boot->HandleProtocol(image, &guid, (void **)&shell)))
		return EFI_UNSUPPORTED;
	rom = publish();
	Print(L"pvrom-load: %s\n",
	      rom ? L"a ROM is in the configuration table" : L"no device has a ROM");
	if (shell->Argc > 1)
		return start(image, rom, shell);
	return rom ? EFI_SUCCESS : EFI_NOT_FOUND;
}
