// SPDX-License-Identifier: GPL-2.0-or-later
/* debug.c: see debug.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/helpers/opener.h"
#include "bpf/host/procfs.h"
#include "bpf/stacks/debug.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/mappings.h"
#include "symbolizer/symbolizer.h"

#define PATIENCE_NS (2 * NSEC_PER_SEC)

enum debug_state {
	DEBUG_NONE, DEBUG_SEARCHED, DEBUG_OPENED, DEBUG_ASKED, DEBUG_SUP_SEARCHED, DEBUG_DONE,
};

struct debug {
	enum debug_state state;
	int fd, sup_fd;
	u32 from;		/* the next place to search */
	u64 since_ns;
	char link[DEBUGLINK_MAX];
	const char *bad;
};

static struct debug *all;	/* by number of file */
static u32 n_all;
static u32 n_opened;		/* of DEBUG_OPENED */

static struct debug *debug_of(u32 file)
{
	u32 i = n_all;

	for (all = grow_to(all, &n_all, file, sizeof(*all)); i < n_all; i++)
		all[i].fd = all[i].sup_fd = -1;
	return &all[file];
}

static void search(u32 file, struct debug *d)
{
	struct opener_job job = { .kind = OPEN_DEBUG, .id = file, .from = d->from, .fd = -1 };

	job.pid = mappings_user(file, &job.start_ns);
	job.thread = procfs_living(job.pid);
	snprintf(job.build_id, sizeof(job.build_id), "%s", file_build_id(file));
	snprintf(job.link, sizeof(job.link), "%s", d->link);
	snprintf(job.path, sizeof(job.path), "%s", file_path(file));
	d->state = opener_ask(&job) ? DEBUG_DONE : DEBUG_SEARCHED;
}

void debug_table_answer(const struct symbolizer_answer *a)
{
	struct debug *d = debug_of(a->file);

	/* the table may have been evicted and requested again */
	if (d->state != DEBUG_NONE || a->err || !file_path(a->file))
		return;
	d->since_ns = boottime_ns();
	memcpy(d->link, a->debuglink, sizeof(d->link));
	search(a->file, d);
}

static void ask(u32 file, struct debug *d)
{
	int err = symbolizer_ask_debug(file, file_fd(file), d->fd);

	n_opened -= d->state == DEBUG_OPENED;
	d->state = !err ? DEBUG_ASKED : err == -EAGAIN ? DEBUG_OPENED : DEBUG_DONE;
	n_opened += d->state == DEBUG_OPENED;
	if (d->state == DEBUG_DONE) {
		close(d->fd);
		d->fd = -1;
	}
}

void debug_opened(const struct opener_job *job)
{
	struct debug *d = debug_of(job->id);

	if (job->kind == OPEN_SUP && d->state == DEBUG_SUP_SEARCHED) {
		d->sup_fd = job->fd >= 0 ? job->fd : -1;
		d->state = DEBUG_DONE;
	} else if (job->kind == OPEN_SUP || d->state != DEBUG_SEARCHED) {	/* of a profiler that was closed meanwhile */
		file_close(job->fd);
	} else if (job->fd < 0) {
		d->state = DEBUG_DONE;
	} else {
		d->fd = job->fd;
		d->from = job->from;
		ask(job->id, d);
	}
}

static void search_sup(const struct symbolizer_answer *a, struct debug *d)
{
	struct opener_job job = { .kind = OPEN_SUP, .id = a->file, .fd = -1 };

	job.pid = mappings_user(a->file, &job.start_ns);
	job.thread = procfs_living(job.pid);
	for (u32 i = 0; i < a->build_id_len; i++)
		snprintf(job.build_id + 2 * i, 3, "%02x", a->build_id[i]);
	snprintf(job.link, sizeof(job.link), "%s", a->debuglink);
	if (!opener_ask(&job))
		d->state = DEBUG_SUP_SEARCHED;
}

void debug_answer(const struct symbolizer_answer *a)
{
	struct debug *d = debug_of(a->file);

	if (d->state != DEBUG_ASKED)
		return;
	d->state = DEBUG_DONE;
	if (!a->err) {
		if (a->build_id_len)
			search_sup(a, d);
		return;
	}
	close(d->fd);
	d->fd = -1;
	if (a->err == -ENOMSG)	/* of another build: the next place may have the right one */
		search(a->file, d);
}

void debug_drain(void)
{
	for (u32 i = 0; n_opened && i < n_all; i++)
		if (all[i].state == DEBUG_OPENED)
			ask(i, &all[i]);
}

bool debug_ready(u32 file)
{
	const struct debug *d = debug_of(file);

	return d->state == DEBUG_DONE || d->state == DEBUG_NONE ||
	       boottime_ns() - d->since_ns > PATIENCE_NS;
}

int debug_fd(u32 file)
{
	const struct debug *d = debug_of(file);

	return d->state == DEBUG_DONE || d->state == DEBUG_SUP_SEARCHED ? d->fd : -1;
}

int debug_sup_fd(u32 file)
{
	const struct debug *d = debug_of(file);

	return d->state == DEBUG_DONE ? d->sup_fd : -1;
}

void debug_set_bad(u32 file, const char *why)
{
	debug_of(file)->bad = why;
}

const char *debug_bad(u32 file)
{
	return debug_of(file)->bad;
}

void debug_close(void)
{
	for (u32 i = 0; i < n_all; i++) {
		file_close(all[i].fd);
		file_close(all[i].sup_fd);
	}
	free(all);
	all = NULL;
	n_all = n_opened = 0;
}
