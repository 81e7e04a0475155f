// SPDX-License-Identifier: GPL-2.0-or-later
/* protobuf.c: see protobuf.h. Field numbers: opentelemetry/proto/collector. */

#include "exporter/otlp/protobuf.h"

static bool read_varint(struct protobuf *b, u64 *ret)
{
	*ret = 0;
	for (u32 shift = 0; shift < 70 && b->p < b->end; shift += 7) {
		u8 byte = *b->p++;

		if (shift < 64)
			*ret |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool take(struct protobuf *b, u64 n, struct protobuf *ret)
{
	if (n > (u64)(b->end - b->p))
		return false;
	*ret = (struct protobuf){ b->p, b->p + n };
	b->p += n;
	return true;
}

bool protobuf_next(struct protobuf *b, struct protobuf_field *f, bool *bad)
{
	static const u8 fixed[] = { [1] = 8, [5] = 4 };
	u64 tag, n;

	if (b->p == b->end)
		return false;
	*bad = true;
	if (!read_varint(b, &tag) || !(tag >> 3) || tag >> 3 > UINT32_MAX >> 3)
		return false;
	f->number = (u32)(tag >> 3);
	f->type = tag & 7;
	if (f->type == 0)
		*bad = !read_varint(b, &f->varint);
	else if (f->type == 2)
		*bad = !read_varint(b, &n) || !take(b, n, &f->bytes);
	else if (f->type == 1 || f->type == 5)
		*bad = !take(b, fixed[f->type], &f->bytes);
	return !*bad;
}

void protobuf_show(char *buf, size_t cap, struct protobuf b)
{
	char raw[160];
	size_t n = 0;

	while (b.p < b.end && n < sizeof(raw) - 1 && *b.p)
		raw[n++] = (char)*b.p++;
	raw[n] = '\0';
	text_clean(buf, cap, raw, TEXT_SCREEN);
}

/* ExportPartialSuccess: rejected_... = 1, error_message = 2. False: malformed. */
static bool read_partial(struct protobuf b, u64 *ret_rejected, char *message, size_t cap)
{
	struct protobuf_field f;
	bool bad = false;

	while (protobuf_next(&b, &f, &bad)) {
		if (f.number == 1 && f.type == 0)
			*ret_rejected = (s64)f.varint > 0 ? f.varint : 0;
		else if (f.number == 2 && f.type == 2)
			protobuf_show(message, cap, f.bytes);
	}
	return !bad;
}

bool protobuf_response(struct protobuf b, u64 *ret_rejected, char *message, size_t cap)
{
	struct protobuf_field f;
	bool bad = false;

	while (protobuf_next(&b, &f, &bad))
		if (f.number == 1 && f.type == 2 &&
		    !read_partial(f.bytes, ret_rejected, message, cap))
			return false;
	return !bad;
}
