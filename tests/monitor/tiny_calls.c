/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The tiny guest's acts that make calls, bare ones by the port: what the monitor
 * has to do about them. What a call answers is the suites' business.
 */
#include "tiny.h"

#define TRANSPORT_PORT 0xe4
#define BAD_CR4 (1ull << 31)  /* reserved */
#define PATIENCE 200000000ull /* ticks; a tenth of a second, about */

/* A call as the ROM's template would make it; returns the status. */
uint32_t call(uint32_t number, uint64_t first, uint64_t second, uint64_t third)
{
	register uint64_t rdi __asm__("rdi") = first, rsi __asm__("rsi") = second;
	register uint64_t r8 __asm__("r8") = third, r9 __asm__("r9") = 0;
	uint32_t a = number, d = TRANSPORT_PORT;

	__asm__ volatile("outl %%eax, %%dx"
			 : "+a"(a), "+d"(d), "+r"(rdi), "+r"(rsi), "+r"(r8), "+r"(r9)
			 :
			 : "memory");
	return a;
}

/* Negotiates these features; returns the status of the step that failed, or OK. */
static uint32_t seal_at(uint64_t epoch, uint64_t features, uint8_t alarm_vector)
{
	static struct pvrom_negotiation words;
	uint32_t status;

	words = (struct pvrom_negotiation){
		.size = sizeof(words),
		.major = PVROM_MAJOR,
		.minor = PVROM_MINOR,
		.epoch = epoch,
		.wanted = features,
		.required = features,
		.alarm_vector = alarm_vector,
	};
	status = call(PVROM_BASE_NEGOTIATE, (uint64_t)&words, PVROM_NEGOTIATE_PROPOSE, 0);
	if (status == PVROM_STATUS_OK)
		status = call(PVROM_BASE_NEGOTIATE, (uint64_t)&words, PVROM_NEGOTIATE_COMMIT, 0);
	return status;
}

/* The same in the machine's first epoch. */
uint32_t seal(uint64_t features, uint8_t alarm_vector)
{
	return seal_at(1, features, alarm_vector);
}

static uint64_t failures;

/* Says how it was; check_end() tells how many were not good. */
void check(bool good, const char *what)
{
	say(good ? "good: " : "bad: ");
	say(what);
	say("\n");
	failures += !good;
}

void check_end(void)
{
	end(failures);
}

uint32_t call_from_32_bit(void);
uint32_t call_shared(void);
uint32_t call_shared_from_32_bit(void);

static uint64_t out_narrow(void)
{
	uint64_t a = 0xffff0000;

	__asm__ volatile("outb %%al, $0xe4; outw %%ax, $0xe4" : "+a"(a));
	return a;
}

/* Calls of all sorts that this monitor, and not the host core, has to tell apart. */
void try_calls(void)
{
	check(call(PVROM_BASE_VERSION, 0, 0, 0) == PVROM_STATUS_OK, "a call");
	check(call(PVROM_BASE_LOG, (uint64_t) "said to the host", 16, 0) == PVROM_STATUS_OK,
	      "a line logged");
	check(call(0xffff, 0, 0, 0) == PVROM_STATUS_NOT_SUPPORTED, "an unknown call");
	check(call(0x10000000, 0, 0, 0) == PVROM_STATUS_NOT_SUPPORTED, "a large call number");
	check(call(PVROM_IRQ_SEND, 64, 0, 1) == PVROM_STATUS_DENIED, "a call before negotiation");
	check(call_from_32_bit() == PVROM_STATUS_MODE, "a call from compatibility mode");
	check(call_shared() == PVROM_STATUS_OK, "a call by a place that both modes share");
	check(call(PVROM_BASE_RESET, 0, 0, 0) == PVROM_STATUS_OK, "a reset");
	check(call_shared_from_32_bit() == PVROM_STATUS_MODE,
	      "that place from compatibility mode, after a reset");
	check(out_narrow() == 0xffff0000, "narrow writes to the port are no calls");
	check_end();
}

static struct {
	volatile uint64_t arrived, argument, beats;
	volatile bool stop;
	uint8_t stack[2048] __attribute__((aligned(16)));
} others[64];

static void other_main(uint64_t id)
{
	others[id].argument = id;
	others[id].arrived++;
	while (!others[id].stop)
		others[id].beats++;
	call(PVROM_SMP_STOP, 0, 0, 0);
	end(98);
}

static struct pvrom_smp_state state_for(uint64_t id, void (*main)(uint64_t id))
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt;
	struct pvrom_smp_state state = {
		.size = sizeof(state),
		.rip = (uint64_t)main,
		.rdi = id,
		.rsp = (uint64_t)(others[id].stack + sizeof(others[id].stack) - 8),
		.efer = 0x500,
		.pat = 0x0007040600070406,
		.cs = 8,
		.ss = 16,
	};

	__asm__("mov %%cr0, %0" : "=r"(state.cr0));
	__asm__("mov %%cr3, %0" : "=r"(state.cr3));
	__asm__("mov %%cr4, %0" : "=r"(state.cr4));
	__asm__("sgdt %0" : "=m"(gdt));
	state.gdt_base = gdt.base;
	state.gdt_limit = gdt.limit;
	return state;
}

static uint32_t start(uint64_t id, uint64_t more_cr4)
{
	static struct pvrom_smp_state state;

	state = state_for(id, other_main);
	state.cr4 |= more_cr4;
	return call(PVROM_SMP_START, id, (uint64_t)&state, 0);
}

/* Tries until the CPU has stopped. */
static uint32_t start_stopped(uint64_t id, uint64_t more_cr4)
{
	uint32_t status;

	do
		status = start(id, more_cr4);
	while (status == PVROM_STATUS_BUSY);
	return status;
}

static void wait_for_arrival(uint64_t id, uint64_t times)
{
	while (others[id].arrived < times)
		__asm__ volatile("pause");
}

/* Looks for so many ticks: all CPUs may share one of the host. */
static bool is_beating(uint64_t id, uint64_t patience)
{
	uint64_t before = others[id].beats, start = tsc();

	while (tsc() - start < patience && others[id].beats == before)
		__asm__ volatile("pause");
	return others[id].beats != before;
}

/* CPUs started, stopped, started again, and parked by RESET. */
void try_start(uint64_t cpus)
{
	check(seal(PVROM_FEATURE_BIT(PVROM_FEATURE_SMP), 0) == PVROM_STATUS_OK, "smp sealed");
	for (uint64_t id = 1; id < cpus; id++)
		if (start(id, 0) != PVROM_STATUS_OK)
			check(false, "a start");
	for (uint64_t id = 1; id < cpus; id++)
		wait_for_arrival(id, 1);
	check(others[cpus - 1].argument == cpus - 1, "all started, with their argument");
	check(start(1, 0) == PVROM_STATUS_BUSY, "a CPU that runs is not started");
	check(call(PVROM_BASE_RESET, 0, 0, 0) == PVROM_STATUS_BUSY,
	      "RESET while others run is BUSY");
	others[2].stop = true;
	check(start_stopped(2, BAD_CR4) == PVROM_STATUS_INVALID, "a state that KVM refuses");
	for (uint64_t round = 2; round < 20; round++) {
		others[1].stop = true;
		start_stopped(1, BAD_CR4); /* only to see that it has stopped */
		others[1].stop = false;
		start(1, 0);
		wait_for_arrival(1, round);
	}
	check(is_beating(1, 20 * PATIENCE), "stopped and started again, many times");
	check(call(PVROM_BASE_RESET, PVROM_RESET_FORCE, 0, 0) == PVROM_STATUS_OK, "RESET by force");
	check(!is_beating(1, PATIENCE) && !is_beating(cpus - 1, PATIENCE), "parks the others");
	check(start(1, 0) == PVROM_STATUS_DENIED, "and unseals");
	check_end();
}

/* Starts a CPU in a function of its own, with interrupts off and no IDT; returns the status. */
uint32_t start_at(uint64_t id, void (*main)(uint64_t id))
{
	static struct pvrom_smp_state state;

	state = state_for(id, main);
	return call(PVROM_SMP_START, id, (uint64_t)&state, 0);
}

static uint64_t storm_cpus;

static void kick_all(uint64_t id)
{
	others[id].arrived++;
	for (;;)
		for (uint64_t other = 0; other < storm_cpus; other++)
			call(PVROM_SMP_KICK, other, 0, 0);
}

/* The machine ends while all its CPUs want something of each other. */
void try_storm(uint64_t cpus)
{
	storm_cpus = cpus;
	check(seal(PVROM_FEATURE_BIT(PVROM_FEATURE_SMP), 0) == PVROM_STATUS_OK, "smp sealed");
	for (uint64_t id = 1; id < cpus; id++)
		if (start_at(id, kick_all) != PVROM_STATUS_OK)
			check(false, "a start");
	for (uint64_t id = 1; id < cpus; id++)
		wait_for_arrival(id, 1);
	check_end();
}

/*
 * A guest that has said all that it may is heard again a second later, though another CPU gives the
 * monitor no rest.
 */
void try_talk(void)
{
	uint32_t status = PVROM_STATUS_OK;

	storm_cpus = 1;
	check(seal(PVROM_FEATURE_BIT(PVROM_FEATURE_SMP), 0) == PVROM_STATUS_OK, "smp sealed");
	check(start_at(1, kick_all) == PVROM_STATUS_OK, "a CPU kicks for ever");
	wait_for_arrival(1, 1);
	for (unsigned i = 0; i < 1000 && status == PVROM_STATUS_OK; i++)
		status = call(PVROM_BASE_LOG, (uint64_t) "talk", 4, 0);
	check(status == PVROM_STATUS_BUSY, "nobody listens for ever");
	while (status == PVROM_STATUS_BUSY)
		status = call(PVROM_BASE_LOG, (uint64_t) "again", 5, 0);
	check(status == PVROM_STATUS_OK, "but soon again");
	check_end();
}

/* That many CPUs run for ever, with interrupts off. */
void try_spin(uint64_t cpus)
{
	check(seal(PVROM_FEATURE_BIT(PVROM_FEATURE_SMP), 0) == PVROM_STATUS_OK, "smp sealed");
	for (uint64_t id = 1; id < cpus; id++) {
		start(id, 0);
		wait_for_arrival(id, 1);
	}
	say("spinning\n");
	for (;;)
		__asm__ volatile("pause");
}

static struct pvrom_vcpu_area batched_area __attribute__((aligned(PVROM_VCPU_AREA_ALIGN)));
static struct pvrom_batch_entry batch[32];

#define BREATH 20000000 /* ticks: about as long as a batch of kicks takes in the lab */

/* Kicks of the first CPU, which is in RESET by then, and an area at the end: again and again. */
static void batch_for_ever(uint64_t id)
{
	for (uint64_t i = 0; i < 31; i++)
		batch[i] = (struct pvrom_batch_entry){ .call = PVROM_SMP_KICK };
	batch[31] = (struct pvrom_batch_entry){
		.call = PVROM_BASE_VCPU_AREA,
		.arg = { (uint64_t)&batched_area, sizeof(batched_area) },
	};
	others[id].arrived++;
	for (;;) {
		call(PVROM_BASE_BATCH, (uint64_t)batch, 32, 0);
		/* Kicked without a pause, the first CPU would never get on where both share one of the host. */
		for (uint64_t start = __builtin_ia32_rdtsc();
		     __builtin_ia32_rdtsc() - start < BREATH;)
			;
	}
}

/* RESET by force waits for the call that another CPU is in: nothing of it is left afterwards. */
void try_batch(void)
{
	uint64_t left = 0;

	for (uint64_t round = 1; round <= 20; round++) {
		if (seal_at(round, PVROM_FEATURE_BIT(PVROM_FEATURE_SMP), 0) != PVROM_STATUS_OK ||
		    start_at(1, batch_for_ever) != PVROM_STATUS_OK)
			check(false, "sealed and started");
		wait_for_arrival(1, round);
		is_beating(1, PATIENCE / 100);
		if (call(PVROM_BASE_RESET, PVROM_RESET_FORCE, 0, 0) != PVROM_STATUS_OK)
			check(false, "RESET by force");
		is_beating(1, PATIENCE / 100); /* time for the other CPU's thread */
		left += call(PVROM_BASE_VCPU_AREA, (uint64_t)&batched_area, sizeof(batched_area),
			     0) != PVROM_STATUS_OK;
		call(PVROM_BASE_VCPU_AREA, PVROM_VCPU_AREA_NONE, 0, 0);
	}
	check(left == 0, "no batch goes on after RESET");
	check_end();
}

/* Ends by a call, which does not come back. */
void shut_down(uint64_t how, uint64_t code)
{
	call(PVROM_BASE_SHUTDOWN, how, code, 0);
	end(99);
}
