// SPDX-License-Identifier: GPL-2.0-or-later
/* json.c: snapshots as NDJSON; the only user of json-c. Values are written and freed one by one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "exporter/json.h"

#define TO_STRING_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

#define FRAME_FIELDS 7

struct json_writer {
	FILE *out;
	u64 tables;
	struct stack_frames frames;	/* scratch for writing stacks */
	const struct field *frame_fields[FRAME_FIELDS];
	struct event_cursor events[N_TABLES];
};

/* ---- strings ------------------------------------------------------------ */

/* Characters that text_clean() would replace are escaped: safe for `cat`. */
static bool must_escape(const char *s, u32 len, u32 c)
{
	char one[5] = "", shown[8];

	if (c < 0x80)
		return c < 0x20 || c == 0x7f || c == '"' || c == '\\';
	memcpy(one, s, len);
	text_clean(shown, sizeof(shown), one, TEXT_SCREEN);
	return strcmp(one, shown) != 0;
}

static void append_escaped(struct printbuf *pb, u32 c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *p = c < 0x80 ? strchr(from, (int)c) : NULL;
	char buf[16];

	if (p)
		snprintf(buf, sizeof(buf), "\\%c", to[p - from]);
	else if (c < 0x10000)
		snprintf(buf, sizeof(buf), "\\u%04x", c);
	else
		snprintf(buf, sizeof(buf), "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
			 0xdc00 + ((c - 0x10000) & 0x3ff));
	printbuf_memappend(pb, buf, (int)strlen(buf));
}

/* json_object_to_json_string_fn for valid UTF-8 strings. */
static int string_to_json(struct json_object *o, struct printbuf *pb, int level, int flags)
{
	const char *s = json_object_get_string(o), *plain = s;
	u32 c, n;

	printbuf_memappend(pb, "\"", 1);
	for (; (n = text_decode(s, &c)); s += n) {
		if (!must_escape(s, n, c))
			continue;
		printbuf_memappend(pb, plain, (int)(s - plain));
		append_escaped(pb, c);
		plain = s + n;
	}
	printbuf_memappend(pb, plain, (int)(s - plain));
	return printbuf_memappend(pb, "\"", 1);
}

/* Needs neither cleaning nor escaping, as nearly all strings. */
static bool is_plain(const char *s)
{
	while (*s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\')
		s++;
	return !*s;
}

/* Unknown (NULL) and not applicable ("") are null. */
static struct json_object *string_object(const char *s)
{
	struct json_object *o;
	size_t cap;
	char *clean;

	if (!s || !*s)
		return NULL;
	if (is_plain(s))
		return json_object_new_string(s);
	cap = strlen(s) * 3 + 1;	/* each byte may become U+FFFD */
	clean = xmalloc(cap);
	text_clean(clean, cap, s, TEXT_UTF8);
	o = json_object_new_string(clean);
	json_object_set_serializer(o, string_to_json, NULL, NULL);
	free(clean);
	return o;
}

/* {"200":405,"409":2} */
static struct json_object *counts_object(const char *s)
{
	struct json_object *o = s ? json_object_new_object() : NULL;
	char name[COUNT_NAME_MAX], clean[COUNT_NAME_MAX * 3];
	u64 n;

	while (o && count_next(&s, name, &n))
		if (text_clean(clean, sizeof(clean), name, TEXT_SCREEN))	/* json-c does not */
			json_object_object_add(o, clean, json_object_new_uint64(n));
	return o;
}

/* ---- numbers ------------------------------------------------------------ */

static struct json_object *decimal_object(u64 v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, v);
	return json_object_new_string(buf);
}

static struct json_object *u64_object(u64 v, enum field_format format)
{
	if (!u64_known(v))
		return NULL;
	if (format == FF_TIME || format == FF_AGE || format == FF_COOKIE)
		return decimal_object(v);
	return json_object_new_uint64(v);
}

/* Seven digits, the precision of a float: 0.3, not 0.30000001192092896. */
static struct json_object *f32_object(float v)
{
	char buf[32], *comma;

	if (!f32_known(v))
		return NULL;
	snprintf(buf, sizeof(buf), "%.7g", (double)v);
	comma = strchr(buf, ',');	/* a locale may have changed the decimal point */
	if (comma)
		*comma = '.';
	return json_object_new_double_s((double)v, buf);
}

static void add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add_ex(o, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

static struct json_object *hist_object(const struct hist *h)
{
	struct json_object *o, *counts;

	if (!h)
		return NULL;
	o = json_object_new_object();
	add(o, "scale", json_object_new_int(HIST_SCALE));
	add(o, "zero", json_object_new_uint64(h->zero));
	add(o, "offset", json_object_new_int(h->offset));
	counts = json_object_new_array_ext((int)h->n);
	for (u32 i = 0; i < h->n; i++)
		json_object_array_add(counts, json_object_new_uint64(h->counts[i]));
	add(o, "counts", counts);
	add(o, "sum_ns", json_object_new_uint64(h->sum_ns));
	add(o, "min_ns", h->count ? json_object_new_uint64(h->min_ns) : NULL);
	add(o, "max_ns", h->count ? json_object_new_uint64(h->max_ns) : NULL);
	return o;
}

/* ---- rows --------------------------------------------------------------- */

static struct json_object *row_object(const struct snapshot *s, const struct row *r);

/* {first member: second member, ...} */
static struct json_object *map_object(const struct table *t, const struct field *fields)
{
	struct json_object *o = json_object_new_object();

	for (u32 i = 0; i < t->n; i++) {
		const char *key = row_str(t->rows[i], &fields[0]);
		char clean[256];

		/* json-c does not escape member names: they must be clean already */
		if (key && text_clean(clean, sizeof(clean), key, TEXT_SCREEN))
			json_object_object_add(o, clean, u64_object(row_u64(t->rows[i], &fields[1]),
								    fields[1].format));
	}
	return o;
}

/* The rows of another table, nested; null when that table was not observed. */
static struct json_object *sub_object(const struct snapshot *s, int sub)
{
	const struct table *t = &s->tables[sub];
	struct json_object *rows;

	if (t->status == TS_OFF || t->status == TS_BLOCKED)
		return NULL;
	if (table_descs[sub].flags & T_MAP)
		return map_object(t, table_descs[sub].fields);
	rows = json_object_new_array_ext((int)t->n);
	for (u32 i = 0; i < t->n; i++)
		json_object_array_add(rows, row_object(s, t->rows[i]));
	return rows;
}

static struct json_object *value_object(const struct snapshot *s, const struct row *r,
					const struct field *f)
{
	switch (f->type) {
	case FT_U64: return u64_object(row_u64(r, f), f->format);
	case FT_F32: return f32_object(row_f32(r, f));
	case FT_STR: return f->format == FF_COUNTS ? counts_object(row_str(r, f)) : string_object(row_str(r, f));
	case FT_HIST: return hist_object(row_hist(r, f));
	case FT_SUB: return sub_object(s, f->sub);
	}
	return NULL;
}

static struct json_object *row_object(const struct snapshot *s, const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];
	struct json_object *o = json_object_new_object();

	for (u32 i = 0; i < d->n_fields; i++)
		if (d->fields[i].kind != FK_INTERNAL)
			add(o, d->fields[i].name, value_object(s, r, &d->fields[i]));
	add(o, "first_seen_ns", r->first_seen_ns ? u64_object(r->first_seen_ns, FF_TIME) : NULL);
	if (r->closed)
		add(o, "closed", json_object_new_boolean(true));
	if (r->other)
		add(o, "other", json_object_new_boolean(true));
	return o;
}

/* ---- tables --------------------------------------------------------------- */

/* Writes and frees one value. */
static void put(FILE *out, struct json_object *o)
{
	size_t len;
	const char *text = json_object_to_json_string_length(o, TO_STRING_FLAGS, &len);

	fwrite(text, 1, len, out);
	json_object_put(o);
}

/* ---- rows of tables: plain values are written without creating objects ---- */

static void write_u64(FILE *out, u64 v, enum field_format format)
{
	if (!u64_known(v))
		fputs("null", out);
	else if (format == FF_TIME || format == FF_AGE || format == FF_COOKIE)
		fprintf(out, "\"%" PRIu64 "\"", v);
	else
		fprintf(out, "%" PRIu64, v);
}

static void write_string(FILE *out, const char *s)
{
	if (!s || !*s)
		fputs("null", out);
	else if (is_plain(s))
		fprintf(out, "\"%s\"", s);
	else
		put(out, string_object(s));
}

static void write_value(struct json_writer *w, const struct snapshot *s, const struct row *r,
			const struct field *f);

/* ---- stacks ---- */

/* Members of a frame within a stack; the table frames has the rest. */
static const char *const frame_fields[FRAME_FIELDS] = {
	"name", "module", "addr", "file", "line", "inlined", "kind",
};

struct stack_part {
	struct json_writer *w;
	char before;
};

static void write_frame(const struct frames_row *f, void *arg)
{
	struct stack_part *part = arg;
	FILE *out = part->w->out;

	fputc(part->before, out);
	part->before = ',';
	if (!f) {
		fputs("null", out);
		return;
	}
	for (u32 i = 0; i < FRAME_FIELDS; i++) {
		fprintf(out, "%c\"%s\":", i ? ',' : '{', frame_fields[i]);
		write_value(part->w, NULL, &f->row, part->w->frame_fields[i]);
	}
	fputc('}', out);
}

static void write_stack(struct json_writer *w, const char *ids)
{
	struct stack_part part = { w, '[' };

	stack_frames_each(&w->frames, ids, write_frame, &part);
	fputs(part.before == '[' ? "[]" : "]", w->out);
}

static void write_value(struct json_writer *w, const struct snapshot *s, const struct row *r,
			const struct field *f)
{
	if (f->format == FF_STACK && r->table == TABLE_stacks)
		write_stack(w, row_str(r, f));
	else if (f->type == FT_U64)
		write_u64(w->out, row_u64(r, f), f->format);
	else if (f->type == FT_STR && f->format != FF_COUNTS)
		write_string(w->out, row_str(r, f));
	else
		put(w->out, value_object(s, r, f));
}

/* As row_object(), with stacks expanded to their frames. */
static void write_row(struct json_writer *w, const struct snapshot *s, const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];
	char before = '{';

	for (u32 i = 0; i < d->n_fields; i++) {
		if (d->fields[i].kind == FK_INTERNAL)
			continue;
		fprintf(w->out, "%c\"%s\":", before, d->fields[i].name);
		before = ',';
		write_value(w, s, r, &d->fields[i]);
	}
	fprintf(w->out, "%c\"first_seen_ns\":", before);
	write_u64(w->out, r->first_seen_ns ?: U64_UNKNOWN, FF_TIME);
	if (r->closed)
		fputs(",\"closed\":true", w->out);
	if (r->other)
		fputs(",\"other\":true", w->out);
	fputc('}', w->out);
}

static const char *status_text(enum table_status status, const char **reason)
{
	switch (status) {
	case TS_OK:
		return "ok";
	case TS_PARTIAL:
		return "partial";
	case TS_STARTING:
		*reason = *reason ? *reason : "its first interval is not over";
		return "partial";
	case TS_OFF:
		*reason = *reason ? *reason : "not observed at that time";
		return "blocked";
	case TS_BLOCKED:
		break;
	}
	return "blocked";
}

static void write_table(struct json_writer *w, const struct snapshot *s, enum table_id t)
{
	const struct table *table = &s->tables[t];
	const char *reason = table->reason, *status = status_text(table->status, &reason);
	const char *comma = "";

	fprintf(w->out, "\"%s\":{\"status\":\"%s\",\"reason\":", table_descs[t].name, status);
	put(w->out, string_object(reason));
	fputs(",\"rows\":[", w->out);
	if (t == TABLE_stacks)
		w->frames = stack_frames_of(s);
	for (u32 i = 0; i < table->n; i++) {
		if (!event_is_due(&w->events[t], s, table->rows[i]))
			continue;
		fputs(comma, w->out);
		write_row(w, s, table->rows[i]);
		comma = ",";
	}
	fputs("]}", w->out);
	stack_frames_close(&w->frames);
	events_taken(&w->events[t], s, t);
}

static void write_head(FILE *out, const struct snapshot *s)
{
	u64 unix_ns = s->time_ns + (u64)s->unix_offset_ns;

	fputs("{\"schema\":1,\"host_name\":", out);
	put(out, string_object(s->session->host_name));
	fputs(",\"boot_id\":", out);
	put(out, string_object(s->session->boot_id));
	fprintf(out, ",\"time_unix_ns\":\"%" PRIu64 "\",\"interval_ns\":%" PRIu64 ",\"tables\":{",
		unix_ns, s->interval_ns);
}

struct json_writer *json_writer_new(FILE *out, u64 tables)
{
	struct json_writer *w = xcalloc(1, sizeof(*w));

	w->out = out;
	w->tables = tables;
	for (u32 i = 0; i < FRAME_FIELDS; i++)
		w->frame_fields[i] = &table_descs[TABLE_frames].fields[
			table_field(TABLE_frames, frame_fields[i])];
	return w;
}

int json_writer_write(struct json_writer *w, const struct snapshot *s)
{
	const char *comma = "";

	errno = 0;
	write_head(w->out, s);
	for (int t = 0; t < N_TABLES; t++) {
		if (!(w->tables & TABLE_BIT(t)))
			continue;
		fputs(comma, w->out);
		write_table(w, s, t);
		comma = ",";
	}
	fputs("}}\n", w->out);
	if (fflush(w->out) || ferror(w->out))
		return errno ? -errno : -EIO;
	return 0;
}

void json_writer_free(struct json_writer *w)
{
	free(w);
}
