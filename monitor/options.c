/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The command line. */
#include "options.h"
#include "pvrom_glue.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "pvrun " PVRUN_VERSION;

enum {
	KEY_APPEND = 0x100,
	KEY_INITRD,
	KEY_MODULE,
	KEY_ROM,
	KEY_FIND,
	KEY_FEATURE,
	KEY_SLOTS,
	KEY_STATS,
	KEY_STATS_FILE,
	KEY_NO_REBOOT,
	KEY_BOOT,
	KEY_TSC_ALONE,
	KEY_VMCLOCK,
	KEY_DISK,
	KEY_NET,
	KEY_MAC,
	KEY_PCAP,
	KEY_S3,
	KEY_SAVE,
	KEY_LOAD,
	KEY_BUG,
};

static const struct argp_option table[] = {
	{ "cpus", 'c', "N", 0, "Number of CPUs, 1 to 64 (1)", 0 },
	{ "memory", 'm', "SIZE", 0, "Memory, in MiB or with K, M, G or T (256)", 0 },
	{ "append", KEY_APPEND, "TEXT", 0, "The kernel's command line", 0 },
	{ "initrd", KEY_INITRD, "FILE", 0,
	  "Initial RAM disk; for PVH and multiboot the first module", 0 },
	{ "module", KEY_MODULE, "FILE[=TEXT]", 0,
	  "A module with its command line (repeatable; PVH and multiboot)", 0 },
	{ "disk", KEY_DISK, "FILE[,WORD...]", 0,
	  "A disk: a file or block device (repeatable; 8 disks and cards at most); ro: read-only; "
	  "direct: past the "
	  "page cache; queues=N (1); iops=N, bps=N: limits a second",
	  0 },
	{ "net", KEY_NET, "WAY[,WORD...]", 0,
	  "A network card (repeatable): user: the host's own network without privileges, with "
	  "hostfwd=...; tap=NAME: a tap interface; port=SWITCH: a port of a switch of pvrom-netd; "
	  "queues=N (1): pairs of queues; mtu=N; poll=N: microseconds of looking before sleep",
	  0 },
	{ "mac", KEY_MAC, "ADDRESS", 0, "Ethernet address of the last card (one is made up)", 0 },
	{ "pcap", KEY_PCAP, "FILE", 0, "Every frame of the last card, as pcapng", 0 },
	{ "boot", KEY_BOOT, "HOW", 0, "auto, pvh or multiboot, for a kernel that has both (auto)",
	  0 },
	{ "rom", KEY_ROM, "on|off|FILE", 0,
	  "The pvrom ROM: ours, none, or this image in its place, whatever it holds; the CPUID "
	  "leaves name what its header says (on)",
	  0 },
	{ "find", KEY_FIND, "cpuid|window|told", 0,
	  "Where the guest can find the ROM: by CPUID leaves; in the option ROM window; only at "
	  "the "
	  "address that its command line tells it (cpuid)",
	  0 },
	{ "feature", KEY_FEATURE, "-NAME|+NAME", 0,
	  "Switch a pvrom feature off, or on again (repeatable)", 0 },
	{ "slots", KEY_SLOTS, "FORM", 0,
	  "native, inline or call: serve every slot in that form where there is one; for tests",
	  0 },
	{ "tsc-alone", KEY_TSC_ALONE, NULL, 0,
	  "The clock's monotonic time follows nothing but the TSC, and guests are told so", 0 },
	{ "vmclock", KEY_VMCLOCK, NULL, 0,
	  "A VMClock page in the last 4096 bytes of memory below 3 GiB; the guest is told nothing "
	  "of "
	  "it",
	  0 },
	{ "stats", KEY_STATS, "json", OPTION_ARG_OPTIONAL,
	  "At the end say how often the guest exited, and why, and what it called", 0 },
	{ "stats-file", KEY_STATS_FILE, "FILE", 0, "Say it there instead of on stderr", 0 },
	{ "s3", KEY_S3, NULL, 0,
	  "The guest can suspend to memory (ACPI's S3); SIGCONT wakes the machine", 0 },
	{ "save", KEY_SAVE, "FILE", 0, "At SIGUSR2 write the machine there and end", 0 },
	{ "load", KEY_LOAD, "FILE", 0, "Go on from there, in place of a KERNEL", 0 },
	{ "no-reboot", KEY_NO_REBOOT, NULL, 0, "End when the guest resets the machine", 0 },
	{ "quiet", 'q', NULL, 0, "Nothing on stderr but errors", 0 },
#ifdef PVROM_TEST
	{ "bug", KEY_BUG, "NAME", 0, "Switch on a seeded bug of the host", 0 },
#endif
	{ 0 },
};

static const char doc[] =
	"Runs KERNEL (ELF with a PVH note, multiboot, or a Linux bzImage) in a virtual machine on "
	"KVM. "
	"Its COM1 is standard input and output; ctrl-a x leaves."
	"\v"
	"Exit status: the guest's own by port 0xf4, (value << 1) | 1; 0 after a power-off; 2 wrong "
	"usage; "
	"124 the guest crashed; 125 it could not be run; 126 the file is not a kernel.";

static uint64_t unit(struct argp_state *state, const char *suffix, const char *text)
{
	static const char units[] = "KMGT";
	const char *found = strchr(units, *suffix & ~0x20);

	if (*suffix == '\0')
		return MIB(1);
	if (found == NULL || *found == '\0' || suffix[1] != '\0')
		argp_error(state, "--memory: `%s' is not a size", text);
	return (uint64_t)1 << (10 * (found - units + 1));
}

static uint64_t parse_size(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long long value, factor;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || text[0] == '-')
		argp_error(state, "--memory: `%s' is not a size", text);
	factor = unit(state, end, text);
	if (value > UINT64_MAX / factor)
		argp_error(state, "--memory: `%s' is too much", text);
	return value * factor & ~(uint64_t)(PAGE_SIZE - 1);
}

static unsigned int parse_cpus(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > MAX_VCPUS)
		argp_error(state, "--cpus: `%s' is not a number from 1 to %d", text, MAX_VCPUS);
	return (unsigned int)value;
}

/* Finds a word in a list ended by NULL, or ends with the usage message. */
static unsigned int parse_word(struct argp_state *state, const char *option, const char *text,
			       const char *const words[])
{
	for (unsigned int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	argp_error(state, "%s: unknown word `%s'", option, text);
	return 0;
}

static void parse_feature(struct argp_state *state, struct options *opt, const char *text)
{
	uint64_t bit = 0;

	if (text[0] == '-' || text[0] == '+')
		bit = pvrom_feature_by_name(text + 1);
	if (bit == 0)
		argp_error(state, "--feature: `%s' is not a feature's name with + or - in front",
			   text);
	if (text[0] == '-')
		opt->features_off |= bit;
	else
		opt->features_off &= ~bit;
}

static void parse_find(struct argp_state *state, struct options *opt, const char *text)
{
	static const char *const names[] = { "cpuid", "window", "told" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			opt->find = (enum rom_route)i;
			return;
		}
	argp_error(state, "--find: `%s' is not cpuid, window or told", text);
}

/* FILE[=TEXT]; cuts the argument at the first = sign. */
static void parse_module(struct argp_state *state, struct options *opt, char *text)
{
	char *equals = strchr(text, '=');

	if (opt->module_count == MAX_MODULES)
		argp_error(state, "--module: at most %d", MAX_MODULES);
	if (equals != NULL)
		*equals++ = '\0';
	opt->modules[opt->module_count++] = (struct module_arg){ text, equals ? equals : "" };
}

enum { DISK_RO, DISK_DIRECT, DISK_IOPS, DISK_BPS, DISK_QUEUES };
static const char *const disk_words[] = { "ro", "direct", "iops", "bps", "queues", NULL };

static uint64_t parse_limit(struct argp_state *state, const char *text, uint64_t most)
{
	char *end;
	unsigned long long value = text ? strtoull(text, &end, 10) : 0;

	if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || value < 1 || value > most)
		argp_error(state, "--disk: `%s' is not a number from 1 to %llu", text ? text : "",
			   (unsigned long long)most);
	return value;
}

static void parse_disk_word(struct argp_state *state, struct disk_arg *disk, int word, char *value,
			    const char *text)
{
	switch (word) {
	case DISK_RO: disk->read_only = true; break;
	case DISK_DIRECT: disk->direct = true; break;
	case DISK_IOPS: disk->iops = parse_limit(state, value, 1ull << 40); break;
	case DISK_BPS: disk->bps = parse_limit(state, value, 1ull << 40); break;
	case DISK_QUEUES: disk->queues = (unsigned int)parse_limit(state, value, 16); break;
	default: argp_error(state, "--disk: unknown word `%s'", text);
	}
	if (word <= DISK_DIRECT && word >= 0 && value != NULL)
		argp_error(state, "--disk: `%s' takes no value", text);
}

/* FILE[,WORD[=VALUE]...]; cuts the argument at its commas. */
static void parse_disk(struct argp_state *state, struct options *opt, char *text)
{
	struct disk_arg *disk = &opt->disks[opt->disk_count];
	char *words = strchr(text, ','), *value;

	if (options_devices(opt) == MAX_DEVICES)
		argp_error(state, "at most %u disks and network cards", MAX_DEVICES);
	opt->disk_count++;
	*disk = (struct disk_arg){ .path = text, .queues = 1 };
	if (words != NULL)
		*words++ = '\0';
	while (words != NULL && *words != '\0') {
		char *start = words;
		int word = getsubopt(&words, (char *const *)(uintptr_t)disk_words, &value);

		parse_disk_word(state, disk, word, value, start);
	}
}

static void parse_rom(struct options *opt, const char *text)
{
	opt->rom = strcmp(text, "on") == 0 ? ROM_ON : strcmp(text, "off") == 0 ? ROM_OFF : ROM_FILE;
	opt->rom_file = opt->rom == ROM_FILE ? text : NULL;
}

#ifdef PVROM_TEST
/* Of the test builds of the host library and of the disk's, and so in no header of their own. */
extern uint32_t pvrom_host_bug;
uint32_t pvrom_host_bug_number(const char *name);
#pragma weak pvrom_blk_slip
bool pvrom_blk_slip(const char *name);

static void parse_bug(struct argp_state *state, const char *name)
{
	pvrom_host_bug = pvrom_host_bug_number(name);
	rom_bug = strcmp(name, "rom-changes") == 0; /* the monitor's own */
	bus_bug = strcmp(name, "bus-lies") == 0;
	/* Without liburing there are no disks. */
	if (pvrom_host_bug == 0 && !rom_bug && !bus_bug &&
	    (!pvrom_blk_slip || !pvrom_blk_slip(name)))
		argp_error(state, "--bug: there is none called `%s'", name);
}
#endif

static const char *const boot_words[] = { "auto", "pvh", "multiboot", NULL };
static const char *const slot_words[] = { "normal", "native", "inline", "call", NULL };
static const char *const stats_words[] = { "text", "json", NULL };

static error_t parse_rare(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case KEY_BOOT:
		opt->boot = (enum boot_method)parse_word(state, "--boot", arg, boot_words);
		return 0;
	case KEY_FEATURE: parse_feature(state, opt, arg); return 0;
	case KEY_SLOTS: opt->slots = parse_word(state, "--slots", arg, slot_words); return 0;
	case KEY_STATS:
		opt->stats = parse_word(state, "--stats", arg ? arg : "text", stats_words)
				     ? STATS_JSON
				     : STATS_TEXT;
		return 0;
#ifdef PVROM_TEST
	case KEY_BUG: parse_bug(state, arg); return 0;
#endif
	case KEY_STATS_FILE: opt->stats_file = arg; return 0;
	case KEY_S3: opt->s3 = true; return 0;
	case KEY_SAVE: opt->save = arg; return 0;
	case KEY_LOAD: opt->load = arg; return 0;
	case KEY_TSC_ALONE: opt->tsc_alone = true; return 0;
	case KEY_VMCLOCK: opt->vmclock = true; return 0;
	case ARGP_KEY_ARG:
		if (opt->kernel != NULL)
			argp_error(state, "one KERNEL only, and `%s' is another", arg);
		opt->kernel = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (opt->load == NULL)
			argp_error(state, "which KERNEL?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case 'c': opt->cpus = parse_cpus(state, arg); return 0;
	case 'm': opt->memory = parse_size(state, arg); return 0;
	case 'q': opt->quiet = true; return 0;
	case KEY_APPEND: opt->append = arg; return 0;
	case KEY_INITRD: opt->initrd = arg; return 0;
	case KEY_MODULE: parse_module(state, opt, arg); return 0;
	case KEY_DISK: parse_disk(state, opt, arg); return 0;
	case KEY_NET: net_option(state, opt, arg); return 0;
	case KEY_MAC: net_option_mac(state, opt, arg); return 0;
	case KEY_PCAP: net_option_pcap(state, opt, arg); return 0;
	case KEY_ROM: parse_rom(opt, arg); return 0;
	case KEY_FIND: parse_find(state, opt, arg); return 0;
	case KEY_NO_REBOOT: opt->no_reboot = true; return 0;
	}
	return parse_rare(key, arg, state);
}

static void check(const struct options *opt)
{
	if (opt->memory < LEAST_MEMORY)
		fail(EXIT_USAGE, "--memory: a guest needs %llu MiB at least",
		     (unsigned long long)(LEAST_MEMORY >> 20));
	if (opt->stats_file != NULL && opt->stats == STATS_NONE)
		fail(EXIT_USAGE, "--stats-file needs --stats");
	/* A machine that wakes begins its page anew, and who reads it could not see that. */
	if (opt->s3 && opt->vmclock)
		fail(EXIT_USAGE, "--s3 goes without --vmclock");
	if (opt->load != NULL && opt->kernel != NULL)
		fail(EXIT_USAGE, "--load goes on with the kernel that is there: no KERNEL");
}

/* Virtio devices, whatever they are. */
unsigned int options_devices(const struct options *opt)
{
	return opt->disk_count + opt->net_count;
}

/* Fills in *opt, or ends pvrun: usage errors with status 2, --help and --version with 0. */
void options_parse(struct options *opt, int argc, char **argv)
{
	const struct argp argp = { table, parse, "KERNEL", doc, NULL, NULL, NULL };

	*opt = (struct options){ .append = "", .cpus = 1, .memory = MIB(256) };
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, opt);
	net_options_finish(opt);
	check(opt);
}
