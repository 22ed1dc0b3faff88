/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The sequence protocol of the clock page, for spin: a reader, a writer, its death in mid-update and a second
 * writer that takes the page over, under the orders that x86 allows.
 *
 * Stores go through the writer's store buffer, first in first out (TSO). RDTSC is no memory access and has
 * an order only where the code makes one: in the reader between the LFENCE and the second load of the
 * sequence, whose address depends on it; in the writer after MFENCE and LFENCE. A reader's loads of
 * fields come in any order, for a compiler may choose one. The TSC is one counter, equal on all CPUs.
 * One reader that reads twice stands for any number on any CPUs: readers store nothing, so those that
 * overlap do not notice each other, and of two that do not one comes after the other.
 *
 * Claimed: (1) no read mixes two updates; (2) no read is less than one that was finished before it began;
 * (3) a read ends after TRIES tries whatever the writer does (no state is an end but a proper one); (4) after
 * a take-over a read is wholly the new writer's or has the old one's marker.
 *
 * Functions are ns + (tsc - base) * rate, with rates that alternate between quick and slow, so that an order
 * lost anywhere shows as a step. tests/model/spin_check makes these runs:
 *
 * run: holds  clock page
 * run: holds  clock page, slow first               -DSLOW_FIRST
 * run: holds  vCPU area: no TSC, no barrier        -DAREA
 * run: broken no barrier in the writer             -DNO_MFENCE
 * run: broken TSC read before the odd sequence     -DTSC_FIRST
 * run: broken no LFENCE in the reader              -DNO_LFENCE
 * run: broken second load not ordered after RDTSC  -DNO_DEPENDENCY
 * run: broken generation bumped once, at the end   -DONCE_AT_THE_END
 * run: broken generation bumped once, at first     -DONCE_AT_FIRST
 * run: broken reader skips the re-check            -DNO_RECHECK
 * run: broken reader takes an odd sequence         -DTAKES_ODD
 * run: broken take-over with an even sequence      -DTAKE_OVER_EVEN
 * run: broken reads that succeed are looked at     -DSUCCESS_IS_WRONG
 * run: broken reads that give up are looked at     -DGIVING_UP_IS_WRONG
 */
#define READS 2
#define UPDATES 2
#define TRIES 2
#define TSC_END 3

/* The sequence, and two words for the many others: where any of these are mixed, two are. Each holds
 * the number of the update that it comes from. */
#define SEQ 0
#define ONE 1
#define OTHER 2
byte page[3];

byte tsc = 0;

/* What update n says: base, value there, rate; marker. */
byte base_of[5], value_of[5], marker_of[5];
#ifdef SLOW_FIRST
#define rate_of(n) (1 + (n) % 2)
#else
#define rate_of(n) (2 - (n) % 2)
#endif

/* ---- memory ---------------------------------------------------------------------------------- */

/* The store buffer of the CPU that writes: place and value. Deep enough for one update. */
chan buffer = [5] of { byte, byte };

active proctype drain()
{
	byte at, what;
end:	do
	:: atomic { buffer ? at, what -> page[at] = what; at = 0; what = 0 }
	od
}

#define store(at, what)	buffer ! at, what
#define mfence()	empty(buffer)

/* Time passes, up to the end of the model, and is read. */
inline rdtsc(into)
{
	atomic {
		do
		:: tsc < TSC_END -> tsc++
		:: break
		od;
		into = tsc
	}
}

/* ---- the writer ------------------------------------------------------------------------------ */

byte update = 0;	/* the last one that was begun */

/* At any point the writer may be killed. Its stores become visible all the same. */
#define may_die() if :: goto dead :: skip fi

/* The new function goes on from the value of the old one. */
inline compute(now)
{
	d_step {
		value_of[update + 1] = value_of[update] + (now - base_of[update]) * rate_of(update);
		base_of[update + 1] = now;
		update++;
		now = 0
	}
}

/* Putting stores into its own buffer is seen by nobody, so it is one step with what goes before. */
active proctype writer()
{
	byte seq, now;

	do
	:: update < UPDATES ->
		atomic {
#ifdef TSC_FIRST
			rdtsc(now);
#endif
#ifndef ONCE_AT_THE_END
			seq++;
			store(SEQ, seq);
			may_die();
#endif
			skip
		}
#if !defined(NO_MFENCE) && !defined(AREA)
		mfence();
#endif
		atomic {
#ifndef TSC_FIRST
			rdtsc(now);
#endif
			compute(now);
			store(ONE, update);
			may_die();
			store(OTHER, update);
			may_die();
#ifndef ONCE_AT_FIRST
			seq++;
#ifdef ONCE_AT_THE_END
			seq++;
#endif
			store(SEQ, seq);
#endif
			may_die()
		}
	:: else -> break
	od;
	goto done;
dead:	/* Another takes the page over; it knows nothing but the sequence that stands there. */
	atomic {
		mfence();
		seq = page[SEQ];
#ifndef TAKE_OVER_EVEN
		seq = seq | 1;
		store(SEQ, seq);
#endif
		now = 0
	}
	atomic {
		mfence();
		update++;
		base_of[update] = tsc;
		value_of[update] = 0;
		marker_of[update] = 1;
		store(ONE, update);
		store(OTHER, update);
		seq = (seq | 1) + 1;
		store(SEQ, seq)
	}
done:	skip
}

/* ---- the reader ------------------------------------------------------------------------------ */

#define GOT_ONE 1
#define GOT_OTHER 2
#ifdef AREA
#define GOT_TSC 0
#else
#define GOT_TSC 4
#endif
#define ALL (GOT_ONE | GOT_OTHER | GOT_TSC)

/* The value of the function that was read; and the claims. */
inline judge()
{
	atomic {
		assert(one == other);
#ifndef AREA
		if
		:: now > base_of[one] ->
			value = value_of[one] + (now - base_of[one]) * rate_of(one)
		:: else -> value = value_of[one]
		fi;
		/* Another marker than that of the read before: nothing holds any more, and it is told so. */
		assert(value >= last || marker_of[one] != last_marker);
		last = value;
		last_marker = marker_of[one];
		value = 0;
#endif
#ifdef SUCCESS_IS_WRONG
		assert(false)
#endif
	}
}

active proctype reader()
{
	byte seq, one, other, now, got, tries, reads, value;
	byte last = 0, last_marker = 0, early = 0;

#ifdef NO_LFENCE
	/* With no fence the TSC may be read before what comes before it in the program. */
	rdtsc(early);
#endif
	do
	:: reads < READS ->
again:		atomic { seq = page[SEQ]; got = 0 }
		do
		:: !(got & GOT_ONE) -> atomic { one = page[ONE]; got = got | GOT_ONE }
		:: !(got & GOT_OTHER) -> atomic { other = page[OTHER]; got = got | GOT_OTHER }
#ifndef AREA
		:: !(got & GOT_TSC) -> atomic { rdtsc(now); got = got | GOT_TSC }
#endif
#ifdef NO_LFENCE
		:: !(got & GOT_TSC) -> atomic { now = early; got = got | GOT_TSC }
#endif
#ifdef NO_DEPENDENCY
		:: (got | GOT_TSC) == ALL -> break
#else
		:: got == ALL -> break
#endif
		od;
#ifdef NO_RECHECK
		skip;
#else
		if
#ifdef TAKES_ODD
		:: page[SEQ] == seq -> skip
#else
		:: page[SEQ] == seq && seq % 2 == 0 -> skip
#endif
		:: else -> goto anew
		fi;
#endif
#ifdef NO_DEPENDENCY
		if
		:: got != ALL -> rdtsc(now)
		:: else
		fi;
#endif
		judge();
		goto finished;
anew:		atomic { one = 0; other = 0; now = 0; got = 0; tries++ }
		if
		:: tries < TRIES -> goto again
		:: else
		fi;
#ifdef GIVING_UP_IS_WRONG
		assert(false);
#endif
finished:	atomic { one = 0; other = 0; now = 0; got = 0; tries = 0; seq = 0; reads++ }
	:: else -> break
	od
}
