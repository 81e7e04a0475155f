// SPDX-License-Identifier: GPL-2.0-or-later
/* proctab.c: see proctab.h. Found by pid, so that proctab_current() is one walk. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host/identity.h"

#define ENDED_SWEEPS 4	/* the reader of protocols may be some ticks late on a busy host */
#define ENDED_MAX 4096	/* those that ended before the last sweep; about 1 kB each */

static struct hash_table table, ended;	/* ended: swept out by the last sweeps */
static u32 sweeps;
static const struct scope *scope;

struct proc *proctab_find(u32 pid, u64 start_ns)
{
	return hash_find(&table, hash_of(pid), struct proc, p, p->pid == pid && p->start_ns == start_ns);
}

struct proc *proctab_ended(u32 pid, u64 start_ns)
{
	return hash_find(&ended, hash_of(pid), struct proc, p, p->pid == pid && p->start_ns == start_ns);
}

struct proc *proctab_current(u32 pid)
{
	struct proc *best = NULL;

	for (struct proc *p = hash_first(&table, hash_of(pid)); p; p = hash_next(&p->node))
		if (p->pid == pid && !p->closed && (!best || p->start_ns > best->start_ns))
			best = p;
	return best;
}

struct proc *proctab_get(u32 pid, u64 start_ns, bool *ret_new)
{
	struct proc *p = proctab_find(pid, start_ns);

	*ret_new = !p;
	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->pid = p->living = pid;
	p->start_ns = start_ns;
	p->state = 'R';
	hash_add(&table, &p->node, hash_of(pid));
	return p;
}

void proctab_each(void (*fn)(struct proc *p, void *arg), void *arg)
{
	hash_each(&table, struct proc, p)
		fn(p, arg);
}

u32 proctab_count(void)
{
	return table.n;
}

static void proc_free(struct proc *p)
{
	identity_forget(p);
	hist_put(p->http_hist);
	str_put(p->comm);
	str_put(p->cmdline);
	str_put(p->user);
	str_put(p->container);
	str_put(p->cgroup);
	str_put(p->unit);
	str_put(p->cwd);
	str_put(p->service);
	free(p);
}

static void free_all(struct hash_table *of)
{
	hash_each(of, struct proc, p) {
		hash_remove(of, &p->node);
		proc_free(p);
	}
}

static void forget_ended(void)
{
	bool too_many = ended.n > ENDED_MAX;

	hash_each(&ended, struct proc, p)
		if (sweeps - p->swept >= (too_many ? 1 : ENDED_SWEEPS)) {
			hash_remove(&ended, &p->node);
			proc_free(p);
		}
}

void proctab_sweep(void)
{
	sweeps++;
	forget_ended();
	hash_each(&table, struct proc, p)
		if (p->closed) {
			hash_remove(&table, &p->node);
			p->row = NULL;
			p->longest = NULL;
			p->swept = sweeps;
			hash_add(&ended, &p->node, hash_of(p->pid));
		}
}

void proctab_clear(void)
{
	free_all(&table);
	free_all(&ended);
	hash_free(&table, NULL);
	hash_free(&ended, NULL);
}

void proctab_scope(const struct scope *s)
{
	scope = s;
}

static bool pid_in_scope(u32 pid)
{
	for (u32 i = 0; i < scope->n_pids; i++)
		if (scope->pids[i] == pid)
			return true;
	return !scope->n_pids;
}

static bool cgroup_in_scope(const char *path)
{
	size_t n = strlen(scope->cgroup);

	while (n > 1 && scope->cgroup[n - 1] == '/')
		n--;
	if (!path || strncmp(path, scope->cgroup, n))
		return false;
	return n <= 1 || path[n] == '/' || !path[n];
}

bool proc_in_scope(const struct proc *p)
{
	if (!scope)
		return true;
	if (!pid_in_scope(p->pid))
		return false;
	if (scope->comm_glob && (!p->comm || fnmatch(scope->comm_glob, p->comm, 0)))
		return false;
	return !scope->cgroup || cgroup_in_scope(p->cgroup);
}

float proc_runq_pct(u64 waited_ns, u64 interval_ns, u32 n_threads)
{
	float pct = rate_pct(waited_ns, interval_ns);

	/* what ended in the interval waited too, and a pass takes a little longer than the next */
	return f32_known(pct) && pct > 100.0f * ((float)n_threads + 1) * 1.2f ? F32_UNKNOWN : pct;
}
