# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# vhost-user/: the back end of the vhost-user protocol, for servers of any device. Needs liburing.
include vhost-user/sources.mk
