/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * How long a server looks on for work before it sleeps.
 *
 * To fall asleep and to be woken costs both sides more time than most requests do; a server that looks on for a few
 * microseconds instead, its notifications off, is there when the next ones come. Looking on costs a CPU all that
 * time, so it is done only as long as it pays: a look that ended without work makes the server go to sleep at once
 * the next time, the second in a row the next two times, and so on up to PVROM_PATIENCE_REST. One that ended with
 * work makes it look on every time again. What nobody uses costs nothing: nothing is looked for but after work.
 *
 * Whether to look on is told by what came of looking, and not by how long a sleep was: most of a short
 * sleep is the time that waking up takes.
 *
 * No clock of its own, no memory but this struct, one thread.
 */
#ifndef PVROM_IO_PATIENCE_H
#define PVROM_IO_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sleeps without a look at most, between two looks in vain: one try in so many, and one. */
#define PVROM_PATIENCE_REST 64u

struct pvrom_patience {
	uint64_t most;	/* ns that one look may take; 0: there are none */
	uint64_t since; /* when the last work was over */
	uint32_t rest;	/* so often it sleeps at once */
	uint32_t next;	/* what rest becomes when the next look is in vain */
	enum { PVROM_PATIENCE_ASLEEP, PVROM_PATIENCE_WORKED, PVROM_PATIENCE_LOOKS } now;
	uint64_t paid, vain; /* counters: looks that ended with work, and without */
};

void pvrom_patience_init(struct pvrom_patience *p, uint64_t most);
/* There was work, which is over at `now` (ns, of any clock that does not go back; unused if most is 0). */
void pvrom_patience_worked(struct pvrom_patience *p, uint64_t now);
/* There is no work at `now`: true, look again at once; false, go to sleep. */
bool pvrom_patience_looks(struct pvrom_patience *p, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif
