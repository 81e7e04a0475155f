/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ring.bpf.h: io_uring operations that move data; does a task use io_uring? */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* include/uapi/linux/io_uring.h: enum io_uring_op */
enum ring_op { RING_READV = 1, RING_WRITEV, RING_READ_FIXED = 4, RING_WRITE_FIXED, RING_SENDMSG = 9,
	       RING_RECVMSG, RING_READ = 22, RING_WRITE, RING_SEND = 26, RING_RECV, RING_SEND_ZC = 47,
	       RING_SENDMSG_ZC };

static __always_inline bool ring_sends(u8 op)
{
	return op == RING_WRITEV || op == RING_WRITE_FIXED || op == RING_SENDMSG || op == RING_WRITE ||
	       op == RING_SEND || op == RING_SEND_ZC || op == RING_SENDMSG_ZC;
}

static __always_inline bool ring_receives(u8 op)
{
	return op == RING_READV || op == RING_READ_FIXED || op == RING_RECVMSG || op == RING_READ ||
	       op == RING_RECV;
}

/* It has an io_uring, or is a kernel worker thread of its process's io_uring. */
static __always_inline bool uses_ring(struct task_struct *t)
{
	return t->flags & PF_IO_WORKER || (bpf_core_field_exists(t->io_uring) && t->io_uring);
}
