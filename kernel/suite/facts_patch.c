/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about sites, whatever stands in them: an instruction, a template or a call of ROM text.
 * What a site may change is what the instruction changes; a fault in it is one of the site; and
 * interrupts and NMIs may come anywhere.
 */
#include "cpu.h"
#include "fact.h"
#include "irq.h"
#include "kernel_rom.h"
#include "probe.h"
#include "smp.h"
#include "time.h"

#define VECTOR 0x56

/* All general registers but RSP, as the CPU numbers them. */
struct registers {
	uint64_t r[16];
};

#define R(n) #n "*8(%%rax)"
/* clang-format would take R(n) for a call. */
/* clang-format off */
#define LOAD_ALL                                                                                   \
	"push %%rbp\n\tpush %%rbx\n\tpush %%rax\n\t"                                               \
	"mov " R(1) ",%%rcx\n\t" "mov " R(2) ",%%rdx\n\t"                                          \
	"mov " R(3) ",%%rbx\n\t" "mov " R(5) ",%%rbp\n\t"                                          \
	"mov " R(6) ",%%rsi\n\t" "mov " R(7) ",%%rdi\n\t"                                          \
	"mov " R(8) ",%%r8\n\t" "mov " R(9) ",%%r9\n\t"                                            \
	"mov " R(10) ",%%r10\n\t" "mov " R(11) ",%%r11\n\t"                                        \
	"mov " R(12) ",%%r12\n\t" "mov " R(13) ",%%r13\n\t"                                        \
	"mov " R(14) ",%%r14\n\t" "mov " R(15) ",%%r15\n\t"                                        \
	"mov " R(0) ",%%rax\n\t"
/* The pointer lies on the stack; RAX goes there first. */
#define STORE_ALL                                                                                  \
	"\n\txchg %%rax,(%%rsp)\n\t"                                                               \
	"mov %%rcx," R(1) "\n\t" "mov %%rdx," R(2) "\n\t"                                          \
	"mov %%rbx," R(3) "\n\t" "mov %%rbp," R(5) "\n\t"                                          \
	"mov %%rsi," R(6) "\n\t" "mov %%rdi," R(7) "\n\t"                                          \
	"mov %%r8," R(8) "\n\t" "mov %%r9," R(9) "\n\t"                                            \
	"mov %%r10," R(10) "\n\t" "mov %%r11," R(11) "\n\t"                                        \
	"mov %%r12," R(12) "\n\t" "mov %%r13," R(13) "\n\t"                                        \
	"mov %%r14," R(14) "\n\t" "mov %%r15," R(15) "\n\t"                                        \
	"pop " R(0) "\n\tpop %%rbx\n\tpop %%rbp"
/* clang-format on */
#define CLOBBERS                                                                                   \
	"rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",          \
		"memory", "cc"

/* Defines NAME(registers), which loads them, executes one site and stores them. */
#define SITE_WITH_REGISTERS(name, CALL, insn)                                                      \
	static void name(struct registers *all)                                                    \
	{                                                                                          \
		__asm__ volatile(LOAD_ALL PVROM_SITE(insn) STORE_ALL                               \
				 : "+a"(all)                                                       \
				 : PVROM_SITE_OF(PVROM_##CALL)                                     \
				 : CLOBBERS);                                                      \
	}

SITE_WITH_REGISTERS(site_cli, CPU_CLI, PVROM_PAD_4 "cli")
SITE_WITH_REGISTERS(site_sti, CPU_STI, PVROM_PAD_4 "sti")
SITE_WITH_REGISTERS(site_save_flags, CPU_SAVE_FLAGS, "pushfq\n\t" PVROM_PAD_3 "pop %%rax")
SITE_WITH_REGISTERS(site_read_cr3, CPU_READ_CR3, PVROM_PAD_2 "mov %%cr3,%%rax")
SITE_WITH_REGISTERS(site_write_cr3, CPU_WRITE_CR3, PVROM_PAD_2 "mov %%rdi,%%cr3")
SITE_WITH_REGISTERS(site_read_msr, CPU_READ_MSR, PVROM_PAD_3 "rdmsr")
SITE_WITH_REGISTERS(site_in8, CPU_IN8, PVROM_PAD_4 "in %%dx,%%al")
SITE_WITH_REGISTERS(site_flush_one, MMU_FLUSH_ONE, PVROM_PAD_2 "invlpg (%%rdi)")

static struct registers patterns(void)
{
	struct registers all;

	for (unsigned i = 0; i < 16; i++)
		all.r[i] = 0x9e3779b97f4a7c15 * (i + 1);
	return all;
}

/* Runs SITE on BEFORE; every register but those of the mask MAY is as it was. */
static enum verdict keeps(void (*site)(struct registers *), struct registers before, uint32_t may)
{
	struct registers after = before;

	site(&after);
	for (unsigned i = 0; i < 16; i++)
		if (i != 4 && !(may >> i & 1))
			EXPECT(after.r[i] == before.r[i], "register %u is %lx, was %lx", i,
			       after.r[i], before.r[i]);
	return FACT_PASS;
}

/* PVROM-SITE-4 PVROM-CPU-3 */
FACT(keeps_cli, "patch.keeps.cli", "SDM 2A CLI, 2B STI", "CLI and STI change no general register")
{
	enum verdict verdict = keeps(site_cli, patterns(), 0);

	EXPECT_EQ(cpu_save_flags() & FLAG_IF, 0);
	if (verdict == FACT_PASS)
		verdict = keeps(site_sti, patterns(), 0);
	EXPECT_EQ(cpu_save_flags() & FLAG_IF, FLAG_IF);
	return verdict;
}

FACT(keeps_save_flags, "patch.keeps.save_flags", "SDM 2B PUSHF",
     "saving the flags changes RAX alone")
{
	return keeps(site_save_flags, patterns(), PVROM_RAX);
}

FACT(keeps_cr3, "patch.keeps.cr3", "SDM 2B MOV",
     "reading CR3 changes RAX alone, writing it nothing")
{
	struct registers before = patterns();
	enum verdict verdict = keeps(site_read_cr3, before, PVROM_RAX);

	before.r[7] = cpu_read_cr3();
	return verdict == FACT_PASS ? keeps(site_write_cr3, before, 0) : verdict;
}

FACT(keeps_msr, "patch.keeps.rdmsr", "SDM 2B RDMSR",
     "RDMSR changes RAX and RDX alone, and clears their high halves")
{
	struct registers before = patterns(), after = before;

	before.r[1] = MSR_PAT;
	after.r[1] = MSR_PAT;
	site_read_msr(&after);
	EXPECT_EQ(after.r[0] >> 32, 0);
	EXPECT_EQ(after.r[2] >> 32, 0);
	EXPECT_EQ(after.r[2] << 32 | after.r[0], cpu_rdmsr(MSR_PAT));
	return keeps(site_read_msr, before, PVROM_RAX | PVROM_RDX);
}

FACT(keeps_in8, "patch.keeps.in8", "SDM 2A IN", "IN changes RAX alone")
{
	struct registers before = patterns();

	before.r[2] = 0x3ff;
	return keeps(site_in8, before, PVROM_RAX);
}

FACT(keeps_invlpg, "patch.keeps.invlpg", "SDM 2A INVLPG", "INVLPG changes no general register")
{
	return keeps(site_flush_one, patterns(), 0);
}

/* The flags that control something, not those that arithmetic sets. */
#define CONTROL_FLAGS (FLAG_IF | FLAG_DF | FLAG_TF | FLAG_AC | FLAG_NT | FLAG_IOPL)

static uint64_t flags_lost(void)
{
	uint64_t before = cpu_save_flags(), lost = 0;

	cpu_write_cr3(cpu_read_cr3());
	lost |= before ^ cpu_save_flags();
	cpu_write_cr0(cpu_read_cr0());
	lost |= before ^ cpu_save_flags();
	cpu_write_cr4(cpu_read_cr4());
	lost |= before ^ cpu_save_flags();
	cpu_wrmsr(MSR_FS_BASE, cpu_rdmsr(MSR_FS_BASE));
	lost |= before ^ cpu_save_flags();
	cpu_out8(0x3ff, cpu_in8(0x3ff));
	lost |= before ^ cpu_save_flags();
	return lost & CONTROL_FLAGS;
}

FACT(keeps_flags, "patch.keeps.flags", "SDM 2B MOV, WRMSR, OUT",
     "writing CR0, CR3, CR4, an MSR or a port leaves IF as it is, set or clear")
{
	uint64_t with_if = flags_lost(), without_if;

	cpu_cli();
	without_if = flags_lost();
	cpu_sti();
	EXPECT_EQ(with_if, 0);
	EXPECT_EQ(without_if, 0);
	return FACT_PASS;
}

extern const char patch_fault_at[];

/* One copy, so that the label is one. */
static void __attribute__((noinline)) load_idt_at(uint64_t pointer)
{
	__asm__ volatile(
		".globl patch_fault_at\npatch_fault_at:\n" PVROM_SITE(PVROM_PAD_2 "lidt (%%rdi)")
		:
		: PVROM_SITE_OF(PVROM_CPU_LOAD_IDT), "D"(pointer)
		: "memory", "cc");
}

/* PVROM-CPU-2 */
FACT(fault_rip, "patch.fault.rip", "SDM 3A 6.5",
     "a fault of a privileged instruction has the RIP of its site, and RSP as there")
{
	struct trap_catch caught;

	cpu_cli();
	trap_try(&caught, load_idt_at, probe_va(0) + 0x30);
	traps_load();
	EXPECT_TRAP(caught, TRAP_PF, 0);
	/* No manual says which of LIDT's two words is read first. */
	EXPECT(caught.cr2 - (probe_va(0) + 0x30) < 10, "cr2 is %lx", caught.cr2);
	EXPECT_EQ(caught.frame.rip, (uint64_t)patch_fault_at);
	EXPECT(caught.rsp - caught.frame.rsp <= 16, "rsp %lx, %lx at the call", caught.frame.rsp,
	       caught.rsp);
	return FACT_PASS;
}

static uint32_t storm_on, storm_rounds;

/*
 * One event a round at most, at a time in it that nobody chose: a CPU that is sent NMIs faster than
 * its hypervisor takes to see the end of one does nothing else any more, its clock unread.
 */
static void send_storm(void *kind)
{
	uint32_t round = 0;

	while (__atomic_load_n(&storm_on, __ATOMIC_ACQUIRE)) {
		uint32_t now = READ_ONCE(storm_rounds);

		if (now == round) {
			cpu_relax();
			continue;
		}
		round = now;
		time_spin_us(cpu_rdtsc() % 16);
		irq_send(*(unsigned *)kind, BIT(0));
	}
}

/* A round of sites whose results are known; true if all are right. */
static bool sites_are_right(uint64_t cr3, uint64_t pat)
{
	uint64_t flags = cpu_save_flags();
	bool right;

	cpu_cli();
	right = !(cpu_save_flags() & FLAG_IF);
	cpu_restore_flags(flags);
	right &= !!(cpu_save_flags() & FLAG_IF);
	right &= cpu_read_cr3() == cr3 && cpu_rdmsr(MSR_PAT) == pat;
	cpu_cli();
	cpu_sti();
	return right && (cpu_save_flags() & FLAG_IF);
}

#define STORM_ROUNDS 2000
#define STORM_EVENTS 20
#define STORM_US 10000000

/*
 * CPU 1 sends while CPU 0 executes sites, until enough events have come. With one CPU they are
 * sent between the rounds.
 */
static enum verdict sites_under(unsigned kind, const uint64_t *events)
{
	uint64_t cr3 = cpu_read_cr3(), pat = cpu_rdmsr(MSR_PAT), enough = *events + STORM_EVENTS;
	uint64_t end = cpu_rdtsc() + time_us(STORM_US);
	unsigned wrong = 0, rounds = 0;

	WRITE_ONCE(storm_rounds, 0);
	__atomic_store_n(&storm_on, 1, __ATOMIC_RELEASE);
	if (smp_cpus > 1)
		smp_post(1, send_storm, &kind);
	while ((rounds < STORM_ROUNDS || READ_ONCE(*events) < enough) && cpu_rdtsc() < end) {
		if (smp_cpus == 1 && rounds % 20 == 0)
			irq_send(kind, BIT(0));
		wrong += !sites_are_right(cr3, pat);
		WRITE_ONCE(storm_rounds, ++rounds);
	}
	__atomic_store_n(&storm_on, 0, __ATOMIC_RELEASE);
	EXPECT(smp_cpus == 1 || smp_wait(1), "cpu 1 did not end");
	EXPECT(!wrong, "%u rounds of %u went wrong", wrong, rounds);
	EXPECT(READ_ONCE(*events) >= enough, "too few events came in %u rounds", rounds);
	return FACT_PASS;
}

/* PVROM-ROM-20 PVROM-CALL-17 */
FACT(under_irq, "patch.under.interrupts", "SDM 3A 6.6",
     "sites do what they should while interrupts come in the middle of them")
{
	return sites_under(VECTOR, &cpus[0].irq_count[VECTOR]);
}

/* PVROM-ROM-20 PVROM-CALL-17 */
FACT(under_nmi, "patch.under.nmi", "SDM 3A 6.7",
     "sites do what they should while NMIs come in the middle of them")
{
	return sites_under(IRQ_NMI, &cpus[0].nmi_count);
}

/* PVROM-ROM-28 */
FACT(text_sealed, "patch.text.sealed", "SDM 3A 4.6",
     "text that sites lead to cannot be written: #PF(P W)")
{
	struct trap_catch caught;
	/* The copy of the ROM if there is one, else the functions that native sites call. */
	uint64_t text = kernel_rom.copy ? (uint64_t)kernel_rom.copy
					: (uint64_t)pvrom_native_irq_eoi & ~7ull;

	trap_try(&caught, probe_write, text);
	EXPECT_TRAP(caught, TRAP_PF, PF_P | PF_W);
	return FACT_PASS;
}

static uint32_t others_on, others_wrong;

static void run_sites(void *unused)
{
	uint64_t cr3 = cpu_read_cr3(), pat = cpu_rdmsr(MSR_PAT);

	(void)unused;
	while (__atomic_load_n(&others_on, __ATOMIC_ACQUIRE))
		if (!sites_are_right(cr3, pat))
			__atomic_fetch_add(&others_wrong, 1, __ATOMIC_RELAXED);
}

/* Without a host there is nothing to patch, and the sites run all the same. */
static bool patch_back_and_forth(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!kernel_rom.granted) {
			time_spin_us(500);
			continue;
		}
		pvrom_guest_unpatch(&kernel_rom);
		time_spin_us(200);
		if (pvrom_guest_renegotiate(&kernel_rom) != PVROM_VERDICT_READY)
			return false;
		time_spin_us(200);
	}
	return true;
}

/* PVROM-NEG-28 PVROM-NEG-30 */
FACT(under_patching, "patch.under.patching", "SDM 3A 8.1.3",
     "sites do what they should on all other CPUs while they are un-patched and patched again")
{
	bool patched;

	others_wrong = 0;
	__atomic_store_n(&others_on, 1, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < smp_cpus; i++)
		smp_post(i, run_sites, NULL);
	patched = patch_back_and_forth();
	__atomic_store_n(&others_on, 0, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < smp_cpus; i++)
		EXPECT(smp_wait(i), "cpu %u did not end", i);
	EXPECT(patched, "%s", pvrom_verdict_words(kernel_rom.verdict));
	EXPECT_EQ(others_wrong, 0);
	return FACT_PASS;
}

/* CPU INDEX, if it is not this one, runs sites while they change: it must take part in the rendezvous. */
static enum verdict patch_with(uint32_t index)
{
	uint32_t before = READ_ONCE(cpus[index].rendezvous);
	bool patched;

	others_wrong = 0;
	__atomic_store_n(&others_on, 1, __ATOMIC_RELEASE);
	if (index)
		smp_post(index, run_sites, NULL);
	patched = patch_back_and_forth();
	__atomic_store_n(&others_on, 0, __ATOMIC_RELEASE);
	EXPECT(!index || smp_wait(index), "cpu %u did not end", index);
	EXPECT(!index || !kernel_rom.granted || READ_ONCE(cpus[index].rendezvous) != before,
	       "cpu %u took no part", index);
	EXPECT(patched, "%s", pvrom_verdict_words(kernel_rom.verdict));
	EXPECT_EQ(others_wrong, 0);
	return FACT_PASS;
}

/* With one CPU there is none to start: it patches alone. PVROM-NEG-33 */
FACT(started_later, "patch.started_later", "SDM 3A 8.1.3",
     "CPUs that start when sites are patched, or before, do what they should at them")
{
	enum verdict verdict = smp_cpus > 1 ? FACT_PASS : patch_with(0);

	for (uint32_t i = 1; i < smp_cpus && verdict == FACT_PASS; i++) {
		EXPECT(smp_stop(i), "cpu %u does not stop", i);
		if (kernel_rom.granted)
			pvrom_guest_unpatch(&kernel_rom);
		EXPECT(smp_start(i), "cpu %u does not start", i);
		verdict = patch_with(i);
	}
	return verdict;
}

FACT(call_unknown, "patch.call.unknown", "pvrom: calls outside the table",
     "a call number nobody knows is answered NOT_SUPPORTED")
{
	static const uint32_t calls[] = { 0x00ff, 0x01ff, 0x0800, 0xffff, 0xffffffff };

	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
		EXPECT_EQ(pvrom_call(&kernel_rom, calls[i], 0, 0, 0, 0, NULL),
			  PVROM_STATUS_NOT_SUPPORTED);
	return FACT_PASS;
}
