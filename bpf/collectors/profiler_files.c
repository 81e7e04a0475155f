// SPDX-License-Identifier: GPL-2.0-or-later
/* profiler_files.c: see profiler_files.h. Sampler thread only. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/proctab.h"
#include "bpf/collectors/profiler.h"
#include "bpf/collectors/profiler_files.h"
#include "symbolizer/symbolizer.h"

#define TABLE_CAP_BYTES (12u << 20)
#define MAX_OPEN 65536
#define FIRST_WAIT_NS (20 * NSEC_PER_MSEC)
#define LAST_WAIT_NS (5 * NSEC_PER_SEC)

enum file_state { FILE_NEW, FILE_ASKED, FILE_READY, FILE_BAD, FILE_EVICTED };

struct file {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, written;
	char *path;
	char build_id[2 * BUILD_ID_MAX + 1];
	int fd, map_fd;
	enum file_state state;
	struct symbolizer_segment segments[4];
	u32 n_segments, n_words;
	u64 base;
};

/* An executable mapping as /proc/PID/maps has it. */
struct mapping {
	u64 start, end, offset;
	u32 file;	/* 0: no file */
};

struct process {
	u32 pid;
	u64 start_ns, exec_id;
	struct mapping *m;
	u32 n;
	bool dirty;	/* the kernel side knows less than we do */
	u64 read_ns, wait_ns;	/* mappings were read then; not again before so long */
};

static struct file *files;	/* [0] is none */
static u32 n_files, cap_files;
static struct process *processes;
static u32 n_processes, cap_processes;
static struct profiler_maps maps;
/*
 * Shared with the kernel side by mapping it: a bpf(2) update switches classic
 * tracepoint programs off on its CPU for as long as it runs (or is preempted).
 */
static struct unw_info *infos;
static u32 n_infos;
static u64 table_bytes, refused;
static u32 vdso_file;

/* ---- files ---- */

static u32 file_find(const struct stat *st)
{
	for (u32 i = 1; i < n_files; i++)
		if (files[i].ino == st->st_ino && files[i].dev == st->st_dev &&
		    files[i].size == st->st_size &&
		    files[i].changed.tv_sec == st->st_ctim.tv_sec &&
		    files[i].changed.tv_nsec == st->st_ctim.tv_nsec)
			return i;
	return 0;
}

static u32 file_add(const struct stat *st, int fd, const char *path)
{
	struct file *f;

	if (!n_files) {
		files = grow(files, 0, &cap_files, sizeof(*files));
		memset(&files[0], 0, sizeof(*files));
		n_files = 1;
	}
	if (n_files > UINT16_MAX) {
		close(fd);
		return 0;
	}
	files = grow(files, n_files, &cap_files, sizeof(*files));
	f = &files[n_files];
	*f = (struct file){
		.dev = st->st_dev, .ino = st->st_ino, .size = st->st_size,
		.changed = st->st_ctim, .written = st->st_mtim, .path = xstrdup(path), .fd = fd, .map_fd = -1,
	};
	return n_files++;
}

/*
 * The file behind a mapping, opened so that what was deleted or replaced is
 * still found, seen from the process's own mount namespace.
 */
static int open_mapped(u32 pid, u64 start, u64 end, const char *path)
{
	char name[512];
	int fd;

	snprintf(name, sizeof(name), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && path[0] == '/') {
		snprintf(name, sizeof(name), "/proc/%u/root%s", pid, path);
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	return fd;
}

/* Written over since it was met, as cp does: its names and tables are another's. */
static bool is_unchanged(const struct file *f)
{
	struct stat st;

	return !fstat(f->fd, &st) && st.st_size == f->size &&
	       st.st_mtim.tv_sec == f->written.tv_sec && st.st_mtim.tv_nsec == f->written.tv_nsec;
}

/* The file that the same line of another process, or of an earlier reading, meant. */
static u32 file_known(const char *dev, u64 ino, const char *path)
{
	unsigned major_, minor_;

	if (!ino || sscanf(dev, "%x:%x", &major_, &minor_) != 2)
		return 0;
	for (u32 i = n_files; i-- > 1; )
		if (files[i].ino == ino && files[i].dev == makedev(major_, minor_) &&
		    !strcmp(files[i].path, path) && is_unchanged(&files[i]))
			return i;
	return 0;
}

static u32 file_of_mapping(u32 pid, const struct mapping *m, const char *path)
{
	struct stat st;
	int fd = open_mapped(pid, m->start, m->end, path);
	u32 file;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {	/* a device or FIFO is never read */
		close(fd);
		return 0;
	}
	file = file_find(&st);
	if (!file)
		return file_add(&st, fd, path);
	close(fd);
	return file;
}

/* The kernel gives every process the same one: ours will do. */
static u32 vdso(void)
{
	u64 at = getauxval(AT_SYSINFO_EHDR);
	struct stat st;
	int fd;

	if (vdso_file || !at)
		return vdso_file;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	/* two pages at most; the second may not be there */
	if (write(fd, (const void *)at, 8192) <= 0 && write(fd, (const void *)at, 4096) <= 0) {
		close(fd);
		return 0;
	}
	fstat(fd, &st);
	vdso_file = file_add(&st, fd, "[vdso]");
	return vdso_file;
}

static void ask_table(u32 file)
{
	struct file *f = &files[file];

	if ((f->state == FILE_NEW || f->state == FILE_EVICTED) && f->fd >= 0 && !symbolizer_ask_table(file, f->fd))
		f->state = FILE_ASKED;
}

/* ---- processes ---- */

static struct process *process_find(u32 pid)
{
	for (u32 i = 0; i < n_processes; i++)
		if (processes[i].pid == pid)
			return &processes[i];
	return NULL;
}

static struct process *process_get(u32 pid)
{
	struct process *p = process_find(pid);

	if (p)
		return p;
	processes = grow(processes, n_processes, &cap_processes, sizeof(*processes));
	p = &processes[n_processes++];
	*p = (struct process){ .pid = pid };
	return p;
}

/* File offset -> address, minus the table's base: what makes bias = start - that. */
static bool mapping_addr(const struct file *f, const struct mapping *m, u64 *ret)
{
	for (u32 i = 0; i < f->n_segments; i++) {
		const struct symbolizer_segment *s = &f->segments[i];
		u64 page = s->offset & ~4095ull;	/* mappings start at a page */

		if (m->offset >= page && m->offset < s->offset + s->size) {
			*ret = m->offset - s->offset + s->addr - f->base;
			return true;
		}
	}
	return false;
}

/* Tells the kernel side what is known of this process now. */
static void install(const struct process *p)
{
	static struct unw_process value;
	u32 n = min(p->n, (u32)MAX_MAPPINGS);

	memset(&value, 0, sizeof(value));
	value.start_ns = p->start_ns;
	value.exec_id = p->exec_id;
	value.asked_ns = boottime_ns();
	value.n = n;
	for (u32 i = 0; i < n; i++) {
		const struct mapping *m = &p->m[i];
		u64 addr;

		value.m[i].start = m->start;
		value.m[i].end = m->end;
		if (m->file && files[m->file].state == FILE_READY &&
		    mapping_addr(&files[m->file], m, &addr)) {
			value.m[i].file = m->file;
			value.m[i].bias = m->start - addr;
		}
	}
	bpf_map_update_elem(bpf_map__fd(maps.processes), &p->pid, &value, BPF_ANY);
}

static void take_mapping(struct process *p, u32 *cap, const char *line)
{
	struct mapping m = {};
	char perms[8], dev[16];
	u64 ino;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %15s %" SCNu64 " %n", &m.start,
		   &m.end, perms, &m.offset, dev, &ino, &at) < 6 || perms[2] != 'x')
		return;
	if (!strcmp(line + at, "[vdso]"))
		m.file = vdso();
	else if (line[at] == '/')
		m.file = file_known(dev, ino, line + at) ?:
			 file_of_mapping(p->pid, &m, line + at);
	else if (!strcmp(line + at, "[vsyscall]"))
		return;
	if (m.file)
		ask_table(m.file);
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

	snprintf(path, sizeof(path), "/proc/%u/maps", p->pid);
	f = fopen(path, "re");
	if (!f)
		return;
	free(p->m);
	p->m = NULL;
	p->n = 0;
	while ((n = getline(&line, &cap_line, f)) > 0) {
		line[n - 1] = '\0';
		take_mapping(p, &cap, line);
	}
	free(line);
	fclose(f);
}

void files_process_changed(u32 pid, u64 start_ns, u64 exec_id)
{
	struct process *p = process_get(pid);
	u64 now = boottime_ns();

	if (p->start_ns != start_ns || p->exec_id != exec_id)
		p->wait_ns = 0;
	else if (now - p->read_ns < p->wait_ns)
		return;
	/* code that is in no file misses for ever: ask less and less often */
	p->wait_ns = min(max(p->wait_ns * 2, FIRST_WAIT_NS), LAST_WAIT_NS);
	p->read_ns = now;
	p->start_ns = start_ns;
	p->exec_id = exec_id;
	read_mappings(p);
	p->dirty = true;
}

static void process_drop(u32 i)
{
	bpf_map_delete_elem(bpf_map__fd(maps.processes), &processes[i].pid);
	free(processes[i].m);
	processes[i] = processes[--n_processes];
}

void files_forget_ended(void)
{
	for (u32 i = n_processes; i-- > 0; ) {
		const struct proc *p = proctab_find(processes[i].pid, processes[i].start_ns);

		if (!p || p->closed)
			process_drop(i);
	}
	for (u32 i = 1; i < n_files; i++)	/* the symbolizer was busy when it was met */
		if (files[i].state == FILE_NEW)
			ask_table(i);
}

/* ---- tables ---- */

/* Numbers of one file's infos -> numbers of the map all files share. */
static bool map_infos(const struct symbolizer_answer *a, u16 *ret)
{
	for (u32 i = 0; i < a->n_infos; i++) {
		u32 k = 0;

		while (k < n_infos && memcmp(&infos[k], &a->infos[i], sizeof(infos[0])))
			k++;
		if (k == UNW_MAX_INFOS)
			return false;
		if (k == n_infos)
			infos[n_infos++] = a->infos[i];
		ret[i] = (u16)k;
	}
	return true;
}

static u32 map_row(u32 row, const u16 *numbers)
{
	return UNW_ROW(row, numbers[row >> 16]);
}

static void copy_words(u64 *to, const struct symbolizer_answer *a, const u16 *numbers)
{
	u32 head = 1 + (u32)a->words[0];

	memcpy(to, a->words, head * sizeof(u64));
	for (u32 i = head; i < a->n_words; i++)
		to[i] = (u64)map_row((u32)(a->words[i] >> 32), numbers) << 32 |
			map_row((u32)a->words[i], numbers);
}

static bool file_in_use(u32 file)
{
	for (u32 i = 0; i < n_processes; i++)
		for (u32 k = 0; k < processes[i].n; k++)
			if (processes[i].m[k].file == file)
				return true;
	return false;
}

/* Makes room by dropping tables of files that no process has mapped any more. */
static bool make_room(size_t bytes)
{
	for (u32 i = 1; i < n_files && table_bytes + bytes > TABLE_CAP_BYTES; i++) {
		struct file *f = &files[i];

		if (f->map_fd < 0 || file_in_use(i))
			continue;
		bpf_map_delete_elem(bpf_map__fd(maps.files), &i);
		close(f->map_fd);
		f->map_fd = -1;
		f->state = FILE_EVICTED;
		table_bytes -= (size_t)f->n_words * sizeof(u64);
	}
	return table_bytes + bytes <= TABLE_CAP_BYTES;
}

static int load_table(struct file *f, u32 number, const struct symbolizer_answer *a)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	static u16 numbers[UNW_MAX_INFOS];
	size_t bytes = (size_t)a->n_words * sizeof(u64);
	void *to;
	int fd;

	if (!make_room(bytes) || !map_infos(a, numbers))
		return -ENOSPC;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ottop_unwind", 4, 8, a->n_words, &opts);
	if (fd < 0)
		return fd;
	to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (to == MAP_FAILED || (copy_words(to, a, numbers), munmap(to, bytes)) ||
	    bpf_map_update_elem(bpf_map__fd(maps.files), &number, &fd, BPF_ANY)) {
		close(fd);
		return -errno;
	}
	f->map_fd = fd;
	f->n_words = a->n_words;
	f->base = a->base;
	table_bytes += bytes;
	return 0;
}

static void put_hex(char *to, const u8 *bytes, u32 n)
{
	for (u32 i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

void files_table_answer(const struct symbolizer_answer *a)
{
	struct file *f = a->file < n_files ? &files[a->file] : NULL;
	int err = 0;

	if (!f || !a->file)
		return;
	put_hex(f->build_id, a->build_id, a->build_id_len);
	memcpy(f->segments, a->segments, sizeof(f->segments));
	f->n_segments = a->n_segments;
	if (!a->err && a->words)
		err = load_table(f, a->file, a);
	refused += err != 0;
	/* without a table frame pointers are tried, but names and addresses are right */
	f->state = a->err ? FILE_BAD : FILE_READY;
	for (u32 i = 0; i < n_processes; i++)
		for (u32 k = 0; k < processes[i].n; k++)
			if (processes[i].m[k].file == a->file)
				processes[i].dirty = true;
}

void files_install(void)
{
	for (u32 i = 0; i < n_processes; i++) {
		if (!processes[i].dirty)
			continue;
		processes[i].dirty = false;
		install(&processes[i]);
	}
}

/* ---- what others ask ---- */

const char *file_path(u32 file)
{
	return file && file < n_files ? files[file].path : NULL;
}

const char *file_build_id(u32 file)
{
	return file && file < n_files ? files[file].build_id : "";
}

int file_fd(u32 file)
{
	return file && file < n_files ? files[file].fd : -1;
}

u64 file_addr(u32 file, u64 reported)
{
	return file && file < n_files ? files[file].base + reported : reported;
}

bool file_is_bad(u32 file)
{
	return file && file < n_files && files[file].state == FILE_BAD;
}

u32 file_user(u32 file, u64 *ret_start_ns)
{
	for (u32 i = 0; i < n_processes; i++)
		for (u32 k = 0; k < processes[i].n; k++)
			if (processes[i].m[k].file == file) {
				*ret_start_ns = processes[i].start_ns;
				return processes[i].pid;
			}
	return 0;
}

u32 files_resolve(u32 pid, u64 start_ns, u64 exec_id, u64 addr, u64 *ret_addr)
{
	const struct process *p = process_find(pid);
	u64 base;

	if (!p || p->start_ns != start_ns || p->exec_id != exec_id)
		return 0;
	for (u32 i = 0; i < p->n; i++) {
		const struct mapping *m = &p->m[i];

		if (addr < m->start || addr >= m->end)
			continue;
		if (!m->file)
			return 0;
		if (!mapping_addr(&files[m->file], m, &base))
			return FILE_PENDING;
		*ret_addr = addr - m->start + base;
		return m->file;
	}
	return 0;
}

u64 files_refused(void)
{
	return refused;
}

u64 files_table_bytes(void)
{
	return table_bytes;
}

/* One descriptor a file, and one a debug file: the usual 1024 are soon used up. */
static void raise_file_limit(void)
{
	struct rlimit r;

	if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_cur < min(r.rlim_max, (rlim_t)MAX_OPEN)) {
		r.rlim_cur = min(r.rlim_max, (rlim_t)MAX_OPEN);
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int files_open(const struct profiler_maps *m)
{
	void *shared = mmap(NULL, UNW_MAX_INFOS * sizeof(*infos), PROT_READ | PROT_WRITE,
			    MAP_SHARED, bpf_map__fd(m->infos), 0);

	if (shared == MAP_FAILED)
		return -errno;
	raise_file_limit();
	maps = *m;
	infos = shared;
	n_infos = 1;	/* [0] is "none": all zero */
	return 0;
}

void files_close(void)
{
	for (u32 i = 1; i < n_files; i++) {
		free(files[i].path);
		if (files[i].fd >= 0)
			close(files[i].fd);
		if (files[i].map_fd >= 0)
			close(files[i].map_fd);
	}
	for (u32 i = 0; i < n_processes; i++)
		free(processes[i].m);
	if (infos)
		munmap(infos, UNW_MAX_INFOS * sizeof(*infos));
	infos = NULL;
	free(files);
	free(processes);
	files = NULL;
	processes = NULL;
	n_files = cap_files = n_processes = cap_processes = n_infos = vdso_file = 0;
	table_bytes = 0;
}
