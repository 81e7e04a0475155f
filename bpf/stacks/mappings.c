// SPDX-License-Identifier: GPL-2.0-or-later
/* mappings.c: see mappings.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "bpf/host/procfs.h"
#include "bpf/host/proctab.h"
#include "bpf/stacks/arena.h"
#include "bpf/helpers/opener.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/jvm.h"
#include "bpf/stacks/mappings.h"

#define FIRST_WAIT_NS NSEC_PER_MSEC
#define LAST_WAIT_NS (5 * NSEC_PER_SEC)

/* An executable mapping as /proc/PID/maps has it. */
struct mapping {
	u64 start, end, offset;
	u32 file;	/* 0: none, or not looked at yet */
	bool unseen;	/* its file has not been needed so far */
	bool lost;	/* its file could not be opened */
	bool code;	/* anonymous: JIT code */
};

struct process {
	struct hash_node node;	/* by pid */
	u32 pid;
	u64 start_ns, exec_id;
	struct mapping *m;
	u32 n, first;	/* first: line of the arena; 0: none */
	u32 installed;	/* lines there */
	bool dirty;	/* changes are not published yet */
	bool ended;
	u64 jvm_base;		/* load address of libjvm.so; 0: none */
	struct jvm *jvm;
	u64 read_ns, wait_ns;	/* last reading of mappings; minimum time to the next */
};

static struct hash_table processes;
static struct map_ops installed;	/* the map of published processes */
static bool any_dirty;
static u64 refused, n_answers;

/* ---- processes ---- */

static struct process *process_find(u32 pid)
{
	return hash_find(&processes, hash_of(pid), struct process, p, p->pid == pid);
}

static struct process *process_get(u32 pid)
{
	struct process *p = process_find(pid);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->pid = pid;
	hash_add(&processes, &p->node, hash_of(pid));
	return p;
}

static void process_free(struct process *p)
{
	hash_remove(&processes, &p->node);
	map_ops_delete(&installed, &p->pid);
	arena_free(p->first);
	jvm_free(p->jvm);
	free(p->m);
	free(p);
}

static void set_dirty(struct process *p)
{
	p->dirty = any_dirty = true;
}

static void each_process(void (*fn)(struct process *p, u32 arg), u32 arg)
{
	hash_each(&processes, struct process, p)
		fn(p, arg);
}

/* ---- publishing to the BPF programs ---- */

static struct arena_line line_of(const struct process *p, const struct mapping *m)
{
	struct arena_line l = { .w = { m->start, m->end } };
	u32 table = m->file ? files_table(m->file) : m->unseen ? TABLE_PENDING : TABLE_ABSENT;
	u64 addr = 0;

	if (m->code && p->jvm) {
		table = jvm_table(p->jvm, m->start, m->end, &addr);
		l.w[2] = addr;
		l.w[3] = (u64)table << 32;
	} else if (table == TABLE_PENDING) {
		l.w[3] = (u64)table << 32;
	} else if (m->file && files_addr_of_offset(m->file, m->offset, &addr)) {
		l.w[2] = m->start - addr;
		l.w[3] = (u64)table << 32 | m->file;
	} else {
		l.w[2] = m->file || m->lost;	/* MAPPING_LOST() */
	}
	return l;
}

static void write_lines(const struct process *p, u32 first, u32 n)
{
	for (u32 i = 0; i < n; i++)
		*arena_at(first + i) = line_of(p, &p->m[i]);
}

/* New lines each time, as programs may be reading the old ones. */
static void install(struct process *p)
{
	u32 n = min(p->n, (u32)MAX_MAPPINGS), first = n ? arena_alloc(n) : 0;
	struct unw_process value = {
		.start_ns = p->start_ns, .exec_id = p->exec_id, .asked_ns = boottime_ns(),
		.wait_ns = p->wait_ns, .first = first, .n = first ? n : 0,
	};

	refused += (n && !first) || n < p->n;
	if (first)
		write_lines(p, first, n);
	if (map_ops_update(&installed, &p->pid, &value, BPF_ANY))
		refused++;
	arena_free(p->first);
	p->first = first;
	p->installed = value.n;
}

static void install_dirty(struct process *p, u32 arg)
{
	if (!p->dirty)
		return;
	p->dirty = false;
	install(p);
}

void mappings_install(void)
{
	if (!any_dirty)
		return;
	any_dirty = false;
	each_process(install_dirty, 0);
}

/* ---- /proc/PID/maps ---- */

static bool ends_with(const char *line, const char *end)
{
	size_t n = strlen(line), len = strlen(end);

	return n >= len && !strcmp(line + n - len, end);
}

/* The first mapping of libjvm.so is its load address. */
static void see_jvm(struct process *p, const char *line)
{
	if (!p->jvm_base && ends_with(line, "/libjvm.so"))
		sscanf(line, "%" SCNx64, &p->jvm_base);
}

static void take_mapping(struct process *p, u32 *cap, const char *line)
{
	const char *perms = strchr(line, ' ');
	struct mapping m = {};
	char dev[16];
	int at = 0;
	u64 ino;

	see_jvm(p, line);
	if (!perms || strnlen(perms, 5) < 5 || perms[3] != 'x')
		return;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %15s %" SCNu64 " %n", &m.start,
		   &m.end, &m.offset, dev, &ino, &at) < 5 || !at)
		return;
	if (!strcmp(line + at, "[vdso]")) {
		m.file = files_vdso();
	} else if (line[at] == '/') {
		m.file = files_known(dev, ino, line + at);
		m.unseen = !m.file;
	} else if (!strcmp(line + at, "[vsyscall]")) {
		return;
	}
	m.code = !m.file && !m.unseen;
	p->m = grow(p->m, p->n, cap, sizeof(*p->m));
	p->m[p->n++] = m;
}

static void read_mappings(struct process *p)
{
	char path[64], *line = NULL;
	size_t cap_line = 0;
	ssize_t n;
	u32 cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", procfs_living(p->pid));
	f = fopen(path, "re");
	if (!f)
		return;
	free(p->m);
	p->m = NULL;
	p->n = 0;
	p->jvm_base = 0;
	while ((n = getline(&line, &cap_line, f)) > 0) {
		line[n - 1] = '\0';
		take_mapping(p, &cap, line);
	}
	free(line);
	fclose(f);
	p->ended = !p->n;	/* a zombie has none */
	if (p->jvm_base && !p->jvm)
		p->jvm = jvm_new(p->pid, p->start_ns, p->jvm_base);
}

static struct mapping *find_mapping(struct process *p, u64 pc)
{
	u32 at = bisect(i, 0, p->n, p->m[i].end <= pc);

	return at < p->n && pc >= p->m[at].start ? &p->m[at] : NULL;
}

void mappings_process_changed(u32 pid, u64 start_ns, u64 exec_id, u64 miss)
{
	struct process *p = process_get(pid);
	u64 now = boottime_ns();
	const struct mapping *m;
	bool lost;

	if (miss && p->jvm)	/* the known code may be outdated */
		jvm_want(p->jvm);
	if (p->start_ns != start_ns || p->exec_id != exec_id) {
		p->wait_ns = 0;
		p->ended = true;
		p->n = 0;
		jvm_free(p->jvm);
		p->jvm = NULL;
	} else if (now - p->read_ns < p->wait_ns) {
		return;
	}
	p->start_ns = start_ns;
	p->exec_id = exec_id;
	m = find_mapping(p, miss);
	lost = m && m->lost;
	read_mappings(p);
	/* JIT code, and files that cannot be opened, miss for ever: backs off */
	p->wait_ns = miss && (lost || !find_mapping(p, miss)) ?
		min(max(p->wait_ns * 2, FIRST_WAIT_NS), LAST_WAIT_NS) : FIRST_WAIT_NS;
	p->read_ns = now;
	set_dirty(p);
}

bool mappings_want_table(u32 pid, u64 pc)
{
	struct process *p = process_find(pid);
	struct mapping *m = p ? find_mapping(p, pc) : NULL;

	if (!m)
		return false;
	if (m->code && p->jvm)
		return jvm_want(p->jvm);
	if (m->unseen) {
		m->file = files_of_mapping(pid, m->start, m->end);
		m->unseen = false;
		m->lost = !m->file;
		set_dirty(p);
	}
	return m->file && files_want_table(m->file);
}

static void note_file(struct process *p, u32 file)
{
	for (u32 i = 0; i < p->n; i++)
		if (p->m[i].file == file)
			set_dirty(p);
}

void mappings_code_used(u32 pid)
{
	struct process *p = process_find(pid);

	if (p && p->jvm)
		jvm_used(p->jvm);
}

static void drain(struct process *p, u32 arg)
{
	if (p->jvm)
		jvm_drain(p->jvm);
}

void mappings_drain(void)
{
	each_process(drain, 0);
}

void mappings_code_read(struct opener_job *job)
{
	struct process *p = process_find(job->id);

	if (p && p->start_ns == job->start_ns && p->jvm) {
		jvm_opened(p->jvm, job);
		set_dirty(p);
		n_answers++;
	}
	free(job->code);
	job->code = NULL;
}

u64 mappings_answers(void)
{
	return n_answers;
}

void mappings_file_changed(u32 file)
{
	each_process(note_file, file);
}

bool mappings_find(u32 pid, u64 start_ns, u64 exec_id, struct process_mappings *ret)
{
	const struct process *p = process_find(pid);

	if (!p || p->start_ns != start_ns || p->exec_id != exec_id)
		return false;
	*ret = (struct process_mappings){ p->first, p->installed, p->ended };
	return true;
}

u32 mappings_user(u32 file, u64 *ret_start_ns)
{
	hash_each(&processes, const struct process, p)
		for (u32 k = 0; k < p->n; k++)
			if (p->m[k].file == file) {
				*ret_start_ns = p->start_ns;
				return p->pid;
			}
	return 0;
}

bool mappings_has_file(u32 pid, bool (*is_one)(const char *path))
{
	const struct process *p = process_find(pid);

	for (u32 k = 0; p && k < p->n; k++)
		if (p->m[k].file && is_one(file_path(p->m[k].file)))
			return true;
	return false;
}

void mappings_forget_ended(void)
{
	hash_each(&processes, struct process, p) {
		const struct proc *known = proctab_find(p->pid, p->start_ns);

		if (!known || known->closed)
			process_free(p);
	}
}

u64 mappings_refused(void)
{
	return refused;
}

void mappings_open(struct map_ops map)
{
	installed = map;
}

void mappings_close(void)
{
	hash_each(&processes, struct process, p)
		process_free(p);
	hash_free(&processes, NULL);
	any_dirty = false;
}
