# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Reads a ROM image, changes it, and makes its sums right again (see abi/pvrom/rom.h).
package RomImage;
use strict;
use warnings;

# Offsets in struct pvrom_rom_header and struct pvrom_slot.
our %HEADER = (fixup => 0x04, signature => 0x20, major => 0x28, minor => 0x2a, rom_size => 0x30,
	checksum => 0x34, slot_offset => 0x38, slot_count => 0x3c, reloc_offset => 0x40,
	reloc_count => 0x44, text_offset => 0x60, text_size => 0x64, reserved4 => 0x78);
our %SLOT = (call => 0, form => 2, text => 4, text_size => 8, reloc_first => 0x10, clobbers => 0x14);

sub load {
	my ($file) = @_;
	open(my $in, '<:raw', $file) or die "$file: $!";
	local $/;
	return scalar <$in>;
}

sub store {
	my ($file, $image) = @_;
	open(my $out, '>:raw', $file) or die "$file: $!";
	print $out $image;
	close $out or die "$file: $!";
}

sub get16 { return unpack('v', substr($_[0], $_[1], 2)); }
sub get32 { return unpack('V', substr($_[0], $_[1], 4)); }
sub put16 { substr($_[0], $_[1], 2) = pack('v', $_[2]); }
sub put32 { substr($_[0], $_[1], 4) = pack('V', $_[2]); }

# Where the first slot that has a text stands; those of cpu.cli and so on do in a "call" image.
sub text_slot {
	my ($image) = @_;
	my ($at, $count) = (get32($image, $HEADER{slot_offset}), get16($image, $HEADER{slot_count}));
	for (1 .. $count) {
		return $at if get32($image, $at + $SLOT{text});
		$at += 0x18;
	}
	die "no slot of the image has a text\n";
}

sub crc32 {
	my $crc = 0xffffffff;
	for my $byte (unpack 'C*', $_[0]) {
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

# CRC-32, and then the byte that makes the sum of all bytes 0.
sub seal {
	my ($image) = @_;
	substr($image, $HEADER{fixup}, 1) = "\0";
	put32($image, $HEADER{checksum}, 0);
	put32($image, $HEADER{checksum}, crc32($image));
	return add_up($image);
}

sub add_up {
	my ($image) = @_;
	substr($image, $HEADER{fixup}, 1) = "\0";
	substr($image, $HEADER{fixup}, 1) = chr(-unpack('%32C*', $image) & 0xff);
	return $image;
}

1;
