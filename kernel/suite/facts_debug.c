/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about single-stepping and breakpoints. TF comes from an IRET frame and never from popf:
 * a popf that is a site may execute elsewhere, and what follows it there would be stepped too.
 */
#include "fact_tools.h"
#include "irq.h"
#include "time.h"

#define STEP_VECTOR 0x32
#define DR6_B(n) BIT(n)
#define DR6_BS BIT(14)
#define DR6_RESET 0xffff0ff0ull
#define DR7_RESET 0x400ull
#define DR7_EXECUTE 0ull
#define DR7_WRITE 1ull
#define DR7_ACCESS 3ull
/* Global enable of breakpoint N, with its condition and length - 1 (8 bytes: 2). */
#define DR7_ENABLE(n, condition, length)                                                           \
	(2ull << (2 * (n)) | (condition) << (16 + 4 * (n)) | (uint64_t)(length) << (18 + 4 * (n)))

/* Every #DB that came: where, and DR6 then. */
#define HITS 32
static struct hits {
	unsigned count;
	uint64_t rip[HITS], dr6[HITS];
	struct trap_frame first;
} hits;

static void note_hit(struct trap_frame *frame)
{
	if (!hits.count)
		hits.first = *frame;
	if (hits.count < HITS) {
		hits.rip[hits.count] = frame->rip;
		hits.dr6[hits.count] = pvrom_read_dr6();
	}
	hits.count++;
	pvrom_write_dr6(0);
}

static void hits_begin(irq_fn *handler)
{
	hits = (struct hits){ 0 };
	pvrom_write_dr6(0);
	irq_set(TRAP_DB, handler);
}

/* The addresses too: DR6 may show a breakpoint that matches though it is not enabled. */
static void breakpoints_off(void)
{
	pvrom_write_dr7(DR7_RESET);
	pvrom_write_dr0(0);
	pvrom_write_dr1(0);
	pvrom_write_dr2(0);
	pvrom_write_dr3(0);
	pvrom_write_dr6(0);
}

/*
 * A fact that needs a breakpoint to be where it was put, tried until it holds. QEMU 7.2's software
 * SVM does not set up its breakpoints anew when it enters a guest or leaves it, so that an exit at
 * the wrong moment (a timer, say) loses one or leaves one of the other world's. A host that always
 * loses them still fails.
 */
#define TRIES 20
#define BREAKPOINT_FACT(id, name, manual, statement)                                               \
	static enum verdict try_##id(void);                                                        \
	FACT(id, name, manual, statement)                                                          \
	{                                                                                          \
		return until_it_holds(try_##id);                                                   \
	}                                                                                          \
	static enum verdict try_##id(void)

static enum verdict until_it_holds(enum verdict (*try)(void))
{
	enum verdict verdict = FACT_FAIL;

	for (unsigned i = 0; i < TRIES && verdict == FACT_FAIL; i++) {
		verdict = try();
		breakpoints_off();
	}
	return verdict;
}

/* ---- single-stepping --------------------------------------------------------------------------- */

static void step_on(struct trap_frame *frame)
{
	frame->rflags |= FLAG_TF;
}

/* Three steps, and that is enough. */
static void step_three(struct trap_frame *frame)
{
	note_hit(frame);
	if (hits.count == 3)
		frame->rflags &= ~FLAG_TF;
}

/* Steps a kernel snippet that begins with int $0x32; the handler ends it. */
static void step_kernel(trap_snippet_fn *snippet, irq_fn *handler)
{
	hits_begin(handler);
	irq_set(STEP_VECTOR, step_on);
	snippet(0);
	irq_set(STEP_VECTOR, NULL);
}

SNIPPET(snippet_steps, "int $0x32\nnop\nsnippet_steps_at: lea (%rdi), %rax\nnop\nnop\nnop");

FACT(step_kernel_rips, "debug.tf.kernel", "SDM 3B 18.3.1.4",
     "with TF set each instruction is followed by #DB, the one that IRET returns to included")
{
	uint64_t at = (uint64_t)snippet_steps_at;

	step_kernel(snippet_steps, step_three);
	EXPECT_EQ(hits.count, 3);
	EXPECT_EQ(hits.rip[0], at);
	EXPECT_EQ(hits.rip[1], at + 3);
	EXPECT_EQ(hits.rip[2], at + 4);
	return FACT_PASS;
}

FACT(step_dr6, "debug.tf.dr6", "SDM 3B 18.2.3",
     "a single-step sets BS in DR6, and no breakpoint's bit")
{
	step_kernel(snippet_steps, step_three);
	EXPECT_EQ(hits.dr6[0], DR6_RESET | DR6_BS);
	EXPECT_EQ(hits.dr6[2], DR6_RESET | DR6_BS);
	return FACT_PASS;
}

static uint64_t handler_flags;

static void note_flags(struct trap_frame *frame)
{
	handler_flags = cpu_save_flags();
	step_three(frame);
}

FACT(step_flags, "debug.tf.handler", "SDM 3A 6.12.1.3",
     "the handler of #DB runs with TF clear, and finds it set in the saved flags")
{
	step_kernel(snippet_steps, note_flags);
	EXPECT_EQ(handler_flags & FLAG_TF, 0);
	EXPECT_EQ(hits.first.rflags & FLAG_TF, FLAG_TF);
	return FACT_PASS;
}

SNIPPET(snippet_rep, "lea facts_step_buffer, %rdi\nlea 16(%rdi), %rsi\nmov $3, %ecx\nint $0x32\n"
		     "snippet_rep_at: rep movsb\nnop\nnop");
extern uint64_t facts_step_buffer[4];
uint64_t facts_step_buffer[4];

FACT(step_rep, "debug.tf.rep", "SDM 3B 18.3.1.4",
     "a repeated string instruction is stepped element by element")
{
	uint64_t at = (uint64_t)snippet_rep_at;

	step_kernel(snippet_rep, step_three);
	EXPECT_EQ(hits.rip[0], at);
	EXPECT_EQ(hits.rip[1], at);
	EXPECT_EQ(hits.rip[2], at + 2);
	return FACT_PASS;
}

static void step_all(struct trap_frame *frame)
{
	note_hit(frame);
}

/* Steps user CODE from its first instruction to the end. */
static void step_user(struct user_run *run, const char *code, uint64_t a)
{
	hits_begin(step_all);
	user_prepare(run, code, a, 0, 0);
	run->frame.rflags |= FLAG_TF;
	user_go(run);
	irq_set(TRAP_DB, NULL);
}

USER_CODE(user_steps, "nop\nlea (%rdi), %rax\nxor %ecx, %ecx");

FACT(step_user_rips, "debug.tf.user", "SDM 3B 18.3.1.4", "user mode is stepped in the same way")
{
	struct user_run run;
	uint64_t at = user_address(user_steps);

	step_user(&run, user_steps, 0);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(hits.count, 3);
	EXPECT_EQ(hits.rip[0], at + 1);
	EXPECT_EQ(hits.rip[1], at + 4);
	EXPECT_EQ(hits.rip[2], at + 6);
	EXPECT_EQ(hits.first.cs, SEL_UCODE | 3);
	return FACT_PASS;
}

USER_CODE(user_step_cpuid, "xor %eax, %eax\ncpuid\nnop\nnop");

FACT(step_cpuid, "debug.tf.cpuid", "SDM 3B 18.3.1.4",
     "cpuid, which hosts may emulate, is stepped like any instruction")
{
	struct user_run run;
	uint64_t at = user_address(user_step_cpuid);

	step_user(&run, user_step_cpuid, 0);
	EXPECT_EQ(hits.count, 4);
	EXPECT_EQ(hits.rip[0], at + 2);
	EXPECT_EQ(hits.rip[1], at + 4);
	EXPECT_EQ(hits.rip[2], at + 5);
	return FACT_PASS;
}

USER_CODE(user_step_out, "mov $0x80, %edx\nout %al, %dx\nnop\nnop");

FACT(step_out, "debug.tf.out", "SDM 3B 18.3.1.4", "so is a port write")
{
	struct user_run run;
	uint64_t at = user_address(user_step_out);

	hits_begin(step_all);
	user_prepare(&run, user_step_out, 0, 0, 0);
	run.frame.rflags |= FLAG_TF | FLAG_IOPL;
	user_go(&run);
	irq_set(TRAP_DB, NULL);
	EXPECT_EQ(hits.count, 4);
	EXPECT_EQ(hits.rip[1], at + 6);
	EXPECT_EQ(hits.rip[2], at + 7);
	return FACT_PASS;
}

USER_CODE(user_step_int, "nop\nint $0x33\nnop\nnop");

static void plain(struct trap_frame *frame)
{
	(void)frame;
	handler_flags = cpu_save_flags();
}

FACT(step_int, "debug.tf.int", "SDM 3B 18.3.1.4",
     "INT n clears TF for its handler; stepping goes on after the instruction behind it")
{
	struct user_run run;
	uint64_t at = user_address(user_step_int);

	irq_set(0x33, plain);
	trap_gate(0x33, 0xee, 0);
	handler_flags = FLAG_TF;
	step_user(&run, user_step_int, 0);
	trap_gate(0x33, 0x8e, 0);
	irq_set(0x33, NULL);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(handler_flags & FLAG_TF, 0);
	EXPECT_EQ(hits.rip[0], at + 1);
	EXPECT_EQ(hits.rip[1], at + 4);
	EXPECT_EQ(hits.rip[2], at + 5);
	EXPECT_EQ(hits.count, 3);
	return FACT_PASS;
}

static bool go_on(struct user_run *run, struct trap_frame *frame)
{
	(void)run;
	(void)frame;
	handler_flags = cpu_save_flags();
	return true;
}

USER_CODE(user_step_syscall, "nop\nsyscall\nnop\nnop");

FACT(step_syscall, "debug.tf.syscall", "SDM 2B SYSCALL",
     "syscall with TF in SFMASK is not stepped in the kernel, and sysret brings TF back")
{
	struct user_run run;
	uint64_t at = user_address(user_step_syscall);

	hits_begin(step_all);
	user_prepare(&run, user_step_syscall, 0, 0, 0);
	run.frame.rflags |= FLAG_TF;
	run.on_syscall = go_on;
	user_go(&run);
	irq_set(TRAP_DB, NULL);
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(handler_flags & FLAG_TF, 0);
	EXPECT_EQ(hits.rip[0], at + 1);
	for (unsigned i = 0; i < hits.count && i < HITS; i++)
		EXPECT(hits.rip[i] >= at && hits.rip[i] < at + 16, "#DB at %lx", hits.rip[i]);
	EXPECT_EQ(hits.rip[hits.count - 1], at + 5);
	return FACT_PASS;
}

/* ---- breakpoints on execution ------------------------------------------------------------------ */

/*
 * Where breakpoints are enabled, nothing else is judged: QEMU 7.2's software SVM (see
 * BREAKPOINT_FACT) may leave one behind that no debug register shows, for good, for the next guest
 * too, and #DB then comes whenever that address is executed.
 */
SNIPPET(snippet_break, "nop\nsnippet_break_at: lea 1(%rdi), %rax\nnop");
SNIPPET(snippet_unbroken, "nop\nsnippet_unbroken_at: lea 1(%rdi), %rax\nnop");
USER_CODE(user_break, "nop\nlea (%rdi), %rax\nxor %ecx, %ecx");

static void set_address(unsigned n, uint64_t address)
{
	void (*const write[])(uint64_t) = { pvrom_write_dr0, pvrom_write_dr1, pvrom_write_dr2,
					    pvrom_write_dr3 };

	write[n](address);
}

/* Going on from a breakpoint on execution needs RF, or it would be hit again. */
static void note_and_resume(struct trap_frame *frame)
{
	note_hit(frame);
	frame->rflags |= FLAG_RF;
}

static void break_on_execution(unsigned n)
{
	hits_begin(note_and_resume);
	set_address(n, (uint64_t)snippet_break_at);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(n, DR7_EXECUTE, 0));
	snippet_break(0);
	breakpoints_off();
}

static enum verdict breaks(unsigned n)
{
	break_on_execution(n);
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.rip[0], snippet_break_at);
	EXPECT_EQ(hits.dr6[0] & (15 | DR6_BS), DR6_B(n));
	return FACT_PASS;
}

#define BREAK_FACT(n)                                                                              \
	BREAKPOINT_FACT(break_##n, "debug.execute.dr" #n, "SDM 3B 18.3.1.1",                       \
			"DR" #n " stops before the instruction at its address, and DR6 says B" #n) \
	{                                                                                          \
		return breaks(n);                                                                  \
	}
BREAK_FACT(0)
BREAK_FACT(1)
BREAK_FACT(2)
BREAK_FACT(3)

SNIPPET(snippet_break_loop,
	"mov $3, %ecx\nsnippet_break_loop_at: dec %ecx\njnz snippet_break_loop_at");

BREAKPOINT_FACT(break_resume, "debug.execute.rf", "SDM 3B 18.3.1.1",
		"RF in the IRET frame suppresses a breakpoint for one instruction: a loop hits it "
		"each time")
{
	hits_begin(note_and_resume);
	set_address(0, (uint64_t)snippet_break_loop_at);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(0, DR7_EXECUTE, 0));
	snippet_break_loop(0);
	breakpoints_off();
	EXPECT_EQ(hits.count, 3);
	return FACT_PASS;
}

BREAKPOINT_FACT(break_disabled, "debug.execute.disabled", "SDM 3B 18.2.4",
		"an address in a debug register that DR7 does not enable stops nothing")
{
	hits_begin(note_and_resume);
	set_address(0, (uint64_t)snippet_unbroken_at);
	set_address(1, (uint64_t)snippet_unbroken_at);
	pvrom_write_dr7(DR7_RESET);
	snippet_unbroken(0);
	breakpoints_off();
	EXPECT_EQ(hits.count, 0);
	return FACT_PASS;
}

BREAKPOINT_FACT(break_two, "debug.execute.two", "SDM 3B 18.2.3",
		"two breakpoints at one address are one #DB with both bits")
{
	hits_begin(note_and_resume);
	set_address(1, (uint64_t)snippet_break_at);
	set_address(2, (uint64_t)snippet_break_at);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(1, DR7_EXECUTE, 0) | DR7_ENABLE(2, DR7_EXECUTE, 0));
	snippet_break(0);
	breakpoints_off();
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.dr6[0] & 15, DR6_B(1) | DR6_B(2));
	return FACT_PASS;
}

BREAKPOINT_FACT(break_user, "debug.execute.user", "SDM 3B 18.3.1.1",
		"a breakpoint on user code stops user mode")
{
	struct user_run run;

	hits_begin(note_and_resume);
	set_address(3, user_address(user_break) + 1);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(3, DR7_EXECUTE, 0));
	user_call(&run, user_break, 0, 0, 0);
	breakpoints_off();
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.rip[0], user_address(user_break) + 1);
	EXPECT_EQ(hits.first.cs, SEL_UCODE | 3);
	return FACT_PASS;
}

BREAKPOINT_FACT(break_kept, "debug.kept", "SDM 3B 18.2",
		"debug registers are kept over calls, a halt, and a visit to user mode")
{
	struct user_run run;

	hits_begin(note_and_resume);
	set_address(2, (uint64_t)snippet_break_at);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(2, DR7_EXECUTE, 0));
	cpu_cpuid(0, 0);
	cpu_in8(0x80);
	halt_for_alarm(2000);
	user_call(&run, probe_user_nothing, 0, 0, 0);
	EXPECT_EQ(hits.count, 0);
	EXPECT_EQ(pvrom_read_dr7(), DR7_RESET | DR7_ENABLE(2, DR7_EXECUTE, 0));
	snippet_break(0);
	breakpoints_off();
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.dr6[0] & 15, DR6_B(2));
	return FACT_PASS;
}

/* ---- breakpoints on data ----------------------------------------------------------------------- */

/*
 * Each try watches bytes of its own: one that QEMU 7.2's software SVM has left behind (see BREAKPOINT_FACT) is
 * found first ever after, for the next guest too, and hides each later one on the same bytes.
 */
#define PLACES 64
#define PLACE_SIZE 32
static uint8_t places[PLACES][PLACE_SIZE] __attribute__((aligned(PLACE_SIZE)));
static uint8_t *watched = places[0];

static unsigned next_place(void)
{
	static unsigned place;

	place = place % (PLACES - 1) + 1;
	return place;
}

SNIPPET(snippet_write1, "movb $1, (%rdi)\nsnippet_write1_at: nop");
SNIPPET(snippet_read1, "movb (%rdi), %al\nnop");

/* Watches LENGTH bytes at watched + 8 and touches the bytes around and in them. */
static void watch(uint64_t condition, unsigned length)
{
	hits_begin(step_all);
	set_address(1, (uint64_t)watched + 8);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(1, condition, length == 8 ? 2 : length - 1));
}

static enum verdict watches(unsigned length)
{
	unsigned outside, inside;

	watched = places[next_place()];
	watch(DR7_WRITE, length);
	snippet_write1((uint64_t)watched + 7);
	snippet_write1((uint64_t)watched + 8 + length);
	outside = hits.count;
	snippet_write1((uint64_t)watched + 8);
	snippet_write1((uint64_t)watched + 8 + length - 1);
	inside = hits.count;
	breakpoints_off();
	EXPECT_EQ(outside, 0);
	EXPECT_EQ(inside, 2);
	EXPECT_EQ(hits.dr6[0] & (15 | DR6_BS), DR6_B(1));
	return FACT_PASS;
}

#define WATCH_FACT(length)                                                                         \
	BREAKPOINT_FACT(watch_##length, "debug.write.length" #length, "SDM 3B 18.2.5",             \
			"a write breakpoint of " #length                                           \
			" bytes covers these and no byte beside them")                             \
	{                                                                                          \
		return watches(length);                                                            \
	}
WATCH_FACT(1)
WATCH_FACT(2)
WATCH_FACT(4)
WATCH_FACT(8)

BREAKPOINT_FACT(watch_trap, "debug.write.trap", "SDM 3B 18.3.1.2",
		"a data breakpoint is a trap: the write is done and RIP is behind it")
{
	watched = places[next_place()];
	watched[8] = 0;
	watch(DR7_WRITE, 1);
	snippet_write1((uint64_t)watched + 8);
	breakpoints_off();
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.rip[0], snippet_write1_at);
	EXPECT_EQ(watched[8], 1);
	return FACT_PASS;
}

BREAKPOINT_FACT(watch_read, "debug.access", "SDM 3B 18.2.4",
		"an access breakpoint stops reads and writes, a write breakpoint no reads")
{
	unsigned reads, both;

	watched = places[next_place()];
	watch(DR7_WRITE, 1);
	snippet_read1((uint64_t)watched + 8);
	reads = hits.count;
	watch(DR7_ACCESS, 1);
	snippet_read1((uint64_t)watched + 8);
	snippet_write1((uint64_t)watched + 8);
	both = hits.count;
	breakpoints_off();
	EXPECT_EQ(reads, 0);
	EXPECT_EQ(both, 2);
	return FACT_PASS;
}

BREAKPOINT_FACT(watch_user, "debug.write.user", "SDM 3B 18.3.1.2",
		"a data breakpoint on a user address stops user writes")
{
	struct user_run run;
	uint64_t at = USER_DATA + next_place() * PLACE_SIZE;

	hits_begin(step_all);
	set_address(0, at);
	pvrom_write_dr7(DR7_RESET | DR7_ENABLE(0, DR7_WRITE, 2));
	user_call(&run, probe_user_write, at, 0, 0);
	breakpoints_off();
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(hits.count, 1);
	EXPECT_EQ(hits.rip[0], user_address(probe_user_write) + 3);
	return FACT_PASS;
}

/* ---- the registers ----------------------------------------------------------------------------- */

FACT(dr6_fixed, "debug.dr6.fixed", "SDM 3B 18.2.3", "DR6 written with 0 reads as ffff0ff0")
{
	pvrom_write_dr6(0);
	EXPECT_EQ(pvrom_read_dr6(), DR6_RESET);
	return FACT_PASS;
}

FACT(dr6_sticky, "debug.dr6.sticky", "SDM 3B 18.2.3",
     "BS, once set in DR6, stays until software clears it")
{
	pvrom_write_dr6(DR6_BS);
	EXPECT_EQ(pvrom_read_dr6() & DR6_BS, DR6_BS);
	cpu_cpuid(0, 0);
	snippet_unbroken(0);
	EXPECT_EQ(pvrom_read_dr6() & DR6_BS, DR6_BS);
	pvrom_write_dr6(0);
	return FACT_PASS;
}

FACT(dr7_fixed, "debug.dr7.fixed", "SDM 3B 18.2.4", "bit 10 of DR7 reads 1 whatever is written")
{
	uint64_t seen;

	pvrom_write_dr7(0);
	seen = pvrom_read_dr7();
	breakpoints_off();
	EXPECT_EQ(seen, DR7_RESET);
	return FACT_PASS;
}
