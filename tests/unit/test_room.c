// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_room.c: unwind tables where there is little room: the real arena, files and symbolizer. The
 * table of a compiler does not fit: what stacks go through is loaded, and what is used more stays.
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
#include "bpf/stacks/files.h"
#include "bpf/stacks/mappings.h"
#include "symbolizer/ehframe.h"
#include "symbolizer/symbolizer.h"

#define RARE "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"

static int chunks = -1, infos = -1, known = -1;
static char big_path[512];
static struct unwind_table *big;
static u32 big_file, small_file;

/* A file whose table is larger than the arena will be; false: there is none here. */
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

static void take_answers(void)
{
	struct symbolizer_answer a;
	u64 before = files_answers();

	for (u32 i = 0; i < 30000 && files_answers() == before; i++) {
		files_ask_waiting();
		while (symbolizer_receive(&a)) {
			files_table_answer(&a);
			symbolizer_done(&a);
		}
		usleep(1000);
	}
	assert_true(files_answers() > before);
}

static u64 page_word(u32 file, u32 page)
{
	return ((const u64 *)arena_at(files_table(file)))[1 + page];
}

static u32 loaded_pages(void)
{
	u32 n = 0;

	for (u32 i = 0; i < (u32)big->words[0]; i++)
		n += page_word(big_file, i) != UNW_LEFT_OUT;
	return n;
}

/* Stacks go through a page until its table is made again. */
static void use_page(u32 page)
{
	u64 before = files_answers();
	struct symbolizer_answer a;

	for (u32 i = 0; i < 60000 && files_answers() == before; i++) {
		files_used(big_file, ((u64)page << UNW_PAGE_BITS) + 5, boottime_ns());
		files_used(small_file, 0x20000, boottime_ns());
		files_used(small_file, 0x20000, boottime_ns());
		files_ask_waiting();
		while (symbolizer_receive(&a)) {
			files_table_answer(&a);
			symbolizer_done(&a);
		}
		usleep(1000);
	}
	assert_true(files_answers() > before);
}

static void test_parts(void **state)
{
	u32 missing = 0, pages, at_first;

	(void)state;
	if (known < 0 || !big)
		skip();
	pages = (u32)big->words[0];
	small_file = file_of("/lib/x86_64-linux-gnu/libc.so.6");
	assert_true(files_want_table(small_file));
	take_answers();
	assert_true(files_table(small_file) >= TABLE_FIRST);
	files_used(small_file, 0x20000, boottime_ns());
	big_file = file_of(big_path);
	assert_true(files_want_table(big_file));
	take_answers();
	assert_true(files_table(big_file) >= TABLE_FIRST);	/* of main, before: none at all */
	assert_int_equal(files_refused(), 0);
	assert_int_equal(files_in_part(), 1);
	at_first = loaded_pages();
	assert_true(at_first < pages);
	while (page_word(big_file, missing) != UNW_LEFT_OUT || !(u32)big->words[1 + missing])
		assert_true(++missing < pages);
	missing = (missing + pages) / 2;
	use_page(missing);
	assert_true(page_word(big_file, missing) != UNW_LEFT_OUT);
	assert_int_equal((u32)page_word(big_file, missing), (u32)big->words[1 + missing]);
	assert_true(loaded_pages() < pages);
	assert_true(files_table(small_file) >= TABLE_FIRST);	/* it is used more */
	print_message("# %s: %u of %u pages, then %u; %llu let go of\n", big_path, at_first, pages, loaded_pages(),
		      (unsigned long long)files_let_go_of());
}

/* What is used less for its size goes, though it was used a moment ago, and comes back when it is used. */
static void test_least_used_goes(void **state)
{
	u32 rare, page = 0;

	(void)state;
	if (known < 0 || !big || access(RARE, R_OK))
		skip();
	rare = file_of(RARE);
	assert_true(files_want_table(rare));
	take_answers();
	files_used(rare, 0, boottime_ns());
	for (u32 i = 0; i < 60 && !files_let_go_of(); i++) {
		u32 from = page;

		do	/* another page that is not there */
			page = (page + 1) % (u32)big->words[0];
		while (page != from && (page_word(big_file, page) != UNW_LEFT_OUT || !(u32)big->words[1 + page]));
		files_used(rare, 0, boottime_ns());	/* seldom, but lately */
		for (u32 k = 0; k < 40; k++)	/* stacks go through many */
			files_used(big_file, (u64)(page + 3 * k) % (u32)big->words[0] << UNW_PAGE_BITS, boottime_ns());
		use_page(page);
	}
	assert_true(files_let_go_of() > 0);
	assert_int_equal(files_table(rare), TABLE_ABSENT);
	assert_true(files_table(small_file) >= TABLE_FIRST);
	for (u32 i = 0; i < 60000 && files_table(rare) < TABLE_FIRST; i++) {
		struct symbolizer_answer a;

		files_used(rare, 0x40000, boottime_ns());
		files_ask_waiting();
		while (symbolizer_receive(&a)) {
			files_table_answer(&a);
			symbolizer_done(&a);
		}
		usleep(1000);
	}
	assert_true(files_table(rare) >= TABLE_FIRST);
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
	mappings_open((struct served_map){ .map = known, .prog = -1 });
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
		cmocka_unit_test(test_parts), cmocka_unit_test(test_least_used_goes),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
