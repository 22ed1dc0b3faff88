/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * --s3: suspend to memory, ACPI's S3 (ACPI 6.4, 4.8.3, 7.4.2.4, 16.1.3). All of the machine is lost but its memory, so that it
 * is taken apart, and the woken one is a new life in the same memory: nothing is there of what the guest
 * had set up in devices and with the host. In between pvrun waits for SIGCONT.
 */
#include "machine_sleep.h"
#include "run_vcpu.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes of the PM1 registers: status, enable, control, 16 bits each. */
#define STATUS_HIGH 1u
#define ENABLE_LOW 2u
#define CONTROL_LOW 4u
#define CONTROL_HIGH 5u
#define WOKEN 0x80u	 /* WAK_STS, bit 15 */
#define SCI_ENABLED 0x1u /* always: there is no other mode than ACPI's */
#define SLEEP_TYPE 0x1cu /* bits 12:10 */

static bool left;

/* ---- the registers ---------------------------------------------------------------------------- */

bool pm1_has(const struct vm *vm, uint32_t port)
{
	return vm->opt->s3 && port >= PM1_PORT && port < PM1_PORT + PM1_BYTES;
}

uint8_t pm1_read(const struct vm *vm, uint32_t port)
{
	return vm->pm1[port - PM1_PORT];
}

/* A sleep type and the bit that does it, as they stand in PM1 and in the sleep control register. */
void machine_sleep(struct vm *vm, uint8_t control)
{
	if ((control & SLEEP_MASK) == SLEEP_DO(SLEEP_OFF))
		machine_finish(vm, ENDED, EXIT_POWEROFF);
	else if (vm->opt->s3 && (control & SLEEP_MASK) == SLEEP_DO(SLEEP_S3))
		machine_finish(vm, SLEPT, EXIT_POWEROFF);
}

/* Ones clear the status. Events other than the waking are enabled and never come. */
void pm1_write(struct vm *vm, uint32_t port, uint8_t value)
{
	const uint32_t at = port - PM1_PORT;

	if (at < ENABLE_LOW) {
		vm->pm1[at] &= (uint8_t)~value;
	} else if (at < CONTROL_LOW) {
		vm->pm1[at] = value;
	} else if (at == CONTROL_HIGH) {
		vm->pm1[at] = value & SLEEP_TYPE;
		machine_sleep(vm, value);
	}
}

void pm1_reset(struct vm *vm, bool woken)
{
	vm->pm1[CONTROL_LOW] = SCI_ENABLED;
	vm->pm1[STATUS_HIGH] = woken ? WOKEN : 0;
}

/* ---- from one life to the next ------------------------------------------------------------------- */

/* The memory goes on, and KVM's own clock, by which Linux dates what it does; nothing else. */
void machine_sleep_begin(const struct vm *vm, struct asleep *memory)
{
	struct kvm_clock_data clock = { 0 };

	ioctl(vm->fd, KVM_GET_CLOCK, &clock);
	*memory = (struct asleep){
		.ram = vm->ram,
		.size = vm->ram_size,
		.vector = acpi_sleep_vector(vm),
		.kvm_clock_ns = clock.clock,
		.epoch = vm->pvrom.host.epoch,
	};
}

void machine_sleep_end(struct vm *vm, const struct asleep *memory)
{
	struct kvm_clock_data clock = { .clock = memory->kvm_clock_ns };

	ioctl(vm->fd, KVM_SET_CLOCK, &clock);
	vcpu_state_real(&vm->vcpus[0], memory->vector);
}

/* ---- asleep --------------------------------------------------------------------------------------- */

static sigset_t wake_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	return set;
}

/* Once, before any thread. */
void machine_sleep_signals(const struct options *opt)
{
	const sigset_t set = wake_set();

	if (opt->s3)
		pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Between the two lives; false if the user has left. A signal of before was not meant for this sleep. */
static bool wait_for_signal(const struct options *opt)
{
	const sigset_t set = wake_set();
	const struct timespec now = { 0 };
	int number;

	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	if (__atomic_load_n(&left, __ATOMIC_SEQ_CST))
		return false;
	if (!opt->quiet)
		complain("the machine sleeps; SIGCONT wakes it");
	sigwait(&set, &number);
	return !__atomic_load_n(&left, __ATOMIC_SEQ_CST);
}

/* The user leaves a machine that sleeps or is just about to: the word first, then the signal. From the console's thread. */
void machine_sleep_leave(void)
{
	__atomic_store_n(&left, true, __ATOMIC_SEQ_CST);
	kill(getpid(), SIGCONT);
}

/*
 * Sleeps, and says how it goes on: the machine wakes, ends, or is started anew, for firmware does so where no
 * waking vector was left (16.3.2).
 */
enum machine_end machine_sleep_wait(const struct options *opt, struct asleep *memory)
{
	enum machine_end end = !wait_for_signal(opt) ? ENDED : memory->vector ? SLEPT : RESET;

	if (end == SLEPT)
		return end;
	munmap(memory->ram, memory->size);
	*memory = (struct asleep){ 0 };
	return end;
}
