/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* What a random guest asks for: numbers of calls, and arguments of which most are nearly good. */
#include "host_random.h"

#include <pvrom/clock.h>
#include <pvrom/dev.h>

/* ---- numbers ----------------------------------------------------------------------------------- */

static uint64_t state;

void random_from(uint64_t seed)
{
	state = seed | 1ull << 63;
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016). */
uint64_t random64(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t below(uint32_t n)
{
	return (uint32_t)((random64() >> 32) % n);
}

bool once_in(uint32_t n)
{
	return below(n) == 0;
}

/* ---- drawing ----------------------------------------------------------------------------------- */

uint64_t wild(void)
{
	return random64() >> below(64);
}

/* Mostly a place where len bytes are memory; sometimes an edge, a hole or anything. */
static uint64_t place(uint64_t len, uint64_t align)
{
	static const uint64_t edges[] = { WORLD_LOW_END,  WORLD_MID,  WORLD_MID_END,  WORLD_BACK,
					  WORLD_BACK_END, WORLD_HIGH, WORLD_HIGH_END, 0 };
	uint64_t edge = edges[below(8)];

	switch (below(8)) {
	case 0: return edge - len + below(17) - 8;
	case 1: return (edge - len) & ~(align - 1);
	case 2: return once_in(2) ? WORLD_HOLE : wild();
	case 3: return (WORLD_BACK + below(0x7000)) & ~(align - 1);
	default: return below((uint32_t)(WORLD_LOW_END / 2 / align)) * align;
	}
}

/* Memory at a place drawn as above, for writing what a call shall find there; may be NULL. */
static void *writable(struct world *w, uint64_t gpa, uint64_t len)
{
	if (gpa % 8 || gpa % 0x1000 + len > 0x1000)
		return NULL;
	return world_at(w, gpa);
}

static void draw_negotiation(struct world *w, uint64_t arg[4])
{
	struct pvrom_negotiation *n;

	arg[0] = place(sizeof(*n), 8);
	arg[1] = once_in(16) ? wild() : below(2);
	n = writable(w, arg[0], sizeof(*n));
	if (!n || (arg[1] == PVROM_NEGOTIATE_COMMIT && once_in(2)))
		return;
	world_proposal(w, arg[0], random64() & (EVERYTHING | 0x3f), 0);
	n->required = n->wanted & (once_in(2) ? 0 : random64());
	n->granted = once_in(2) ? w->host.pending : once_in(2) ? 0 : wild();
	if (once_in(8))
		n->epoch += wild();
	if (once_in(8))
		((uint8_t *)n)[below(sizeof(*n))] ^= (uint8_t)(1 << below(8));
}

static void draw_batch(struct world *w, uint64_t arg[4])
{
	struct pvrom_batch_entry *e;
	uint32_t i;

	arg[1] = once_in(8) ? wild() : below(once_in(4) ? 100 : 5);
	arg[0] = place(arg[1] * sizeof(*e), 8);
	for (i = 0; i < arg[1] && i < 64; i++) {
		e = writable(w, arg[0] + i * sizeof(*e), sizeof(*e));
		if (!e)
			continue;
		e->call = calls[below(CALLS)].number;
		e->arg[0] = once_in(2) ? below(4)
				       : place(PVROM_VCPU_AREA_SIZE,
					       once_in(2) ? PVROM_VCPU_AREA_ALIGN : 8);
		e->arg[1] = once_in(8) ? PVROM_VCPU_AREA_SIZE : below(300);
		e->arg[2] = below(4);
	}
}

static void draw_state(struct world *w, uint64_t arg[4])
{
	struct pvrom_smp_state *s;

	arg[0] = once_in(8) ? wild() : below(VCPUS);
	arg[1] = place(sizeof(*s), 8);
	s = writable(w, arg[1], sizeof(*s));
	if (!s)
		return;
	*s = (struct pvrom_smp_state){
		.size = sizeof(*s), .cr0 = 0x80000001, .cr4 = 0x20, .efer = 0x500, .cs = 8
	};
	if (once_in(4))
		((uint8_t *)s)[below(sizeof(*s))] ^= (uint8_t)(1 << below(8));
}

static void draw_wall(struct world *w, uint64_t arg[4])
{
	uint32_t *size;

	arg[0] = place(sizeof(struct pvrom_clock_wall), once_in(8) ? 1 : 8);
	size = writable(w, arg[0], sizeof(struct pvrom_clock_wall));
	if (size)
		*size = once_in(4) ? below(200) : sizeof(struct pvrom_clock_wall);
}

static void draw_configure(uint64_t arg[4])
{
	arg[0] = below(DEVICES + 1);
	arg[1] = below(PVROM_DEV_OP_COUNT + 1) | (uint64_t)below(QUEUES + 1) << 32;
	arg[2] = once_in(4) ? wild() : below(300) | (uint64_t)below(VCPUS + 1) << 32;
}

void draw_arguments(struct world *w, uint32_t call, uint64_t arg[4])
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		arg[i] = wild();
	if (once_in(8))
		return;
	switch (call) {
	case PVROM_BASE_QUERY:
		arg[1] = once_in(4) ? below(0x40) : wild() | 0x40;
		arg[0] = place(arg[1] < 0x80 ? arg[1] : 0x80, 8);
		break;
	case PVROM_BASE_NEGOTIATE: draw_negotiation(w, arg); break;
	case PVROM_BASE_VCPU_AREA:
		arg[0] = once_in(4)   ? PVROM_VCPU_AREA_NONE
			 : once_in(2) ? 0x800u * below(4)
				      : place(0x800, 0x800);
		arg[1] = once_in(4) ? wild() : 0x800;
		break;
	case PVROM_BASE_LOG:
		arg[1] = below(300);
		arg[0] = place(arg[1], 1);
		break;
	case PVROM_BASE_BATCH: draw_batch(w, arg); break;
	case PVROM_BASE_RESET:
	case PVROM_BASE_SHUTDOWN:
		arg[0] = below(5);
		arg[1] = below(256);
		break;
	case PVROM_IRQ_ROUTE:
		arg[0] = below(20);
		arg[1] = below(300);
		arg[2] = below(VCPUS + 2);
		break;
	case PVROM_IRQ_MASK:
		arg[0] = below(20);
		arg[1] = below(3);
		break;
	case PVROM_IRQ_SEND:
		arg[0] = below(300);
		arg[1] = below(VCPUS + 1);
		arg[2] = below(32);
		break;
	case PVROM_SMP_START: draw_state(w, arg); break;
	case PVROM_CLOCK_STOLEN:
	case PVROM_SMP_KICK: arg[0] = below(VCPUS + 2); break;
	case PVROM_CLOCK_PAGE:
		arg[0] = once_in(4) ? PVROM_CLOCK_PAGE_NONE
				    : place(PVROM_CLOCK_PAGE_SIZE, PVROM_CLOCK_PAGE_SIZE);
		arg[1] = once_in(8) ? wild() : PVROM_CLOCK_PAGE_SIZE;
		break;
	case PVROM_CLOCK_WALL: draw_wall(w, arg); break;
	case PVROM_DEV_LIST:
		arg[0] = below(DEVICES + 1);
		arg[1] = below(5);
		break;
	case PVROM_DEV_CONFIGURE: draw_configure(arg); break;
	case PVROM_DEV_NOTIFY: arg[0] = BELL + once_in(2); break;
	default: break;
	}
}

uint32_t draw_number(uint32_t line)
{
	uint32_t number;

	if (calls[line].number != NO_CALL)
		return calls[line].number;
	do
		number = (uint32_t)wild();
	while (pvrom_host_call_name(number));
	return number;
}
