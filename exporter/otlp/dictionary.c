// SPDX-License-Identifier: GPL-2.0-or-later
/* dictionary.c: see dictionary.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/dictionary.h"

#define NAME_MAX_BYTES 4096

/* Index of a key in its set; appends an entry to the table if the key is new. */
#define ENTRY(d, table, type, prefix, index) ({							\
	u32 at_ = (index);									\
	bool new_ = at_ == (d)->message->n_##table;						\
	if (new_)											\
		SCRATCH_APPEND((d)->scratch, (d)->message, table,				\
			       SCRATCH_NEW((d)->scratch, type, prefix));			\
	new_ ? (d)->message->table[at_] : NULL; })

void dictionary_begin(struct dictionary *d, struct scratch *a)
{
	*d = (struct dictionary){ .scratch = a };
	d->message = SCRATCH_NEW(a, Otlp__ProfilesDictionary, otlp__profiles_dictionary);
	strset_add(&d->strings, "");
	ENTRY(d, attribute_table, Otlp__KeyValueAndUnit, otlp__key_value_and_unit,
	      strset_add(&d->attributes, ""));
	ENTRY(d, mapping_table, Otlp__Mapping, otlp__mapping, strset_add(&d->mappings, ""));
	ENTRY(d, function_table, Otlp__Function, otlp__function, strset_add(&d->functions, ""));
	ENTRY(d, location_table, Otlp__Location, otlp__location, strset_add(&d->locations, ""));
	ENTRY(d, stack_table, Otlp__Stack, otlp__stack, strset_add(&d->stacks, ""));
	SCRATCH_APPEND(a, d->message, link_table, SCRATCH_NEW(a, Otlp__Link, otlp__link));
}

/* ---- texts, attributes ------------------------------------------------------------------------ */

s32 dictionary_text(struct dictionary *d, const char *text)
{
	return text && *text ? (s32)strset_add(&d->strings, scratch_text(d->scratch, text)) : 0;
}

static s32 attribute_of(struct dictionary *d, const char *key, u32 index, const char *text, u64 number)
{
	Otlp__KeyValueAndUnit *new = ENTRY(d, attribute_table, Otlp__KeyValueAndUnit,
					   otlp__key_value_and_unit, index);

	if (!new)
		return (s32)index;
	new->key_strindex = dictionary_text(d, key);
	new->value = SCRATCH_NEW(d->scratch, Otlp__AnyValue, otlp__any_value);
	if (text) {
		new->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		new->value->string_value = scratch_text(d->scratch, text);
	} else {
		new->value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		new->value->int_value = (s64)number;
	}
	return (s32)index;
}

s32 dictionary_attribute(struct dictionary *d, const char *key, const char *text)
{
	char *clean;

	if (!text || !*text)
		return 0;
	clean = scratch_text(d->scratch, text);
	return attribute_of(d, key, strset_addf(&d->attributes, "%s\n%s", key, clean), clean, 0);
}

s32 dictionary_number(struct dictionary *d, const char *key, u64 number)
{
	u32 index;

	if (!u64_known(number))
		return 0;
	index = strset_addf(&d->attributes, "%s #%llu", key, (unsigned long long)number);
	return attribute_of(d, key, index, NULL, number);
}

s32 *dictionary_indices(struct scratch *a, const s32 *from, u32 n, size_t *ret_n)
{
	s32 *to = scratch_alloc(a, (n + 1) * sizeof(*to));

	*ret_n = 0;
	for (u32 i = 0; i < n; i++)
		if (from[i])
			to[(*ret_n)++] = from[i];
	return to;
}

/* ---- mappings, functions, locations --------------------------------------------------------------- */

/* Addresses are file-relative, the kernel's absolute: a mapping from 0 to the end fits both. */
static s32 mapping_of(struct dictionary *d, const struct frames_row *f)
{
	Otlp__Mapping *new;
	s32 name, build_id;
	u32 index;

	if (!f || !f->module || !*f->module)
		return 0;
	name = dictionary_text(d, f->module);
	build_id = dictionary_attribute(d, "process.executable.build_id.gnu", f->build_id);
	index = strset_addf(&d->mappings, "%d %d", name, build_id);
	new = ENTRY(d, mapping_table, Otlp__Mapping, otlp__mapping, index);
	if (new) {
		new->memory_limit = UINT64_MAX;
		new->filename_strindex = name;
		new->attribute_indices = dictionary_indices(d->scratch, &build_id, 1,
							    &new->n_attribute_indices);
	}
	return (s32)index;
}

static s32 function_of(struct dictionary *d, const char *name, const char *file, u64 start_line)
{
	s32 name_index = dictionary_text(d, name), file_index = dictionary_text(d, file);
	s64 line = u64_known(start_line) ? (s64)start_line : 0;
	u32 index = strset_addf(&d->functions, "%d %d %lld", name_index, file_index, (long long)line);
	Otlp__Function *new = ENTRY(d, function_table, Otlp__Function, otlp__function, index);

	if (new) {
		new->name_strindex = name_index;
		new->filename_strindex = file_index;
		new->start_line = line;
	}
	return (s32)index;
}

/* Values of the semantic convention; none is known for interpreted and JIT-compiled frames. */
static const char *frame_type(const struct frames_row *f)
{
	static const char *const types[][2] = {
		{ "user", "native" }, { "c++", "native" }, { "library", "native" },
		{ "rust", "rust" }, { "kernel", "kernel" },
	};

	for (u32 i = 0; f && f->kind && i < ARRAY_SIZE(types); i++)
		if (!strcmp(f->kind, types[i][0]))
			return types[i][1];
	return NULL;
}

struct place {
	s32 mapping, type;
	u64 address;
	u32 n;
	struct { s32 function; s64 line; } lines[PROFILE_PLACE_MAX];
};

static s32 location_of(struct dictionary *d, const struct place *x)
{
	char key[64 + 40 * PROFILE_PLACE_MAX];
	Otlp__Location *new;
	size_t used;
	u32 index;

	used = (size_t)snprintf(key, sizeof(key), "%d %d %llx", x->mapping, x->type,
				(unsigned long long)x->address);
	for (u32 i = 0; i < x->n; i++)
		used += (size_t)snprintf(key + used, sizeof(key) - used, " %d:%lld", x->lines[i].function,
					 (long long)x->lines[i].line);
	index = strset_add(&d->locations, key);
	new = ENTRY(d, location_table, Otlp__Location, otlp__location, index);
	if (!new)
		return (s32)index;
	new->mapping_index = x->mapping;
	new->address = x->address;
	new->attribute_indices = dictionary_indices(d->scratch, &x->type, 1, &new->n_attribute_indices);
	for (u32 i = 0; i < x->n; i++) {
		Otlp__Line *line = SCRATCH_NEW(d->scratch, Otlp__Line, otlp__line);

		line->function_index = x->lines[i].function;
		line->line = x->lines[i].line;
		SCRATCH_APPEND(d->scratch, new, lines, line);
	}
	return (s32)index;
}

/*
 * No line: the receiver may symbolize. A frame without file and address is named as on the screen.
 */
static bool has_line(const struct frames_row *f)
{
	return !f || (f->name && *f->name) || !f->module || !*f->module;
}

/* Location of n frames, each but the last inlined into the next. */
static s32 place_of(struct dictionary *d, const struct profile *p, const u32 *frames, u32 n)
{
	const struct frames_row *outer = p->frames[frames[n - 1]];
	char name[NAME_MAX_BYTES];
	struct place x = { .mapping = mapping_of(d, outer) };

	x.type = dictionary_attribute(d, "profile.frame.type", frame_type(outer));
	x.address = outer && u64_known(outer->addr) ? outer->addr : 0;
	for (u32 i = 0; i < n; i++) {
		const struct frames_row *f = p->frames[frames[i]];

		if (!has_line(f))
			continue;
		frame_text(name, sizeof(name), f);
		x.lines[x.n].function = function_of(d, name, f ? f->file : NULL,
						    f ? f->start_line : U64_BLANK);
		x.lines[x.n++].line = f && u64_known(f->line) ? (s64)f->line : 0;
	}
	return location_of(d, &x);
}

static s32 cut_place(struct dictionary *d, const char *text)
{
	struct place x = { .n = 1 };

	x.lines[0].function = function_of(d, text, NULL, U64_BLANK);
	return location_of(d, &x);
}

/* ---- stacks ---------------------------------------------------------------------------------------- */

static s32 stack_of(struct dictionary *d, const s32 *locations, u32 n)
{
	char *key = xmalloc(n * 12 + 1), *end = key;
	Otlp__Stack *new;
	u32 index;

	*key = '\0';
	for (u32 i = 0; i < n; i++)
		end += sprintf(end, "%d ", locations[i]);
	index = strset_add(&d->stacks, key);
	free(key);
	new = ENTRY(d, stack_table, Otlp__Stack, otlp__stack, index);
	if (new)
		new->location_indices = dictionary_indices(d->scratch, locations, n, &new->n_location_indices);
	return (s32)index;
}

s32 dictionary_stack(struct dictionary *d, const struct profile *p, const struct profile_stack *s)
{
	u32 n, k, n_places = 0, *frames = profile_frames(p, s, &n);
	s32 *places = xmalloc((n + 1) * sizeof(*places)), index;
	char cut[256];

	for (u32 i = 0; i < n; i += k) {
		k = profile_place_length(p, frames + i, n - i);
		places[n_places++] = place_of(d, p, frames + i, k);
	}
	if (profile_cut_text(cut, sizeof(cut), s))
		places[n_places++] = cut_place(d, cut);
	index = stack_of(d, places, n_places);
	free(places);
	free(frames);
	return index;
}

/* ---- the end --------------------------------------------------------------------------------------- */

void dictionary_end(struct dictionary *d)
{
	d->message->string_table = d->strings.items;
	d->message->n_string_table = d->strings.n;
}

void dictionary_free(struct dictionary *d)
{
	strset_free(&d->strings);
	strset_free(&d->attributes);
	strset_free(&d->mappings);
	strset_free(&d->functions);
	strset_free(&d->locations);
	strset_free(&d->stacks);
}
