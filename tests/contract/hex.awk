# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Rewrites the last field of each line, a hexadecimal number, without leading zeros.
{ v = $NF; sub(/^0x0*/, "", v); $NF = "0x" (v == "" ? "0" : v); print }
