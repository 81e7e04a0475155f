/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * number.bpf.h: gives sockets their cookie before classic tracepoint programs, which cannot. The
 * includer selects the protocols: gets_number().
 */
#pragma once

static __always_inline int give_number(struct sock *sk)
{
	if (gets_number(sk->sk_protocol))
		bpf_get_socket_cookie(sk);
	return 0;
}

#define NUMBER_PROGRAMS(again) \
	SEC("?tp_btf/sock_send_length") \
	int BPF_PROG(number_on_send##again, struct sock *sk) \
	{ \
		return give_number(sk); \
	} \
	SEC("?tp_btf/sock_recv_length") \
	int BPF_PROG(number_on_receive##again, struct sock *sk) \
	{ \
		return give_number(sk); \
	}

NUMBER_PROGRAMS()
