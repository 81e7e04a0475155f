// SPDX-License-Identifier: GPL-2.0-or-later
/* hpack.c: see hpack.h. Everything that is read here is hostile. */
#include <stdlib.h>
#include <string.h>

#include "bpf/protocols/hpack.h"

#define MAX_ENTRIES 1024	/* a table of 4096 bytes, which is usual, has at most 128 */
#define MAX_VALUES (16u << 10)	/* bytes of them that are kept of one direction */
#define MAX_NUMBER (1u << 24)

enum kind { SIZE_UPDATE, INDEXED, LITERAL, INSERTED };
enum state { AT_FIELD, INDEX, NAME_LENGTH, NAME, VALUE_LENGTH, VALUE };

struct hpack_entry {
	u8 name;
	bool has_value;
	char value[];
};

static const struct hpack_entry plain[] = {	/* of which no value is kept */
	[HPACK_UNKNOWN] = { HPACK_UNKNOWN }, [HPACK_OTHER] = { HPACK_OTHER }, [HPACK_METHOD] = { HPACK_METHOD },
	[HPACK_PATH] = { HPACK_PATH }, [HPACK_SCHEME] = { HPACK_SCHEME }, [HPACK_STATUS] = { HPACK_STATUS },
	[HPACK_CONTENT_TYPE] = { HPACK_CONTENT_TYPE }, [HPACK_GRPC_STATUS] = { HPACK_GRPC_STATUS },
	[HPACK_TRACEPARENT] = { HPACK_TRACEPARENT },
};

/* RFC 7541, appendix A; other names are not needed. */
#define N_STATIC 61
static const struct { u8 name; const char *value; } fixed[N_STATIC + 1] = {
	[2] = { HPACK_METHOD, "GET" }, [3] = { HPACK_METHOD, "POST" },
	[4] = { HPACK_PATH, "/" }, [5] = { HPACK_PATH, "/index.html" },
	[6] = { HPACK_SCHEME, "http" }, [7] = { HPACK_SCHEME, "https" },
	[8] = { HPACK_STATUS, "200" }, [9] = { HPACK_STATUS, "204" }, [10] = { HPACK_STATUS, "206" },
	[11] = { HPACK_STATUS, "304" }, [12] = { HPACK_STATUS, "400" }, [13] = { HPACK_STATUS, "404" },
	[14] = { HPACK_STATUS, "500" }, [31] = { HPACK_CONTENT_TYPE, "" },
};

static const char *const names[] = {
	[HPACK_METHOD] = ":method", [HPACK_PATH] = ":path", [HPACK_SCHEME] = ":scheme",
	[HPACK_STATUS] = ":status", [HPACK_CONTENT_TYPE] = "content-type",
	[HPACK_GRPC_STATUS] = "grpc-status", [HPACK_TRACEPARENT] = "traceparent",
};

/* ---- the table ---- */

static u32 size_of(const struct hpack_entry *e)
{
	return e->has_value ? (u32)strlen(e->value) + 1 : 0;
}

static void drop_oldest(struct hpack *h)
{
	const struct hpack_entry *e = h->ring[(h->newest + h->n - 1) & (h->cap - 1)];

	h->bytes -= size_of(e);
	h->n--;
	if (e->has_value)
		free((void *)e);
}

static void make_room(struct hpack *h)
{
	u32 cap = h->cap ? h->cap * 2 : 16;	/* powers of two */
	const struct hpack_entry **ring;

	if (h->n < h->cap)
		return;
	if (h->cap == MAX_ENTRIES) {
		drop_oldest(h);
		return;
	}
	ring = xcalloc(cap, sizeof(*ring));
	for (u32 i = 0; i < h->n; i++)
		ring[i] = h->ring[(h->newest + i) & (h->cap - 1)];
	free(h->ring);
	h->ring = ring;
	h->cap = cap;
	h->newest = 0;
}

/* Adds an entry. If the limit of values is reached an old value becomes unknown, never a wrong one. */
static void insert(struct hpack *h, u8 name, const char *value)
{
	const struct hpack_entry *e = &plain[name];

	if (value && name != HPACK_OTHER && name != HPACK_UNKNOWN) {
		struct hpack_entry *own = xmalloc(sizeof(*own) + strlen(value) + 1);

		own->name = name;
		own->has_value = true;
		strcpy(own->value, value);
		e = own;
	}
	make_room(h);
	h->newest = (h->newest - 1) & (h->cap - 1);
	h->ring[h->newest] = e;
	h->n++;
	h->bytes += size_of(e);
	while (h->bytes > MAX_VALUES)
		drop_oldest(h);
}

void hpack_forget(struct hpack *h)
{
	while (h->n)
		drop_oldest(h);
	free(h->ring);
	*h = (struct hpack){};
}

/* The name and value at an index; it is not 0. */
static u8 look_up(const struct hpack *h, u32 index, const char **ret_value)
{
	const struct hpack_entry *e;

	*ret_value = NULL;
	if (index <= N_STATIC) {
		*ret_value = fixed[index].value;
		return fixed[index].name ?: HPACK_OTHER;
	}
	index -= N_STATIC + 1;
	if (index >= h->n)
		return HPACK_UNKNOWN;
	e = h->ring[(h->newest + index) & (h->cap - 1)];
	*ret_value = e->has_value ? e->value : NULL;
	return e->name;
}

/* ---- strings ---- */

static void begin_string(struct hpack_block *b, enum state state)
{
	b->state = state;
	b->left = b->number;
	b->n_text = 0;
	b->cut = false;
	b->text[0] = '\0';
	b->huffman = (struct huffman){};
}

/* Appends to the value: of a path only up to the query; long values are truncated. */
static void put(struct hpack_block *b, u8 c)
{
	b->cut |= !c || (b->state == VALUE && b->name == HPACK_PATH && (c == '?' || c == '#'));
	if (b->cut)
		return;
	if (b->n_text + 1 < sizeof(b->text)) {
		b->text[b->n_text++] = (char)c;
		b->text[b->n_text] = '\0';
	}
}

static bool put_coded(struct hpack_block *b, u8 c)
{
	u8 symbols[2];
	int n = huffman_byte(&b->huffman, c, symbols);

	for (int i = 0; i < n; i++)
		put(b, symbols[i]);
	return n >= 0;
}

static bool is_wanted(const struct hpack_block *b)
{
	return b->state == NAME || (b->name != HPACK_OTHER && b->name != HPACK_UNKNOWN);
}

/* Names are lower case. */
static u8 name_of(const char *text)
{
	for (u32 i = HPACK_METHOD; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i]))
			return (u8)i;
	return HPACK_OTHER;
}

/* ---- fields ---- */

static void field_done(struct hpack *h, struct hpack_block *b, hpack_field *field, void *arg)
{
	const char *value = is_wanted(b) ? b->text : NULL;

	b->state = AT_FIELD;
	field(arg, b->name, value);
	if (b->kind == INSERTED)
		insert(h, b->name, value);
}

static void string_done(struct hpack *h, struct hpack_block *b, hpack_field *field, void *arg)
{
	if (b->state == VALUE) {
		field_done(h, b, field, arg);
		return;
	}
	b->name = b->cut ? HPACK_OTHER : name_of(b->text);
	b->state = VALUE_LENGTH;
}

static bool number_done(struct hpack *h, struct hpack_block *b, hpack_field *field, void *arg)
{
	const char *value;

	if (b->state == NAME_LENGTH || b->state == VALUE_LENGTH) {
		begin_string(b, b->state == NAME_LENGTH ? NAME : VALUE);
		if (!b->left)
			string_done(h, b, field, arg);
		return true;
	}
	if (b->kind == SIZE_UPDATE) {
		b->state = AT_FIELD;
	} else if (b->kind == INDEXED) {
		b->state = AT_FIELD;
		if (!b->number)
			return false;
		b->name = look_up(h, b->number, &value);
		field(arg, b->name, value);
	} else if (b->number) {
		b->name = look_up(h, b->number, &value);
		b->state = VALUE_LENGTH;
	} else {
		b->state = NAME_LENGTH;
	}
	return true;
}

/* ---- bytes ---- */

/* The first byte of a number has `bits` bits of it. True: the number is complete. */
static bool number_begins(struct hpack_block *b, u8 c, u32 bits)
{
	u32 most = (1u << bits) - 1;

	b->number = c & most;
	b->shift = 0;
	b->more = b->number == most;
	return !b->more;
}

static bool number_goes_on(struct hpack_block *b, u8 c)
{
	b->number += (u32)(c & 0x7f) << b->shift;
	b->shift += 7;
	b->more = c & 0x80;
	return b->number <= MAX_NUMBER && b->shift <= 28;
}

static bool field_begins(struct hpack *h, struct hpack_block *b, u8 c, hpack_field *field, void *arg)
{
	u32 bits = c & 0x80 ? 7 : c & 0x40 ? 6 : c & 0x20 ? 5 : 4;

	b->kind = c & 0x80 ? INDEXED : c & 0x40 ? INSERTED : c & 0x20 ? SIZE_UPDATE : LITERAL;
	b->state = INDEX;
	return number_begins(b, c, bits) ? number_done(h, b, field, arg) : true;
}

static bool number_byte(struct hpack *h, struct hpack_block *b, u8 c, hpack_field *field, void *arg)
{
	if (b->more) {
		if (!number_goes_on(b, c))
			return false;
	} else {
		b->coded = c & 0x80;
		number_begins(b, c, 7);
	}
	return b->more || number_done(h, b, field, arg);
}

static bool string_byte(struct hpack_block *b, u8 c)
{
	if (b->coded)
		return put_coded(b, c);
	put(b, c);
	return true;
}

/* Consumes up to n bytes of a string. Returns how many, or 0 if it is invalid. */
static u64 string_bytes(struct hpack *h, struct hpack_block *b, const u8 *data, u64 n, hpack_field *field, void *arg)
{
	n = min(n, (u64)b->left);
	for (u64 i = 0; is_wanted(b) && i < n; i++)
		if (!string_byte(b, data[i]))
			return 0;
	b->left -= (u32)n;
	if (b->left)
		return n;
	if (!huffman_may_end(&b->huffman))
		return 0;
	string_done(h, b, field, arg);
	return n;
}

bool hpack_read(struct hpack *h, struct hpack_block *b, const u8 *data, u64 n, hpack_field *field, void *arg)
{
	for (u64 i = 0, took = 1; i < n; i += took) {
		if (b->state == NAME || b->state == VALUE)
			took = string_bytes(h, b, data + i, n - i, field, arg);
		else
			took = b->state == AT_FIELD ? field_begins(h, b, data[i], field, arg) :
						      number_byte(h, b, data[i], field, arg);
		if (!took)
			return false;
	}
	return true;
}

bool hpack_may_end(const struct hpack_block *b)
{
	return b->state == AT_FIELD;
}
