// SPDX-License-Identifier: GPL-2.0-or-later
/* test_codec.c: snapshots to bytes and back, other schemas, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gen.h"
#include "same.h"

static void numbers_round_trip(void **state)
{
	struct buf_out o = { 0 };
	struct buf_in in;

	for (int i = 0; i < 64; i++) {
		buf_put_varint(&o, 1ull << i);
		buf_put_zigzag(&o, (1ull << i) - 1);
		buf_put_zigzag(&o, 0 - (1ull << i));
	}
	in = (struct buf_in){ o.data, o.data + o.n, false };
	for (int i = 0; i < 64; i++) {
		assert_true(buf_get_varint(&in) == 1ull << i);
		assert_true(buf_get_zigzag(&in) == (1ull << i) - 1);
		assert_true(buf_get_zigzag(&in) == 0 - (1ull << i));
	}
	assert_false(in.bad);
	assert_ptr_equal(in.p, in.end);
	assert_int_equal(buf_get_varint(&in), 0);
	assert_true(in.bad);
	free(o.data);
}

/* The format defines blank rows: a change here needs a new format version. */
static void blank_row_is_as_documented(void **state)
{
	for (int t = 0; t < N_TABLES; t++) {
		struct row *r = row_new(t);
		u32 nan = 0x7fc00000, bits;

		assert_int_equal(r->first_seen_ns, 0);
		for (u32 i = 0; i < table_descs[t].n_fields; i++) {
			const struct field *f = &table_descs[t].fields[i];

			if (f->type == FT_U64)
				assert_true(row_u64(r, f) == UINT64_MAX);
			if (f->type == FT_F32) {
				memcpy(&bits, (char *)r + f->offset, sizeof(bits));
				assert_int_equal(bits, nan);
			}
			if (f->type == FT_STR)
				assert_null(row_str(r, f));
			if (f->type == FT_HIST)
				assert_null(row_hist(r, f));
		}
		row_put(r);
	}
}

static void random_ticks_round_trip(void **state)
{
	struct encoder *e = encoder_new();
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct buf_out o = { 0 };
	struct gen g;

	gen_init(&g, 42, 30);
	for (u32 i = 0; i < 400; i++) {
		const struct snapshot *s = gen_random(&g), *back;

		o.n = 0;
		encoder_tick(e, s, i % 50 == 0, &o);
		assert_int_equal(decoder_tick(d, o.data, o.n), 0);
		back = decoder_snapshot(d);
		assert_same_snapshot(s, back);
		snapshot_put(back);
	}
	gen_end(&g);
	free(o.data);
	encoder_free(e);
	decoder_free(d);
}

/* A decoder that shows only some ticks sees the same content. */
static void skipped_snapshots_change_nothing(void **state)
{
	struct encoder *e = encoder_new();
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct gen g;

	gen_init(&g, 7, 20);
	for (u32 i = 0; i < 100; i++) {
		const struct snapshot *s = gen_random(&g), *back;
		struct buf_out o = { 0 };

		encoder_tick(e, s, i == 0, &o);
		assert_int_equal(decoder_tick(d, o.data, o.n), 0);
		free(o.data);
		if (i % 17)
			continue;
		back = decoder_snapshot(d);
		assert_same_snapshot(s, back);
		snapshot_put(back);
	}
	gen_end(&g);
	encoder_free(e);
	decoder_free(d);
}

static u32 n_rows(const struct snapshot *s)
{
	u32 n = 0;

	for (int t = 0; t < N_TABLES; t++)
		n += s->tables[t].n;
	return n;
}

static u32 n_same(const struct snapshot *a, const struct snapshot *b)
{
	u32 n = 0;

	for (int t = 0; t < N_TABLES; t++)
		for (u32 i = 0; i < min(a->tables[t].n, b->tables[t].n); i++)
			n += a->tables[t].rows[i] == b->tables[t].rows[i];
	return n;
}

/* A state decoded beside a snapshot shares the memory of equal rows. */
static void rows_of_another_snapshot_are_used(void **state)
{
	struct decoder *alone = decoder_new(stored_schema_own(), NULL);
	struct decoder *beside = decoder_new(stored_schema_own(), NULL);
	struct encoder *e = encoder_new();
	const struct snapshot *ticks[60], *a, *b;
	struct buf_out o = { 0 };
	u32 shared = 0;
	struct gen g;

	gen_init(&g, 11, 40);
	for (u32 i = 0; i < ARRAY_SIZE(ticks); i++)
		ticks[i] = snapshot_get(gen_random(&g));
	for (u32 i = 0; i < ARRAY_SIZE(ticks); i++) {
		const struct snapshot *like = ticks[i % 3 ? i : gen_rand(&g, ARRAY_SIZE(ticks))];

		o.n = 0;
		encoder_tick(e, ticks[i], i % 20 == 0, &o);
		decoder_like(beside, like);
		assert_int_equal(decoder_tick(alone, o.data, o.n), 0);
		assert_int_equal(decoder_tick(beside, o.data, o.n), 0);
		decoder_like(beside, NULL);
		a = decoder_snapshot(alone);
		b = decoder_snapshot(beside);
		assert_same_snapshot(ticks[i], a);
		assert_same_snapshot(ticks[i], b);
		shared += n_same(ticks[i], b);
		assert_int_equal(n_same(ticks[i], a), 0);
		if (like == ticks[i] && i % 20 == 0)	/* all of a key tick is there already */
			assert_int_equal(n_same(ticks[i], b), n_rows(b));
		snapshot_put(a);
		snapshot_put(b);
	}
	assert_true(shared > 0);
	for (u32 i = 0; i < ARRAY_SIZE(ticks); i++)
		snapshot_put(ticks[i]);
	gen_end(&g);
	free(o.data);
	encoder_free(e);
	decoder_free(alone);
	decoder_free(beside);
}

static void unchanged_rows_are_shared(void **state)
{
	struct encoder *e = encoder_new();
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	const struct snapshot *one, *two;
	struct buf_out o = { 0 };
	u32 shared = 0, n;
	struct gen g;

	gen_init(&g, 1, 10);
	encoder_tick(e, gen_load(&g, 500, 50, 100, 10), true, &o);
	assert_int_equal(decoder_tick(d, o.data, o.n), 0);
	one = decoder_snapshot(d);
	o.n = 0;
	encoder_tick(e, gen_load(&g, 500, 50, 100, 10), false, &o);
	assert_int_equal(decoder_tick(d, o.data, o.n), 0);
	two = decoder_snapshot(d);
	n = two->tables[TABLE_processes].n;
	for (u32 i = 0; i < n; i++)
		shared += one->tables[TABLE_processes].rows[i] ==
			  two->tables[TABLE_processes].rows[i];
	assert_int_equal(n, 500);
	assert_in_range(shared, 400, 499);
	snapshot_put(one);
	snapshot_put(two);
	gen_end(&g);
	free(o.data);
	encoder_free(e);
	decoder_free(d);
}

static void delta_needs_its_key_frame(void **state)
{
	struct encoder *e = encoder_new();
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct buf_out key = { 0 }, delta = { 0 };
	struct gen g;

	gen_init(&g, 3, 10);
	encoder_tick(e, gen_random(&g), true, &key);
	encoder_tick(e, gen_random(&g), false, &delta);
	assert_true(decoder_tick(d, delta.data, delta.n) < 0);
	assert_null(decoder_snapshot(d));
	assert_int_equal(decoder_tick(d, key.data, key.n), 0);
	assert_int_equal(decoder_tick(d, delta.data, delta.n), 0);
	/* one byte short: the whole group is done for */
	assert_true(decoder_tick(d, delta.data, delta.n - 1) < 0);
	assert_true(decoder_tick(d, delta.data, delta.n) < 0);
	assert_int_equal(decoder_tick(d, key.data, key.n), 0);
	gen_end(&g);
	free(key.data);
	free(delta.data);
	encoder_free(e);
	decoder_free(d);
}

/* ---- a recording made by another version ---- */

static void put_field(struct buf_out *o, const char *name, u8 type, u8 kind)
{
	buf_put_str(o, name);
	buf_put_u8(o, type);
	buf_put_u8(o, kind);
}

/* A host with an unknown histogram, string and float, order changed, and a table of the future. */
static struct stored_schema *other_schema(void)
{
	struct buf_out o = { 0 };
	struct stored_schema *s;
	struct buf_in in;

	buf_put_varint(&o, 3);
	buf_put_str(&o, "gpus");
	buf_put_varint(&o, 0);
	buf_put_varint(&o, 2);
	put_field(&o, "gpu", FT_U64, FK_KEY);
	put_field(&o, "model", FT_STR, FK_LABEL);
	buf_put_str(&o, "host");
	buf_put_varint(&o, T_SINGLE);
	buf_put_varint(&o, 7);
	put_field(&o, "fan_hist", FT_HIST, FK_HISTOGRAM);
	put_field(&o, "load1", FT_F32, FK_GAUGE);
	put_field(&o, "nick", FT_STR, FK_LABEL);
	put_field(&o, "max_ns", FT_U64, FK_QUANTILE);	/* not on the wire */
	put_field(&o, "fan_rate", FT_F32, FK_RATE);
	put_field(&o, "cpu_pct", FT_U64, FK_GAUGE);	/* was a number then */
	put_field(&o, "cpus", FT_U64, FK_GAUGE);
	buf_put_str(&o, "cpus");
	buf_put_varint(&o, 0);
	buf_put_varint(&o, 2);
	put_field(&o, "model", FT_STR, FK_LABEL);
	put_field(&o, "cpu", FT_U64, FK_KEY);
	in = (struct buf_in){ o.data, o.data + o.n, false };
	s = stored_schema_get(&in);
	assert_non_null(s);
	assert_ptr_equal(in.p, in.end);
	free(o.data);
	return s;
}

static void put_head(struct buf_out *o, u8 flags)
{
	buf_put_u8(o, flags);
	buf_put_varint(o, 9);		/* seq */
	buf_put_varint(o, 1000);	/* time */
	buf_put_zigzag(o, 5);
	buf_put_varint(o, 77);		/* interval */
}

static void put_new_str(struct buf_out *o, const char *s)
{
	buf_put_varint(o, 1);
	buf_put_str(o, s);
}

static void put_gpus(struct buf_out *o)
{
	buf_put_u8(o, TF_STATUS);
	buf_put_u8(o, TS_OK);
	put_new_str(o, "why");		/* string 0, of a table that we skip */
	buf_put_varint(o, OP_INSERT);
	buf_put_varint(o, 6);		/* mask: gpu, model */
	buf_put_zigzag(o, 1);
	put_new_str(o, "riva");		/* string 1 */
	buf_put_varint(o, OP_END);
}

static void put_host(struct buf_out *o)
{
	float load = 2.5f;
	u32 bits;

	memcpy(&bits, &load, sizeof(bits));
	buf_put_u8(o, TF_STATUS);
	buf_put_u8(o, TS_PARTIAL);
	buf_put_varint(o, 0 + 2);	/* "why" */
	buf_put_varint(o, OP_INSERT);
	buf_put_varint(o, 0x7f);	/* everything */
	buf_put_u8(o, 0);
	buf_put_zigzag(o, 11);		/* first seen */
	buf_put_u8(o, HT_GIVEN | HC_SUM << 2);
	buf_put_varint(o, 1);		/* one bucket, two zeros */
	buf_put_varint(o, 2);
	buf_put_varint(o, 10);
	buf_put_varint(o, 1);
	buf_put_varint(o, 9);
	buf_put_varint(o, 30);
	buf_put_varint(o, 3 << 1);
	buf_put_u32(o, bits);
	put_new_str(o, "nick");
	buf_put_u32(o, 0x3f800000);
	buf_put_zigzag(o, -0x3fc00000ull);	/* taken for a float: 2.0 */
	buf_put_zigzag(o, 4 + 1);	/* 4 cpus, from unknown */
	buf_put_varint(o, OP_END);
}

/* The key came last there, so the rows are in another order than ours. */
static void put_cpus(struct buf_out *o)
{
	buf_put_u8(o, TF_STATUS | TF_INTERVAL);
	buf_put_u8(o, TS_OK);
	buf_put_varint(o, 0);
	buf_put_varint(o, 78);
	for (u64 i = 3; i > 0; i--) {
		buf_put_varint(o, OP_INSERT);
		buf_put_varint(o, 6);
		buf_put_varint(o, 1 + 2);	/* "riva" */
		buf_put_zigzag(o, i == 3 ? 3 + 1 : -1ull);
	}
	buf_put_varint(o, OP_END);
}

static void other_schema_is_read(void **state)
{
	struct stored_schema *schema = other_schema();
	struct decoder *d = decoder_new(schema, NULL);
	struct buf_out o = { 0 };
	const struct snapshot *s;
	const struct host_row *h;

	put_head(&o, TICK_KEY);
	put_gpus(&o);
	put_host(&o);
	put_cpus(&o);
	assert_int_equal(decoder_tick(d, o.data, o.n), 0);
	s = decoder_snapshot(d);
	h = (const struct host_row *)snapshot_single(s, TABLE_host);
	assert_non_null(h);
	assert_int_equal(h->cpus, 4);
	assert_true(h->load1 == 2.5f);
	assert_true(isnan(h->cpu_pct));
	assert_true(h->uptime_ns == U64_UNKNOWN);
	assert_int_equal(h->row.first_seen_ns, 11);
	assert_int_equal(s->tables[TABLE_host].status, TS_PARTIAL);
	assert_string_equal(s->tables[TABLE_host].reason, "why");
	assert_int_equal(s->tables[TABLE_cpus].n, 3);
	assert_int_equal(s->tables[TABLE_cpus].interval_ns, 78);
	for (u32 i = 0; i < 3; i++)	/* in our order */
		assert_int_equal(((const struct cpus_row *)s->tables[TABLE_cpus].rows[i])->cpu,
				 i + 1);
	assert_int_equal(s->tables[TABLE_processes].n, 0);
	assert_int_equal(s->tables[TABLE_processes].status, TS_OFF);
	snapshot_put(s);
	free(o.data);
	decoder_free(d);
	stored_schema_free(schema);
}

static void own_schema_round_trips(void **state)
{
	const struct stored_schema *own = stored_schema_own();
	struct buf_out o = { 0 };
	struct stored_schema *s;
	struct buf_in in;

	stored_schema_put(&o);
	in = (struct buf_in){ o.data, o.data + o.n, false };
	s = stored_schema_get(&in);
	assert_non_null(s);
	assert_int_equal(s->n, N_TABLES);
	for (u32 t = 0; t < s->n; t++) {
		assert_int_equal(s->tables[t].id, own->tables[t].id);
		assert_int_equal(s->tables[t].n, own->tables[t].n);
		assert_in_range(s->tables[t].n, 1, CODEC_MAX_FIELDS);
		assert_memory_equal(s->tables[t].fields, own->tables[t].fields,
				    s->tables[t].n * sizeof(struct stored_field));
	}
	stored_schema_free(s);
	for (size_t n = 0; n < o.n; n++) {	/* cut anywhere: refused */
		in = (struct buf_in){ o.data, o.data + n, false };
		assert_null(stored_schema_get(&in));
	}
	free(o.data);
}

/* ---- hostile bytes: nothing must happen (run under ASan too) ---- */

static void damaged_bytes_are_survived(void **state)
{
	struct encoder *e = encoder_new();
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct buf_out key = { 0 }, delta = { 0 };
	u32 refused = 0;
	struct gen g;

	gen_init(&g, 99, 8);
	encoder_tick(e, gen_random(&g), true, &key);
	encoder_tick(e, gen_random(&g), false, &delta);
	for (u32 i = 0; i < 4000; i++) {
		struct buf_out *o = i % 2 ? &delta : &key;
		u32 at = gen_rand(&g, (u32)o->n);
		u8 was = o->data[at];
		const struct snapshot *s;

		o->data[at] = (u8)gen_rand(&g, 256);
		refused += decoder_tick(d, key.data, key.n) || decoder_tick(d, delta.data, delta.n);
		s = decoder_snapshot(d);
		snapshot_put(s);
		o->data[at] = was;
	}
	assert_in_range(refused, 500, 3999);
	gen_end(&g);
	free(key.data);
	free(delta.data);
	encoder_free(e);
	decoder_free(d);
}

/* 60 bytes a row would be gigabytes: the limit on rows applies. */
static void row_bomb_is_refused(void **state)
{
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct buf_out o = { 0 };

	put_head(&o, TICK_KEY);
	for (int t = 0; t < TABLE_cpus; t++)
		buf_put_u8(&o, TF_SAME);
	buf_put_u8(&o, 0);
	for (u32 i = 0; i < CODEC_MAX_ROWS + 1; i++) {
		buf_put_varint(&o, OP_INSERT);
		buf_put_varint(&o, 0);
	}
	buf_put_varint(&o, OP_END);
	for (int t = TABLE_cpus + 1; t < N_TABLES; t++)
		buf_put_u8(&o, TF_SAME);
	assert_true(decoder_tick(d, o.data, o.n) < 0);
	free(o.data);
	decoder_free(d);
}

static void refuse_bytes(const u8 *bytes, size_t n)
{
	struct decoder *d = decoder_new(stored_schema_own(), NULL);
	struct buf_out o = { 0 };

	put_head(&o, TICK_KEY);
	buf_put_bytes(&o, bytes, n);
	for (int t = TABLE_host + 1; t < N_TABLES; t++)
		buf_put_u8(&o, TF_SAME);
	assert_true(decoder_tick(d, o.data, o.n) < 0);
	free(o.data);
	decoder_free(d);
}

static void impossible_scripts_are_refused(void **state)
{
	static const u8 copy[] = { 0, 1 << 2 | OP_END };	/* copies what is not there */
	static const u8 drop[] = { 0, OP_DROP, OP_END };
	static const u8 change[] = { 0, OP_CHANGE, 0, OP_END };
	static const u8 mask[] = { 0, OP_INSERT, 0xff, 0xff, 0xff, 0xff, 0x7f, OP_END };
	static const u8 status[] = { TF_STATUS, 99, 0, OP_END };
	static const u8 str[] = { TF_STATUS, TS_OK, 2, OP_END };	/* of an empty dictionary */

	refuse_bytes(copy, sizeof(copy));
	refuse_bytes(drop, sizeof(drop));
	refuse_bytes(change, sizeof(change));
	refuse_bytes(mask, sizeof(mask));
	refuse_bytes(status, sizeof(status));
	refuse_bytes(str, sizeof(str));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_round_trip),
		cmocka_unit_test(blank_row_is_as_documented),
		cmocka_unit_test(random_ticks_round_trip),
		cmocka_unit_test(skipped_snapshots_change_nothing),
		cmocka_unit_test(rows_of_another_snapshot_are_used),
		cmocka_unit_test(unchanged_rows_are_shared),
		cmocka_unit_test(delta_needs_its_key_frame),
		cmocka_unit_test(own_schema_round_trips),
		cmocka_unit_test(other_schema_is_read),
		cmocka_unit_test(damaged_bytes_are_survived),
		cmocka_unit_test(row_bomb_is_refused),
		cmocka_unit_test(impossible_scripts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
