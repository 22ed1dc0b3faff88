/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Who made this machine: the SMBIOS structure of type 1 (SMBIOS 3.6, 7.2). The tables are data of others: every
 * byte is looked at only inside what their entry point names, and that only if it is mapped.
 */
#include "probe_efi.h"

#define TABLE_MOST 0x40000u
#define STRUCTURES_MOST 4096u

struct dmi {
	const uint8_t *at;
	uint64_t left;
};

/* The 64-bit entry point (5.2.2) or the 32-bit one (5.2.1): the address and length of the structures. */
static bool find_structures(const struct efi_face *face, struct dmi *dmi)
{
	const EFI_GUID new_guid = SMBIOS3_TABLE_GUID, old_guid = SMBIOS_TABLE_GUID;
	const uint8_t *entry = efi_table(face, &new_guid);
	uint32_t size, address;
	uint64_t where;

	if (entry && efi_is_mapped((uint64_t)(uintptr_t)entry, 0x18)) {
		__builtin_memcpy(&size, entry + 0xc, sizeof(size));
		__builtin_memcpy(&where, entry + 0x10, sizeof(where));
	} else {
		entry = efi_table(face, &old_guid);
		if (!entry || !efi_is_mapped((uint64_t)(uintptr_t)entry, 0x1f))
			return false;
		size = (uint32_t)(entry[0x16] | entry[0x17] << 8);
		__builtin_memcpy(&address, entry + 0x18, sizeof(address));
		where = address;
	}
	dmi->at = (const uint8_t *)(uintptr_t)where;
	dmi->left = size < TABLE_MOST ? size : TABLE_MOST;
	return where && where < UINT64_MAX - TABLE_MOST && efi_is_mapped(where, dmi->left);
}

/* Behind its formatted part a structure has strings, each with its end, and one more zero. */
static void step(struct dmi *dmi, uint64_t by)
{
	dmi->at += by;
	dmi->left -= by;
}

static void skip_strings(struct dmi *dmi)
{
	while (dmi->left >= 2 && (dmi->at[0] || dmi->at[1]))
		step(dmi, 1);
	step(dmi, dmi->left < 2 ? dmi->left : 2);
}

/* The string of that number, 1 is the first; "" if there is none. */
static void take_string(struct dmi dmi, uint8_t number, char *to, size_t room)
{
	size_t length = 0;

	while (number > 1 && dmi.left && dmi.at[0]) {
		while (dmi.left && dmi.at[0])
			step(&dmi, 1);
		step(&dmi, dmi.left ? 1 : 0);
		number--;
	}
	for (; number == 1 && dmi.left && dmi.at[0] && length < room - 1; step(&dmi, 1))
		to[length++] = (char)dmi.at[0];
	to[length] = '\0';
}

static void take_system(struct pvrom_probe_evidence *evidence, const struct dmi *strings,
			const uint8_t *structure)
{
	char text[PVROM_PROBE_VALUE];

	take_string(*strings, structure[4], text, sizeof(text));
	pvrom_probe_add_fact(evidence, "dmi.vendor", text);
	take_string(*strings, structure[5], text, sizeof(text));
	pvrom_probe_add_fact(evidence, "dmi.product", text);
}

void efi_gather_dmi(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	struct dmi dmi = { NULL, 0 };
	uint32_t n;

	if (!find_structures(face, &dmi))
		return;
	for (n = 0; n < STRUCTURES_MOST && dmi.left > 6; n++) {
		const uint8_t *structure = dmi.at;
		const uint8_t length = structure[1];

		if (length < 4 || length > dmi.left)
			return;
		step(&dmi, length);
		if (structure[0] == 1 && length > 5) {
			take_system(evidence, &dmi, structure);
			return;
		}
		skip_strings(&dmi);
	}
}
