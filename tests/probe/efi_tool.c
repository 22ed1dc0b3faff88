/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * For the tests of pvrom-probe.efi, from the UEFI shell:
 *
 *	efi-tool.efi rom FILE		publishes what is in the file in the configuration table, as a loader does a ROM
 *	efi-tool.efi rom		takes the entry away
 *	efi-tool.efi count FILE [WORD...]	loads an application, starts it with these arguments, and says how many
 *				ticks of the TSC it ran: its load and its end are not in it. Under -icount shift=S
 *				an instruction is 2^S ns, and TCG's TSC ticks once a nanosecond.
 */
#include <efi.h>
#include <efilib.h>
#include <efishell.h>

#include <pvrom/abi.h>

#define FILE_MOST (4u << 20)

static EFI_BOOT_SERVICES *boot;
static EFI_LOADED_IMAGE *here;

static UINT8 *read_file(CHAR16 *name, UINTN *size)
{
	EFI_FILE_HANDLE root = LibOpenRoot(here->DeviceHandle), file;
	UINT8 *data;

	*size = FILE_MOST;
	if (!root || EFI_ERROR(root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)) ||
	    EFI_ERROR(boot->AllocatePool(EfiBootServicesData, FILE_MOST, (void **)&data)) ||
	    EFI_ERROR(file->Read(file, size, data)))
		return NULL;
	return data;
}

/* The memory is never given back: the entry stays. */
static EFI_STATUS publish(CHAR16 *name)
{
	static const UINT8 bytes[16] = PVROM_UEFI_GUID_BYTES;
	UINT8 *data = NULL;
	EFI_GUID guid;
	UINTN size;

	if (name) {
		data = read_file(name, &size);
		if (!data)
			return EFI_NOT_FOUND;
	}
	CopyMem(&guid, bytes, sizeof(guid));
	return boot->InstallConfigurationTable(&guid, data);
}

static UINT64 ticks(void)
{
	UINT32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (UINT64)high << 32 | low;
}

static EFI_STATUS count(EFI_HANDLE image, EFI_SHELL_PARAMETERS_PROTOCOL *shell)
{
	EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
	EFI_SHELL_PARAMETERS_PROTOCOL given = *shell;
	EFI_HANDLE child = NULL;
	EFI_STATUS status;
	UINT64 before;
	UINT8 *data;
	UINTN size;

	data = read_file(shell->Argv[2], &size);
	if (!data)
		return EFI_NOT_FOUND;
	status = boot->LoadImage(FALSE, image, NULL, data, size, &child);
	if (EFI_ERROR(status))
		return status;
	given.Argv += 2;
	given.Argc -= 2;
	boot->InstallProtocolInterface(&child, &guid, EFI_NATIVE_INTERFACE, &given);
	before = ticks();
	status = boot->StartImage(child, NULL, NULL);
	Print(L"ticks %ld status 0x%lx\n", ticks() - before, status & ~EFI_ERROR_MASK);
	return EFI_SUCCESS;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID, loaded = LOADED_IMAGE_PROTOCOL;
	EFI_SHELL_PARAMETERS_PROTOCOL *shell;

	InitializeLib(image, system);
	boot = system->BootServices;
	if (EFI_ERROR(boot->HandleProtocol(image, &guid, (void **)&shell)) ||
	    EFI_ERROR(boot->HandleProtocol(image, &loaded, (void **)&here)) || shell->Argc < 2)
		return EFI_INVALID_PARAMETER;
	if (shell->Argv[1][0] == 'r')
		return publish(shell->Argc > 2 ? shell->Argv[2] : NULL);
	return shell->Argc > 2 ? count(image, shell) : EFI_INVALID_PARAMETER;
}
