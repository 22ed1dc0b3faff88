/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --try: the negotiation that a kernel makes, with all that the host offers, and what can be seen of it; then all is
 * given back. Code of the ROM is not run (PVROM_POLICY_DATA_ONLY): a few hypercalls, by the shim's own sequences.
 *
 * Interrupts are off meanwhile (TPL_HIGH_LEVEL; UEFI 2.10, 7.1), so that nothing of firmware runs between the
 * first call and the last. What firmware itself had from the host would be given back too; none that is known uses it.
 */
#include "probe_efi.h"

#include <pvrom/kernel_api.h>

#define PVROM_CLOCK_TRIES 10000 /* reads of a page that its host never finishes */
#include <pvrom/clock_guest.h>

#define ALL ((PVROM_U64(1) << PVROM_FEATURE_COUNT) - 1)
#define CLOCK_LOOKS 10000u

/* The vector of alarms has to be named; none is set. */
static const struct pvrom_policy policy = {
	.wanted = ALL,
	.flags = PVROM_POLICY_DATA_ONLY,
	.alarm_vector = PVROM_VECTOR_MIN,
};

/* ---- what the shim needs of a kernel, beside memory (probe_efi_gather.c) ----------------------- */

uint64_t pvrom_os_gpa(void *os, const void *where, size_t size)
{
	(void)os;
	(void)size;
	return (uint64_t)(uintptr_t)where;
}

void *pvrom_os_text_alloc(void *os, size_t size)
{
	const struct efi_face *face = os;

	return face->trial && size <= PVROM_ROM_SIZE_MAX ? face->trial->copy : NULL;
}

void pvrom_os_text_free(void *os, void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
}

/* Nobody runs it, and there are no sites. */
bool pvrom_os_text_seal(void *os, void *where, size_t size)
{
	(void)os;
	(void)where;
	(void)size;
	return false;
}

bool pvrom_os_text_write(void *os, void *where, const void *bytes, size_t size)
{
	(void)os;
	(void)where;
	(void)bytes;
	(void)size;
	return false;
}

/* The other CPUs are firmware's, and run nothing of this. */
void pvrom_os_rendezvous(void *os, void (*act)(void *argument), void *argument)
{
	(void)os;
	act(argument);
}

/* ---- what can be seen -------------------------------------------------------------------------- */

/* Does the time of the page go on? */
static bool goes_on(const struct pvrom_clock_page *page)
{
	const uint64_t before = pvrom_clock_page_monotonic(page);
	uint64_t now = before;
	uint32_t looks;

	for (looks = 0; looks < CLOCK_LOOKS && now != PVROM_CLOCK_NONE && now <= before; looks++) {
		__builtin_ia32_pause();
		now = pvrom_clock_page_monotonic(page);
	}
	return now != PVROM_CLOCK_NONE && now > before;
}

static uint32_t give_page(struct efi_face *face, uint64_t gpa)
{
	return pvrom_call(face->guest, PVROM_CLOCK_PAGE, gpa, PVROM_CLOCK_PAGE_SIZE, 0, 0, NULL);
}

static void try_clock(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	const uint64_t clock = PVROM_FEATURE_BIT(PVROM_FEATURE_CLOCK);
	struct efi_trial *trial = face->trial;

	if (!(face->guest->granted & clock))
		return;
	evidence->tried |= clock;
	if (give_page(face, (uint64_t)(uintptr_t)trial->page) != PVROM_STATUS_OK)
		return;
	if (goes_on((const struct pvrom_clock_page *)(const void *)trial->page))
		evidence->worked |= clock;
	give_page(face, PVROM_CLOCK_PAGE_NONE);
}

/* ---- all together ------------------------------------------------------------------------------ */

/* The empty set, which a host always accepts: for one that will not RESET while other CPUs are there. */
static uint32_t commit_nothing(struct efi_face *face)
{
	struct pvrom_negotiation *nothing = &face->trial->nothing;

	*nothing = face->guest->negotiation;
	nothing->granted = 0;
	return pvrom_call(face->guest, PVROM_BASE_NEGOTIATE, (uint64_t)(uintptr_t)nothing,
			  PVROM_NEGOTIATE_COMMIT, 0, 0, NULL);
}

static void give_back(struct efi_face *face)
{
	struct efi_trial *trial = face->trial;

	trial->status = pvrom_guest_stop(face->guest, 0);
	if (trial->status == PVROM_STATUS_OK)
		return;
	trial->end = commit_nothing(face) == PVROM_STATUS_OK ? EFI_TRIAL_EMPTIED : EFI_TRIAL_KEPT;
}

/* A set that is offered is closed, as the shim has seen, so that all of it is to be granted. */
static void negotiate(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	struct pvrom_guest *guest = face->guest;

	pvrom_guest_init(guest, &policy, face);
	face->trial->verdict = pvrom_guest_start(guest, NULL, 0);
	face->trial->status = guest->call_status;
	if (face->trial->verdict != PVROM_VERDICT_READY) {
		if (face->trial->verdict == PVROM_VERDICT_HOST_ERROR || guest->call_status)
			face->trial->end = EFI_TRIAL_FAILED;
		return;
	}
	evidence->has_offer = true;
	evidence->offer = guest->offer;
	face->trial->end =
		guest->granted == (guest->offer.offered & ALL) ? EFI_TRIAL_DONE : EFI_TRIAL_LESS;
	try_clock(face, evidence);
	give_back(face);
}

void efi_try(struct efi_face *face, struct pvrom_probe_evidence *evidence)
{
	struct efi_trial *trial = face->trial;
	EFI_TPL before;

	trial->verdict = face->guest->verdict;
	trial->end = EFI_TRIAL_NOT_DONE;
	if (trial->verdict != PVROM_VERDICT_READY)
		return;
	before = face->boot->RaiseTPL(TPL_HIGH_LEVEL);
	negotiate(face, evidence);
	face->boot->RestoreTPL(before);
}

/* ---- what it says ------------------------------------------------------------------------------ */

static void say(struct efi_face *face, const char *label, const char *words, const char *more)
{
	const char *const parts[] = { label, words, more };
	char line[PVROM_PROBE_VALUE];
	size_t length = 0, i;
	const char *from;

	for (i = 0; i < 3; i++)
		for (from = parts[i]; *from && length < sizeof(line) - 1; from++)
			line[length++] = *from;
	line[length] = '\0';
	efi_screen_line(face, line);
}

static const char *const words_of[] = {
	[EFI_TRIAL_NOT_DONE] = "not done: ",
	[EFI_TRIAL_FAILED] = "failed: ",
	[EFI_TRIAL_DONE] = "negotiated as a kernel does, and all given back",
	[EFI_TRIAL_LESS] = "negotiated: the host grants less than it offers",
	[EFI_TRIAL_EMPTIED] = "negotiated; no RESET, but the empty set took all back",
	[EFI_TRIAL_KEPT] = "negotiated; the host does not take back what it granted",
};

static const char *why(const struct efi_trial *trial)
{
	if (trial->end > EFI_TRIAL_FAILED)
		return "";
	if (trial->verdict == PVROM_VERDICT_NO_HOST)
		return "no host answers for this ROM";
	return pvrom_verdict_words(trial->verdict);
}

void efi_try_say(struct efi_face *face)
{
	const struct efi_trial *trial = face->trial;

	say(face, "trial       ", words_of[trial->end], why(trial));
	if (trial->status != PVROM_STATUS_OK)
		say(face, "            the host said: ", pvrom_status_words(trial->status), "");
}
