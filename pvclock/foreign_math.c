/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The division that the rates of foreign clocks need. */
#include "foreign.h"

uint64_t pvrom_shift_divide(uint64_t value, uint32_t shift, uint64_t divisor)
{
	uint64_t quotient = value / divisor, rest = value % divisor;
	bool fits = true, carry;

	for (; shift; shift--) {
		carry = rest >> 63;
		rest <<= 1;
		fits = fits && !(quotient >> 63);
		quotient <<= 1;
		if (carry || rest >= divisor) {
			rest -= divisor;
			quotient |= 1;
		}
	}
	return fits ? quotient : UINT64_MAX;
}
