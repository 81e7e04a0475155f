// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Header blocks of HTTP/2: the examples of RFC 7541, tables that are joined in the middle, bad
 * blocks, what is bounded.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/protocols/hpack.h"
#include "tests/unit/hpack_data.h"

static char fields[1024];

static void note_field(void *arg, enum hpack_name name, const char *value)
{
	static const char *const names[] = { "?", "-", "method", "path", "scheme", "status", "type", "grpc", "trace" };
	size_t n = strlen(fields);

	snprintf(fields + n, sizeof(fields) - n, "%s=%s ", names[name], value ?: "");
}

static size_t from_hex(u8 *buf, const char *hex)
{
	size_t n = 0;
	u32 byte;

	for (; sscanf(hex, " %2x", &byte) == 1; hex += 2) {
		hex += strspn(hex, " ");
		buf[n++] = (u8)byte;
	}
	return n;
}

/* In one piece, and then byte by byte with a discarded copy of the table. */
static bool read_block(struct hpack *h, const char *hex)
{
	struct hpack_block b = {};
	u8 data[256];
	size_t n = from_hex(data, hex);

	fields[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!hpack_read(h, &b, data + i, 1, note_field, NULL))
			return false;
	return hpack_may_end(&b);
}

/* RFC 7541, C.4 and C.6. */
static void test_rfc_examples(void **s)
{
	struct hpack asks = {}, answers = {};

	assert_true(read_block(&asks, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"));
	assert_string_equal(fields, "method=GET scheme=http path=/ -= ");
	assert_true(read_block(&asks, "8286 84be 5886 a8eb 1064 9cbf"));
	assert_string_equal(fields, "method=GET scheme=http path=/ -= -= ");
	assert_true(read_block(&asks, "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"));
	assert_string_equal(fields, "method=GET scheme=https path=/index.html -= -= ");
	assert_true(read_block(&answers, "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81"
			       "66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3"));
	assert_string_equal(fields, "status=302 -= -= -= ");
	assert_true(read_block(&answers, "4883 640e ffc1 c0bf"));
	assert_string_equal(fields, "status=307 -= -= -= ");
	assert_true(read_block(&answers, "bf"));	/* now the second newest: of the first block's date nothing */
	assert_true(read_block(&answers, "be"));
	assert_string_equal(fields, "status=307 ");
	hpack_forget(&asks);
	hpack_forget(&answers);
}

/*
 * Joined in the middle: newer entries are known by index, older ones never, whatever is inserted.
 */
static void test_joined_table(void **s)
{
	struct hpack h = {};
	struct hpack_block b = {};
	u8 data[512];
	size_t n;

	assert_true(read_block(&h, "82 c1 be"));
	assert_string_equal(fields, "method=GET ?= ?= ");
	n = put_literal(data, 0x40, 4, NULL, "/new?secret");
	n += put_literal(data + n, 0x40, 0, "x-other", "1");
	data[n++] = 0x40 | 0x3f;	/* the name of entry 64: older than both */
	data[n++] = 1;
	data[n++] = 1;
	data[n++] = 'v';
	assert_true(hpack_read(&h, &b, data, n, note_field, NULL));
	assert_true(read_block(&h, "be bf c0 c1"));
	assert_string_equal(fields, "?= -= path=/new ?= ");
	hpack_forget(&h);
	assert_true(read_block(&h, "c0"));
	assert_string_equal(fields, "?= ");
	hpack_forget(&h);
}

static void test_bad_blocks(void **s)
{
	static const char *const bad[] = {
		"80",				/* index 0 */
		"ff ffff ffff ff",		/* a number without an end */
		"0084 ffff ffff",		/* a name of the code that ends nothing */
		"0482 0000",			/* padding that is not ones, and more than 7 bits of it */
	};
	struct hpack h = {};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(read_block(&h, bad[i]));
	assert_false(read_block(&h, "44 05 2f61"));	/* cut */
	hpack_forget(&h);
}

/* However much is inserted, memory is bounded and the kept entries are correct. */
static void test_table_is_bounded(void **s)
{
	size_t before = mallinfo2().uordblks;
	struct hpack h = {};
	char path[120], want[160];
	u8 data[256];

	for (u32 i = 0; i < 20000; i++) {
		struct hpack_block b = {};

		snprintf(path, sizeof(path), "/%0100u", i);
		assert_true(hpack_read(&h, &b, data, put_literal(data, 0x40, 4, NULL, path), note_field, NULL));
		fields[0] = '\0';
	}
	assert_true(mallinfo2().uordblks - before < 100000);
	assert_true(read_block(&h, "bf"));
	snprintf(want, sizeof(want), "path=/%0100u ", 19998);
	assert_string_equal(fields, want);
	hpack_forget(&h);
	assert_true(mallinfo2().uordblks <= before + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_examples),
		cmocka_unit_test(test_joined_table),
		cmocka_unit_test(test_bad_blocks),
		cmocka_unit_test(test_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
