// SPDX-License-Identifier: GPL-2.0-or-later
/* cgroup.c: see cgroup.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bpf/host/cgroup.h"

#define ID_LEN 12	/* as docker ps prints them */

static size_t copy_line(const char *from, char *buf, size_t cap)
{
	size_t n = strcspn(from, "\n");

	n = min(n, cap - 1);
	memcpy(buf, from, n);
	buf[n] = '\0';
	return n;
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
	return strlen(buf);
}

static size_t hex_run(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

static void put_id(char *buf, size_t cap, const char *runtime, const char *id, size_t len)
{
	if (hex_run(id) >= 32)
		len = ID_LEN;
	snprintf(buf, cap, "%s:%.*s", runtime, (int)len, id);
}

/* One path component: "docker-ID.scope", "cri-containerd-ID.scope", "machine-NAME.scope", ... */
static bool match_scope(const char *c, size_t len, char *buf, size_t cap)
{
	static const struct { const char *prefix, *runtime; } scopes[] = {
		{ "docker-", "docker" }, { "cri-containerd-", "containerd" }, { "crio-", "crio" },
		{ "libpod-", "podman" }, { "nerdctl-", "containerd" }, { "machine-", "nspawn" },
		{ "lxc.payload.", "lxc" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(scopes); i++) {
		size_t p = strlen(scopes[i].prefix), end = len;

		if (len <= p || strncmp(c, scopes[i].prefix, p))
			continue;
		if (len > 6 && !strncmp(c + len - 6, ".scope", 6))
			end -= 6;
		if (!strncmp(c + p, "conmon-", 7))	/* the monitor is not inside */
			return false;
		put_id(buf, cap, scopes[i].runtime, c + p, end - p);
		return true;
	}
	return false;
}

void cgroup_container(const char *path, char *buf, size_t cap)
{
	const char *prev = "";
	size_t prev_len = 0;

	buf[0] = '\0';
	/* the innermost match wins */
	for (const char *c = path; *c; ) {
		size_t len = strcspn(c, "/");

		if (len && !match_scope(c, len, buf, cap)) {
			if (len == 64 && hex_run(c) == 64)	/* cgroupfs driver: .../docker/ID */
				put_id(buf, cap, prev_len == 6 && !strncmp(prev, "docker", 6) ?
				       "docker" : strstr(path, "kubepods") ? "kube" : "container",
				       c, len);
			else if (prev_len == 3 && !strncmp(prev, "lxc", 3))
				put_id(buf, cap, "lxc", c, len);
		}
		prev = c;
		prev_len = len;
		c += len;
		c += *c == '/';
	}
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
