/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Calls from several vCPUs at a time, an embedder who moves the epoch meanwhile, and a guest that writes over
 * all of it. Built with AddressSanitizer and with ThreadSanitizer; prints TAP.
 *
 * Promised: no byte of guest memory is read twice in a call, none outside is touched, every answer is one that
 * the call's page names, and what vCPUs share in the host is touched under the lock or atomically.
 * Then two hosts with a planted fault, each in a process of its own, which must be found.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/host_internal.h"

#include "hostile.h"

#define VCPUS 4
#define CALLS 50000
#define MEMORY 0x8000
#define OWN 0x1000 /* each vCPU's structures: its page */
#define AREAS 0x6000
#define SET (PVROM_FEATURE_BIT(PVROM_FEATURE_CPU) | PVROM_FEATURE_BIT(PVROM_FEATURE_SMP))

static uint8_t memory[MEMORY] __attribute__((aligned(4096)));
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pvrom_host host;
static struct pvrom_host_vcpu vcpus[VCPUS];
static bool over;
static bool forgets_the_lock, reads_twice; /* planted */
static uint64_t epoch = 1;		   /* as the embedder, who raises it, knows it */
static uint32_t told;			   /* calls that were answered OK */

/* ---- the embedder's callbacks ------------------------------------------------------------------------ */

static void *translate(void *ctx, struct pvrom_gpa gpa, uint64_t *len)
{
	(void)ctx;
	if (gpa.gpa >= MEMORY)
		return NULL;
	if (*len > MEMORY - gpa.gpa)
		*len = MEMORY - gpa.gpa;
	return memory + gpa.gpa;
}

static void lock(void *ctx)
{
	(void)ctx;
	if (!forgets_the_lock)
		pthread_mutex_lock(&mutex);
}

static void unlock(void *ctx)
{
	(void)ctx;
	if (!forgets_the_lock)
		pthread_mutex_unlock(&mutex);
}

static uint64_t tsc(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	return vcpu;
}

static uint32_t alarm_set(void *ctx, uint32_t vcpu, uint64_t when, uint8_t vector)
{
	(void)ctx;
	(void)when;
	PROMISE(vcpu < VCPUS && vector >= PVROM_VECTOR_MIN);
	return PVROM_STATUS_OK;
}

static void alarm_cancel(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	PROMISE(vcpu < VCPUS);
}

static uint32_t smp_start(void *ctx, uint32_t vcpu, const struct pvrom_smp_state *state)
{
	(void)ctx;
	PROMISE(vcpu < VCPUS && (state->efer & 0x500) == 0x500 && !(state->cs & 3));
	return PVROM_STATUS_OK;
}

static uint32_t smp_kick(void *ctx, uint32_t vcpu)
{
	(void)ctx;
	PROMISE(vcpu < VCPUS);
	return PVROM_STATUS_OK;
}

static const struct pvrom_host_ops ops = {
	.translate = translate,
	.lock = lock,
	.unlock = unlock,
	.tsc = tsc,
	.alarm_set = alarm_set,
	.alarm_cancel = alarm_cancel,
	.smp_start = smp_start,
	.smp_kick = smp_kick,
};

static uint32_t smp_call(struct pvrom_host *machine, struct pvrom_host_vcpu *vcpu, uint32_t number,
			 const uint64_t arg[4], uint64_t *value)
{
	uint32_t size;

	if (reads_twice && number == PVROM_SMP_START)
		pvrom_host_read(machine, (struct pvrom_gpa){ arg[1] }, &size, sizeof(size));
	return pvrom_host_smp.call(machine, vcpu, number, arg, value);
}

static struct pvrom_host_feature smp;
static const struct pvrom_host_feature *const features[] = { &pvrom_host_cpu, &smp, NULL };

/* ---- the guest's threads --------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 33;
}

/* Guest memory is nobody's: what is done to it here is no business of a sanitizer for threads. */
__attribute__((no_sanitize("thread"))) static void put(uint64_t gpa, const void *bytes, size_t size)
{
	volatile uint8_t *to = memory + gpa;
	const uint8_t *from = bytes;

	while (size--)
		*to++ = *from++;
}

__attribute__((no_sanitize("thread"))) static void *scribble(void *unused)
{
	uint64_t seed = 1;

	(void)unused;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		*(volatile uint8_t *)&memory[next(&seed) % AREAS] ^= (uint8_t)(1u << (seed & 7));
	return NULL;
}

static void *embed(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		pvrom_host_raise_epoch(&host);
		pvrom_host_refill_log(&host);
		pvrom_host_set_hardware(&host, PVROM_HW_NESTED_PAGING);
		__atomic_add_fetch(&epoch, 2, __ATOMIC_RELAXED);
		usleep(200);
	}
	return NULL;
}

/* A set that is no other than the one that is sealed, so that the calls in it stay served. */
static void write_words(uint64_t gpa)
{
	const struct pvrom_negotiation n = {
		.size = sizeof(n),
		.major = PVROM_MAJOR,
		.epoch = __atomic_load_n(&epoch, __ATOMIC_RELAXED),
		.wanted = SET,
		.granted = SET,
		.epoch_vector = 0x40,
		.alarm_vector = 0x41,
	};
	const struct pvrom_smp_state state = {
		.size = sizeof(state),
		.rip = 0x1000,
		.cr0 = 0x80000001,
		.cr4 = 0x20,
		.efer = 0x500,
		.cs = 8,
	};

	put(gpa, &n, sizeof(n));
	put(gpa + 0x100, &state, sizeof(state));
}

/* One call of each kind that reads or writes memory, over structures that change meanwhile. */
static struct pvrom_host_regs draw(uint32_t id, uint64_t *seed)
{
	const uint64_t own = (uint64_t)id * OWN, random = next(seed);
	const struct pvrom_host_regs all[] = {
		{ .call = PVROM_BASE_QUERY, .arg = { own + 0x200, 0x80 } },
		{ .call = PVROM_BASE_NEGOTIATE, .arg = { own, PVROM_NEGOTIATE_PROPOSE } },
		{ .call = PVROM_BASE_NEGOTIATE, .arg = { own, PVROM_NEGOTIATE_COMMIT } },
		{ .call = PVROM_BASE_VCPU_AREA,
		  .arg = { AREAS + id * PVROM_VCPU_AREA_SIZE, PVROM_VCPU_AREA_SIZE } },
		{ .call = PVROM_BASE_LOG, .arg = { own, 0x40 } },
		{ .call = PVROM_BASE_BATCH, .arg = { own + 0x400, 1 + (random >> 8) % 8 } },
		{ .call = PVROM_SMP_START, .arg = { (random >> 8) % VCPUS, own + 0x100 } },
		{ .call = PVROM_SMP_KICK, .arg = { (random >> 8) % VCPUS } },
	};
	struct pvrom_host_regs regs = all[random % 8];

	regs.mode64 = 1;
	return regs;
}

static void *run_vcpu(void *argument)
{
	struct pvrom_host_vcpu *vcpu = argument;
	uint64_t seed = vcpu->id + 7;
	uint32_t i;

	pvrom_host_trace.double_fetches = pvrom_host_trace.strays = 0;
	for (i = 0; i < CALLS; i++) {
		struct pvrom_host_regs regs = draw(vcpu->id, &seed);

		if (i % 16 == 0)
			write_words((uint64_t)vcpu->id * OWN);
		PROMISE(pvrom_host_call(vcpu, &regs) == PVROM_ACTION_RESUME);
		PROMISE(regs.status < PVROM_STATUS_COUNT);
		PROMISE(!pvrom_host_trace.double_fetches && !pvrom_host_trace.strays);
		if (regs.status == PVROM_STATUS_OK)
			__atomic_add_fetch(&told, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* ---- a run -------------------------------------------------------------------------------------------------- */

static void set_up(void)
{
	const struct pvrom_host_config config = {
		.ops = &ops,
		.features = features,
		.vcpus = VCPUS,
		.log_burst = 4,
		.transport = PVROM_TRANSPORT_PORT,
	};

	uint64_t form;

	smp = pvrom_host_smp;
	smp.call = smp_call;
	PROMISE(pvrom_host_init(&host, &config, vcpus) == PVROM_HOST_OK);
	write_words(0);
	for (form = PVROM_NEGOTIATE_PROPOSE; form <= PVROM_NEGOTIATE_COMMIT; form++) {
		struct pvrom_host_regs regs = { .call = PVROM_BASE_NEGOTIATE,
						.arg = { 0, form },
						.mode64 = 1 };

		pvrom_host_call(&vcpus[0], &regs);
		PROMISE(regs.status == PVROM_STATUS_OK);
	}
}

static void run(void)
{
	pthread_t thread[VCPUS + 2];
	uint32_t i;

	set_up();
	pthread_create(&thread[VCPUS], NULL, scribble, NULL);
	pthread_create(&thread[VCPUS + 1], NULL, embed, NULL);
	for (i = 0; i < VCPUS; i++)
		pthread_create(&thread[i], NULL, run_vcpu, &vcpus[i]);
	for (i = 0; i < VCPUS; i++)
		pthread_join(thread[i], NULL);
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread[VCPUS], NULL);
	pthread_join(thread[VCPUS + 1], NULL);
	PROMISE(told > CALLS / 10);
}

/* Wait status of a run in a process of its own; quiet where it shall fail. */
static int run_apart(bool quiet)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (quiet && !freopen("/dev/null", "w", stderr))
			_exit(0);
		run();
		exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

static void result(int number, bool ok, const char *what)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, what);
	fflush(stdout);
}

int main(void)
{
	int tests = 2;

	result(1, run_apart(false) == 0, "vCPUs, embedder and a racing writer [PVROM-SEC-2]");
	reads_twice = true;
	result(2, run_apart(true) != 0, "the planted fault is found: reads-twice");
	reads_twice = false;
#ifdef HOSTILE_TSAN
	forgets_the_lock = true;
	result(++tests, run_apart(true) != 0, "the planted fault is found: forgets-the-lock");
#endif
	printf("1..%d\n", tests);
	return 0;
}
