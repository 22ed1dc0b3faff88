# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The shim as a plain list of C files, relative to the root of pvrom, for any build system. They need -Iabi
# -Iguest/include, a freestanding C11 compiler, and what <pvrom/kernel_api.h> declares. Kernel code
# is compiled with -mno-red-zone. mem_weak.c may be left out by kernels that have memcpy and the like.
PVROM_GUEST_SOURCES := \
	guest/area.c \
	guest/call_info.c \
	guest/check.c \
	guest/fault_site.c \
	guest/find.c \
	guest/hypercall.c \
	guest/insn.c \
	guest/load.c \
	guest/mem_weak.c \
	guest/patch.c \
	guest/propose.c \
	guest/relocate.c \
	guest/session.c \
	guest/words.c \
	digest/crc32.c \
	digest/sha256.c
