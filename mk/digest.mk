# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# digest/: CRC-32 and SHA-256, compiled into both libraries.
DIGEST_SRCS := digest/crc32.c digest/sha256.c

$(eval $(call cunit,unit.digest,tests/unit/digest_test.c,$(DIGEST_SRCS)))
