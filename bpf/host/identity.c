// SPDX-License-Identifier: GPL-2.0-or-later
/* identity.c: see identity.h. */
#include <limits.h>
#include <string.h>

#include "bpf/host/cgroup.h"
#include "bpf/host/identity.h"
#include "bpf/host/procfs.h"

/* Kept up to CMDLINE_MAX bytes; what exceeds USUAL_MAX may take LONG_MAX_ALL bytes of all. */
#define CMDLINE_MAX (32u << 10)
#define USUAL_MAX 2048u
#define LONG_MAX_ALL (2u << 20)
#define CUT "…"

#define ENVIRON_MAX (64u << 10)
#define SERVICE_MAX 256u

static u32 long_bytes;
static bool want_services;

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

/* The length without an incomplete UTF-8 character at the end. */
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
	if (text_is(p->cgroup, path))
		return 0;
	str_set(&p->cgroup, str_new(path));
	container_of_cgroup(path, name, sizeof(name));
	str_set(&p->container, str_new(name));
	cgroup_unit(path, name, sizeof(name));
	str_set(&p->unit, str_new(name));
	return 0;
}

/* ---- the service ---- */

void identity_want_services(bool on)
{
	want_services = on;
}

/* n bytes without blanks around them, with %XX undone. */
static void decode(const char *s, size_t n, char *buf, size_t cap)
{
	size_t len = 0;

	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < n && len + 1 < cap; i++) {
		bool coded = s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0;
		char c = coded ? (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2])) : s[i];

		if (coded)
			i += 2;
		if (c)
			buf[len++] = c;
	}
	buf[len] = '\0';
}

/* "service.name=cart,service.version=2" */
static void find_in_attributes(const char *text, char *buf, size_t cap)
{
	static const char key[] = "service.name";

	for (;;) {
		size_t len = strcspn(text, ",");
		const char *equals = memchr(text, '=', len);
		char name[sizeof(key) + 1] = "";

		if (equals)
			decode(text, (size_t)(equals - text), name, sizeof(name));
		if (equals && !strcmp(name, key))
			decode(equals + 1, len - (size_t)(equals + 1 - text), buf, cap);
		if (!text[len])
			return;
		text += len + 1;
	}
}

bool identity_service(const char *environment, size_t n, char *buf, size_t cap)
{
	static const char own[] = "OTEL_SERVICE_NAME=", all[] = "OTEL_RESOURCE_ATTRIBUTES=";
	const char *end = environment + n, *next;

	*buf = '\0';
	for (const char *v = environment; v < end; v = next + 1) {
		next = memchr(v, '\0', (size_t)(end - v));
		if (!next)
			break;	/* cut: the name may be too */
		if (!strncmp(v, own, sizeof(own) - 1) && v[sizeof(own) - 1]) {
			decode(v + sizeof(own) - 1, strlen(v) - (sizeof(own) - 1), buf, cap);
			if (*buf)
				return true;
		}
		if (!strncmp(v, all, sizeof(all) - 1) && !*buf)
			find_in_attributes(v + sizeof(all) - 1, buf, cap);
	}
	return *buf != '\0';
}

/* An environment may hold secrets: no byte of it stays in the buffer. */
static void read_service(struct proc *p)
{
	static char text[ENVIRON_MAX];
	char name[SERVICE_MAX];
	int n;

	if (!want_services || p->kthread)
		return;
	n = procfs_read_pid(p->living, "environ", text, sizeof(text));
	if (n <= 0)
		return;
	str_set(&p->service, identity_service(text, (size_t)n, name, sizeof(name)) ? str_new(name) : NULL);
	explicit_bzero(text, (size_t)n);
}

/* title: result of reading the command line, 0 or -errno. */
static void read_others(struct proc *p, int title)
{
	int cgroup = read_cgroup(p);

	read_service(p);
	p->unread_err = -min(title, cgroup);
	p->unread = p->unread_err ? (u8)min(p->unread + 1, UNREAD_TWICE) : 0;
	p->identified = p->unread != 1;
	p->reread = false;
}

void identity_read(struct proc *p)
{
	read_others(p, identity_title(p));
}

void identity_read_exec(struct proc *p)
{
	read_others(p, p->titled ? 0 : identity_title(p));
}

void identity_args(struct proc *p, const char *args, u32 len, bool cut)
{
	char buf[USUAL_MAX + sizeof(CUT)];

	cut |= len > USUAL_MAX;
	len = min(len, USUAL_MAX);
	memcpy(buf, args, len);
	if (len)
		set_cmdline(p, buf, len, cut);
	p->titled = len && !cut;
	p->identified = !cut && p->cgroup;
	p->reread = true;	/* its cgroup often changes just before */
}

/* The string is shared with the parent, for which the part beyond USUAL_MAX is counted. */
void identity_inherit(struct proc *child, const struct proc *parent)
{
	identity_forget(child);
	str_set(&child->cmdline, str_get(parent->cmdline));
	str_set(&child->cgroup, str_get(parent->cgroup));
	str_set(&child->container, str_get(parent->container));
	str_set(&child->unit, str_get(parent->unit));
	str_set(&child->service, str_get(parent->service));
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
