// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The picture of flame graphs: labels, overlap, any keys at any size; and the duration of a redraw
 * with 50,000 stacks.
 */
#include "flame_data.h"
#include "sanitized.h"

/* ---- labels ------------------------------------------------------------------------------- */

static void labels(void **state)
{
	static const struct {
		const char *name;
		u32 kind;
		int width;
		const char *label;
	} cases[] = {
		{ "memmove", FLAME_LIBRARY, 7, "memmove" },
		{ "memmove", FLAME_LIBRARY, 5, "memm…" },
		{ "f(int, char)", FLAME_CPP, 12, "f(int, char)" },
		{ "f(int, char)", FLAME_CPP, 11, "f" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 30,
		  "std::vector<…>::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 24,
		  "…::vector<…>::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 14,
		  "…::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 6, "push_…" },
		{ "A::operator()(int) const", FLAME_CPP, 14, "A::operator()" },
		{ "operator<< <char>(std::ostream&)", FLAME_CPP, 16, "operator<< <…>" },
		{ "(anonymous namespace)::work(int)", FLAME_CPP, 28, "(anonymous namespace)::work" },
		{ "(anonymous namespace)::work(int)", FLAME_CPP, 10, "…::work" },
		{ "core::ops::function::FnOnce::call_once", FLAME_CPP, 20, "…::FnOnce::call_once" },
		{ "github.com/x/y/pkg.(*T).Method", FLAME_USER, 20, "…/y/pkg.(*T).Method" },
		{ "com.example.shop.Order.total", FLAME_JIT, 14, "….Order.total" },
		{ "<regexp> /^(\\w+\\s?)*$/", FLAME_JIT, 14, "<regexp> /^(\\…" },
		{ "validate schema.js:17", FLAME_JIT, 12, "validate sc…" },
		{ "libfoo.so+0x1a40", FLAME_UNKNOWN, 8, "libfoo+…" },
		{ "liblzma.so.5.4.1+0x15bc9", FLAME_UNKNOWN, 24, "liblzma.so.5.4.1+0x15bc9" },
		{ "liblzma.so.5.4.1+0x15bc9", FLAME_UNKNOWN, 15, "liblzma+0x15bc9" },
		{ "sort.solid", FLAME_UNKNOWN, 7, "sort.s…" },
		{ "(((((", FLAME_CPP, 3, "((…" },
		{ "int (anonymous namespace)::Foo::bar(int)", FLAME_CPP, 16, "…::Foo::bar" },
		{ "a<b<c", FLAME_CPP, 3, "a<…" },
		/* the type that is returned says least, and is never drawn */
		{ "void std::sort<int*>(int*, int*)", FLAME_CPP, 40, "std::sort<int*>(int*, int*)" },
		{ "std::string* shop::find<char>(char)", FLAME_CPP, 20, "shop::find<char>" },
		{ "operator new(unsigned long)", FLAME_CPP, 14, "operator new" },
		{ "non-virtual thunk to A::f(int)", FLAME_CPP, 8, "A::f" },
		{ "auto main::{lambda()#1}::operator()() const::{lambda(auto:1 const&)#1}::operator()<int>(int) const",
		  FLAME_CPP, 16, "main::{lambda}" },
		{ "std::_Function_handler<long (long), main::{lambda(long)#2}>::_M_invoke(std::_Any_data const&)",
		  FLAME_CPP, 34, "…::_Function_handler<…>::_M_invoke" },
		{ "std::_Function_handler<long (long), main::{lambda(long)#2}>::_M_invoke(std::_Any_data const&)",
		  FLAME_CPP, 28, "_Function_handler::_M_invoke" },
		{ "shop::(anonymous namespace)::B::price(long) const", FLAME_CPP, 14, "…::B::price" },
		{ "shop::(anonymous namespace)::B::~B()", FLAME_CPP, 10, "…::B::~B" },
		{ "foo.constprop.0", FLAME_USER, 8, "foo" },
		/* Rust, as it was and as it is mangled now */
		{ "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", FLAME_RUST, 40, "<Vec as Drop>::drop" },
		{ "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", FLAME_RUST, 12, "Vec::drop" },
		{ "<alloc::vec::Vec<u8>>::push", FLAME_RUST, 12, "Vec::push" },
		{ "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once", FLAME_RUST, 26,
		  "<Box as FnOnce>::call_once" },
		{ "<F as core::ops::function::FnOnce<A>>::call_once", FLAME_RUST, 18, "FnOnce::call_once" },
		{ "<main::sort_all::{closure#1} as core::ops::function::FnOnce<(u64,)>>::call_once::{shim:vtable#0}",
		  FLAME_RUST, 60, "<sort_all::{closure} as FnOnce>::call_once::{shim}" },
		{ "shop::cart::total::{{closure}}", FLAME_RUST, 26, "…::cart::total::{closure}" },
		{ "shop::cart::total::{{closure}}::{{closure}}", FLAME_RUST, 18, "cart::total::{…}" },
		{ "shop::cart::total::{{closure}}", FLAME_RUST, 12, "total::{…}" },
		{ "shop::cart::total::{{closure}}", FLAME_RUST, 8, "total::…" },
		{ "core::slice::<impl [T]>::sort_by", FLAME_RUST, 14, "[T]::sort_by" },
		{ "core::iter::traits::iterator::<impl core::iter::Iterator for &mut I>::next", FLAME_RUST, 24,
		  "…::<I as Iterator>::next" },
		{ "core::ptr::drop_in_place::<alloc::vec::Vec<alloc::string::String>>", FLAME_RUST, 26,
		  "…::ptr::drop_in_place<Vec>" },
		{ "core::ptr::drop_in_place<alloc::boxed::Box<dyn core::ops::function::FnOnce<()>+Output = ()>>",
		  FLAME_RUST, 24, "ptr::drop_in_place<Box>" },
		{ "core::slice::sort::stable::driftsort_main::<(u64, alloc::string::String), <[(u64, "
		  "alloc::string::String)]>::sort_by<main::sort_all::{closure#1}>::{closure#0}>",
		  FLAME_RUST, 26, "…::stable::driftsort_main" },
		{ "<<std::sync::once::Once>::call_once<std::rt::cleanup::{closure#0}>::{closure#0} as "
		  "core::ops::function::FnOnce<(&std::sync::once::OnceState,)>>::call_once", FLAME_RUST, 44,
		  "<call_once::{closure} as FnOnce>::call_once" },
		/* Go */
		{ "main.(*Order[...]).Each", FLAME_USER, 12, "Order.Each" },
		{ "encoding/json.(*decodeState).object", FLAME_USER, 22, "decodeState.object" },
		{ "main.main.func1.2", FLAME_USER, 14, "….main.func1" },
		{ "example.com/gow/shop.walk.func1", FLAME_USER, 18, "…/shop.walk.func1" },
		{ "slices.SortFunc[go.shape.[]int,go.shape.int]", FLAME_USER, 20, "slices.SortFunc[…]" },
		/* Java and .NET write types before names */
		{ "java.lang.String shop.Order.describe(int, java.lang.String)", FLAME_JIT, 18,
		  "….Order.describe" },
		{ "void shop.Order.pay(int)", FLAME_JIT, 40, "shop.Order.pay(int)" },
		{ "Lcom/example/shop/Order;::total", FLAME_JIT, 12, "Order::total" },
		{ "x", FLAME_USER, 0, "" },
		{ "日本語名前", FLAME_INTERP, 7, "日本語…" },
	};

	u32 wrong = 0;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[128];
		int w = flame_label(buf, sizeof(buf), cases[i].name, cases[i].kind, cases[i].width);

		if (strcmp(buf, cases[i].label)) {
			print_message("%s in %d columns: %s, not %s\n", cases[i].name, cases[i].width, buf,
				      cases[i].label);
			wrong++;
		}
		assert_true(w <= cases[i].width);
	}
	assert_int_equal(wrong, 0);
}

/* ---- pictures: a parent covers its children, frames do not overlap -------------------------- */

static u32 random_state = 1;

static u32 rnd(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

#define PART (SANITIZED ? 8 : 1)

static u32 n_functions = 2000;

/* Which function the k-th callee of a function is: every function has four, the first is the likely one. */
static u32 callee(u32 fn, u32 k)
{
	return 1 + (fn * 2654435761u + k * 40503u) % n_functions;
}

/*
 * `per_tick` stacks of 8 to 39 frames, in calls as programs have them:
 * functions with 8 sampled addresses each, of which the leaf has any, a caller mostly one.
 */
static const struct snapshot *large_tick(const struct snapshot *prev, u64 seq, u32 per_tick)
{
	struct builder *b = tick_of(prev, seq);

	for (u64 pid = 1; pid <= 8; pid++) {
		struct processes_row *p = builder_row(b, TABLE_processes);

		p->pid = p->start_time_ns = pid;
		p->comm = str_new("work");
	}
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 id = 8; id < (n_functions + 1) * 8; id++) {
		char name[64];

		snprintf(name, sizeof(name), "ns::function_%u(int, char const*)", id / 8);
		add_frame(b, id, name, id / 8 < 200 ? "kernel" : id / 8 % 3 ? "c++" : "library");
	}
	for (u32 i = 0; i < per_tick; i++) {
		u32 depth = 8 + rnd(32), path[40], top = rnd(8);
		char text[512];
		int n = 0;

		path[0] = 1 + top;
		for (u32 d = 1; d < depth; d++)
			path[d] = callee(path[d - 1], rnd(100) < 90 ? 0 : 1 + rnd(3));
		for (u32 d = depth; d-- > 0;)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%u ",
				      path[d] * 8 + (d == depth - 1 ? rnd(8) : rnd(8) ? 0 : 1));
		add_stack(b, 1 + top, 1 + top, text, 1 + rnd(3), rnd(100) ? "yes" : "no CFI");
	}
	return builder_seal(b);
}

static void check_boxes(struct flame_view *v)
{
	for (u32 i = 0; i < v->n_boxes; i++) {
		const struct flame_box *b = &v->boxes[i], *p = NULL;

		assert_true(b->x >= 0 && b->x < b->end && b->end <= v->graph_cols);
		if (b->rest)
			p = flame_box_of(v, b->node);
		else if (b->node != FLAME_ROOT)
			p = flame_box_of(v, flame_node(v, b->node)->parent);
		if (p)
			assert_true(p->x <= b->x && p->end >= b->end && p->depth == b->depth - 1);
		for (u32 k = i + 1; k < v->n_boxes; k++)
			assert_true(v->boxes[k].depth != b->depth || v->boxes[k].x >= b->end ||
				    v->boxes[k].end <= b->x);
	}
}

static void parents_cover_children(void **state)
{
	const struct snapshot *s = large_tick(NULL, 1, 3000);
	struct flame_view v = { .same_fn = FLAME_NONE, .ready = true };

	open_model(&v.f, 0);
	flame_follow(&v.f, NULL, s, 0);
	for (int cols = 1; cols <= 230; cols += 13) {
		flame_lay_out(&v, 30, cols);
		check_boxes(&v);
	}
	flame_select(&v, flame_widest(&v, flame_widest(&v, FLAME_ROOT)));
	v.f.pins[1] = v.f.pins[0];
	v.f.n_pins = 2;
	flame_lay_out(&v, 30, 120);
	check_boxes(&v);
	assert_int_equal(flame_box_of(&v, v.f.pins[1])->end, 120);
	free(v.boxes);
	flame_free(&v.f);
	snapshot_put(s);
}

/* ---- which source lines are requested ------------------------------------------------- */

static u32 seen[64], n_seen, times_seen;

static void see(void *arg, const u32 *frames, u32 n)
{
	(void)arg;
	assert_true(n <= ARRAY_SIZE(seen));
	memcpy(seen, frames, n * sizeof(*frames));
	n_seen = n;
	times_seen++;
}

static void add_file_frame(struct builder *b, u64 id, const char *name, const char *lines)
{
	struct frames_row *r = builder_row(b, TABLE_frames);

	r->id = id;
	r->name = str_new(name);
	r->module = str_new("/bin/shop");
	r->addr = id;
	r->kind = str_new("user");
	r->lines = lines ? str_new(lines) : NULL;
}

/* Two addresses of "hot", one of "warm"; "thin" is one sample in a thousand; "known" has its lines. */
static void what_is_drawn_with_a_name_is_seen(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct app_config config = {
		.history = h, .session = &session, .interval_ns = NSEC_PER_SEC, .view = "flame",
		.source = { .see = see },
	};
	struct builder *b = tick_of(NULL, 1);
	struct canvas *c = canvas_new(24, 80, false, true);
	struct app *a = app_new(&config, 24, 80);
	const struct snapshot *s;

	(void)state;
	add_file_frame(b, 1, "root", "known");
	add_file_frame(b, 2, "hot", "not asked");
	add_file_frame(b, 3, "hot", "asked");
	add_file_frame(b, 4, "warm", "not asked");
	add_file_frame(b, 5, "thin", "not asked");
	add_file_frame(b, 6, "sys", NULL);
	add_file_frame(b, 7, "bare", "no debug information");
	add_stack(b, 7, 7, "2 1", 100, "yes");
	add_stack(b, 7, 7, "3 1", 500, "yes");
	add_stack(b, 7, 7, "4 1", 200, "yes");
	add_stack(b, 7, 7, "5 1", 1, "yes");
	add_stack(b, 7, 7, "6 7 1", 200, "yes");
	s = builder_seal(b);
	history_append(h, s);
	n_seen = times_seen = 0;
	app_tick(a, s);
	app_draw(a, c);
	assert_int_equal(n_seen, 3);	/* the hottest first */
	assert_int_equal(seen[0], 3);
	assert_int_equal(seen[1], 4);
	assert_int_equal(seen[2], 2);
	app_draw(a, c);
	assert_int_equal(times_seen, 1);	/* once a tick */
	app_free(a);
	canvas_free(c);
	history_free(h);
}

static const struct snapshot *narrow_tick(const struct snapshot *prev, u64 seq)
{
	struct builder *b = tick_of(prev, seq);
	char name[16], frames[16];

	add_file_frame(b, 1, "root", "known");
	for (u32 i = 2; i < 42; i++) {
		snprintf(name, sizeof(name), "narrow%u", i);
		snprintf(frames, sizeof(frames), "%u 1", i);
		add_file_frame(b, i, name, "known");
		add_stack(b, 7, 7, frames, 100, "yes");
	}
	return builder_seal(b);
}

/* 40 frames of two columns each, compared: colours part them, and quiet marks, not a fence of bars. */
static void narrow_ones_are_no_fence(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct app_config config = { .history = h, .session = &session, .interval_ns = NSEC_PER_SEC, .view = "flame" };
	struct canvas *c = canvas_new(24, 80, false, true);
	struct app *a = app_new(&config, 24, 80);
	const struct snapshot *s = NULL;
	char *dump;

	(void)state;
	for (u64 seq = 1; seq < 4; seq++) {
		const struct snapshot *next = narrow_tick(s, seq);

		snapshot_put(s);
		s = next;
		history_append(h, s);
		app_tick(a, snapshot_get(s));
		if (seq == 1)
			for (const char *p = "mmm "; *p; p++)	/* the last tick, marked */
				app_key(a, (u32)*p);
	}
	app_key(a, 'D');
	app_draw(a, c);
	dump = canvas_dump(c);
	assert_non_null(strstr(dump, "diff "));
	assert_non_null(strstr(dump, "· · · · ·"));
	assert_null(strstr(dump, "││"));
	assert_null(strstr(dump, "│ │ │"));
	free(dump);
	snapshot_put(s);
	app_free(a);
	canvas_free(c);
	history_free(h);
}

/* Whatever is pressed at whatever size, while stacks come and go. */
static void any_keys_at_any_size(void **state)
{
	static const u32 keys[] = {
		K_UP, K_DOWN, K_LEFT, K_RIGHT, K_ENTER, K_BACKSPACE, K_ESC, K_PGUP, K_PGDN, K_HOME, K_END, '#',
		'n', 'N', 'D', 'm', 't', ' ', 'K', 'P', 'T', 'E', '<', 'i', 'p', '[', ']', '{', '}', '2', '3', 'W',
		K_CTRL + 'r', K_DOWN, K_DOWN, K_RIGHT, K_ENTER,
	};
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct app_config config = { .history = h, .session = &session, .interval_ns = NSEC_PER_SEC,
				     .view = "flame" };
	struct canvas *c = canvas_new(24, 80, false, true);
	struct app *a = app_new(&config, 24, 80);
	const struct snapshot *s = NULL;
	u64 seq = 0;

	n_functions = 100;
	for (int i = 0; i < (SANITIZED ? 500 : 1600); i++) {
		if (i % 20 == 0) {
			const struct snapshot *next = large_tick(s, ++seq, rnd(60));

			snapshot_put(s);
			s = next;
			history_append(h, s);
			app_tick(a, snapshot_get(s));
		}
		if (i % 97 == 0) {
			int rows = 10 + (int)rnd(50), cols = 40 + (int)rnd(160);

			canvas_resize(c, rows, cols);
			app_resize(a, rows, cols);
		}
		if (i % 200 == 0)
			for (const char *p = "/unction_1{"; *p; p++)
				app_key(a, (u32)*p);
		app_key(a, i % 200 == 0 ? K_ENTER : keys[rnd(ARRAY_SIZE(keys))]);
		if (rnd(3))
			app_draw(a, c);
	}
	n_functions = 2000;
	app_free(a);
	canvas_free(c);
	history_free(h);
	snapshot_put(s);
}

/* ---- time ------------------------------------------------------------------------------------ */

static double ms_since(u64 t)
{
	return (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - t) / 1e6;
}

static double samples_of(const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_stacks];
	double n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += (double)((const struct stacks_row *)t->rows[i])->samples;
	return n;
}

static void fifty_thousand_stacks(void **state)
{
	struct history *h = history_new(256u << 20);
	struct app_config config = { .history = h, .session = &session, .interval_ns = NSEC_PER_SEC,
				     .view = "flame" };
	struct canvas *c = canvas_new(60, 200, false, true);
	struct app *a = app_new(&config, 60, 200);
	const struct flame_view *v = app_view_state(a, &flame_view);
	const struct snapshot *s = NULL;
	double n[25], last_ten = 0, tick_worst = 0, draw_worst = 0, first_worst = 0;
	u64 t;

	for (u64 seq = 1; seq <= 24; seq++) {
		const struct snapshot *next = large_tick(s, seq, 5600 / PART);

		snapshot_put(s);
		s = next;
		history_append(h, s);
		n[seq] = samples_of(s);
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_tick(a, snapshot_get(s));
		tick_worst = max(tick_worst, ms_since(t));
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_draw(a, c);		/* takes the tick in */
		first_worst = max(first_worst, ms_since(t));
		while (app_dirty(a))
			app_draw(a, c);
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_draw(a, c);
		draw_worst = max(draw_worst, ms_since(t));
	}
	print_message("    %u stacks, %u nodes, %u functions: tick %.1f ms, its redraw %.1f ms, "
		      "another redraw %.1f ms (worst of 24)\n", v->f.n_stacks, flame_tree((struct flame *)&v->f)->n,
		      v->f.names.n, tick_worst, first_worst, draw_worst);
	assert_true(v->f.n_stacks >= 50000 / PART);
	assert_true(draw_worst < 16);	/* the first of a tick has its own limit, and goes on in the next */
	for (int i = 15; i <= 24; i++)	/* nothing was lost on the way, nor counted twice */
		last_ten += n[i];
	assert_true(flame_span(&v->f).n == last_ten && v->f.refused == 0);
	t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	app_key(a, 'K');
	app_draw(a, c);
	print_message("    K: %.1f ms for the first redraw", ms_since(t));
	while (app_dirty(a))
		app_draw(a, c);
	print_message(", %.1f ms in all\n", ms_since(t));
	assert_true(flame_span(&v->f).n == last_ten);
	app_free(a);
	canvas_free(c);
	history_free(h);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels),
		cmocka_unit_test(parents_cover_children),
		cmocka_unit_test(what_is_drawn_with_a_name_is_seen),
		cmocka_unit_test(narrow_ones_are_no_fence),
		cmocka_unit_test(any_keys_at_any_size),
		cmocka_unit_test(fifty_thousand_stacks),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
