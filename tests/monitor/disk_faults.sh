# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# Would disk.sh notice? Runs it with a pvrun that makes a mistake; each of these must fail, and at what it is about.
# In the payload, where pvrun is the test build.
. ./tap.sh

# notices MISTAKE WORDS
notices() {
	mkdir "of.$1"
	for file in *; do [ -d "$file" ] || ln "$file" "of.$1/"; done
	(cd "of.$1" && BUG=$1 sh ./disk.sh) >"$1.out" 2>&1
	grep '^not ok' "$1.out" | sed 's/^/# /'
	grep '^not ok' "$1.out" | grep -q "$2"
	result $? "with $1 it is not so that: $2"
	rm -r "of.$1"
}

notices DISCARD_QUIET 'zeros where it was discarded'
notices LIMIT_EARLY 'iops: 43 reads take two seconds'
notices FILE_LOCK 'one file for two disks'
notices FILE_ANY 'a disk that is not there'
done_testing
