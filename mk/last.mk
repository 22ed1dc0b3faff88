# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
BENCHES += bench-limits

# Read after all other fragments: the dependencies that the compilers wrote beside the objects.
-include $(shell find $(BUILD) -name '*.d' -not -path '*/download/*' 2>/dev/null)
