// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * split.c: see split.h. The three requests have the same shape (opentelemetry/proto/collector):
 * resources = 1, each with its resource = 1 and scopes = 2, each with its scope = 1 and entries =
 * 2. A span or log record is one item; a Metric has its points in field 1 of its kind (gauge = 5,
 * sum = 7, histogram = 9, exponential_histogram = 10).
 */
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/split.h"
#include "exporter/otlp/protobuf.h"

#define HEAD_MAX 11	/* maximum tag and length of a field */

struct buf {
	u8 *data;
	size_t n, cap;
};

struct split {
	otlp_part_fn *put;
	void *arg;
	size_t max;
	struct buf part;
	u32 items;		/* in the current part */
	bool metrics;
};

static void add(struct buf *b, const u8 *from, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = max(b->n + n, 2 * b->cap);
		b->data = xrealloc(b->data, b->cap);
	}
	memcpy(b->data + b->n, from, n);
	b->n += n;
}

static void add_head(struct buf *b, u32 number, u64 n)
{
	u8 raw[HEAD_MAX] = { (u8)(number << 3 | 2) };
	size_t k = 1;

	for (; n >= 0x80; n >>= 7)
		raw[k++] = (u8)(n | 0x80);
	raw[k++] = (u8)n;
	add(b, raw, k);
}

static void add_field(struct buf *b, u32 number, struct protobuf bytes)
{
	size_t n = (size_t)(bytes.end - bytes.p);

	add_head(b, number, n);
	add(b, bytes.p, n);
}

static void flush(struct split *x)
{
	if (x->part.n)
		x->put(x->arg, x->part.data, x->part.n, x->items);
	x->part = (struct buf){ 0 };
	x->items = 0;
}

/* ---- counting ------------------------------------------------------------------------------ */

static bool next_message(struct protobuf *b, struct protobuf_field *f)
{
	bool bad = false;

	while (protobuf_next(b, f, &bad))
		if (f->type == 2)
			return true;
	return false;
}

static u32 count_fields(struct protobuf b, u32 number)
{
	struct protobuf_field f;
	u32 n = 0;

	while (next_message(&b, &f))
		n += f.number == number;
	return n;
}

static u32 count_points(struct protobuf metric)
{
	struct protobuf_field f;
	u32 n = 0;

	while (next_message(&metric, &f))
		if (f.number == 5 || f.number == 7 || f.number == 9 || f.number == 10)
			n += count_fields(f.bytes, 1);
	return n;
}

static u32 count_items(const struct split *x, struct protobuf item)
{
	return x->metrics ? count_points(item) : 1;
}

static u32 count_resource(const struct split *x, struct protobuf resource)
{
	struct protobuf_field scope, item;
	u32 n = 0;

	while (next_message(&resource, &scope))
		while (scope.number == 2 && next_message(&scope.bytes, &item))
			n += item.number == 2 ? count_items(x, item.bytes) : 0;
	return n;
}

/* ---- cutting ------------------------------------------------------------------------------- */

/* All fields except number 2. */
static void add_others(struct buf *b, struct protobuf message)
{
	struct protobuf_field f;

	while (next_message(&message, &f))
		if (f.number != 2)
			add_field(b, f.number, f.bytes);
}

/* One resource with some items of one of its scopes. */
static void put_items(struct split *x, struct protobuf resource, struct protobuf scope, const struct buf *items)
{
	struct buf inner = { 0 }, outer = { 0 };

	add_others(&inner, scope);
	add(&inner, items->data, items->n);
	add_others(&outer, resource);
	add_field(&outer, 2, (struct protobuf){ inner.data, inner.data + inner.n });
	add_field(&x->part, 1, (struct protobuf){ outer.data, outer.data + outer.n });
	free(inner.data);
	free(outer.data);
	flush(x);
}

static void cut_scope(struct split *x, struct protobuf resource, struct protobuf scope)
{
	struct protobuf rest = scope;
	struct buf items = { 0 }, others = { 0 };
	struct protobuf_field f;
	size_t around;

	add_others(&others, resource);
	add_others(&others, scope);
	around = others.n + 4 * HEAD_MAX;
	free(others.data);
	while (next_message(&rest, &f)) {
		if (f.number != 2)
			continue;
		if (items.n && around + items.n + (size_t)(f.bytes.end - f.bytes.p) > x->max) {
			put_items(x, resource, scope, &items);
			items.n = 0;
		}
		add_field(&items, 2, f.bytes);
		x->items += count_items(x, f.bytes);
	}
	if (items.n)
		put_items(x, resource, scope, &items);
	free(items.data);
}

static void cut_resource(struct split *x, struct protobuf resource)
{
	struct protobuf rest = resource;
	struct protobuf_field f;

	while (next_message(&rest, &f))
		if (f.number == 2)
			cut_scope(x, resource, f.bytes);
}

static void take_resource(struct split *x, struct protobuf resource)
{
	size_t n = (size_t)(resource.end - resource.p) + HEAD_MAX;

	if (x->part.n + n > x->max)
		flush(x);
	if (n > x->max) {
		cut_resource(x, resource);
		return;
	}
	add_field(&x->part, 1, resource);
	x->items += count_resource(x, resource);
}

void otlp_split(u8 *data, size_t n, size_t max, bool metrics, otlp_part_fn *put, void *arg)
{
	struct split x = { .put = put, .arg = arg, .max = max, .metrics = metrics };
	struct protobuf b = { data, data + n };
	struct protobuf_field f;

	while (next_message(&b, &f))
		take_resource(&x, f.bytes);
	flush(&x);
	free(data);
}
