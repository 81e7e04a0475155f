// SPDX-License-Identifier: GPL-2.0-or-later
/* http_on_host.c: see http_on_host.h. */
#include "bpf_on_host.h"

#include <stdlib.h>
#include <string.h>

#define bpf_core_field_exists(member) 1
#define barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)
/* The BPF assembly only serves the verifier, for numbers that are within bounds anyway. */
#define asm
#define volatile(...)
/* Sockets and files are not needed to classify bytes. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wtype-limits"
#define BPF_CORE_READ(...) 0
#define BPF_CORE_READ_INTO(to, ...) ((void)(to), 0)

long bpf_probe_read_user(void *to, unsigned n, const void *from);
long bpf_probe_read_kernel(void *to, unsigned n, const void *from);
long bpf_task_pt_regs(struct task_struct *t);
unsigned long long bpf_get_current_pid_tgid(void);
unsigned long long bpf_jiffies64(void);

#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/protocols/http2_frame.h"
#include "bpf/protocols/wire.h"
#include "tests/unit/http_on_host.h"

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, u64 flags);
long bpf_map_delete_elem(void *map, const void *key);
void *bpf_ringbuf_reserve(void *ring, u64 size, u64 flags);
void bpf_ringbuf_submit(void *record, u64 flags);
void bpf_ringbuf_discard(void *record, u64 flags);

static u64 lost_ring, lost_requests[2];
static int records;

#define IS_PREFACE (1 << 11)
#define IS_HTTP2 (1 << 12)

#include "bpf/collectors/http/http_sockets.bpf.h"
#include "bpf/collectors/http/http_looks.bpf.h"
#include "bpf/collectors/http/http_unseen.bpf.h"
#include "bpf/collectors/http/http_thread.bpf.h"
#include "bpf/collectors/http/http_moved.bpf.h"
#include "bpf/collectors/http/http_record.bpf.h"
#include "bpf/collectors/http/http_frames.bpf.h"
#include "bpf/collectors/http/http_pieces.bpf.h"

static struct http_socket both[2];
static struct task_struct leader, task = { .group_leader = &leader, .tgid = 5, .pid = 5 };
static struct http_thread thread;
static u64 now_ns = 1000, record[1024];
static u64 record_size;

void (*host_take)(const void *, unsigned long);
unsigned host_full;

/* ---- the kernel ---- */

long bpf_probe_read_user(void *to, unsigned n, const void *from)
{
	memcpy(to, from, n);
	return 0;
}

long bpf_probe_read_kernel(void *to, unsigned n, const void *from)
{
	return bpf_probe_read_user(to, n, from);
}

struct task_struct *bpf_get_current_task_btf(void)
{
	return &task;
}

unsigned long long bpf_ktime_get_boot_ns(void)
{
	return now_ns++;
}

unsigned long long bpf_ktime_get_ns(void)
{
	return now_ns;
}

void *bpf_task_storage_get(void *map, struct task_struct *t, void *value, unsigned long long flags)
{
	(void)t, (void)value, (void)flags;
	return map == &http_threads ? &thread : NULL;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	(void)map, (void)key;
	return NULL;
}

long bpf_map_update_elem(void *map, const void *key, const void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return 0;
}

long bpf_map_delete_elem(void *map, const void *key)
{
	(void)map, (void)key;
	return 0;
}

void *bpf_ringbuf_reserve(void *ring, u64 size, u64 flags)
{
	(void)ring, (void)flags;
	if (host_full && host_full--)
		return NULL;
	record_size = size;
	return record;
}

void bpf_ringbuf_submit(void *r, u64 flags)
{
	(void)flags;
	host_take(r, record_size);
}

void bpf_ringbuf_discard(void *r, u64 flags)
{
	(void)r, (void)flags;
}

long bpf_task_pt_regs(struct task_struct *t)
{
	static struct pt_regs regs;

	(void)t;
	return (long)&regs;
}

unsigned long long bpf_get_current_pid_tgid(void)
{
	return 5ull << 32 | 5;
}

unsigned long long bpf_jiffies64(void)
{
	return 0;
}

/* ---- calls ---- */

void host_begin(unsigned long long key)
{
	memset(both, 0, sizeof(both));
	both[0].key = key;
	both[1].key = key + 1;
}

void host_moved(unsigned socket, int sent, const void *data, unsigned len)
{
	struct http_socket *s = &both[socket];
	struct moved m = { .key = s->key, .socket = s->key, .base = (u64)data, .total = len, .tx = (u8)sent };

	if (s->class == HTTP_NO || s->class == HTTP_IN_TLS)
		return;
	m.begin_ns = m.end_ns = bpf_ktime_get_boot_ns();
	m.unread_us = HTTP_UNKNOWN_US;
	emit_moved(&m, s, 0);
}

void host_end(void)
{
	for (u32 i = 0; i < 2; i++)
		if (is_followed(&both[i]))
			end_of_stream(both[i].key, &both[i], HTTP_CLOSED);
}

int host_is_http2(unsigned socket)
{
	return both[socket].class == HTTP_2;
}

unsigned long long host_lost(int sent)
{
	return lost_requests[sent];
}
