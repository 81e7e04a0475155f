// SPDX-License-Identifier: GPL-2.0-or-later
/* container.c: the container that a cgroup path names: one shape a line, with its source. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bpf/host/cgroup.h"

#define ID_LEN 12	/* as docker ps prints them */
#define HASH_LEN 64

enum shape_id {
	ID_HASH,	/* cut to ID_LEN; other texts stay whole */
	ID_SHORT,	/* always cut to ID_LEN */
	ID_NAME,	/* unescaped as by systemd */
	ID_NUMBER_NAME,	/* the same after "N-" */
	ID_TASK,	/* HASH-NUMBER: Fargate's containers of a task differ in NUMBER */
	ID_UUID_NAME,	/* UUID.NAME: eight digits and the name */
	ID_NONE,	/* not a container: its monitor */
};

/*
 * Matches a path component behind `below` (NULL: any). First shape wins, innermost component wins.
 */
static const struct shape {
	const char *below, *prefix, *suffix, *runtime;
	enum shape_id id;
} shapes[] = {
	/* podman: libpod/util_linux.go, containers-conmon; "split" cgroups of quadlets */
	{ NULL, "libpod-conmon-", "", NULL, ID_NONE },
	{ NULL, "libpod-payload-", "", "podman", ID_HASH },
	{ NULL, "libpod-", ".scope", "podman", ID_HASH },
	{ NULL, "libpod-", "", "podman", ID_HASH },
	/* CRI-O: internal/config/cgmgr */
	{ NULL, "crio-conmon-", "", NULL, ID_NONE },
	{ NULL, "crio-", ".scope", "crio", ID_HASH },
	{ NULL, "crio-", "", "crio", ID_HASH },
	/* systemd's driver: moby daemon/oci_linux.go, containerd's CRI plugin, nerdctl */
	{ NULL, "docker-", ".scope", "docker", ID_HASH },
	{ NULL, "cri-containerd-", ".scope", "containerd", ID_HASH },
	{ NULL, "nerdctl-", ".scope", "containerd", ID_HASH },
	/* LXC 4 and Incus: lxc.cgroup.dir; the monitor is outside */
	{ NULL, "lxc.monitor.", "", NULL, ID_NONE },
	{ NULL, "lxc.payload.", "", "lxc", ID_HASH },
	{ "lxc", "", "", "lxc", ID_HASH },
	{ "lxc.payload", "", "", "lxc", ID_HASH },
	/* libvirt: virSystemdMakeScopeName(), machine-DRIVER\x2dN\x2dNAME.scope */
	{ NULL, "machine-qemu\\x2d", ".scope", "qemu", ID_NUMBER_NAME },
	{ NULL, "machine-lxc\\x2d", ".scope", "libvirt-lxc", ID_NUMBER_NAME },
	/* systemd-nspawn: machinectl; a service has two halves */
	{ NULL, "machine-", ".scope", "nspawn", ID_NAME },
	/* Amazon ECS: agent/taskresource/cgroup; Fargate: task metadata, "DockerId" */
	{ NULL, "", "", "ecs", ID_TASK },
	/* Nomad's exec and java drivers, cgroup 2: client/lib/cgroupslib */
	{ "share.slice", "", ".scope", "nomad", ID_UUID_NAME },
	{ "reserve.slice", "", ".scope", "nomad", ID_UUID_NAME },
	/* buildkit: executor/oci; Mesos: cgroups isolator */
	{ "buildkit", "", "", "buildkit", ID_SHORT },
	{ "mesos", "", "", "mesos", ID_SHORT },
};

struct part {
	const char *s;
	size_t n;
};

static bool part_is(struct part p, const char *text)
{
	return p.n == strlen(text) && !strncmp(p.s, text, p.n);
}

static bool part_has(struct part p, const char *prefix, const char *suffix)
{
	size_t a = strlen(prefix), b = strlen(suffix);

	return p.n > a + b && !strncmp(p.s, prefix, a) && !strncmp(p.s + p.n - b, suffix, b);
}

static size_t hex_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && isxdigit((unsigned char)s[i]))
		i++;
	return i;
}

static bool is_hash(struct part p)
{
	return p.n == HASH_LEN && hex_run(p.s, p.n) == HASH_LEN;
}

/* Replaces "\x2d" by '-', as written by systemd-escape(1). */
static void put_name(char *buf, size_t cap, const char *runtime, struct part id)
{
	size_t n = (size_t)snprintf(buf, cap, "%s:", runtime);
	unsigned int ch;

	for (size_t i = 0; i < id.n && n + 1 < cap; i++) {
		ch = (unsigned char)id.s[i];
		if (i + 3 < id.n && id.s[i] == '\\' && id.s[i + 1] == 'x' && hex_run(id.s + i + 2, 2) == 2 &&
		    sscanf(id.s + i + 2, "%2x", &ch) == 1)
			i += 3;
		buf[n++] = (char)(ch ? ch : '?');
	}
	buf[min(n, cap - 1)] = '\0';
}

static void put_id(char *buf, size_t cap, const char *runtime, struct part id)
{
	if (hex_run(id.s, id.n) >= 32)
		id.n = ID_LEN;
	snprintf(buf, cap, "%s:%.*s", runtime, (int)id.n, id.s);
}

/* Drops libvirt's "N-". */
static struct part after_number(struct part id)
{
	size_t digits = 0;

	while (digits < id.n && isdigit((unsigned char)id.s[digits]))
		digits++;
	if (digits && digits + 4 < id.n && !strncmp(id.s + digits, "\\x2d", 4))
		return (struct part){ id.s + digits + 4, id.n - digits - 4 };
	return id;
}

/* 32 hex digits, '-', a number. */
static bool is_task(struct part id)
{
	size_t digits = 0;

	if (hex_run(id.s, id.n) != 32 || id.n < 34 || id.s[32] != '-')
		return false;
	while (33 + digits < id.n && isdigit((unsigned char)id.s[33 + digits]))
		digits++;
	return 33 + digits == id.n;
}

/* False: another shape. */
static bool put_shape(char *buf, size_t cap, const struct shape *shape, struct part id)
{
	switch (shape->id) {
	case ID_NONE:
		break;
	case ID_HASH:
		put_id(buf, cap, shape->runtime, id);
		break;
	case ID_SHORT:
		id.n = min(id.n, (size_t)ID_LEN);
		put_id(buf, cap, shape->runtime, id);
		break;
	case ID_NAME:
		put_name(buf, cap, shape->runtime, id);
		break;
	case ID_NUMBER_NAME:
		put_name(buf, cap, shape->runtime, after_number(id));
		break;
	case ID_TASK:
		if (!is_task(id))
			return false;
		snprintf(buf, cap, "%s:%.*s%.*s", shape->runtime, ID_LEN, id.s, (int)id.n - 32, id.s + 32);
		break;
	case ID_UUID_NAME:
		if (id.n < 38 || id.s[8] != '-' || id.s[36] != '.')
			return false;
		snprintf(buf, cap, "%s:%.8s%.*s", shape->runtime, id.s, (int)id.n - 36, id.s + 36);
		break;
	}
	return true;
}

/*
 * A runtime without systemd's driver under a kubelet with it (containerd#4857):
 * "kubepods-burstable-podUID.slice:cri-containerd:ID".
 */
static bool match_colons(struct part p, char *buf, size_t cap)
{
	const char *id = memrchr(p.s, ':', p.n), *from;

	if (!id || !(from = memrchr(p.s, ':', (size_t)(id - p.s))))
		return false;
	put_id(buf, cap, !strncmp(from, ":docker:", 8) ? "docker" : !strncmp(from, ":crio:", 6) ? "crio" :
	       "containerd", (struct part){ id + 1, p.n - (size_t)(id + 1 - p.s) });
	return true;
}

/* The cgroupfs driver (.../docker/ID), and other hashes, recognised by their parents. */
static void put_hash(const char *path, struct part before, struct part p, char *buf, size_t cap)
{
	const char *kube = strstr(path, "kubepods"), *ecs = strstr(path, "/ecs/");

	put_id(buf, cap, part_is(before, "docker") ? "docker" : kube && kube < p.s ? "kube" :
	       ecs && ecs < p.s ? "ecs" : "container", p);
}

static void match_part(const char *path, struct part before, struct part p, char *buf, size_t cap)
{
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *shape = &shapes[i];
		size_t a = strlen(shape->prefix), b = strlen(shape->suffix);

		if ((!shape->below || part_is(before, shape->below)) &&
		    part_has(p, shape->prefix, shape->suffix) &&
		    put_shape(buf, cap, shape, (struct part){ p.s + a, p.n - a - b }))
			return;
	}
	/*
	 * systemd-nspawn@NAME.service: the container is in "payload", its monitor in "supervisor"
	 */
	if (part_is(p, "payload") && part_has(before, "systemd-nspawn@", ".service"))
		put_name(buf, cap, "nspawn", (struct part){ before.s + 15, before.n - 23 });
	else if (is_hash(p))
		put_hash(path, before, p, buf, cap);
	else
		match_colons(p, buf, cap);
}

void container_of_cgroup(const char *path, char *buf, size_t cap)
{
	struct part before = { "", 0 };

	buf[0] = '\0';
	for (const char *c = path; *c; ) {
		struct part p = { c, strcspn(c, "/") };

		if (p.n)
			match_part(path, before, p, buf, cap);
		before = p;
		c += p.n;
		c += *c == '/';
	}
}
