// SPDX-License-Identifier: GPL-2.0-or-later
/* identity.c: see identity.h. */
#include <limits.h>
#include <string.h>

#include "bpf/host/cgroup.h"
#include "bpf/host/identity.h"
#include "bpf/host/procfs.h"

/*
 * A command line is kept whole up to CMDLINE_MAX bytes. So that a host full of long ones does
 * not fill the memory, what they have beyond USUAL_MAX may be LONG_MAX_ALL bytes in all: the
 * ones that come after that are cut at USUAL_MAX.
 */
#define CMDLINE_MAX (32u << 10)
#define USUAL_MAX 2048u
#define LONG_MAX_ALL (2u << 20)
#define CUT "…"

static u32 long_bytes;

/* NULs between arguments become spaces; those at the end go. Returns the new length. */
static size_t join_args(char *args, size_t len)
{
	while (len && !args[len - 1])
		len--;
	for (size_t i = 0; i < len; i++)
		if (!args[i])
			args[i] = ' ';
	return len;
}

/* The length without a UTF-8 character at the end of which only the beginning is there. */
static size_t whole_characters(const char *s, size_t len)
{
	size_t at = len, need;

	while (at && len - at < 3 && ((u8)s[at - 1] & 0xc0) == 0x80)
		at--;
	if (!at || (u8)s[at - 1] < 0xc0)
		return len;
	need = (u8)s[at - 1] >= 0xf0 ? 4 : (u8)s[at - 1] >= 0xe0 ? 3 : 2;
	return len - (at - 1) < need ? at - 1 : len;
}

/* Puts the mark of what was cut at the end; args has room for it. */
static size_t mark_cut(char *args, size_t len)
{
	len = whole_characters(args, len);
	memcpy(args + len, CUT, sizeof(CUT) - 1);
	return len + sizeof(CUT) - 1;
}

void identity_forget(struct proc *p)
{
	long_bytes -= p->long_bytes;
	p->long_bytes = 0;
}

/* args: len bytes and room for the mark after them; cut: there was more. */
static void set_cmdline(struct proc *p, char *args, size_t len, bool cut)
{
	identity_forget(p);
	len = join_args(args, len);
	if (len > USUAL_MAX && long_bytes + (len - USUAL_MAX) > LONG_MAX_ALL) {
		len = USUAL_MAX;
		cut = true;
	}
	if (cut)
		len = mark_cut(args, len);
	p->long_bytes = len > USUAL_MAX ? (u32)(len - USUAL_MAX) : 0;
	long_bytes += p->long_bytes;
	str_set(&p->cmdline, str_newn(args, len));
}

int identity_title(struct proc *p)
{
	static char buf[CMDLINE_MAX + sizeof(CUT)];
	int n;

	p->retitle = false;
	if (p->kthread) {
		str_set(&p->cmdline, str_new(""));
		return 0;
	}
	n = procfs_read_pid(p->living, "cmdline", buf, CMDLINE_MAX + 2);
	if (n > 0)
		set_cmdline(p, buf, min((size_t)n, (size_t)CMDLINE_MAX), n > (int)CMDLINE_MAX);
	else if (!n && !p->cmdline)
		str_set(&p->cmdline, str_new(""));
	return min(n, 0);
}

static int read_cgroup(struct proc *p)
{
	/* a line for each hierarchy, at most PATH_MAX each: the kernel has no longer ones */
	static char text[64 << 10];
	char path[PATH_MAX + sizeof(CUT)], name[NAME_MAX + 1];

	int n = procfs_read_pid(p->living, "cgroup", text, sizeof(text));

	if (n <= 0)
		return n;
	cgroup_path(text, path, sizeof(path));
	if (p->cgroup && !strcmp(p->cgroup, path))
		return 0;
	str_set(&p->cgroup, str_new(path));
	cgroup_container(path, name, sizeof(name));
	str_set(&p->container, str_new(name));
	cgroup_unit(path, name, sizeof(name));
	str_set(&p->unit, str_new(name));
	return 0;
}

void identity_read(struct proc *p)
{
	int title = identity_title(p), cgroup = read_cgroup(p);

	p->unread_err = -min(title, cgroup);
	p->unread = p->unread_err ? (u8)min(p->unread + 1, UNREAD_TWICE) : 0;
	p->identified = p->unread != 1;
	p->reread = false;
}

void identity_args(struct proc *p, const char *args, u32 len, bool cut)
{
	char buf[USUAL_MAX + sizeof(CUT)];

	cut |= len > USUAL_MAX;
	len = min(len, USUAL_MAX);
	memcpy(buf, args, len);
	if (len)
		set_cmdline(p, buf, len, cut);
	p->identified = !cut && p->cgroup;
	p->reread = true;	/* its cgroup often changes just before */
}

/* The same string: what it has beyond USUAL_MAX is there once, and counted for the parent. */
void identity_inherit(struct proc *child, const struct proc *parent)
{
	identity_forget(child);
	str_set(&child->cmdline, str_get(parent->cmdline));
	str_set(&child->cgroup, str_get(parent->cgroup));
	str_set(&child->container, str_get(parent->container));
	str_set(&child->unit, str_get(parent->unit));
	child->identified = child->cgroup != NULL;
	child->reread = true;
}

void identity_cwd(struct proc *p)
{
	char buf[PATH_MAX + 1];

	int n = procfs_link_pid(p->living, "cwd", buf, sizeof(buf));

	p->cwd_err = -min(n, 0);
	if (n > 0)
		str_set(&p->cwd, str_new(buf));
}
