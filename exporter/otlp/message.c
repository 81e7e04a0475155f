// SPDX-License-Identifier: GPL-2.0-or-later
/* message.c: attributes and resources; names of the semantic conventions. See message.h. */
#include <string.h>

#include "exporter/otlp/message.h"

/* ---- attributes ---------------------------------------------------------------------- */

static Otlp__AnyValue *attribute_new(struct scratch *a, struct attributes *to, const char *key)
{
	struct pair { Otlp__KeyValue key; Otlp__AnyValue value; } *p = scratch_take(a, sizeof(*p));

	otlp__key_value__init(&p->key);
	otlp__any_value__init(&p->value);
	p->key.key = (char *)key;
	p->key.value = &p->value;
	SCRATCH_APPEND(a, to, attributes, &p->key);
	return &p->value;
}

void message_add_text(struct scratch *a, struct attributes *to, const char *key, const char *value)
{
	Otlp__AnyValue *v;

	if (!value || !*value)
		return;
	v = attribute_new(a, to, key);
	v->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	v->string_value = scratch_text(a, value);
}

void message_add_int(struct scratch *a, struct attributes *to, const char *key, u64 value)
{
	Otlp__AnyValue *v;

	if (!u64_known(value))
		return;
	v = attribute_new(a, to, key);
	v->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	v->int_value = (s64)value;
}

void message_add_bool(struct scratch *a, struct attributes *to, const char *key, bool value)
{
	Otlp__AnyValue *v = attribute_new(a, to, key);

	v->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	v->bool_value = value;
}

/* "docker:3f0a...": the runtime prefix is not part of the id. */
static void message_add_container(struct scratch *a, struct attributes *to, const char *key,
				  const char *value)
{
	const char *id = value ? strchr(value, ':') : NULL;

	message_add_text(a, to, key, id ? id + 1 : value);
}

static bool is_attribute(const struct field *f)
{
	return *f->metric && (f->kind == FK_KEY || f->kind == FK_LABEL);
}

void message_add_field(struct scratch *a, struct attributes *to, const struct row *r,
		       const struct field *f)
{
	if (!is_attribute(f))
		return;
	if (f->type == FT_U64)
		message_add_int(a, to, f->metric, row_u64(r, f));
	else if (!strcmp(f->metric, "container.id"))
		message_add_container(a, to, f->metric, row_str(r, f));
	else if (f->type == FT_STR)
		message_add_text(a, to, f->metric, row_str(r, f));
}

void message_add_row(struct scratch *a, struct attributes *to, const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++)
		message_add_field(a, to, r, &d->fields[i]);
}

static u64 value_hash(u64 hash, const Otlp__AnyValue *v)
{
	if (v->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
		return otlp_hash(hash, v->string_value, strlen(v->string_value) + 1);
	if (v->value_case == OTLP__ANY_VALUE__VALUE_BOOL_VALUE)
		return otlp_hash(hash, &v->bool_value, sizeof(v->bool_value));
	return otlp_hash(hash, &v->int_value, sizeof(v->int_value));
}

u64 message_hash(u64 hash, Otlp__KeyValue *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		hash = otlp_hash(hash, list[i]->key, strlen(list[i]->key) + 1);
		hash = value_hash(hash, list[i]->value);
	}
	return hash;
}

/* ---- resources ------------------------------------------------------------------------- */

/* Values of the semantic conventions; other machines keep the name of uname(2). */
static const char *arch_name(const char *machine)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "ppc64le", "ppc64" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(machine, names[i][0]))
			return names[i][1];
	return machine;
}

static bool has_key(const struct attributes *a, const char *key)
{
	for (size_t i = 0; i < a->n_attributes; i++)
		if (!strcmp(a->attributes[i]->key, key))
			return true;
	return false;
}

/* Attributes of the machine: host.*, os.*, OTEL_RESOURCE_ATTRIBUTES; the caller adds service.*. */
static void message_add_host(struct scratch *a, struct attributes *to, const struct session *session,
			     const struct otlp_config *config)
{
	/* the user's attributes take precedence; keys are unique */
	for (u32 i = 0; i < config->resource.n; i++) {
		const struct otlp_pair *p = &config->resource.pairs[i];

		if (!has_key(to, p->key))
			message_add_text(a, to, scratch_text(a, p->key), p->value);
	}
	if (!has_key(to, "host.name"))
		message_add_text(a, to, "host.name", session->host_name);
	if (!has_key(to, "host.arch"))
		message_add_text(a, to, "host.arch", arch_name(session->arch));
	if (!has_key(to, "os.type"))
		message_add_text(a, to, "os.type", "linux");
	if (!has_key(to, "os.version"))
		message_add_text(a, to, "os.version", session->kernel);
}

void message_add_ottop(struct scratch *a, struct attributes *to, const struct session *session,
		       const struct otlp_config *config)
{
	message_add_text(a, to, "service.name", config->service_name);
	message_add_text(a, to, "service.version", OTTOP_VERSION);
	message_add_host(a, to, session, config);
	if (!has_key(to, "service.instance.id"))
		message_add_text(a, to, "service.instance.id", session->host_name);
}

void message_add_service(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const char *name, u64 pid,
			 u64 start_ns)
{
	char *instance = pid ? scratch_printf(a, "%s:%llu:%llu", session->host_name,
					    (unsigned long long)pid, (unsigned long long)start_ns) :
			       scratch_printf(a, "%s:other", session->host_name);

	message_add_text(a, to, "service.name", name && *name ? name : "unknown_service");
	message_add_text(a, to, "service.instance.id", instance);
	message_add_host(a, to, session, config);
}

const char *message_service_name(const char *service, const char *comm)
{
	return service && *service ? service : comm;
}

void message_add_process(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const struct processes_row *p)
{
	message_add_service(a, to, session, config, message_service_name(p->service, p->comm), p->pid,
			    p->start_time_ns);
	message_add_row(a, to, &p->row);
	if (config->command_lines)
		message_add_text(a, to, "process.command_line", p->cmdline);
}

bool message_same_attribute(const struct field *f, const struct row *a, const struct row *b)
{
	if (f->type == FT_U64)
		return row_u64(a, f) == row_u64(b, f);
	return text_same(row_str(a, f), row_str(b, f));
}

bool message_same_process(const struct otlp_config *config, const struct processes_row *a,
			  const struct processes_row *b)
{
	const struct table_desc *d = &table_descs[TABLE_processes];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		bool is_told = is_attribute(f) || !strcmp(f->name, "service") ||
			       (config->command_lines && !strcmp(f->name, "cmdline"));

		if (is_told && !message_same_attribute(f, &a->row, &b->row))
			return false;
	}
	return true;
}

void message_add_program(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const char *service, const char *name,
			 const char *container)
{
	name = name && *name ? name : "unknown_service";
	message_add_text(a, to, "service.name", message_service_name(service, name));
	message_add_text(a, to, "service.instance.id",
			 scratch_printf(a, "%s:%s:%s", session->host_name, name, container ? container : ""));
	message_add_host(a, to, session, config);
	message_add_text(a, to, "process.executable.name", name);
	message_add_container(a, to, "container.id", container);
}

Otlp__Resource *message_resource(struct scratch *a, const struct attributes *from)
{
	Otlp__Resource *r = SCRATCH_NEW(a, Otlp__Resource, otlp__resource);

	r->attributes = from->attributes;
	r->n_attributes = from->n_attributes;
	return r;
}

Otlp__Scope *message_scope(struct scratch *a)
{
	Otlp__Scope *s = SCRATCH_NEW(a, Otlp__Scope, otlp__scope);

	s->name = "ottop";
	s->version = OTTOP_VERSION;
	return s;
}
