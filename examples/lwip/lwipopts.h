/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* lwIP as it is built here: one thread, no sockets, TCP over IPv4. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_UDP 0
#define MEM_ALIGNMENT 8
#define MEM_SIZE (1024 * 1024)
#define MEMP_NUM_TCP_SEG 256
#define PBUF_POOL_SIZE 128
#define TCP_MSS 1460
#define TCP_WND (40 * TCP_MSS)
#define TCP_SND_BUF (40 * TCP_MSS)
#define TCP_SND_QUEUELEN 160
#define LWIP_SUPPORT_CUSTOM_PBUF 1

#endif
