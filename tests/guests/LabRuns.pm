# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Runs pvrun with the reference kernel several times in one Linux with KVM, and reads what came of
# each run. Only modules of Debian's perl-base.
package LabRuns;
use strict;
use warnings;
use File::Temp 'tempdir';
use KernelRun;

# lab_runs(npt => 0|1, seconds => N, each => N, files => {name => path}, jobs => [{name =>,
# pvrun => options, append => kernel command line, program => file,
# before => command, with => variables}, ...]): a hash of runs by name
# (see KernelRun::parse). Words of `pvrun` may name files of the payload. `each` limits one run: one
# that takes longer has hung, and stays so. If that Linux itself freezes, it is started again, which
# is said, and goes on with the runs that have not come to an end. A run in which QEMU's software CPU gave the
# guest the registers of that Linux (lab-broken) says nothing of the guest: it is done again, twice at most, and that is said.
sub lab_runs {
	my (%plan) = @_;
	my $payload = tempdir('pvrom-runs.XXXXXX', TMPDIR => 1, CLEANUP => 1);
	system('cp', '--', $plan{files}{$_}, "$payload/$_") == 0 or die "$plan{files}{$_}: cannot copy\n"
		for sort keys %{$plan{files}};
	write_script("$payload/go", \%plan);
	my ($text, $status) = KernelRun::capture($plan{seconds} + 900, 'tools/lab-run', '--again', 2,
		'--npt', $plan{npt}, '--cpus', $ENV{LAB_CPUS} // 2, '--timeout', $plan{seconds}, '--payload',
		$payload, '--out', "$payload/out", '--where', "$payload/where", '--', 'sh', './go');
	my @broken = split /^/, slurp("$payload/out/broken");
	print "# using: ", slurp("$payload/where") =~ s/\n//r,
		@broken ? ', ' . @broken . ' runs done again because it broke them' : '', "\n";
	print "# $_" for @broken;
	print "# the lab ended with status $status\n$text" if $status;
	return map { $_->{name} => read_run("$payload/out", $_->{name}) } @{$plan{jobs}};
}

sub write_script {
	my ($file, $plan) = @_;
	open(my $out, '>', $file) or die "$file: $!";
	# The first time it begins to look.
	print $out "lab-broken\n";
	for (@{$plan->{jobs}}) {
		my $program = $_->{program} // 'pvrun';
		my $append = $_->{append} // 'facts';
		my $name = $_->{name};
		my $before = $_->{before} // ':';
		my $with = $_->{with} // '';
		print $out "[ -s \$LAB_OUT/$name.status ] || for try in 1 2 3; do\n$before\n",
			"$with timeout -k 5 $plan->{each} ./$program --quiet --no-reboot $_->{pvrun} ",
			"--append '$append' kernel >\$LAB_OUT/$name.console 2>\$LAB_OUT/$name.error\n",
			"echo \$? >\$LAB_OUT/$name.status\n",
			"saw=\$(lab-broken) || { lab-keep $name.console $name.error $name.status; break; }\n",
			"echo \"$name: try \$try came to nothing: QEMU gave the guest the registers of its host:\" \$saw >>\$LAB_OUT/broken\n",
			"lab-keep $name.console $name.error $name.status broken\ndone\n";
	}
	print $out "exit 0\n";
	close $out or die "$file: $!";
}

sub slurp {
	my ($file) = @_;
	open(my $in, '<:raw', $file) or return '';
	my $text = do { local $/; <$in> } // '';
	$text =~ s/\r//g;
	return $text;
}

sub read_run {
	my ($dir, $name) = @_;
	my $status = slurp("$dir/$name.status");
	my $run = KernelRun::parse(slurp("$dir/$name.console"), $status =~ /(\d+)/ ? $1 : -1);
	$run->{error} = slurp("$dir/$name.error");
	return $run;
}

1;
