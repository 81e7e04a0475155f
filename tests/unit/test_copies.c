// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_copies.c: stacks of processes without tables: the real arena, files, mappings and
 * symbolizer, without the sampling program. The process is this one, and its own stack is copied.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <lzma.h>

#include "bpf/stacks/arena.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/user_walk.h"
#include "symbolizer/symbolizer.h"
#include "symbolizer/unwind.h"
#include "tests/unit/patience.h"

#define HOLE_PAGES 4

static int chunks = -1, infos = -1, known = -1;
static u32 me;
static struct wire_copy copy;
static u32 n_walked, n_whole, last_end;

static void make_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
	LIBBPF_OPTS(bpf_map_create_opts, outer);
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "", 4, sizeof(struct arena_line),
				   ARENA_CHUNK_LINES, &shared);

	outer.inner_map_fd = (u32)inner;
	chunks = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "", 4, 4, ARENA_CHUNKS, &outer);
	close(inner);
	infos = bpf_map_create(BPF_MAP_TYPE_ARRAY, "", 4, sizeof(struct unw_info), UNW_MAX_INFOS, &shared);
	known = bpf_map_create(BPF_MAP_TYPE_HASH, "", 4, sizeof(struct unw_process), 64, &sparse);
}

static int open_all(void **state)
{
	(void)state;
	n_walked = n_whole = last_end = 0;
	if (known < 0)
		return 0;
	mappings_open((struct map_ops){ .map = known, .prog = -1 });
	assert_int_equal(arena_open(chunks), 0);
	assert_int_equal(files_open(infos), 0);
	mappings_process_changed(me, 1, 1, 0);
	return 0;
}

static void note(const struct wire_sample *s)
{
	n_walked++;
	n_whole += s->end == WALK_WHOLE;
	last_end = s->end;
}

static int close_all(void **state)
{
	(void)state;
	if (known < 0)
		return 0;
	walk_give_up(note);
	mappings_close();
	files_close();
	arena_close();
	symbolizer_stop();
	return 0;
}

/* One line a chunk, as the kernel side sees it; 0: no chunk is there. */
static u64 first_word(u32 chunk)
{
	struct arena_line l = {};
	u32 id, zero = 0;
	int fd;

	if (bpf_map_lookup_elem(chunks, &chunk, &id))
		return 0;
	fd = bpf_map_get_fd_by_id(id);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &l), 0);
	close(fd);
	return l.w[0];
}

static void all_chunks_of_a_large_table_are_put(void **state)
{
	u32 lines = 5 * ARENA_CHUNK_LINES, first;
	u64 bytes;

	(void)state;
	if (known < 0)
		skip();
	first = arena_alloc(lines);
	assert_int_not_equal(first, 0);
	for (u32 i = 0; i < 6; i++)
		arena_at(i * ARENA_CHUNK_LINES)->w[0] = 100 + i;
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(first_word(i), 100 + i);
	assert_int_equal(first_word(6), 0);
	bytes = arena_bytes();
	assert_int_equal(bytes, 6ull * ARENA_CHUNK_LINES * sizeof(struct arena_line));
	assert_int_equal(arena_alloc(ARENA_CHUNKS * ARENA_CHUNK_LINES), 0);	/* over the cap */
	assert_int_equal(arena_bytes(), bytes);
	assert_int_not_equal(arena_alloc(10), 0);
}

#ifdef __x86_64__

/* The stack from sp up, as copied by the kernel side; pages entirely in the hole are missing. */
static void copy_from(u64 sp, u64 hole, u64 hole_end)
{
	u32 n = 0;

	copy.from = sp;
	copy.holes = 0;
	for (u32 i = 0; n <= COPY_BYTES - 4096; i++) {
		u64 at = sp + n;
		u32 size = 4096 - (at & 4095);

		struct iovec to = { &copy.stack[n], size }, from = { (void *)at, size };

		if ((at >= hole && at + size <= hole_end) ||
		    process_vm_readv((pid_t)me, &to, 1, &from, 1, 0) != (ssize_t)size)
			copy.holes |= 1u << i;
		n += size;
	}
	copy.bytes = n;
}

#ifdef __SANITIZE_ADDRESS__
#define TABLES_IN_TIME false	/* each takes seconds there, and copies are given up */
#else
#define TABLES_IN_TIME true
#endif

/* Below a large array of which only the ends are used. */
static __attribute__((noinline)) void copy_own_stack(bool at_the_frame)
{
	volatile char room[(HOLE_PAGES + 1) * 4096];
	ucontext_t u;

	room[0] = room[sizeof(room) - 1] = 1;
	getcontext(&u);
	memset(&copy.s, 0, sizeof(copy.s));
	copy.s = (struct wire_sample){ .kind = SAMPLE_CPU, .copied = 1, .tgid = me, .start_ns = 1, .exec_id = 1 };
	copy.regs = (struct walk_regs){ .pc = (u64)u.uc_mcontext.gregs[REG_RIP],
		.sp = (u64)u.uc_mcontext.gregs[REG_RSP], .fp = (u64)u.uc_mcontext.gregs[REG_RBP] };
	copy.regs.regs[3] = (u64)u.uc_mcontext.gregs[REG_RBX];
	if (at_the_frame)	/* with what this function returns to */
		copy_from(copy.regs.sp, (u64)&room[sizeof(room) - 1] & ~4095ull, ~0ull);
	else
		copy_from(copy.regs.sp, (u64)room, (u64)room + sizeof(room));
	room[1] = room[0];
}

/* Until no copy waits. */
static void take_tables(void)
{
	for (int i = 0; i < PATIENCE_S * 200 && !n_walked; i++) {
		struct symbolizer_answer a;

		while (symbolizer_receive(&a)) {
			if (files_table_answer(&a))
				mappings_file_changed(a.file);
			symbolizer_done(&a);
		}
		files_ask_waiting();
		mappings_install();
		walk_waiting(note);
		usleep(5000);
	}
}

static void a_stack_with_a_hole_is_whole(void **state)
{
	(void)state;
	if (known < 0 || !TABLES_IN_TIME)
		skip();
	assert_int_equal(symbolizer_start(), 0);
	copy_own_stack(false);
	assert_true(copy.holes);
	walk_copied(&copy, note);
	assert_int_equal(n_walked, 0);	/* no table is there yet */
	take_tables();
	/* on a busy host the tables may come after the copy was given up: another one then */
	for (int i = 0; i < 20 && last_end == WALK_NEW_FILE; i++) {
		n_walked = 0;
		walk_copied(&copy, note);
		take_tables();
	}
	assert_int_equal(n_walked, 1);
	assert_int_equal(n_whole, 1);
	/* missing pages are not read as zeros */
	copy_own_stack(true);
	memset(copy.stack, 0, sizeof(copy.stack));
	walk_copied(&copy, note);
	assert_int_equal(n_walked, 2);
	assert_true(last_end == WALK_BAD_READ || last_end == WALK_SHORT_COPY);
}

static void copies_that_wait_have_a_cap(void **state)
{
	u32 n = 2 * WALK_MAX_BYTES / sizeof(copy);

	(void)state;
	if (known < 0)
		skip();
	copy_own_stack(false);
	for (u32 i = 0; i < n; i++)	/* no tables are made */
		walk_copied(&copy, note);
	assert_in_range(n - n_walked, WALK_MAX_BYTES / sizeof(copy), WALK_MAX_BYTES / (sizeof(copy) - 4096));
	assert_int_equal(last_end, WALK_NEW_FILE);
	walk_give_up(note);
	assert_int_equal(n_walked, n);
	walk_copied(&copy, note);
	assert_int_equal(n_walked, n);	/* there is room again */
}

static void blocks_leave_half_of_the_room(void **state)
{
	u32 n = 2 * WALK_MAX_BYTES / sizeof(copy), before;

	(void)state;
	if (known < 0)
		skip();
	copy_own_stack(false);
	copy.s.kind = SAMPLE_OFFCPU;
	for (u32 i = 0; i < n; i++)	/* no tables are made */
		walk_copied(&copy, note);
	before = n_walked;
	assert_in_range(n - before, WALK_MAX_BYTES / 2 / sizeof(copy), WALK_MAX_BYTES / 2 / (sizeof(copy) - 4096));
	copy.s.kind = SAMPLE_CPU;
	for (u32 i = 0; i < n / 4 - 1; i++)
		walk_copied(&copy, note);
	assert_int_equal(n_walked, before);
}

/* A process that ends after its mappings were read and before any of its files is opened. */
static u32 ended_process(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	mappings_process_changed((u32)pid, 1, 1, 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return (u32)pid;
}

/* A frame pointer chain of two frames that ends with 0, in code that has none as a rule. */
static void a_chain_through_lost_files_proves_nothing(void **state)
{
	u64 pc = (u64)strerror, chain[2] = { 0, pc };

	(void)state;
	if (known < 0)
		skip();
	copy_own_stack(false);
	copy.s.tgid = ended_process();
	memcpy(copy.stack, chain, sizeof(chain));
	copy.holes = 0;
	copy.regs = (struct walk_regs){ .pc = pc, .sp = copy.from, .fp = copy.from };
	copy.from = copy.regs.fp = copy.regs.sp &= ~7ull;
	walk_copied(&copy, note);
	assert_int_equal(n_walked, 1);
	assert_int_equal(last_end, WALK_NO_MAPPING);
}

static void small_files_come_first(void **state)
{
	const void *const codes[] = { (const void *)lzma_version_number, (const void *)strerror,
				      (const void *)bpf_map_create, (const void *)_cmocka_run_group_tests };
	struct symbolizer_answer a;
	off_t last = 0;
	u32 n = 0;

	(void)state;
	if (known < 0 || !TABLES_IN_TIME)
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++)	/* there is no symbolizer to ask */
		assert_true(mappings_want_table(me, (u64)codes[i]));
	assert_int_equal(symbolizer_start(), 0);
	files_ask_waiting();
	for (int i = 0; i < PATIENCE_S * 200 && n < ARRAY_SIZE(codes); i++) {
		while (symbolizer_receive(&a)) {
			struct stat st;

			assert_int_equal(fstat(file_fd(a.file), &st), 0);
			assert_true(st.st_size >= last);
			last = st.st_size;
			n++;
			files_table_answer(&a);
			symbolizer_done(&a);
		}
		files_ask_waiting();
		usleep(5000);
	}
	assert_int_equal(n, ARRAY_SIZE(codes));
	assert_int_equal(files_answers() >= n, true);
	assert_false(mappings_want_table(me, (u64)codes[0]));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_chunks_of_a_large_table_are_put, open_all, close_all),
#ifdef __x86_64__
		cmocka_unit_test_setup_teardown(a_stack_with_a_hole_is_whole, open_all, close_all),
		cmocka_unit_test_setup_teardown(blocks_leave_half_of_the_room, open_all, close_all),
		cmocka_unit_test_setup_teardown(copies_that_wait_have_a_cap, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_chain_through_lost_files_proves_nothing, open_all, close_all),
		cmocka_unit_test_setup_teardown(small_files_come_first, open_all, close_all),
#endif
	};

	me = (u32)getpid();
	if (!geteuid())
		make_maps();	/* else there is nothing to test with */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
