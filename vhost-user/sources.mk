# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The C files of the vhost-user back end, for the servers that are built on it.
VHOST_USER_SRCS := $(addprefix vhost-user/, io_loop.c io_patience.c vu_handover.c vu_inflight.c vu_log.c vu_memory.c \
	vu_message.c vu_message_memory.c vu_message_ring.c vu_ring.c vu_server.c vu_socket.c vu_usage.c)
