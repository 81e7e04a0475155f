// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * limit.bpf.c: lower bounds: empty programs where ottop has its own (system calls, socket
 * transfers, TLS library calls), and two that read the clock once.
 */
#include "bpf/kernel/kernel.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_enter")
int empty_enter(void *ctx)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int empty_exit(void *ctx)
{
	return 0;
}

SEC("tp_btf/sys_enter")
int clock_enter(void *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int clock_exit(void *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sock_send_length")
int sockets_send(void *ctx)
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int sockets_receive(void *ctx)
{
	return 0;
}

SEC("tp_btf/sched_switch")
int sockets_switch(void *ctx)
{
	return 0;
}

SEC("?uprobe")
int tls_call(void *ctx)
{
	return 0;
}

SEC("?uretprobe")
int tls_return(void *ctx)
{
	return 0;
}
