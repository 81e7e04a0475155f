// SPDX-License-Identifier: GPL-2.0-or-later
/* schema.c: the descriptors that schema.def expands to. */
#include <string.h>

#include "bpf/model/snapshot.h"

#define T_(name, m) struct name##_row
#define OFFSET_U64(t, m) offsetof(struct t##_row, m)
#define OFFSET_F32(t, m) offsetof(struct t##_row, m)
#define OFFSET_STR(t, m) offsetof(struct t##_row, m)
#define OFFSET_HIST(t, m) offsetof(struct t##_row, m)
#define OFFSET_SUB(t, m) 0
#define FORMAT_SUB(fmt) FF_SUB, .sub = TABLE_##fmt
#define FORMAT_U64(fmt) FF_##fmt, .sub = -1
#define FORMAT_F32(fmt) FF_##fmt, .sub = -1
#define FORMAT_STR(fmt) FF_##fmt, .sub = -1
#define FORMAT_HIST(fmt) FF_##fmt, .sub = -1

#define TABLE(name, flags, per) static const struct field name##_fields[] = {
#define FIELD(t, m, ty, k, fmt, ti, w, me, he) \
	{ .name = #m, .title = ti, .metric = me, .help = he, .type = FT_##ty, .kind = FK_##k, \
	  .format = FORMAT_##ty(fmt), .offset = OFFSET_##ty(t, m), .width = w },
#define END(name) };
#include "bpf/model/schema.def"

/* One more element, as arrays cannot be empty. */
#define IF_STR_U64(x)
#define IF_STR_F32(x)
#define IF_STR_STR(x) x,
#define IF_STR_HIST(x)
#define IF_STR_SUB(x)
#define TABLE(name, flags, per) static const u16 name##_strs[] = {
#define FIELD(t, m, ty, ...) IF_STR_##ty(offsetof(struct t##_row, m))
#define END(name) 0 };
#include "bpf/model/schema.def"

#define IF_HIST_U64(x)
#define IF_HIST_F32(x)
#define IF_HIST_STR(x)
#define IF_HIST_HIST(x) x,
#define IF_HIST_SUB(x)
#define TABLE(name, flags, per) static const u16 name##_hists[] = {
#define FIELD(t, m, ty, ...) IF_HIST_##ty(offsetof(struct t##_row, m))
#define END(name) 0 };
#include "bpf/model/schema.def"

enum {
#define TABLE(name, flags, per) name##_n_keys = 0
#define IS_KEY_KEY 1
#define IS_KEY_LABEL 0
#define IS_KEY_GAUGE 0
#define IS_KEY_COUNTER 0
#define IS_KEY_RATE 0
#define IS_KEY_QUANTILE 0
#define IS_KEY_HISTOGRAM 0
#define IS_KEY_INTERNAL 0
#define IS_KEY_SUM 0
#define FIELD(t, m, ty, k, ...) + IS_KEY_##k
#define END(name) ,
#include "bpf/model/schema.def"
};

const struct table_desc table_descs[N_TABLES] = {
#define TABLE(n, f, p) [TABLE_##n] = { .name = #n, .per = p, .flags = f, \
	.row_size = sizeof(struct n##_row), .fields = n##_fields, \
	.n_fields = ARRAY_SIZE(n##_fields), .n_keys = n##_n_keys, \
	.strs = n##_strs, .n_strs = ARRAY_SIZE(n##_strs) - 1, \
	.hists = n##_hists, .n_hists = ARRAY_SIZE(n##_hists) - 1 },
#define FIELD(...)
#define END(name)
#include "bpf/model/schema.def"
};

int table_field(enum table_id t, const char *name)
{
	for (u32 i = 0; i < table_descs[t].n_fields; i++)
		if (!strcmp(table_descs[t].fields[i].name, name))
			return (int)i;
	return -1;
}

const struct field *schema_field(enum table_id t, const char *name)
{
	int i = table_field(t, name);

	return i < 0 ? NULL : &table_descs[t].fields[i];
}

int table_by_name(const char *name)
{
	for (int t = 0; t < N_TABLES; t++)
		if (!strcmp(table_descs[t].name, name))
			return t;
	return -1;
}
