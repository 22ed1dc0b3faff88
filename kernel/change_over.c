/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * "changes=N": the machine is asked N times to change between nested and shadow paging while one
 * CPU is offline, one in HLT, one in user mode and one in NMI; then this kernel gives all back
 * (RESET, the other CPUs parked), or the host's state is saved and loaded, in the middle of each
 * step of the change-over, the rendezvous itself among them.
 */
#include "change_over.h"

#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "kernel_mmu.h"
#include "kernel_rom.h"
#include "smp.h"
#include "time.h"
#include "user.h"

#define CHANGE_PORT 0x5655 /* hypervisor/README.md */
#define CHANGE_PAGING 1
#define CHANGE_RELOAD 2
#define PATIENCE_US 20000000

enum { CPU_HALTED = 1, CPU_USER, CPU_NMI, CPU_OFFLINE, CPUS };

/* Counts until it is told to stop. */
USER_CODE(user_count, "1: lock incq (%rdi)\n\tcmpq $0, (%rsi)\n\tje 1b");

static struct {
	uint64_t count, stop;
} * user_words;
static uint32_t nmi_held, nmi_go, ran;

bool change_over_wanted(void)
{
	return boot_option("changes=");
}

static void ask(uint32_t what)
{
	cpu_out32(CHANGE_PORT, what);
}

/* ---- CPUs in all states ---- */

static void stay_in_user(void *unused)
{
	struct user_run run;

	(void)unused;
	user_call(&run, user_count, USER_DATA, USER_DATA + 8, 0);
}

static void stay_in_nmi(struct cpu *cpu, struct trap_frame *frame)
{
	(void)cpu;
	(void)frame;
	__atomic_store_n(&nmi_held, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&nmi_go, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static bool user_counts(void)
{
	uint64_t before = READ_ONCE(user_words->count), end = cpu_rdtsc() + time_us(PATIENCE_US);

	while (READ_ONCE(user_words->count) == before && cpu_rdtsc() < end)
		cpu_relax();
	return READ_ONCE(user_words->count) != before;
}

static bool put_cpus_into_place(void)
{
	user_words->stop = 0;
	smp_post(CPU_USER, stay_in_user, NULL);
	nmi_held = nmi_go = 0;
	cpus[CPU_NMI].nmi_hook = stay_in_nmi;
	irq_send(IRQ_NMI, BIT(CPU_NMI));
	return user_counts() && time_wait_for(&nmi_held, 1, PATIENCE_US);
}

static void run_here(void *unused)
{
	(void)unused;
	__atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
}

static bool all_run(void)
{
	ran = 0;
	smp_run_each(run_here, NULL);
	return ran == smp_cpus;
}

/* Out of their places; the one that was offline comes back and finds the new set. */
static bool bring_cpus_back(void)
{
	bool counts = user_counts();

	__atomic_store_n(&user_words->stop, 1, __ATOMIC_RELEASE);
	cpus[CPU_NMI].nmi_hook = NULL;
	return counts && smp_wait(CPU_USER) && smp_start(CPU_OFFLINE) && all_run();
}

static const char *one_change(void)
{
	bool shadowed = kernel_rom_granted(PVROM_FEATURE_MMU);

	if (!smp_stop(CPU_OFFLINE) || !put_cpus_into_place())
		return "the CPUs do not get into their places";
	ask(CHANGE_PAGING);
	__atomic_store_n(&nmi_go, 1, __ATOMIC_RELEASE);
	if (!pvrom_guest_epoch_moved(&kernel_rom, &this_cpu()->area))
		return "the epoch did not move";
	kernel_rom_poll();
	if (kernel_rom_granted(PVROM_FEATURE_MMU) == shadowed)
		return "the paravirtual MMU is as before";
	return bring_cpus_back() ? NULL : "a CPU did not come back";
}

/* ---- in the middle of a step ---- */

enum { STEP_MOVED, STEP_ASKED, STEP_PROPOSED, STEP_GATHERED, STEP_COMMITTED, STEP_DONE, STEPS };

/* A change-over up to a step. */
static void go_to(unsigned step)
{
	ask(CHANGE_PAGING);
	if (step >= STEP_ASKED && step <= STEP_GATHERED)
		pvrom_guest_query(&kernel_rom);
	if (step == STEP_PROPOSED || step == STEP_GATHERED)
		pvrom_guest_negotiate(&kernel_rom);
	if (step == STEP_COMMITTED)
		pvrom_guest_renegotiate(&kernel_rom);
	if (step == STEP_DONE)
		kernel_rom_poll();
}

/* In STEP_GATHERED the other CPUs are in the rendezvous, where the sites are about to be patched. */
static void do_in(unsigned step, smp_work_fn *act, void *argument)
{
	if (step == STEP_GATHERED)
		smp_rendezvous(act, argument);
	else
		act(argument);
}

/* As the kernel of a crash would: whoever runs is parked. */
static void give_back(void *status)
{
	pvrom_guest_unpatch(&kernel_rom);
	smp_abandon_others();
	*(uint32_t *)status = pvrom_guest_stop(&kernel_rom, PVROM_RESET_FORCE);
}

/* Then all is set up again. */
static const char *reset_in(unsigned step)
{
	uint32_t status;

	go_to(step);
	do_in(step, give_back, &status);
	if (status != PVROM_STATUS_OK)
		return "RESET was refused";
	kernel_mmu_update();
	kernel_rom_start();
	for (uint32_t i = 1; i < smp_cpus; i++)
		if (!smp_start(i))
			return "a CPU did not start after RESET";
	return NULL;
}

static void ask_reload(void *unused)
{
	(void)unused;
	ask(CHANGE_RELOAD);
}

static const char *reload_in(unsigned step)
{
	go_to(step);
	do_in(step, ask_reload, NULL);
	return pvrom_guest_epoch_moved(&kernel_rom, &this_cpu()->area) ? NULL
								       : "the epoch did not move";
}

static const char *in_each_step(const char *act(unsigned step))
{
	const char *wrong = NULL;

	for (unsigned i = 0; !wrong && i < 2 * STEPS; i++) {
		bool shadowed = kernel_rom_granted(PVROM_FEATURE_MMU);

		wrong = act(i / 2);
		kernel_rom_poll();
		if (!wrong && kernel_rom_granted(PVROM_FEATURE_MMU) == shadowed)
			wrong = "the paravirtual MMU is as before";
		if (!wrong && !all_run())
			wrong = "a CPU does not work any more";
	}
	return wrong;
}

/* ---- all ---- */

static bool tell(unsigned number, const char *name, const char *wrong)
{
	kprintf("%sok %u - %s\n", wrong ? "not " : "", number, name);
	if (wrong)
		kprintf("  # %s\n", wrong);
	return !wrong;
}

bool change_over_run(void)
{
	uint64_t rounds = lib_number(boot_option("changes="));
	const char *wrong = smp_cpus == CPUS ? NULL : "five CPUs are needed";
	bool passed;

	user_words = user_alias(USER_DATA);
	kernel_mmu_want_faults();
	kprintf("1..3\n");
	for (uint64_t i = 0; !wrong && i < rounds; i++)
		wrong = one_change();
	passed = tell(1, "change.others", wrong);
	passed = tell(2, "change.reload", passed ? in_each_step(reload_in) : wrong) && passed;
	passed = tell(3, "change.reset", passed ? in_each_step(reset_in) : wrong) && passed;
	kprintf("# end\n");
	return passed;
}
