/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.h: messages with a descriptor, between ottop and its helper processes. */
#ifndef OTTOP_MESSAGE_H
#define OTTOP_MESSAGE_H

#include "bpf/base.h"

/* Sends one message with at most one descriptor (-1: none). 0 or -errno. */
int message_send(int sock, const void *data, size_t n, int fd, int flags);
/* Receives one; *ret_fd is -1 or a descriptor that the caller closes. Bytes, 0 at the end, or -errno. */
int message_receive(int sock, void *data, size_t cap, int *ret_fd, int flags);

#endif
