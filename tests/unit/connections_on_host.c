// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_on_host.c: see connections_on_host.h. */
#include "bpf_on_host.h"

#include <errno.h>
#include <string.h>

#define bpf_core_field_exists(member) 1
#define bpf_core_field_offset(...) 0
#define asm
#define volatile(...)
/* What iterators read of sockets is not needed here. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define BPF_CORE_READ(...) 0
#define BPF_CORE_READ_BITFIELD_PROBED(...) 0
#define BPF_CORE_READ_INTO(to, ...) ((void)(to), 0)

struct sock;
struct file;
struct seq_file;
long bpf_probe_read_user(void *to, unsigned n, const void *from);
long bpf_probe_read_kernel(void *to, unsigned n, const void *from);
long bpf_task_pt_regs(struct task_struct *t);
void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, unsigned long long flags);
long bpf_map_delete_elem(void *map, const void *key);
void *bpf_ringbuf_reserve(void *ring, unsigned long long size, unsigned long long flags);
void bpf_ringbuf_submit(void *record, unsigned long long flags);
unsigned long long bpf_ringbuf_query(void *ring, unsigned long long flags);
struct tcp_sock *bpf_skc_to_tcp_sock(void *sk);
unsigned long long bpf_get_socket_cookie(void *sk);
void *bpf_sk_storage_get(void *map, void *sk, void *value, unsigned long long flags);
long bpf_seq_write(struct seq_file *m, const void *data, unsigned len);
struct socket *bpf_sock_from_file(struct file *file);

#include "bpf/collectors/connections/connections.bpf.c"
#include "tests/unit/connections_on_host.h"

#define ENTRIES 64
#define RECORDS 16
#define EXIST 2		/* BPF_EXIST */

static struct { u64 key; struct conn_state state; } entries[ENTRIES];	/* key 0: free */
static struct wire_end records[RECORDS];
static u32 n_records;
static u32 generation;
static u64 now_ns;
static struct task_struct process = {
	.group_leader = &process, .tgid = HOST_PROCESS, .pid = HOST_PROCESS, .start_boottime = 1,
};

/* ---- the kernel ---- */

long bpf_probe_read_user(void *to, unsigned n, const void *from)
{
	return -EFAULT;
}

long bpf_probe_read_kernel(void *to, unsigned n, const void *from)
{
	return -EFAULT;
}

struct task_struct *bpf_get_current_task_btf(void)
{
	return &process;
}

long bpf_task_pt_regs(struct task_struct *t)
{
	static struct pt_regs regs;

#if defined(__TARGET_ARCH_x86)
	regs.orig_ax = 3;	/* close() */
#else
	regs.syscallno = 57;
#endif
	return (long)&regs;
}

unsigned long long bpf_ktime_get_boot_ns(void)
{
	return ++now_ns;
}

static struct conn_state *entry(u64 key)
{
	for (u32 i = 0; i < ENTRIES; i++)
		if (entries[i].key == key)
			return &entries[i].state;
	return NULL;
}

int host_lookup(unsigned long long cookie, void *ret_state)
{
	const struct conn_state *s = entry(cookie);

	if (s)
		memcpy(ret_state, s, sizeof(*s));
	return s ? 0 : -ENOENT;
}

int host_update(unsigned long long cookie, const void *state, unsigned long long flags)
{
	struct conn_state *s = entry(cookie);

	if (s ? flags == BPF_NOEXIST : flags == EXIST)
		return s ? -EEXIST : -ENOENT;
	for (u32 i = 0; i < ENTRIES && !s; i++) {
		if (entries[i].key)
			continue;
		entries[i].key = cookie;
		s = &entries[i].state;
	}
	memcpy(s, state, sizeof(*s));
	return 0;
}

int host_delete(unsigned long long cookie)
{
	for (u32 i = 0; i < ENTRIES; i++) {
		if (entries[i].key != cookie)
			continue;
		entries[i].key = 0;
		return 0;
	}
	return -ENOENT;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	return entry(*(const u64 *)key);
}

long bpf_map_update_elem(void *map, const void *key, const void *value, unsigned long long flags)
{
	return host_update(*(const u64 *)key, value, flags);
}

long bpf_map_delete_elem(void *map, const void *key)
{
	return host_delete(*(const u64 *)key);
}

void *bpf_ringbuf_reserve(void *ring, unsigned long long size, unsigned long long flags)
{
	return n_records < RECORDS ? &records[n_records] : NULL;
}

void bpf_ringbuf_submit(void *record, unsigned long long flags)
{
	n_records++;
}

unsigned long long bpf_ringbuf_query(void *ring, unsigned long long flags)
{
	return 0;
}

struct tcp_sock *bpf_skc_to_tcp_sock(void *sk)
{
	static union { struct tcp_sock tcp; struct inet_sock inet; } counters;

	return &counters.tcp;
}

unsigned long long bpf_get_socket_cookie(void *sk)
{
	return ((struct sock *)sk)->__sk_common.skc_cookie.counter;
}

void *bpf_sk_storage_get(void *map, void *sk, void *value, unsigned long long flags)
{
	return &generation;
}

long bpf_seq_write(struct seq_file *m, const void *data, unsigned len)
{
	return 0;
}

struct socket *bpf_sock_from_file(struct file *file)
{
	return NULL;
}

/* ---- events ---- */

static struct sock *sock_of(u64 cookie, int held)
{
	static struct net host;
	static struct sock sk;

	memset(&sk, 0, sizeof(sk));
	sk.sk_protocol = IPPROTO_TCP;
	sk.sk_lock.owned = held;
	sk.__sk_common.skc_family = AF_INET;
	sk.__sk_common.skc_net.net = &host;
	sk.__sk_common.skc_cookie.counter = (s64)cookie;
	return &sk;
}

void host_accepts(unsigned long long cookie)
{
	on_state(sock_of(cookie, 0), TCPS_SYN_RECV, TCPS_ESTABLISHED);
}

void host_closes(unsigned long long cookie)
{
	on_state(sock_of(cookie, 1), TCPS_ESTABLISHED, TCPS_FIN_WAIT1);
}

void host_connects_again(unsigned long long cookie)
{
	on_state(sock_of(cookie, 1), TCPS_CLOSE, TCPS_SYN_SENT);
}

void host_ends(unsigned long long cookie)
{
	on_state(sock_of(cookie, 0), TCPS_FIN_WAIT2, TCPS_CLOSE);
}

void host_destroys(unsigned long long cookie, int held)
{
	on_destroy(sock_of(cookie, held));
}

/* ---- for the test ---- */

void host_begin(void)
{
	memset(young, 0, sizeof(young));
	memset(spilled, 0, sizeof(spilled));
	memset(entries, 0, sizeof(entries));
	n_records = generation = 0;
	now_ns = 1000;
}

struct conn_slot *host_young(void)
{
	return young;
}

unsigned *host_spilled(void)
{
	return spilled;
}

unsigned host_records(void)
{
	return n_records;
}

const struct wire_end *host_record(unsigned i)
{
	return &records[i];
}
