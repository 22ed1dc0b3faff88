# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Reads the headers of abi/.  Prints each field of a structure that is not of a fixed width and
# each forbidden word outside comments, and fails if there was one.  With -v comments=1 it prints
# the offset tables that stand in the comment before each structure instead.
function short(v) { sub(/^0x0*/, "", v); return "0x" (v == "" ? "0" : v) }
function breach(why) { if (!comments) print FILENAME ":" FNR ": " why ": " $0; bad = 1 }
FNR == 1 { in_struct = in_comment = 0 }
/^\/\*/ { in_comment = 1; lines = 0; size = "" }
in_comment {
	if ($1 == "*" && $2 ~ /^0x[0-9a-f]+$/) {
		if (NF > 2) { name = $3; sub(/\[.*/, "", name); field[lines] = name; offset[lines++] = $2 }
		else size = $2
	}
	if (/\*\//) in_comment = 0
	next
}
/^struct pvrom_[a-z_]+ \{$/ {
	in_struct = 1
	if (comments) {
		for (i = 0; i < lines; i++) print $2 "." field[i], short(offset[i])
		print $2, "size", short(size)
	}
	lines = 0
	next
}
in_struct && /^\};$/ { in_struct = 0; next }
in_struct && !/^\t(u?int(8|16|32|64)_t) [a-z][a-z0-9_]*(\[(0x)?[0-9a-f]+\])?;$/ { breach("not a fixed-width field") }
/^[ \t]*(struct|union)/ && !in_struct { breach("structure not written as the others") }
{ code = $0; gsub(/\/\*.*\*\//, "", code); gsub(/"[^"]*"/, "", code) }
code ~ /(^|[^a-z_])(packed|typedef|bool|size_t|long|union|pragma)([^a-z_]|$)/ { breach("forbidden word") }
code ~ /__attribute__/ { breach("forbidden word") }
END { if (!comments) exit bad }
