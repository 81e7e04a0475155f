// SPDX-License-Identifier: GPL-2.0-or-later
/* cgroup.c: see cgroup.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bpf/host/cgroup.h"

static size_t copy_line(const char *from, char *buf, size_t cap)
{
	size_t n = strcspn(from, "\n");

	n = min(n, cap - 1);
	memcpy(buf, from, n);
	buf[n] = '\0';
	return n;
}

/* fs/kernfs/dir.c: longer paths are silently truncated to PATH_MAX - 1 bytes. */
static void mark_cut(char *buf, size_t cap)
{
	if (strlen(buf) == PATH_MAX - 1 && cap >= PATH_MAX + strlen("…"))
		strcpy(buf + PATH_MAX - 1, "…");
}

/* The path of the line whose controller list contains `name`; "" is version 2's. */
static const char *line_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *l = text; *l; l += strcspn(l, "\n"), l += *l == '\n') {
		const char *list = strchr(l, ':'), *path;

		if (!list || !(path = strchr(list + 1, ':')))
			break;
		list++;
		if ((size_t)(path - list) == len && !strncmp(list, name, len))
			return path + 1;
	}
	return NULL;
}

size_t cgroup_path(const char *text, char *buf, size_t cap)
{
	static const char *const tries[] = { "", "name=systemd", "pids", "memory", "cpu,cpuacct", "cpu" };

	buf[0] = '\0';
	for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
		const char *path = line_of(text, tries[i]);

		if (path && copy_line(path, buf, cap) > 1)
			break;
	}
	if (!buf[0])
		copy_line("/", buf, cap);
	mark_cut(buf, cap);
	return strlen(buf);
}

void cgroup_unit(const char *path, char *buf, size_t cap)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap", ".slice" };
	int best = -1;

	buf[0] = '\0';
	for (const char *c = path; *c; ) {
		size_t len = strcspn(c, "/");

		for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
			size_t n = strlen(kinds[k]);

			/* a slice only where there is nothing inside it */
			if (len <= n || strncmp(c + len - n, kinds[k], n) ||
			    (best >= 0 && best < 5 && k == 5))
				continue;
			best = (int)k;
			snprintf(buf, cap, "%.*s", (int)len, c);
		}
		c += len;
		c += *c == '/';
	}
}
