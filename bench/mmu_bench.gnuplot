# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Draws what mmu_bench measured: bars='FILE' (label, then a column for each machine) to svg='FILE'.
set terminal svg size 1100,420 font "sans,12" background "white"
set output svg
set bmargin 4
set title "VM exits an operation, as a fraction of KVM's shadow pager (its number below each name)"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set key top left
set yrange [0:2.2]
set ytics 0.5
set grid ytics
set xtics nomirror noenhanced
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead dashtype 2
plot bars using 3:xtic(1) title "ours, no calls" linecolor rgb "#b0b0b0", \
	'' using 4 title "ours, calls" linecolor rgb "#3070b0", \
	'' using 6 title "ours, a CPU polls" linecolor rgb "#80c0f0", \
	'' using 5 title "ours, nested paging" linecolor rgb "#50a050", \
	'' using 2 title "KVM, nested paging" linecolor rgb "#d0a040"
