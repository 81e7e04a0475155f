// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compact.c: keeps a history under its cap. Ticks get coarser with age: if there is no room, the
 * level (1, 4 or 16 ticks in one) that most exceeds its share has its oldest group merged, four
 * ticks into one, or dropped from the last level. (Factor two would decode and encode twice as
 * often.) Merging is done a few ticks at a time, not to block the screen.
 */
#include "bpf/record/merge.h"
#include "bpf/record/ticks.h"

#define FOLD 4			/* ticks merged into one, from level to level */
#define N_LEVELS 3		/* 1, 4, 16 */
#define STEP_TICKS 4		/* source ticks per appended tick */
#define PACE 300		/* under memory pressure merging takes 1/PACE of a CPU */

/* Shares of the cap by level when it is exceeded, in 32nds. */
static const u32 shares[N_LEVELS] = { 20, 4, 8 };

/*
 * Merges groups[first .. first + n) into one; only the last of them is folded. Bytes are accounted
 * when the merged group replaces its sources.
 */
struct job {
	u32 first, n;
	u32 group, tick;	/* next source tick; group counts from first */
	u32 ticks;		/* source ticks in total */
	struct reader reader;
	struct decoder *decoder;
	struct encoder *encoder;
	const struct snapshot *part;	/* n_part ticks merged so far */
	u32 n_part;
	struct group out;
};

void compact_abort(struct history *h)
{
	struct job *j = h->job;

	if (!j)
		return;
	group_free(&j->out);
	snapshot_put(j->part);
	reader_clear(&j->reader);
	decoder_free(j->decoder);
	encoder_free(j->encoder);
	free(j);
	h->job = NULL;
}

const struct group *compact_group(const struct history *h)
{
	return h->job ? &h->job->out : NULL;
}

static u32 level_index(const struct group *g)
{
	return g->level == 1 ? 0 : g->level == FOLD ? 1 : 2;
}

/* The level to merge or drop from; -1: only the growing group is left. */
static int crowded_level(const struct history *h)
{
	u64 bytes[N_LEVELS] = { 0 };
	int worst = -1;

	for (u32 i = 0; i + 1 < h->n; i++)
		bytes[level_index(&h->groups[i])] += group_bytes(&h->groups[i]);
	for (int l = 0; l < N_LEVELS; l++)
		if (bytes[l] && (worst < 0 ||
		    bytes[l] * shares[worst] > bytes[worst] * shares[l]))
			worst = l;
	return worst;
}

/* Replaces groups[first .. first + n) by `with`, or by nothing if NULL. */
static void replace_groups(struct history *h, u32 first, u32 n, const struct group *with)
{
	u32 k = with ? 1 : 0;

	for (u32 i = first; i < first + n; i++) {
		h->bytes -= group_bytes(&h->groups[i]);
		group_free(&h->groups[i]);
	}
	if (with)
		h->groups[first] = *with;
	memmove(&h->groups[first + k], &h->groups[first + n],
		(h->n - first - n) * sizeof(*h->groups));
	h->n -= n - k;
	history_renumber(h);
}

static void drop_group(struct history *h, u32 i)
{
	h->dropped += h->groups[i].n;
	replace_groups(h, i, 1, NULL);
}

/* Groups i and, if it is of the next level and has room, the one before it. */
static void start_job(struct history *h, u32 i)
{
	const struct group *g = &h->groups[i], *before = i ? g - 1 : NULL;
	struct job *j = xcalloc(1, sizeof(*j));

	j->first = i;
	j->n = 1;
	j->ticks = g->n;
	if (before && before->level == g->level * FOLD &&
	    before->n + (g->n + FOLD - 1) / FOLD <= CODEC_GROUP_TICKS &&
	    before->bytes.n + g->bytes.n / FOLD <= h->cap_bytes / 8) {
		j->first = i - 1;
		j->n = 2;
		j->ticks += before->n;
	}
	j->decoder = decoder_new(h->schema, h->session);
	j->encoder = encoder_new();
	j->out = (struct group){ .id = h->next_id++, .level = g->level * FOLD, .unread = true };
	h->job = j;
}

static void end_job(struct history *h)
{
	struct job *j = h->job;
	struct group out;

	group_close(&j->out);
	out = j->out;
	h->bytes += group_bytes(&out);
	h->merged += j->ticks - out.n;
	replace_groups(h, j->first, j->n, &out);
	j->out = (struct group){ 0 };
	compact_abort(h);
}

static void emit(struct job *j, const struct snapshot *s)
{
	group_append(&j->out, j->encoder, s);
	snapshot_put(s);
}

/* Emits what has been merged so far as one tick. */
static void emit_part(struct job *j)
{
	if (j->part)
		emit(j, j->part);
	j->part = NULL;
	j->n_part = 0;
}

/* Merges one source snapshot; takes over its reference. */
static void fold(struct job *j, const struct snapshot *s)
{
	const struct snapshot *both;

	if (j->part) {
		both = snapshot_merge(j->part, s);
		snapshot_put(j->part);
		snapshot_put(s);
		s = both;
	}
	j->part = s;
	if (++j->n_part == FOLD)
		emit_part(j);
}

/* Processes one source tick; false when the job is finished. */
static bool step_job(struct history *h)
{
	struct job *j = h->job;
	const struct group *g = &h->groups[j->first + j->group];
	const u8 *data = reader_tick(&j->reader, -1, g, j->tick);
	u32 lost = j->first + j->group;

	decoder_like(j->decoder, h->newest);
	if (!data || decoder_tick(j->decoder, data, g->ticks[j->tick].len)) {
		log_line("history: %u old ticks cannot be decoded, dropped", g->n);
		compact_abort(h);
		drop_group(h, lost);
		return false;
	}
	if (j->group == j->n - 1)
		fold(j, decoder_snapshot(j->decoder));
	else
		emit(j, decoder_snapshot(j->decoder));
	if (++j->tick < g->n)
		return true;
	j->tick = 0;
	if (++j->group < j->n)
		return true;
	emit_part(j);
	end_job(h);
	return false;
}

/* The same, measuring CPU time. */
static bool step(struct history *h)
{
	u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	bool more = step_job(h);

	h->merge_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	if (more)
		return true;
	h->merge_after_ns = (h->newest ? h->newest->time_ns : 0) + PACE * h->merge_cpu_ns;
	h->merge_cpu_ns = 0;
	return false;
}

/* Limits merging under memory pressure, where re-encoding took 1 % of the machine. */
static bool may_merge(const struct history *h)
{
	return h->cap_bytes == h->most_bytes || !h->newest || h->newest->time_ns >= h->merge_after_ns;
}

/* Starts merging, or drops a group. False: nothing can be done. */
static bool make_room(struct history *h)
{
	int level = crowded_level(h);
	u32 i = 0;

	if (level < 0)
		return false;
	if (!may_merge(h)) {
		if (h->bytes > h->cap_bytes)
			drop_group(h, 0);
		return h->bytes > h->cap_bytes;
	}
	while (level_index(&h->groups[i]) != (u32)level)
		i++;
	if (h->groups[i].level == MAX_LEVEL)
		drop_group(h, i);
	else
		start_job(h, i);
	return true;
}

void compact_step(struct history *h)
{
	for (u32 k = 0; h->job && k < STEP_TICKS; k++)
		step(h);
	while (h->bytes > h->cap_bytes && (h->job || make_room(h)))
		while (h->job && step(h))
			;
	if (!h->job && h->bytes > h->cap_bytes - h->cap_bytes / 8)
		make_room(h);
}
