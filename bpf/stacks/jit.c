// SPDX-License-Identifier: GPL-2.0-or-later
/* jit.c: see jit.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/stacks/frames.h"
#include "bpf/helpers/opener.h"
#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/stacks/hints.h"
#include "bpf/stacks/jit.h"
#include "symbolizer/symbolizer.h"

#define PATIENCE_NS (3 * NSEC_PER_SEC)
#define FIRST_WAIT_NS (1 * NSEC_PER_SEC)	/* before a map is looked for again */
#define LAST_WAIT_NS (30 * NSEC_PER_SEC)
#define AGAIN_NS (10 * NSEC_PER_SEC)

enum jit_state { JIT_NEW, JIT_OPENING, JIT_OPEN, JIT_NONE, JIT_BAD };

struct jit {
	struct hash_node node;
	u32 pid;
	u64 start_ns, exec_id;
	u32 id;			/* of its map, for the symbolizer; never reused */
	u32 file, asked_file;	/* of its frames; a new one when addresses got new names */
	enum jit_state state;
	int fd;
	const char *why;	/* reason why there are no names */
	u64 since_ns, wait_ns, renewed_ns;
	u64 size, generation;
	bool asked;		/* a request is pending */
	bool sampled;		/* since the last tick */
	bool grew, missed;	/* missed: some addresses were not in the map */
};

static struct hash_table jits;
static u32 next_id = 1, next_file = FRAMES_FIRST_JIT;

/* ---- processes ---- */

static struct jit *jit_new(u32 pid, u64 start_ns, u64 exec_id)
{
	struct jit *j = xcalloc(1, sizeof(*j));

	*j = (struct jit){ .pid = pid, .start_ns = start_ns, .exec_id = exec_id, .id = next_id++,
			   .file = next_file++, .fd = -1 };
	hash_add(&jits, &j->node, hash_of(pid, start_ns, exec_id));
	return j;
}

static struct jit *jit_of(u32 pid, u64 start_ns, u64 exec_id)
{
	return hash_find(&jits, hash_of(pid, start_ns, exec_id), struct jit, j,
			 j->pid == pid && j->start_ns == start_ns && j->exec_id == exec_id) ?:
	       jit_new(pid, start_ns, exec_id);
}

static struct jit *jit_by_id(u32 id)
{
	hash_each(&jits, struct jit, j)
		if (j->id == id)
			return j;
	return NULL;
}

static void each(void (*fn)(struct jit *j, u64 now))
{
	u64 now = boottime_ns();

	hash_each(&jits, struct jit, j)
		fn(j, now);
}

u32 jit_frame(u32 pid, u64 start_ns, u64 exec_id, u64 addr)
{
	struct jit *j = jit_of(pid, start_ns, exec_id);

	j->sampled = true;
	return frames_intern(j->file, addr, 0);
}

/* ---- opening ---- */

/* Unnamed frames get the reason why they have no name, and a hint. */
static void fail_frames(const struct jit *j)
{
	char hint[128], why[256];
	u64 addr;
	u32 id;

	if (!frames_has_unnamed(j->file))
		return;
	if (j->state == JIT_NONE && hint_of_process(j->pid, hint, sizeof(hint)))
		snprintf(why, sizeof(why), "%s; %s", j->why, hint);
	else
		snprintf(why, sizeof(why), "%s", j->why);
	while ((id = frames_next_unnamed(j->file, &addr)))
		frames_name(id, NULL, str_new("unknown"), str_new(why));
}

static const char *why_not(int err)
{
	switch (err) {
	case -ESRCH:
		return "outside of any file; its process ended before a perf map was looked for";
	case -EPERM:
		return "code made at run time; its perf map belongs to another user";
	case -ETIMEDOUT:
		return "code made at run time; opening its perf map takes too long";
	}
	return "outside of any file; the process writes no /tmp/perf-PID.map";
}

static void close_map(struct jit *j, enum jit_state state, const char *why)
{
	j->fd = file_close(j->fd);
	j->state = state;
	j->why = why;
	/* it may begin to write one: checked again, less and less often */
	j->wait_ns = min(max(j->wait_ns * 2, FIRST_WAIT_NS), LAST_WAIT_NS);
}

static void look_for_map(struct jit *j, u64 now)
{
	struct opener_job job = {
		.kind = OPEN_PERF_MAP, .id = j->id, .pid = j->pid,
		.thread = procfs_living(j->pid), .start_ns = j->start_ns, .fd = -1,
	};

	if (opener_ask(&job))
		return;
	j->state = JIT_OPENING;
	j->since_ns = now;
}

void jit_opened(const struct opener_job *job)
{
	struct jit *j = jit_by_id(job->id);

	if (!j || j->state != JIT_OPENING) {
		file_close(job->fd);
	} else if (job->fd < 0) {
		close_map(j, JIT_NONE, why_not(job->fd));
	} else {
		if (j->wait_ns)		/* earlier frames say that there is no map */
			j->file = next_file++;
		j->fd = job->fd;
		j->state = JIT_OPEN;
		j->why = NULL;
	}
}

/* ---- names ---- */

static void ask_names(struct jit *j)
{
	u64 addrs[SYMBOLIZER_BATCH];
	u32 ids[SYMBOLIZER_BATCH], n = 0;

	while (n < SYMBOLIZER_BATCH && (ids[n] = frames_next_unnamed(j->file, &addrs[n])))
		n++;
	if (!n && !j->grew)
		return;
	if (symbolizer_ask_jit(j->id, j->fd, addrs, n)) {
		while (n)	/* busy: asked again at the next drain */
			frames_ask_again(ids[--n]);
		return;
	}
	j->asked = true;
	j->asked_file = j->file;
	j->grew = false;
}

static void drain_one(struct jit *j, u64 now)
{
	if (j->state == JIT_OPENING && now - j->since_ns > PATIENCE_NS)
		close_map(j, JIT_NONE, why_not(-ETIMEDOUT));
	if (j->state == JIT_NEW || (j->state == JIT_NONE && j->sampled && now - j->since_ns > j->wait_ns))
		look_for_map(j, now);
	if (j->state == JIT_OPEN && !j->asked)
		ask_names(j);
	if (j->why && j->state != JIT_OPEN)
		fail_frames(j);
}

void jit_drain(void)
{
	each(drain_one);
}

static void name_frame(const struct jit *j, u64 addr, const char *name, u32 missing)
{
	u32 id = frames_find(j->asked_file, addr, 0);

	if (!id)
		return;
	if (name[0]) {
		hint_saw_name(name);
		frames_module(id, str_new("[jit]"), NULL);
		frames_name(id, str_new(name), str_new("jit"), NULL);
	} else {
		frames_name(id, NULL, str_new("unknown"), str_new(missing == MISSING_MAP_FULL ?
			    "its perf map is too long to be kept" : "its perf map does not have it"));
	}
}

static void take_names(struct jit *j, const struct symbolizer_answer *a)
{
	const char *name = a->names;

	for (u32 i = 0; i < a->n_names; i++, name += strlen(name) + 1) {
		name_frame(j, a->addrs[i], name, a->missing);
		j->missed |= !name[0];
	}
	if (j->generation && a->generation != j->generation)
		j->file = next_file++;	/* known addresses have new names */
	j->generation = a->generation;
}

void jit_answer(const struct symbolizer_answer *a)
{
	struct jit *j = jit_by_id(a->file);

	if (!j)
		return;
	j->asked = false;
	if (!a->err) {
		take_names(j, a);
		return;
	}
	close_map(j, JIT_BAD, symbolizer_died(a->err) ? "the symbolizer died of its perf map" :
		  "its perf map cannot be read");
	frames_fail(j->asked_file, j->why);
}

/* ---- once a tick ---- */

static void tick_one(struct jit *j, u64 now)
{
	struct stat st;

	if (j->state == JIT_OPEN && j->sampled && !fstat(j->fd, &st) && (u64)st.st_size != j->size) {
		j->grew = true;
		j->size = (u64)st.st_size;
		if (j->missed && now - j->renewed_ns > AGAIN_NS) {
			j->file = next_file++;	/* missing addresses may be in the map now */
			j->renewed_ns = now;
			j->missed = false;
		}
	}
	j->sampled = false;
}

static bool is_over(const struct jit *j)
{
	const struct proc *p = proctab_find(j->pid, j->start_ns);

	return (!p || p->closed) && !j->asked && j->state != JIT_OPENING && j->state != JIT_NEW &&
	       !frames_has_unnamed(j->file);
}

static void jit_free(struct jit *j)
{
	hash_remove(&jits, &j->node);
	close_map(j, JIT_NONE, NULL);
	free(j);
}

void jit_tick(void)
{
	each(tick_one);
	hash_each(&jits, struct jit, j)
		if (is_over(j))
			jit_free(j);
}

void jit_close(void)
{
	hash_each(&jits, struct jit, j)
		jit_free(j);
	hash_free(&jits, NULL);
}
