# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Reads "NAME SIZE ADDRESS MNEMONIC OPERANDS" lines (NAME is NN.group.call, a template's begins with
# t) and prints what breaks
# the rule that -v rule= names.  -v golden= is the golden list, for the native forms.
BEGIN {
	while ((getline line <golden) > 0)
		if (line ~ /^call CPU_/) {
			split(line, word, " ")
			form = line
			sub(/^[^"]*"/, "", form)
			sub(/"$/, "", form)
			native["cpu." tolower(substr(word[2], 5))] = form
			flags = line
			sub(/.* flags 0x/, "", flags)
			sub(/ .*/, "", flags)
			leaves["cpu." tolower(substr(word[2], 5))] = flags ~ /[4-7c-f]$/
		}
}
function hex(s,  i, v) {
	for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return v
}
function broken(why) { print name ": " why ": " insn }
# As the table of calls writes it: one blank, ports without brackets, whole registers.
function plain(s) {
	gsub(/[ \t]+/, " ", s)
	sub(/ $/, "", s)
	gsub(/\(%dx\)/, "%dx", s)
	sub(/%db/, "%dr", s)
	if (s ~ /^(pushf|popf)$/) s = s "q"
	if (s ~ /^(str|sldt) /) sub(/%eax/, "%rax", s)
	return s
}
function finish(  all, i) {
	if (name == "" || (rule != "native" && rule != "jump")) return
	call = name
	sub(/^t?[0-9]+\./, "", call)
	template = name ~ /^t/
	insn = "the whole"
	returns = n >= 6 && seen[n - 4] == "ret" && seen[n - 3] == "int3" && seen[n] == "int3"
	if (rule == "jump" && !template && returns == (leaves[call] + 0)) broken(returns ? "returns" : "does not return")
	if (rule == "native" && call ~ /^cpu\./) {
		for (i = template ? 1 : 2; i <= (returns ? n - 5 : n); i++) all = all (all != "" ? "; " : "") seen[i]
		if ((!template && seen[1] != "endbr64") || all != native[call]) broken("is '" all "', should be '" native[call] "'")
	}
}
$1 != name { finish(); name = $1; n = 0 }
{
	size = $2
	insn = $0
	sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", insn)
	seen[++n] = plain(insn)
}
rule == "calls" && insn ~ /(^|[^a-z])l?call|\*|\(bad\)|^(ljmp|int |into|syscall)/ { broken("call, indirect branch or no instruction") }
rule == "stack" && $1 !~ /^t/ && insn ~ /%[re]?spl?([^a-z]|$)|^(push|pop|enter|leave)/ { broken("uses the stack") }
rule == "place" && insn ~ /%rip/ { broken("is addressed by place") }
rule == "place" && insn ~ /^j[a-z]+ / {
	target = insn
	sub(/.* 0x/, "", target)
	if (hex(target) >= size) broken("leaves the text")
}
END { finish() }
