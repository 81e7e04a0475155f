// SPDX-License-Identifier: GPL-2.0-or-later
/* proctab.c: see proctab.h. Buckets by pid, so that proctab_current() is one walk. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host/identity.h"

#define BUCKETS 4096

static struct proc *buckets[BUCKETS];
static u32 count;
static const struct scope *scope;

static struct proc **bucket_of(u32 pid)
{
	return &buckets[pid & (BUCKETS - 1)];
}

struct proc *proctab_find(u32 pid, u64 start_ns)
{
	struct proc *p = *bucket_of(pid);

	while (p && (p->pid != pid || p->start_ns != start_ns))
		p = p->next;
	return p;
}

struct proc *proctab_current(u32 pid)
{
	struct proc *best = NULL;

	for (struct proc *p = *bucket_of(pid); p; p = p->next)
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
	p->next = *bucket_of(pid);
	*bucket_of(pid) = p;
	count++;
	return p;
}

void proctab_each(void (*fn)(struct proc *p, void *arg), void *arg)
{
	for (u32 i = 0; i < BUCKETS; i++)
		for (struct proc *p = buckets[i], *next; p; p = next) {
			next = p->next;
			fn(p, arg);
		}
}

u32 proctab_count(void)
{
	return count;
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
	free(p);
}

static void sweep(bool all)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		struct proc **link = &buckets[i];

		while (*link) {
			struct proc *p = *link;

			if (all || p->closed) {
				*link = p->next;
				proc_free(p);
				count--;
			} else {
				link = &p->next;
			}
		}
	}
}

void proctab_sweep(void)
{
	sweep(false);
}

void proctab_clear(void)
{
	sweep(true);
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
