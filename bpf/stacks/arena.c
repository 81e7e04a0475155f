// SPDX-License-Identifier: GPL-2.0-or-later
/* arena.c: see arena.h. First fit in a list that is sorted by address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/stacks/arena.h"

#define CHUNK_BYTES ((size_t)ARENA_CHUNK_LINES * sizeof(struct arena_line))
#define FIRST_LINE 4u		/* numbers below are special: TABLE_... */
#define SETTLE_NS NSEC_PER_SEC	/* longer than any program runs */

struct extent {
	u32 first, n;
	u64 freed_ns;	/* 0: in use */
};

static struct extent *extents;	/* sorted by first */
static u32 n_extents, cap_extents;
static struct arena_line *lines;	/* room for all chunks; those that exist are mapped there */
static int chunks = -1;
static u32 n_chunks, max_chunks = ARENA_CHUNKS;
static int fds[ARENA_CHUNKS];

/* Creates chunk i, without putting it into the map. */
static bool make_chunk(u32 i)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ottop_unwind", 4, sizeof(*lines),
			    ARENA_CHUNK_LINES, &opts);
	if (fd < 0)
		return false;
	if (mmap(lines + (size_t)i * ARENA_CHUNK_LINES, CHUNK_BYTES, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
		close(fd);
		return false;
	}
	fds[i] = fd;
	return true;
}

static bool put_one_by_one(u32 first, u32 n)
{
	for (u32 i = first; i < first + n; i++)
		if (bpf_map_update_elem(chunks, &i, &fds[i], BPF_ANY))
			return false;
	return true;
}

/*
 * An insertion into a map of maps waits for a grace period: all in one call where possible (5.19).
 */
static bool put_chunks(u32 first, u32 n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	u32 numbers[ARENA_CHUNKS], count = n;

	for (u32 i = 0; i < n; i++)
		numbers[i] = first + i;
	return !bpf_map_update_batch(chunks, numbers, &fds[first], &count, &opts) ||
	       put_one_by_one(first, n);
}

/* Grows the arena to n chunks. */
static bool have_chunks(u32 n)
{
	u32 first = n_chunks, made = first;

	if (n <= first)
		return true;
	if (n > max_chunks)
		return false;
	while (made < n && make_chunk(made))
		made++;
	if (made == n && put_chunks(first, n - first)) {
		n_chunks = n;
		return true;
	}
	while (made > first)
		close(fds[--made]);
	return false;
}

int arena_open(int chunks_fd)
{
	void *room = mmap(NULL, ARENA_CHUNKS * CHUNK_BYTES, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return -errno;
	lines = room;
	chunks = chunks_fd;
	/* for tests: a small arena */
	if (getenv("OTTOP_UNWIND_CHUNKS"))
		max_chunks = max(1, min(atoi(getenv("OTTOP_UNWIND_CHUNKS")), ARENA_CHUNKS));
	return have_chunks(1) ? 0 : -ENOMEM;
}

void arena_close(void)
{
	if (lines)
		munmap(lines, ARENA_CHUNKS * CHUNK_BYTES);
	while (n_chunks)
		close(fds[--n_chunks]);
	free(extents);
	lines = NULL;
	extents = NULL;
	n_extents = cap_extents = 0;
}

static void forget_freed(u64 before_ns)
{
	u32 out = 0;

	for (u32 i = 0; i < n_extents; i++)
		if (!extents[i].freed_ns || extents[i].freed_ns >= before_ns)
			extents[out++] = extents[i];
	n_extents = out;
}

void arena_settle(void)
{
	forget_freed(UINT64_MAX);
}

/* The extent before which there is room for n lines; *ret_first: where. */
static u32 find_gap(u32 n, u32 *ret_first)
{
	u32 at = FIRST_LINE, i;

	for (i = 0; i < n_extents && extents[i].first - at < n; i++)
		at = extents[i].first + extents[i].n;
	*ret_first = at;
	return i;
}

u32 arena_alloc(u32 n)
{
	u32 first, i;

	if (!n || n > max_chunks * ARENA_CHUNK_LINES)
		return 0;
	forget_freed(boottime_ns() - SETTLE_NS);
	i = find_gap(n, &first);
	if ((u64)first + n > (u64)max_chunks * ARENA_CHUNK_LINES)
		return 0;
	if (!have_chunks((first + n + ARENA_CHUNK_LINES - 1) / ARENA_CHUNK_LINES))
		return 0;
	extents = grow(extents, n_extents, &cap_extents, sizeof(*extents));
	memmove(&extents[i + 1], &extents[i], (n_extents - i) * sizeof(*extents));
	extents[i] = (struct extent){ .first = first, .n = n };
	n_extents++;
	return first;
}

bool arena_grows(u32 n)
{
	u32 first;

	forget_freed(boottime_ns() - SETTLE_NS);
	find_gap(n, &first);
	return (u64)first + n > (u64)n_chunks * ARENA_CHUNK_LINES;
}

u32 arena_cap(void)
{
	return max_chunks * ARENA_CHUNK_LINES;
}

u32 arena_largest(void)
{
	u32 at = FIRST_LINE, most = 0;

	forget_freed(boottime_ns() - SETTLE_NS);
	for (u32 i = 0; i < n_extents; i++) {
		most = max(most, extents[i].first - at);
		at = extents[i].first + extents[i].n;
	}
	return max(most, max_chunks * ARENA_CHUNK_LINES - at);
}

void arena_free(u32 first)
{
	u32 at = bisect(i, 0, n_extents, extents[i].first < first);

	if (first && at < n_extents && extents[at].first == first)
		extents[at].freed_ns = boottime_ns();
}

struct arena_line *arena_at(u32 line)
{
	return line < n_chunks * ARENA_CHUNK_LINES ? &lines[line] : NULL;
}

u64 arena_bytes(void)
{
	return n_chunks * CHUNK_BYTES;
}

u32 arena_lines_used(void)
{
	u32 n = 0;

	for (u32 i = 0; i < n_extents; i++)
		n += extents[i].freed_ns ? 0 : extents[i].n;
	return n;
}
