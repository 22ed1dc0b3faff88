/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest that speaks to a host without the shim, register by register: what the document says of a
 * hypercall must be true on the wire. Needs a host with the port transport; prints TAP on COM1.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvrom/abi.h>

enum reg { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, REGS };

void kernel_main(void);
void wire_call(uint64_t regs[REGS]); /* loads all, `out %eax,%dx`, stores all */
__asm__("wire_call:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rdi\n\t"
	"pushq 120(%rdi); popfq\n\t"
	"mov (%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; mov 24(%rdi), %rdx\n\t"
	"mov 32(%rdi), %rsi; mov 48(%rdi), %rbp; mov 56(%rdi), %r8; mov 64(%rdi), %r9\n\t"
	"mov 72(%rdi), %r10; mov 80(%rdi), %r11; mov 88(%rdi), %r12; mov 96(%rdi), %r13\n\t"
	"mov 104(%rdi), %r14; mov 112(%rdi), %r15; mov 40(%rdi), %rdi\n\t"
	"out %eax, %dx\n\t"
	"pushfq; push %rdi; mov 16(%rsp), %rdi; popq 40(%rdi); popq 120(%rdi)\n\t"
	"mov %rax, (%rdi); mov %rbx, 8(%rdi); mov %rcx, 16(%rdi); mov %rdx, 24(%rdi)\n\t"
	"mov %rsi, 32(%rdi); mov %rbp, 48(%rdi); mov %r8, 56(%rdi); mov %r9, 64(%rdi)\n\t"
	"mov %r10, 72(%rdi); mov %r11, 80(%rdi); mov %r12, 88(%rdi); mov %r13, 96(%rdi)\n\t"
	"mov %r14, 104(%rdi); mov %r15, 112(%rdi)\n\t"
	"cld; pop %rdi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret");

static uint16_t port;
static const struct pvrom_rom_header *rom;
static unsigned int count, failed;

/* ---- what a kernel without anything has ----------------------------------------------------------- */

static void out8(uint16_t to, uint8_t value)
{
	__asm__ volatile("out %%al, %%dx" ::"a"(value), "d"(to));
}
static void out32(uint16_t to, uint32_t value)
{
	__asm__ volatile("out %%eax, %%dx" ::"a"(value), "d"(to) : "memory");
}
static uint32_t in32(uint16_t from)
{
	uint32_t value;

	__asm__ volatile("in %%dx, %%eax" : "=a"(value) : "d"(from) : "memory");
	return value;
}
static void cpuid(uint32_t leaf, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(0));
}
static void say(const char *text)
{
	for (; *text; text++)
		out8(0x3f8, (uint8_t)*text);
}
static void say_number(unsigned int n)
{
	if (n >= 10)
		say_number(n / 10);
	out8(0x3f8, (uint8_t)('0' + n % 10));
}
static void result(bool ok, const char *name)
{
	say(ok ? "ok " : "not ok ");
	say_number(++count);
	say(" - ");
	say(name);
	say("\n");
	failed += !ok;
}

/* ---- calls ---------------------------------------------------------------------------------------- */

/* Every register holds a value of its own; the arithmetic flags and DF are set. */
static void fill(uint64_t r[REGS], uint64_t call)
{
	for (unsigned int i = 0; i < REGS; i++)
		r[i] = 0x1111111111111111u * (i + 1) ^ 0xa5a500005a5a0000u;
	r[RAX] = call;
	r[RDX] = port;
	r[FLAGS] = 0xcd7;
}

static bool kept(const uint64_t r[REGS], uint64_t call, bool arguments)
{
	uint64_t before[REGS];

	fill(before, call);
	for (unsigned int i = 0; i < REGS; i++) {
		bool dead = i == RAX || i == RDX ||
			    (!arguments && (i == RDI || i == RSI || i == R8 || i == R9));

		if (!dead && r[i] != before[i])
			return false;
	}
	return true;
}

static uint64_t value, third;
static uint32_t call_number(uint32_t number, uint64_t arg0, uint64_t arg1)
{
	uint64_t r[REGS];

	fill(r, number);
	r[RDI] = arg0;
	r[RSI] = arg1;
	r[R8] = third;
	wire_call(r);
	value = r[RDX];
	return (uint32_t)r[RAX];
}

/* Addresses and numbers alike. */
#define call(number, arg0, arg1) call_number(number, (uint64_t)(arg0), arg1)

static void registers(void)
{
	uint64_t r[REGS];

	fill(r, PVROM_BASE_VERSION);
	wire_call(r);
	result(r[RAX] == PVROM_STATUS_OK && r[RDX] == (PVROM_MAJOR << 16 | PVROM_MINOR),
	       "VERSION: status in rax, value in rdx [PVROM-CALL-1 PVROM-BASE-1]");
	result(kept(r, PVROM_BASE_VERSION, false),
	       "all other registers and flags are kept [PVROM-CALL-2]");
	fill(r, 0xdeadbeef00000000u | PVROM_BASE_VERSION);
	wire_call(r);
	result(r[RAX] == PVROM_STATUS_OK && r[RDX] == (PVROM_MAJOR << 16 | PVROM_MINOR),
	       "bits 63:32 of rax are ignored [PVROM-CALL-6]");
	fill(r, 0x7fff);
	wire_call(r);
	result(r[RAX] == PVROM_STATUS_NOT_SUPPORTED && !r[RDX] && kept(r, 0x7fff, false),
	       "an unknown call is answered and changes nothing [PVROM-CALL-1 PVROM-CALL-7]");
	fill(r, PVROM_IRQ_EOI);
	wire_call(r);
	result(kept(r, PVROM_IRQ_EOI, true),
	       "a void call keeps even its argument registers [PVROM-CALL-5]");
}

/* ---- refusals --------------------------------------------------------------------------------------- */

static bool is_filled(const uint8_t *bytes, size_t size, uint8_t with)
{
	while (size--)
		if (*bytes++ != with)
			return false;
	return true;
}

static void refusals(void)
{
	static uint8_t offer[sizeof(struct pvrom_offer)] __attribute__((aligned(8)));
	static struct pvrom_negotiation words;

	result(call(PVROM_SMP_KICK, 0, 0) == PVROM_STATUS_DENIED && !value,
	       "before negotiation the set is empty [PVROM-NEG-20 PVROM-NEG-21]");
	result(call(PVROM_BASE_RESET, 2, 0) == PVROM_STATUS_INVALID,
	       "RESET refuses a reserved bit [PVROM-CONF-5]");
	words = (struct pvrom_negotiation){ .size = sizeof(words),
					    .major = PVROM_MAJOR,
					    .reserved1 = 1 };
	result(call(PVROM_BASE_NEGOTIATE, &words, PVROM_NEGOTIATE_PROPOSE) ==
			       PVROM_STATUS_INVALID &&
		       !words.host_epoch,
	       "NEGOTIATE refuses a reserved field, and writes nothing [PVROM-CONF-5 "
	       "PVROM-CALL-12]");
	__builtin_memset(offer, 0x77, sizeof(offer));
	result(call(PVROM_BASE_QUERY, offer, 0x3f) == PVROM_STATUS_INVALID &&
		       is_filled(offer, sizeof(offer), 0x77),
	       "QUERY without room writes nothing [PVROM-CALL-12]");
	result(call(PVROM_BASE_QUERY, offer, 0x50) == PVROM_STATUS_OK && offer[0] == 0x50 &&
		       is_filled(offer + 0x50, sizeof(offer) - 0x50, 0x77),
	       "QUERY writes no more than there is room for [PVROM-BASE-2]");
}

/* ---- a second vCPU --------------------------------------------------------------------------------- */

#define EVENT_VECTOR 0x40
#define SERIAL_VECTOR 0x51
#define SERIAL_SOURCE 4
#define RDI_AT_START 0x123456789abcdef0u
#define FS_AT_START 0xdef000
#define GS_AT_START 0xabc000
#define PATIENCE 20000000000u /* ticks: some seconds on anything */

enum ap_command { NOTHING, HALT, STI_HALT, STOP };
enum ap_state { ABSENT, STARTED, HALTING, WOKEN, WAITING, WOKEN_BY_EVENT };

void ap_main(void);
void wire_ap(void);	     /* stores what it finds, and goes to ap_main() */
void wire_serial(void);	     /* of SERIAL_VECTOR: counts, and looks why it came */
void wire_event(void);	     /* handler of EVENT_VECTOR: ends the interrupt */
uint64_t ap_found[REGS + 1]; /* in the order of enum reg, then rsp */
uint16_t wire_port;
uint32_t wire_serials;
__asm__("wire_ap:\n\t"
	"mov %rax, ap_found(%rip); mov %rbx, 8+ap_found(%rip); mov %rcx, 16+ap_found(%rip)\n\t"
	"mov %rdx, 24+ap_found(%rip); mov %rsi, 32+ap_found(%rip); mov %rdi, 40+ap_found(%rip)\n\t"
	"mov %rbp, 48+ap_found(%rip); mov %r8, 56+ap_found(%rip); mov %r9, 64+ap_found(%rip)\n\t"
	"mov %r10, 72+ap_found(%rip); mov %r11, 80+ap_found(%rip); mov %r12, 88+ap_found(%rip)\n\t"
	"mov %r13, 96+ap_found(%rip); mov %r14, 104+ap_found(%rip); mov %r15, "
	"112+ap_found(%rip)\n\t"
	"mov %rsp, 128+ap_found(%rip); pushfq; popq 120+ap_found(%rip); call ap_main\n"
	"wire_serial:\n\t"
	"push %rax; push %rdx; incl wire_serials(%rip); mov $0x3fa, %edx; in %dx, %al\n\t"
	"pop %rdx; pop %rax\n"
	"wire_event:\n\t"
	"push %rax; push %rdx; mov $0x202, %eax; movzwl wire_port(%rip), %edx\n\t"
	"out %eax, %dx; pop %rdx; pop %rax; iretq");

static uint8_t ap_stack[4096] __attribute__((aligned(16)));
static volatile uint32_t ap_state, ap_command, ap_go;
static volatile uint64_t told, ap_was_told, ap_fs, ap_gs;
static uint64_t idt[512] __attribute__((aligned(16)));

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static void wrmsr(uint32_t msr, uint64_t bits)
{
	__asm__ volatile("wrmsr" ::"a"((uint32_t)bits), "d"((uint32_t)(bits >> 32)), "c"(msr));
}

/* A local APIC that is off takes no vector (PVROM-IRQ-12). As x2APIC, for its page is not mapped. */
static void enable_apic(void)
{
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(0x80f, 0x1ff);
}

static bool have_x2apic(void)
{
	uint32_t r[4];

	cpuid(1, r);
	return r[2] >> 21 & 1;
}

/* In the order in which they are told to. */
void ap_main(void)
{
	ap_was_told = told;
	ap_fs = rdmsr(0xc0000100);
	ap_gs = rdmsr(0xc0000101);
	enable_apic();
	ap_state = STARTED;
	for (;;) {
		while (ap_command == NOTHING)
			__asm__ volatile("pause");
		if (ap_command == HALT) {
			ap_command = NOTHING;
			ap_state = HALTING;
			__asm__ volatile("hlt" ::: "memory");
			ap_state = WOKEN;
		} else if (ap_command == STI_HALT) {
			ap_command = NOTHING;
			ap_state = WAITING;
			while (!ap_go)
				__asm__ volatile("pause");
			__asm__ volatile("sti; hlt; cli" ::: "memory");
			ap_state = WOKEN_BY_EVENT;
		} else {
			ap_command = NOTHING;
			call(PVROM_SMP_STOP, 0, 0);
			ap_state = ABSENT; /* it came back: that is wrong */
		}
	}
}

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static bool comes_to(enum ap_state wanted)
{
	uint64_t start = ticks();

	while (ap_state != wanted && ticks() - start < PATIENCE)
		__asm__ volatile("pause");
	return ap_state == wanted;
}

static void wait_a_while(void)
{
	uint64_t start = ticks();

	while (ticks() - start < 100000000)
		__asm__ volatile("pause");
}

static void set_gate(unsigned int vector, void (*handler)(void))
{
	uint64_t to = (uint64_t)handler;

	idt[2 * vector] = (to & 0xffff) | 8 << 16 | 0x8e00ull << 32 | (to & 0xffff0000) << 32;
	idt[2 * vector + 1] = to >> 32;
}

static void make_idt(void)
{
	const struct {
		uint16_t pad[3], limit;
		uint64_t base;
	} pointer = { .limit = sizeof(idt) - 1, .base = (uint64_t)idt };

	set_gate(EVENT_VECTOR, wire_event);
	__asm__ volatile("lidt %0" ::"m"(pointer.limit));
	/* The loader's selector means nothing in our table, and iretq loads it again. */
	__asm__ volatile("mov %0, %%ss" ::"r"(16));
}

static struct pvrom_smp_state start_state(void)
{
	struct pvrom_smp_state state = { .size = sizeof(state) };
	uint8_t pointer[10];

	__asm__ volatile("mov %%cr0, %0" : "=r"(state.cr0));
	__asm__ volatile("mov %%cr3, %0" : "=r"(state.cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(state.cr4));
	__asm__ volatile("sgdt %0" : "=m"(pointer));
	__builtin_memcpy(&state.gdt_limit, pointer, 2);
	__builtin_memcpy(&state.gdt_base, pointer + 2, 8);
	state.idt_base = (uint64_t)idt;
	state.idt_limit = sizeof(idt) - 1;
	state.efer = rdmsr(0xc0000080);
	state.pat = rdmsr(0x277);
	state.rip = (uint64_t)wire_ap;
	state.rsp = (uint64_t)(ap_stack + sizeof(ap_stack));
	state.rdi = RDI_AT_START;
	state.fs_base = FS_AT_START;
	state.gs_base = GS_AT_START;
	state.cs = 8;
	state.ss = 16;
	return state;
}

static bool found_as_told(void)
{
	for (unsigned int i = 0; i < FLAGS; i++)
		if (ap_found[i] != (i == RDI ? RDI_AT_START : 0))
			return false;
	return ap_found[REGS] == (uint64_t)(ap_stack + sizeof(ap_stack)) &&
	       !(ap_found[FLAGS] & ~2ull) && ap_fs == FS_AT_START && ap_gs == GS_AT_START;
}

/* The serial port asks for an interrupt each time this is done, for it has nothing to send. */
static bool comes_when_asked(bool expected)
{
	uint64_t start = ticks();
	uint32_t before = wire_serials;

	__asm__ volatile("sti");
	out8(0x3f9, 0);
	out8(0x3f9, 2);
	while (expected && *(volatile uint32_t *)&wire_serials == before &&
	       ticks() - start < PATIENCE)
		__asm__ volatile("pause");
	wait_a_while();
	__asm__ volatile("cli" ::: "memory");
	out8(0x3f9, 0);
	return wire_serials != before;
}

static uint32_t route(uint64_t source, uint64_t vector, uint64_t vcpu)
{
	uint32_t status;

	third = vcpu;
	status = call(PVROM_IRQ_ROUTE, source, vector);
	third = 0;
	return status;
}

static uint32_t mask(uint64_t source, uint64_t how)
{
	return call(PVROM_IRQ_MASK, source, how);
}

static void routes(void)
{
	enable_apic();
	set_gate(SERIAL_VECTOR, wire_serial);
	out8(0x3fc, 8); /* lets the port's interrupt out */
	result(mask(SERIAL_SOURCE, 1) == PVROM_STATUS_OK &&
		       route(SERIAL_SOURCE, SERIAL_VECTOR, 0) == PVROM_STATUS_OK &&
		       !comes_when_asked(false),
	       "ROUTE leaves a masked source masked [PVROM-IRQ-2]");
	result(mask(SERIAL_SOURCE, 0) == PVROM_STATUS_OK && comes_when_asked(true),
	       "unmasked it comes as that vector to this vCPU [PVROM-IRQ-1]");
	result(mask(SERIAL_SOURCE, 1) == PVROM_STATUS_OK && !comes_when_asked(false),
	       "masked it does not come [PVROM-IRQ-3]");
	result(route(SERIAL_SOURCE, 31, 0) == PVROM_STATUS_INVALID &&
		       route(SERIAL_SOURCE, SERIAL_VECTOR, 4096) == PVROM_STATUS_INVALID &&
		       mask(SERIAL_SOURCE, 2) == PVROM_STATUS_INVALID &&
		       route(1 << 20, SERIAL_VECTOR, 0) != PVROM_STATUS_OK,
	       "ROUTE and MASK refuse what there is not [PVROM-IRQ-4]");
}

/* Propose and commit; true if smp is in the set. */
static bool negotiate_smp(void)
{
	static struct pvrom_negotiation words;
	static struct pvrom_offer offer;

	call(PVROM_BASE_QUERY, &offer, sizeof(offer));
	words = (struct pvrom_negotiation){ .size = sizeof(words), .major = PVROM_MAJOR };
	words.epoch = offer.epoch;
	words.kick_vector = EVENT_VECTOR;
	words.wanted = PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ);
	if (call(PVROM_BASE_NEGOTIATE, &words, PVROM_NEGOTIATE_PROPOSE) != PVROM_STATUS_OK ||
	    call(PVROM_BASE_NEGOTIATE, &words, PVROM_NEGOTIATE_COMMIT) != PVROM_STATUS_OK)
		return false;
	return words.granted & PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) && offer.vcpus > 1;
}

static void start_and_kick(void)
{
	static struct pvrom_smp_state state;

	state = start_state();
	told = 0x600d;
	result(call(PVROM_SMP_START, 1, (uint64_t)&state) == PVROM_STATUS_OK && comes_to(STARTED) &&
		       found_as_told(),
	       "a vCPU begins in the state that START gave, all else zero [PVROM-SMP-1]");
	result(ap_was_told == 0x600d, "and sees what was written before [PVROM-SMP-4]");
	result(call(PVROM_SMP_START, 1, (uint64_t)&state) == PVROM_STATUS_BUSY,
	       "it cannot be started twice [PVROM-SMP-2]");
	ap_command = HALT;
	result(comes_to(HALTING), "it halts");
	wait_a_while();
	result(ap_state == HALTING && call(PVROM_SMP_KICK, 1, 0) == PVROM_STATUS_OK &&
		       comes_to(WOKEN),
	       "a kick lets a halted vCPU go on [PVROM-SMP-9]");
	ap_command = STI_HALT;
	result(comes_to(WAITING) && call(PVROM_SMP_KICK, 1, 0) == PVROM_STATUS_OK,
	       "a kick for a vCPU that does not wait");
	wait_a_while();
	ap_go = 1;
	result(comes_to(WOKEN_BY_EVENT),
	       "is remembered until it halts, by the vector for it [PVROM-SMP-10 PVROM-SMP-13]");
}

static void stop_and_start(void)
{
	static struct pvrom_smp_state state;

	state = start_state();
	ap_command = STOP;
	for (uint64_t begin = ticks(); ap_command == STOP && ticks() - begin < PATIENCE;)
		__asm__ volatile("pause");
	wait_a_while();
	result(ap_command == NOTHING && ap_state == WOKEN_BY_EVENT,
	       "STOP does not return [PVROM-SMP-6]");
	result(call(PVROM_SMP_START, 1, (uint64_t)&state) == PVROM_STATUS_OK && comes_to(STARTED),
	       "and the vCPU can be started again [PVROM-SMP-8]");
}

static void second_vcpu(void)
{
	make_idt();
	wire_port = port;
	if (!have_x2apic() || !negotiate_smp()) {
		say("# one vCPU, no x2APIC, or no smp\n");
		return;
	}
	routes();
	start_and_kick();
	stop_and_start();
	ap_command = STOP;
	wait_a_while();
}

/* What the script outside expects of this machine. */
static void mmu_reason(void)
{
	static struct pvrom_offer offer;

	call(PVROM_BASE_QUERY, &offer, sizeof(offer));
	say("# mmu is withheld for reason ");
	say_number(offer.reason[PVROM_FEATURE_MMU]);
	say("\n");
}

static void batch(void)
{
	static struct pvrom_batch_entry entries[PVROM_BATCH_BOUND + 1];

	for (unsigned int i = 0; i < PVROM_BATCH_BOUND + 1; i++)
		entries[i] = (struct pvrom_batch_entry){ .call = PVROM_BASE_VERSION, .status = 99 };
	result(call(PVROM_BASE_BATCH, entries, PVROM_BATCH_BOUND + 1) == PVROM_STATUS_CONTINUE &&
		       value == PVROM_BATCH_BOUND && !entries[value - 1].status &&
		       entries[value].status == 99,
	       "a long batch is done in part, and says so [PVROM-CALL-16 PVROM-BASE-15]");
}

/* ---- the ROM ---------------------------------------------------------------------------------------- */

static uint64_t hash_rom(void)
{
	const uint8_t *bytes = (const uint8_t *)rom;
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (uint32_t i = 0; i < rom->rom_size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

static bool live_port_answers(void)
{
	in32(rom->live_port);
	if (in32(rom->live_port) != rom->live_key)
		return false;
	out32(rom->live_port, 0x600d);
	return in32(rom->live_port) == (rom->live_key ^ 0x600d) &&
	       in32(rom->live_port) == rom->live_key;
}

/* The leaves of a host with the port transport, or NULL. */
static const struct pvrom_rom_header *find(void)
{
	uint32_t base, r[4];

	for (base = 0x40000000; base <= 0x4000ff00; base += 0x100) {
		cpuid(base, r);
		if (r[1] != PVROM_CPUID_SIGNATURE_EBX || r[2] != PVROM_CPUID_SIGNATURE_ECX)
			continue;
		cpuid(base + 2, r);
		port = (uint16_t)(r[2] >> 16);
		if ((r[2] & 0xffff) == PVROM_TRANSPORT_PORT && !r[1] && r[0] < 0x40000000)
			return (const struct pvrom_rom_header *)(uint64_t)r[0];
	}
	return NULL;
}

void kernel_main(void)
{
	uint64_t before;

	rom = find();
	if (!rom) {
		say("1..0 # SKIP no host with the port transport\n");
		out8(0xf4, 1);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	before = hash_rom();
	result(true, "the CPUID leaves are shown [PVROM-DISC-4]");
	registers();
	refusals();
	batch();
	mmu_reason();
	second_vcpu();
	result(!rom->live_port || live_port_answers(),
	       "the live port, where there is one [PVROM-DISC-19]");
	result(call(PVROM_BASE_RESET, 0, 0) == PVROM_STATUS_OK && hash_rom() == before,
	       "the ROM is where it was, and what it was, after RESET [PVROM-ROM-6 PVROM-BASE-23]");
	say("# the guest has said all\n");
	result(true, "SHUTDOWN does not return, or there is another line [PVROM-BASE-24]");
	call(PVROM_BASE_SHUTDOWN, PVROM_SHUTDOWN_OFF, failed != 0);
	result(false, "SHUTDOWN returned");
	for (;;)
		__asm__ volatile("cli; hlt");
}
