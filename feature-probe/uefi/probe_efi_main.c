/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvrom-probe.efi: what this machine offers of pvrom, what it withholds, and why, before any operating system is
 * there. From the UEFI shell it takes arguments and returns a status; as EFI/BOOT/BOOTX64.EFI it shows the report,
 * waits for a key, and lets the firmware go on to the next thing that it can boot.
 */
#include "probe_efi.h"

#include <efishell.h>
#include <stddef.h>

struct arguments {
	bool shell, help, list, why, quiet, all, trial;
	CHAR16 *json, *record;
	CHAR16 *wrong;
};

static const char *const help[] = {
	"Usage: pvrom-probe.efi [OPTION...]",
	"Says what this machine offers of pvrom, what it withholds, and why.",
	"",
	"  --json FILE   write the verdict to FILE on this partition, as JSON, schema 1",
	"  --record FILE the evidence, for pvrom-probe --replay FILE elsewhere",
	"  --try         negotiate with the host as a kernel does, see what works, and give",
	"                all back",
	"  --why         the evidence too, a sentence a line",
	"  --list        all features, and all reasons why one is off, explained",
	"  --no-pages    do not stop at the end of a page",
	"  -q, --quiet   no output: the status says it",
	"  --help        this list",
	"",
	"Status, as the shell's %lasterror% shows it: 0x0 a valid ROM with a live host,",
	"0xE none, 0x1A one that a kernel refuses, 0x18 --try failed, 0x2 usage; another",
	"one if FILE cannot be written.",
	NULL,
};

/* clang-format off */
static const char *const list[] = {
#define LINE_(NAME, number, needs, name, text) "  " name ": " text ".",
	"features:",
	PVROM_FEATURE_TABLE(LINE_)
#undef LINE_
#define LINE_(NAME, number, words, text) "  " words ": " text,
	"reasons why one is off:",
	PVROM_REASON_TABLE(LINE_)
	PVROM_PROBE_WHY_TABLE(LINE_)
#undef LINE_
	NULL,
};
/* clang-format on */

/* ---- arguments --------------------------------------------------------------------------------- */

static bool is_word(const CHAR16 *arg, const char *word)
{
	while (*arg && *arg == (CHAR16)*word) {
		arg++;
		word++;
	}
	return *arg == 0 && *word == '\0';
}

static void take_argument(struct arguments *args, EFI_SHELL_PARAMETERS_PROTOCOL *shell, UINTN *i)
{
	CHAR16 *arg = shell->Argv[*i];

	if (is_word(arg, "--help") || is_word(arg, "-h"))
		args->help = true;
	else if (is_word(arg, "--list"))
		args->list = true;
	else if (is_word(arg, "--try"))
		args->trial = true;
	else if (is_word(arg, "--why"))
		args->why = true;
	else if (is_word(arg, "--no-pages"))
		args->all = true;
	else if (is_word(arg, "-q") || is_word(arg, "--quiet"))
		args->quiet = true;
	else if (is_word(arg, "--json") && *i + 1 < shell->Argc)
		args->json = shell->Argv[++*i];
	else if (is_word(arg, "--record") && *i + 1 < shell->Argc)
		args->record = shell->Argv[++*i];
	else
		args->wrong = arg;
}

static void take_arguments(struct efi_face *face, struct arguments *args)
{
	EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;
	EFI_SHELL_PARAMETERS_PROTOCOL *shell = NULL;
	UINTN i;

	if (EFI_ERROR(face->boot->HandleProtocol(face->image, &guid, (void **)&shell)) || !shell)
		return;
	args->shell = true;
	for (i = 1; i < shell->Argc && !args->wrong; i++)
		take_argument(args, shell, &i);
}

/* ---- what it says ------------------------------------------------------------------------------ */

static EFI_STATUS say_lines(struct efi_face *face, const char *const *line, EFI_STATUS status)
{
	while (*line)
		efi_screen_line(face, *line++);
	return status;
}

static EFI_STATUS usage(struct efi_face *face)
{
	efi_screen_line(face, "pvrom-probe: an option that is none, or one without its word");
	return say_lines(face, help, EFI_INVALID_PARAMETER);
}

static EFI_STATUS status_of(const struct efi_face *face, const struct pvrom_probe_verdict *verdict)
{
	if (face->trial && face->trial->end != EFI_TRIAL_NOT_DONE &&
	    face->trial->end != EFI_TRIAL_DONE)
		return EFI_PROTOCOL_ERROR;
	switch (pvrom_probe_status(verdict)) {
	case 0: return EFI_SUCCESS;
	case 1: return EFI_NOT_FOUND;
	case 3: return EFI_SECURITY_VIOLATION;
	default: return EFI_NO_RESPONSE;
	}
}

static EFI_STATUS end_file(struct efi_face *face)
{
	EFI_STATUS status = efi_file_end(face);

	if (EFI_ERROR(status))
		efi_screen_line(face, "pvrom-probe: cannot write the file");
	return status;
}

static EFI_STATUS write_files(struct efi_face *face, const struct arguments *args,
			      const struct pvrom_probe_evidence *evidence,
			      const struct pvrom_probe_verdict *verdict)
{
	EFI_STATUS status = EFI_SUCCESS;

	if (args->json) {
		if (!EFI_ERROR(efi_file_start(face, args->json)))
			pvrom_probe_json(verdict, efi_file_line, face);
		status = end_file(face);
	}
	if (args->record && !EFI_ERROR(status)) {
		if (!EFI_ERROR(efi_file_start(face, args->record)))
			pvrom_probe_write(evidence, efi_file_line, face);
		status = end_file(face);
	}
	return status;
}

static EFI_STATUS say(struct efi_face *face, const struct arguments *args,
		      const struct pvrom_probe_evidence *evidence)
{
	struct pvrom_probe_verdict verdict;
	EFI_STATUS status;

	pvrom_probe_judge(evidence, &verdict);
	pvrom_probe_report(&verdict, efi_screen_line, face);
	if (face->trial)
		efi_try_say(face);
	else if (verdict.rom == PVROM_PROBE_ROM_VALID)
		efi_screen_line(face, "trial       none: --try asks the host, and gives all back");
	if (args->why) {
		efi_screen_line(face, "because");
		pvrom_probe_chain(evidence, &verdict, efi_screen_line, face);
	}
	status = write_files(face, args, evidence, &verdict);
	return EFI_ERROR(status) ? status : status_of(face, &verdict);
}

/* ---- all together ------------------------------------------------------------------------------ */

struct memory {
	struct efi_trial trial;
	struct pvrom_guest guest;
	struct pvrom_probe_evidence evidence;
	uint8_t rom[PVROM_ROM_SIZE_MAX], copy[PVROM_ROM_SIZE_MAX];
};

#define PAGES ((sizeof(struct memory) + 4095) / 4096)

/* The planted fault of a test build: evidence is gathered anew for each leaf. */
#if defined(PVROM_TEST) && defined(PVROM_PLANTED)
#define GATHERINGS PVROM_PROBE_LEAVES
#else
#define GATHERINGS 1u
#endif

static void gather(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	uint32_t i;

	for (i = 0; i < GATHERINGS; i++) {
		face->places = 0;
		efi_gather(face, evidence);
	}
}

static EFI_STATUS probe(struct efi_face *face, const struct arguments *args)
{
	EFI_PHYSICAL_ADDRESS at = 0;
	struct memory *memory;
	EFI_STATUS status;

	status = face->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, PAGES, &at);
	if (EFI_ERROR(status)) {
		efi_screen_line(face, "pvrom-probe: not enough memory");
		return status;
	}
	memory = (struct memory *)(uintptr_t)at;
	__builtin_memset(memory, 0, offsetof(struct memory, rom));
	memory->evidence.rom = memory->rom;
	memory->evidence.rom_room = sizeof(memory->rom);
	face->guest = &memory->guest;
	gather(face, &memory->evidence);
	if (args->trial) {
		memory->trial.copy = memory->copy;
		face->trial = &memory->trial;
		efi_try(face, &memory->evidence);
	}
	status = say(face, args, &memory->evidence);
	/* A host that does not take back what it granted may still write there. */
	if (!args->trial || memory->trial.end != EFI_TRIAL_KEPT)
		face->boot->FreePages(at, PAGES);
	return status;
}

/* Called by gnu-efi's start code as any C function is: not EFIAPI. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	struct efi_face face = { .image = image, .system = system, .boot = system->BootServices };
	struct arguments args = { 0 };
	EFI_STATUS status;

	take_arguments(&face, &args);
	face.quiet = args.quiet;
	efi_screen_start(&face, !args.all);
	if (args.wrong)
		return usage(&face);
	if (args.help || args.list)
		return say_lines(&face, args.help ? help : list, EFI_SUCCESS);
	status = probe(&face, &args);
	/* What comes next may clear the screen. */
	if (!args.shell)
		efi_screen_wait(&face, "-- pvrom-probe has ended: any key --");
	return status;
}
