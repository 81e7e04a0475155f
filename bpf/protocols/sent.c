// SPDX-License-Identifier: GPL-2.0-or-later
/* sent.c: see sent.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/sent.h"

#define MAX_PIECES 16
#define MAX_BYTES (HTTP_LARGE + 512)
#define MAX_SPARE 32

/* Free list: most are read at once, and the next message needs one again. */
static struct sent *spare;
static u32 n_spare;

static struct sent *sent_new(void)
{
	struct sent *s = spare;

	if (!s)
		return xcalloc(1, sizeof(*s));
	spare = s->next;
	n_spare--;
	return s;
}

static void *roomier(void *p, u32 n, u32 *cap, size_t size)
{
	if (n <= *cap)
		return p;
	*cap = n < 2 * *cap ? 2 * *cap : n;
	return xrealloc(p, *cap * size);
}

static void drop_first(struct sent *s)
{
	u32 n;

	s->n_pieces--;
	memmove(s->pieces, s->pieces + 1, s->n_pieces * sizeof(*s->pieces));
	n = s->n_pieces ? s->pieces[0].at : s->n_bytes;
	s->n_bytes -= n;
	memmove(s->bytes, s->bytes + n, s->n_bytes);
	for (u32 i = 0; i < s->n_pieces; i++)
		s->pieces[i].at -= n;
}

void sent_drop(struct sent **s, u64 end)
{
	while (*s && (*s)->n_pieces && (s64)((*s)->pieces[0].from + (*s)->pieces[0].len - end) <= 0)
		drop_first(*s);
	if (*s && !(*s)->n_pieces)
		sent_forget(s);
}

void sent_forget(struct sent **of)
{
	struct sent *s = *of;

	*of = NULL;
	if (!s)
		return;
	if (n_spare == MAX_SPARE) {
		free(s->pieces);
		free(s->bytes);
		free(s);
		return;
	}
	s->n_pieces = s->n_bytes = 0;
	s->next = spare;
	spare = s;
	n_spare++;
}

void sent_add(struct sent **of, const struct http_record *r)
{
	u32 n = min((u32)r->n, HTTP_LARGE - r->n_before);
	struct sent_piece *p;
	struct sent *s = *of;

	if (!r->len)
		return;
	if (!s)
		s = *of = sent_new();
	while (s->n_pieces && (s->n_pieces == MAX_PIECES || s->n_bytes + n > MAX_BYTES))
		drop_first(s);
	s->pieces = roomier(s->pieces, s->n_pieces + 1, &s->cap_pieces, sizeof(*p));
	s->bytes = roomier(s->bytes, s->n_bytes + r->n_before + n, &s->cap_bytes, 1);
	p = &s->pieces[s->n_pieces++];
	*p = (struct sent_piece){ .from = r->position - r->n_before, .at = s->n_bytes };
	p->len = r->n_before + r->len;
	p->n = r->n_before + n;
	p->tailed = r->flags & HTTP_TAILED;
	memcpy(p->tail, r->tail, sizeof(p->tail));
	memcpy(s->bytes + p->at, r->before, r->n_before);
	memcpy(s->bytes + p->at + r->n_before, r->data, n);
	s->n_bytes += p->n;
}

static void read_piece(const struct sent *s, const struct sent_piece *p, u64 skip, u64 end, struct http_record *r)
{
	u64 len = min(end - p->from, (u64)p->len) - skip;

	r->len = (u32)len;
	r->n = skip < p->n ? (u16)min(len, p->n - skip) : 0;
	memcpy(r->data, s->bytes + p->at + (r->n ? skip : 0), r->n);
	if (p->tailed && skip + len == p->len) {
		r->flags |= HTTP_TAILED;
		memcpy(r->tail, p->tail, sizeof(r->tail));
	}
}

void sent_read(const struct sent *s, u64 from, u64 end, struct http_record *r)
{
	r->n = 0;
	r->flags &= (u8)~HTTP_TAILED;
	for (u32 i = 0; s && i < s->n_pieces; i++) {
		const struct sent_piece *p = &s->pieces[i];

		if (from - p->from < p->len) {	/* positions may be below 0 */
			read_piece(s, p, from - p->from, end, r);
			return;
		}
		if (p->from - from < end - from)
			end = p->from;
	}
	r->len = (u32)(end - from);
}
