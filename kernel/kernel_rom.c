/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Policy, the order of negotiation, and what is said about it on the console. */
#include "kernel_rom.h"

#include "apic.h"
#include "boot_record.h"
#include "console.h"
#include "cpu.h"
#include "kernel_clock.h"
#include "kernel_mmu.h"
#include "percpu.h"
#include "smp.h"
#include "traps.h"

/* What this kernel has code for. It asks for nothing that it would not use. */
#define WANTED                                                                                     \
	(PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_IRQ) |             \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_SMP) | PVROM_FEATURE_BIT(PVROM_FEATURE_ALARM) |           \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK) | PVROM_FEATURE_BIT(PVROM_FEATURE_MMU) |           \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_MMU_FAULT) | PVROM_FEATURE_BIT(PVROM_FEATURE_DEV) |       \
	 PVROM_FEATURE_BIT(PVROM_FEATURE_BLK) | PVROM_FEATURE_BIT(PVROM_FEATURE_NET))

/* Packed: the descriptor begins 20 bytes into a note, and its own words want a multiple of 8. */
struct elf_note {
	uint32_t name_size, size, type;
	char name[8];
	struct pvrom_note note;
} __attribute__((packed));

/* For tools that look at the file. */
static const struct elf_note note __attribute__((used, aligned(4), section(".note.pvrom"))) = {
	.name_size = sizeof(PVROM_NOTE_OWNER),
	.size = sizeof(struct pvrom_note),
	.type = PVROM_NOTE_TYPE,
	.name = PVROM_NOTE_OWNER,
	.note = { .size = sizeof(struct pvrom_note),
		  .major = PVROM_MAJOR,
		  .minor = PVROM_MINOR,
		  .wanted = WANTED },
};

struct pvrom_guest kernel_rom __attribute__((aligned(4096)));
static struct pvrom_policy policy;
static struct pvrom_own_call own_calls[] = { { PVROM_CLOCK_NOW, NULL }, PVROM_MMU_OWN_CALLS };
extern struct pvrom_site kernel_sites_start[], kernel_sites_end[];
extern const uint8_t boot_text_start[], text_end[];

/* "require=NAME" makes one feature required, for tests of the refusal. */
static uint64_t required_features(void)
{
	for (unsigned f = 0; f < PVROM_FEATURE_COUNT; f++)
		if (boot_option_is("require=", pvrom_feature_name(f)))
			return PVROM_FEATURE_BIT(f);
	return 0;
}

/* Route 4: an address on the command line, else the first module. */
static void fill_loader_rom(void)
{
	const char *value = boot_option("pvrom=");

	if (value && *value >= '0' && *value <= '9') {
		policy.loader_gpa = lib_number(value);
	} else if (boot_record.module_count) {
		policy.loader_gpa = boot_record.modules[0].start;
		policy.loader_size = boot_record.modules[0].size;
	}
}

/* "minor=N": the least minor version that will do, for tests of the refusal. */
static uint16_t least_minor(void)
{
	const char *value = boot_option("minor=");

	return value ? (uint16_t)lib_number(value) : PVROM_MINOR;
}

static void fill_policy(void)
{
	policy = (struct pvrom_policy){
		.wanted = WANTED | required_features(),
		.required = required_features(),
		.minor_min = least_minor(),
		.epoch_vector = VECTOR_RENEGOTIATE,
		.alarm_vector = VECTOR_ALARM,
		.kick_vector = VECTOR_KICK,
		.percpu = PVROM_PERCPU_GS,
		.percpu_offset = offsetof(struct cpu, area),
		.own = own_calls,
		.own_count = ARRAY_SIZE(own_calls),
	};
	if (apic_is_x2apic())
		policy.flags |= PVROM_POLICY_X2APIC;
	if (boot_option_is("pvrom=", "off"))
		policy.flags |= PVROM_POLICY_OFF;
	if (boot_option_is("pvrom=", "data"))
		policy.flags |= PVROM_POLICY_DATA_ONLY;
	fill_loader_rom();
}

static void register_area(void *unused)
{
	struct cpu *cpu = this_cpu();

	(void)unused;
	if (pvrom_guest_vcpu_area(&kernel_rom, &cpu->area) != PVROM_STATUS_OK)
		panic("cpu %u: the host refuses its vCPU area", cpu->index);
	cpu->vcpu = cpu->area.vcpu;
}

/* For vectors that need do nothing: whoever runs facts polls, and a halted CPU has been woken. */
static void no_event(struct trap_frame *frame)
{
	(void)frame;
}

static void print_features(void)
{
	bool ready = kernel_rom.verdict == PVROM_VERDICT_READY;

	for (unsigned f = 0; f < PVROM_FEATURE_COUNT; f++) {
		uint8_t reason = kernel_rom.offer.reason[f];

		if (kernel_rom_granted(f))
			kprintf("# feature %s on\n", pvrom_feature_name(f));
		else
			kprintf("# feature %s off %s\n", pvrom_feature_name(f),
				!ready	 ? pvrom_verdict_words(kernel_rom.verdict)
				: reason ? pvrom_reason_words(reason)
					 : "not wanted by this kernel");
	}
}

/* FNV-1a over the kernel's own text: what was patched, or that nothing was, shows here. */
static uint64_t text_sum(void)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (const uint8_t *at = boot_text_start; at < text_end; at++)
		sum = (sum ^ *at) * 0x100000001b3;
	return sum;
}

static void print_rom(void)
{
	if (kernel_rom.verdict != PVROM_VERDICT_READY) {
		kprintf("# rom: none (%s)\n", pvrom_verdict_words(kernel_rom.verdict));
		return;
	}
	kprintf("# rom: %u.%u route=%u\n", kernel_rom.rom_major, kernel_rom.rom_minor,
		kernel_rom.route);
	kprintf("# sites: %u of %lu patched\n", kernel_rom.patched, kernel_rom.site_count);
}

void kernel_rom_start(void)
{
	uint64_t before = text_sum();

	fill_policy();
	irq_set(VECTOR_RENEGOTIATE, no_event);
	irq_set(VECTOR_KICK, no_event);
	pvrom_guest_init(&kernel_rom, &policy, NULL);
	pvrom_guest_start(&kernel_rom, kernel_sites_start,
			  (size_t)(kernel_sites_end - kernel_sites_start));
	if (kernel_rom.verdict == PVROM_VERDICT_READY)
		smp_run_each(register_area, NULL);
	kernel_mmu_update();
	print_rom();
	kprintf("# text: %lx before, %lx after\n", before, text_sum());
	print_features();
}

/* A halt in ROM text is left at its return: that is done here, and the site is behind. */
static bool leave_text(struct trap_frame *frame)
{
	uint64_t text = (uint64_t)kernel_rom.copy;

	if (!text || frame->rip - text >= kernel_rom.copy_size)
		return true;
	if (*(const uint8_t *)frame->rip != 0xc3)
		return false;
	frame->rip = *(const uint64_t *)frame->rsp;
	frame->rsp += 8;
	return true;
}

/* What the shim puts behind a template that is shorter than its site. */
static bool is_nop(const uint8_t *at, uint64_t size)
{
	static const uint8_t nops[5][4] = {
		{ 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0x00 }
	};

	return size < ARRAY_SIZE(nops) && !memcmp(at, nops[size], size);
}

bool kernel_rom_may_wait(struct trap_frame *frame)
{
	if (frame->cs & 3)
		return true;
	if (pvrom_mmu_is_busy(&this_cpu()->mmu) || !leave_text(frame))
		return false;
	for (struct pvrom_site *site = kernel_sites_start; site < kernel_sites_end; site++) {
		uint64_t start = (uint64_t)site + (uint64_t)(int64_t)site->offset;
		uint64_t done = frame->rip - start;

		if (!done || done >= site->length)
			continue;
		if (!is_nop((const uint8_t *)frame->rip, site->length - done))
			return false;
		frame->rip = start + site->length;
		break;
	}
	return true;
}

void kernel_rom_init_cpu(void)
{
	if (kernel_rom.granted)
		register_area(NULL);
	kernel_mmu_start_cpu();
}

void kernel_rom_poll(void)
{
	if (!kernel_rom.granted || !pvrom_guest_epoch_moved(&kernel_rom, &this_cpu()->area))
		return;
	kprintf("# renegotiation: %s\n", pvrom_verdict_words(pvrom_guest_renegotiate(&kernel_rom)));
	kernel_mmu_update();
	clock_update();
}

void kernel_rom_own(uint32_t call, void (*function)(void))
{
	for (unsigned i = 0; i < ARRAY_SIZE(own_calls); i++)
		if (own_calls[i].call == call)
			own_calls[i].function = function;
	pvrom_guest_renegotiate(&kernel_rom);
}

const uint8_t *kernel_rom_site(uint32_t call)
{
	for (struct pvrom_site *site = kernel_sites_start; site < kernel_sites_end; site++)
		if (site->call == call)
			return (const uint8_t *)site + site->offset;
	return NULL;
}

bool kernel_rom_granted(unsigned feature)
{
	return kernel_rom.granted & PVROM_FEATURE_BIT(feature);
}
