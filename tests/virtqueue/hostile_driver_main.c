/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * All hostile drivers. [PVROM-VQ-4] [PVROM-VQ-5] [PVROM-VQ-6] [PVROM-VQ-7]
 */
#include "hostile_lists.h"

int main(void)
{
	static const struct hostile_case *const lists[] = { hostile_split,  hostile_chain,
							    hostile_packed, hostile_setup,
							    hostile_record, 0 };

	return hostile_run(lists);
}
