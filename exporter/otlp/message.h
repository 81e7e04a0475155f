/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.h: the pieces of OTLP messages, made in a scratch. */
#ifndef OTTOP_OTLP_MESSAGE_H
#define OTTOP_OTLP_MESSAGE_H

#include "bpf/model/snapshot.h"
#include "exporter/otlp/scratch.h"
#include "exporter/otlp/config.h"
#include "exporter/otlp/metric.h"
#include "exporter/otlp/series.h"
#include "otlp.pb-c.h"

#define SCRATCH_NEW(scratch, type, prefix) \
	({ type *m_ = scratch_take(scratch, sizeof(*m_)); prefix##__init(m_); m_; })
/* Appends a pointer to a repeated field: n_NAME and NAME of a message. */
#define SCRATCH_APPEND(scratch, message, name, item) do {					\
	(message)->name = scratch_grow(scratch, (message)->name, (message)->n_##name);	\
	(message)->name[(message)->n_##name++] = (item);				\
} while (0)

struct attributes {
	Otlp__KeyValue **attributes;
	size_t n_attributes;
};

/* Unknown and blank values add nothing. Keys must live as long as the message. */
void attribute_text(struct scratch *a, struct attributes *to, const char *key, const char *value);
void attribute_int(struct scratch *a, struct attributes *to, const char *key, u64 value);
void attribute_bool(struct scratch *a, struct attributes *to, const char *key, bool value);

/* ottop as the sender: its service.* and those of its machine. */
void attributes_of_ottop(struct scratch *a, struct attributes *to, const struct session *session,
			 const struct otlp_config *config);
/*
 * A program that was observed: service.name is its name; pid and start say which process
 * (service.instance.id), 0 where there are many.
 */
void attributes_of_service(struct scratch *a, struct attributes *to, const struct session *session,
			   const struct otlp_config *config, const char *name, u64 pid,
			   u64 start_ns);
/* A process whose row is known, with all its attributes; with its command line only if that is asked for. */
void attributes_of_process(struct scratch *a, struct attributes *to, const struct session *session,
			   const struct otlp_config *config, const struct processes_row *p);
/* Has that attribute the same value in both rows, which are of its table? */
bool attribute_same(const struct field *f, const struct row *a, const struct row *b);
/* Would attributes_of_process() say the same of both? */
bool attributes_same_process(const struct otlp_config *config, const struct processes_row *a,
			     const struct processes_row *b);
/* All processes of that service (NULL: none is known) and that name, in that container (NULL: in none). */
void attributes_of_program(struct scratch *a, struct attributes *to, const struct session *session,
			   const struct otlp_config *config, const char *service, const char *name,
			   const char *container);
/* What service.name is: what the process's environment says where that is known, else its name. */
const char *name_of_service(const char *service, const char *comm);
/* What schema.def says is an attribute: one field of a row, or all. Of a container only its id. */
void attribute_of_field(struct scratch *a, struct attributes *to, const struct row *r,
			const struct field *f);
void attributes_of_row(struct scratch *a, struct attributes *to, const struct row *r);

/* Of all keys and values, after `hash`. */
u64 attributes_hash(u64 hash, Otlp__KeyValue *const *list, size_t n);

Otlp__Resource *resource_new(struct scratch *a, const struct attributes *from);
Otlp__Scope *scope_new(struct scratch *a);

/* Nanoseconds of CLOCK_BOOTTIME as Unix time. */
static inline u64 unix_ns(const struct snapshot *s, u64 boot_ns)
{
	return boot_ns + (u64)s->unix_offset_ns;
}

/* ---- metrics ---------------------------------------------------------------------- */

struct metrics {
	struct scratch *scratch;
	Otlp__MetricsRequest *request;
	Otlp__ScopeMetrics *scope;	/* of the resource that was begun last */
	u64 time_unix_ns;
	s64 start_offset_ns;		/* from CLOCK_BOOTTIME to Unix time, for starts */
	u64 resource_key;		/* of the same: its service.instance.id */
	struct otlp_series *deltas;	/* NULL: counters are cumulative */
	u32 points;
};

/*
 * All points are of this Unix time. Starts must stay what they are from export to export, or a
 * series seems to begin anew: they are made with an offset that is not measured each time.
 */
void metrics_begin(struct metrics *m, struct scratch *a, u64 time_unix_ns, s64 start_offset_ns);
/* What follows is of another resource. One without points is left out at the end. */
void metrics_resource(struct metrics *m, const struct attributes *from);
/*
 * Adds a point; the metric's own attribute is added to those in `from` (may be NULL). start_ns
 * (CLOCK_BOOTTIME): since when a counter counts. An integer is scaled where
 * the metric is none.
 */
void metrics_u64(struct metrics *m, const struct otlp_metric *metric,
		 const struct attributes *from, u64 start_ns, u64 value);
void metrics_double(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, double value);
/* A level that has no value any more: who keeps the last one for minutes must not show it. */
void metrics_ended(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns);
/* The value of a row, scaled; nothing where it is not known. */
void metrics_value(struct metrics *m, const struct otlp_metric *metric,
		   const struct attributes *from, u64 start_ns, const struct row *r);
/*
 * A histogram as it is kept, of scale 3, in seconds. With deltas h must be what came since
 * start_ns, else all since then.
 */
void metrics_hist(struct metrics *m, const struct otlp_metric *metric,
		  const struct attributes *from, u64 start_ns, const struct hist *h);
/*
 * A histogram with bounds of its own: counts[i] values are at most bounds[i] and more than the one
 * before, the last count is of what is more than all. Otherwise as metrics_hist().
 */
void metrics_bounds(struct metrics *m, const struct otlp_metric *metric,
		    const struct attributes *from, u64 start_ns, const u64 *counts,
		    const double *bounds, u32 n_bounds, double sum);
/* Encodes (free() it), or NULL where there is nothing to send. */
u8 *metrics_pack(struct metrics *m, size_t *ret_n);

#endif
