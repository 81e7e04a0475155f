/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.h: builds the parts of OTLP messages in a scratch. */
#pragma once

#include "bpf/model/snapshot.h"
#include "exporter/otlp/scratch.h"
#include "exporter/otlp/config.h"
#include "exporter/otlp/metric.h"
#include "exporter/otlp/series.h"
#include "otlp.pb-c.h"

#define SCRATCH_NEW(scratch, type, prefix) \
	({ type *m_ = scratch_take(scratch, sizeof(*m_)); prefix##__init(m_); m_; })
/* Appends a pointer to a repeated field, the members n_NAME and NAME of a message. */
#define SCRATCH_APPEND(scratch, message, name, item) do {					\
	(message)->name = scratch_grow(scratch, (message)->name, (message)->n_##name);	\
	(message)->name[(message)->n_##name++] = (item);				\
} while (0)

struct attributes {
	Otlp__KeyValue **attributes;
	size_t n_attributes;
};

/* Adds an attribute; unknown and blank values are skipped. The key must outlive the message. */
void message_add_text(struct scratch *a, struct attributes *to, const char *key, const char *value);
void message_add_int(struct scratch *a, struct attributes *to, const char *key, u64 value);
void message_add_bool(struct scratch *a, struct attributes *to, const char *key, bool value);

/* Resource of ottop itself: its service.* and the machine's attributes. */
void message_add_ottop(struct scratch *a, struct attributes *to, const struct session *session,
		       const struct otlp_config *config);
/* An observed program: service.name is its name, service.instance.id of pid and start (0: many). */
void message_add_service(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const char *name, u64 pid,
			 u64 start_ns);
/* Resource of a process with a row: all attributes; the command line only if configured. */
void message_add_process(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const struct processes_row *p);
/* Whether both rows (of the field's table) have the same value of this attribute. */
bool message_same_attribute(const struct field *f, const struct row *a, const struct row *b);
/* Whether message_add_process() gives both the same attributes. */
bool message_same_process(const struct otlp_config *config, const struct processes_row *a,
			  const struct processes_row *b);
/* Resource of all processes with this service (NULL: unknown), name and container (NULL: none). */
void message_add_program(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config, const char *service, const char *name,
			 const char *container);
/* Value of service.name: from the process's environment if known, else the process's name. */
const char *message_service_name(const char *service, const char *comm);
/* Adds fields that schema.def declares attributes; a container is reduced to its id. */
void message_add_field(struct scratch *a, struct attributes *to, const struct row *r,
		       const struct field *f);
void message_add_row(struct scratch *a, struct attributes *to, const struct row *r);

/* Hash of all keys and values, seeded with `hash`. */
u64 message_hash(u64 hash, Otlp__KeyValue *const *list, size_t n);

Otlp__Resource *message_resource(struct scratch *a, const struct attributes *from);
Otlp__Scope *message_scope(struct scratch *a);

/* Converts CLOCK_BOOTTIME nanoseconds to Unix time. */
static inline u64 unix_ns(const struct snapshot *s, u64 boot_ns)
{
	return boot_ns + (u64)s->unix_offset_ns;
}

/* ---- metrics ---------------------------------------------------------------------- */

struct metrics {
	struct scratch *scratch;
	Otlp__MetricsRequest *request;
	Otlp__ScopeMetrics *scope;	/* of the current resource */
	u64 time_unix_ns;
	s64 start_offset_ns;		/* CLOCK_BOOTTIME to Unix time, for start times */
	u64 resource_key;		/* of the current resource: its service.instance.id */
	struct otlp_series *deltas;	/* NULL: counters are cumulative */
	u32 points;
};

/* All points get this time. Start times must not vary, or series restart: a fixed offset. */
void metrics_begin(struct metrics *m, struct scratch *a, u64 time_unix_ns, s64 start_offset_ns);
/* Starts a resource for the following points; without points it is removed at the end. */
void metrics_resource(struct metrics *m, const struct attributes *from);
/*
 * Adds a point with attributes `from` (or NULL) and the metric's. start_ns: the counter's start,
 * CLOCK_BOOTTIME. Integers are scaled for other metrics.
 */
void metrics_u64(struct metrics *m, const struct otlp_metric *metric,
		 const struct attributes *from, u64 start_ns, u64 value);
void metrics_double(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, double value);
/* Ends a gauge, which back ends would show for minutes. */
void metrics_ended(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns);
/* Adds the scaled value of a row; nothing if it is unknown. */
void metrics_value(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns, const struct row *r);
/*
 * Adds a histogram of scale 3, in s: the growth since start_ns (delta), else the total since then.
 */
void metrics_hist(struct metrics *m, const struct otlp_metric *metric,
		  const struct attributes *from, u64 start_ns, const struct hist *h);
/* The same with explicit bounds: counts[i] is (bounds[i - 1], bounds[i]], the last above all. */
void metrics_bounds(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, const u64 *counts,
		    const double *bounds, u32 n_bounds, double sum);
/* Encodes the request (free() it); NULL if it has no points. */
u8 *metrics_pack(struct metrics *m, size_t *ret_n);
