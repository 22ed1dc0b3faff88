/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The shim's own hypercall by OUT, which faults in an ordinary process: the registers that a host would see are those
 * of <pvrom/calls.h>, and what it leaves in them is what the caller gets. Once with a call of the sanitizer's before
 * each load, as KASAN has it: such calls destroyed the third and fourth argument.
 */
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "../cunit_tap.h"

#include "../../guest/guest_internal.h"

#define PORT 0x1234u
#define OUTL_BYTES 1

static greg_t seen[NGREG];

/* The host: it destroys what it may. */
static void host(int number, siginfo_t *info, void *context)
{
	greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	memcpy(seen, reg, sizeof(seen));
	reg[REG_RAX] = 0x5a;
	reg[REG_RDX] = 0x1122334455667788;
	reg[REG_RDI] = reg[REG_RSI] = reg[REG_R8] = reg[REG_R9] = -1;
	reg[REG_RIP] += OUTL_BYTES;
}

static void registers(void)
{
	const uint64_t arg[4] = { 0x1111111111111111, 0x2222222222222222, 0x3333333333333333,
				  0x4444444444444444 };
	struct sigaction action = { .sa_sigaction = host, .sa_flags = SA_SIGINFO }, before;
	uint64_t value = 0;
	uint32_t status;

	sigaction(SIGSEGV, &action, &before);
	status = pvrom_insn_hypercall(PVROM_TRANSPORT_PORT, PORT, 0x0403, arg, &value);
	sigaction(SIGSEGV, &before, NULL);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_RAX], 0x0403);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_RDX], PORT);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_RDI], arg[0]);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_RSI], arg[1]);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_R8], arg[2]);
	CU_ASSERT_EQUAL((uint64_t)seen[REG_R9], arg[3]);
	CU_ASSERT_EQUAL(status, 0x5a);
	CU_ASSERT_EQUAL(value, 0x1122334455667788);
}

static const struct tap_test tests[] = {
	{ "a call by a port has its arguments in their registers", registers },
	{ 0 },
};

int main(void)
{
	return tap_run("hypercall", tests);
}
