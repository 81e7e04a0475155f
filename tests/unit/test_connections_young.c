// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection is moved from its place for young ones to the map `conns` while the programs see its
 * events. Each test lets them run at one step of the move.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "bpf/collectors/connections/connections_young.h"
#include "tests/unit/connections_on_host.h"

#define COOKIE 7
#define LATER_NS (2 * NSEC_PER_SEC)

/* What happens when the copy is made but not in the map; is in the map but the place not left; is settled. */
static void (*before_insert)(void), (*after_insert)(void);

static void happen(void (**what)(void))
{
	void (*fn)(void) = *what;

	*what = NULL;
	if (fn)
		fn();
}

int map_ops_lookup(const struct map_ops *m, const void *key, void *ret_value)
{
	(void)m;
	return host_lookup(*(const u64 *)key, ret_value);
}

int map_ops_update(const struct map_ops *m, const void *key, const void *value, __u64 flags)
{
	int err;

	(void)m;
	if (flags != BPF_NOEXIST)
		return host_update(*(const u64 *)key, value, flags);
	happen(&before_insert);
	err = host_update(*(const u64 *)key, value, flags);
	happen(&after_insert);
	return err;
}

int map_ops_delete(const struct map_ops *m, const void *key)
{
	(void)m;
	return host_delete(*(const u64 *)key);
}

static void begin(void)
{
	before_insert = after_insert = NULL;
	host_begin();
	young_close();
	young_open(host_young(), host_spilled(), (struct map_ops){ .map = -1, .prog = -1 });
	host_accepts(COOKIE);
}

/* Nothing is left of it, whatever happened. */
static void end(void)
{
	struct conn_state s;

	young_sweep(LATER_NS);
	assert_int_equal(host_lookup(COOKIE, &s), -2);
	assert_int_equal(host_young()[COOKIE].cookie, 0);
	assert_int_equal(host_spilled()[COOKIE], 0);
}

static void closes(void)
{
	host_closes(COOKIE);
}

static void all_of_its_end(void)
{
	host_closes(COOKIE);
	host_ends(COOKIE);
	host_destroys(COOKIE, 0);
}

static void connects_again(void)
{
	host_connects_again(COOKIE);
}

static void it_ends_after_the_move(void **state)
{
	(void)state;
	begin();
	young_sweep(LATER_NS);
	assert_true(young_tracked(COOKIE, 0));
	all_of_its_end();
	assert_int_equal(host_records(), 1);
	assert_int_equal(host_record(0)->sock.owner.tgid, HOST_PROCESS);
	end();
}

static void it_ends_before_the_copy_is_in_the_map(void **state)
{
	(void)state;
	begin();
	before_insert = all_of_its_end;
	young_sweep(LATER_NS);
	assert_int_equal(host_records(), 1);
	assert_int_equal(host_record(0)->sock.owner.tgid, HOST_PROCESS);
	end();
}

/* The end is there, with its owner; that on_destroy repeats it from the copy, the table ignores. */
static void it_ends_while_it_is_in_both(void **state)
{
	(void)state;
	begin();
	after_insert = all_of_its_end;
	young_sweep(LATER_NS);
	assert_true(host_records() >= 1);
	assert_int_equal(host_record(0)->sock.owner.tgid, HOST_PROCESS);
	assert_int_equal(host_record(0)->sock.state, TCPS_FIN_WAIT2);
	if (host_records() > 1)
		assert_int_equal(host_record(1)->sock.generation, host_record(0)->sock.generation);
	end();
}

/* Its process closes it while it is moved, and the peer's answer comes before the next tick. */
static void who_closes_it_is_kept(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		begin();
		*(i ? &before_insert : &after_insert) = closes;
		young_sweep(LATER_NS);
		host_ends(COOKIE);
		host_destroys(COOKIE, 0);
		assert_int_equal(host_records(), 1);
		assert_int_equal(host_record(0)->sock.owner.tgid, HOST_PROCESS);
		assert_false(host_record(0)->sock.flags & WS_OWNER_LATER);
		end();
	}
}

/* The programs' newer entry is never replaced by the older copy, nor deleted with it. */
static void the_next_connection_is_kept(void **state)
{
	struct conn_state s;

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		begin();
		*(i ? &before_insert : &after_insert) = connects_again;
		young_sweep(LATER_NS);
		assert_true(young_tracked(COOKIE, 1));
		young_forget(COOKIE, 0);	/* the end of the one before was without an owner */
		assert_true(young_tracked(COOKIE, 1));
		young_sweep(LATER_NS);
		assert_true(young_tracked(COOKIE, 1));
		assert_int_equal(host_lookup(COOKIE, &s), 0);
		assert_true(s.flags & WS_OPENED);
		host_ends(COOKIE);
		assert_int_equal(host_records(), 1);
		assert_int_equal(host_record(0)->sock.generation, 1);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_after_the_move),
		cmocka_unit_test(it_ends_before_the_copy_is_in_the_map),
		cmocka_unit_test(it_ends_while_it_is_in_both),
		cmocka_unit_test(who_closes_it_is_kept),
		cmocka_unit_test(the_next_connection_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
