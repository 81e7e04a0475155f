// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_follow.c: records of the ring as a kernel would never write them, of a few
 * connections; and what they add up to.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/follow.h"
#include "bpf/protocols/tally.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct tally *tally;

static void take_done(void *arg, const struct exchange *x)
{
	if (!x->path || !x->asked || strlen(x->method) >= METHOD_MAX)
		abort();
	tally_add(tally, x);
}

static void take_over(void *arg, u64 cookie)
{
	tally_over(tally, cookie);
}

static void take_open(void *arg, const struct exchange *x)
{
	tally_open(tally, x, 1ull << 40);
}

/* From 4 bytes: connection, kind, flags, how many follow. Times and positions mostly go on. */
static size_t make_record(struct http_record *r, const u8 *data, size_t size, u64 *positions)
{
	u32 which = data[0] & 3;
	size_t n = data[3] < size - 4 ? data[3] : size - 4;

	memset(r, 0, sizeof(*r));
	r->cookie = which;
	r->socket = data[2] & HTTP_TLS ? data[1] & 1 : which;
	r->kind = data[1] % 6;
	r->flags = data[2];
	r->tgid = data[1] >> 4;
	r->n = (u16)n;
	r->len = (u32)n + (data[0] & 0x80 ? 1000u * (data[1] >> 3) : 0);
	r->n_before = data[0] & 0x40 ? data[1] >> 3 : 0;
	r->end_ns = ++positions[8];
	r->begin_ns = r->end_ns - (data[0] >> 4);
	r->position = positions[which * 2 + (r->kind & 1)] + (data[0] & 0x20 ? 7 : 0);
	positions[which * 2 + (r->kind & 1)] = r->position + r->len;
	memcpy(r->data, data + 4, n);
	return 4 + n;
}

/* Read at the other end: mostly up to where that is. */
static void read_same(struct follower *f, const struct http_record *r, u8 how, const u64 *positions)
{
	struct http_same b = { .cookie = r->cookie, .peer = r->cookie ^ 1, .end_ns = r->end_ns, .tgid = r->tgid };

	b.position = r->position;
	b.kind = r->kind;
	b.flags = r->flags;
	b.len = how & 1 ? r->len : r->n / 2;
	b.peer_end = (u32)positions[b.peer * 2 + HTTP_TX] - (how >> 2);
	follower_read(f, &b, sizeof(b));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u64 buf[(sizeof(struct http_record) + 256) / 8];
	struct follower *f = follower_new(&(struct follow_sink){ .done = take_done, .over = take_over });
	struct http_record *r = (void *)buf;
	u64 positions[9] = {};
	size_t at = 0;

	tally = tally_new();
	while (at + 4 <= size) {
		bool body = data[at] & 4, same = data[at] & 8;
		u8 how = data[at + 1];
		size_t n = data[at + 3] < size - at - 4 ? data[at + 3] : size - at - 4;

		at += make_record(r, data + at, size - at, positions);
		if (body && n >= sizeof(struct http_body))
			follower_read(f, r->data, sizeof(struct http_body));
		else if (same)
			read_same(f, r, how, positions);
		else
			follower_read(f, r, sizeof(*r) + r->n);
	}
	follower_each_open(f, take_open, NULL);
	follower_sweep(f, ~0ull);
	follower_free(f);
	tally_free(tally);
	return 0;
}
