/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.h: messages with a descriptor, between ottop and its helper processes. */
#pragma once

#include "bpf/model/base.h"

/* Sends one message with one descriptor, or none (-1). 0 or -errno. */
int message_send(int sock, const void *data, size_t n, int fd, int flags);
/* Receives one; *ret_fd is -1 or a descriptor that the caller closes. Bytes, 0 at the end, or -errno. */
int message_receive(int sock, void *data, size_t cap, int *ret_fd, int flags);

/* The same with up to MESSAGE_FDS descriptors; -1: none, or not received. */
#define MESSAGE_FDS 3
int message_send_fds(int sock, const void *data, size_t n, const int fds[MESSAGE_FDS], int flags);
int message_receive_fds(int sock, void *data, size_t cap, int ret_fds[MESSAGE_FDS], int flags);
