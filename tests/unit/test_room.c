// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_room.c: unwind tables with little room: the real arena, files and symbolizer. A compiler's
 * table does not fit: the functions in stacks are loaded, and the most used stay.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "bpf/stacks/arena.h"
#include "bpf/stacks/aside.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/files_state.h"
#include "bpf/stacks/rules.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/parts.h"
#include "symbolizer/ehframe.h"
#include "symbolizer/symbolizer.h"

#define RARE "/bin/bash"	/* its table is loaded whole */

static int chunks = -1, infos = -1, known = -1;
static char big_path[512];
static struct unwind_table *big;
static u32 big_file, small_file;

/* A file with a table larger than the arena will be; false: none found. */
static bool find_big(void)
{
	FILE *f = popen("gcc -print-prog-name=cc1; ls /usr/bin/node /usr/lib/x86_64-linux-gnu/libLLVM-*.so.1", "r");
	int fd;

	while (f && !big && fgets(big_path, sizeof(big_path), f)) {
		big_path[strcspn(big_path, "\n")] = '\0';
		fd = open(big_path, O_RDONLY | O_CLOEXEC);
		big = fd < 0 ? NULL : unwind_table_read(fd, NULL);
		if (fd >= 0)
			close(fd);
		if (big && big->n_words < ARENA_CHUNK_LINES * 4) {
			unwind_table_free(big);
			big = NULL;
		}
	}
	if (f)
		pclose(f);
	return big;
}

static u32 file_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;
	u32 file;

	assert_int_equal(fstat(fd, &st), 0);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_true(at != MAP_FAILED);
	file = files_of_mapping((u32)getpid(), (u64)at, ((u64)at + (u64)st.st_size + 4095) & ~4095ull);
	munmap(at, (size_t)st.st_size);
	close(fd);
	assert_int_not_equal(file, 0);
	return file;
}

static void take_what_comes(void)
{
	struct symbolizer_answer a;

	files_ask_waiting();
	while (symbolizer_receive(&a)) {
		files_table_answer(&a);
		symbolizer_done(&a);
	}
	usleep(1000);
}

static void take_answers(void)
{
	u64 before = files_answers();

	for (u32 i = 0; i < 30000 && files_answers() == before; i++)
		take_what_comes();
	assert_true(files_answers() > before);
}

static u64 page_word(u32 file, u32 page)
{
	return ((const u64 *)arena_at(files_table(file)))[1 + page];
}

static const u64 *loaded(u32 file, u32 page, u32 *ret_n)
{
	u64 word = page_word(file, page);

	*ret_n = word == UNW_LEFT_OUT ? 0 : (u32)word;
	return (const u64 *)arena_at(files_table(file)) + 1 + (u32)big->words[0];
}

/* The rule that the kernel side would find there; NULL: it is left out. */
static const struct unw_info *loaded_rule(u64 addr)
{
	u32 n, first = (u32)(page_word(big_file, (u32)(addr >> UNW_PAGE_BITS)) >> 32), number = UNW_INFO_LEFT_OUT;
	const u64 *rows = loaded(big_file, (u32)(addr >> UNW_PAGE_BITS), &n);

	for (u32 i = first; i < first + n; i++) {
		u32 row = (u32)(rows[i / 2] >> (i % 2 * 32));

		if ((row & 0xffff) > (addr & 0xffff))
			break;
		number = row >> 16;
	}
	return number == UNW_INFO_LEFT_OUT ? NULL : rules_info(number);
}

/* An address in the middle of the code that has a rule, and has none in the arena. */
static u64 missing_addr(u64 from)
{
	u64 end = (u64)(u32)big->words[0] << UNW_PAGE_BITS;

	while (from < end && (loaded_rule(from) || unwind_table_find(big, big->base + from)->cfa != UNW_CFA_SP))
		from += 1 << PART_BITS;
	assert_true(from < end);
	return from;
}

/* Stacks go through there until the table is made again. */
static void use_addr(u64 addr)
{
	for (u32 i = 0; i < 60000 && (files_table(big_file) < TABLE_FIRST || !loaded_rule(addr)); i++) {
		files_used(big_file, addr, boottime_ns());
		files_used(small_file, 0x20000, boottime_ns());
		files_used(small_file, 0x20000, boottime_ns());
		take_what_comes();
	}
	assert_true(files_table(big_file) >= TABLE_FIRST);
	assert_non_null(loaded_rule(addr));
}

static void test_parts(void **state)
{
	u64 a, b;

	(void)state;
	if (known < 0 || !big)
		skip();
	small_file = file_of("/lib/x86_64-linux-gnu/libc.so.6");
	assert_true(files_want_table(small_file));
	take_answers();
	assert_true(files_table(small_file) >= TABLE_FIRST);
	files_used(small_file, 0x20000, boottime_ns());
	big_file = file_of(big_path);
	assert_true(files_want_table(big_file));
	take_answers();
	assert_true(files_table(big_file) >= TABLE_FIRST);
	assert_int_equal(files_refused(), 0);
	assert_int_equal(files_squeezed(), 0);
	assert_true(aside_table(big_file));	/* stacks that are copied are whole at once */
	a = missing_addr((u64)(u32)big->words[0] << (UNW_PAGE_BITS - 1));
	use_addr(a);
	assert_memory_equal(loaded_rule(a), unwind_table_find(big, big->base + a), sizeof(struct unw_info));
	b = missing_addr(a + 0x40000);
	use_addr(b);
	assert_non_null(loaded_rule(a));	/* what was there stays */
	assert_true(arena_lines_used() < arena_cap() / 2);	/* functions, not pages */
	missing_addr(0);
	assert_true(files_table(small_file) >= TABLE_FIRST);	/* it is used more */
}

/*
 * The table with the least use for its size is evicted, even if used a moment ago, and reloaded on
 * use.
 */
static void test_least_used_goes(void **state)
{
	u64 addr = 0;
	u32 rare;

	(void)state;
	if (known < 0 || !big || access(RARE, R_OK))
		skip();
	rare = file_of(RARE);
	assert_true(files_want_table(rare));
	take_answers();
	files_used(rare, 0, boottime_ns());
	for (u32 i = 0; i < 60 && !files_evicted(); i++) {
		files_used(rare, 0, boottime_ns());	/* seldom, but lately */
		for (u32 k = 0; k < 3000; k++, addr += 1 << PART_BITS)	/* stacks go through many */
			files_used(big_file, addr % ((u64)(u32)big->words[0] << UNW_PAGE_BITS), boottime_ns());
		use_addr(missing_addr(0));
	}
	assert_true(files_evicted() > 0);
	assert_int_equal(files_table(rare), TABLE_NO_ROOM);
	assert_true(files_table(small_file) >= TABLE_FIRST);
	for (u32 i = 0; i < 60000 && files_table(rare) < TABLE_FIRST; i++) {
		files_used(rare, 0x40000, boottime_ns());
		take_what_comes();
	}
	assert_true(files_table(rare) >= TABLE_FIRST);
	for (u32 i = 0; i < 60000 && !files_squeezed(); i++) {	/* stacks go through all of it */
		for (u64 at = 0; at < (u64)(u32)big->words[0] << UNW_PAGE_BITS; at += 1 << PART_BITS)
			files_used(big_file, at, boottime_ns());
		take_what_comes();
	}
	assert_int_equal(files_squeezed(), 1);
}

/* Frames that need a missing part, until it is requested. */
static u32 uses_until_asked(u64 addr)
{
	struct file *f = &stack_files[big_file];
	u32 n = 0;

	assert_int_equal(f->state, FILE_READY);
	while (n < 100000 && f->state == FILE_READY) {
		files_used(big_file, addr, UINT64_MAX);
		n++;
	}
	assert_int_not_equal(f->state, FILE_READY);
	use_addr(addr);
	return n;
}

/*
 * An expensive part is made for many stacks at once; if stacks would be truncated without it,
 * immediately.
 */
static void test_worth_it(void **state)
{
	struct file *f;

	(void)state;
	if (known < 0 || !big)
		skip();
	f = &stack_files[big_file];
	while (f->state != FILE_READY)
		take_what_comes();
	f->missed = 0;
	f->cpu_ns = 10 * NSEC_PER_MSEC;
	assert_in_range(uses_until_asked(missing_addr(0)), 20, 2000);
	f->missed = 0;
	f->cpu_ns = 100 * NSEC_PER_SEC;
	aside_drop(big_file);
	assert_int_equal(uses_until_asked(missing_addr(0)), 1);
}

static void make_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
	LIBBPF_OPTS(bpf_map_create_opts, outer);
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "", 4, sizeof(struct arena_line), ARENA_CHUNK_LINES,
				   &shared);

	outer.inner_map_fd = (u32)inner;
	chunks = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "", 4, 4, ARENA_CHUNKS, &outer);
	close(inner);
	infos = bpf_map_create(BPF_MAP_TYPE_ARRAY, "", 4, sizeof(struct unw_info), UNW_MAX_INFOS, &shared);
	known = bpf_map_create(BPF_MAP_TYPE_HASH, "", 4, sizeof(struct unw_process), 64, &sparse);
}

static int open_all(void **state)
{
	(void)state;
	setenv("OTTOP_UNWIND_CHUNKS", "1", 1);
	if (!geteuid())
		make_maps();	/* else there is nothing to test with */
	if (known < 0 || !find_big())
		return 0;
	mappings_open((struct map_ops){ .map = known, .prog = -1 });
	assert_int_equal(arena_open(chunks), 0);
	assert_int_equal(files_open(infos), 0);
	assert_int_equal(symbolizer_start(), 0);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	if (known >= 0 && big) {
		mappings_close();
		files_close();
		arena_close();
		symbolizer_stop();
	}
	unwind_table_free(big);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts), cmocka_unit_test(test_worth_it), cmocka_unit_test(test_least_used_goes),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
