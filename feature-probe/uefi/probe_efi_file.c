/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* A file on the partition that the application was loaded from. */
#include "probe_efi.h"

static EFI_STATUS open_root(struct efi_face *face)
{
	EFI_GUID loaded_guid = LOADED_IMAGE_PROTOCOL, volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_LOADED_IMAGE *loaded = NULL;
	EFI_FILE_IO_INTERFACE *volume = NULL;
	EFI_STATUS status;

	status = face->boot->HandleProtocol(face->image, &loaded_guid, (void **)&loaded);
	if (EFI_ERROR(status))
		return status;
	status = face->boot->HandleProtocol(loaded->DeviceHandle, &volume_guid, (void **)&volume);
	if (EFI_ERROR(status))
		return status;
	return volume->OpenVolume(volume, &face->root);
}

struct info {
	EFI_FILE_INFO file;
	CHAR16 name[256]; /* FileName ends the structure, and is as long as it is */
};

static bool is_directory(EFI_FILE_HANDLE file)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	struct info info;
	UINTN size = sizeof(info);

	return EFI_ERROR(file->GetInfo(file, &guid, &size, &info)) ||
	       info.file.Attribute & EFI_FILE_DIRECTORY;
}

/* There is no way to open a file and make it empty: an old one is deleted. */
static EFI_STATUS delete_old(struct efi_face *face, CHAR16 *name)
{
	EFI_FILE_HANDLE old = NULL;

	if (EFI_ERROR(face->root->Open(face->root, &old, name,
				       EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0)))
		return EFI_SUCCESS;
	if (is_directory(old)) {
		old->Close(old);
		return EFI_ACCESS_DENIED;
	}
	return old->Delete(old);
}

EFI_STATUS efi_file_start(struct efi_face *face, CHAR16 *name)
{
	const uint64_t mode = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;

	face->file_status = open_root(face);
	if (!EFI_ERROR(face->file_status))
		face->file_status = delete_old(face, name);
	if (!EFI_ERROR(face->file_status))
		face->file_status = face->root->Open(face->root, &face->file, name, mode, 0);
	return face->file_status;
}

static void write(struct efi_face *face, const char *text, UINTN size)
{
	const UINTN wanted = size;

	if (EFI_ERROR(face->file_status))
		return;
	face->file_status = face->file->Write(face->file, &size, (void *)(uintptr_t)text);
	if (!EFI_ERROR(face->file_status) && size != wanted)
		face->file_status = EFI_VOLUME_FULL;
}

void efi_file_line(void *ctx, const char *text)
{
	UINTN size = 0;

	while (text[size])
		size++;
	write(ctx, text, size);
	write(ctx, "\n", 1);
}

EFI_STATUS efi_file_end(struct efi_face *face)
{
	EFI_STATUS status = EFI_SUCCESS;

	if (face->file)
		status = face->file->Close(face->file);
	if (face->root)
		face->root->Close(face->root);
	face->file = face->root = NULL;
	return EFI_ERROR(face->file_status) ? face->file_status : status;
}
