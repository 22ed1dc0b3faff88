/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --vmclock: a page in VMClock's layout and nothing more, at an address that the guest is told on its
 * command line, for guests and readers that know VMClock (Linux, include/uapi/linux/vmclock-abi.h). The
 * page is the guest's to read only; the writer is pvrom's own, whose page begins with VMClock's
 * layout, over a copy of which the rest is left away.
 */
#include "guest_clock.h"
#include "guest_memory.h"

#include <string.h>

/* VMClock's structure with the generation counter. */
#define VMCLOCK_BYTES 0x70u
#define SEQ_COUNT offsetof(struct pvrom_clock_page, seq_count)

static uint64_t now(void *ctx)
{
	return guest_tsc_now(&((struct vm *)ctx)->vcpus[0]);
}

/* Sets the writer up over a page of the monitor's own. */
void vmclock_create(struct vm *vm)
{
	struct pvrom_clock_config config = {
		.tsc = now,
		.ctx = vm,
		.rate_ticks = vm->tsc_khz,
		.rate_ns = 1000000,
	};

	if (vm->vmclock_gpa == 0)
		return;
	if (!vm->tsc_known ||
	    pvrom_clock_writer_init(&vm->clock.vmclock, &config, 1) != PVROM_CLOCK_OK)
		fail(EXIT_CANNOT_RUN, "--vmclock: this KVM does not tell enough of the TSC");
	pvrom_clock_writer_attach(&vm->clock.vmclock, &vm->clock.vmclock_page);
}

/*
 * Copies VMClock's part over, under the sequence counter of the guest's page: odd before anything else
 * changes, even after all has. x86 keeps stores in order; the compiler is told to.
 */
static void publish(struct vm *vm)
{
	struct pvrom_clock_page *from = &vm->clock.vmclock_page;
	uint8_t *to = memory_at(vm, vm->vmclock_gpa, PVROM_CLOCK_PAGE_SIZE);
	uint32_t *seq = (uint32_t *)(to + SEQ_COUNT), next = *seq + 1;

	from->size = PVROM_CLOCK_PAGE_SIZE;
	__atomic_store_n(seq, next | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(to, from, SEQ_COUNT);
	memcpy(to + SEQ_COUNT + 4, (uint8_t *)from + SEQ_COUNT + 4, VMCLOCK_BYTES - SEQ_COUNT - 4);
	__atomic_store_n(seq, (next | 1) + 1, __ATOMIC_RELEASE);
}

/* Takes the sample into the page too; under the clock's lock. */
void vmclock_update(struct vm *vm, const struct pvrom_clock_sample *sample)
{
	if (vm->vmclock_gpa == 0)
		return;
	pvrom_clock_writer_update(&vm->clock.vmclock, sample);
	publish(vm);
}

/* The machine was loaded: first is NULL where the TSC has gone on. */
void vmclock_resume(struct vm *vm, const struct pvrom_clock_sample *first)
{
	if (vm->vmclock_gpa == 0)
		return;
	pvrom_clock_writer_resume(&vm->clock.vmclock, first, first == NULL);
	publish(vm);
}
