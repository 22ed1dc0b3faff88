# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Reads preprocessed headers (cc -E -P) and prints, for golden.c, one line for each constant,
# structure and field in them. With -v macros=1 it reads the output of cc -E -dM instead and
# prints one line for each constant that is a plain macro.
macros {
	if ($1 == "#define" && $2 ~ /^PVROM_[A-Z0-9_]+$/ && $2 !~ /(_H|_BEGIN|_END)$/ && NF > 2)
		print (/"/ ? "STRING" : /\{/ ? "BYTES" : /UINT64_C|PVROM_U64/ ? "NUMBER" : "OTHER") "(" $2 ")"
	next
}
{ text = text " " $0 }
function trim(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }
function enumerators(body,  n, i, part, items) {
	n = split(body, items, ",")
	for (i = 1; i <= n; i++) {
		split(items[i], part, "=")
		if (trim(part[1]) != "")
			print "CONSTANT(" trim(part[1]) ")"
	}
}
function fields(name, body,  n, i, part, items, field) {
	print "STRUCT(" name ")"
	n = split(body, items, ";")
	for (i = 1; i <= n; i++) {
		if (trim(items[i]) == "")
			continue
		split(trim(items[i]), part, /[ \t]+/)
		field = part[2]
		sub(/\[.*/, "", field)
		print "FIELD(" name ", " field ", \"" part[1] (items[i] ~ /\[/ ? "[]" : "") "\")"
	}
}
END {
	while (match(text, /(enum|struct [a-z0-9_]+) *\{[^}]*\}/)) {
		item = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		body = item
		sub(/^[^{]*\{/, "", body)
		sub(/\}$/, "", body)
		if (item ~ /^enum/)
			enumerators(body)
		else {
			split(item, word, /[ \t{]+/)
			if (word[2] ~ /^pvrom_/)
				fields(word[2], body)
		}
	}
}
