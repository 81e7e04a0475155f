// SPDX-License-Identifier: GPL-2.0-or-later
/* ids.c: see ids.h. */
#include <ctype.h>
#include <string.h>
#include <sys/random.h>

#include "exporter/otlp/ids.h"

#define SCALE_BITS 56	/* of a trace id, used for the sampling decision */

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parses n bytes of lower-case hex; false: malformed, or all zeros, which is not a valid id. */
static bool parse(const char *hex, u8 *buf, size_t n)
{
	u8 any = 0;

	if (!hex || strlen(hex) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf[i] = (u8)(high << 4 | low);
		any |= buf[i];
	}
	return any;
}

/* SplitMix64's output function (Steele, Lea, Flood: Fast splittable PRNGs, 2014). */
static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* Generates eight bytes of an id; never 0, which is invalid. */
static void put_own(const struct requests_row *r, int part, u8 *ret)
{
	static u64 secret[3];
	u64 id;

	while (!secret[0])
		if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))	/* interrupted */
			secret[0] = 0;
	id = mix(mix(secret[part] ^ r->start_time_ns) ^ r->seq) ?: 1;
	memcpy(ret, &id, sizeof(id));
}

void otlp_ids_of(const struct requests_row *r, struct otlp_span_ids *ret)
{
	put_own(r, 0, ret->span);
	if (parse(r->trace_id, ret->trace, TRACE_ID_BYTES))
		return;
	put_own(r, 1, ret->trace);
	put_own(r, 2, ret->trace + 8);
}

bool otlp_ids_parent(const struct requests_row *r, u8 ret[SPAN_ID_BYTES])
{
	u8 trace[TRACE_ID_BYTES];

	return parse(r->trace_id, trace, TRACE_ID_BYTES) && parse(r->span_id, ret, SPAN_ID_BYTES);
}

bool otlp_ids_sampled(const struct otlp_span_ids *ids, double ratio)
{
	u64 low = 0;

	for (int i = TRACE_ID_BYTES - SCALE_BITS / 8; i < TRACE_ID_BYTES; i++)
		low = low << 8 | ids->trace[i];
	return low < (u64)(ratio * (double)(1ull << SCALE_BITS));	/* a double has fewer bits than low */
}
