/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A packed virtqueue for spin: both halves of virtqueue/ with event index and wrap counters, a ring of 3, under
 * the orders of x86. Death and reset are in ring_split.pml, and what is said of store buffers there holds here.
 *
 * Buffers are single descriptors, published one by one or two at a time; the device completes in any order.
 * What is not looked at before flags that are written later (ids, and flags behind those of a batch's
 * first) is in memory at once. Names are those of driver_packed.c and device_packed.c.
 *
 * Claimed: the driver gets each buffer back exactly once, and neither side sleeps while the other waits for it
 * (timeout, at which all must be done). spin_check makes these runs:
 *
 * run: holds  packed ring
 * run: broken runs that end well are looked at                     -DSUCCESS_IS_WRONG
 * run: broken wrap counter not flipped: driver, available          -DNO_FLIP_AVAIL
 * run: broken wrap counter not flipped: driver, used               -DNO_FLIP_GET
 * run: broken wrap counter not flipped: device, available          -DNO_FLIP_POP
 * run: broken wrap counter not flipped: device, used               -DNO_FLIP_USED
 * run: broken event word without the wrap counter                  -DNO_EVENT_WRAP
 * run: broken missed kick: no barrier in the driver's publish      -DNO_DRIVER_BARRIER
 * run: broken missed kick: device sleeps without a second look     -DNO_SECOND_LOOK
 * run: broken missed interrupt: driver sleeps without a look       -DNO_DRIVER_LOOK
 * run: broken missed interrupt: no barrier in the device's publish -DNO_PUBLISH_BARRIER
 * run: broken used flags shown before the id                       -DFLAGS_FIRST
 */
#define SIZE 3
#ifndef TOTAL
#define TOTAL 5 /* buffers that go through: the ring wraps, and some more */
#endif
#define NONE 7

/* Flags of a descriptor: AVAIL and USED. */
#define AVAIL_BIT 2
#define USED_BIT 1
#define avail_flags(wrap) (wrap -> AVAIL_BIT : USED_BIT)
#define used_flags(wrap) (wrap -> (AVAIL_BIT | USED_BIT) : 0)

#define FLAGS 0	       /* of descriptors: 0 to 2 */
#define ID 3	       /* 3 to 5 */
#define DRIVER_EVENT 6 /* a position times two, and its wrap counter */
#define DEVICE_EVENT 7
byte at[8];

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

/* vq_packed_event_passed(): was the event's descriptor among the last count ones before now? */
#ifdef NO_EVENT_WRAP
#define event_at(word, wrap) ((word) / 2)
#else
#define event_at(word, wrap) ((word) / 2 - (((word) % 2 != wrap) -> SIZE : 0))
#endif
#define passed(word, now, wrap, count) \
	(((now) - event_at(word, wrap) - 1 + 256) % 256 < (count))

#define advance(position, wrap, flip) \
	position++; \
	if \
	:: position == SIZE -> position = 0; flip \
	:: else \
	fi

bool begun = false, over = false;
bool kicked = false, interrupted = false;
byte returned = 0;

/* ---- the driver ------------------------------------------------------------------------------------ */

#ifdef NO_FLIP_AVAIL
#define FLIP_AVAIL skip
#else
#define FLIP_AVAIL avail_wrap = !avail_wrap
#endif
#ifdef NO_FLIP_GET
#define FLIP_GET skip
#else
#define FLIP_GET used_wrap = !used_wrap
#endif

active proctype driver()
{
	byte avail = 0, shown = 0, used = 0, next = 0, id, added = 0, first = 0;
	bool avail_wrap = true, used_wrap = true;
	byte holds[SIZE], free = 7;

	begun;
	do
	:: next < TOTAL && free != 0 && added < 2 ->
		atomic {
			if
			:: free & 1 -> id = 0
			:: !(free & 1) && free & 2 -> id = 1
			:: !(free & 3) -> id = 2
			fi;
			free = free & ~(1 << id);
			holds[id] = next;
			next++;
			at[ID + avail] = id;
			if
			:: added == 0 -> first = avail_flags(avail_wrap)
			:: else -> at[FLAGS + avail] = avail_flags(avail_wrap)
			fi;
			added++;
			advance(avail, avail_wrap, FLIP_AVAIL);
			id = 0
		}
	:: added ->
		driver_buffer ! FLAGS + shown, first;
#ifndef NO_DRIVER_BARRIER
		empty(driver_buffer);
#endif
		atomic {
			if
			:: passed(at[DEVICE_EVENT], avail, avail_wrap, added) -> kicked = true
			:: else
			fi;
			shown = avail; added = 0; first = 0
		}
	:: free + 0 != 7 && at[FLAGS + used] == used_flags(used_wrap) ->
		atomic {
			id = at[ID + used];
			assert(!(free & (1 << id)));
			assert(!(returned & (1 << holds[id])));
			returned = returned | (1 << holds[id]);
			free = free | (1 << id);
			holds[id] = NONE;
			advance(used, used_wrap, FLIP_GET);
			id = 0
		}
	:: !added && (next == TOTAL || free == 0) && free != 7 &&
	   at[FLAGS + used] != used_flags(used_wrap) ->
		driver_buffer ! DRIVER_EVENT, 2 * used + used_wrap;
		empty(driver_buffer);
#ifndef NO_DRIVER_LOOK
		if
		:: at[FLAGS + used] == used_flags(used_wrap)
		:: at[FLAGS + used] != used_flags(used_wrap) ->
#endif
			atomic { interrupted -> interrupted = false }
#ifndef NO_DRIVER_LOOK
		fi
#endif
	:: next == TOTAL && free == 7 && !added -> break
	od;
	over = true;
	assert(returned == (1 << TOTAL) - 1)
}

/* ---- the device ------------------------------------------------------------------------------------ */

#ifdef NO_FLIP_POP
#define FLIP_POP skip
#else
#define FLIP_POP avail_wrap = !avail_wrap
#endif
#ifdef NO_FLIP_USED
#define FLIP_USED skip
#else
#define FLIP_USED used_wrap = !used_wrap
#endif

#define there() (at[FLAGS + avail] == avail_flags(avail_wrap) && !popped[0] + !popped[1] + !popped[2] > 0)

active proctype device()
{
	byte avail = 0, used = 0, shown = 0, id, count = 0, first = 0;
	bool avail_wrap = true, used_wrap = true, popped[SIZE], signalled = false;

	begun;
	do
	:: there() ->
		atomic {
			id = at[ID + avail];
			assert(!popped[id]);
			popped[id] = true;
			advance(avail, avail_wrap, FLIP_POP);
			id = 0
		}
	/* write_used(): the flags of the batch's first are held back */
	:: popped[0] || popped[1] || popped[2] ->
		atomic {
			if
			:: popped[0] -> id = 0
			:: popped[1] -> id = 1
			:: popped[2] -> id = 2
			fi;
			popped[id] = false
		}
#ifdef FLAGS_FIRST
		device_buffer ! FLAGS + used, used_flags(used_wrap);
#endif
		device_buffer ! ID + used, id;
		if
		:: count == 0 -> first = used_flags(used_wrap)
		:: else -> device_buffer ! FLAGS + used, used_flags(used_wrap)
		fi;
		atomic { count++; advance(used, used_wrap, FLIP_USED); id = 0 }
	:: count ->
		device_buffer ! FLAGS + shown, first;
#ifndef NO_PUBLISH_BARRIER
		empty(device_buffer);
#endif
		atomic {
			if
			:: !signalled || passed(at[DRIVER_EVENT], used, used_wrap, count) -> interrupted = true
			:: else
			fi;
			shown = used; signalled = true; count = 0; first = 0
		}
	:: !there() && !count && !popped[0] && !popped[1] && !popped[2] ->
		device_buffer ! DEVICE_EVENT, 2 * avail + avail_wrap;
		empty(device_buffer);
#ifndef NO_SECOND_LOOK
		if
		:: there()
		:: !there() ->
#endif
			if
			:: atomic { kicked -> kicked = false }
			:: over -> break
			fi
#ifndef NO_SECOND_LOOK
		fi
#endif
	od
}

/* Nothing can go on any more: then the driver has all. */
active proctype judge()
{
	timeout;
	assert(over);
#ifdef SUCCESS_IS_WRONG
	assert(!over);
#endif
}

init
{
	atomic {
		at[DRIVER_EVENT] = 1; /* position 0, wrap counter 1 */
		at[DEVICE_EVENT] = 1;
		begun = true
	}
}
