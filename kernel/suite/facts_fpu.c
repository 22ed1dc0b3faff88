/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Facts about x87, SSE and AVX state: what keeps it, what saves it, what traps. The kernel itself
 * uses no such register, so a fact may fill them all and look at them later.
 */
#include "fact_tools.h"
#include "irq.h"
#include "smp.h"
#include "time.h"

#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define XCR0_X87 1ull
#define XCR0_SSE 2ull
#define XCR0_AVX 4ull
#define MXCSR_RESET 0x1f80u
#define MXCSR_ZE 4u
#define FSW_ZE 4u
#define FSW_ES 0x80u

/* SDM vol. 1 table 10-2: the 512 bytes of FXSAVE. */
struct fx_image {
	uint16_t fcw, fsw;
	uint8_t ftw, reserved;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	struct {
		uint8_t bytes[10], reserved[6];
	} st[8];
	uint64_t xmm[16][2];
	uint64_t unused[12];
};
_Static_assert(sizeof(struct fx_image) == 512, "SDM vol. 1 10.5.1");

/* Legacy region, header, then the rest in standard form: enough for AVX. */
struct xsave_image {
	struct fx_image fx;
	uint64_t xstate_bv, xcomp_bv, reserved[6];
	uint64_t rest[64];
} __attribute__((aligned(64)));

static struct xsave_image image, wanted;

/* No TS, no EM, SSE and, where there is XSAVE, that. */
static void fpu_on(void)
{
	cpu_write_cr0((cpu_read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	cpu_write_cr4(cpu_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (HAS_XSAVE ? CR4_OSXSAVE : 0));
}

static void fninit(void)
{
	uint32_t mxcsr = MXCSR_RESET;

	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr) : "memory");
}

static void fxsave(struct fx_image *to)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(to) : "memory");
}

static void fxrstor(const struct fx_image *from)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(from) : "memory");
}

static void xsave(struct xsave_image *to, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(to), "a"((uint32_t)mask), "d"(0) : "memory");
}

static void xrstor(const struct xsave_image *from, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(from), "a"((uint32_t)mask), "d"(0) : "memory");
}

/* ---- what leaves the registers alone ----------------------------------------------------------- */

/* A different value in each register, made from SEED. All x87 registers hold valid numbers. */
static void fill_image(struct fx_image *fx, uint64_t seed)
{
	memset(fx, 0, sizeof(*fx));
	fx->fcw = 0x027f;
	fx->ftw = 0xff;
	fx->mxcsr = 0x3f80;
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned b = 0; b < 8; b++)
			fx->st[i].bytes[b] = (uint8_t)(seed + 17 * i + b);
		fx->st[i].bytes[7] |= 0x80;
		fx->st[i].bytes[8] = (uint8_t)(0x10 + i);
		fx->st[i].bytes[9] = 0x40;
	}
	for (unsigned i = 0; i < 16; i++) {
		fx->xmm[i][0] = seed * (i + 1);
		fx->xmm[i][1] = ~seed + i;
	}
}

/* FOP, FIP and FDP are left out: when they are saved differs between makers of CPUs. */
static bool same_state(const struct fx_image *a, const struct fx_image *b)
{
	return a->fcw == b->fcw && a->fsw == b->fsw && a->ftw == b->ftw && a->mxcsr == b->mxcsr &&
	       !memcmp(a->st, b->st, sizeof(a->st)) && !memcmp(a->xmm, b->xmm, sizeof(a->xmm));
}

static void nothing(struct trap_frame *frame)
{
	(void)frame;
}

static void event_interrupt(void)
{
	irq_set(VECTOR_FIRST_FREE, nothing);
	self_interrupt(VECTOR_FIRST_FREE);
}

static void event_calls(void)
{
	for (unsigned i = 0; i < 20; i++) {
		cpu_cpuid(i, 0);
		cpu_out8(0x80, (uint8_t)i);
		cpu_in8(0x80);
		cpu_rdmsr(MSR_EFER);
		cpu_write_cr0(cpu_read_cr0());
	}
}

static void event_halt(void)
{
	halt_for_alarm(2000);
}

static void event_user(void)
{
	struct user_run run;

	user_call(&run, probe_user_nothing, 0, 0, 0);
}

static void event_fault(void)
{
	struct trap_catch caught;

	test_clear();
	trap_try(&caught, probe_read, TEST_BASE);
	test_page(TEST_BASE, K_RW);
	probe_write(TEST_BASE);
}

static void load_other_state(void *argument)
{
	static struct fx_image other __attribute__((aligned(16)));

	(void)argument;
	fpu_on();
	fill_image(&other, 0x5555666677778888);
	fxrstor(&other);
	fxsave(&other);
}

/* With one CPU the work is not done: it would be no other CPU's. */
static void event_other_cpu(void)
{
	if (other_cpu())
		smp_run(other_cpu(), load_other_state, NULL);
}

static enum verdict kept_over(void (*event)(void))
{
	fpu_on();
	fill_image(&wanted.fx, 0x0123456789abcdef);
	fxrstor(&wanted.fx);
	fxsave(&wanted.fx);
	event();
	fxsave(&image.fx);
	fninit();
	EXPECT(same_state(&image.fx, &wanted.fx),
	       "fcw %x fsw %x ftw %x mxcsr %x, xmm0 %lx, xmm15 %lx", image.fx.fcw, image.fx.fsw,
	       image.fx.ftw, image.fx.mxcsr, image.fx.xmm[0][0], image.fx.xmm[15][1]);
	return FACT_PASS;
}

#define KEPT_FACT(event, manual, text)                                                             \
	FACT(kept_##event, "fpu.kept." #event, manual,                                             \
	     "x87 and SSE registers are kept over " text)                                          \
	{                                                                                          \
		return kept_over(event_##event);                                                   \
	}
KEPT_FACT(interrupt, "SDM 3A 14.1", "an interrupt")
KEPT_FACT(calls, "SDM 3A 14.1", "CPUID, port and register accesses")
KEPT_FACT(halt, "SDM 2A HLT", "a halt that an alarm ends")
KEPT_FACT(user, "SDM 3A 14.1", "a visit to user mode")
KEPT_FACT(fault, "SDM 3A 14.1", "a page fault and the access that fills the page")
KEPT_FACT(other_cpu, "SDM 3A 9.7.1", "another CPU loading other values")

USER_CODE(user_xmm, "movq %xmm5, %rax\nmovq %rdi, %xmm5\nfldpi");

FACT(user_shares, "fpu.user.shared", "SDM 3A 14.1",
     "kernel and user mode have one set of registers: each sees what the other left")
{
	struct user_run run;

	fpu_on();
	fninit();
	fill_image(&wanted.fx, 0x1111222233334444);
	wanted.fx.ftw = 0;
	fxrstor(&wanted.fx);
	user_call(&run, user_xmm, 0xabcdabcdabcdabcd, 0, 0);
	fxsave(&image.fx);
	fninit();
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(run.frame.rax, wanted.fx.xmm[5][0]);
	EXPECT_EQ(image.fx.xmm[5][0], 0xabcdabcdabcdabcd);
	EXPECT_EQ(image.fx.ftw, 0x80);
	return FACT_PASS;
}

/* ---- FNINIT, FXSAVE, FXRSTOR ------------------------------------------------------------------- */

FACT(fninit_state, "fpu.fninit", "SDM 2A FINIT",
     "fninit leaves control word 37f, status 0 and all registers empty")
{
	fpu_on();
	fill_image(&wanted.fx, 7);
	fxrstor(&wanted.fx);
	__asm__ volatile("fninit");
	fxsave(&image.fx);
	EXPECT_EQ(image.fx.fcw, 0x37f);
	EXPECT_EQ(image.fx.fsw, 0);
	EXPECT_EQ(image.fx.ftw, 0);
	fninit();
	return FACT_PASS;
}

FACT(fxsave_layout, "fpu.fxsave.layout", "SDM 1 10.5.1",
     "fxsave puts control words, MXCSR, ST0 and XMM registers where the table says")
{
	uint64_t pattern = 0x1020304050607080;
	uint16_t fcw = 0x077f;
	uint32_t mxcsr = 0x5f80;

	fpu_on();
	fninit();
	memset(&image, 0xee, sizeof(image));
	__asm__ volatile("fldcw %0\n\tldmxcsr %1\n\tfld1\n\tmovq %2, %%xmm0\n\tmovq %2, %%xmm15"
			 :
			 : "m"(fcw), "m"(mxcsr), "r"(pattern)
			 : "memory");
	fxsave(&image.fx);
	fninit();
	EXPECT_EQ(image.fx.fcw, fcw);
	EXPECT_EQ(image.fx.fsw >> 11 & 7, 7);
	EXPECT_EQ(image.fx.ftw, 0x80);
	EXPECT_EQ(image.fx.mxcsr, mxcsr);
	EXPECT_EQ(image.fx.mxcsr_mask & 0xffbf, 0xffbf);
	EXPECT_EQ(image.fx.st[0].bytes[9], 0x3f);
	EXPECT_EQ(image.fx.st[0].bytes[7], 0x80);
	EXPECT_EQ(image.fx.xmm[0][0], pattern);
	EXPECT_EQ(image.fx.xmm[15][0], pattern);
	return FACT_PASS;
}

SNIPPET(snippet_fxsave, "fxsave64 (%rdi)");

FACT(fxsave_unaligned, "fpu.fxsave.unaligned", "SDM 2A FXSAVE",
     "fxsave to an address that is no multiple of 16 is #GP(0)")
{
	struct trap_catch caught;

	fpu_on();
	trap_try(&caught, snippet_fxsave, (uint64_t)&image + 8);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(fxsave_ts, "fpu.fxsave.ts", "SDM 2A FXSAVE", "fxsave is #NM while CR0.TS is set")
{
	struct trap_catch caught;

	fpu_on();
	cpu_write_cr0(cpu_read_cr0() | CR0_TS);
	trap_try(&caught, snippet_fxsave, (uint64_t)&image);
	pvrom_clts();
	EXPECT_TRAP(caught, TRAP_NM, 0);
	return FACT_PASS;
}

/* ---- x87 and SSE exceptions -------------------------------------------------------------------- */

static uint16_t status_word(void)
{
	uint16_t fsw;

	__asm__ volatile("fnstsw %0" : "=m"(fsw));
	return fsw;
}

SNIPPET(snippet_divide, "fld1\nfldz\nfdivrp %st, %st(1)");

FACT(mf_masked, "fpu.x87.masked", "SDM 1 8.4", "a masked x87 zero-divide sets ZE and traps nowhere")
{
	struct trap_catch caught;
	uint16_t fsw;

	fpu_on();
	fninit();
	trap_try(&caught, snippet_divide, 0);
	fsw = status_word();
	fninit();
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(fsw & (FSW_ZE | FSW_ES), FSW_ZE);
	return FACT_PASS;
}

SNIPPET(snippet_fwait, "fwait");

FACT(mf_deferred, "fpu.x87.deferred", "SDM 1 8.7",
     "an unmasked x87 zero-divide sets ES and traps not there but at fwait; fnclex ends that")
{
	struct trap_catch divide, next, cleared;
	uint16_t fsw, fcw = 0x037b;

	fpu_on();
	fninit();
	__asm__ volatile("fldcw %0" : : "m"(fcw));
	trap_try(&divide, snippet_divide, 0);
	fsw = status_word();
	trap_try(&next, snippet_fwait, 0);
	__asm__ volatile("fnclex");
	trap_try(&cleared, snippet_fwait, 0);
	fninit();
	EXPECT_TRAP(divide, TRAP_NONE, 0);
	EXPECT_EQ(fsw & (FSW_ZE | FSW_ES), FSW_ZE | FSW_ES);
	EXPECT_TRAP(next, TRAP_MF, 0);
	EXPECT_EQ(next.frame.rip, snippet_fwait);
	EXPECT_TRAP(cleared, TRAP_NONE, 0);
	return FACT_PASS;
}

SNIPPET(snippet_sse_divide, "mov $0x3f800000, %eax\nmovd %eax, %xmm0\nxorps %xmm1, %xmm1\n"
			    "divss %xmm1, %xmm0\nmovd %xmm0, (%rdi)");

FACT(xm_masked, "fpu.sse.masked", "SDM 1 11.5.2.2",
     "a masked SSE zero-divide gives infinity and sets MXCSR.ZE")
{
	struct trap_catch caught;
	uint32_t result = 0, mxcsr;

	fpu_on();
	fninit();
	trap_try(&caught, snippet_sse_divide, (uint64_t)&result);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	fninit();
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(result, 0x7f800000);
	EXPECT_EQ(mxcsr, MXCSR_RESET | MXCSR_ZE);
	return FACT_PASS;
}

FACT(mmx_alias, "fpu.mmx", "SDM 1 9.6.2",
     "an MMX write goes to an x87 register and marks all of them valid; emms empties them")
{
	struct fx_image *after = &image.fx;

	fpu_on();
	fninit();
	__asm__ volatile("movq %0, %%mm3" : : "r"(0x1122334455667788));
	fxsave(&wanted.fx);
	__asm__ volatile("emms");
	fxsave(after);
	fninit();
	EXPECT_EQ(wanted.fx.ftw, 0xff);
	EXPECT_EQ(*(uint64_t *)(void *)wanted.fx.st[3].bytes, 0x1122334455667788);
	EXPECT_EQ(after->ftw, 0);
	return FACT_PASS;
}

/* ---- XSAVE ------------------------------------------------------------------------------------- */

static void write_xcr0(uint64_t value)
{
	pvrom_write_xcr(0, value);
}

static uint64_t read_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/*
 * Tries SNIPPET with XCR0 = VALUE, and again if XCR0 has another value afterwards. There is a
 * software SVM whose XSETBV its hypervisor never hears of: a later VM entry takes the value back.
 * A host that always does so fails here. XCR0 is 1 again at the end.
 */
static bool try_with_xcr0(struct trap_catch *caught, trap_snippet_fn *snippet, uint64_t value)
{
	bool held = false;

	for (unsigned i = 0; i < 100 && !held; i++) {
		pvrom_write_xcr(0, value);
		trap_try(caught, snippet, (uint64_t)&image);
		held = read_xcr0() == value;
	}
	pvrom_write_xcr(0, XCR0_X87);
	return held;
}

SNIPPET(snippet_nothing, "nop");

FACT(xcr0_readback, "fpu.xcr0.readback", "SDM 2D XSETBV", "XCR0 reads back as written")
{
	struct trap_catch caught;

	NEED(XSAVE);
	fpu_on();
	EXPECT(try_with_xcr0(&caught, snippet_nothing, XCR0_X87 | XCR0_SSE), "3 does not hold");
	EXPECT(try_with_xcr0(&caught, snippet_nothing, XCR0_X87), "1 does not hold");
	EXPECT_EQ(read_xcr0(), XCR0_X87);
	return FACT_PASS;
}

FACT(xcr0_bad, "fpu.xcr0.refused", "SDM 2D XSETBV",
     "XCR0 without x87, with AVX but not SSE, or with a reserved bit is #GP(0)")
{
	static const uint64_t bad[] = { XCR0_SSE, XCR0_X87 | XCR0_AVX,
					XCR0_X87 | XCR0_SSE | BIT(62) };
	struct trap_catch caught;

	NEED(XSAVE);
	fpu_on();
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		trap_try(&caught, write_xcr0, bad[i]);
		EXPECT(caught.vector == TRAP_GP && !caught.error, "XCR0 = %lx: %s", bad[i],
		       fact_vector(caught.vector));
	}
	return FACT_PASS;
}

SNIPPET(snippet_avx, "vpxor %xmm0, %xmm0, %xmm0");

FACT(avx_xcr0, "fpu.xcr0.avx", "SDM 2A 2.7",
     "AVX instructions work when XCR0 has SSE and AVX, and are #UD when it has no AVX")
{
	struct trap_catch off, on;

	NEED(XSAVE);
	NEED(AVX);
	fpu_on();
	EXPECT(try_with_xcr0(&on, snippet_avx, XCR0_X87 | XCR0_SSE | XCR0_AVX), "7 does not hold");
	EXPECT(try_with_xcr0(&off, snippet_avx, XCR0_X87), "1 does not hold");
	EXPECT_TRAP(on, TRAP_NONE, 0);
	EXPECT_TRAP(off, TRAP_UD, 0);
	return FACT_PASS;
}

SNIPPET(snippet_xsave_sse, "movq %rdi, %xmm3\nfld1\nmov $2, %eax\nxor %edx, %edx\nxsave64 (%rdi)");

FACT(xsave_mask, "fpu.xsave.mask", "SDM 1 13.7",
     "xsave writes the components asked for and sets only their bits in XSTATE_BV")
{
	struct trap_catch caught;

	NEED(XSAVE);
	fpu_on();
	fninit();
	memset(&image, 0, sizeof(image));
	EXPECT(try_with_xcr0(&caught, snippet_xsave_sse, XCR0_X87 | XCR0_SSE), "3 does not hold");
	fninit();
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(image.xstate_bv, XCR0_SSE);
	EXPECT_EQ(image.fx.xmm[3][0], &image);
	EXPECT_EQ(image.fx.fcw, 0);
	EXPECT_EQ(image.fx.st[0].bytes[9], 0);
	return FACT_PASS;
}

SNIPPET(snippet_xsave_avx,
	"vpcmpeqd %xmm0, %xmm0, %xmm0\nvinsertf128 $1, %xmm0, %ymm0, %ymm0\nmov $4, %eax\n"
	"xor %edx, %edx\nxsave64 (%rdi)\nvzeroall");

FACT(xsave_avx, "fpu.xsave.avx", "SDM 1 13.5.3",
     "xsave puts the upper halves of YMM registers where CPUID leaf 0xd says")
{
	struct cpuid_regs leaf = cpu_cpuid(0xd, 2);
	struct trap_catch caught;

	NEED(XSAVE);
	NEED(AVX);
	fpu_on();
	memset(&image, 0, sizeof(image));
	EXPECT(try_with_xcr0(&caught, snippet_xsave_avx, XCR0_X87 | XCR0_SSE | XCR0_AVX),
	       "7 does not hold");
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(leaf.eax, 256);
	EXPECT(leaf.ebx >= 576 && leaf.ebx + 256 <= sizeof(image), "offset %u", leaf.ebx);
	EXPECT_EQ(image.xstate_bv, XCR0_AVX);
	EXPECT_EQ(*(uint64_t *)(void *)((char *)&image + leaf.ebx), ~0ull);
	EXPECT_EQ(*(uint64_t *)(void *)((char *)&image + leaf.ebx + 8), ~0ull);
	return FACT_PASS;
}

FACT(xsave_restore, "fpu.xrstor.restore", "SDM 1 13.8",
     "xrstor brings back the x87 state that xsave wrote")
{
	NEED(XSAVE);
	fpu_on();
	fill_image(&wanted.fx, 0x4444555566667777);
	fxrstor(&wanted.fx);
	memset(&image, 0, sizeof(image));
	xsave(&image, XCR0_X87);
	fninit();
	xrstor(&image, XCR0_X87);
	fxsave(&image.fx);
	fninit();
	EXPECT_EQ(image.xstate_bv, XCR0_X87);
	EXPECT_EQ(image.fx.fcw, wanted.fx.fcw);
	EXPECT_EQ(image.fx.ftw, 0xff);
	EXPECT(!memcmp(image.fx.st, wanted.fx.st, sizeof(image.fx.st)), "ST registers differ");
	return FACT_PASS;
}

FACT(xrstor_init, "fpu.xrstor.init", "SDM 1 13.8",
     "xrstor puts a component whose XSTATE_BV bit is 0 into its initial state")
{
	NEED(XSAVE);
	fpu_on();
	fill_image(&wanted.fx, 0x99999);
	fxrstor(&wanted.fx);
	memset(&image, 0, sizeof(image));
	image.fx.mxcsr = MXCSR_RESET;
	xrstor(&image, XCR0_X87);
	fxsave(&image.fx);
	fninit();
	EXPECT_EQ(image.fx.fcw, 0x37f);
	EXPECT_EQ(image.fx.ftw, 0);
	EXPECT_EQ(image.fx.xmm[5][0], wanted.fx.xmm[5][0]);
	return FACT_PASS;
}

static void try_xrstor(uint64_t mask)
{
	xrstor(&image, mask);
}

FACT(xrstor_bad, "fpu.xrstor.header", "SDM 1 13.8",
     "xrstor of a header with a bit that XCR0 has not is #GP(0)")
{
	struct trap_catch caught;

	NEED(XSAVE);
	fpu_on();
	memset(&image, 0, sizeof(image));
	image.fx.mxcsr = MXCSR_RESET;
	image.xstate_bv = BIT(62);
	trap_try(&caught, try_xrstor, XCR0_X87);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

/* ---- lazy switching ---------------------------------------------------------------------------- */

static unsigned lazy_count;

/* What a kernel does that loads FPU state at its first use. */
static void lazy_load(struct trap_frame *frame)
{
	(void)frame;
	lazy_count++;
	pvrom_clts();
	fxrstor(&wanted.fx);
}

static void lazy_begin(void)
{
	lazy_count = 0;
	fpu_on();
	fninit();
	fill_image(&wanted.fx, 0x4242424242424242);
	irq_set(TRAP_NM, lazy_load);
	cpu_write_cr0(cpu_read_cr0() | CR0_TS);
}

SNIPPET(snippet_two_uses, "movq %xmm2, (%rdi)\nmovq %xmm4, 8(%rdi)");

FACT(lazy_kernel, "fpu.lazy.kernel", "SDM 3A 2.5",
     "the first use with TS set is #NM; after clts it goes on, and there is no second")
{
	uint64_t seen[2] = { 0 };

	lazy_begin();
	snippet_two_uses((uint64_t)seen);
	fninit();
	EXPECT_EQ(lazy_count, 1);
	EXPECT_EQ(seen[0], wanted.fx.xmm[2][0]);
	EXPECT_EQ(seen[1], wanted.fx.xmm[4][0]);
	return FACT_PASS;
}

USER_CODE(user_two_uses, "movq %xmm2, %rax\nmovq %xmm4, %rdx");

FACT(lazy_user, "fpu.lazy.user", "SDM 3A 2.5", "the same in user mode")
{
	struct user_run run;

	lazy_begin();
	user_call(&run, user_two_uses, 0, 0, 0);
	fninit();
	EXPECT_TRAP(run, VECTOR_USER_EXIT, 0);
	EXPECT_EQ(lazy_count, 1);
	EXPECT_EQ(run.frame.rax, wanted.fx.xmm[2][0]);
	EXPECT_EQ(run.frame.rdx, wanted.fx.xmm[4][0]);
	return FACT_PASS;
}
