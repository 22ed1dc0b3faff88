/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What the module pvrom.ko has asked the host, where it is loaded: a program cannot ask. Everybody may read it. */
#include "probe_linux.h"

#include <string.h>

#define FOLDER "/sys/kernel/pvrom/"

static size_t take_file(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t size;

	if (file == NULL)
		return 0;
	size = fread(text, 1, room - 1, file);
	fclose(file);
	text[size] = '\0';
	return size;
}

void gather_module(struct pvrom_probe_evidence *evidence)
{
	char text[4096];
	size_t size = take_file(FOLDER "verdict", text, sizeof(text));

	if (size == 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	pvrom_probe_add_fact(evidence, "rom.kernel", text);
	size = take_file(FOLDER "evidence", text, sizeof(text));
	/* An older module has no such file, and whatever is no recording is left aside. */
	if (size != 0)
		pvrom_probe_read_more(evidence, text, size);
}
