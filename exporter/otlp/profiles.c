// SPDX-License-Identifier: GPL-2.0-or-later
/* profiles.c: see profiles.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exporter/otlp/dictionary.h"
#include "exporter/otlp/profiles.h"

#define STACKS_MAX 20000	/* distinct stacks held in memory */
#define WAITS_MAX 5		/* ticks to wait for pending names */
#define KINDS 2

static const char *const kinds[KINDS] = { "cpu", "offcpu" };

struct otlp_profiles {
	struct profile *of[KINDS];	/* NULL: not requested */
	u32 waits;
};

/* A message being built. */
struct making {
	struct scratch *scratch;
	struct dictionary dictionary;
	const struct snapshot *s;
	const struct otlp_config *config;
	Otlp__ProfilesRequest *request;
	struct strset processes;	/* in the order of the request's resources */
	/* For the kind being added: the profile of each resource, or NULL. */
	Otlp__Profile **profiles;
	u32 cap;
	struct strset keys;		/* keys of samples, in the order of `samples` */
	Otlp__Sample **samples;
	u32 n_samples, cap_samples;
	u32 items;
};

bool otlp_profiles_parse(const char *text, bool *ret_cpu, bool *ret_offcpu)
{
	*ret_cpu = !strcmp(text, "cpu") || !strcmp(text, "cpu,offcpu") || !strcmp(text, "offcpu,cpu");
	*ret_offcpu = strcmp(text, "cpu") && (*ret_cpu || !strcmp(text, "offcpu"));
	return *ret_cpu || *ret_offcpu;
}

/* ---- collecting ------------------------------------------------------------------------------------- */

static void begin_again(struct otlp_profiles *o)
{
	o->waits = 0;
	for (u32 k = 0; k < KINDS; k++) {
		if (!o->of[k])
			continue;
		profile_free(o->of[k]);
		o->of[k] = profile_new(kinds[k], NULL, 0);
	}
}

struct otlp_profiles *otlp_profiles_new(bool cpu, bool offcpu)
{
	struct otlp_profiles *o = xcalloc(1, sizeof(*o));

	o->of[0] = cpu ? profile_new(kinds[0], NULL, 0) : NULL;
	o->of[1] = offcpu ? profile_new(kinds[1], NULL, 0) : NULL;
	return o;
}

void otlp_profiles_take(struct otlp_profiles *o, const struct snapshot *s)
{
	for (u32 k = 0; k < KINDS; k++)
		if (o->of[k])
			profile_add(o->of[k], s);
}

bool otlp_profiles_full(const struct otlp_profiles *o)
{
	u32 n = 0;

	for (u32 k = 0; k < KINDS; k++)
		n += o->of[k] ? o->of[k]->n_stacks : 0;
	return n >= STACKS_MAX;
}

bool otlp_profiles_wait(struct otlp_profiles *o)
{
	u32 pending = 0;

	for (u32 k = 0; k < KINDS; k++)
		pending += o->of[k] ? profile_pending(o->of[k]) : 0;
	return pending && !otlp_profiles_full(o) && o->waits++ < WAITS_MAX;
}

/* ---- resources and profiles ------------------------------------------------------------------------ */

static void resource_attributes(struct making *x, const struct profile_stack *s, struct attributes *to)
{
	struct scratch *a = x->scratch;
	/* the newest row, unless the process has become another program since its first sample */
	const struct processes_row *p = snapshot_process(x->s, s->row->pid, s->row->start_time_ns) ?: s->process;

	if (p) {
		message_add_process(a, to, x->s->session, x->config, p);
		return;
	}
	message_add_service(a, to, x->s->session, x->config, s->row->comm, s->row->pid, s->row->start_time_ns);
	message_add_int(a, to, "process.pid", s->row->pid);
	message_add_text(a, to, "process.executable.name", s->row->comm);
}

/* Index of a process's resource. */
static u32 resource_of(struct making *x, const struct profile_stack *s)
{
	struct scratch *a = x->scratch;
	u32 i = strset_addf(&x->processes, "%llu %llu", (unsigned long long)s->row->pid,
			    (unsigned long long)s->row->start_time_ns);
	struct attributes attributes = { 0 };
	Otlp__ResourceProfiles *new;
	Otlp__ScopeProfiles *scope;

	if (i < x->request->n_resource_profiles)
		return i;
	new = SCRATCH_NEW(a, Otlp__ResourceProfiles, otlp__resource_profiles);
	scope = SCRATCH_NEW(a, Otlp__ScopeProfiles, otlp__scope_profiles);
	resource_attributes(x, s, &attributes);
	new->resource = message_resource(a, &attributes);
	scope->scope = message_scope(a);
	SCRATCH_APPEND(a, new, scope_profiles, scope);
	SCRATCH_APPEND(a, x->request, resource_profiles, new);
	x->profiles = grow(x->profiles, i, &x->cap, sizeof(*x->profiles));
	x->profiles[i] = NULL;
	return i;
}

static Otlp__ValueType *value_type(struct making *x, const char *type, const char *unit)
{
	Otlp__ValueType *v = SCRATCH_NEW(x->scratch, Otlp__ValueType, otlp__value_type);

	v->type_strindex = dictionary_text(&x->dictionary, type);
	v->unit_strindex = dictionary_text(&x->dictionary, unit);
	return v;
}

/* A CPU sample stands for the sampling period; a wait is measured. */
static void set_types(struct making *x, const struct profile *p, Otlp__Profile *new)
{
	if (!strcmp(p->kind, "offcpu")) {
		new->sample_type = value_type(x, "off_cpu", "nanoseconds");
		return;
	}
	new->sample_type = value_type(x, "samples", "count");
	new->period_type = value_type(x, "cpu", "nanoseconds");
	new->period = p->samples ? (s64)(p->value / p->samples) : 0;
}

static Otlp__Profile *profile_of(struct making *x, const struct profile *p, u32 resource)
{
	struct scratch *a = x->scratch;
	Otlp__Profile *new = x->profiles[resource];

	if (new)
		return new;
	new = x->profiles[resource] = SCRATCH_NEW(a, Otlp__Profile, otlp__profile);
	set_types(x, p, new);
	new->time_unix_nano = p->start_unix_ns;
	new->duration_nano = p->duration_ns;
	new->profile_id = (ProtobufCBinaryData){ .len = 16, .data = scratch_alloc(a, 16) };
	while (getrandom(new->profile_id.data, 16, 0) != 16)
		;
	SCRATCH_APPEND(a, x->request->resource_profiles[resource]->scope_profiles[0], profiles, new);
	x->items++;
	return new;
}

/* ---- samples ---------------------------------------------------------------------------------------- */

/* The sample of a stack and thread, created on first use. */
static Otlp__Sample *sample_of(struct making *x, const struct profile *p, const struct profile_stack *s)
{
	struct scratch *a = x->scratch;
	u32 resource = resource_of(x, s), i;
	s32 stack = dictionary_stack(&x->dictionary, p, s);
	s32 attributes[] = { dictionary_number(&x->dictionary, "thread.id", s->row->tid),
			     dictionary_attribute(&x->dictionary, "thread.name", s->row->comm) };
	Otlp__Profile *profile = profile_of(x, p, resource);
	Otlp__Sample *new;

	i = strset_addf(&x->keys, "%s %u %d %d %d", p->kind, resource, stack, attributes[0], attributes[1]);
	if (i < x->n_samples)
		return x->samples[i];
	x->samples = grow(x->samples, x->n_samples++, &x->cap_samples, sizeof(*x->samples));
	new = SCRATCH_NEW(a, Otlp__Sample, otlp__sample);
	new->stack_index = stack;
	new->attribute_indices = dictionary_indices(a, attributes, ARRAY_SIZE(attributes),
						    &new->n_attribute_indices);
	new->values = scratch_alloc(a, sizeof(*new->values));
	new->n_values = 1;
	SCRATCH_APPEND(a, profile, samples, new);
	return x->samples[i] = new;
}

static void add_kind(struct making *x, const struct profile *p)
{
	for (u32 i = 0; i < x->processes.n; i++)
		x->profiles[i] = NULL;
	for (u32 i = 0; i < p->n_stacks; i++) {
		u64 value = strcmp(p->kind, "offcpu") ? p->stacks[i].samples : p->stacks[i].value;

		if (value)
			sample_of(x, p, &p->stacks[i])->values[0] += (s64)value;
	}
}

u8 *otlp_profiles_pack(struct otlp_profiles *o, struct scratch *a, const struct snapshot *s,
		       const struct otlp_config *config, size_t *ret_n, u32 *ret_items)
{
	struct making x = { .scratch = a, .s = s, .config = config };
	u8 *data = NULL;

	x.request = SCRATCH_NEW(a, Otlp__ProfilesRequest, otlp__profiles_request);
	dictionary_begin(&x.dictionary, a);
	for (u32 k = 0; k < KINDS; k++)
		if (o->of[k])
			add_kind(&x, o->of[k]);
	dictionary_end(&x.dictionary);
	x.request->dictionary = x.dictionary.message;
	*ret_items = x.items;
	if (x.items) {
		*ret_n = otlp__profiles_request__get_packed_size(x.request);
		data = xmalloc(*ret_n);
		otlp__profiles_request__pack(x.request, data);
	}
	strset_free(&x.processes);
	strset_free(&x.keys);
	free(x.profiles);
	free(x.samples);
	dictionary_free(&x.dictionary);
	scratch_reset(a);
	begin_again(o);
	return data;
}

void otlp_profiles_free(struct otlp_profiles *o)
{
	if (!o)
		return;
	for (u32 k = 0; k < KINDS; k++)
		profile_free(o->of[k]);
	free(o);
}
