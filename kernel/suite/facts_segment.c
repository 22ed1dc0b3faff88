/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Facts about descriptors: what a selector load checks, what 64-bit mode ignores, LDT, TSS, IRET. */
#include "fact_tools.h"

#define RPL(n) ((uint64_t)(n))
#define TI 4ull
/* Descriptor types (bits 43:40 with S), present, DPL 0; limit 0xfffff pages where it matters. */
#define DESC_DATA 0x00cf92000000ffffull
#define DESC_DATA_RO 0x00cf90000000ffffull
#define DESC_CODE64 0x00af9a000000ffffull
#define DESC_CODE32 0x00cf9a000000ffffull
#define DESC_CODE_XO 0x00af98000000ffffull
#define DESC_PRESENT BIT(47)
#define DESC_ACCESSED BIT(40)
#define DESC_TYPE(n) ((uint64_t)(n) << 40)
#define TYPE_LDT 2
#define TYPE_CALL_GATE_16 4
#define TYPE_TSS 9
#define TYPE_TSS_BUSY 11

/* For trap_try(): the selector is the argument. */
SNIPPET(load_ds, "mov %edi, %ds");
SNIPPET(load_es, "mov %edi, %es");
SNIPPET(load_ss, "mov %ss, %eax\nmov %edi, %ss\nmov %eax, %ss");

static uint64_t try_load(struct trap_catch *caught, trap_snippet_fn *load, uint64_t selector)
{
	uint64_t vector = trap_try(caught, load, selector);

	load_ds(SEL_KDATA);
	load_es(SEL_KDATA);
	return vector;
}

static uint64_t descriptor(uint16_t selector)
{
	return READ_ONCE(this_cpu()->gdt[selector / 8]);
}

/* ---- loading data segments --------------------------------------------------------------------- */

static uint64_t known_word = 0x600d;

static uint64_t read_by_ds(void)
{
	uint64_t word;

	__asm__ volatile("mov (%1), %0" : "=r"(word) : "r"(&known_word) : "memory");
	return word;
}

FACT(null_data, "segment.null.data", "SDM 3A 5.4.1.1",
     "DS and ES may be null, with any RPL, and memory is read through them all the same")
{
	struct trap_catch caught;
	uint64_t word;

	for (uint64_t rpl = 0; rpl < 4; rpl++) {
		trap_try(&caught, load_es, RPL(rpl));
		EXPECT_TRAP(caught, TRAP_NONE, 0);
	}
	load_ds(0);
	word = read_by_ds();
	load_ds(SEL_KDATA);
	load_es(SEL_KDATA);
	EXPECT_EQ(word, 0x600d);
	return FACT_PASS;
}

FACT(null_stack, "segment.null.stack", "SDM 3A 5.4.1.1", "SS may be null in a 64-bit kernel")
{
	struct trap_catch caught;

	trap_try(&caught, load_ss, 0);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(base_ignored, "segment.data.base_limit", "SDM 3A 3.2.4",
     "base and limit of the segments in DS, ES and SS are ignored in 64-bit mode")
{
	uint16_t selector = percpu_descriptor(0, 0x1200923456780010ull);
	struct trap_catch caught;
	uint64_t word;

	load_ds(selector);
	word = read_by_ds();
	load_ds(SEL_KDATA);
	EXPECT_EQ(word, 0x600d);
	trap_try(&caught, load_ss, selector);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(fs_base, "segment.fs.base", "SDM 3A 3.2.4",
     "the 32-bit base of a segment in FS counts, its limit does not")
{
	uint64_t base = (uint64_t)&known_word - 16, word;
	uint16_t selector = percpu_descriptor(0, 0x0000920000000000ull | (base & 0xffffff) << 16 |
							 (base >> 24 & 0xff) << 56);

	__asm__ volatile("mov %k1, %%fs\n\tmov %%fs:16, %0\n\tmov %k2, %%fs"
			 : "=&r"(word)
			 : "r"((uint32_t)selector), "r"(0)
			 : "memory");
	EXPECT_EQ(word, 0x600d);
	return FACT_PASS;
}

FACT(reads_back, "segment.selector", "SDM 2B MOV",
     "a segment register reads back the selector, RPL included")
{
	uint16_t selector = (uint16_t)(percpu_descriptor(0, DESC_DATA | 3ull << 45) | 3);
	uint64_t seen;

	load_es(selector);
	__asm__ volatile("mov %%es, %0" : "=r"(seen));
	load_es(SEL_KDATA);
	EXPECT_EQ(seen & 0xffff, selector);
	return FACT_PASS;
}

FACT(accessed, "segment.accessed", "SDM 3A 3.4.5.1",
     "loading a segment sets the accessed bit of its descriptor")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DESC_DATA);

	EXPECT(try_load(&caught, load_ds, selector) == TRAP_NONE, "%s", fact_vector(caught.vector));
	EXPECT_EQ(descriptor(selector), DESC_DATA | DESC_ACCESSED);
	return FACT_PASS;
}

/* ---- refused loads, each for a reason of its own ----------------------------------------------- */

FACT(beyond_es, "segment.refused.limit", "SDM 3A 5.3",
     "the error code of a selector beyond the GDT's limit is the selector without its RPL")
{
	struct trap_catch caught;
	uint64_t beyond = GDT_ENTRIES * 8;

	try_load(&caught, load_es, beyond | RPL(3));
	EXPECT_TRAP(caught, TRAP_GP, beyond);
	return FACT_PASS;
}

FACT(system_in_ds, "segment.refused.system", "SDM 3A 5.4",
     "a system descriptor in a data segment register is #GP with its selector")
{
	struct trap_catch caught;

	try_load(&caught, load_ds, SEL_TSS);
	EXPECT_TRAP(caught, TRAP_GP, SEL_TSS);
	return FACT_PASS;
}

FACT(execute_only, "segment.refused.execute_only", "SDM 3A 5.4",
     "an execute-only code segment in DS is #GP with its selector; a readable one is not")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DESC_CODE_XO);

	try_load(&caught, load_ds, selector);
	EXPECT_TRAP(caught, TRAP_GP, selector);
	percpu_descriptor(0, DESC_CODE64);
	try_load(&caught, load_ds, selector);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	return FACT_PASS;
}

FACT(data_rpl, "segment.refused.rpl", "SDM 3A 5.6",
     "a data segment of DPL 0 with RPL 3 is #GP with its selector, in the kernel too")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DESC_DATA);

	try_load(&caught, load_ds, selector | RPL(3));
	EXPECT_TRAP(caught, TRAP_GP, selector);
	return FACT_PASS;
}

FACT(stack_rpl, "segment.refused.stack_rpl", "SDM 3A 5.7",
     "SS with an RPL that is not the CPL is #GP with its selector")
{
	struct trap_catch caught;

	trap_try(&caught, load_ss, SEL_KDATA | RPL(1));
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	return FACT_PASS;
}

FACT(stack_readonly, "segment.refused.stack_readonly", "SDM 3A 5.7",
     "SS with a read-only segment is #GP with its selector")
{
	struct trap_catch caught;
	uint16_t selector = percpu_descriptor(0, DESC_DATA_RO);

	trap_try(&caught, load_ss, selector);
	EXPECT_TRAP(caught, TRAP_GP, selector);
	return FACT_PASS;
}

/* ---- LDT --------------------------------------------------------------------------------------- */

static uint64_t ldt[4] __attribute__((aligned(16)));

/* An LDT descriptor, 16 bytes in long mode, in free slots 2 and 3. */
static uint16_t ldt_selector(uint64_t present, unsigned type, uint64_t limit)
{
	uint64_t base = (uint64_t)ldt;

	percpu_descriptor(3, base >> 32);
	return percpu_descriptor(2, limit | (base & 0xffffff) << 16 | DESC_TYPE(type) | present |
					    (base >> 24 & 0xff) << 56);
}

static void load_ldt(uint64_t selector)
{
	pvrom_load_ldt((uint16_t)selector);
}

FACT(ldt_works, "segment.ldt.use", "SDM 3A 3.5",
     "a selector with TI = 1 comes from the LDT, up to its limit")
{
	struct trap_catch inside, beyond;
	uint16_t selector = ldt_selector(DESC_PRESENT, TYPE_LDT, 15);
	uint64_t stored;

	ldt[1] = DESC_DATA;
	ldt[2] = DESC_DATA;
	load_ldt(selector);
	stored = pvrom_store_ldt();
	try_load(&inside, load_ds, 8 | TI);
	try_load(&beyond, load_ds, 16 | TI);
	load_ldt(0);
	EXPECT_EQ(stored & 0xffff, selector);
	EXPECT_TRAP(inside, TRAP_NONE, 0);
	EXPECT_EQ(ldt[1], DESC_DATA | DESC_ACCESSED);
	EXPECT_TRAP(beyond, TRAP_GP, 16 | TI);
	return FACT_PASS;
}

FACT(ldt_type, "segment.ldt.type", "SDM 2A LLDT",
     "lldt of a descriptor that is no LDT is #GP with its selector")
{
	struct trap_catch caught;

	trap_try(&caught, load_ldt, SEL_KDATA);
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	return FACT_PASS;
}

FACT(ldt_absent, "segment.ldt.absent", "SDM 2A LLDT",
     "lldt of an LDT that is not present is #NP with its selector")
{
	struct trap_catch caught;
	uint16_t selector = ldt_selector(0, TYPE_LDT, 15);

	trap_try(&caught, load_ldt, selector);
	EXPECT_TRAP(caught, TRAP_NP, selector);
	return FACT_PASS;
}

/* ---- TSS --------------------------------------------------------------------------------------- */

static void load_tr(uint64_t selector)
{
	cpu_ltr((uint16_t)selector);
}

FACT(tr_busy, "segment.tss.busy", "SDM 2A LTR",
     "ltr makes its TSS busy, str shows it, and ltr of a busy TSS is #GP with its selector")
{
	struct trap_catch caught;
	uint64_t *gdt = this_cpu()->gdt, available = gdt[SEL_TSS / 8] & ~(DESC_TYPE(2));
	uint64_t stored, busy;
	uint16_t selector;

	percpu_descriptor(3, gdt[SEL_TSS / 8 + 1]);
	selector = percpu_descriptor(2, available);
	load_tr(selector);
	stored = pvrom_store_tr();
	busy = descriptor(selector);
	trap_try(&caught, load_tr, selector);
	WRITE_ONCE(gdt[SEL_TSS / 8], available);
	load_tr(SEL_TSS);
	EXPECT_EQ(stored & 0xffff, selector);
	EXPECT_EQ(busy, available | DESC_TYPE(2));
	EXPECT_TRAP(caught, TRAP_GP, selector);
	EXPECT_EQ(descriptor(SEL_TSS), available | DESC_TYPE(2));
	return FACT_PASS;
}

FACT(tr_type, "segment.tss.type", "SDM 2A LTR", "ltr of a data segment is #GP with its selector")
{
	struct trap_catch caught;

	trap_try(&caught, load_tr, SEL_KDATA);
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	return FACT_PASS;
}

/* ---- SGDT, SIDT, LAR, LSL, VERR ---------------------------------------------------------------- */

FACT(sgdt, "segment.sgdt", "SDM 2B SGDT",
     "sgdt and sidt store the limit and the 64-bit base that were loaded")
{
	struct table_pointer gdt = { 0 }, idt = { 0 };

	pvrom_store_gdt(&gdt.limit);
	pvrom_store_idt(&idt.limit);
	EXPECT_EQ(gdt.base, this_cpu()->gdt);
	EXPECT_EQ(gdt.limit, sizeof(this_cpu()->gdt) - 1);
	EXPECT_EQ(idt.base, trap_idt);
	EXPECT_EQ(idt.limit, sizeof(trap_idt) - 1);
	return FACT_PASS;
}

FACT(lgdt_copy, "segment.lgdt", "SDM 2A LGDT",
     "after lgdt selectors come from the new table, and loaded segments stay as they are")
{
	static uint64_t copy[GDT_ENTRIES];
	struct table_pointer old = { .limit = sizeof(copy) - 1, .base = (uint64_t)this_cpu()->gdt };
	struct table_pointer new = { .limit = sizeof(copy) - 1, .base = (uint64_t)copy };
	struct trap_catch caught;

	percpu_descriptor(1, 0);
	memcpy(copy, this_cpu()->gdt, sizeof(copy));
	copy[SEL_FREE / 8 + 1] = DESC_DATA;
	cpu_lgdt(&new);
	try_load(&caught, load_ds, SEL_FREE + 8);
	cpu_lgdt(&old);
	EXPECT_TRAP(caught, TRAP_NONE, 0);
	EXPECT_EQ(copy[SEL_FREE / 8 + 1], DESC_DATA | DESC_ACCESSED);
	EXPECT_EQ(descriptor(SEL_FREE + 8), 0);
	return FACT_PASS;
}

FACT(tables_keep_if, "segment.keeps_if", "SDM 2A LGDT", "lgdt, lidt and lldt leave interrupts off")
{
	struct table_pointer gdt = { 0 }, idt = { 0 };
	uint64_t flags;

	cpu_cli();
	pvrom_store_gdt(&gdt.limit);
	pvrom_store_idt(&idt.limit);
	cpu_lgdt(&gdt);
	flags = cpu_save_flags();
	cpu_lidt(&idt);
	flags |= cpu_save_flags();
	load_ldt(0);
	flags |= cpu_save_flags();
	EXPECT_EQ(flags & FLAG_IF, 0);
	return FACT_PASS;
}

/* LAR's result, or ~0 where ZF said that there is none. */
static uint64_t lar(uint64_t selector)
{
	uint64_t rights = 0;
	bool valid;

	__asm__ volatile("lar %k2, %k0" : "+r"(rights), "=@ccz"(valid) : "r"(selector));
	return valid ? rights : ~0ull;
}

static uint64_t lsl(uint64_t selector)
{
	uint64_t limit = 0;
	bool valid;

	__asm__ volatile("lsl %k2, %k0" : "+r"(limit), "=@ccz"(valid) : "r"(selector));
	return valid ? limit : ~0ull;
}

FACT(lar_values, "segment.lar", "SDM 2A LAR",
     "lar returns the second word of a descriptor, masked; it refuses null, absent and gate "
     "descriptors")
{
	uint16_t gate = percpu_descriptor(0, DESC_PRESENT | DESC_TYPE(14));

	EXPECT_EQ(lar(SEL_KCODE) & 0xf0ff00, 0xa09b00);
	EXPECT_EQ(lar(SEL_UDATA | 3) & 0xf0ff00, 0xc0f300);
	EXPECT_EQ(lar(0), ~0ull);
	EXPECT_EQ(lar(GDT_ENTRIES * 8), ~0ull);
	EXPECT_EQ(lar(gate), ~0ull);
	EXPECT_EQ(lar(SEL_KDATA | 3), ~0ull);
	return FACT_PASS;
}

FACT(lsl_values, "segment.lsl", "SDM 2A LSL",
     "lsl returns the limit in bytes: of pages where G is set")
{
	uint16_t bytes = percpu_descriptor(0, 0x0043920000001234ull);
	uint16_t pages = percpu_descriptor(1, 0x00c3920000001234ull);

	EXPECT_EQ(lsl(bytes), 0x31234);
	EXPECT_EQ(lsl(pages), 0x31234fff);
	EXPECT_EQ(lsl(SEL_TSS), sizeof(struct tss) - 1);
	EXPECT_EQ(lsl(0), ~0ull);
	return FACT_PASS;
}

static bool verr(uint64_t selector)
{
	bool valid;

	__asm__ volatile("verr %w1" : "=@ccz"(valid) : "r"(selector));
	return valid;
}

static bool verw(uint64_t selector)
{
	bool valid;

	__asm__ volatile("verw %w1" : "=@ccz"(valid) : "r"(selector));
	return valid;
}

FACT(verr_verw, "segment.verr", "SDM 2B VERR",
     "verr and verw say what may be read and what written")
{
	uint16_t read_only = percpu_descriptor(0, DESC_DATA_RO);
	uint16_t execute_only = percpu_descriptor(1, DESC_CODE_XO);

	EXPECT(verr(SEL_KDATA) && verw(SEL_KDATA), "data");
	EXPECT(verr(read_only) && !verw(read_only), "read-only data");
	EXPECT(!verr(execute_only) && !verw(execute_only), "execute-only code");
	EXPECT(!verr(SEL_TSS) && !verr(0), "a TSS, or null");
	EXPECT(!verr(SEL_KDATA | 3), "the kernel's data with RPL 3");
	return FACT_PASS;
}

/* ---- far transfers ----------------------------------------------------------------------------- */

SNIPPET(far_return, "lea 1f(%rip), %rax\npush %rdi\npush %rax\nlretq\n1:");
FACT(far_bad, "segment.far.refused", "SDM 2B RET",
     "a far return to a null CS is #GP(0), to data #GP and to an absent segment #NP with its "
     "selector")
{
	struct trap_catch caught;
	uint16_t absent = percpu_descriptor(0, DESC_CODE64 & ~DESC_PRESENT);

	trap_try(&caught, far_return, 0);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	trap_try(&caught, far_return, SEL_KDATA);
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	trap_try(&caught, far_return, absent);
	EXPECT_TRAP(caught, TRAP_NP, absent);
	return FACT_PASS;
}

/*
 * Compatibility mode in the kernel, interrupts off: code and stack lie below 4 GiB. Byte 40 is
 * inc %eax there and a REX prefix in 64-bit mode.
 */
extern uint32_t facts_compat_result;
uint32_t facts_compat_result;
SNIPPET(compat_visit, "push %rdi\nlea 1f(%rip), %rax\npush %rax\nmov $5, %eax\nlretq\n"
		      ".code32\n1: inc %eax\nmov %eax, facts_compat_result\n"
		      "push $8\npush $2f\nlret\n"
		      ".code64\n2:");

FACT(compat_kernel, "segment.far.compat", "SDM 3A 2.2",
     "a far return to a 32-bit code segment enters compatibility mode, another one leaves it")
{
	uint16_t code32 = percpu_descriptor(0, DESC_CODE32);

	facts_compat_result = 0;
	cpu_cli();
	compat_visit(code32);
	cpu_sti();
	EXPECT_EQ(facts_compat_result, 6);
	return FACT_PASS;
}

SNIPPET(far_call, "push $0\nmov %edi, 4(%rsp)\nlcall *(%rsp)\nadd $8, %rsp");

FACT(far_gate, "segment.far.gate", "SDM 3A 5.8.3.1",
     "a 16-bit call gate, and a jump to a TSS, do not exist in long mode: #GP with the selector")
{
	struct trap_catch caught;
	uint16_t gate = percpu_descriptor(0, DESC_PRESENT | DESC_TYPE(TYPE_CALL_GATE_16) |
						     (uint64_t)SEL_KCODE << 16);

	percpu_descriptor(1, 0);
	trap_try(&caught, far_call, gate);
	EXPECT_TRAP(caught, TRAP_GP, gate);
	trap_try(&caught, far_call, SEL_TSS);
	EXPECT_TRAP(caught, TRAP_GP, SEL_TSS);
	return FACT_PASS;
}

/* ---- IRET -------------------------------------------------------------------------------------- */

/* The five words that iretq finds. */
struct iret_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

static void try_iret(uint64_t frame)
{
	PVROM_ASM("push 32(%0)\n\tpush 24(%0)\n\tpush 16(%0)\n\tpush 8(%0)\n\tpush "
		  "(%0)\n\t" PVROM_SITE(PVROM_PAD_3 "iretq")
		  :
		  : "r"(frame), PVROM_SITE_OF(PVROM_CPU_IRET)
		  : "memory", "cc");
	__builtin_unreachable();
}

static void iret(struct trap_catch *caught, uint64_t cs, uint64_t ss, uint64_t rip)
{
	struct iret_frame frame = {
		.rip = rip, .cs = cs, .rflags = 2, .rsp = USER_STACK_TOP - 64, .ss = ss
	};

	trap_try(caught, try_iret, (uint64_t)&frame);
}

FACT(iret_cs, "segment.iret.cs", "SDM 2A IRET",
     "iret to a null CS is #GP(0), to data #GP, to an absent segment #NP, beyond the GDT #GP")
{
	struct trap_catch caught;
	uint16_t absent = percpu_descriptor(0, DESC_CODE64 & ~DESC_PRESENT);
	uint64_t beyond = GDT_ENTRIES * 8;

	iret(&caught, 0, SEL_KDATA, (uint64_t)probe_read);
	EXPECT_TRAP(caught, TRAP_GP, 0);
	iret(&caught, SEL_KDATA, SEL_KDATA, (uint64_t)probe_read);
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	iret(&caught, absent, SEL_KDATA, (uint64_t)probe_read);
	EXPECT_TRAP(caught, TRAP_NP, absent);
	iret(&caught, beyond, SEL_KDATA, (uint64_t)probe_read);
	EXPECT_TRAP(caught, TRAP_GP, beyond);
	return FACT_PASS;
}

FACT(iret_ss_null, "segment.iret.ss_null", "SDM 2A IRET",
     "iret to user mode with a null SS is #GP(0)")
{
	struct trap_catch caught;

	iret(&caught, SEL_UCODE | 3, 0, user_address(probe_user_nothing));
	EXPECT_TRAP(caught, TRAP_GP, 0);
	return FACT_PASS;
}

FACT(iret_ss, "segment.iret.ss", "SDM 2A IRET",
     "iret to user mode with the kernel's SS, or a code segment in SS, is #GP with its selector")
{
	struct trap_catch caught;

	iret(&caught, SEL_UCODE | 3, SEL_KDATA, user_address(probe_user_nothing));
	EXPECT_TRAP(caught, TRAP_GP, SEL_KDATA);
	iret(&caught, SEL_UCODE | 3, SEL_UCODE | 3, user_address(probe_user_nothing));
	EXPECT_TRAP(caught, TRAP_GP, SEL_UCODE);
	return FACT_PASS;
}

FACT(iret_rpl, "segment.iret.rpl", "SDM 2A IRET",
     "iret to a non-conforming segment whose DPL is not the RPL is #GP with its selector")
{
	struct trap_catch caught;

	iret(&caught, SEL_KCODE | 3, SEL_UDATA | 3, user_address(probe_user_nothing));
	EXPECT_TRAP(caught, TRAP_GP, SEL_KCODE);
	iret(&caught, SEL_UCODE | 2, SEL_UDATA | 2, user_address(probe_user_nothing));
	EXPECT_TRAP(caught, TRAP_GP, SEL_UCODE);
	return FACT_PASS;
}
