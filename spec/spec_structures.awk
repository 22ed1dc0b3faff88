# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# First file: lines "field STRUCT.NAME OFFSET BYTES TYPE".  Then the headers of abi/.
FILENAME ~ /fields$/ { bytes[$2] = $4; type[$2] = $5; next }
function clean(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); gsub(/\|/, "\\|", s); return s }
FNR == 1 { in_comment = 0 }
/^\/\*/ { in_comment = 1; lines = 0; writers = 0 }
in_comment && /\*\// { in_comment = 0 }
in_comment {
	text = $0
	sub(/^ \*/, "", text)
	if (text ~ /^\t+0x[0-9a-f]+\t/) {
		n = split(text, part, /\t+/)
		name = part[3]
		sub(/\[.*/, "", name)
		field[++lines] = name
		offset[lines] = part[2]
		writer[lines] = meaning[lines] = ""
		first = 4
		if (part[4] ~ /^(host|guest|both)/) { writer[lines] = part[4]; writers++; first = 5 }
		if (match(writer[lines], /[:;]/)) {
			meaning[lines] = " " substr(writer[lines], RSTART + 2)
			writer[lines] = substr(writer[lines], 1, RSTART - 1)
		}
		for (i = first; i <= n; i++) meaning[lines] = meaning[lines] " " part[i]
	} else if (text ~ /^\t\t\t/ && lines)
		meaning[lines] = meaning[lines] " " clean(text)
	else if (text ~ /^ *$/ && lines)
		done = 1
	next
}
/^struct pvrom_[a-z_]+ \{$/ && lines {
	file = out "/" $2 ".adoc"
	printf ".`struct %s`\n", $2 >file
	if (writers) printf "[%%header,cols=\"10,20,8,20,42\"]\n|===\n|Offset |Field |Bytes |Written by |Meaning\n\n" >file
	else printf "[%%header,cols=\"10,25,10,55\"]\n|===\n|Offset |Field |Bytes |Meaning\n\n" >file
	for (i = 1; i <= lines; i++) {
		key = $2 "." field[i]
		if (!(key in bytes)) { print "spec_structures: " key " is not in the structure" >"/dev/stderr"; exit 1 }
		printf "|`%s` |`%s` |%s ", offset[i], field[i], bytes[key] >file
		if (writers) printf "|%s ", writer[i] >file
		if (meaning[i] == "" && field[i] ~ /^reserved/) meaning[i] = "zero"
		printf "|%s\n", clean(meaning[i]) >file
	}
	print "|===" >file
	close(file)
	lines = 0
}
