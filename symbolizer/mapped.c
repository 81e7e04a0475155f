// SPDX-License-Identifier: GPL-2.0-or-later
/* mapped.c: see mapped.h. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolizer/mapped.h"

struct mapped {
	struct mapped *next, *all_next;
	u8 *start;	/* its first page */
	size_t size;	/* a multiple of the page size */
	u64 at;		/* at, n: the requested range of the file */
	size_t n;
};

static struct mapped *all;
static struct sigaction before;	/* the previous SIGBUS handler */

static const struct mapped *mapping_of(const u8 *at)
{
	for (const struct mapped *m = all; m; m = m->all_next)
		if (at >= m->start && at < m->start + m->size)
			return m;
	return NULL;
}

/* Other faults get the previous handler: it is reinstalled and the instruction repeated. */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	u8 *at = (u8 *)info->si_addr - (uintptr_t)info->si_addr % (size_t)sysconf(_SC_PAGESIZE);
	const struct mapped *m = mapping_of(at);
	size_t left = m ? (size_t)(m->start + m->size - at) : 0;

	if (!m || mmap(at, left, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		sigaction(sig, &before, NULL);
}

static void catch_bus_errors(void)
{
	struct sigaction mine = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK }, now;

	sigaction(SIGBUS, NULL, &now);
	if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus_error)
		return;
	before = now;
	sigaction(SIGBUS, &mine, NULL);
}

const u8 *mapped_add(struct mapped **list, int fd, u64 at, size_t n)
{
	u64 before_page = at % (u64)sysconf(_SC_PAGESIZE);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (before_page + n + page - 1) / page * page;
	struct mapped *m;
	void *start;

	for (m = *list; m; m = m->next)	/* requested before */
		if (m->at == at && m->n == n)
			return m->start + before_page;
	catch_bus_errors();
	start = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, (off_t)(at - before_page));
	if (start == MAP_FAILED)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	*m = (struct mapped){ .next = *list, .all_next = all, .start = start, .size = size, .at = at, .n = n };
	all = *list = m;
	return m->start + before_page;
}

void mapped_rest(const struct mapped *list)
{
	for (; list; list = list->next)
		madvise(list->start, list->size, MADV_DONTNEED);
}

void mapped_free(struct mapped **list)
{
	struct mapped *m;

	while ((m = *list)) {
		struct mapped **p = &all;

		while (*p != m)
			p = &(*p)->all_next;
		*p = m->all_next;
		*list = m->next;
		munmap(m->start, m->size);
		free(m);
	}
}
