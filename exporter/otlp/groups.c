// SPDX-License-Identifier: GPL-2.0-or-later
/* groups.c: see groups.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/model/hash.h"
#include "exporter/otlp/groups.h"

#define PROGRAM_KEYS 3		/* name, container, service: they come first */
#define IDLE_EXPORTS 10		/* exports without growth after which a series is given up */

struct group {
	struct hash_node node;
	const struct row *row;	/* any row of the group; counted */
	const struct processes_row *process;	/* its resource as last seen; counted, or NULL */
	const struct processes_row *renamed;	/* the same after this export */
	u64 pid, process_start_ns;
	u64 program;		/* a hash of its name, container and service */
	struct otlp_values v;	/* since start_ns */
	u64 start_ns, hist_start_ns;	/* with delta temporality hist_start_ns advances */
	u64 grew;		/* growth since the last export */
	u32 idle;		/* exports without growth */
	bool own, leaving;	/* own: has a series; leaving: exports its last point */
};

struct otlp_groups {
	const struct otlp_grouping *of;
	u32 max, n_own;
	struct otlp_metric metrics[GROUP_METRICS];
	u32 n_metrics;
	const struct field *keys[12];
	u32 n_keys, own_keys;	/* keys from own_keys on are the grouping's */
	const struct field *pid, *start;	/* of_process */
	const struct field *comm, *container, *service;	/* of_program */
	struct hash_table groups;
	const struct field *ours;	/* not_ours: the field pid */
	u64 own_pid;
	struct otlp_values rest;
	u64 begun_ns, rest_hist_start_ns, now_ns;
	bool deltas;
};

static void find_keys(struct otlp_groups *g)
{
	enum table_id t = g->of->table;

	if (g->of->of_process) {
		g->keys[g->n_keys++] = g->pid = schema_field(t, "pid");
		g->keys[g->n_keys++] = g->start = schema_field(t, "start_time_ns");
	}
	g->ours = g->of->not_ours ? schema_field(t, "pid") : NULL;
	g->own_pid = (u64)getpid();
	if (g->of->of_program) {
		g->keys[g->n_keys++] = g->comm = schema_field(t, "comm");
		g->keys[g->n_keys++] = g->container = schema_field(t, "container");
		g->keys[g->n_keys++] = g->service = schema_field(t, "service");
	}
	g->own_keys = g->n_keys;
	for (u32 i = 0; i < ARRAY_SIZE(g->of->keys) && g->of->keys[i]; i++)
		g->keys[g->n_keys++] = schema_field(t, g->of->keys[i]);
}

struct otlp_groups *otlp_groups_new(const struct otlp_grouping *of, u32 max)
{
	const struct table_desc *d = &table_descs[of->table];
	struct otlp_groups *g = xcalloc(1, sizeof(*g));

	g->of = of;
	g->max = max;
	for (u32 i = 0; i < d->n_fields && g->n_metrics < GROUP_METRICS; i++) {
		struct otlp_metric *m = &g->metrics[g->n_metrics];

		if (of->put && d->fields[i].kind == FK_COUNTER) {
			*m = (struct otlp_metric){ .field = &d->fields[i], .kind = OTLP_COUNTER };
			g->n_metrics++;
		} else if (!of->put && otlp_metric_nth(&d->fields[i], of->nth, m) &&
			   (m->kind == OTLP_COUNTER || m->kind == OTLP_HISTOGRAM)) {
			g->n_metrics++;
		}
	}
	find_keys(g);
	return g;
}

/* ---- taking in a tick ---------------------------------------------------------------------- */

static bool is_of(const struct otlp_groups *g, const struct row *a, const struct row *b)
{
	for (u32 i = 0; i < g->n_keys; i++)
		if (!message_same_attribute(g->keys[i], a, b))
			return false;
	return true;
}

static u64 key_of(const struct otlp_groups *g, const struct row *r, u32 n)
{
	u64 hash = 0;

	for (u32 i = 0; i < n; i++) {
		const struct field *f = g->keys[i];
		u64 v = f->type == FT_U64 ? row_u64(r, f) : 0;
		const char *s = f->type == FT_STR ? row_str(r, f) : NULL;

		hash = s ? otlp_hash(hash, s, strlen(s) + 1) : otlp_hash(hash, &v, sizeof(v));
	}
	return hash;
}

static struct group *group_of(struct otlp_groups *g, const struct row *r, u64 start_ns)
{
	u64 key = key_of(g, r, g->n_keys);
	u32 hash = (u32)(key ^ key >> 32);
	struct group *x = hash_find(&g->groups, hash, struct group, i, is_of(g, i->row, r));

	if (x)
		return x;
	x = xcalloc(1, sizeof(*x));
	x->row = row_get(r);
	x->pid = g->pid ? row_u64(r, g->pid) : 0;
	x->process_start_ns = g->start ? row_u64(r, g->start) : 0;
	x->program = g->comm ? key_of(g, r, PROGRAM_KEYS) : 0;
	x->start_ns = x->hist_start_ns = start_ns;
	hash_add(&g->groups, &x->node, hash);
	return x;
}

/* Growth of a histogram since `was`; release with hist_put(). NULL: none. */
static const struct hist *hist_growth(const struct hist *was, const struct hist *is)
{
	struct hist_acc a = { 0 };

	if (!is || was == is || (was && was->count >= is->count))
		return NULL;
	hist_acc_add(&a, is);
	if (was)
		hist_acc_sub(&a, was);
	return hist_seal(&a);
}

/* Adds the growth since `was` (NULL: the whole row) to v; returns the amount. */
static u64 add_growth(const struct otlp_groups *g, struct otlp_values *v, const struct row *was,
		      const struct row *is)
{
	u64 all = 0;

	for (u32 i = 0; i < g->n_metrics; i++) {
		const struct field *f = g->metrics[i].field;
		const struct hist *h;
		u64 n;

		if (g->metrics[i].kind == OTLP_COUNTER) {
			n = counter_growth(was ? row_u64(was, f) : 0, row_u64(is, f));
			v->counters[i] += n;
		} else {
			h = hist_growth(was ? row_hist(was, f) : NULL, row_hist(is, f));
			n = h ? h->count : 0;
			if (h)
				hist_merge(&v->hist, h);
			hist_put(h);
		}
		all += n;
	}
	return all;
}

/* A row without owner is held back, unless it ended: the owner may be known later. */
static bool lacks_owner(const struct otlp_groups *g, const struct row *r)
{
	return g->pid && !u64_known(row_u64(r, g->pid));
}

static void take_row(struct otlp_groups *g, const struct row *was, const struct row *is,
		     u64 was_ns)
{
	struct group *x;

	if (g->ours && row_u64(is, g->ours) == g->own_pid)
		return;
	if (was && lacks_owner(g, was))
		was = NULL;
	if (lacks_owner(g, is)) {
		if (is->closed)
			add_growth(g, &g->rest, NULL, is);
		return;
	}
	x = group_of(g, is, was || !is->first_seen_ns ? was_ns : is->first_seen_ns);
	x->grew += add_growth(g, &x->v, was, is);
}

/* Merges two tables ordered by the same keys. */
void otlp_groups_take(struct otlp_groups *g, const struct snapshot *was, const struct snapshot *s)
{
	const struct table *new = &s->tables[g->of->table];
	const struct table *old = was ? &was->tables[g->of->table] : NULL;
	u64 was_ns = was ? was->time_ns : s->session->start_ns;
	u32 k = 0;

	if (!g->begun_ns)
		g->begun_ns = g->rest_hist_start_ns = was_ns;
	for (u32 i = 0; i < new->n; i++) {
		const struct row *r = new->rows[i];
		int order = 1;

		while (old && k < old->n && old->rows[k] != r && (order = row_cmp_keys(old->rows[k], r)) < 0)
			k++;
		if (old && k < old->n && old->rows[k] == r)
			continue;	/* unchanged rows are shared */
		take_row(g, old && k < old->n && !order ? old->rows[k] : NULL, r, was_ns);
	}
	g->now_ns = s->time_ns;
}

/* ---- choosing -------------------------------------------------------------------------------- */

static int by_growth(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	return cmp(y->grew, x->grew) ?: cmp(x->start_ns, y->start_ns);
}

/*
 * Keeps a series' resource after its process; renamed, it exports a last point under its old name.
 * False: it has ended.
 */
static bool keep_process(struct group *x, const struct snapshot *s, const struct otlp_config *config)
{
	const struct processes_row *p = snapshot_process(s, x->pid, x->process_start_ns);

	if (!p)
		return false;
	if (x->process && !message_same_process(config, x->process, p))
		ROW_KEEP(x->renamed, p);
	else
		ROW_KEEP(x->process, p);
	return !p->row.closed;
}

/* Existing series stay, free ones go to the groups that grew most, none to ended groups. */
static void choose(struct otlp_groups *g, const struct snapshot *s, const struct otlp_config *config)
{
	struct group **sorted = xmalloc((g->groups.n + 1) * sizeof(*sorted));
	u32 n = 0;

	hash_each(&g->groups, struct group, x) {
		bool over = g->of->of_process && !keep_process(x, s, config);

		x->idle = x->grew ? 0 : x->idle + 1;
		/* a connection's last row may come after its process ended */
		x->leaving = x->idle >= IDLE_EXPORTS || (over && x->idle);
		if (!x->own && !over)
			sorted[n++] = x;
	}
	qsort(sorted, n, sizeof(*sorted), by_growth);
	for (u32 i = 0; i < n && g->n_own < g->max; i++, g->n_own++)
		sorted[i]->own = true;
	free(sorted);
}

/* ---- points ------------------------------------------------------------------------------------ */

static void put_values(struct otlp_groups *g, const struct attributes *from, u64 start_ns,
		       u64 hist_start_ns, const struct row *r, const struct otlp_values *v,
		       struct metrics *m)
{
	if (g->of->put) {
		g->of->put(m, from, hist_start_ns, r, v);
		return;
	}
	for (u32 i = 0; i < g->n_metrics; i++)
		if (g->metrics[i].kind == OTLP_COUNTER)
			metrics_u64(m, &g->metrics[i], from, start_ns, v->counters[i]);
		else if (v->hist)
			metrics_hist(m, &g->metrics[i], from, hist_start_ns, v->hist);
}

static void put_group(struct otlp_groups *g, const struct group *x, struct metrics *m)
{
	struct attributes a = { 0 };

	if (g->of->attributes)
		g->of->attributes(m->scratch, &a, x->row);
	else
		for (u32 i = g->own_keys; i < g->n_keys; i++)
			message_add_field(m->scratch, &a, x->row, g->keys[i]);
	put_values(g, &a, x->start_ns, x->hist_start_ns, x->row, &x->v, m);
}

/* A group with a series was alive at an export, so its process row is known. */
static void begin_process(const struct group *x, const struct snapshot *s,
			  const struct otlp_config *config, struct metrics *m)
{
	struct attributes a = { 0 };

	message_add_process(m->scratch, &a, s->session, config, x->process);
	metrics_resource(m, &a);
}

static int by_process(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	/* growth since the last export belongs to the new name */
	return cmp(x->pid, y->pid) ?: cmp(x->process_start_ns, y->process_start_ns) ?: !x->renamed - !y->renamed;
}

static int by_program(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	return cmp(x->program, y->program);
}

static void begin_program(const struct otlp_groups *g, const struct group *x, const struct snapshot *s,
			  const struct otlp_config *config, struct metrics *m)
{
	struct attributes a = { 0 };

	message_add_program(m->scratch, &a, s->session, config, row_str(x->row, g->service), row_str(x->row, g->comm),
			    row_str(x->row, g->container));
	metrics_resource(m, &a);
}

static void put_own(struct otlp_groups *g, const struct snapshot *s,
		    const struct otlp_config *config, struct metrics *m)
{
	struct group **own = xmalloc((g->n_own + 1) * sizeof(*own));
	u32 n = 0;

	hash_each(&g->groups, struct group, x)
		if (x->own)
			own[n++] = x;
	if (g->of->of_process)
		qsort(own, n, sizeof(*own), by_process);
	if (g->of->of_program)
		qsort(own, n, sizeof(*own), by_program);
	for (u32 i = 0; i < n; i++) {
		if (g->of->of_process && (!i || by_process(&own[i - 1], &own[i])))
			begin_process(own[i], s, config, m);
		if (g->of->of_program && (!i || by_program(&own[i - 1], &own[i])))
			begin_program(g, own[i], s, config, m);
		put_group(g, own[i], m);
	}
	free(own);
}

static void put_rest(struct otlp_groups *g, const struct snapshot *s,
		     const struct otlp_config *config, struct metrics *m)
{
	struct attributes resource = { 0 }, point = { 0 };

	if (g->of->of_process || g->of->of_program) {
		message_add_service(m->scratch, &resource, s->session, config, "ottop.other", 0, 0);
		message_add_bool(m->scratch, &resource, "ottop.other", true);
		metrics_resource(m, &resource);
	} else {
		message_add_bool(m->scratch, &point, "ottop.other", true);
	}
	put_values(g, &point, g->begun_ns, g->rest_hist_start_ns, NULL, &g->rest, m);
}

/* Groups without series have been counted in the rest from the start. */
static void add_others(struct otlp_groups *g)
{
	hash_each(&g->groups, struct group, x) {
		if (x->own)
			continue;
		for (u32 i = 0; i < g->n_metrics; i++)
			g->rest.counters[i] += x->v.counters[i];
		hist_merge(&g->rest.hist, x->v.hist);
	}
}

void otlp_groups_export(struct otlp_groups *g, const struct snapshot *s,
			const struct otlp_config *config, struct metrics *m)
{
	g->deltas = m->deltas != NULL;
	choose(g, s, config);
	add_others(g);
	put_own(g, s, config, m);
	put_rest(g, s, config, m);
}

static void group_free(struct otlp_groups *g, struct group *x)
{
	hash_remove(&g->groups, &x->node);
	g->n_own -= x->own;
	row_put(x->row);
	ROW_KEEP(x->process, NULL);
	ROW_KEEP(x->renamed, NULL);
	hist_put(x->v.hist);
	free(x);
}

/* Delta temporality: the next point starts now. series.h does this for plain counters. */
static void begin_again(const struct otlp_groups *g, struct otlp_values *v, u64 *start_ns)
{
	hist_put(v->hist);
	v->hist = NULL;
	if (g->of->put)
		memset(v->counters, 0, sizeof(v->counters));
	*start_ns = g->now_ns;
}

/* Restarts the counters under the new name. */
static void rename_group(const struct otlp_groups *g, struct group *x)
{
	begin_again(g, &x->v, &x->hist_start_ns);
	memset(x->v.counters, 0, sizeof(x->v.counters));
	x->start_ns = g->now_ns;
	ROW_KEEP(x->process, x->renamed);
	ROW_KEEP(x->renamed, NULL);
}

void otlp_groups_end(struct otlp_groups *g)
{
	hash_each(&g->groups, struct group, x) {
		if (!x->own || x->leaving) {
			group_free(g, x);
			continue;
		}
		x->grew = 0;
		if (x->renamed)
			rename_group(g, x);
		else if (g->deltas)
			begin_again(g, &x->v, &x->hist_start_ns);
	}
	if (g->deltas)
		begin_again(g, &g->rest, &g->rest_hist_start_ns);
}

void otlp_groups_free(struct otlp_groups *g)
{
	if (!g)
		return;
	hash_each(&g->groups, struct group, x)
		group_free(g, x);
	hash_free(&g->groups, NULL);
	hist_put(g->rest.hist);
	free(g);
}
