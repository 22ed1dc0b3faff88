/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* --list and --explain: every word that a report may use, for people who have never read the specification. */
#include "probe_linux.h"

#include <string.h>

#define COLUMNS 80u

struct word {
	const char *word, *text;
};

/* What a feature is good for, in the order of its numbers. */
static const char *const benefit[] = {
	"The kernel's privileged instructions (switching interrupts off and on, control registers "
	"and the like) become calls into the ROM, which answers without leaving the guest "
	"wherever it can.",
	"A kernel routes and ends interrupts, and sends them to other CPUs, by one call for what "
	"an emulated interrupt controller takes several steps.",
	"A kernel starts and stops its CPUs by one call, without an emulated controller.",
	"A CPU asks for an interrupt at a certain moment, and is not woken before or after.",
	"The kernel reads the time from a page of memory, with a bound of its error, without "
	"leaving the guest; and it learns how long its CPUs were taken away from it.",
	"Where the processor cannot walk a guest's page tables by itself (no EPT or NPT), the "
	"kernel tells the host what it changes in them instead of being caught at each change. "
	"With nested paging this is pointless, and so it is withheld.",
	"The kernel asks the host for a list of devices, in place of an emulated PCI bus.",
	"A disk of the VIRTIO kind, found on the device bus.",
	"A network card of the VIRTIO kind, found on the device bus.",
	"Memory that the guest does not need goes back to the host until it is needed again.",
	"A page fault goes to the kernel at once, in place of going to the host first.",
};
_Static_assert(sizeof(benefit) / sizeof(benefit[0]) == PVROM_FEATURE_COUNT, "one for each");

/* What a kernel says of a ROM, in the order of PVROM_VERDICT_x. */
static const char *const rom_text[] = {
	"The ROM is whole, and a host stands behind it: a kernel uses it.",
	"The kernel was told not to look for a ROM.",
	"There is no ROM in any of the places where one may lie. A kernel runs native.",
	"The ROM ends before its header says that it does.",
	"At the place that was named there is something, but no ROM of pvrom.",
	"The ROM is damaged: its bytes do not add up to what its maker wrote.",
	"The ROM is for a generation of the interface that is not known here.",
	"The ROM is of an older version than the kernel asks for.",
	"The ROM's header says what cannot be true.",
	"The ROM's list of calls does not lie in the ROM, or says what cannot be true.",
	"The ROM's code does not lie where the ROM says.",
	"The ROM asks for a change of its code that would reach beyond it.",
	"There are two different ROMs of one version, so a kernel uses neither.",
	"The ROM was not the same when it was looked at again.",
	"CPUID names a ROM, but none stands at that place, or one that says something else.",
	"The ROM is whole, but no host shows itself that would answer: a kernel does not use it.",
	"The kernel has a list of ROMs that it runs code of, and this one is not on it.",
	"The ROM offers no way of calling the host that the kernel may use.",
	"The kernel had no memory for its copy of the ROM.",
	"The kernel needs a feature that the host does not grant, so it uses none and runs native.",
	"The host gave an answer that the interface does not allow. A kernel runs native.",
	"A place in the kernel where a call should go is not one: the kernel was built wrongly.",
	"The kernel could not change its own code.",
	"Two places in the kernel where calls should go overlap: the kernel was built wrongly.",
};
_Static_assert(sizeof(rom_text) / sizeof(rom_text[0]) == PVROM_VERDICT_COUNT, "one for each");

/* The labels, columns and answers of a report. */
static const struct word report_word[] = {
	{ "machine", "Who runs this machine: a hypervisor, or nobody. One hypervisor may show the "
		     "interfaces of others, so this is told from all that was found out." },
	{ "interfaces", "The hypervisors whose interfaces a guest may use here, by what CPUID "
			"says. Several at once are usual." },
	{ "container", "This program runs in a container: what it sees is its host's, and what it "
		       "may look at less." },
	{ "memory", "The memory is encrypted, so that the host cannot read it." },
	{ "processor",
	  "Whether guests can run on this machine (VMX or SVM); whether with nested "
	  "paging (EPT or NPT); whether the time stamp counter is promised to keep its "
	  "rate; and whether there is an x2APIC." },
	{ "ROM", "A small file in the machine's memory by which a host that knows pvrom tells a "
		 "kernel what it offers. A kernel that finds none, or one that is not right, runs "
		 "as on bare metal." },
	{ "KVM here", "Whether this machine's KVM truly runs a guest: one was tried." },
	{ "features", "What a host can offer to a kernel, each for itself: see --list." },
	{ "can", "The host has code for the feature." },
	{ "advised", "The host advises this guest to use it." },
	{ "hardware", "The processor does it by itself, which makes the feature pointless." },
	{ "offered", "The host grants it to a kernel that wants it." },
	{ "granted", "It is granted, or would be, to the kernel that the report is about: the one "
		     "of --kernel, this Linux if it has pvrom's module, else one that wants all." },
	{ "works", "The feature was made to do something, and somebody looked whether that had its "
		   "effect. \"not tried\" is said of all others: nothing is guessed." },
	{ "not tried", "Nobody has tried whether it works. On Linux --try does, for what can be "
		       "tried." },
	{ "?", "Not known: who could tell was not asked, or not allowed to be." },
};

void list_words(void)
{
	puts("features:");
#define LINE_(NAME, number, needs, name, text) printf("  %-11s %s\n", name, text);
	PVROM_FEATURE_TABLE(LINE_)
#undef LINE_
	puts("reasons why one is off:");
#define LINE_(NAME, number, words, text) puts("  " words);
	PVROM_REASON_TABLE(LINE_)
	PVROM_PROBE_WHY_TABLE(LINE_)
#undef LINE_
	puts("hypervisors and interfaces:");
#define LINE_(NAME, number, name, signature) puts("  " name);
	PVROM_PROBE_VMM_TABLE(LINE_)
#undef LINE_
	puts("what a kernel may say of a ROM:");
#define LINE_(NAME, number, words) puts("  " words);
	PVROM_VERDICT_TABLE(LINE_)
#undef LINE_
	puts("words of a report:");
	for (size_t i = 0; i < sizeof(report_word) / sizeof(report_word[0]); i++)
		printf("  %s\n", report_word[i].word);
}

/* ---- explanations ------------------------------------------------------------------------------------------- */

/* In lines of a terminal's width. */
static void print_text(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column != 0 && column + 1 + length > COLUMNS) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column != 0 ? " " : "", (int)length, text);
		text += length;
		text += *text == ' ';
	}
	putchar('\n');
}

static void print_both(const char *what, const char *text)
{
	printf("%s:\n", what);
	print_text(text);
}

static void print_needs(uint64_t needs)
{
	static const char *const names[] = {
#define LINE_(NAME, number, others, name, text) name,
		PVROM_FEATURE_TABLE(LINE_)
#undef LINE_
	};

	for (uint32_t i = 0; i < PVROM_FEATURE_COUNT; i++)
		if (needs >> i & 1)
			printf("It needs %s.\n", names[i]);
}

static bool explain_feature(const char *what)
{
#define LINE_(NAME, number, needs, name, text)                                                     \
	if (strcmp(what, name) == 0) {                                                             \
		printf("%s: %s.\n", name, text);                                                   \
		print_text(benefit[number]);                                                       \
		print_needs(needs);                                                                \
		return true;                                                                       \
	}
	PVROM_FEATURE_TABLE(LINE_)
#undef LINE_
	return false;
}

static bool explain_reason(const char *what)
{
#define LINE_(NAME, number, words, text)                                                           \
	if (strcmp(what, words) == 0) {                                                            \
		print_both(words, text);                                                           \
		return true;                                                                       \
	}
	PVROM_REASON_TABLE(LINE_)
	PVROM_PROBE_WHY_TABLE(LINE_)
#undef LINE_
	return false;
}

static bool explain_rom(const char *what)
{
#define LINE_(NAME, number, words)                                                                 \
	if (strcmp(what, words) == 0) {                                                            \
		print_both(words, rom_text[number]);                                               \
		return true;                                                                       \
	}
	PVROM_VERDICT_TABLE(LINE_)
#undef LINE_
	return false;
}

static bool explain_report(const char *what)
{
	for (size_t i = 0; i < sizeof(report_word) / sizeof(report_word[0]); i++)
		if (strcmp(what, report_word[i].word) == 0) {
			print_both(what, report_word[i].text);
			return true;
		}
	return false;
}

bool explain(const char *what)
{
	return explain_feature(what) || explain_reason(what) || explain_rom(what) ||
	       explain_report(what);
}
