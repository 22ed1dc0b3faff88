/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* How long a server looks on for work before it sleeps. */
#include <pvrom/io_patience.h>

void pvrom_patience_init(struct pvrom_patience *p, uint64_t most)
{
	*p = (struct pvrom_patience){ .most = most, .next = 1 };
}

void pvrom_patience_worked(struct pvrom_patience *p, uint64_t now)
{
	if (p->now == PVROM_PATIENCE_LOOKS) {
		p->paid++;
		p->next = 1;
	}
	p->now = PVROM_PATIENCE_WORKED;
	p->since = now;
}

static bool give_up(struct pvrom_patience *p)
{
	p->vain++;
	p->rest = p->next;
	if (p->next < PVROM_PATIENCE_REST)
		p->next *= 2;
	p->now = PVROM_PATIENCE_ASLEEP;
	return false;
}

/* After work it begins to look, unless that did not pay lately. */
static bool begins(struct pvrom_patience *p)
{
	if (p->most && !p->rest) {
		p->now = PVROM_PATIENCE_LOOKS;
		return true;
	}
	p->rest -= p->rest > 0;
	p->now = PVROM_PATIENCE_ASLEEP;
	return false;
}

bool pvrom_patience_looks(struct pvrom_patience *p, uint64_t now)
{
	if (p->now == PVROM_PATIENCE_WORKED && !begins(p))
		return false;
	if (p->now == PVROM_PATIENCE_ASLEEP)
		return false;
	return now - p->since < p->most || give_up(p);
}
