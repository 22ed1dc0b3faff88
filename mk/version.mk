# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The version of the libraries and programs.  This is its only place; the version of the
# interface is another number and stands only in abi/pvrom/abi.h.
VERSION  := 0.1.0
SOVERSION := 0
