/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --host: what a monitor on this machine could offer. This machine's KVM is tried and not judged by flags; the
 * offer is the host core's own, over the facts of this machine, as a monitor on KVM would have it.
 */
#include "probe_linux.h"

#include <pvrom/host.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../tools/kvm_trial.h"

#define SECONDS 10 /* a KVM that takes longer hangs */

/* ---- KVM ------------------------------------------------------------------------------------------- */

static void try_and_tell(int out)
{
	char message[KVM_TRIAL_MESSAGE] = "";

	alarm(SECONDS);
	if (kvm_trial_real_mode(message) == 0 && kvm_trial_long_mode(message) == 0)
		snprintf(message, sizeof(message), "runs");
	if (write(out, message, strlen(message)) < 0)
		_exit(1);
	_exit(0);
}

/* In a process of its own, for a KVM may hang or worse. */
static void try_kvm(char answer[KVM_TRIAL_MESSAGE])
{
	int ends[2];
	ssize_t size = 0;
	pid_t child;

	if (pipe(ends) < 0)
		fail(EXIT_UNREADABLE, "no pipe");
	child = fork();
	if (child == 0)
		try_and_tell(ends[1]);
	close(ends[1]);
	if (child > 0) {
		size = read(ends[0], answer, KVM_TRIAL_MESSAGE - 1);
		waitpid(child, NULL, 0);
	}
	close(ends[0]);
	answer[size > 0 ? size : 0] = '\0';
	if (size <= 0)
		snprintf(answer, KVM_TRIAL_MESSAGE, "it hangs");
}

static void add_kvm(struct pvrom_probe_evidence *evidence)
{
	char answer[KVM_TRIAL_MESSAGE], text[KVM_TRIAL_MESSAGE + 8];

	if (access("/dev/kvm", F_OK) != 0) {
		pvrom_probe_add_fact(evidence, "kvm", "absent");
		return;
	}
	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		pvrom_probe_add_fact(evidence, "kvm", "denied: no permission to use /dev/kvm");
		return;
	}
	try_kvm(answer);
	snprintf(text, sizeof(text), "%s%s", strcmp(answer, "runs") == 0 ? "" : "fails: ", answer);
	pvrom_probe_add_fact(evidence, "kvm", text);
}

/* ---- the core's offer ------------------------------------------------------------------------------ */

/* Never called: nobody runs. */
static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	(void)gpa;
	*len = 0;
	return NULL;
}

static void lock(void *ctx)
{
	(void)ctx;
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	(void)vcpu;
	return 0;
}

static bool is_yes(const struct pvrom_probe_evidence *evidence, const char *name)
{
	const char *value = pvrom_probe_fact(evidence, name);

	return value != NULL && strcmp(value, "yes") == 0;
}

static uint32_t hardware_of(const struct pvrom_probe_evidence *evidence)
{
	uint32_t hardware = 0;

	if (is_yes(evidence, "kvm.nested_paging"))
		hardware |= PVROM_HW_NESTED_PAGING;
	if (is_yes(evidence, "kvm.apic"))
		hardware |= PVROM_HW_APIC;
	if (pvrom_probe_bit(evidence, 0x80000007, 3, 8))
		hardware |= PVROM_HW_INVARIANT_TSC;
	return hardware;
}

/* A monitor that has code for everything: what is left out then is this machine's doing. */
static uint32_t willing(const struct pvrom_host *host)
{
	(void)host;
	return PVROM_REASON_NONE;
}

#define WILLING(NAME)                                                                              \
	{                                                                                          \
		.number = PVROM_FEATURE_##NAME, .group = PVROM_GROUP_COUNT, .offer = willing       \
	}

static void ask_core(struct pvrom_probe_evidence *evidence)
{
	static const struct pvrom_host_feature code[] = {
		WILLING(CPU), WILLING(IRQ), WILLING(SMP), WILLING(ALARM),     WILLING(CLOCK),
		WILLING(MMU), WILLING(DEV), WILLING(BLK), WILLING(MMU_FAULT), WILLING(NET),
	};
	static const struct pvrom_host_ops ops = {
		.translate = translate, .lock = lock, .unlock = lock, .tsc = tsc
	};
	const struct pvrom_host_feature *features[sizeof(code) / sizeof(code[0]) + 1] = { NULL };
	const struct pvrom_host_config config = {
		.ops = &ops,
		.features = features,
		.hardware = hardware_of(evidence),
		.vcpus = 1,
		.transport = PVROM_TRANSPORT_PORT,
	};
	struct pvrom_host_vcpu vcpu;
	struct pvrom_host host;

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		features[i] = &code[i];
	if (pvrom_host_init(&host, &config, &vcpu) != PVROM_HOST_OK)
		fail(EXIT_UNREADABLE, "the host core refuses this machine");
	pvrom_host_offer(&host, &evidence->offer);
	evidence->has_offer = true;
}

void gather_host(struct pvrom_probe_evidence *evidence)
{
	add_kvm(evidence);
	ask_core(evidence);
}
