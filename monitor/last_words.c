/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * SIGTERM ends pvrun, as it would have, but first says on stderr where each CPU is: a guest that hangs is
 * mostly ended so, and one that hangs with interrupts off says nothing itself. A thread does that, for only
 * a CPU's own thread can read its registers, and these must be asked.
 */
#include "run_vcpu.h"
#include "pc_devices.h"

#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A CPU's thread may be stuck outside of the guest, and then nobody waits longer than this. */
#define PATIENCE_S 3

static sem_t wake;
static volatile sig_atomic_t listening, asked;

/* Which signal to die of at `number`; 0: none yet, there will be last words. Async-signal-safe. */
int last_words_signal(int number)
{
	if (number == SIGALRM && asked)
		return SIGTERM;
	if (number != SIGTERM || !listening || asked)
		return number;
	asked = 1;
	alarm(PATIENCE_S);
	sem_post(&wake);
	return 0;
}

static void *mourn(void *argument)
{
	struct vm *vm = argument;

	while (sem_wait(&wake) != 0) /* interrupted */
		;
	if (!asked)
		return NULL;
	complain("ended by SIGTERM");
	vcpu_dump_all(&vm->vcpus[0]);
	terminal_die(SIGTERM);
}

/* While the CPUs run. */
void last_words_start(struct vm *vm)
{
	sigset_t all, before;
	int error;

	sem_init(&wake, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&vm->mourner, NULL, mourn, vm);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		fail(EXIT_CANNOT_RUN, "out of memory: no thread for last words: %s",
		     strerror(error));
	listening = 1;
}

/* Before they have ended: somebody who asks in this moment is still answered. */
void last_words_stop(struct vm *vm)
{
	listening = 0;
	sem_post(&wake);
	pthread_join(vm->mourner, NULL);
	sem_destroy(&wake);
}
