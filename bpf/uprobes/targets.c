// SPDX-License-Identifier: GPL-2.0-or-later
/* targets.c: see targets.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/host/mapped_file.h"
#include "bpf/host/procfs.h"
#include "bpf/kernel/probes.h"
#include "bpf/uprobes/targets.h"
#include "symbolizer/symbolizer.h"

#define MAX_FILES 4096		/* known; most have none of the functions */
#define MAX_ATTACHED 256
#define MAX_PROGRAMS 4

enum state { FILE_WAITS, FILE_ASKED, FILE_NOTHING, FILE_ATTACHED, FILE_BLOCKED };

struct file {
	struct file_id id;
	char *path;
	int fd;			/* until it was looked at */
	enum state state;
	u64 attached_ns;
	u64 offsets[UPROBE_PLACES];
	struct uprobe_links *links;	/* MAX_PROGRAMS of entries, as many of returns */
};

static const struct uprobe_spec *spec;
static struct file *files;
static u32 n_files, cap_files, n_attached;
static u32 first_number;	/* of files: answers may be of those that were known earlier */
static DIR *scan;

/* ---- files ---- */

static struct file *file_find(const struct stat *st)
{
	for (u32 i = n_files; i-- > 0; )
		if (file_id_is(&files[i].id, st))
			return &files[i];
	return NULL;
}

static void ask(struct file *f)
{
	const char *names[UPROBE_PLACES];
	int err;

	for (u32 i = 0; i < spec->n; i++)
		names[i] = spec->functions[i].symbol;
	err = symbolizer_ask_symbols(first_number + (u32)(f - files), f->fd, names, spec->n);
	if (!err) {
		f->state = FILE_ASKED;
	} else if (err != -EAGAIN) {
		f->state = FILE_NOTHING;
		close(f->fd);
		f->fd = -1;
	}
}

/* Takes the descriptor. */
static struct file *file_of(int fd, const char *path)
{
	struct stat st;
	struct file *f;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return NULL;
	}
	f = file_find(&st);
	if (f || n_files == MAX_FILES) {
		close(fd);
		return f;
	}
	files = grow(files, n_files, &cap_files, sizeof(*files));
	f = &files[n_files];
	*f = (struct file){ .id = file_id_of(&st), .path = xstrdup(path), .fd = fd, .state = FILE_WAITS };
	n_files++;
	ask(f);
	return f;
}

void targets_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		file_of(fd, path);
}

/* ---- attaching ---- */

static bool has_symbol(const struct file *f, const char *symbol)
{
	for (u32 i = 0; i < spec->n; i++)
		if (f->offsets[i] && !strcmp(spec->functions[i].symbol, symbol))
			return true;
	return false;
}

/* Is it in that file, and to be attached to? */
static bool is_wanted(const struct file *f, u32 at)
{
	const struct uprobe_function *fn = &spec->functions[at];

	return f->offsets[at] && !(fn->unless && has_symbol(f, fn->unless)) &&
	       !(fn->with && !has_symbol(f, fn->with));
}

/* All functions of a file that have the same program go by one link. */
static int attach_program(struct file *f, struct bpf_program *prog, bool returns, struct uprobe_links *links)
{
	struct uprobe_place places[UPROBE_PLACES];
	u32 n = 0;
	int err;

	for (u32 i = 0; i < spec->n; i++) {
		const struct uprobe_function *fn = &spec->functions[i];

		if (is_wanted(f, i) && (returns ? fn->returns : fn->entry) == prog)
			places[n++] = (struct uprobe_place){ f->offsets[i], fn->cookie };
	}
	err = n ? uprobe_attach(prog, f->fd, places, n, returns, links) : 0;
	if (n && !err)
		probe_attached(prog);
	return err;
}

static bool is_first(u32 at, bool returns)
{
	const struct uprobe_function *fn = &spec->functions[at];
	struct bpf_program *prog = returns ? fn->returns : fn->entry;

	for (u32 i = 0; i < at; i++)
		if ((returns ? spec->functions[i].returns : spec->functions[i].entry) == prog)
			return false;
	return prog != NULL;
}

/* Returns first: an entry without its return would leave threads marked. */
static int attach_all(struct file *f)
{
	u32 n = 0;

	f->links = xcalloc(2 * MAX_PROGRAMS, sizeof(*f->links));
	for (int returns = 1; returns >= 0; returns--)
		for (u32 i = 0; i < spec->n; i++) {
			const struct uprobe_function *fn = &spec->functions[i];
			int err;

			if (!is_first(i, returns) || n == 2 * MAX_PROGRAMS)
				continue;
			err = attach_program(f, returns ? fn->returns : fn->entry, returns, &f->links[n++]);
			if (err)
				return err;
		}
	return 0;
}

static void detach(struct file *f)
{
	for (u32 i = 0; f->links && i < 2 * MAX_PROGRAMS; i++)
		uprobe_detach(&f->links[i]);
	free(f->links);
	f->links = NULL;
}

static void say_blocked(const struct file *f, const char *why)
{
	const char *name = strrchr(f->path, '/');
	char where[48];

	snprintf(where, sizeof(where), "uprobe/%s", name ? name + 1 : f->path);
	probe_blocked(spec->collector, where, why);
}

/* True for a function that moves data, not only opens or closes a session. */
static bool is_of_use(const struct file *f)
{
	for (u32 i = 0; i < spec->n; i++)
		if (is_wanted(f, i) && (spec->functions[i].returns || spec->functions[i].with))
			return true;
	return false;
}

static void take(struct file *f, const struct symbolizer_answer *a)
{
	int err;

	memcpy(f->offsets, a->offsets, sizeof(f->offsets));
	f->state = FILE_NOTHING;
	if (a->err || !is_of_use(f)) {
		/* unknown whether it has the functions, or it has none */
	} else if (n_attached == MAX_ATTACHED) {
		f->state = FILE_BLOCKED;
		say_blocked(f, "too many files");
	} else if (!(err = attach_all(f))) {
		f->state = FILE_ATTACHED;
		f->attached_ns = boottime_ns();
		n_attached++;
	} else {
		f->state = FILE_BLOCKED;
		detach(f);
		say_blocked(f, probe_why(-err));
	}
	close(f->fd);
	f->fd = -1;
}

void targets_drain(void)
{
	struct symbolizer_answer a;

	while (symbolizer_receive_symbols(&a)) {
		u32 i = a.file - first_number;

		if (i < n_files && files[i].state == FILE_ASKED)
			take(&files[i], &a);
		symbolizer_done(&a);
	}
	for (u32 i = 0; i < n_files; i++)
		if (files[i].state == FILE_WAITS)
			ask(&files[i]);
}

/* ---- processes ---- */

static bool has_name(const char *path)
{
	const char *name = strrchr(path, '/');

	for (u32 i = 0; name && i < spec->n_names; i++)
		if (!strncmp(name + 1, spec->names[i], strlen(spec->names[i])))
			return true;
	return false;
}

/* A line of /proc/PID/maps that is code in a file. */
static struct file *file_of_line(u32 pid, const char *line, bool all)
{
	char perms[5] = "", path[PATH_MAX];
	u64 start, end;
	int at = 0, fd;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &start, &end, perms, &at) < 3 || !at ||
	    perms[2] != 'x' || line[at] != '/' || (!all && !has_name(line + at)))
		return NULL;
	fd = mapped_file_open(pid, start, end, path, sizeof(path));
	return fd < 0 ? NULL : file_of(fd, path);
}

enum uprobe_found targets_process(u32 pid, bool all, u64 *ret_since_ns)
{
	enum uprobe_found found = UPROBE_ENDED;
	char name[64], *line = NULL;
	size_t cap = 0;
	ssize_t n;
	u64 since_ns = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/maps", procfs_living(pid));
	f = fopen(name, "re");
	while (f && (n = getline(&line, &cap, f)) > 0) {
		const struct file *file;

		line[n - 1] = '\0';
		found = found == UPROBE_ENDED ? UPROBE_NOTHING : found;
		file = file_of_line(pid, line, all);
		if (file && file->state == FILE_ATTACHED) {
			found = UPROBE_ATTACHED;
			since_ns = max(since_ns, file->attached_ns);
		}
		else if (file && file->state <= FILE_ASKED && found == UPROBE_NOTHING)
			found = UPROBE_PENDING;
	}
	free(line);
	if (f)
		fclose(f);
	if (ret_since_ns)
		*ret_since_ns = since_ns;
	return found;
}

bool targets_scan(u64 max_ns)
{
	u64 until = boottime_ns() + max_ns;
	struct dirent *e;

	if (!scan)
		scan = opendir("/proc");
	while (scan && (e = readdir(scan))) {
		u32 pid = (u32)strtoul(e->d_name, NULL, 10);

		if (pid)
			targets_process(pid, false, NULL);
		if (boottime_ns() > until)
			return false;
	}
	if (scan)
		closedir(scan);
	scan = NULL;
	return true;
}

/* ---- open and close ---- */

void targets_open(const struct uprobe_spec *s)
{
	spec = s;
}

void targets_close(void)
{
	for (u32 i = 0; i < n_files; i++) {
		detach(&files[i]);
		free(files[i].path);
		file_close(files[i].fd);
	}
	if (scan)
		closedir(scan);
	scan = NULL;
	first_number += n_files;
	free(files);
	files = NULL;
	n_files = cap_files = n_attached = 0;
	spec = NULL;
}
