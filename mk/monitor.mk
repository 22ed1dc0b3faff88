# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# monitor/: pvrun. Static, because it also runs inside the lab's level-1 Linux, which has no libraries.
MONITOR_SRCS := $(addprefix monitor/, acpi_tables.c alarms.c aml.c apic_state.c area_records.c boot_area.c cmos_clock.c counter_port.c \
	cpuid_table.c event_fds.c exits.c file_image.c guest_memory.c hardware_facts.c interrupts.c kvm_device.c kvm_stats.c \
	last_words.c load_elf.c load_kernel.c load_linux.c load_multiboot.c load_pvh.c machine.c message.c net_options.c \
	acpi_sleep.c bus_bug.c machine_sleep.c options.c ports.c rom_bug.c \
	pvrom_glue.c pvrom_ops.c pvrun.c serial_16550.c stats_report.c terminal.c vcpu.c vcpu_dump.c \
	vcpu_state.c vcpu_work.c)
MONITOR_SRCS += $(addprefix monitor/, guest_clock.c guest_tsc.c host_clock.c saved_file.c saved_machine.c saved_parts.c saved_vcpu.c \
	vcpu_times.c vmclock_page.c)
# Disks and network cards need liburing; everything else of pvrun needs nothing.
ifneq ($(call have_header,liburing.h),)
MONITOR_SRCS += $(addprefix monitor/,device_thread.c disk.c net_device.c net_helper.c net_round.c saved_virtio.c virtio_bus.c virtio_device.c \
	virtio_mmio.c)
MONITOR_DEVICES = $(addprefix $(BUILD)/libpvrom-,blk-host.a blk-backend.a net-backend.a net-host.a virtqueue.a)
MONITOR_LIBS = -luring
else
MONITOR_SRCS += monitor/disk_absent.c monitor/net_absent.c
$(call left_out,the disks and network cards of pvrun,liburing-dev)
endif
MONITOR_VARIANTS := hosted test alt

# KVM's own structures end in a flexible array; ours put the entries behind it, as KVM wants it, and clang warns of that.
KVM_STRUCTURES = -D_GNU_SOURCE -Wno-gnu-variable-sized-type-not-at-end
$(foreach v,$(MONITOR_VARIANTS),$(BUILD)/$(v)/monitor/%.o): FLAGS_FOR += $(KVM_STRUCTURES) -DPVRUN_VERSION='"$(VERSION)"' \
	-fno-pic -fno-pie

# The way of every call: registers are copied one by one, not in pairs by vector instructions, which cost more.
$(foreach v,$(MONITOR_VARIANTS),$(BUILD)/$(v)/monitor/pvrom_glue.o): FLAGS_FOR += -fno-tree-slp-vectorize

# The archive without position-independent code: its tables need no relocation and so lie beside each
# other. A call touches three pages less for it, which is 1 % of its round trip.
$(BUILD)/pvrun: $(call objs,hosted,$(MONITOR_SRCS)) $(BUILD)/free/libpvrom-clock-host.a \
		$(BUILD)/free/libpvrom-bus-host.a \
		$(BUILD)/free/libpvrom-host.a $(MONITOR_DEVICES)
	$(call LINK,hosted,-static -no-pie -pthread $(MONITOR_LIBS))

# The same with the seeded bugs of the host and of its disks; takes --bug NAME.
$(BUILD)/test/pvrun: $(call objs,test,$(MONITOR_SRCS)) $(BUILD)/free/libpvrom-clock-host.a \
		$(BUILD)/free/libpvrom-bus-host.a $(if $(MONITOR_DEVICES),$(BUILD)/test/libpvrom-blk.a) \
		$(BUILD)/test/libpvrom-host.a $(MONITOR_DEVICES)
	$(call LINK,test,-static -no-pie -pthread $(MONITOR_LIBS))

ALL_TARGETS += $(BUILD)/pvrun
INSTALL_BIN += $(BUILD)/pvrun
INSTALL_MAN += monitor/pvrun.1

# ---- tests -------------------------------------------------------------------------------------
TINY_SRCS := $(addprefix tests/monitor/,guest_boot.S tiny_main.c tiny_calls.c tiny_interrupts.c tiny_lost.c tiny_sleep.c)
$(BUILD)/tests/tiny.elf: $(call objs,free,$(TINY_SRCS)) tests/monitor/guest.lds
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -nostdlib -static -no-pie -Wl,-T,tests/monitor/guest.lds -Wl,--build-id=none \
		-Wl,-z,noexecstack -o $@ $(filter %.o,$^)

# The same as a 32-bit file, which multiboot loaders take too.
$(BUILD)/tests/tiny32.elf: $(BUILD)/tests/tiny.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O elf32-i386 $< $@

# Runs a program for which one system call of a kind answers as if there were no such thing.
$(BUILD)/tests/kvm_without: $(call objs,hosted,tests/monitor/kvm_without.c)
	$(call LINK,hosted,-static)

MONITOR_LAB = $(BUILD)/pvrun $(BUILD)/tests/tiny.elf $(BUILD)/tests/tiny32.elf $(BUILD)/tests/kvm_without $(LAB)
MONITOR_TEST = tests/monitor/monitor_lab_test

CHECK_QUICK += monitor.usage
TEST.monitor.usage       = tests/monitor/monitor_usage_test
TEST_NEEDS.monitor.usage = $(BUILD)/pvrun

# What pvrun makes of its host's clock, without pvrun: compiled as above, at an address that is fixed.
$(foreach v,test alt asan ndebug,$(BUILD)/$(v)/tests/monitor/host_clock_test.o) \
	$(foreach v,asan ndebug,$(BUILD)/$(v)/monitor/host_clock.o): FLAGS_FOR += $(KVM_STRUCTURES)
$(foreach v,test alt asan ndebug,$(BUILD)/$(v)/monitor.host_clock): LDFLAGS += -no-pie
$(eval $(call cunit,monitor.host_clock,tests/monitor/host_clock_test.c,monitor/host_clock.c pvclock/clock_writer.c \
	pvclock/clock_rate.c pvclock/clock_mono.c pvclock/clock_tai.c pvclock/clock_leap.c pvclock/clock_bugs.c))

CHECK += monitor.npt monitor.shadow monitor.linux monitor.terminal
TEST.monitor.npt            = $(MONITOR_TEST) 1 1024 320 guests.sh
TEST_TIME.monitor.npt       = 350
TEST_SHARES.monitor.npt     = yes
TEST_NEEDS.monitor.npt      = $(MONITOR_LAB)
TEST.monitor.shadow         = $(MONITOR_TEST) 0 1024 320 guests.sh
TEST_TIME.monitor.shadow    = 350
TEST_SHARES.monitor.shadow  = yes
TEST_NEEDS.monitor.shadow   = $(MONITOR_LAB)
TEST.monitor.linux          = $(MONITOR_TEST) 1 1024 200 linux.sh linux
TEST_TIME.monitor.linux     = 230
TEST_SHARES.monitor.linux   = yes
TEST_NEEDS.monitor.linux    = $(MONITOR_LAB)
TEST.monitor.terminal       = $(MONITOR_TEST) 1 1024 100 terminal.sh script
TEST_TIME.monitor.terminal  = 120
TEST_NEEDS.monitor.terminal = $(MONITOR_LAB)

CHECK += monitor.disk
TEST.monitor.disk       = $(MONITOR_TEST) 1 1024 200 disk.sh linux virtio_ring.ko virtio.ko virtio_mmio.ko virtio_blk.ko brd.ko
TEST_TIME.monitor.disk  = 230
TEST_SHARES.monitor.disk = yes
TEST_NEEDS.monitor.disk = $(MONITOR_LAB)

CHECK_LONG += monitor.disk_faults
TEST.monitor.disk_faults       = $(MONITOR_TEST) 1 1024 800 disk_faults.sh disk.sh test/pvrun linux virtio_ring.ko virtio.ko \
	virtio_mmio.ko virtio_blk.ko brd.ko
TEST_TIME.monitor.disk_faults  = 830
TEST_SHARES.monitor.disk_faults = yes
TEST_NEEDS.monitor.disk_faults = $(MONITOR_LAB) $(BUILD)/test/pvrun

CHECK_LONG += monitor.s3
TEST.monitor.s3        = $(MONITOR_TEST) 1 1024 200 s3.sh script
TEST_TIME.monitor.s3   = 230
TEST_NEEDS.monitor.s3  = $(MONITOR_LAB)
TEST_SHARES.monitor.s3 = yes

CHECK_LONG += monitor.large monitor.mutants
TEST.monitor.mutants       = $(MONITOR_TEST) 1 1024 300 mutants.sh
TEST_TIME.monitor.mutants  = 330
TEST_SHARES.monitor.mutants = yes
TEST_NEEDS.monitor.mutants = $(MONITOR_LAB)
TEST.monitor.large       = $(MONITOR_TEST) 1 2048 300 large.sh
TEST_TIME.monitor.large  = 330
TEST_NEEDS.monitor.large = $(MONITOR_LAB)
