// SPDX-License-Identifier: GPL-2.0-or-later
/* codec.c: the schema of encoded ticks: this program's, and a recording's. */
#include <pthread.h>

#include "bpf/record/codec.h"

#define MAX_NAME 64
#define MAX_FIELDS 255	/* of a table, stored or not */

bool stored_is(enum field_type type, enum field_kind kind)
{
	return type != FT_SUB && kind != FK_QUANTILE;
}

static void own_table(struct stored_table *w, enum table_id t)
{
	const struct table_desc *d = &table_descs[t];

	w->id = (s16)t;
	w->fields = xcalloc(d->n_fields, sizeof(*w->fields));
	for (u32 i = 0; i < d->n_fields; i++)
		if (stored_is(d->fields[i].type, d->fields[i].kind))
			w->fields[w->n++] = (struct stored_field){ (u8)d->fields[i].type, (s16)i };
}

static struct stored_table own_tables[N_TABLES];

static void make_own(void)
{
	for (int t = 0; t < N_TABLES; t++)
		own_table(&own_tables[t], t);
}

/* History and recorder run in different threads. */
const struct stored_schema *stored_schema_own(void)
{
	static const struct stored_schema own = { N_TABLES, own_tables };
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_own);
	return &own;
}

void stored_schema_put(struct buf_out *o)
{
	buf_put_varint(o, N_TABLES);
	for (int t = 0; t < N_TABLES; t++) {
		const struct table_desc *d = &table_descs[t];

		buf_put_str(o, d->name);
		buf_put_varint(o, d->flags);
		buf_put_varint(o, d->n_fields);
		for (u32 i = 0; i < d->n_fields; i++) {
			buf_put_str(o, d->fields[i].name);
			buf_put_u8(o, (u8)d->fields[i].type);
			buf_put_u8(o, (u8)d->fields[i].kind);
		}
	}
}

static void get_name(struct buf_in *in, char *buf)
{
	u64 n = buf_get_max(in, MAX_NAME - 1);
	const u8 *p = buf_get_bytes(in, n);

	memset(buf, 0, MAX_NAME);
	if (p)
		memcpy(buf, p, n);
}

/* Fields renamed since: older recordings have the old name. */
static const struct renamed {
	s16 table;
	const char *was, *is;
} renamed[] = {
	{ TABLE_threads, "syscall_ns", "in_call_ns" },
};

/* Matches a recorded field by name and type; both must be stored. */
static s16 match_field(s16 id, const char *name, u8 type)
{
	for (size_t k = 0; k < ARRAY_SIZE(renamed); k++)
		if (renamed[k].table == id && !strcmp(renamed[k].was, name))
			name = renamed[k].is;
	int i = id < 0 ? -1 : table_field(id, name);
	const struct field *f = i < 0 ? NULL : &table_descs[id].fields[i];

	return f && f->type == type && stored_is(f->type, f->kind) ? (s16)i : -1;
}

static bool seen_before(const struct stored_table *w, s16 field)
{
	for (u32 i = 0; i < w->n; i++)
		if (field >= 0 && w->fields[i].field == field)
			return true;
	return false;
}

static void get_table(struct buf_in *in, struct stored_schema *s)
{
	struct stored_table *w = &s->tables[s->n++];
	char name[MAX_NAME];
	u64 n_fields;

	get_name(in, name);
	w->id = (s16)table_by_name(name);
	for (u32 i = 0; i + 1 < s->n; i++)
		if (w->id >= 0 && s->tables[i].id == w->id)
			in->bad = true;
	buf_get_varint(in);	/* flags: not used, ours apply */
	n_fields = buf_get_max(in, MAX_FIELDS);
	w->fields = xcalloc(n_fields + 1, sizeof(*w->fields));
	for (u64 i = 0; i < n_fields && !in->bad; i++) {
		u8 type, kind;
		s16 field;

		get_name(in, name);
		type = buf_get_u8(in);
		kind = buf_get_u8(in);
		field = match_field(w->id, name, type);
		if (type > FT_SUB || w->n >= CODEC_MAX_FIELDS || seen_before(w, field))
			in->bad = true;
		else if (stored_is(type, kind))
			w->fields[w->n++] = (struct stored_field){ type, field };
	}
}

struct stored_schema *stored_schema_get(struct buf_in *in)
{
	struct stored_schema *s = xcalloc(1, sizeof(*s));
	u64 n = buf_get_max(in, CODEC_MAX_TABLES);

	s->tables = xcalloc(n + 1, sizeof(*s->tables));
	while (s->n < n && !in->bad)
		get_table(in, s);
	if (!in->bad)
		return s;
	stored_schema_free(s);
	return NULL;
}

void stored_schema_free(struct stored_schema *s)
{
	if (!s)
		return;
	for (u32 i = 0; i < s->n; i++)
		free(s->tables[i].fields);
	free(s->tables);
	free(s);
}

struct tick_head tick_head_get(struct buf_in *in)
{
	struct tick_head h;

	h.key = buf_get_u8(in) & TICK_KEY;
	h.seq = buf_get_varint(in);
	h.time_ns = buf_get_max(in, CODEC_MAX_TIME);
	h.unix_offset_ns = (s64)buf_get_zigzag(in);
	h.interval_ns = buf_get_max(in, CODEC_MAX_INTERVAL);
	if (h.unix_offset_ns > (s64)CODEC_MAX_TIME || h.unix_offset_ns < -(s64)CODEC_MAX_TIME)
		in->bad = true;
	return h;
}
