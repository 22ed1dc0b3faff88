/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A split virtqueue for spin: the driver half and the device half of virtqueue/ with event index, a record of
 * buffers in flight, death of the device at any step and its successor, and reset, under the orders of x86.
 *
 * Stores go through a store buffer of each CPU, first in first out (TSO); loads take a CPU's own latest store,
 * which the model needs nowhere, for no side reads back what it wrote. The buffer of a process that dies
 * drains. Through the buffers go only stores that the other side looks for: descriptors and available entries
 * are not read before the index that follows them (TSO), the record not before its writer is dead. The queue has 4 entries; indices are counted modulo 8 (65,536 in truth) and begin at 6, so that
 * both ring and index wrap. Buffers are published one by one or two at a time; the device completes in any
 * order and publishes when it likes. Names are those of driver_split.c, device_split.c, vq_inflight.c and
 * vq_resume.c.
 *
 * Claimed: (1) the driver gets each buffer back exactly once, or has it back by reset; (2) no buffer that
 * came back is served again; (3) neither side sleeps while the other waits for it (timeout, at which all must
 * be done). spin_check makes these runs:
 *
 * run: holds  ring
 * run: holds  ring, device dies and another takes over       -DDEATH
 * run: holds  ring, driver resets the device                 -DRESET
 * run: broken runs that end well are looked at               -DSUCCESS_IS_WRONG
 * run: broken take-overs are looked at                       -DDEATH -DTAKE_OVER_IS_WRONG
 * run: broken missed kick: no barrier in the driver's publish     -DNO_DRIVER_BARRIER
 * run: broken missed kick: device sleeps without a second look    -DNO_SECOND_LOOK
 * run: broken missed kick: no barrier before the second look      -DNO_DEVICE_BARRIER
 * run: broken missed interrupt: driver sleeps without a look      -DNO_DRIVER_LOOK
 * run: broken missed interrupt: no barrier in the device's publish -DNO_PUBLISH_BARRIER
 * run: broken used index shown before the entry              -DINDEX_FIRST
 * run: broken completion repeated after the take-over        -DDEATH -DNO_BATCH_CHECK
 * run: broken lost after the take-over: marked too late      -DDEATH -DNO_MARK
 * run: broken no interrupt after the take-over               -DDEATH -DNO_RESUME_INTERRUPT
 * run: broken request of before the reset completed after it -DRESET -DNO_STALE_CHECK
 */
#define SIZE 4
#define MOD 8
#define FIRST 6
#ifndef TOTAL
#define TOTAL 3 /* buffers that go through */
#endif
#define NONE 7 /* no head, no buffer */

/* ---- memory that both see ------------------------------------------------------------------------- */

#define AVAIL_IDX 0
#define USED_IDX 1
#define AVAIL_EVENT 2
#define USED_EVENT 3
#define AVAIL 4		/* entries: 4 to 7 */
#define USED 8		/* 8 to 11 */
#define BUFFER 12	/* of a descriptor: which buffer it is, 12 to 15 */
#define IN_FLIGHT 16	/* the record: 16 to 19 */
#define LINK 20		/* 20 to 23 */
#define BATCH_HEAD 24
#define RECORD_USED 25
byte at[26];

/* The store buffers: place and value. */
chan driver_buffer = [3] of { byte, byte };
chan device_buffer = [3] of { byte, byte };

active proctype drain()
{
	byte where, what;
end:	do
	:: atomic { driver_buffer ? where, what -> at[where] = what; where = 0; what = 0 }
	:: atomic { device_buffer ? where, what -> at[where] = what; where = 0; what = 0 }
	od
}

#define ahead(a, b) ((MOD + (a) - (b)) % MOD)
/* vq_event_passed() */
#define passed(event, now, old) (ahead(now, (event) + 1) < ahead(now, old))

bool kicked = false, interrupted = false; /* eventfds: they keep what was not yet taken */
bool reset_wanted = false, reset_done = false;
bool begun = false, over = false; /* the driver has all back */

/* What a device remembers of itself; gone when it dies. */
byte d_avail, d_used, d_shown, d_batch;
bool popped[SIZE]; /* in work */
byte link[SIZE];   /* of the batch */
bool stale[SIZE];  /* of before a reset: its backend is still at it */
bool d_signalled = false;
byte deaths = 0;

/* Ghosts: what became of a buffer. */
byte returned = 0; /* bit n: the driver got it back */
bool taken_over = false;

/* ---- the driver ------------------------------------------------------------------------------------ */

byte free = 15; /* bit n: descriptor n is free */
byte holds[SIZE]; /* which buffer is in flight under that head */

active proctype driver()
{
	byte avail = FIRST, shown = FIRST, used = FIRST, next = 0, head, id, old, n;
	bool did_reset = false;

	begun;
work:	do
	/* add, and sometimes one more before publish */
	:: next < TOTAL && free != 0 && ahead(avail, shown) < 2 ->
		atomic {
			if
			:: free & 1 -> head = 0
			:: !(free & 1) && free & 2 -> head = 1
			:: !(free & 3) && free & 4 -> head = 2
			:: !(free & 7) -> head = 3
			fi;
			free = free & ~(1 << head);
			holds[head] = next;
			at[BUFFER + head] = next;
			at[AVAIL + avail % SIZE] = head;
			next++;
			avail = (avail + 1) % MOD;
			head = 0
		}
	:: avail != shown ->
		/* publish: entries and descriptors before the index */
		driver_buffer ! AVAIL_IDX, avail;
#ifndef NO_DRIVER_BARRIER
		empty(driver_buffer);
#endif
		atomic {
			old = shown; shown = avail;
			if
			:: passed(at[AVAIL_EVENT], shown, old) -> kicked = true
			:: else
			fi;
			old = 0
		}
	/* get */
	:: at[USED_IDX] != used ->
		atomic {
			id = at[USED + used % SIZE];
			/* USED_ID_FLIGHT, and with an honest device never */
			assert(!(free & (1 << id)) && holds[id] < TOTAL);
			assert(!(returned & (1 << holds[id])));
			returned = returned | (1 << holds[id]);
			free = free | (1 << id);
			holds[id] = NONE;
			used = (used + 1) % MOD;
			id = 0; head = 0
		}
	/* nothing more to do but to wait: interrupts_on, look again, sleep */
	:: at[USED_IDX] == used && avail == shown && (next == TOTAL || free == 0) && free != 15 ->
		driver_buffer ! USED_EVENT, used;
		empty(driver_buffer);
#ifndef NO_DRIVER_LOOK
		if
		:: at[USED_IDX] != used
		:: at[USED_IDX] == used ->
#endif
#ifdef RESET
			if
			:: atomic { interrupted -> interrupted = false }
			:: !did_reset -> goto reset
			fi
#else
			atomic { interrupted -> interrupted = false }
#endif
#ifndef NO_DRIVER_LOOK
		fi
#endif
	:: next == TOTAL && free == 15 && avail == shown -> break
#ifdef RESET
	:: !did_reset && avail == shown && free != 15 -> goto reset
#endif
	od;
	over = true;
	assert(returned == (1 << TOTAL) - 1);
	goto end;

#ifdef RESET
	/* Reset; then what is in flight is given back by detach(), and sent again as it is. */
reset:	did_reset = true;
	empty(driver_buffer);
	reset_wanted = true;
	reset_done;
	atomic {
		reset_done = false;
		at[AVAIL_IDX] = 0; at[USED_IDX] = 0; at[AVAIL_EVENT] = 0; at[USED_EVENT] = 0;
		avail = 0; shown = 0; used = 0; interrupted = false; kicked = false;
		n = 0;
		do
		:: n < SIZE ->
			if
			:: holds[n] < TOTAL && !(free & (1 << n)) ->
				at[AVAIL + avail] = n;
				avail++
			:: else
			fi;
			n++
		:: else -> break
		od;
		n = 0
	}
	goto work;
#endif
end:	skip
}

/* ---- the device ------------------------------------------------------------------------------------ */

#ifdef DEATH
#define may_die() if :: deaths == 0 -> goto dead :: skip fi
#else
#define may_die() skip
#endif
#define put(where, what) device_buffer ! where, what; may_die()
#define record(where, what) at[where] = what; may_die()

/* Serving a buffer is what must not be done again once the driver has it back. */
#define serve(head) assert(!(returned & (1 << at[BUFFER + head])) || stale[head])

active proctype device()
{
	byte head, n, old, last = 0; /* last: record_head */

	begun;

work:	do
	:: reset_wanted ->
		/* Requests in work are stale from now on. */
		empty(device_buffer);
		atomic {
			n = 0;
			do
			:: n < SIZE ->
				stale[n] = stale[n] || popped[n];
				popped[n] = false;
				at[IN_FLIGHT + n] = 0;
				n++
			:: else -> break
			od;
			n = 0;
			d_avail = 0; d_used = 0; d_shown = 0; d_batch = NONE; d_signalled = false;
			at[RECORD_USED] = 0; at[BATCH_HEAD] = 0; last = 0;
			reset_wanted = false; reset_done = true
		}
		(!reset_done)
	/* pop */
	:: !reset_wanted && at[AVAIL_IDX] != d_avail ->
		head = at[AVAIL + d_avail % SIZE];
#ifndef NO_MARK
		record(IN_FLIGHT + head, 1);
#endif
		atomic { d_avail = (d_avail + 1) % MOD; popped[head] = true; serve(head); head = 0 }
	/* complete: any of those in work */
	:: !reset_wanted && (popped[0] || popped[1] || popped[2] || popped[3]) ->
		atomic { if
		:: popped[0] -> head = 0
		:: popped[1] -> head = 1
		:: popped[2] -> head = 2
		:: popped[3] -> head = 3
		fi }
complete:
#ifdef INDEX_FIRST
		put(USED_IDX, (d_used + 1) % MOD);
#endif
		put(USED + d_used % SIZE, head);
		record(LINK + head, last);
		record(BATCH_HEAD, head);
		last = head;
		atomic {
			popped[head] = false;
			link[head] = d_batch;
			d_batch = head;
			d_used = (d_used + 1) % MOD;
			head = 0
		}
	/* a backend ends what was begun before the reset: is_stale() */
#ifdef RESET
	:: !reset_wanted && stale[0] -> stale[0] = false;
#ifdef NO_STALE_CHECK
		head = 0; goto complete
#endif
	:: !reset_wanted && stale[1] -> stale[1] = false;
#ifdef NO_STALE_CHECK
		head = 1; goto complete
#endif
	:: !reset_wanted && stale[2] -> stale[2] = false;
	:: !reset_wanted && stale[3] -> stale[3] = false;
#endif
	/* publish */
	:: !reset_wanted && d_used != d_shown ->
		put(USED_IDX, d_used);
		/* the record, all of the batch */
		do
		:: d_batch < SIZE ->
			record(IN_FLIGHT + d_batch, 0);
			d_batch = link[d_batch]
		:: else -> break
		od;
		record(RECORD_USED, d_used);
#ifndef NO_PUBLISH_BARRIER
		empty(device_buffer);
#endif
		atomic {
			old = d_shown;
			d_shown = d_used;
			if
			:: !d_signalled || passed(at[USED_EVENT], d_shown, old) -> interrupted = true
			:: else
			fi;
			d_signalled = true; old = 0
		}
	/* nothing to do: notifications_on, look again, sleep */
	:: !reset_wanted && at[AVAIL_IDX] == d_avail && d_used == d_shown &&
	   !popped[0] && !popped[1] && !popped[2] && !popped[3] ->
		device_buffer ! AVAIL_EVENT, d_avail;
#ifndef NO_DEVICE_BARRIER
		empty(device_buffer);
#endif
#ifndef NO_SECOND_LOOK
		if
		:: at[AVAIL_IDX] != d_avail
		:: at[AVAIL_IDX] == d_avail ->
#endif
			if
			:: atomic { kicked -> kicked = false }
			:: reset_wanted
			:: over -> goto end
			fi
#ifndef NO_SECOND_LOOK
		fi
#endif
	od;

#ifdef DEATH
	/* What it had stored becomes visible; its successor knows the record and the ring alone. */
dead:	empty(device_buffer);
	atomic {
		deaths++;
		taken_over = true;
		d_used = at[USED_IDX];
		/* find_split(): a batch that was shown and not yet taken off the record */
#ifndef NO_BATCH_CHECK
		n = at[BATCH_HEAD];
		old = at[RECORD_USED];
		do
		:: old != d_used ->
			at[IN_FLIGHT + n] = 0;
			n = at[LINK + n];
			old = (old + 1) % MOD
		:: else -> break
		od;
#endif
		at[RECORD_USED] = d_used;
		/* list_split(): the others are begun again, and ahead of them the ring goes on */
		d_avail = d_used;
		n = 0;
		do
		:: n < SIZE ->
			popped[n] = at[IN_FLIGHT + n];
			if
			:: popped[n] -> serve(n); d_avail = (d_avail + 1) % MOD
			:: else
			fi;
			n++
		:: else -> break
		od;
		d_shown = d_used; d_batch = NONE; d_signalled = false;
		n = 0; old = 0; head = 0; last = at[BATCH_HEAD];
#ifndef NO_RESUME_INTERRUPT
		interrupted = true
#endif
	}
	goto work;
#endif
end:	skip
}

/* Nothing can go on any more: then the driver has all. */
active proctype judge()
{
	timeout;
	assert(over);
#ifdef SUCCESS_IS_WRONG
	assert(!over);
#endif
#ifdef TAKE_OVER_IS_WRONG
	assert(!taken_over);
#endif
}

init
{
	atomic {
		at[AVAIL_IDX] = FIRST; at[USED_IDX] = FIRST; at[AVAIL_EVENT] = FIRST; at[USED_EVENT] = FIRST;
		at[RECORD_USED] = FIRST;
		d_avail = FIRST; d_used = FIRST; d_shown = FIRST; d_batch = NONE;
		begun = true
	}
}
