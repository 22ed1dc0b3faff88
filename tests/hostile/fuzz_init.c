/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* In a fuzzer: HOSTILE_FAULT=NAME in the environment plants that fault. */
#include "hostile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *fault = getenv("HOSTILE_FAULT");

	(void)argc;
	(void)argv;
	if (fault)
		hostile_plant(fault);
	return 0;
}
