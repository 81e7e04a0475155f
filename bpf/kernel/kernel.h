/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * kernel.h: every kernel structure member that ottop's programs read. CO-RE
 * fixes the offsets at load; a new kernel dependency is a diff of this file.
 * Names with ___suffix are flavours: the same type as another version has it.
 */
#pragma once

#include "bpf/kernel/maps.bpf.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef signed short s16;
typedef s16 __s16;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h */
enum bpf_map_type_ {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
#define BPF_F_NO_PREALLOC 1
#define BPF_F_MMAPABLE 1024
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_FORCE_WAKEUP 2
#define BPF_RB_AVAIL_DATA 0
#define BPF_ANY 0
#define BPF_NOEXIST 1

struct bpf_raw_tracepoint_args { u64 args[0]; };

/* include/linux/sched.h */
/* include/linux/sched.h */
#define TASK_INTERRUPTIBLE 0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_STOPPED_BIT 0x0004
#define TASK_TRACED_BIT 0x0008
#define EXIT_DEAD 0x0010
#define EXIT_ZOMBIE 0x0020
#define TASK_PARKED 0x0040
#define TASK_DEAD 0x0080
#define TASK_NOLOAD 0x0400
#define TASK_IDLE (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)
#define TASK_RTLOCK_WAIT 0x1000
#define TASK_FROZEN 0x8000	/* since 6.1 */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000
#define PF_IO_WORKER 0x00000010
#define TASK_COMM_LEN 16
/* arch/x86/include/asm/thread_info.h; arch/arm64/include/asm/thread_info.h */
#define TS_COMPAT 0x0002
#define TIF_32BIT_ARM64 22
/* include/linux/mm_types_task.h; 2 is MM_SWAPENTS, which is not resident */
#define MM_FILEPAGES 0
#define MM_ANONPAGES 1
#define MM_SHMEMPAGES 3
/* include/linux/sched/signal.h */
#define SIGNAL_GROUP_EXIT 0x00000004
/* include/linux/socket.h, include/uapi/linux/in.h, include/net/sock.h (enum sock_flags) */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_SMC 43
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_DCCP 33
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136
#define IPPROTO_SMC 256
#define IPPROTO_MPTCP 262
#define SOCK_DONE 1
/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFIFO 0010000
#define S_IFREG 0100000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { u32 val; } kuid_t;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp;	/* cs: low 16 bits */
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs { u64 regs[31], sp, pc, pstate; };
struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
};
#endif

struct thread_info {
	unsigned long flags;
	u32 status;	/* x86: TS_COMPAT */
	u32 cpu;	/* x86 since 5.16; before it is in task_struct */
};

struct trace_entry { int pid; };
struct trace_event_raw_sock_msg_length {	/* since 6.3 */
	struct trace_entry ent;
	void *sk;
	u16 family, protocol;
	int ret, flags;
};
struct trace_event_raw_inet_sock_set_state {
	struct trace_entry ent;
	const void *skaddr;
	int oldstate, newstate;
};

struct upid { int nr; };
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct cred { kuid_t euid; };

struct task_io_accounting { u64 read_bytes, write_bytes; };
struct sched_info { u64 run_delay, last_arrival, last_queued; };
struct sched_entity {
	u64 sum_exec_runtime;
	unsigned char sched_delayed;	/* since 6.12 */
};

struct list_head { struct list_head *next; };

struct signal_struct {
	atomic_t live;
	int nr_threads;
	int group_exit_code;
	struct task_struct *group_exec_task;	/* 5.17 and later */
	unsigned int flags;
	u64 utime, stime;
	unsigned long maxrss;
	struct task_io_accounting ioac;
	u64 sum_sched_runtime;
	struct list_head thread_head;	/* of its threads' thread_node */
};

struct signal_struct___old { struct task_struct *group_exit_task; };

struct css_set;

struct percpu_counter {
	s64 count;
	s32 *counters;
};
/* 6.2 and later: an array of percpu_counter */
struct mm_struct {
	struct percpu_counter rss_stat[4];
	unsigned long hiwater_rss;
	unsigned long arg_start, arg_end;
};
/* before 6.2 */
struct mm_rss_stat___old { atomic_long_t count[4]; };
struct mm_struct___old { struct mm_rss_stat___old rss_stat; };

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	u32 on_cpu;	/* unsigned: u8 since 7.3; not in kernels for one CPU */
	u32 on_rq;
	struct sched_entity se;
	struct sched_info sched_info;
	struct mm_struct *mm;
	int exit_state;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent, *parent;	/* parent: its tracer, if it has one */
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 utime, stime;
	u64 start_boottime;
	u64 self_exec_id;
	const struct cred *cred;
	char comm[TASK_COMM_LEN];
	struct signal_struct *signal;
	unsigned long jobctl;
	struct task_io_accounting ioac;
	struct css_set *cgroups;
	struct files_struct *files;
	struct io_uring_task *io_uring;	/* where the kernel has io_uring */
	struct list_head thread_node;
};
struct task_struct___cpu { unsigned int cpu; };

struct linux_binprm { int argc; };

/* Sockets: include/net/sock.h, include/net/inet_sock.h, include/linux/tcp.h */
struct ns_common { unsigned int inum; };
struct net { struct ns_common ns; };
typedef struct { struct net *net; } possible_net_t;
typedef struct { s64 counter; } atomic64_t;
struct in6_addr { union { u8 u6_addr8[16]; u32 u6_addr32[4]; } in6_u; };

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
};

typedef struct { int owned; } socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	int sk_err;
	u16 sk_protocol;
	struct socket *sk_socket;
	struct pid *sk_peer_pid;
	u8 sk_userlocks : 4;	/* a whole byte in newer kernels */
};

/* include/net/af_unix.h: the address (a sockaddr_un of `len` bytes) stands behind it */
struct unix_address { int len; };
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

/* include/net/inet_hashtables.h: a local port, with the sockets that have it */
struct inet_bind_bucket { signed char fastreuse; };
struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
	struct { u32 lrcvtime; } icsk_ack;
};

struct minmax_sample { u32 t, v; };
struct minmax { struct minmax_sample s[3]; };

struct tcp_sock {
	u32 snd_cwnd, srtt_us, snd_una, snd_nxt, write_seq, copied_seq;
	u32 segs_in, segs_out, total_retrans;
	struct minmax rtt_min;
	u64 bytes_received, bytes_acked, bytes_sent, bytes_retrans;
	u64 tcp_mstamp, tcp_wstamp_ns;
	bool is_mptcp;		/* where the kernel has MPTCP */
};

/* net/mptcp/protocol.h; in no BTF where the kernel has no MPTCP */
struct mptcp_sock { struct list_head conn_list; };
struct mptcp_subflow_context {
	struct list_head node;
	struct sock *tcp_sock;
};

struct udp_sock {
	int pending;		/* not 0: it is corked, and has something to send */
	u16 gso_size;
	unsigned long udp_flags;	/* since 6.7 */
	unsigned char gro_enabled:1;	/* before */
};

struct io_kiocb { struct file *file; u8 opcode; };	/* since 6.0 */

struct socket {
	struct sock *sk;
	struct file *file;
};
struct super_block { u32 s_dev; };
struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
};
struct epoll_filefd { struct file *file; int fd; };
struct epitem { struct list_head rdllink; struct epoll_filefd ffd; };
struct eventpoll { struct list_head rdllist; };
struct file {
	u32 f_mode;
	struct inode *f_inode;
	void *private_data;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct { struct fdtable *fdt; };

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

#pragma clang attribute pop
