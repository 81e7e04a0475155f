// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * group.c: the bytes of a group of ticks. While it grows they are also packed tick by tick, so that
 * closing it is cheap; afterwards only the packed ones are kept.
 */
#include <unistd.h>
#include <zlib.h>

#include "bpf/record/ticks.h"

#define PACK_LEVEL 1	/* 6: 5 % smaller, three times slower */

struct packer {
	z_stream z;
	struct buf_out out;
	bool failed;	/* the group stays unpacked */
};

/* ---- packing ---- */

static struct packer *packer_new(void)
{
	struct packer *p = xcalloc(1, sizeof(*p));

	p->failed = deflateInit(&p->z, PACK_LEVEL) != Z_OK;
	return p;
}

static void packer_feed(struct packer *p, const u8 *data, size_t n, int flush)
{
	p->z.next_in = (u8 *)data;
	p->z.avail_in = (u32)n;
	do {
		p->z.next_out = buf_room(&p->out, 4096);
		p->z.avail_out = (u32)(p->out.cap - p->out.n);
		if (p->failed || deflate(&p->z, flush) == Z_STREAM_ERROR) {
			p->failed = true;
			return;
		}
		p->out.n = (size_t)(p->z.next_out - p->out.data);
	} while (!p->z.avail_out);
}

static void packer_free(struct packer *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	free(p->out.data);
	free(p);
}

/* ---- groups ---- */

/* Allocated but unused room takes no memory. */
u64 group_bytes(const struct group *g)
{
	return g->bytes.n + g->n * sizeof(*g->ticks) + (g->packer ? g->packer->out.n : 0);
}

void group_free(struct group *g)
{
	packer_free(g->packer);
	free(g->ticks);
	free(g->bytes.data);
}

void group_add(struct group *g, const struct stored_tick *t)
{
	g->ticks = grow(g->ticks, g->n, &g->cap, sizeof(*g->ticks));
	g->ticks[g->n++] = *t;
}

void group_append(struct group *g, struct encoder *e, const struct snapshot *s)
{
	struct stored_tick t = { s->seq, s->time_ns, s->interval_ns, g->bytes.n, 0 };

	if (!g->packer)
		g->packer = packer_new();
	encoder_tick(e, s, g->n == 0, &g->bytes);
	t.len = (u32)(g->bytes.n - t.offset);
	packer_feed(g->packer, g->bytes.data + t.offset, t.len, Z_NO_FLUSH);
	if (g->unread && !g->packer->failed)
		buf_empty(&g->bytes, g->n ? t.len : 0);
	group_add(g, &t);
}

void group_close(struct group *g)
{
	if (!g->packer)
		return;
	packer_feed(g->packer, NULL, 0, Z_FINISH);
	if (!g->packer->failed && (g->unread || g->packer->out.n < g->bytes.n)) {
		free(g->bytes.data);
		g->bytes = g->packer->out;
		g->packer->out = (struct buf_out){ 0 };
		g->packed = true;
	}
	packer_free(g->packer);
	g->packer = NULL;
	g->bytes.data = xrealloc(g->bytes.data, g->bytes.n + 1);
	g->bytes.cap = g->bytes.n;
	g->ticks = xrealloc(g->ticks, g->n * sizeof(*g->ticks));
	g->cap = g->n;
}

/* ---- reading ---- */

static const u8 *from_file(struct reader *r, int fd, const struct stored_tick *t)
{
	u8 *data = buf_room(&r->scratch, t->len + 1ul);

	return pread(fd, data, t->len, (off_t)t->offset) == (ssize_t)t->len ? data : NULL;
}

/* Restarts at the first tick of a packed group. */
static bool restart(struct reader *r, const struct group *g)
{
	if (!r->z) {
		r->z = xcalloc(1, sizeof(*r->z));
		if (inflateInit(r->z) != Z_OK)
			return false;
	} else if (inflateReset(r->z) != Z_OK) {
		return false;
	}
	r->z->next_in = g->bytes.data;
	r->z->avail_in = (u32)g->bytes.n;
	return true;
}

static const u8 *unpack(struct reader *r, const struct group *g, u32 k)
{
	if (k == 0 && !restart(r, g))
		return NULL;
	buf_empty(&r->scratch, g->ticks[k].len);	/* only a key tick is large */
	r->z->next_out = buf_room(&r->scratch, g->ticks[k].len + 1ul);
	r->z->avail_out = g->ticks[k].len;
	inflate(r->z, Z_SYNC_FLUSH);
	return r->z->avail_out ? NULL : r->scratch.data;
}

const u8 *reader_tick(struct reader *r, int fd, const struct group *g, u32 k)
{
	if (fd >= 0)
		return from_file(r, fd, &g->ticks[k]);
	return g->packed ? unpack(r, g, k) : g->bytes.data + g->ticks[k].offset;
}

void reader_clear(struct reader *r)
{
	if (r->z)
		inflateEnd(r->z);
	free(r->z);
	free(r->scratch.data);
	*r = (struct reader){ 0 };
}
