# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# install, uninstall, dist.  What is installed where is one list, INSTALL_MAP below, so that
# uninstall cannot forget what install did.
PREFIX       ?= /usr/local
bindir       ?= $(PREFIX)/bin
libdir       ?= $(PREFIX)/lib
includedir   ?= $(PREFIX)/include
datadir      ?= $(PREFIX)/share
mandir       ?= $(datadir)/man
docdir       ?= $(datadir)/doc/pvrom
sourcedir    ?= $(datadir)/pvrom/source
dkmsdir      ?= $(PREFIX)/src/pvrom-$(VERSION)
pkgconfigdir ?= $(libdir)/pkgconfig
# What firmware runs: for x86-64 alone, and for no system's own search paths.
efidir       ?= $(libdir)/pvrom

# The backends of the card are pvrun's and pvrom-netd's: no archive of them is installed.
INSTALL_HEADERS += $(filter-out %/net_backend.h,$(sort $(wildcard abi/pvrom/*.h \
	$(addsuffix /include/pvrom/*.h,guest host virtqueue limits pvmmu pvclock pvblk pvnet))))
# A guest half is for kernels, a host half for programs; the clock is read by both.
INSTALL_LIBS    += $(addprefix $(BUILD)/,libpvrom-guest.a free/libpvrom-clock-guest.a libpvrom-mmu-guest.a \
	free/libpvrom-blk-guest.a free/libpvrom-net-guest.a) $(addprefix $(BUILD)/libpvrom-,host.a clock-host.a mmu-host.a virtqueue.a \
	bus-host.a blk-host.a net-host.a)
INSTALL_USER    := $(BUILD)/libpvrom-clock-guest.a
INSTALL_SO      := libpvrom-host.so
INSTALL_DOCS    := $(wildcard README.md CHANGELOG.md LICENSES/*.txt)
# The shim as C files, in the folders that guest/sources.mk names; with its public headers, for
# Linux modules (guest/Kbuild) find theirs in the same tree.
INSTALL_SOURCES = guest/sources.mk guest/Kbuild $(GUEST_SRCS) \
	$(sort $(wildcard guest/*.h guest/kbuild/*.h digest/*.h abi/pvrom/*.h guest/include/pvrom/*.h))

# What pkg-config tells of each archive. The shim's sourcedir has its C files.
PC_LIST := pvrom-guest pvrom-clock-guest pvrom-mmu-guest pvrom-blk-guest pvrom-net-guest pvrom-clock-user pvrom-host \
	pvrom-clock-host pvrom-mmu-host pvrom-virtqueue pvrom-bus-host pvrom-blk-host pvrom-net-host
PC.pvrom-guest       = the pvrom guest shim, freestanding, for kernels
PC.pvrom-clock-guest = the clock of pvrom and of other hosts, read by a kernel
PC.pvrom-mmu-guest   = the paravirtual MMU of pvrom, for kernels
PC.pvrom-blk-guest   = a driver for the disks of pvrom, for kernels
PC.pvrom-net-guest   = a driver for the network cards of pvrom, for kernels
PC.pvrom-clock-user  = the clock of pvrom, read by programs
PC.pvrom-host        = the pvrom host handler, to be embedded in hypervisors
PC.pvrom-clock-host  = the clock of pvrom, for hypervisors
PC.pvrom-mmu-host    = the shadow page tables of pvrom, for hypervisors
PC.pvrom-virtqueue   = rings of VIRTIO 1.2, both halves
PC.pvrom-bus-host    = the device bus of pvrom, for hypervisors
PC.pvrom-blk-host    = the disk of pvrom, for hypervisors
PC.pvrom-net-host    = the network card of pvrom, for hypervisors
PC_NEEDS.pvrom-mmu-guest  = pvrom-guest
PC_NEEDS.pvrom-blk-guest  = pvrom-guest
PC_NEEDS.pvrom-net-guest  = pvrom-guest
PC_NEEDS.pvrom-clock-host = pvrom-host
PC_NEEDS.pvrom-mmu-host   = pvrom-host
PC_NEEDS.pvrom-bus-host   = pvrom-host
PC_NEEDS.pvrom-blk-host   = pvrom-virtqueue
PC_NEEDS.pvrom-net-host   = pvrom-virtqueue
INSTALL_PC      := $(PC_LIST:%=$(BUILD)/pc/%.pc)

# One line a file: mode (or link), source (or what the link says), target.
define INSTALL_MAP
$(foreach f,$(INSTALL_BIN),0755 $(f) $(bindir)/$(notdir $(f))
)$(foreach f,$(INSTALL_MAN),0644 $(f) $(mandir)/man$(subst .,,$(suffix $(f)))/$(notdir $(f))
)$(foreach f,$(INSTALL_BASH),0644 $(f) $(datadir)/bash-completion/completions/$(notdir $(basename $(f)))
)$(foreach f,$(INSTALL_ZSH),0644 $(f) $(datadir)/zsh/site-functions/$(notdir $(f))
)$(foreach f,$(INSTALL_HEADERS),0644 $(f) $(includedir)/pvrom/$(notdir $(f))
)$(foreach f,$(INSTALL_LIBS),0644 $(f) $(libdir)/$(notdir $(f))
)0644 $(INSTALL_USER) $(libdir)/libpvrom-clock-user.a
0755 $(BUILD)/$(INSTALL_SO).$(VERSION) $(libdir)/$(INSTALL_SO).$(VERSION)
link $(INSTALL_SO).$(VERSION) $(libdir)/$(INSTALL_SO).$(SOVERSION)
link $(INSTALL_SO).$(SOVERSION) $(libdir)/$(INSTALL_SO)
$(foreach f,$(INSTALL_EFI),0644 $(f) $(efidir)/$(notdir $(f))
)$(foreach f,$(INSTALL_PC),0644 $(f) $(pkgconfigdir)/$(notdir $(f))
)$(foreach f,$(INSTALL_DOCS),0644 $(f) $(docdir)/$(notdir $(f))
)$(foreach f,$(INSTALL_SOURCES),0644 $(f) $(sourcedir)/$(f)
)$(foreach f,$(INSTALL_DKMS),0644 $(f) $(dkmsdir)/$(notdir $(f))
)$(foreach f,$(INSTALL_DKMS_SHARED),0644 $(f) $(dkmsdir)/pvrom/$(f)
)
endef

# Made anew each time: the directories are the caller's.  Paths below the prefix are written so, and
# DESTDIR is in none of them.  Not by words, for a directory may have a blank in its name.
below = $(if $(findstring ^$(PREFIX)/,^$(1)),$(subst ^$(PREFIX)/,$${prefix}/,^$(1)),$(1))
define WRITE_PC
sed -e 's|@NAME@|$(1)|g; s|@DESCRIPTION@|$(PC.$(1))|; s|@REQUIRES@|$(PC_NEEDS.$(1))|' \
	-e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@libdir@|$(call below,$(libdir))|' \
	-e 's|@includedir@|$(call below,$(includedir))|; s|@sourcedir@|$(call below,$(sourcedir))|' \
	-e '/^Requires: $$/d' mk/pvrom.pc.in >$(BUILD)/pc/$(1).pc
endef
.PHONY: pc install uninstall dist
pc:
	@mkdir -p $(BUILD)/pc
	$(Q)set -e; $(foreach p,$(PC_LIST),$(call WRITE_PC,$(p));)

install: all pc
	$(file >$(BUILD)/install.map,$(INSTALL_MAP))
	$(Q)tools/install-map install $(BUILD)/install.map '$(DESTDIR)'

uninstall:
	@mkdir -p $(BUILD)
	$(file >$(BUILD)/install.map,$(INSTALL_MAP))
	$(Q)tools/install-map uninstall $(BUILD)/install.map '$(DESTDIR)'

# What is committed, and nothing else; names, times and order come from the commit.
DIST := pvrom-$(VERSION)
dist:
	@mkdir -p $(BUILD)
	$(Q)git archive --format=tar --prefix=$(DIST)/ HEAD >$(BUILD)/$(DIST).tar
	$(Q)gzip -9 -n -f $(BUILD)/$(DIST).tar
	@echo "$(BUILD)/$(DIST).tar.gz"

CHECK += install.consumer install.dist
TEST.install.consumer       = tests/install/consumer_test
TEST_TIME.install.consumer  = 300
TEST_NEEDS.install.consumer = all
TEST.install.dist           = tests/install/dist_test
TEST_TIME.install.dist      = 120
TEST_SHARES.install.consumer = yes
TEST_SHARES.install.dist = yes
