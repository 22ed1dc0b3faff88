/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* pvrom-probe: what this machine, or a recorded one, offers, what it withholds, and why. The manual is pvrom-probe.1. */
#include "probe_linux.h"

#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum form { REPORT, JSON, DOT, SVG, QUIET };

struct options {
	enum form form;
	bool why, host, try, devices;
	const char *kernel, *record, *replay;
};

/* ---- words ----------------------------------------------------------------------------------------- */

void fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("pvrom-probe: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(status);
}

static void plain_line(void *ctx, const char *text)
{
	fprintf(ctx, "%s\n", text);
}

/* The first word of a line in bold, on a terminal that has not said NO_COLOR (https://no-color.org). */
static void bold_line(void *ctx, const char *text)
{
	int label = (int)strcspn(text, " ");

	fprintf(ctx, "\033[1m%.*s\033[0m%s\n", label, text, text + label);
}

static bool wants_bold(void)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
	       terminal != NULL && strcmp(terminal, "dumb") != 0;
}

/* ---- files ----------------------------------------------------------------------------------------- */

char *file_take(const char *path, size_t *size)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t room = 4096;
	char *text = malloc(room), *more;

	if (file == NULL)
		fail(EXIT_UNREADABLE, "cannot open %s: %s", path, strerror(errno));
	*size = 0;
	while (text != NULL && !feof(file) && !ferror(file)) {
		*size += fread(text + *size, 1, room - 1 - *size, file);
		if (*size < room - 1)
			continue;
		more = realloc(text, room *= 2);
		if (more == NULL)
			free(text);
		text = more;
	}
	if (text == NULL || ferror(file))
		fail(EXIT_UNREADABLE, "cannot read %s: %s", path, strerror(errno));
	text[*size] = '\0';
	if (file != stdin)
		fclose(file);
	return text;
}

static void replay(struct pvrom_probe_evidence *evidence, const char *path)
{
	size_t size;
	char *text = file_take(path, &size);
	uint32_t line = pvrom_probe_read(evidence, text, size);

	if (line != 0)
		fail(EXIT_UNREADABLE, "%s: line %u is none of a recording", path, line);
	free(text);
}

static void record(const struct pvrom_probe_evidence *evidence, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (file == NULL)
		fail(EXIT_UNREADABLE, "cannot write %s: %s", path, strerror(errno));
	pvrom_probe_write(evidence, plain_line, file);
	if (fflush(file) != 0 || ferror(file))
		fail(EXIT_UNREADABLE, "cannot write %s: %s", path, strerror(errno));
	if (file != stdout)
		fclose(file);
}

/* ---- options --------------------------------------------------------------------------------------- */

enum {
	KEY_JSON = 0x100,
	KEY_DOT,
	KEY_SVG,
	KEY_LIST,
	KEY_EXPLAIN,
	KEY_WHY,
	KEY_HOST,
	KEY_TRY,
	KEY_DEVICES,
	KEY_KERNEL,
	KEY_RECORD,
	KEY_REPLAY
};

static const struct argp_option table[] = {
	{ "json", KEY_JSON, NULL, 0, "The verdict as JSON, schema 1", 0 },
	{ "dot", KEY_DOT, NULL, 0, "The negotiation as a picture, for Graphviz's dot", 0 },
	{ "svg", KEY_SVG, NULL, 0, "The same as SVG, drawn by dot", 0 },
	{ "quiet", 'q', NULL, 0, "No output: the exit status says it", 0 },
	{ "why", KEY_WHY, NULL, 0, "The evidence too, a sentence a line", 0 },
	{ "host", KEY_HOST, NULL, 0,
	  "What a monitor could offer on this machine; tries its KVM with a tiny guest", 0 },
	{ "try", KEY_TRY, NULL, 0, "Try what this Linux was granted, and say what works", 0 },
	{ "devices", KEY_DEVICES, NULL, 0,
	  "Look for a ROM also in PCI devices that their drivers use (root; see the manual)", 0 },
	{ "kernel", KEY_KERNEL, "FILE", 0, "What this kernel would get", 0 },
	{ "record", KEY_RECORD, "FILE", 0, "Write the evidence there (-: standard output)", 1 },
	{ "replay", KEY_REPLAY, "FILE", 0, "Judge a recording in place of this machine", 1 },
	{ "list", KEY_LIST, NULL, 0, "All words of a report: features, reasons, hypervisors ...",
	  2 },
	{ "explain", KEY_EXPLAIN, "WHAT", 0,
	  "Any word of a report: a feature, a reason, a column ...", 2 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case KEY_JSON: opt->form = JSON; return 0;
	case KEY_DOT: opt->form = DOT; return 0;
	case KEY_SVG: opt->form = SVG; return 0;
	case 'q': opt->form = QUIET; return 0;
	case KEY_WHY: opt->why = true; return 0;
	case KEY_HOST: opt->host = true; return 0;
	case KEY_TRY: opt->try = true; return 0;
	case KEY_DEVICES: opt->devices = true; return 0;
	case KEY_KERNEL: opt->kernel = arg; return 0;
	case KEY_RECORD: opt->record = arg; return 0;
	case KEY_REPLAY: opt->replay = arg; return 0;
	case KEY_LIST: list_words(); exit(0);
	case KEY_EXPLAIN:
		if (!explain(arg))
			argp_error(state, "--explain: nothing is called `%s'; see --list", arg);
		exit(0);
	case ARGP_KEY_ARG: argp_error(state, "what is `%s'?", arg); return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* ---- all together ---------------------------------------------------------------------------------- */

static void judge(const struct options *opt, const struct pvrom_probe_evidence *evidence,
		  struct pvrom_probe_verdict *verdict)
{
	if (opt->host)
		pvrom_probe_judge_host(evidence, verdict);
	else
		pvrom_probe_judge(evidence, verdict);
}

/* For who sees such a report for the first time: not in files. */
static void print_hint(const struct pvrom_probe_verdict *verdict)
{
	const char *word = "advised";

	for (uint32_t i = PVROM_FEATURE_COUNT; i > 0; i--)
		if (verdict->feature[i - 1].why != PVROM_REASON_NONE)
			word = pvrom_probe_why_words(verdict->feature[i - 1].why);
	if (isatty(STDOUT_FILENO))
		printf("(pvrom-probe --explain '%s' says more, and so for any other word)\n", word);
}

static void print(const struct options *opt, const struct pvrom_probe_evidence *evidence,
		  const struct pvrom_probe_verdict *verdict)
{
	pvrom_probe_line_fn *line = wants_bold() ? bold_line : plain_line;

	if (opt->form == REPORT)
		pvrom_probe_report(verdict, line, stdout);
	if (opt->form == JSON)
		pvrom_probe_json(verdict, plain_line, stdout);
	if (opt->form == DOT)
		pvrom_probe_dot(verdict, plain_line, stdout);
	if (opt->form == SVG)
		print_svg(verdict);
	if (opt->why && opt->form == REPORT) {
		puts("because");
		pvrom_probe_chain(evidence, verdict, plain_line, stdout);
	}
	if (opt->form == REPORT)
		print_hint(verdict);
}

const char *argp_program_version = "pvrom-probe " PVROM_PROBE_VERSION;

int main(int argc, char **argv)
{
	static const char doc[] =
		"Says what this machine offers of pvrom, what it withholds, and why."
		"\vExit status: 0 a valid ROM with a live host, 1 none, 3 one that a kernel "
		"refuses, 2 usage, "
		"4 the evidence cannot be read (without root, the ROM). With --host: 0 its KVM "
		"runs guests, 1 not.";
	static const struct argp argp = { table, parse, NULL, doc, NULL, NULL, NULL };
	static struct pvrom_probe_evidence evidence;
	static uint8_t rom[PVROM_ROM_SIZE_MAX];
	struct pvrom_probe_verdict verdict;
	struct options opt = { .form = REPORT };

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &opt);
	if ((opt.host || opt.try || opt.devices) && opt.replay != NULL)
		fail(EXIT_USAGE, "--%s is about this machine: not with --replay",
		     opt.host  ? "host"
		     : opt.try ? "try"
			       : "devices");
	if (opt.host && opt.try)
		fail(EXIT_USAGE, "--try is about this kernel, --host about others: one of them");
	evidence.rom = rom;
	evidence.rom_room = sizeof(rom);
	if (opt.replay != NULL)
		replay(&evidence, opt.replay);
	else
		gather(&evidence, opt.devices);
	if (opt.try)
		try_features(&evidence);
	if (opt.host)
		gather_host(&evidence);
	if (opt.kernel != NULL)
		gather_kernel(&evidence, opt.kernel);
	if (opt.record != NULL)
		record(&evidence, opt.record);
	judge(&opt, &evidence, &verdict);
	if (opt.record == NULL || strcmp(opt.record, "-") != 0)
		print(&opt, &evidence, &verdict);
	if (opt.host)
		return verdict.kvm != NULL && strcmp(verdict.kvm, "runs") == 0 ? 0 : 1;
	return (int)pvrom_probe_status(&verdict);
}
