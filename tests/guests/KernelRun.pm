# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Starts a machine with the reference kernel, reads what it printed, and judges and compares runs.
# Only modules of Debian's perl-base.
package KernelRun;
use strict;
use warnings;

my $number = 0;

# One TAP line; NOTES are printed as diagnostics if it is not ok. What a run came to (see tail) stands in the
# line itself too: a summary of many groups has no more than that.
sub tap {
	my ($ok, $name, @notes) = @_;
	$number++;
	my ($came_to) = $ok ? () : map { /^(exit status .*)/ ? $1 : () } @notes;
	print $ok ? '' : 'not ', "ok $number - $name", $came_to ? ' (' . $came_to =~ tr/#//dr . ')' : '', "\n";
	if (!$ok) { print "# $_\n" for map { split /\n/ } @notes; }
	return $ok;
}

sub done {
	print "1..$number\n";
}

# Runs COMMAND (a list) for at most SECONDS; returns what it printed and its exit status.
sub capture {
	my ($seconds, @command) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		open(STDIN, '<', '/dev/null');
		exec('timeout', '-k', '5', $seconds, @command) or exit 127;
	}
	my $text = do { local $/; <$pipe> } // '';
	close $pipe;
	$text =~ s/\r//g;
	return ($text, $? >> 8);
}

# Stock QEMU with its software CPU; EXTRA options last. Returns a run (see parse).
sub qemu {
	my ($kernel, $cpus, $append, @extra) = @_;
	return parse(capture(100, 'qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg', '-cpu',
		'max', '-smp', $cpus, '-m', 256, '-display', 'none', '-serial', 'stdio', '-monitor',
		'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel',
		$kernel, '-append', $append, @extra));
}

# text, status, order (fact names), verdict{name} (pass, fail, na), note{name}, quirk{name},
# machine{key}, feature{name}, rom, ended.
sub parse {
	my ($text, $status) = @_;
	my %run = (text => $text, status => $status, order => [], rom => '', plan => -1);
	my $last = '';
	$text =~ s/\A.*?^(?=TAP version 13)//ms;
	for (split /\n/, $text) {
		if (/^(not )?ok \d+ - (\S+)(?: # SKIP (.*))?$/) {
			$last = $2;
			push @{$run{order}}, $2;
			$run{verdict}{$2} = $1 ? 'fail' : $3 ? 'na' : 'pass';
			$run{note}{$2} = $3 // '';
		} elsif (/^\s+# (.*)/) {
			$run{note}{$last} .= "$1\n";
		} elsif (/^1\.\.(\d+)/) {
			$run{plan} = $1;
		} elsif (/^# machine: (\w+)=(.*)/) {
			$run{machine}{$1} = $2;
		} elsif (/^# rom: (.*)/) {
			$run{rom} = $1;
		} elsif (/^# feature (\S+) (.*)/) {
			$run{feature}{$1} = $2;
		} elsif (/^# quirk (\S+) (.*)/) {
			$run{quirk}{$1} = $2;
		}
		$run{ended} = /^# end$/ ? 1 : 0;
	}
	return \%run;
}

# What it came to in one line: the status, what its monitor said first, where the CPUs were, what
# failed, how far it came.
sub brief {
	my ($run) = @_;
	my $error = $run->{error} // '';
	my @failed = grep { $run->{verdict}{$_} eq 'fail' } @{$run->{order}};
	my @say = $error =~ /\A(.+)/;
	push @say, "CPU $1 rip $2 cr3 $3 gdt $4" =~ s/\b0+(?=[0-9a-f])//gr
		while $error =~ /^CPU (\d+).*?^rip=(\w+).*?\bcr3=(\w+).*?^gdt=(\w+)/gms;
	push @say, $1 if $run->{text} =~ /^(Bail out! .*)/m;
	push @say, 'failed: ' . join(' ', @failed[0 .. (@failed > 4 ? 4 : $#failed)]) if @failed;
	push @say, 'ended after ' . ($run->{order}[-1] // 'no fact') if !$run->{ended};
	return join('; ', "exit status $run->{status}", @say);
}

sub tail {
	my ($run) = @_;
	my @lines = split /\n/, $run->{text};
	splice(@lines, 0, -8) if @lines > 8;
	my @error = split /\n/, $run->{error} // '';
	splice(@error, 90) if @error > 90;
	return join("\n", brief($run), 'its last line:', $lines[-1] // 'nothing',
		@error ? ('on standard error:', @error) : (), 'the end of what it printed:', @lines);
}

# What must hold of every complete run, and a line for each of its facts.
sub judge {
	my ($name, $run) = @_;
	my @facts = @{$run->{order}};
	# A device that the machine was not given is nothing that a CPU hides.
	my $na = grep { $run->{verdict}{$_} eq 'na' && $run->{note}{$_} !~ /no (disk|network card) here/ } @facts;
	tap($run->{ended} && $run->{plan} == @facts && scalar(@facts), "$name: the run is complete", tail($run));
	tap($run->{status} == 1, "$name: exit status 1, all well", tail($run));
	tap($na <= 15, "$name: at most 15 facts n/a, absent devices apart", "$na are");
	for (@facts) {
		tap($run->{verdict}{$_} ne 'fail', "$name: $_", $run->{note}{$_});
	}
}

# Every fact has the same verdict in both runs; n/a on one side is no difference.
sub same {
	my ($name, $run, $model) = @_;
	my @different;
	my %all = map { $_ => 1 } @{$run->{order}}, @{$model->{order}};
	for (sort keys %all) {
		my ($a, $b) = ($run->{verdict}{$_} // 'missing', $model->{verdict}{$_} // 'missing');
		push @different, "$_: $a, there $b" if $a ne $b && $a ne 'na' && $b ne 'na';
	}
	tap(!@different && scalar(keys %all), "$name: verdicts equal, fact by fact", @different);
}

# The quirks seen are exactly those that the file lists as wrong on MACHINE.
sub quirks {
	my ($name, $run, $machine, $file) = @_;
	my %listed;
	open(my $in, '<', $file) or die "$file: $!";
	while (<$in>) {
		chomp;
		next if /^#/;
		my ($fact, $where, $verdict) = split /\t/;
		$listed{$fact} = $verdict if $where eq $machine;
	}
	tap(keys(%listed) <= 10, "$name: at most ten quirks listed");
	for (sort keys %listed) {
		my $seen = exists $run->{quirk}{$_} ? 'fail' : 'pass';
		tap($seen eq $listed{$_}, "$name: quirk $_ is as listed", "listed $listed{$_}, seen $seen");
	}
	my @extra = grep { !exists $listed{$_} } sort keys %{$run->{quirk} // {}};
	tap(!@extra, "$name: no quirk that is not listed", map { "$_ $run->{quirk}{$_}" } @extra);
}

1;
