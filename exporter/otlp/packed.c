// SPDX-License-Identifier: GPL-2.0-or-later
/* packed.c: see packed.h. Field numbers: opentelemetry/proto/common/v1/common.proto. */
#include <string.h>

#include "exporter/otlp/packed.h"

#define ATTRIBUTES 9	/* field number in Span */
#define HEADS_MAX 48	/* tags and lengths of key and value, and a number */
#define FIRST_BYTES 512

enum wire { VARINT = 0, BYTES = 2 };

static u8 *put_varint(u8 *p, u64 v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (u8)(v | 0x80);
	*p++ = (u8)v;
	return p;
}

static size_t varint_bytes(u64 v)
{
	return v ? (size_t)(63 - __builtin_clzll(v)) / 7 + 1 : 1;
}

static u8 *put_head(u8 *p, u32 field, enum wire wire, u64 v)
{
	*p++ = (u8)(field << 3 | wire);
	return put_varint(p, v);
}

static u8 *reserve(struct scratch *a, struct packed *to, size_t n)
{
	if (to->n + n > to->cap) {
		u8 *old = to->data;

		to->cap = max(2 * (to->n + n), (size_t)FIRST_BYTES);
		to->data = scratch_take(a, to->cap);
		if (to->n)
			memcpy(to->data, old, to->n);
	}
	return to->data + to->n;
}

/* Writes a KeyValue up to its AnyValue, whose n_value bytes come next. */
static u8 *put_key(struct scratch *a, struct packed *to, const char *key, size_t n_value)
{
	size_t n_key = strlen(key);
	u8 *p = reserve(a, to, HEADS_MAX + n_key + n_value);

	p = put_head(p, ATTRIBUTES, BYTES, 1 + varint_bytes(n_key) + n_key + 1 + varint_bytes(n_value) + n_value);
	p = put_head(p, 1, BYTES, n_key);
	p = mempcpy(p, key, n_key);
	return put_head(p, 2, BYTES, n_value);
}

void packed_text(struct scratch *a, struct packed *to, const char *key, const char *value)
{
	size_t n;
	u8 *p;

	if (!value || !*value)
		return;
	value = scratch_utf8(a, value);
	n = strlen(value);
	p = put_key(a, to, key, 1 + varint_bytes(n) + n);
	p = put_head(p, 1, BYTES, n);
	p = mempcpy(p, value, n);
	to->n = (size_t)(p - to->data);
}

void packed_int(struct scratch *a, struct packed *to, const char *key, u64 value)
{
	u8 *p;

	if (!u64_known(value))
		return;
	p = put_key(a, to, key, 1 + varint_bytes(value));
	p = put_head(p, 3, VARINT, value);
	to->n = (size_t)(p - to->data);
}

/* Attaches the bytes as an unknown field, which protobuf-c writes unchanged after its tag. */
void packed_set(struct scratch *a, const struct packed *from, Otlp__Span *span)
{
	ProtobufCMessageUnknownField *f;

	if (!from->n)
		return;
	f = scratch_take(a, sizeof(*f));
	*f = (ProtobufCMessageUnknownField){ .tag = ATTRIBUTES, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
					     .len = from->n - 1, .data = from->data + 1 };
	span->base.n_unknown_fields = 1;
	span->base.unknown_fields = f;
}
