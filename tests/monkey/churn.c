// SPDX-License-Identifier: GPL-2.0-or-later
/* churn.c: see monkey.h. */
#include <stdio.h>

#include "tests/monkey/monkey.h"

#define ROWS_MAX 400	/* of a table: enough to scroll, still fast */

static const char *const texts[] = {
	"", "a", "nginx: worker process", "\x1b[31mred", "日本語のプロセス名", "e\xcc\x81\xcc\x81", "\xff\xfe",
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
	"std::map<std::string, std::vector<int>>::find(std::string const&)", "[a](b)|*+?{", "  ", "\t\n",
	"10.0.0.7", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "/system.slice/x.service", "-", "?", "e", "S", "R", "Z",
};

static void change_u64(struct chance *c, u64 *v)
{
	switch (chance(c, 8)) {
	case 0:
		*v = U64_UNKNOWN - chance(c, 3);
		break;
	case 1:
		*v = chance_u64(c) >> chance(c, 64);
		break;
	case 2:
		*v = 0;
		break;
	default:
		*v += chance(c, 1000);
	}
}

static void change_f32(struct chance *c, float *v)
{
	static const float odd[] = { 0, -1, 1e-9f, 100, 3.4e38f };

	if (chance_of(c, 6))
		*v = chance_of(c, 2) ? F32_UNKNOWN : chance_of(c, 2) ? F32_BLANK : F32_PENDING;
	else if (chance_of(c, 6))
		*v = odd[chance(c, ARRAY_SIZE(odd))];
	else
		*v = (float)chance(c, 10000) / 100;
}

static void change_text(struct chance *c, const char **v, const struct field *f)
{
	char ids[32];

	if (f->format == FF_STACK) {
		snprintf(ids, sizeof(ids), "%u %u %u", chance(c, 40), chance(c, 40), chance(c, 40));
		str_set(v, str_new(ids));
	} else {
		str_set(v, chance_of(c, 8) ? NULL : str_new(texts[chance(c, ARRAY_SIZE(texts))]));
	}
}

static void change_member(struct chance *c, struct row *r, const struct field *f)
{
	char *at = (char *)r + f->offset;

	if (f->type == FT_U64)
		change_u64(c, (u64 *)at);
	else if (f->type == FT_F32)
		change_f32(c, (float *)at);
	else if (f->type == FT_STR)
		change_text(c, (const char **)at, f);
}

/* Another object: one of the keys differs. */
static struct row *another(struct chance *c, const struct row *r, u64 now_ns)
{
	const struct table_desc *d = &table_descs[r->table];
	struct row *n = row_clone(r, true);

	for (u32 i = 0; i < d->n_fields; i++) {
		if (d->fields[i].kind != FK_KEY || d->fields[i].type != FT_U64 || chance_of(c, 3))
			continue;
		*(u64 *)((char *)n + d->fields[i].offset) += 1 + chance(c, 1000);
		break;
	}
	n->closed = chance_of(c, 4);
	n->first_seen_ns = now_ns;
	return n;
}

static void add_row(struct chance *c, struct builder *b, const struct row *r, u64 now_ns)
{
	const struct table_desc *d = &table_descs[r->table];
	struct row *n;

	switch (chance(c, 8)) {
	case 0:		/* gone, its end unseen */
		if (!chance_of(c, 3))
			builder_add(b, row_get(r));
		return;
	case 1:		/* it ends */
		n = row_clone(r, true);
		n->closed = chance_of(c, 2);
		builder_add(b, n);
		return;
	case 2:
	case 3:		/* changes, except its keys */
		n = row_clone(r, !chance_of(c, 6));
		for (u32 i = chance(c, 8); i-- > 0;) {
			const struct field *f = &d->fields[chance(c, d->n_fields)];

			if (f->kind != FK_KEY)
				change_member(c, n, f);
		}
		builder_add(b, n);
		return;
	case 4:
		builder_add(b, another(c, r, now_ns));
		builder_add(b, row_get(r));
		return;
	default:
		builder_add(b, row_get(r));
	}
}

static void churn_table(struct chance *c, struct builder *b, enum table_id id, const struct table *t, u64 now_ns)
{
	static const char *const reasons[] = { NULL, "CAP_BPF is missing; run it with sudo; --replay FILE works", "no" };
	bool single = table_descs[id].flags & T_SINGLE;
	enum table_status status = t->status;

	for (u32 i = 0; i < t->n; i++) {
		const struct row *r = t->rows[i];

		if (r->closed || (t->n > ROWS_MAX && chance_of(c, 2)))
			continue;
		if (single && !chance_of(c, 3))
			builder_add(b, row_get(r));
		else if (!single || !chance_of(c, 10))
			add_row(c, b, r, now_ns);
	}
	if (chance_of(c, 60))
		status = (enum table_status)chance(c, TS_BLOCKED + 1);
	else if (t->n && chance_of(c, 4))
		status = TS_OK;
	builder_status(b, id, status, reasons[chance(c, ARRAY_SIZE(reasons))], t->interval_ns);
}

const struct snapshot *churn_tick(struct chance *c, const struct snapshot *last)
{
	struct builder *b = builder_new(last, last->session);
	u64 interval_ns = chance_of(c, 10) ? NSEC_PER_SEC / 10 : last->interval_ns ? last->interval_ns : NSEC_PER_SEC;

	builder_time(b, last->seq + 1, last->time_ns + interval_ns, last->unix_offset_ns, interval_ns);
	for (u32 t = 0; t < N_TABLES; t++)
		churn_table(c, b, t, &last->tables[t], last->time_ns + interval_ns);
	return builder_seal(b);
}
