/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* CPUs: INIT-SIPI-SIPI, a one-entry work queue each, and the rendezvous. */
#include "smp.h"

#include "acpi.h"
#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "cpu_features.h"
#include "irq.h"
#include "kernel_clock.h"
#include "kernel_mmu.h"
#include "kernel_rom.h"
#include "paging.h"
#include "time.h"
#include "traps.h"

/* Used by boot_ap.S. */
extern uint32_t smp_apic_ids[MAX_CPUS];
extern uint32_t smp_slots;
uint32_t smp_apic_ids[MAX_CPUS];
uint32_t smp_slots;

uint32_t smp_cpus = 1;
const char *smp_source = "counted";

extern const char boot_ap_start[], boot_ap_end[];
void boot_bare_serialize(void);

/* SDM vol. 3A 9.4.4.1: 10 ms after INIT, 200 us after a SIPI. */
#define AFTER_INIT_US 10000
#define AFTER_SIPI_US 200
/* An AP needs far less than this, except under a software CPU under a software CPU. */
#define START_PATIENCE_US 20000000
/* Without a list: the broadcast is over when nobody new has come for so long. */
#define COUNT_QUIET_US 300000
#define WORK_PATIENCE_US 10000000
#define SEND_AGAIN_US 200000
#define GATHER_AGAIN_US 300

void smp_init_boot_cpu(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		smp_apic_ids[i] = 0xffffffff;
	smp_apic_ids[0] = apic_own_id();
	smp_slots = 1;
	cpus[0].apic_id = smp_apic_ids[0];
	cpus[0].vcpu = smp_apic_ids[0];
	cpus[0].state = SMP_ONLINE;
	memcpy((void *)AP_PAGE, boot_ap_start, (size_t)(boot_ap_end - boot_ap_start));
}

static void init_sipi_sipi(uint32_t apic_id, uint32_t shorthand)
{
	apic_send(apic_id, ICR_INIT | ICR_ASSERT | shorthand);
	time_spin_us(AFTER_INIT_US);
	apic_send(apic_id, ICR_STARTUP | AP_PAGE >> 12 | shorthand);
	time_spin_us(AFTER_SIPI_US);
	apic_send(apic_id, ICR_STARTUP | AP_PAGE >> 12 | shorthand);
}

void smp_native_start(uint32_t index)
{
	uint64_t flags = cpu_save_flags_cli();

	init_sipi_sipi(cpus[index].apic_id, 0);
	cpu_restore_flags(flags);
}

static unsigned count_online(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		count += READ_ONCE(cpus[i].state) == SMP_ONLINE;
	return count;
}

/* Waits until WANTED CPUs are online, or (0) until no more come. */
static void wait_for_arrivals(unsigned wanted)
{
	uint64_t quiet = cpu_rdtsc(), start = quiet;
	unsigned seen = 1;

	for (;;) {
		unsigned now = count_online();
		uint64_t tsc = cpu_rdtsc();

		if (now != seen)
			quiet = tsc;
		seen = now;
		if (wanted && now >= wanted)
			return;
		if (tsc - start > time_us(START_PATIENCE_US))
			return;
		if (!wanted && tsc - quiet > time_us(COUNT_QUIET_US) && now == READ_ONCE(smp_slots))
			return;
		cpu_relax();
	}
}

static void start_listed(const uint32_t *ids, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (ids[i] == smp_apic_ids[0] || smp_slots >= MAX_CPUS)
			continue;
		smp_apic_ids[smp_slots++] = ids[i];
		init_sipi_sipi(ids[i], 0);
	}
	wait_for_arrivals(smp_slots);
}

void smp_start_all(void)
{
	uint32_t ids[MAX_CPUS];
	unsigned listed = acpi_cpus(ids, MAX_CPUS), wanted = 0;

	if (boot_option("cpus=")) {
		smp_source = "cpus=";
		wanted = (unsigned)lib_number(boot_option("cpus="));
		listed = 0;
	}
	if (listed) {
		smp_source = "acpi";
		start_listed(ids, listed);
		wanted = smp_slots;
	} else if (wanted != 1) {
		init_sipi_sipi(0, ICR_OTHERS);
		wait_for_arrivals(wanted);
	}
	smp_cpus = count_online();
	if (wanted && smp_cpus != wanted)
		panic("%u CPUs of %u came up", smp_cpus, wanted);
}

void smp_start_by_host(void)
{
	uint32_t vcpus = kernel_rom.offer.vcpus;

	if (!kernel_rom_granted(PVROM_FEATURE_IRQ) || !kernel_rom_granted(PVROM_FEATURE_SMP) ||
	    !kernel_rom_granted(PVROM_FEATURE_ALARM))
		panic("this machine has no APIC, and no host that stands in for one");
	smp_source = "host";
	for (uint32_t i = 1; i < vcpus && i < MAX_CPUS; i++) {
		smp_apic_ids[i] = i;
		cpus[i].vcpu = i;
		if (!smp_start(i))
			panic("vCPU %u of %u did not start", i, vcpus);
		smp_cpus++;
	}
}

/* The work loop of every CPU but the first. */
static void smp_loop(struct cpu *cpu)
{
	smp_work_fn *work;

	for (;;) {
		cpu_cli();
		/* Acquire: the argument was stored before the work; partner: smp_post(). */
		work = __atomic_load_n(&cpu->work, __ATOMIC_ACQUIRE);
		if (!work) {
			cpu_sti_halt();
			continue;
		}
		cpu_sti();
		work(cpu->work_argument);
		/* Release: results before the word that says done; partner: smp_wait(). */
		__atomic_store_n(&cpu->work, (smp_work_fn *)NULL, __ATOMIC_RELEASE);
	}
}

void smp_ap_main(uint32_t index)
{
	paging_init_ap();
	percpu_init(index, apic_is_there() ? smp_apic_ids[index] : apic_own_id());
	features_init_cpu();
	apic_init_cpu();
	kernel_rom_init_cpu();
	clock_init_cpu();
	__atomic_store_n(&cpus[index].state, (uint32_t)SMP_ONLINE, __ATOMIC_RELEASE);
	smp_loop(this_cpu());
}

void smp_post(uint32_t index, smp_work_fn *work, void *argument)
{
	cpus[index].work_argument = argument;
	/* Release: partner of the acquire in smp_loop(). */
	__atomic_store_n(&cpus[index].work, work, __ATOMIC_RELEASE);
	irq_send(VECTOR_WORK, BIT(index));
}

/*
 * The interrupt is sent again now and then: QEMU's software CPU forgets the shadow of STI when a
 * hypervisor interrupts it there (VMRUN does not load it), and a halted CPU then sleeps on.
 * The halt.* facts count how often that happens.
 */
bool smp_wait(uint32_t index)
{
	struct patience patience = patience_of(WORK_PATIENCE_US);
	uint64_t again = cpu_rdtsc() + time_us(SEND_AGAIN_US);

	while (__atomic_load_n(&cpus[index].work, __ATOMIC_ACQUIRE)) {
		if (!patience_lasts(&patience))
			return false;
		if (cpu_rdtsc() > again) {
			irq_send(VECTOR_WORK, BIT(index));
			again = cpu_rdtsc() + time_us(SEND_AGAIN_US);
		}
		cpu_relax();
	}
	return true;
}

void smp_run(uint32_t index, smp_work_fn *work, void *argument)
{
	if (index == this_cpu()->index) {
		work(argument);
		return;
	}
	smp_post(index, work, argument);
	if (!smp_wait(index))
		panic("cpu %u did not finish its work in ten seconds", index);
}

void smp_run_each(smp_work_fn *work, void *argument)
{
	for (uint32_t i = 0; i < smp_cpus; i++)
		if (READ_ONCE(cpus[i].state) == SMP_ONLINE)
			smp_run(i, work, argument);
}

static uint32_t generation;
static uint64_t expected; /* the CPUs that shall wait, by index */
static uint64_t arrived;  /* and those that do */
static uint32_t actor;	  /* the CPU that acts meanwhile, by index + 1; 0: none */

/* What each of them shall do meanwhile, and which have done it. */
static smp_work_fn *each;
static void *each_argument;
static uint64_t each_done;

static void wait_for_generation(uint32_t mine, uint64_t self)
{
	smp_work_fn *act, *done = NULL;

	/* Acquire: what the actor wrote before it let us go; partner: the store in smp_rendezvous(). */
	while (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == mine) {
		act = __atomic_load_n(&each, __ATOMIC_ACQUIRE);
		if (act && act != done) {
			act(each_argument);
			done = act;
			__atomic_fetch_or(&each_done, self, __ATOMIC_RELEASE);
		}
		cpu_relax();
	}
}

/*
 * Interrupt handler: from here to its end no sites but those of the way out, after serializing.
 * Code that was interrupted in the middle of a site goes on, and is interrupted again.
 */
static void rendezvous_wait(struct trap_frame *frame)
{
	uint32_t mine = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
	uint64_t self = BIT(this_cpu()->index);

	if (!kernel_rom_may_wait(frame))
		return;
	/* Nobody waits for this CPU: a second interrupt of a rendezvous that is over. */
	if (!(__atomic_load_n(&expected, __ATOMIC_ACQUIRE) & self))
		return;
	__atomic_fetch_or(&arrived, self, __ATOMIC_RELEASE);
	wait_for_generation(mine, self);
	boot_bare_serialize();
	this_cpu()->rendezvous++;
	__atomic_fetch_and(&arrived, ~self, __ATOMIC_RELEASE);
}

static uint64_t online_others(void)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < smp_cpus; i++)
		if (i != this_cpu()->index && READ_ONCE(cpus[i].state) == SMP_ONLINE)
			set |= BIT(i);
	return set;
}

/* Sends to those that are not there yet, until all are. */
static void gather(uint64_t others)
{
	uint64_t missing, again = 0;

	while ((missing = others & ~__atomic_load_n(&arrived, __ATOMIC_ACQUIRE))) {
		uint64_t now = cpu_rdtsc();

		if (now >= again) {
			irq_send(VECTOR_RENDEZVOUS, missing);
			again = now + time_us(GATHER_AGAIN_US);
		}
		cpu_relax();
	}
}

/* In one already: the others wait. */
static bool nested(smp_work_fn *act, void *argument)
{
	if (__atomic_load_n(&actor, __ATOMIC_RELAXED) != this_cpu()->index + 1)
		return false;
	act(argument);
	return true;
}

void smp_rendezvous(smp_work_fn *act, void *argument)
{
	uint64_t others = online_others(), flags;

	if (nested(act, argument))
		return;
	flags = cpu_save_flags_cli();
	irq_set(VECTOR_RENDEZVOUS, rendezvous_wait);
	__atomic_store_n(&expected, others, __ATOMIC_RELEASE);
	gather(others);
	__atomic_store_n(&expected, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&actor, this_cpu()->index + 1, __ATOMIC_RELAXED);
	act(argument);
	__atomic_store_n(&actor, 0, __ATOMIC_RELAXED);
	/* Release: partner of the acquire in rendezvous_wait(). */
	__atomic_fetch_add(&generation, 1, __ATOMIC_RELEASE);
	boot_bare_serialize();
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE))
		cpu_relax();
	cpu_restore_flags(flags);
}

struct each_act {
	smp_work_fn *act;
	void *argument;
	uint64_t others;
};

static void run_on_each(void *argument)
{
	const struct each_act *a = argument;

	a->act(a->argument);
	__atomic_store_n(&each_done, 0, __ATOMIC_RELAXED);
	each_argument = a->argument;
	/* Release: partner of the acquire in wait_for_generation(). */
	__atomic_store_n(&each, a->act, __ATOMIC_RELEASE);
	while (__atomic_load_n(&each_done, __ATOMIC_ACQUIRE) != a->others)
		cpu_relax();
	__atomic_store_n(&each, (smp_work_fn *)NULL, __ATOMIC_RELEASE);
}

void smp_rendezvous_each(smp_work_fn *act, void *argument)
{
	struct each_act both = { act, argument, online_others() };

	smp_rendezvous(run_on_each, &both);
}

/* They may be waiting in a rendezvous: it does not wait for them to leave it. */
void smp_abandon_others(void)
{
	for (uint32_t i = 0; i < smp_cpus; i++)
		if (i != this_cpu()->index)
			cpus[i].state = SMP_STOPPED;
	__atomic_store_n(&arrived, 0, __ATOMIC_RELEASE);
}

static void stop_self(void *argument)
{
	struct cpu *cpu = this_cpu();

	(void)argument;
	cpu_cli();
	kernel_mmu_stop_cpu();
	cpu->work = NULL;
	__atomic_store_n(&cpu->state, (uint32_t)SMP_STOPPED, __ATOMIC_RELEASE);
	irq_stop_self();
}

void smp_native_stop(void)
{
	for (;;) {
		cpu_cli();
		cpu_halt();
	}
}

bool smp_stop(uint32_t index)
{
	smp_post(index, stop_self, NULL);
	return time_wait_for(&cpus[index].state, SMP_STOPPED, WORK_PATIENCE_US);
}

bool smp_start(uint32_t index)
{
	irq_start_cpu(index);
	return time_wait_for(&cpus[index].state, SMP_ONLINE, WORK_PATIENCE_US);
}
