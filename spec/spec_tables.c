/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Writes the tables of the document, from the tables of abi/: one AsciiDoc file a table, into the
 * directory named on the command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvrom/abi.h>
#include <pvrom/net.h>

static const char *directory;

static FILE *begin(const char *name, const char *columns, const char *head)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.adoc", directory, name);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(1);
	}
	fprintf(file, "[%%header,cols=\"%s\"]\n|===\n%s\n", columns, head);
	return file;
}

static void end(FILE *file)
{
	fprintf(file, "|===\n");
	fclose(file);
}

/* ---- calls ------------------------------------------------------------------------------------- */

static const char *const registers[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					   "r8",  "r9",	 "r10", "r11", "r12", "r13", "r14", "r15" };

static void put_registers(FILE *file, unsigned int mask)
{
	if (mask == PVROM_REGS_SYSV) {
		fprintf(file, "a C function's");
		return;
	}
	for (unsigned int i = 0; i < 16; i++)
		if (mask & 1u << i)
			fprintf(file, "%s ", registers[i]);
}

static void put_properties(FILE *file, unsigned int flags)
{
	static const char *const names[] = { "value", "void", "jump", "no call", "reserved" };
	const char *comma = "";

	for (unsigned int i = 0; i < 5; i++)
		if (flags & 1u << i) {
			fprintf(file, "%s%s", comma, names[i]);
			comma = ", ";
		}
}

static void put_call(FILE *file, const char *name, unsigned int number, unsigned int args,
		     unsigned int flags, const char *text)
{
	fprintf(file, "|`0x%04x` |[[call-%s]]`%s` |%u |", number, name, name, args);
	put_properties(file, flags);
	fprintf(file, "|%s\n", text);
}

/* The same with two columns more, for groups that have native forms. */
static void put_native(FILE *file, const char *name, unsigned int number, unsigned int args,
		       unsigned int flags, unsigned int regs, const char *insn, const char *text)
{
	fprintf(file, "|`0x%04x` |[[call-%s]]`%s` |%u |%s%s%s |", number, name, name, args,
		*insn ? "`+" : "", insn, *insn ? "+`" : "");
	put_registers(file, regs);
	fprintf(file, "|");
	put_properties(file, flags);
	fprintf(file, "|%s\n", text);
}

#define CALL(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                  \
	put_call(file, #GROUP "_" #NAME, number, args, flags, text);
#define CALLS(name, TABLE)                                                                         \
	{                                                                                          \
		FILE *file = begin("calls_" name, "10,25,7,11,47",                                 \
				   "|Number |Call |Args |Kind |What it does\n");                   \
		TABLE(CALL)                                                                        \
		end(file);                                                                         \
	}
#define NATIVE(GROUP, NAME, number, feature, args, native, flags, regs, insn, text)                \
	put_native(file, #GROUP "_" #NAME, number, args, flags, regs, insn, text);
#define NATIVES(name, TABLE)                                                                       \
	{                                                                                          \
		FILE *file = begin("calls_" name, "9,22,6,20,11,9,23",                             \
				   "|Number |Call |Args |Native form |May change |Kind "           \
				   "|What it does\n");                                             \
		TABLE(NATIVE)                                                                      \
		end(file);                                                                         \
	}

static void put_calls(void)
{
	CALLS("base", PVROM_BASE_CALLS)
	NATIVES("cpu", PVROM_CPU_CALLS)
	NATIVES("irq", PVROM_IRQ_CALLS)
	NATIVES("smp", PVROM_SMP_CALLS)
	NATIVES("clock", PVROM_CLOCK_CALLS)
	NATIVES("mmu", PVROM_MMU_CALLS)
	CALLS("dev", PVROM_DEV_CALLS)
	CALLS("mem", PVROM_MEM_CALLS)
}

/* ---- the small tables -------------------------------------------------------------------------- */

#define NAMED(NAME, number, words) fprintf(file, "|%d |`" #NAME "` |%s\n", number, words);

static void put_named(void)
{
	FILE *file = begin("status", "10,24,66", "|Number |Name |Meaning\n");
	PVROM_STATUS_TABLE(NAMED)
	end(file);

	file = begin("verdicts", "10,30,60", "|Number |Name |Words\n");
	PVROM_VERDICT_TABLE(NAMED)
	end(file);

	file = begin("routes", "10,30,60", "|Number |Name |Where\n");
	PVROM_ROUTE_TABLE(NAMED)
	end(file);

	file = begin("transports", "10,30,60", "|Number |Name |Instruction\n");
	PVROM_TRANSPORT_TABLE(NAMED)
	end(file);
}

static void put_dependencies(FILE *file, unsigned int needs)
{
#define NEEDS(NAME, bit, unused, name, text)                                                       \
	if (needs & 1u << (bit))                                                                   \
		fprintf(file, "`%s` ", name);
	PVROM_FEATURE_TABLE(NEEDS)
}

static void put_features(void)
{
	FILE *file = begin("features", "8,14,18,60", "|Bit |Name |Depends on |What it is\n");
#define FEATURE(NAME, bit, needs, name, text)                                                      \
	fprintf(file, "|%d |`%s` |", bit, name);                                                   \
	put_dependencies(file, needs);                                                             \
	fprintf(file, "|%s\n", text);
	PVROM_FEATURE_TABLE(FEATURE)
	end(file);

	file = begin("reasons", "10,30,60", "|Number |Words |Meaning\n");
#define REASON(NAME, number, words, text) fprintf(file, "|%d |%s |%s\n", number, words, text);
	PVROM_REASON_TABLE(REASON)
	end(file);

	file = begin("forms", "10,20,70", "|Number |Form |What the shim does with a site\n");
#define FORM(NAME, number, name, text) fprintf(file, "|%d |`" #NAME "` |%s\n", number, text);
	PVROM_FORM_TABLE(FORM)
	end(file);

	file = begin("groups", "20,30,25,25", "|Group |Call numbers |Version |Counters\n");
#define GROUP(NAME, number, version, name, first, counters)                                        \
	fprintf(file, "|`%s` |`0x%02x00` to `0x%02xff` |%s%u.%u |%d to %d\n", name, number,        \
		number, (version) < 0x100 ? "reserved, " : "", (version) >> 8 & 0xffu,             \
		(version)&0xffu, first, (first) + (counters)-1);
	PVROM_GROUP_TABLE(GROUP)
	end(file);
}

static void put_net(void)
{
	FILE *file = begin("net_features", "10,32,58", "|Bit |Name |What it is\n");
#define NET_FEATURE(NAME, bit, text) fprintf(file, "|%d |`" #NAME "` |%s\n", bit, text);
	PVROM_NET_FEATURE_TABLE(NET_FEATURE)
	end(file);

	file = begin("net_commands", "9,9,25,25,10,22",
		     "|Class |Number |Command |Needs |Bytes |What it does\n");
#define NET_COMMAND(CLASS, NAME, FEATURE, bytes, text)                                             \
	fprintf(file, "|%u |%u |`" #NAME "` |`" #FEATURE "` |%s |%s\n", PVROM_NET_CTRL_##CLASS,    \
		PVROM_NET_CTRL_##NAME, bytes, text);
	PVROM_NET_COMMAND_TABLE(NET_COMMAND)
	end(file);
}

static void put_version(void)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/version.adoc", directory);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(1);
	}
	fprintf(file, ":interface: %d.%d\n", PVROM_MAJOR, PVROM_MINOR);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	directory = argv[1];
	put_version();
	put_calls();
	put_named();
	put_features();
	put_net();
	return 0;
}
