/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Places where firmware or a boot loader may have left a ROM: the UEFI configuration table, expansion ROMs of PCI
 * devices, an address on the kernel's command line.
 *
 * To read an expansion ROM its decoder is switched on by a word in sysfs, and off again. It may be one with the decoder
 * of the device's registers (PCI 3.0, 6.2.5.2), so a device that a driver uses is left alone unless somebody asks for
 * it. Such a ROM has no address here: it gets one in a part of the address space where no memory is.
 */
#include "probe_linux.h"

#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACES 32u
#define DEVICE_BASE (UINT64_C(1) << 62)
#define DEVICE_STEP (UINT64_C(1) << 32)
#define TABLE_ENTRIES 128u /* sysfs does not say how many there are */

struct place {
	uint64_t gpa, size; /* size 0: not known */
	int fd;		    /* of an expansion ROM; else -1 */
	const char *words;
};

static struct place place[PLACES];
static unsigned int places;

static void add(uint64_t gpa, uint64_t size, int fd, const char *words)
{
	place[places++] = (struct place){ gpa, size, fd, words };
}

/* ---- expansion ROMs ------------------------------------------------------------------------------------ */

static bool is_used(const char *rom)
{
	char path[300];

	snprintf(path, sizeof(path), "%.*s/driver", (int)(strlen(rom) - strlen("/rom")), rom);
	return access(path, F_OK) == 0;
}

static void add_device(const char *rom)
{
	int fd = open(rom, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, "1\n", 2, 0) != 2) {
		close(fd);
		return;
	}
	add(DEVICE_BASE + places * DEVICE_STEP, 0, fd, "PCI expansion ROM");
}

static void add_devices(struct pvrom_probe_evidence *evidence, bool used_too)
{
	unsigned int left_out = 0;
	char text[64];
	glob_t roms;

	if (glob("/sys/bus/pci/devices/*/rom", 0, NULL, &roms) != 0)
		return;
	for (size_t i = 0; i < roms.gl_pathc && places < PLACES; i++)
		if (used_too || !is_used(roms.gl_pathv[i]))
			add_device(roms.gl_pathv[i]);
		else
			left_out++;
	globfree(&roms);
	snprintf(text, sizeof(text), "not read of %u PCI devices, whose drivers use them",
		 left_out);
	if (left_out)
		pvrom_probe_add_fact(evidence, "rom.expansion", text);
}

/* ---- UEFI ----------------------------------------------------------------------------------------------- */

static bool first_number(const char *path, int base, uint64_t *value)
{
	FILE *file = fopen(path, "re");
	char line[64] = "", *end;

	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	*value = strtoull(line, &end, base);
	return end != line;
}

/* Entries of a GUID and an address (UEFI 2.10, 4.6). Ours is unmistakable, so what comes behind the last does not matter. */
static void add_table(void)
{
	static const uint8_t guid[16] = PVROM_UEFI_GUID_BYTES;
	struct {
		uint8_t guid[16];
		uint64_t gpa;
	} entry;
	uint64_t table;

	if (!first_number("/sys/firmware/efi/config_table", 0, &table))
		return;
	for (uint64_t i = 0; i < TABLE_ENTRIES && places < PLACES; i++) {
		if (memory_copy(table + i * sizeof(entry), &entry, sizeof(entry)) != sizeof(entry))
			return;
		if (memcmp(entry.guid, guid, sizeof(guid)) == 0)
			add(entry.gpa, 0, -1, "UEFI configuration table");
	}
}

/* ---- the boot loader ------------------------------------------------------------------------------------ */

/* The module's parameter, by whatever way it was given; else as it would be on the kernel's command line. */
uint64_t places_loader(void)
{
	static const char name[] = "pvrom.rom=";
	char line[4096] = "";
	const char *at;
	uint64_t gpa = 0;
	FILE *file;

	if (first_number("/sys/module/pvrom/parameters/rom", 10, &gpa))
		return gpa;
	file = fopen("/proc/cmdline", "re");
	if (file == NULL)
		return 0;
	at = fgets(line, sizeof(line), file) != NULL ? strstr(line, name) : NULL;
	fclose(file);
	return at != NULL ? strtoull(at + strlen(name), NULL, 0) : 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

void places_start(struct pvrom_probe_evidence *evidence, bool devices)
{
	places = 0;
	add_table();
	add_devices(evidence, devices);
}

void places_stop(void)
{
	for (unsigned int i = 0; i < places; i++)
		if (place[i].fd >= 0) {
			if (pwrite(place[i].fd, "0\n", 2, 0) != 2)
				perror("pvrom-probe: an expansion ROM stays switched on");
			close(place[i].fd);
		}
	places = 0;
}

bool places_get(unsigned int n, uint64_t *gpa, uint64_t *size)
{
	if (n >= places)
		return false;
	*gpa = place[n].gpa;
	*size = place[n].size;
	return true;
}

bool places_own(uint64_t gpa)
{
	return gpa >= DEVICE_BASE;
}

size_t places_copy(uint64_t gpa, void *to, size_t size)
{
	ssize_t got = 0;

	for (unsigned int i = 0; i < places; i++)
		if (place[i].fd >= 0 && gpa - place[i].gpa < DEVICE_STEP)
			got = pread(place[i].fd, to, size, (off_t)(gpa - place[i].gpa));
	return got > 0 ? (size_t)got : 0;
}

const char *places_words(uint64_t gpa)
{
	for (unsigned int i = 0; i < places; i++)
		if (place[i].fd >= 0 ? gpa - place[i].gpa < DEVICE_STEP : gpa == place[i].gpa)
			return place[i].words;
	return NULL;
}
