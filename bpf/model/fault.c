// SPDX-License-Identifier: GPL-2.0-or-later
/* fault.c: see fault.h. */
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "bpf/model/fault.h"

#define MAX_FRAMES 24		/* including the handler's own */
#define BUILD_BYTES 6		/* of the id, to tell builds apart */

extern const char __executable_start[], etext[];
/* Without a length, as more of the file than the header is read through it. */
extern const char __ehdr_start[];

static const ElfW(Ehdr) *own_header(void)
{
	return (const void *)__ehdr_start;
}

void fault_prepare(void)
{
	void *frame;

	backtrace(&frame, 1);
}

u64 fault_pc(const void *context)
{
	const ucontext_t *u = context;

#ifdef __x86_64__
	return (u64)u->uc_mcontext.gregs[REG_RIP];
#else
	return u->uc_mcontext.pc;
#endif
}

u32 fault_callers(u64 pc, u64 *calls, u32 cap)
{
	void *frames[MAX_FRAMES];
	int n = backtrace(frames, MAX_FRAMES), at = 0;
	u32 n_calls = 0;

	while (at < n && (u64)frames[at] != pc)
		at++;
	for (at++; at < n && n_calls < cap; at++)
		calls[n_calls++] = (u64)frames[at] - 1;
	return n_calls;
}

u64 fault_own(u64 at)
{
	u64 first = (u64)__executable_start;

	if (at < first || at >= (u64)etext)
		return 0;
	return own_header()->e_type == ET_DYN ? at - first : at;
}

/* ---- text ---- */

void fault_add(char *buf, size_t cap, const char *text)
{
	size_t n = strlen(buf);

	while (*text && n + 1 < cap)
		buf[n++] = *text++;
	buf[n] = '\0';
}

void fault_add_hex(char *buf, size_t cap, u64 v)
{
	char digits[19];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	digits[--i] = 'x';
	digits[--i] = '0';
	fault_add(buf, cap, digits + i);
}

/* ---- files ---- */

/* A line of /proc/self/maps: proc_pid_maps(5). */
struct mapping {
	u64 from, to, offset;
	char path[256];		/* truncated */
};

/* Byte by byte: speed does not matter here. */
static bool next_byte(int fd, char *ret)
{
	return read(fd, ret, 1) == 1 && *ret != '\n';
}

static char read_hex(int fd, u64 *ret)
{
	char c = '\0';

	for (*ret = 0; next_byte(fd, &c); ) {
		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (u64)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*ret = *ret << 4 | (u64)(c - 'a' + 10);
		else
			break;
	}
	return c;
}

static bool read_mapping(int fd, struct mapping *m)
{
	size_t n = 0;
	char c = '\0';
	bool in_path = false;

	if (read_hex(fd, &m->from) != '-' || read_hex(fd, &m->to) != ' ')
		return false;
	while (next_byte(fd, &c) && c != ' ')	/* permissions */
		;
	c = read_hex(fd, &m->offset);
	while (c != '\n' && next_byte(fd, &c)) {
		in_path |= c == '/';
		if (in_path && n + 1 < sizeof(m->path))
			m->path[n++] = c;
	}
	m->path[n] = '\0';
	return true;
}

void fault_place(char *buf, size_t cap, u64 at)
{
	struct mapping m, first = { .path = "" };
	u64 own = fault_own(at);
	int fd;

	*buf = '\0';
	if (own) {
		fault_add(buf, cap, "ottop+");
		fault_add_hex(buf, cap, own);
		return;
	}
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read_mapping(fd, &m)) {
		if (!m.offset)
			first = m;	/* a library's first mapping */
		if (at < m.from || at >= m.to)
			continue;
		if (*m.path && !strcmp(m.path, first.path)) {
			fault_add(buf, cap, strrchr(m.path, '/') + 1);
			fault_add(buf, cap, "+");
			at -= first.from;
		}
		break;
	}
	if (fd >= 0)
		close(fd);
	fault_add_hex(buf, cap, at);
}

static void add_id(char *buf, size_t cap, const u8 *id, u32 n)
{
	for (u32 i = 0; i < n && i < BUILD_BYTES; i++) {
		char two[3] = { "0123456789abcdef"[id[i] >> 4], "0123456789abcdef"[id[i] & 15] };

		fault_add(buf, cap, two);
	}
}

/* Note format: elf(5). */
void fault_build(char *buf, size_t cap)
{
	const ElfW(Ehdr) *own = own_header();
	const ElfW(Phdr) *p = (const void *)(__ehdr_start + own->e_phoff);
	u64 bias = own->e_type == ET_DYN ? (u64)__ehdr_start : 0;

	*buf = '\0';
	for (u32 i = 0; i < own->e_phnum; i++) {
		const char *at = (const char *)(bias + p[i].p_vaddr), *end = at + p[i].p_memsz;

		while (p[i].p_type == PT_NOTE && end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *n = (const void *)at;
			const char *name = at + sizeof(*n), *desc = name + (n->n_namesz + 3) / 4 * 4;

			if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && !memcmp(name, "GNU", 4)) {
				add_id(buf, cap, (const u8 *)desc, n->n_descsz);
				return;
			}
			at = desc + (n->n_descsz + 3) / 4 * 4;
		}
	}
}
