# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Completion of pvrom-probe's options for bash.
_pvrom_probe() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	case $before in
	--kernel|--record|--replay) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return;;
	--explain) mapfile -t COMPREPLY < <(compgen -W "$(pvrom-probe --list | sed -n '/^features/,/^reasons/s/^  \([^ ]*\) .*/\1/p')" -- "$word"); return;;
	esac
	mapfile -t COMPREPLY < <(compgen -W '--json --dot --svg --quiet --why --host --try --devices --kernel --record --replay --list --explain --help --version' -- "$word")
}
complete -F _pvrom_probe pvrom-probe
