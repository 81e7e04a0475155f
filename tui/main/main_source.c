// SPDX-License-Identifier: GPL-2.0-or-later
/* main_source.c: snapshots from the kernel or from a recording, behind one interface. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/host/procfs.h"
#include "tui/main/main.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Valid only in the initial pid namespace: elsewhere kill() sees other pids. */
static char *find_missing_pid(const struct pid_list *pids)
{
	if (!procfs_is_initial())
		return NULL;
	for (u32 i = 0; i < pids->n; i++)
		if (kill((pid_t)pids->pid[i], 0) && errno == ESRCH)
			return xasprintf("-p %u: no such process", pids->pid[i]);
	return NULL;
}

/* The path inside the hierarchy, wherever that is mounted. */
static const char *cgroup_inside(const char *path)
{
	size_t n = strlen(CGROUP_ROOT);

	if (strncmp(path, CGROUP_ROOT, n) || (path[n] && path[n] != '/'))
		return path;
	return path[n] ? path + n : "/";
}

/* In the version 2 hierarchy, or in that of any version 1 controller. */
static bool cgroup_exists(const char *path)
{
	char *whole = xasprintf("%s%s", CGROUP_ROOT, path);
	bool found = !access(whole, F_OK);
	struct dirent *entry;
	DIR *root;

	free(whole);
	root = found ? NULL : opendir(CGROUP_ROOT);
	if (!root)
		return true;	/* exists, or cannot be checked */
	while (!found && (entry = readdir(root))) {
		whole = xasprintf("%s/%s%s", CGROUP_ROOT, entry->d_name, path);
		found = entry->d_name[0] != '.' && !access(whole, F_OK);
		free(whole);
	}
	closedir(root);
	return found;
}

static char *find_missing_cgroup(const char *path)
{
	if (!path)
		return NULL;
	if (*path != '/')
		return xasprintf("--cgroup %s: not a path; write it as /proc/PID/cgroup does,"
				 " from the first /", path);
	if (!cgroup_exists(cgroup_inside(path)))
		return xasprintf("--cgroup %s: no such cgroup", path);
	return NULL;
}

static bool open_live(struct source *src, const struct options *o, u64 tables, char **ret_error)
{
	struct sampler_options so = {
		.interval_ns = o->interval_ns,
		.tables = tables,
		.budget_pct = o->budget_pct,
		.rate_hz = (u32)o->rate,
		.min_block_ns = o->min_block * NSEC_PER_USEC,
		.no_lines = o->no_lines,
		.all_lines = o->lines && !o->no_lines,
		.services = o->otlp && o->otlp_service_names,
		.scope = { .comm_glob = o->comm, .n_pids = o->pids.n,
			   .cgroup = o->cgroup ? cgroup_inside(o->cgroup) : NULL },
	};

	*ret_error = find_missing_pid(&o->pids);
	if (!*ret_error)
		*ret_error = find_missing_cgroup(o->cgroup);
	if (*ret_error)
		return false;
	memcpy(so.scope.pids, o->pids.pid, sizeof(so.scope.pids));
	src->sampler = sampler_start(&so, ret_error);
	/* a single requested process is also the selected one, with its threads */
	if (src->sampler && o->pids.n == 1)
		sampler_want(src->sampler, tables, o->pids.pid[0], 0);
	return src->sampler != NULL;
}

bool source_open(struct source *src, const struct options *o, u64 tables, char **ret_error)
{
	*src = (struct source){ 0 };
	if (!o->replay)
		return open_live(src, o, tables, ret_error);
	src->recording = recording_open(o->replay, ret_error);
	return src->recording != NULL;
}

const struct session *source_session(const struct source *src)
{
	return src->sampler ? sampler_session(src->sampler) : recording_session(src->recording);
}

int source_fd(const struct source *src)
{
	return src->sampler ? sampler_fd(src->sampler) : recording_fd(src->recording);
}

/* The tick after the last one returned, among those read. */
static const struct snapshot *next_recorded(struct source *src)
{
	struct history *h = recording_history(src->recording);
	u32 i = (u32)(history_find(h, src->last_seq) + 1);

	for (; i < history_len(h); i++) {
		const struct snapshot *s = history_snapshot(h, i);

		src->last_seq = history_seq(h, i);
		if (s)
			return s;
	}
	return NULL;
}

const struct snapshot *source_next(struct source *src)
{
	const struct snapshot *s;

	if (src->sampler)
		return sampler_take(src->sampler);
	s = next_recorded(src);
	if (!s && recording_read(src->recording) > 0)
		s = next_recorded(src);
	return s;
}

const char *source_problem(const struct source *src)
{
	return src->recording ? recording_problem(src->recording) : NULL;
}

void source_close(struct source *src)
{
	sampler_stop(src->sampler);	/* both are NULL-safe */
	recording_close(src->recording);
	*src = (struct source){ 0 };
}
