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

static uint64_t value;
static uint32_t call(uint32_t number, const void *arg0, uint64_t arg1)
{
	uint64_t r[REGS];

	fill(r, number);
	r[RDI] = (uint64_t)arg0;
	r[RSI] = arg1;
	wire_call(r);
	value = r[RDX];
	return (uint32_t)r[RAX];
}

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

	result(call(PVROM_SMP_KICK, NULL, 0) == PVROM_STATUS_DENIED && !value,
	       "before negotiation the set is empty [PVROM-NEG-20 PVROM-NEG-21]");
	result(call(PVROM_BASE_RESET, (void *)2, 0) == PVROM_STATUS_INVALID,
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
	result(!rom->live_port || live_port_answers(),
	       "the live port, where there is one [PVROM-DISC-19]");
	result(call(PVROM_BASE_RESET, NULL, 0) == PVROM_STATUS_OK && hash_rom() == before,
	       "the ROM is where it was, and what it was, after RESET [PVROM-ROM-6 PVROM-BASE-23]");
	say("# the guest has said all\n");
	result(true, "SHUTDOWN does not return, or there is another line [PVROM-BASE-24]");
	call(PVROM_BASE_SHUTDOWN, PVROM_SHUTDOWN_OFF, failed != 0);
	result(false, "SHUTDOWN returned");
	for (;;)
		__asm__ volatile("cli; hlt");
}
