// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pprof.c: writes a profile for pprof: a compressed protocol buffer. Stacks are lists of locations
 * (an address in a mapping), a location has lines (several where functions were inlined), a line
 * has a function. They refer to each other by number, and to strings by index.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "exporter/profile.h"
#include "profile.pb-c.h"

#define NAME_MAX_BYTES 4096

typedef Perftools__Profiles__Profile PbProfile;
typedef Perftools__Profiles__ValueType PbValueType;
typedef Perftools__Profiles__Sample PbSample;
typedef Perftools__Profiles__Label PbLabel;
typedef Perftools__Profiles__Mapping PbMapping;
typedef Perftools__Profiles__Location PbLocation;
typedef Perftools__Profiles__Line PbLine;
typedef Perftools__Profiles__Function PbFunction;

/* The message is built of malloc()ed parts, as if unpacked, so that protobuf-c can free it. */
struct pprof {
	const struct profile *profile;
	PbProfile *message;
	struct strset strings;
	/* Keys of existing entries, at number - 1. */
	struct strset mappings, functions, locations;
	u32 cap_mappings, cap_functions, cap_locations, cap_samples;
	u64 *main_value;	/* for each mapping: total of the programs it is the main file of */
	u32 cap_main_value;
};

/* Allocates a protobuf-c message: NEW(PbLine, perftools__profiles__line). */
#define NEW(type, prefix) ({ type *m_ = xcalloc(1, sizeof(*m_)); prefix##__init(m_); m_; })

static s64 text_index(struct pprof *b, const char *s)
{
	char clean[NAME_MAX_BYTES];

	text_clean(clean, sizeof(clean), s ? s : "", TEXT_SCREEN);
	return strset_add(&b->strings, clean);
}

static PbValueType *value_type(struct pprof *b, const char *type, const char *unit)
{
	PbValueType *v = NEW(PbValueType, perftools__profiles__value_type);

	v->type = text_index(b, type);
	v->unit = text_index(b, unit);
	return v;
}

static bool is_known(const char *s)
{
	return s && *s;
}

/* ---- mappings -------------------------------------------------------------------- */

/*
 * Addresses are file-relative, the kernel's absolute; pprof takes 0 to the end as "no adjustment".
 */
static void add_mapping(struct pprof *b, const struct frames_row *f)
{
	PbProfile *m = b->message;
	PbMapping *new = NEW(PbMapping, perftools__profiles__mapping);

	m->mapping = grow(m->mapping, (u32)m->n_mapping, &b->cap_mappings, sizeof(*m->mapping));
	b->main_value = grow(b->main_value, (u32)m->n_mapping, &b->cap_main_value,
			     sizeof(*b->main_value));
	b->main_value[m->n_mapping] = 0;
	m->mapping[m->n_mapping++] = new;
	new->id = m->n_mapping;
	new->memory_limit = UINT64_MAX;
	new->filename = text_index(b, f->module);
	new->build_id = text_index(b, f->build_id);
	new->has_functions = true;
}

/* Number of a frame's mapping, 0 for none. */
static u64 mapping_of(struct pprof *b, const struct frames_row *f)
{
	PbMapping *m;
	u32 i;

	if (!f || !is_known(f->module))
		return 0;
	i = strset_addf(&b->mappings, "%s\n%s", f->module, f->build_id ? f->build_id : "");
	if (i == b->message->n_mapping)
		add_mapping(b, f);
	m = b->message->mapping[i];
	/* pending: pprof may symbolize; without result: it must not, it would guess wrong */
	m->has_functions &= is_known(f->name) || is_known(f->reason);
	m->has_filenames |= is_known(f->file);
	m->has_line_numbers |= u64_known(f->line) && f->line;
	m->has_inline_frames |= f->inlined == 1;
	return i + 1;
}

/* An executable, not a library or the kernel. */
static bool is_program(const struct frames_row *f)
{
	const char *slash = f && f->module ? strrchr(f->module, '/') : NULL;

	return slash && !strstr(slash, ".so");
}

/* The outermost frame identifies the program (ld.so starts it, but is not in the stack). */
static void count_program(struct pprof *b, const struct profile_stack *s)
{
	for (u32 i = s->n; i > 0; i--) {
		const struct frames_row *f = b->profile->frames[s->frames[i - 1]];

		if (is_program(f)) {
			b->main_value[mapping_of(b, f) - 1] += s->value;
			return;
		}
	}
}

/* pprof takes the first mapping as the program and prints its name. */
static void put_program_first(struct pprof *b)
{
	PbMapping **m = b->message->mapping, *first;
	u32 best = 0;

	for (u32 i = 1; i < b->message->n_mapping; i++)
		if (b->main_value[i] > b->main_value[best])
			best = i;
	if (!best)
		return;
	first = m[best];
	memmove(&m[1], &m[0], best * sizeof(*m));
	m[0] = first;
}

/* ---- functions and locations ----------------------------------------------------- */

static u64 function_of(struct pprof *b, const char *name, const char *file, u64 start_line)
{
	PbProfile *m = b->message;
	u32 i = strset_addf(&b->functions, "%s\n%s", name, file ? file : "");
	PbFunction *new;

	if (i < m->n_function) {
		if (u64_known(start_line) && !m->function[i]->start_line)
			m->function[i]->start_line = (s64)start_line;
		return i + 1;
	}
	new = NEW(PbFunction, perftools__profiles__function);
	m->function = grow(m->function, i, &b->cap_functions, sizeof(*m->function));
	m->function[m->n_function++] = new;
	new->id = m->n_function;
	new->name = new->system_name = text_index(b, name);
	new->filename = text_index(b, file);
	new->start_line = u64_known(start_line) ? (s64)start_line : 0;
	return new->id;
}

/* Adds a line to a location: the function into which the previous lines were inlined. */
static void add_line(struct pprof *b, PbLocation *location, const char *name,
		     const struct frames_row *f)
{
	PbLine *line = NEW(PbLine, perftools__profiles__line);

	location->line = xrealloc(location->line,
				  (location->n_line + 1) * sizeof(*location->line));
	location->line[location->n_line++] = line;
	line->function_id = function_of(b, name, f ? f->file : NULL, f ? f->start_line : U64_BLANK);
	if (f && u64_known(f->line))
		line->line = (s64)f->line;
}

/* The location with this key; *ret_new: it was just created. */
static PbLocation *find_location(struct pprof *b, u32 key, bool *ret_new)
{
	PbProfile *m = b->message;

	*ret_new = key == m->n_location;
	if (*ret_new) {
		m->location = grow(m->location, key, &b->cap_locations, sizeof(*m->location));
		m->location[m->n_location++] = NEW(PbLocation, perftools__profiles__location);
		m->location[key]->id = m->n_location;
	}
	return m->location[key];
}

/* Location of n frames, each but the last inlined into the next. */
static u64 location_of(struct pprof *b, const u32 *frames, u32 n)
{
	const struct frames_row *outer = b->profile->frames[frames[n - 1]];
	char key[1024], name[NAME_MAX_BYTES];
	PbLocation *location;
	size_t used = 0;
	bool is_new;

	for (u32 i = 0; i < n; i++)
		used += (size_t)snprintf(key + used, sizeof(key) - used, "%u ", frames[i]);
	location = find_location(b, strset_add(&b->locations, key), &is_new);
	if (!is_new)
		return location->id;
	location->mapping_id = mapping_of(b, outer);
	if (outer && u64_known(outer->addr))
		location->address = outer->addr;
	for (u32 i = 0; i < n; i++) {
		const struct frames_row *f = b->profile->frames[frames[i]];

		mapping_of(b, f);
		frame_text(name, sizeof(name), f);
		add_line(b, location, name, f);
	}
	return location->id;
}

/* A pseudo-location that marks a truncated stack. */
static u64 cut_location(struct pprof *b, const char *text)
{
	bool is_new;
	PbLocation *location = find_location(b, strset_add(&b->locations, text), &is_new);

	if (is_new)
		add_line(b, location, text, NULL);
	return location->id;
}

/* ---- samples --------------------------------------------------------------------- */

static void add_label(struct pprof *b, PbSample *s, const char *key, const char *text, u64 number)
{
	PbLabel *label = NEW(PbLabel, perftools__profiles__label);

	s->label = xrealloc(s->label, (s->n_label + 1) * sizeof(*s->label));
	s->label[s->n_label++] = label;
	label->key = text_index(b, key);
	if (text)
		label->str = text_index(b, text);
	else
		label->num = (s64)number;
}

static void add_labels(struct pprof *b, PbSample *sample, const struct profile_stack *s)
{
	const char *comm = s->process && is_known(s->process->comm) ? s->process->comm :
			   s->row->comm;

	add_label(b, sample, "pid", NULL, s->row->pid);
	if (u64_known(s->row->tid))
		add_label(b, sample, "tid", NULL, s->row->tid);
	if (is_known(comm))
		add_label(b, sample, "comm", comm, 0);
	if (is_known(s->row->comm))
		add_label(b, sample, "thread", s->row->comm, 0);
}

static void add_sample(struct pprof *b, const struct profile_stack *s)
{
	PbProfile *m = b->message;
	PbSample *new = NEW(PbSample, perftools__profiles__sample);
	u32 k, n, *frames = profile_frames(b->profile, s, &n);
	char cut[256];

	m->sample = grow(m->sample, (u32)m->n_sample, &b->cap_samples, sizeof(*m->sample));
	m->sample[m->n_sample++] = new;
	new->location_id = xcalloc(n + 1, sizeof(*new->location_id));
	for (u32 i = 0; i < n; i += k) {
		k = profile_place_length(b->profile, frames + i, n - i);
		new->location_id[new->n_location_id++] = location_of(b, frames + i, k);
	}
	free(frames);
	if (profile_cut_text(cut, sizeof(cut), s))
		new->location_id[new->n_location_id++] = cut_location(b, cut);
	new->value = xcalloc(2, sizeof(*new->value));
	new->value[new->n_value++] = (s64)s->samples;
	new->value[new->n_value++] = (s64)s->value;
	add_labels(b, new, s);
	count_program(b, s);
}

/* ---- the message ----------------------------------------------------------------- */

static void add_comment(struct pprof *b)
{
	const struct session *session = b->profile->session;
	char *text;

	if (!session)
		return;
	text = xasprintf("ottop %s on %s, Linux %s %s", session->version, session->host_name,
			 session->kernel, session->arch);
	b->message->comment = xcalloc(1, sizeof(*b->message->comment));
	b->message->comment[b->message->n_comment++] = text_index(b, text);
	free(text);
}

static void set_types(struct pprof *b)
{
	const struct profile *p = b->profile;
	bool offcpu = !strcmp(p->kind, "offcpu");
	const char *type = offcpu ? "off_cpu" : p->kind;
	PbProfile *m = b->message;

	m->sample_type = xcalloc(2, sizeof(*m->sample_type));
	m->sample_type[m->n_sample_type++] = value_type(b, offcpu ? "blocks" : "samples", "count");
	m->sample_type[m->n_sample_type++] = value_type(b, type, "nanoseconds");
	m->default_sample_type = text_index(b, type);
	m->period_type = value_type(b, type, "nanoseconds");
	/* a sample stands for the sampling period; a wait is measured, so its period is 1 ns */
	m->period = offcpu ? 1 : p->samples ? (s64)(p->value / p->samples) : 0;
	m->time_nanos = (s64)p->start_unix_ns;
	m->duration_nanos = (s64)p->duration_ns;
}

static PbProfile *build(const struct profile *p)
{
	struct pprof b = { .profile = p };
	PbProfile *m = b.message = NEW(PbProfile, perftools__profiles__profile);

	text_index(&b, "");	/* string 0 must be empty */
	set_types(&b);
	add_comment(&b);
	for (u32 i = 0; i < p->n_stacks; i++)
		add_sample(&b, &p->stacks[i]);
	put_program_first(&b);
	m->n_string_table = b.strings.n;
	m->string_table = strset_take(&b.strings);
	strset_free(&b.mappings);
	strset_free(&b.functions);
	strset_free(&b.locations);
	free(b.main_value);
	return m;
}

/* gzip; free() the result. 0 or -errno. */
static int compress_bytes(const u8 *data, size_t n, u8 **ret, size_t *ret_n)
{
	z_stream z = { .next_in = (u8 *)data, .avail_in = (uInt)n };

	if (n > UINT32_MAX / 2)
		return -EFBIG;
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	*ret_n = deflateBound(&z, (uLong)n);
	*ret = xmalloc(*ret_n);
	z.next_out = *ret;
	z.avail_out = (uInt)*ret_n;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END) {	/* cannot happen: sized by deflateBound() */
		deflateEnd(&z);
		free(*ret);
		return -EIO;
	}
	*ret_n = z.total_out;
	deflateEnd(&z);
	return 0;
}

int profile_put_pprof(const struct profile *p, FILE *out)
{
	PbProfile *m = build(p);
	size_t n = perftools__profiles__profile__get_packed_size(m), n_zipped;
	u8 *data = xmalloc(n + 1), *zipped;
	int err;

	perftools__profiles__profile__pack(m, data);
	perftools__profiles__profile__free_unpacked(m, NULL);
	err = compress_bytes(data, n, &zipped, &n_zipped);
	free(data);
	if (err)
		return err;
	errno = 0;
	fwrite(zipped, 1, n_zipped, out);
	free(zipped);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
