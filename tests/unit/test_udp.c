// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flows of UDP from the maps to their rows, whatever the order of datagrams, swaps and passes.
 * The maps are two lists here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static struct connections_calls *fake_skel(void);
static int fake_fd(const struct bpf_map *map);
static int fake_batch(int fd, void *from, void *at, void *keys, void *values, __u32 *n,
		      const struct bpf_map_batch_opts *opts);
static void no_wait(void);
static int fake_prog(const struct bpf_program *prog);
static int fake_run(int prog, struct bpf_test_run_opts *opts);

#define bpf_program__fd fake_prog
#define bpf_prog_test_run_opts fake_run
#define calls_skel fake_skel
#define bpf_map__fd fake_fd
#define bpf_map_lookup_and_delete_batch fake_batch
#define probes_grace_period no_wait
#define udp_swap swap_
#define udp_drain drain_
#define udp_socket socket_
#define udp_close_unseen unmet_
#define udp_read read_
#define udp_clear clear_
#include "bpf/collectors/connections/connections_udp.c"

#define SOCKET 7
#define SIZE 19

static struct connections_calls__bss bss;
static struct connections_calls skel = { .bss = &bss };
static struct map { struct flow_key keys[8]; struct flow values[8]; u32 n; } map[2];
static int batch_error;
static bool by_program, in_slots;
static u64 clock_ns_;
static u32 pass_;

static struct connections_calls *fake_skel(void)
{
	skel.maps.flows0 = (void *)&map[0];
	skel.maps.flows1 = (void *)&map[1];
	skel.progs.take_flows1 = (void *)&map[1];
	return &skel;
}

static int fake_fd(const struct bpf_map *m)
{
	return m == (void *)&map[1];
}

static int fake_batch(int fd, void *from, void *at, void *keys, void *values, __u32 *n,
		      const struct bpf_map_batch_opts *opts)
{
	(void)from;
	(void)at;
	(void)opts;
	if (batch_error) {
		errno = batch_error;
		return -batch_error;
	}
	*n = map[fd].n;
	memcpy(keys, map[fd].keys, *n * sizeof(struct flow_key));
	memcpy(values, map[fd].values, *n * sizeof(struct flow));
	map[fd].n = 0;
	errno = ENOENT;
	return -ENOENT;
}

static u32 place_of(const struct map *m, const void *key)
{
	u32 i = 0;

	while (i < m->n && memcmp(&m->keys[i], key, sizeof(m->keys[i])))
		i++;
	return i;
}

static int fake_prog(const struct bpf_program *prog)
{
	return !by_program ? -ENOENT : prog == skel.progs.take_flows1;
}

/* take_flows0() and take_flows1() of connections_flows.bpf.h. */
static int fake_run(int prog, struct bpf_test_run_opts *opts)
{
	struct map *m = &map[prog];

	(void)opts;
	if (batch_error)
		return -batch_error;
	for (bss.n_taken = 0; bss.n_taken < TAKEN_MAX && m->n; bss.n_taken++) {
		m->n--;
		bss.taken[bss.n_taken].key = m->keys[m->n];
		bss.taken[bss.n_taken].value = m->values[m->n];
	}
	return 0;
}

static void no_wait(void)
{
}

/* What slot_flow() of connections_flows.bpf.h does for a socket's first peer of an interval. */
static bool slot_datagram(u16 rport)
{
	u32 set = bss.swaps & 1;
	struct flow_slot *s = &bss.slots[set * SLOTS_MAX];

	if (!bss.n_slots[set]) {
		bss.n_slots[set]++;
		*s = (struct flow_slot){ .state = SLOT_READY, .flow.key = { .socket = SOCKET, .rport = rport } };
		s->flow.value.begun_ns = clock_ns_;
	}
	if (s->flow.key.rport != rport)
		return false;
	s->flow.value.rx_bytes += SIZE;
	s->flow.value.rx_packets++;
	s->flow.value.last_ns = ++clock_ns_;
	return true;
}

/* What count() of connections_calls.bpf.c does. */
static void datagram(u16 rport)
{
	struct map *m = &map[bss.swaps & 1];
	struct flow_key k = { .socket = SOCKET, .rport = rport };
	u32 i = place_of(m, &k);

	if (in_slots && slot_datagram(rport))
		return;
	if (i == m->n) {
		m->keys[m->n++] = k;
		m->values[i] = (struct flow){ .begun_ns = clock_ns_ };
		bss.used[bss.swaps & 1]++;
	}
	m->values[i].rx_bytes += SIZE;
	m->values[i].rx_packets++;
	m->values[i].last_ns = ++clock_ns_;
}

/*
 * As connections.c does it: `early` datagrams, swap, `late` ones, a pass that meets the socket or
 * not, read. Now is when it began.
 */
static void tick(bool meets, u32 early, u32 late)
{
	struct wire_sock w = { .cookie = SOCKET, .proto = IPPROTO_UDP };
	struct tick t = { .now_ns = clock_ns_ += NSEC_PER_SEC };
	u64 began;

	while (early--)
		datagram(53);
	swap_();
	while (late--)
		datagram(53);
	began = clock_ns_ += NSEC_PER_MSEC;
	pass_++;
	if (meets)
		socket_(&w, pass_, clock_ns_);
	unmet_(pass_, began, t.now_ns);
	read_(&t);
}

struct sum {
	u32 rows, closed;
	u64 bytes;
};

static void add_one(struct conn *c, void *arg)
{
	struct sum *s = arg;

	s->rows++;
	s->closed += c->closed;
	s->bytes += c->row->rx_bytes;
}

static void check(u32 rows, u32 closed, u64 datagrams)
{
	struct sum s = {};

	conn_each(add_one, &s);
	assert_int_equal(s.rows, rows);
	assert_int_equal(s.closed, closed);
	assert_int_equal(s.bytes, datagrams * SIZE);
}

static int setup(void **state)
{
	(void)state;
	memset(&bss, 0, sizeof(bss));
	memset(map, 0, sizeof(map));
	batch_error = 0;
	clock_ns_ = NSEC_PER_SEC;
	pass_ = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	by_program = in_slots = false;
	conn_clear();
	clear_();
	return 0;
}

/* Before and after a pass that found no socket: one flow. */
static void two_ticks_one_flow(void **state)
{
	(void)state;
	datagram(53);
	tick(false, 0, 0);
	datagram(53);
	tick(false, 0, 0);
	check(1, 0, 2);
	tick(false, 0, 0);
	tick(false, 0, 0);
	check(1, 1, 2);
}

/* The same peer again, after the flow had rested for a minute: another row, which says so. */
static void a_flow_that_comes_back(void **state)
{
	struct wire_ends e = { .rport = 53 };

	(void)state;
	for (int i = 0; i < 4; i++)
		tick(true, i == 0, 0);
	clock_ns_ += 2 * IDLE_NS;
	tick(true, 0, 0);
	assert_null(conn_find(SOCKET, 0, &e));
	tick(true, 1, 0);
	assert_non_null(conn_find(SOCKET, 1, &e));
	assert_int_equal(conn_find(SOCKET, 1, &e)->row->generation, 1);
	check(2, 1, 2);
}

/* The size of one batch was not reported: from then on the sum is unknown. */
static void packets_that_nobody_counted(void **state)
{
	struct wire_ends e = { .rport = 53 };

	(void)state;
	datagram(53);
	tick(true, 0, 0);
	datagram(53);
	map[bss.swaps & 1].values[0].unclear = FLOW_RX_UNCLEAR;
	tick(true, 0, 0);
	datagram(53);
	tick(true, 0, 0);
	assert_int_equal(conn_find(SOCKET, 0, &e)->row->rx_packets, U64_UNKNOWN);
	assert_int_equal(conn_find(SOCKET, 0, &e)->row->tx_packets, 0);
	check(1, 0, 3);
}

/* Idle, then used after the swap, and gone before the pass. */
static void last_words_after_the_swap(void **state)
{
	(void)state;
	datagram(53);
	tick(true, 0, 0);
	tick(true, 0, 0);
	tick(false, 0, 1);
	tick(false, 0, 0);
	check(1, 0, 2);
	tick(false, 0, 0);
	check(1, 1, 2);
}

/* Counted after the tick began, and for the first time: less than a minute has passed. */
static void younger_than_the_tick(void **state)
{
	(void)state;
	tick(false, 1, 0);
	check(1, 0, 1);
	tick(false, 1, 0);
	check(1, 0, 2);
}

/* The map is sometimes unreadable: nothing is forgotten. */
static void what_cannot_be_read_stays(void **state)
{
	(void)state;
	datagram(53);
	batch_error = ENOMEM;
	tick(true, 0, 0);
	check(0, 0, 0);
	batch_error = 0;
	tick(true, 0, 0);
	check(1, 0, 1);
	datagram(53);
	batch_error = EINTR;
	tick(true, 0, 3);
	tick(true, 0, 0);
	batch_error = 0;
	tick(true, 0, 0);
	tick(true, 0, 0);
	check(1, 0, 5);
}

/* Flows of many peers fill the active map before the idle one was read. */
static void full_in_a_tick(void **state)
{
	(void)state;
	datagram(53);
	assert_true(swap_());
	datagram(54);
	bss.used[bss.swaps & 1] += FLOWS_MAX;
	drain_();
	check(2, 0, 2);
}

/* All tests with a program that drains the maps. */
static int setup_by_program(void **state)
{
	by_program = true;
	return setup(state);
}

/* All tests with a slot for the socket's first peer of an interval. */
static int setup_in_slots(void **state)
{
	in_slots = true;
	return setup(state);
}

/* One of two peers has the slot; a slot claimed without counts is not a flow. */
static void slots_and_map(void **state)
{
	(void)state;
	datagram(53);
	datagram(54);
	datagram(53);
	tick(true, 0, 0);
	check(2, 0, 3);
	bss.n_slots[bss.swaps & 1] = SLOTS_MAX + 3;	/* all were given away */
	bss.slots[(bss.swaps & 1) * SLOTS_MAX].state = SLOT_CLAIMED;
	tick(true, 0, 2);
	assert_int_equal(bss.n_slots[0] && bss.n_slots[1], 0);
	tick(true, 1, 1);
	tick(true, 0, 0);
	check(2, 0, 7);
}

#define IN_SLOTS(test)	cmocka_unit_test_setup_teardown(test, setup_in_slots, teardown)

#define EACH(test)								\
	cmocka_unit_test_setup_teardown(test, setup, teardown),			\
	cmocka_unit_test_setup_teardown(test, setup_by_program, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SLOTS(two_ticks_one_flow), IN_SLOTS(a_flow_that_comes_back), IN_SLOTS(last_words_after_the_swap),
		IN_SLOTS(younger_than_the_tick), IN_SLOTS(full_in_a_tick), IN_SLOTS(slots_and_map),
		EACH(two_ticks_one_flow),
		EACH(last_words_after_the_swap),
		EACH(younger_than_the_tick),
		EACH(what_cannot_be_read_stays),
		EACH(full_in_a_tick),
		EACH(a_flow_that_comes_back),
		EACH(packets_that_nobody_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
