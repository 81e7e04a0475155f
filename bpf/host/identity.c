// SPDX-License-Identifier: GPL-2.0-or-later
/* identity.c: see identity.h. */
#include <string.h>

#include "bpf/host/cgroup.h"
#include "bpf/host/identity.h"
#include "bpf/host/procfs.h"

#define CMDLINE_MAX 2048

/* NULs between arguments become spaces; those at the end go. */
static const char *join_args(char *args, size_t len)
{
	while (len && !args[len - 1])
		len--;
	for (size_t i = 0; i < len; i++)
		if (!args[i])
			args[i] = ' ';
	return str_newn(args, len);
}

static void read_cmdline(struct proc *p)
{
	char buf[CMDLINE_MAX];
	int n;

	if (p->kthread) {
		str_set(&p->cmdline, str_new(""));
		return;
	}
	n = procfs_read_pid(p->pid, "cmdline", buf, sizeof(buf));
	if (n > 0)
		str_set(&p->cmdline, join_args(buf, (size_t)n));
	else if (!n && !p->cmdline)
		str_set(&p->cmdline, str_new(""));
}

static void read_cgroup(struct proc *p)
{
	char text[4096], path[1024], name[256];

	if (procfs_read_pid(p->pid, "cgroup", text, sizeof(text)) <= 0)
		return;
	cgroup_path(text, path, sizeof(path));
	if (p->cgroup && !strcmp(p->cgroup, path))
		return;
	str_set(&p->cgroup, str_new(path));
	cgroup_container(path, name, sizeof(name));
	str_set(&p->container, str_new(name));
	cgroup_unit(path, name, sizeof(name));
	str_set(&p->unit, str_new(name));
}

void identity_read(struct proc *p)
{
	read_cmdline(p);
	read_cgroup(p);
	p->identified = true;
	p->reread = false;
}

void identity_args(struct proc *p, const char *args, u32 len, bool cut)
{
	char buf[CMDLINE_MAX];

	len = min(len, (u32)sizeof(buf));
	memcpy(buf, args, len);
	if (len)
		str_set(&p->cmdline, join_args(buf, len));
	p->identified = !cut && p->cgroup;
	p->reread = true;	/* its cgroup often changes just before */
}

void identity_inherit(struct proc *child, const struct proc *parent)
{
	str_set(&child->cmdline, str_get(parent->cmdline));
	str_set(&child->cgroup, str_get(parent->cgroup));
	str_set(&child->container, str_get(parent->container));
	str_set(&child->unit, str_get(parent->unit));
	child->identified = child->cgroup != NULL;
	child->reread = true;
}

void identity_cwd(struct proc *p)
{
	char buf[1024];

	if (procfs_link_pid(p->pid, "cwd", buf, sizeof(buf)) > 0)
		str_set(&p->cwd, str_new(buf));
}
