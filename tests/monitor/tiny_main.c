/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A guest for the monitor's own tests: does the one thing that its command line
 * names, says on COM1 what it saw, and ends through the debug-exit port.
 */
#include "tiny.h"

#define MULTIBOOT_MAGIC 0x2badb002u
#define PVH_MAGIC 0x336ec578u
#define FOUR_GIB 0x100000000ull
#define APIC_ICR_LOW ((volatile uint32_t *)0xfee00300)
#define APIC_SPURIOUS ((volatile uint32_t *)0xfee000f0)
#define STARTED ((volatile uint32_t *)0x7000)
#define STARTED_CODE ((uint8_t *)0x8000)

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};
struct start_module {
	uint64_t start, size, cmdline, reserved;
};
struct start_map {
	uint64_t start, size;
	uint32_t type, reserved;
};
struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr;
};
struct multiboot_module {
	uint32_t start, end, cmdline, reserved;
};
struct multiboot_map {
	uint32_t size;
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

extern const uint8_t other_cpu[], other_cpu_end[];
void tiny_main(uint32_t magic, uint64_t record);

/* If the text begins with the word, what comes after it. */
static const char *after(const char *text, const char *word)
{
	while (*word)
		if (*text++ != *word++)
			return 0;
	return text;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint64_t)(*text++ - '0');
	return value;
}

static void say_range(uint64_t start, uint64_t size, uint32_t type)
{
	say(type == 1 ? "usable " : "reserved ");
	say_number(start);
	say("+");
	say_number(size);
	say("\n");
}

static void say_module(uint64_t start, uint64_t size, uint64_t cmdline)
{
	say("module ");
	say((const char *)cmdline);
	say(": ");
	for (const char *at = (const char *)start; size-- > 0; at++)
		out8(0x3f8, (uint8_t)*at);
	say("\n");
}

static void say_pvh(const struct start_info *info)
{
	const struct start_map *map = (const struct start_map *)info->memmap;
	const struct start_module *module = (const struct start_module *)info->modlist;

	say("pvh\n");
	for (uint32_t i = 0; i < info->memmap_entries; i++)
		say_range(map[i].start, map[i].size, map[i].type);
	for (uint32_t i = 0; i < info->nr_modules; i++)
		say_module(module[i].start, module[i].size, module[i].cmdline);
}

static void say_multiboot(const struct multiboot_info *info)
{
	const struct multiboot_module *module =
		(const struct multiboot_module *)(uint64_t)info->mods_addr;

	say("multiboot\n");
	for (uint32_t at = 0; at < info->mmap_length;) {
		const struct multiboot_map *map =
			(const struct multiboot_map *)(uint64_t)(info->mmap_addr + at);

		say_range(map->start, map->length, map->type);
		at += map->size + 4;
	}
	for (uint32_t i = 0; i < info->mods_count; i++)
		say_module(module[i].start, module[i].end - module[i].start, module[i].cmdline);
}

static void say_record(uint32_t magic, uint64_t record)
{
	if (magic == MULTIBOOT_MAGIC)
		say_multiboot((const struct multiboot_info *)record);
	else
		say_pvh((const struct start_info *)record);
	end(0);
}

static void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing;

	__asm__ volatile("mov $0x1234, %%rbx; outb %%al, $0xe0; lidt %0; ud2"
			 :
			 : "m"(nothing)
			 : "rbx");
}

/* Writes a number of its own into each `step` of the memory from 4 GiB on, and looks again. */
static void try_high_memory(uint64_t size)
{
	const uint64_t step = 0x10000000;
	uint64_t good = 0;

	for (uint64_t at = 0; at < size; at += step)
		*(volatile uint64_t *)(FOUR_GIB + at) = ~at;
	for (uint64_t at = 0; at < size; at += step)
		good += *(volatile uint64_t *)(FOUR_GIB + at) == ~at;
	say_line("good", good);
	end(good == size / step ? 0 : 1);
}

/* INIT, then SIPI twice to all but this CPU, as the manuals want it. */
static void start_cpus(uint64_t expected)
{
	for (const uint8_t *at = other_cpu; at < other_cpu_end; at++)
		STARTED_CODE[at - other_cpu] = *at;
	*STARTED = 0;
	*APIC_SPURIOUS = 0x1ff;
	*APIC_ICR_LOW = 0xc4500;
	*APIC_ICR_LOW = 0xc4608;
	for (uint64_t spins = 0; *STARTED < expected - 1 && spins < 1000000000; spins++)
		__asm__ volatile("pause");
	say_line("cpus", *STARTED + 1);
	end(*STARTED + 1 == expected ? 0 : 1);
}

static void echo(void)
{
	uint8_t byte;

	say("ready\n");
	do {
		while (!(in8(0x3fd) & 1))
			__asm__ volatile("pause");
		byte = in8(0x3f8);
		out8(0x3f8, byte);
	} while (byte != '\n');
	end(0);
}

/* Nothing is at 3.25 GiB, and at an unused port. */
static void try_nothing(void)
{
	uint32_t memory = *(volatile uint32_t *)0xd0000000, port;

	*(volatile uint32_t *)0xd0000000 = 0;
	__asm__ volatile("inl %w1, %0" : "=a"(port) : "Nd"(0x5000));
	end(memory == 0xffffffff && port == 0xffffffff ? 0 : 1);
}

/* What ends in KVM and what does not: byte writes to the delay port alone. */
static void try_delays(uint64_t times)
{
	for (uint64_t i = 0; i < times; i++)
		out8(0x80, (uint8_t)i);
	__asm__ volatile("outl %0, $0x80; inb $0x80, %%al" : : "a"(0));
	end(0);
}

/* Runs where no memory is; KVM has to emulate that, and cannot. */
static void run_wild(void)
{
	void (*nowhere)(void) = (void (*)(void))0xd0000000;

	nowhere();
}

static void reset_by(const char *how)
{
	say("resetting\n");
	if (after(how, "keyboard"))
		out8(0x64, 0xfe);
	else
		out8(0xcf9, 0x06);
	for (;;)
		__asm__ volatile("hlt");
}

static void act(const char *text, uint32_t magic, uint64_t record)
{
	const char *rest;

	if ((rest = after(text, "exit=")))
		end(number(rest));
	else if (after(text, "record"))
		say_record(magic, record);
	else if (after(text, "triple"))
		triple_fault();
	else if ((rest = after(text, "high=")))
		try_high_memory(number(rest) << 20);
	else if ((rest = after(text, "cpus=")))
		start_cpus(number(rest));
	else if (after(text, "echo"))
		echo();
	else if (after(text, "wild"))
		run_wild();
	else if (after(text, "nothing"))
		try_nothing();
	else if ((rest = after(text, "sleep=")))
		try_sleep(*rest == 'v');
	else if ((rest = after(text, "reset=")))
		reset_by(rest);
	else if (after(text, "calls"))
		try_calls();
	else if ((rest = after(text, "start=")))
		try_start(number(rest));
	else if ((rest = after(text, "storm=")))
		try_storm(number(rest));
	else if ((rest = after(text, "delay=")))
		try_delays(number(rest));
	else if (after(text, "talk"))
		try_talk();
	else if (after(text, "batch"))
		try_batch();
	else if (after(text, "interrupts"))
		try_interrupts();
	else if ((rest = after(text, "lost=")))
		try_lost(*rest);
	else if ((rest = after(text, "spin=")))
		try_spin(number(rest));
	else if ((rest = after(text, "off=")))
		shut_down(0, number(rest));
	else if ((rest = after(text, "crash=")))
		shut_down(2, number(rest));
}

void tiny_main(uint32_t magic, uint64_t record)
{
	uint64_t cmdline = magic == MULTIBOOT_MAGIC
				   ? ((const struct multiboot_info *)record)->cmdline
				   : ((const struct start_info *)record)->cmdline;

	if (magic != MULTIBOOT_MAGIC && ((const struct start_info *)record)->magic != PVH_MAGIC)
		end(120);
	act((const char *)cmdline, magic, record);
	say("unknown act\n");
	end(121);
}
