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
pkgconfigdir ?= $(libdir)/pkgconfig

INSTALL_HEADERS += $(sort $(wildcard abi/pvrom/*.h guest/include/pvrom/*.h host/include/pvrom/*.h))
INSTALL_LIBS    += $(BUILD)/libpvrom-guest.a $(BUILD)/libpvrom-host.a
INSTALL_SO      := libpvrom-host.so
INSTALL_DOCS    := $(wildcard README.md CHANGELOG.md LICENSES/*.txt)
# The shim as C files, in the folders that guest/sources.mk names; with its public headers, for
# Linux modules (guest/Kbuild) find theirs in the same tree.
INSTALL_SOURCES = guest/sources.mk guest/Kbuild $(GUEST_SRCS) \
	$(sort $(wildcard guest/*.h guest/kbuild/*.h digest/*.h abi/pvrom/*.h guest/include/pvrom/*.h))
INSTALL_PC      := $(BUILD)/pc/pvrom-guest.pc $(BUILD)/pc/pvrom-host.pc

# One line a file: mode (or link), source (or what the link says), target.
define INSTALL_MAP
$(foreach f,$(INSTALL_BIN),0755 $(f) $(bindir)/$(notdir $(f))
)$(foreach f,$(INSTALL_MAN),0644 $(f) $(mandir)/man$(subst .,,$(suffix $(f)))/$(notdir $(f))
)$(foreach f,$(INSTALL_HEADERS),0644 $(f) $(includedir)/pvrom/$(notdir $(f))
)$(foreach f,$(INSTALL_LIBS),0644 $(f) $(libdir)/$(notdir $(f))
)0755 $(BUILD)/$(INSTALL_SO).$(VERSION) $(libdir)/$(INSTALL_SO).$(VERSION)
link $(INSTALL_SO).$(VERSION) $(libdir)/$(INSTALL_SO).$(SOVERSION)
link $(INSTALL_SO).$(SOVERSION) $(libdir)/$(INSTALL_SO)
$(foreach f,$(INSTALL_PC),0644 $(f) $(pkgconfigdir)/$(notdir $(f))
)$(foreach f,$(INSTALL_DOCS),0644 $(f) $(docdir)/$(notdir $(f))
)$(foreach f,$(INSTALL_SOURCES),0644 $(f) $(sourcedir)/$(f)
)
endef

# Made anew each time: the directories are the caller's.  Paths below the prefix are written so,
# and DESTDIR is in none of them.
.PHONY: pc install uninstall dist
pc:
	@mkdir -p $(BUILD)/pc
	$(Q)for name in pvrom-guest pvrom-host; do \
		sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' \
			-e 's|@libdir@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(libdir))|' \
			-e 's|@includedir@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(includedir))|' \
			-e 's|@sourcedir@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(sourcedir))|' \
			mk/$$name.pc.in >$(BUILD)/pc/$$name.pc; done

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
TEST_TIME.install.consumer  = 120
TEST_NEEDS.install.consumer = all
TEST.install.dist           = tests/install/dist_test
TEST_TIME.install.dist      = 120
TEST_SHARES.install.consumer = yes
TEST_SHARES.install.dist = yes
