/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Test builds: the daemon kills itself at a given step, the way kill -9 would.
 */
#define _GNU_SOURCE
#include "blkd_steps.h"

#include <pvrom/vhost_user.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../vhost-user/vu_internal.h"
#include "../blk_host_internal.h"

#ifdef PVROM_TEST
static const struct {
	const char *name, *formats, *text;
} steps[] = {
#define RING(name, number, formats, text) { #name, formats, text },
	PVROM_VQ_STEP_TABLE(RING)
#undef RING
#define DAEMON(name, text) { #name, "SP", text },
		BLKD_STEP_TABLE(DAEMON)
#undef DAEMON
};

static char kill_name[32];
static unsigned long kill_count;

void blkd_step(const char *name)
{
	if (kill_count && !strcmp(name, kill_name) && !--kill_count)
		kill(getpid(), SIGKILL);
}

bool blkd_kill_at(const char *text)
{
	const char *colon = strchr(text, ':');
	const size_t len = colon ? (size_t)(colon - text) : strlen(text);
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strlen(steps[i].name) != len || strncmp(steps[i].name, text, len))
			continue;
		strcpy(kill_name, steps[i].name);
		kill_count = colon ? strtoul(colon + 1, NULL, 10) : 1;
		pvrom_vu_step = blkd_step;
		return kill_count > 0;
	}
	return false;
}

void blkd_print_steps(void)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		printf("%s\t%s\t%s\n", steps[i].name, steps[i].formats, steps[i].text);
}

static const char *const vu_slip[] = { "",
#define NAME(name, text) #name,
				       VU_SLIP_TABLE(NAME)
#undef NAME
};

bool blkd_slip(const char *name)
{
	unsigned int i;

	for (i = 1; i < VU_SLIP_COUNT; i++)
		if (!strcmp(vu_slip[i], name))
			pvrom_vu_slipped = (enum vu_slip)i;
	return pvrom_blk_slip(name) || pvrom_vu_slipped;
}
#endif
