# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# How one file is compiled, in each of the variants, and the small functions that fragments use.
# Nothing here needs a tool to be present when the file is read.

BUILD ?= build

# ---- quiet -------------------------------------------------------------------------------------
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif

# ---- tools -------------------------------------------------------------------------------------
# $(call have,TOOL) is the tool's path or nothing.
have = $(shell command -v '$(1)' 2>/dev/null)
# $(call have_header,NAME) is not empty if the compiler finds that header.
have_header = $(shell printf '\043include <%s>' '$(1)' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)

ifeq ($(origin CC),default)
CC := $(if $(call have,$(CROSS_COMPILE)gcc),$(CROSS_COMPILE)gcc,$(if $(call have,clang),clang,$(CROSS_COMPILE)gcc))
endif
ifeq ($(origin AR),default)
AR := $(if $(call have,$(CROSS_COMPILE)ar),$(CROSS_COMPILE)ar,$(if $(call have,llvm-ar),llvm-ar,$(CROSS_COMPILE)ar))
endif
OBJCOPY ?= $(CROSS_COMPILE)objcopy
OBJDUMP ?= $(CROSS_COMPILE)objdump
NM      ?= $(CROSS_COMPILE)nm
SIZE    ?= $(CROSS_COMPILE)size

# The other compiler, when it is there: code is tested under both.
ALT_CC  ?= $(if $(findstring clang,$(CC)),$(call have,gcc),$(call have,clang))
# The compiler of the sanitizer builds: clang by preference (its undefined-behaviour checks are
# more and libFuzzer is its own), else CC, which as gcc has both sanitizers too.
ASAN_CC ?= $(or $(if $(call have,clang),clang),$(CC))

CFLAGS  ?= -O2 -g
WERROR  ?= -Werror
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes $(WERROR)

# The public headers; every folder may include these, and only these of other folders.
INCLUDES := -Iabi -Iguest/include -Ihost/include -Ivirtqueue/include -Ipvmmu/include -Ipvclock/include \
	-Ilimits/include -Ipvblk/include -Ipvnet/include -Ivhost-user/include -Ifeature-probe/include

COMMON   := -std=gnu11 $(WARNINGS) $(INCLUDES) -fno-strict-aliasing -fno-common \
	'-ffile-prefix-map=$(CURDIR)=.'
# For kernels: no red zone (interrupts use the same stack), no vector registers, nothing from a
# C library.  -fcf-protection=none because a compiler that puts endbr64 by itself would make the
# text of two compilers incomparable; the ROM's own endbr64 are written by hand.
FREE     := -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
HOSTED   := -fPIC
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# ---- variants ----------------------------------------------------------------------------------
# $(call variant,NAME,COMPILER,FLAGS) makes the rules  build/NAME/%.o : %.c  and  %.S.
# FLAGS_FOR (target-specific, empty here) lets a fragment add flags to a folder or a file:
#     $(BUILD)/free/kernel/%.o: FLAGS_FOR += -Ikernel
# The command line is kept in build/NAME/.flags, so that a change of compiler or flags rebuilds.
define variant
VARIANTS += $(1)
COMPILE.$(1) = $(2) $$(COMMON) $$(CPPFLAGS) $$(CFLAGS) $(3)
$$(BUILD)/$(1)/%.o: %.c $$(BUILD)/$(1)/.flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(COMPILE.$(1)) $$(FLAGS_FOR) -MMD -MP -c -o $$@ $$<
$$(BUILD)/$(1)/%.o: %.S $$(BUILD)/$(1)/.flags
	@mkdir -p $$(@D)
	$$(call say,AS,$$@)
	$$(Q)$$(COMPILE.$(1)) $$(FLAGS_FOR) -MMD -MP -c -o $$@ $$<
$$(BUILD)/$(1)/.flags: FORCE
	@mkdir -p $$(@D)
	@command -v $$(firstword $(2)) >/dev/null || \
		{ echo "no compiler $$(firstword $(2)): make deps installs one"; exit 1; }
	@printf '%s\n' '$$(subst ','"'"',$$(COMPILE.$(1)))' | cmp -s - $$@ || \
		printf '%s\n' '$$(subst ','"'"',$$(COMPILE.$(1)))' >$$@
endef

$(eval $(call variant,free,$$(CC),$$(FREE)))
$(eval $(call variant,hosted,$$(CC),$$(HOSTED)))
$(eval $(call variant,test,$$(CC),$$(HOSTED) -DPVROM_TEST))
$(eval $(call variant,alt,$$(ALT_CC),$$(HOSTED) -DPVROM_TEST))
$(eval $(call variant,asan,$$(ASAN_CC),$$(HOSTED) -DPVROM_TEST -O1 -g $$(SANITIZE)))
$(eval $(call variant,ndebug,$$(CC),$$(HOSTED) -DPVROM_TEST -DNDEBUG))
LINK_CC.free   = $(CC)
LINK_CC.hosted = $(CC)
LINK_CC.test   = $(CC)
LINK_CC.alt    = $(ALT_CC)
LINK_CC.asan   = $(ASAN_CC) $(SANITIZE)
LINK_CC.ndebug = $(CC)

FORCE:
.PHONY: FORCE
# An object made on the way to a program is kept.
.SECONDARY:

# $(call objs,VARIANT,SOURCES...): the object files.
objs = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(2)))

# ---- recipes -----------------------------------------------------------------------------------
# An archive of all prerequisites that are objects; deterministic (D), made anew each time.
define MAKE_ARCHIVE
@mkdir -p $(@D)
$(call say,AR,$@)
$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)
endef
# $(call LINK,VARIANT,LIBRARIES): a hosted program of all .o and .a prerequisites, in order.
define LINK
@mkdir -p $(@D)
$(call say,LD,$@)
$(Q)$(LINK_CC.$(1)) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(2)
endef

# ---- CUnit tests -------------------------------------------------------------------------------
# $(eval $(call cunit,GROUP,TEST SOURCES,SOURCES UNDER TEST)) makes one program a compiler,
# build/test/GROUP, build/alt/GROUP, build/asan/GROUP and build/ndebug/GROUP, and the test groups
# GROUP, GROUP.othercc (when there is a second compiler), GROUP.asan, GROUP.ndebug in CHECK_QUICK. More
# libraries: CUNIT_LIBS of the four programs.
define cunit_one
$$(BUILD)/$(1)/$(2): $$(call objs,$(1),$(3) tests/cunit_tap.c $(4))
	$$(call LINK,$(1),-lcunit -lpthread $$(CUNIT_LIBS))
CHECK_QUICK += $(2)$(5)
TEST.$(2)$(5) = $$(BUILD)/$(1)/$(2)
TEST_NEEDS.$(2)$(5) = $$(BUILD)/$(1)/$(2)
endef
define cunit
$(call cunit_one,test,$(1),$(2),$(3),)
$(if $(ALT_CC),$(call cunit_one,alt,$(1),$(2),$(3),.othercc))
$(call cunit_one,asan,$(1),$(2),$(3),.asan)
$(call cunit_one,ndebug,$(1),$(2),$(3),.ndebug)
endef

# ---- lists that fragments append to; all empty here ---------------------------------------------
ALL_TARGETS :=
CHECK_QUICK :=
CHECK :=
CHECK_LONG :=
BENCHES :=
SPEC_TARGETS :=
FUZZ_TARGETS :=
RUN_TARGETS :=
GDB_TARGETS :=
DEMO_NEEDS :=
LEFT_OUT :=
INSTALL_HEADERS :=
INSTALL_LIBS :=
INSTALL_BIN :=
INSTALL_EFI :=
INSTALL_MAN :=
INSTALL_PC :=
# What keeps one CPU busy for long, and so is begun first when tests are built.
BUILD_EARLY :=

# $(call left_out,WHAT,PACKAGE), without apostrophes: said at the end of `make`, when a tool was missing.
empty :=
space := $(empty) $(empty)
left_out = $(eval LEFT_OUT += $(subst $(space),~,$(1) (needs $(2))))
SAY_LEFT_OUT = $(if $(LEFT_OUT),printf 'left out: %s\n' $(foreach l,$(LEFT_OUT),'$(subst ~, ,$(l))'); \
	echo 'make deps installs what is missing',:)

# ---- test groups -------------------------------------------------------------------------------
# A group NAME in a CHECK list has TEST.NAME (the command), TEST_TIME.NAME (seconds, default 120)
# and TEST_NEEDS.NAME (what must be built first).  TEST_SHARES.NAME = yes lets it run beside others;
# those of CHECK_QUICK all do (they start by their seconds, most first).  What needs the lab gets some minutes more: its Linux may freeze, and
# be started again (tools/lab-run --again), which takes none of the time that the test itself has. And it is done
# a second time if it fails in a whole list, aloud: the lab's CPU has faults (tests/lab/README.md). `make test-NAME` gives one try.
LAB_FREEZE_TIME := 480
group_seconds = $(or $(TEST_TIME.$(1)),120)
in_lab = $(filter $(BUILD)/lab/base.cpio,$(TEST_NEEDS.$(1)))
group_limit = $(if $(in_lab),$(shell expr $(group_seconds) + $(LAB_FREEZE_TIME)),$(group_seconds))
all_needs = $(sort $(foreach g,$(1),$(TEST_NEEDS.$(g))))
group_needs = $(filter $(BUILD_EARLY),$(all_needs)) $(filter-out $(BUILD_EARLY),$(all_needs))
define group_line
$(1)	$(group_limit)$(if $(TEST_SHARES.$(1))$(filter $(1),$(CHECK_QUICK)),+)$(if $(in_lab),$(2))	$(TEST.$(1))

endef
# The list goes to a file, for a command line would be too long and its quotes lost.
write_groups = $(shell mkdir -p $(BUILD))$(file >$(BUILD)/groups.$(1),$(foreach g,$(2),$(call group_line,$(g),$(if $(filter-out test-%,$(1)),~))))
# A test that calls make gets the variables of the command line, but not the jobs of this make.
test_makeflags = $(subst ','"'"',$(filter-out -j% --jobserver%,$(MAKEFLAGS)))
run_groups = $(call write_groups,$(1),$(2))MAKEFLAGS='$(test_makeflags)' BUILD=$(BUILD) CC='$(CC)' tools/run-tests $(BUILD)/groups.$(1)
