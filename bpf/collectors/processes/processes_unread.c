// SPDX-License-Identifier: GPL-2.0-or-later
/* processes_unread.c: see processes_unread.h; hidepid: proc(5). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/collectors/processes/processes_unread.h"
#include "bpf/host/procfs.h"

static u32 n_all, n_unread, n_left_out;
static int why, cwd_why;

void unread_begin(void)
{
	n_all = n_unread = n_left_out = 0;
	why = cwd_why = 0;
}

void unread_count(const struct proc *p, bool in_scope, bool by_cgroup)
{
	if (p->closed || p->exited)	/* its files are gone, not hidden */
		return;
	n_all++;
	if (p->cwd_err)
		cwd_why = p->cwd_err;
	if (p->unread < UNREAD_TWICE)
		return;
	n_unread++;
	why = p->unread_err;
	n_left_out += !in_scope && by_cgroup && !p->cgroup;
}

/* Files that exist but cannot be opened are hidden by the mount option; without it all are readable. */
static const char *reason_of(int err)
{
	if (err == ENOENT && !procfs_is_initial())
		return "it is of another pid namespace";
	return err == ENOENT || err == EPERM ? "its mount option hidepid, and no CAP_SYS_PTRACE" : strerror(err);
}

void unread_report_left_out(struct builder *b)
{
	char text[160];

	if (!n_left_out)
		return;
	snprintf(text, sizeof(text), "%u processes are left out: whether they are in --cgroup is not known", n_left_out);
	for (int t = 0; t < N_TABLES; t++)
		if (table_descs[t].flags & T_HAS_PID)
			builder_lacks(b, t, text);
}

void unread_text(char *buf, size_t cap)
{
	buf[0] = '\0';
	if (n_unread)
		snprintf(buf, cap, "/proc hides %u of %u processes (%s): no cgroup, no changed command line",
			 n_unread, n_all, reason_of(why));
	if (cwd_why && cwd_why != ENOENT && cwd_why != ESRCH)
		text_add(buf, cap, "; ", "working directory: %s", strerror(cwd_why));
}
