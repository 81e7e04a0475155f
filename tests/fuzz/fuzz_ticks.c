// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_ticks.c: bytes as encoded ticks (16-bit length before each) of this
 * program's schema. Whatever is accepted must survive encoding and decoding
 * unchanged, merging, and a history under a tiny cap.
 */
#include "bpf/record/history.h"
#include "bpf/record/merge.h"
#include "bpf/model/snapshot_build.h"
#include "bpf/record/codec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct state {
	struct decoder *in, *again;
	struct encoder *encoder;
	struct history *history;
	const struct snapshot *prev;
};

/* Histograms have one form for one content only when they were made by hist_seal(): so compare. */
static void must_be_same(const struct snapshot *a, const struct snapshot *b)
{
	for (int t = 0; t < N_TABLES; t++) {
		if (a->tables[t].n != b->tables[t].n)
			abort();
		for (u32 i = 0; i < a->tables[t].n; i++)
			if (!row_equal(a->tables[t].rows[i], b->tables[t].rows[i]))
				abort();
	}
}

static void must_be_sorted(const struct snapshot *s)
{
	for (int t = 0; t < N_TABLES; t++)
		for (u32 i = 1; i < s->tables[t].n; i++)
			if (row_cmp_keys(s->tables[t].rows[i - 1], s->tables[t].rows[i]) >= 0)
				abort();
}

static void check(struct state *st, const struct snapshot *s)
{
	const struct snapshot *back;
	struct buf_out o = { 0 };

	must_be_sorted(s);
	encoder_tick(st->encoder, s, !st->prev, &o);
	if (decoder_tick(st->again, o.data, o.n))
		abort();
	back = decoder_snapshot(st->again);
	must_be_same(s, back);
	snapshot_put(back);
	free(o.data);
	history_append(st->history, s);
	if (st->prev) {
		back = snapshot_merge(st->prev, s);
		must_be_sorted(back);
		snapshot_put(back);
	}
	snapshot_put(st->prev);
	st->prev = s;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct session session;
	struct state st = {
		.in = decoder_new(stored_schema_own(), &session),
		.again = decoder_new(stored_schema_own(), &session),
		.encoder = encoder_new(),
		.history = history_new(4096),
	};

	while (size >= 2) {
		size_t len = min((size_t)(data[0] | data[1] << 8), size - 2);

		if (!decoder_tick(st.in, data + 2, len))
			check(&st, decoder_snapshot(st.in));
		data += 2 + len;
		size -= 2 + len;
	}
	snapshot_put(st.prev);
	history_free(st.history);
	encoder_free(st.encoder);
	decoder_free(st.in);
	decoder_free(st.again);
	return 0;
}
