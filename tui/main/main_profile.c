// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main_profile.c: --profile: stacks of a duration or recording into a file. Ctrl-C ends it early.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/profile.h"
#include "tui/table/format.h"
#include "tui/main/main.h"

#define ALL_NAMES_NS (10 * NSEC_PER_SEC)	/* for pending names */
#define PATIENCE_NS (1500 * NSEC_PER_MSEC)	/* the same, for a user waiting at the console */
#define SOON_NS (100 * NSEC_PER_MSEC)	/* interval while waiting for a tick */
#define LATE_NS (10 * NSEC_PER_SEC)	/* later ticks are not waited for */
#define FIRST_NS (60 * NSEC_PER_SEC)	/* for the first: it includes reading a busy host */
#define PROGRESS_NS (2 * NSEC_PER_SEC)	/* shorter captures show no progress */

struct capture {
	const struct options *o;
	struct source source;
	struct profile *profile;
	u64 wanted_ns;		/* duration; 0: all */
	u64 interval_ns;
	bool progress;
	char *blocked;		/* a probe that could not attach, with the reason; or NULL */
	char *lost;		/* "12 ring buffer full (stack samples), ...", or NULL */
};

/* ---- snapshots ------------------------------------------------------------------- */

static int milliseconds_until(u64 ns)
{
	u64 now = boottime_ns();

	return now < ns ? (int)((ns - now) / NSEC_PER_MSEC) + 1 : 0;
}

/* Waits for the next snapshot until until_ns. NULL: none, or (heed_signals) a signal arrived. */
static const struct snapshot *next_snapshot(struct capture *c, u64 until_ns, bool heed_signals)
{
	for (;;) {
		const struct snapshot *s = NULL;
		struct pollfd fds[] = {
			{ .fd = heed_signals ? main_signal_fd() : -1, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
		};

		if (heed_signals && main_interrupted())
			return NULL;
		s = source_next(&c->source);
		fds[1].fd = source_fd(&c->source);
		if (s || fds[1].fd < 0 || boottime_ns() >= until_ns)
			return s;
		if (poll(fds, ARRAY_SIZE(fds), milliseconds_until(until_ns)) < 0 && errno != EINTR)
			return NULL;
	}
}

/* All processes of -p have ended: no more samples. */
static bool all_ended(const struct capture *c, const struct snapshot *s)
{
	const struct pid_list *pids = &c->o->pids;

	if (!c->source.sampler || !s->interval_ns)
		return false;
	for (u32 i = 0; i < pids->n; i++) {
		const struct processes_row *p = snapshot_process(s, pids->pid[i], 0);

		if (p && !p->row.closed)
			return false;
	}
	return pids->n > 0;
}

static void find_blocked_probe(struct capture *c, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_probes];

	for (u32 i = 0; i < t->n && !c->blocked; i++) {
		const struct probes_row *r = probes_row(t->rows[i]);

		if (text_is(r->collector, "profiler") && r->probe && text_is(r->state, "blocked"))
			c->blocked = xasprintf("%s: %s", r->probe, r->reason ? r->reason : "?");
	}
}

/* Counted since the start, which is that of the capture. */
static void note_losses(struct capture *c, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_lost];
	char n[FORMAT_MAX], *all = NULL;

	for (u32 i = 0; i < t->n; i++) {
		const struct lost_row *r = lost_row(t->rows[i]);
		char *before = all;

		if (!r->cause || !u64_known(r->count) || !r->count)
			continue;
		all = xasprintf("%s%s%s %s", before ? before : "", before ? ", " : "",
				format_thousands(n, r->count), r->cause);
		free(before);
	}
	free(c->lost);
	c->lost = all;
}

static bool is_blocked(const struct profile *p)
{
	return p->status == TS_BLOCKED;
}

static const char *noun_of(const char *kind)
{
	return strcmp(kind, "offcpu") ? "sample" : "block";
}

static void show_progress(const struct capture *c)
{
	const struct profile *p = c->profile;

	if (!c->progress)
		return;
	fprintf(stderr, "\r%.0f of %.0f s, %llu %s%s; Ctrl-C ends and writes\033[K",
		(double)p->duration_ns / 1e9, (double)c->wanted_ns / 1e9,
		(unsigned long long)p->samples, noun_of(p->kind), text_plural(p->samples, "s"));
}

/* ---- the capture ----------------------------------------------------------------- */

/* As close to the duration as ticks permit: only a live interval can be shortened. */
static bool is_complete(const struct capture *c)
{
	u64 slack = (c->source.sampler ? SOON_NS : c->interval_ns) / 2;

	return c->wanted_ns && c->profile->duration_ns + slack >= c->wanted_ns;
}

/* The first interval was short, so the last may have to be, too. */
static void shorten_last(const struct capture *c)
{
	u64 left = c->wanted_ns - c->profile->duration_ns;

	if (c->source.sampler && !is_complete(c) && left < c->interval_ns)
		sampler_interval(c->source.sampler, max(left, SOON_NS));
}

/* The duration starts with the first interval, however late that is. */
static void collect(struct capture *c)
{
	u64 end = c->source.sampler ? boottime_ns() + FIRST_NS : UINT64_MAX;
	const struct snapshot *s;

	while (!is_complete(c) && (s = next_snapshot(c, end, true))) {
		bool ended = all_ended(c, s), begins = !c->profile->duration_ns;

		profile_add(c->profile, s);
		if (c->source.sampler && begins && c->profile->duration_ns)
			end = boottime_ns() + c->wanted_ns + LATE_NS;
		find_blocked_probe(c, s);
		if (c->source.sampler)
			note_losses(c, s);
		snapshot_put(s);
		show_progress(c);
		shorten_last(c);
		if (ended || (c->source.sampler && is_blocked(c->profile)))
			break;
	}
}

/* After Ctrl-C: also counts the interval in progress. */
static void collect_rest(struct capture *c)
{
	const struct snapshot *s;

	sampler_interval(c->source.sampler, SOON_NS);
	s = next_snapshot(c, boottime_ns() + NSEC_PER_SEC, false);
	if (s)
		profile_add(c->profile, s);
	snapshot_put(s);
}

static void learn_frames(struct sampler *sampler, struct profile *p, u64 patience_ns)
{
	const struct snapshot *s;
	u32 n, *ids = profile_ids(p, &n);

	s = sampler_name_frames(sampler, ids, n, patience_ns);
	profile_learn(p, s);
	snapshot_put(s);
	free(ids);
}

/* Source lines are looked up now, not during the capture, where the lookups would be profiled. */
static void wait_for_names(struct capture *c)
{
	learn_frames(c->source.sampler, c->profile, ALL_NAMES_NS);
}

static void run_capture(struct capture *c)
{
	collect(c);
	if (c->source.sampler && !is_blocked(c->profile)) {
		if (main_interrupted())
			collect_rest(c);
		wait_for_names(c);
	}
	if (c->progress)
		fputs("\r\033[K", stderr);
}

/* ---- the file -------------------------------------------------------------------- */

/* Why there is nothing to write; NULL: there is. free() it. */
static char *find_nothing(const struct capture *c)
{
	const struct profile *p = c->profile;

	if (is_blocked(p))
		return xasprintf("%s: %s", p->kind, p->reason ? p->reason : "not observed");
	if (!p->duration_ns && c->o->replay)
		return xasprintf("%s: stacks were not recorded in it", c->o->replay);
	if (!p->duration_ns)
		return xasprintf("%s: ended before the first interval was over; nothing written",
				 p->kind);
	if (!p->samples && c->blocked)
		return xasprintf("%s: not collected: %s", p->kind, c->blocked);
	if (!p->samples && c->o->replay && !strcmp(p->kind, "offcpu"))
		return xasprintf("%s: no blocked time was recorded in it", c->o->replay);
	return NULL;
}

static void report(const struct capture *c)
{
	const struct profile *p = c->profile;
	char whole[64] = "", names[64] = "";
	u32 pending = profile_pending(p);

	if (p->samples)
		snprintf(whole, sizeof(whole), ", %.1f %% of the stacks whole",
			 100.0 * (double)p->whole / (double)p->samples);
	if (pending)
		snprintf(names, sizeof(names), ", %u name%s did not come in time", pending, text_plural(pending, "s"));
	main_say("%s: %.1f s observed, %llu %s%s%s%s",
		 strcmp(c->o->output, "-") ? c->o->output : "stdout", (double)p->duration_ns / 1e9,
		 (unsigned long long)p->samples, noun_of(p->kind), text_plural(p->samples, "s"), whole, names);
	if (c->lost)
		main_say("lost: %s", c->lost);
}

static int write_stdout(const struct profile *p, char **ret_error)
{
	FILE *out = output_open(STDOUT_FILENO, main_signal_fd());
	int err = out ? profile_put_folded(p, out) : -errno;

	if (out)
		fclose(out);
	if (err && err != -EPIPE)	/* a reader that went away (| head) had enough */
		*ret_error = xasprintf("stdout: %s", strerror(-err));
	return *ret_error ? -1 : 0;
}

static char *write_profile(const struct capture *c)
{
	char *error = find_nothing(c);
	int err;

	if (error)
		return error;
	if (!strcmp(c->o->output, "-"))
		err = write_stdout(c->profile, &error);
	else
		err = profile_write(c->profile, c->o->output, &error);
	if (!err)
		report(c);
	return error;
}

/* ---- for the console ------------------------------------------------------------- */

static struct profile *profile_of_history(struct history *h, u64 last_seq, u64 from_ns,
					  const char *kind, u64 pid)
{
	int last = history_find(h, last_seq), first = last;
	u32 one = (u32)pid;
	struct profile *p = profile_new(kind, &one, pid ? 1 : 0);

	while (first > 0 && history_time_ns(h, (u32)first - 1) > from_ns)
		first--;
	for (int i = max(first, 0); i <= last; i++) {
		const struct snapshot *s = history_snapshot(h, (u32)i);

		if (s)
			profile_add(p, s);
		snapshot_put(s);
	}
	return p;
}

char *main_write_stacks(struct history *h, u64 last_seq, u64 from_ns, const char *kind, u64 pid,
			struct sampler *live, const char *path)
{
	struct profile *p = profile_of_history(h, last_seq, from_ns, kind, pid);
	char *line = NULL, of_pid[32] = "";

	if (pid)
		snprintf(of_pid, sizeof(of_pid), " of %llu", (unsigned long long)pid);
	if (live)
		learn_frames(live, p, PATIENCE_NS);
	if (!access(path, F_OK))
		line = xasprintf("%s: %s", path, strerror(EEXIST));
	else if (!p->samples)	/* an empty file would look like a measurement */
		line = xasprintf("nothing written: no %s%s in the %.1f s shown%s", noun_of(kind), of_pid,
				 (double)p->duration_ns / 1e9, p->duration_ns ? "" : ": not collected then");
	else if (!profile_write(p, path, &line))
		line = xasprintf("written to %s: %s, %.1f s, %llu %s%s", path, kind,
				 (double)p->duration_ns / 1e9, (unsigned long long)p->samples,
				 noun_of(kind), text_plural(p->samples, "s"));
	profile_free(p);
	return line;
}

/* ---- running --------------------------------------------------------------------- */

/* Error message for invalid options, or NULL; free() it. */
static char *find_misuse(const struct options *o)
{
	if (strcmp(o->profile, "cpu") && strcmp(o->profile, "offcpu"))
		return xasprintf("--profile %s: no such kind of profile; there are: cpu, offcpu",
				 o->profile);
	if (!o->output)
		return xasprintf("--profile %s: where to? give -o FILE.pb.gz, FILE.folded or"
				 " FILE.svg", o->profile);
	if (profile_format(o->output) == PROFILE_UNKNOWN)
		return xasprintf("-o %s: unknown format; the name has to end in .pb.gz (pprof),"
				 " .folded or .svg", o->output);
	return NULL;
}

/* Divides the duration into equal intervals, of -d or shorter. */
static u64 choose_interval(const struct options *o)
{
	u64 n = (o->duration_ns + o->interval_ns - 1) / o->interval_ns;

	return max(o->duration_ns / n, SOON_NS);
}

static bool start(struct capture *c, struct options *live, char **ret_error)
{
	u64 tables = TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames) |
		     TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_probes) | TABLE_BIT(TABLE_lost) |
		     WANT_ALL_FRAMES;
	const struct options *o = c->o;

	if (strcmp(o->output, "-") && profile_can_write(o->output, ret_error))
		return false;
	if (!main_catch_signals()) {
		*ret_error = xasprintf("pipe: %s", strerror(errno));
		return false;
	}
	if (!strcmp(o->profile, "offcpu"))
		tables |= WANT_OFFCPU;
	if (!o->replay || o->given & 1u << OPTION_duration_ns)
		c->wanted_ns = o->duration_ns;
	c->interval_ns = live->interval_ns = choose_interval(o);
	c->progress = !o->replay && c->wanted_ns > PROGRESS_NS && isatty(STDERR_FILENO);
	/* live, the sampler applies the filter */
	c->profile = profile_new(o->profile, o->pids.pid, o->replay ? o->pids.n : 0);
	return source_open(&c->source, live, tables, ret_error);
}

int main_profile(const struct options *o)
{
	struct capture c = { .o = o };
	struct options live = *o;	/* with another interval */
	char *error = find_misuse(o);
	int status = error ? 2 : 0;

	if (!error && start(&c, &live, &error)) {
		run_capture(&c);
		error = write_profile(&c);
	}
	if (error) {
		main_say("%s", error);
		status = max(status, 1);
	}
	if (source_problem(&c.source)) {
		main_say("%s", source_problem(&c.source));
		status = max(status, 1);
	}
	profile_free(c.profile);
	source_close(&c.source);
	free(c.blocked);
	free(c.lost);
	free(error);
	return status;
}
