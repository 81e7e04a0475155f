// SPDX-License-Identifier: GPL-2.0-or-later
/* drops.c: the table drops: kernel drop reasons and the functions that dropped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/ksym.h"
#include "bpf/kernel/probes.h"
#include "bpf/model/rate.h"
#include "bpf/kernel/map_ops.h"
#include "bpf/collectors/drops.h"
#include "drops.skel.h"

#define MAX_REASONS 512
#define PREFIX "SKB_DROP_REASON_"

struct drop {
	struct drop_key key;
	const char *location;	/* reference */
	u64 count;
	struct counter c;
};

static struct drops *skel;
static struct bpf_link *link_;
static const char *reasons[MAX_REASONS];	/* references */
static struct drop *drops;
static u32 n_drops, cap_drops;
static u64 opened_ns;

/* ---- names of reasons: include/net/dropreason-core.h, from the kernel's BTF ---- */

static void read_reasons(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *t;
	const struct btf_enum *e;
	s32 id;

	if (!btf)
		return;
	id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	t = id > 0 ? btf__type_by_id(btf, (u32)id) : NULL;
	e = t ? btf_enum(t) : NULL;
	for (u32 i = 0; t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, e[i].name_off);

		if (!strncmp(name, PREFIX, strlen(PREFIX)))
			name += strlen(PREFIX);
		if (e[i].val >= 0 && e[i].val < MAX_REASONS && !reasons[e[i].val])
			reasons[e[i].val] = str_new(name);
	}
	btf__free(btf);
}

/* Reasons that are no drops: not dropped, or consumed normally. */
static void leave_out(struct drops *s)
{
	u32 n = 0;

	for (u32 i = 0; i < DROP_REASONS_LEFT_OUT; i++)
		s->rodata->left_out[i] = ~0u;
	for (u32 i = 0; i < MAX_REASONS && n < DROP_REASONS_LEFT_OUT; i++)
		if (reasons[i] && (strstr(reasons[i], "NOT_DROPPED") ||
				   !strcmp(reasons[i], "SKB_CONSUMED")))
			s->rodata->left_out[n++] = i;
}

/* Subsystems (mac80211, openvswitch) have reasons of their own above 16 bits. */
static const char *reason_text(u32 reason)
{
	char buf[40];

	if (reason < MAX_REASONS && reasons[reason])
		return str_get(reasons[reason]);
	snprintf(buf, sizeof(buf), "SUBSYS_%u_%u", reason >> 16, reason & 0xffff);
	return str_new(buf);
}

/* ---- names of places ---- */

static const char *name_of(u64 addr)
{
	char text[KSYM_BYTES];
	const char *module;

	if (ksym_name(bpf_program__fd(skel->progs.name_place), addr, text, &module))
		snprintf(text, sizeof(text), "%#llx", (unsigned long long)addr);
	return str_new(text);
}

/* ---- one tick ---- */

static void take(const struct drop_key *k, u64 count)
{
	u32 i = 0;

	while (i < n_drops && memcmp(&drops[i].key, k, sizeof(*k)))
		i++;
	if (i == n_drops) {
		drops = grow(drops, n_drops, &cap_drops, sizeof(*drops));
		drops[n_drops++] = (struct drop){ .key = *k, .location = name_of(k->location) };
	}
	drops[i].count = count;
}

/* Entries are never deleted: kernel code does not move. */
static void read_counts(void)
{
	struct map_ops m = map_ops_of(skel->maps.counts, skel->progs.serve_counts);
	struct drop_key key, *prev = NULL;
	u64 count;

	while (!bpf_map_get_next_key(m.map, prev, &key)) {
		if (!map_ops_lookup(&m, &key, &count))
			take(&key, count);
		prev = &key;
	}
}

/* Places in one function share a row. */
static struct drop *same_name(u32 i)
{
	for (u32 k = 0; k < i; k++)
		if (drops[k].key.reason == drops[i].key.reason &&
		    drops[k].location == drops[i].location)
			return &drops[k];
	return NULL;
}

static u64 count_of(const struct drop *d)
{
	u64 sum = 0;

	for (u32 i = 0; i < n_drops; i++)
		if (drops[i].key.reason == d->key.reason && drops[i].location == d->location)
			sum += drops[i].count;
	return sum;
}

static u64 add_row(struct drop *d, const struct tick *t)
{
	struct drops_row *r = builder_row(t->b, TABLE_drops);
	u64 delta;

	r->row.first_seen_ns = opened_ns;
	r->reason = reason_text(d->key.reason);
	r->location = str_get(d->location);
	r->count = count_of(d);
	delta = counter_advance(&d->c, r->count, true);
	r->rate = rate_per_s(delta, t->now_ns - max(opened_ns, t->prev_ns));
	return u64_known(delta) ? delta : 0;
}

static int drops_read(const struct tick *t)
{
	u64 sum = 0;

	read_counts();
	for (u32 i = 0; i < n_drops; i++)
		if (!same_name(i))
			sum += add_row(&drops[i], t);
	probe_runs(skel->progs.on_drop, rate_per_s(sum, t->interval_ns));
	builder_status(t->b, TABLE_drops, TS_OK, NULL, t->now_ns - max(opened_ns, t->prev_ns));
	loss_set("drops not counted: table full", skel->bss->lost);
	return 0;
}

/* ---- open and close ---- */

static void drops_close(void)
{
	bpf_link__destroy(link_);
	link_ = NULL;
	probes_forget("drops");
	drops__destroy(skel);
	skel = NULL;
	for (u32 i = 0; i < n_drops; i++)
		str_put(drops[i].location);
	free(drops);
	drops = NULL;
	n_drops = cap_drops = 0;
	for (u32 i = 0; i < MAX_REASONS; i++) {
		str_put(reasons[i]);
		reasons[i] = NULL;
	}
}

static int drops_open(char *reason, size_t cap)
{
	int err;

	skel = drops__open();
	if (!skel)
		return -errno;
	read_reasons();
	leave_out(skel);
	map_ops_choose(skel->progs.serve_counts);
	err = drops__load(skel);
	if (!err) {
		probes_add("drops", skel->obj);
		link_ = probe_attach(skel->progs.on_drop);
		err = link_ ? 0 : -errno;
	}
	opened_ns = boottime_ns();
	if (err == -EACCES || err == -EINVAL)
		snprintf(reason, cap, "kfree_skb: this kernel gives no drop reasons (5.17 and later do)");
	return err;
}

const struct collector drops_collector = {
	.name = "drops",
	.tables = TABLE_BIT(TABLE_drops),
	.what = "kfree_skb",
	.open = drops_open,
	.read = drops_read,
	.close = drops_close,
};
