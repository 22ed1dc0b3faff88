/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counts the instructions that the two builds of guest_cost_sites.c execute, by single steps, and
 * prints both numbers. The kernel's native functions are the same code for both.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pvrom/sites.h>

uint64_t sites_steps(uint64_t *list);
uint64_t bare_steps(uint64_t *list);

void pvrom_native_irq_eoi(void)
{
}
uint32_t pvrom_native_irq_send(uint32_t vector, uint32_t base, uint64_t mask)
{
	return vector + base + (uint32_t)mask;
}
uint32_t pvrom_native_irq_route(uint64_t source, uint32_t vector, uint32_t vcpu)
{
	return (uint32_t)source + vector + vcpu;
}
uint32_t pvrom_native_irq_mask(uint64_t source, uint32_t masked)
{
	return (uint32_t)source + masked;
}
uint32_t pvrom_native_smp_start(uint32_t vcpu, uint64_t gpa)
{
	return vcpu + (uint32_t)gpa;
}
uint32_t pvrom_native_smp_stop(void)
{
	return 1;
}
uint32_t pvrom_native_smp_kick(uint32_t vcpu)
{
	return vcpu;
}
uint32_t pvrom_native_alarm_set(uint64_t tsc)
{
	return (uint32_t)tsc;
}
uint32_t pvrom_native_alarm_cancel(void)
{
	return 2;
}
uint64_t pvrom_native_clock_now(void)
{
	return 3;
}

static void child(uint64_t (*run)(uint64_t *list))
{
	uint64_t list[3] = { 0 };

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP); /* a mark: counting begins */
	run(list);
	raise(SIGSTOP); /* and ends */
	_exit(0);
}

/* Instructions from one stop to the next; those of raise() are the same in both runs. */
static long count(uint64_t (*run)(uint64_t *list))
{
	int status;
	long steps = 0;
	pid_t pid = fork();

	if (!pid)
		child(run);
	waitpid(pid, &status, 0);
	do {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			exit(2);
		waitpid(pid, &status, 0);
		steps++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	kill(pid, SIGKILL);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
		exit(2);
	waitpid(pid, &status, 0);
	return steps;
}

int main(void)
{
	printf("%ld %ld\n", count(sites_steps), count(bare_steps));
	return 0;
}
