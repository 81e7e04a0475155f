// SPDX-License-Identifier: GPL-2.0-or-later
/* http1_lines.c: see http1_lines.h. */
#include <string.h>
#include <strings.h>

#include "bpf/protocols/http1_lines.h"
#include "bpf/protocols/protocol.h"

#define LINE_MAX_BYTES 65536	/* longer ones are odd */

bool http1_is_token(u8 c)
{
	return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool http1_is_known(const char *name, u32 n)
{
#define is(literal) (n == sizeof(literal) - 1 && !strncasecmp(name, literal, n))
	return is("content-length") || is("transfer-encoding") || is("traceparent") || is("upgrade");
#undef is
}

/* Bytes before its LF; less than 0: there is none. */
static s64 line_bytes(const u8 *p, u64 n)
{
	const u8 *end = memchr(p, '\n', (size_t)min(n, (u64)LINE_MAX_BYTES));

	return end ? end - p : -1;
}

/* ---- first lines ---- */

/* The path ends at a blank, without its query. False: there is something in it that is in no path. */
static bool path_line(const u8 *p, u32 end, struct http1_asked *a)
{
	u32 i = a->path_at;
	bool query = false;

	for (; i < end && p[i] > ' '; i++)
		if (!query && (p[i] == '?' || p[i] == '#')) {
			query = true;
			a->path = i - a->path_at;
		}
	if (!query)
		a->path = i - a->path_at;
	a->version_at = i + 1;
	return i < end && p[i] == ' ' && a->path;
}

bool http1_request_line(const u8 *p, u64 n, struct http1_asked *ret)
{
	static const char version[] = "HTTP/1.";
	s64 line = line_bytes(p, n);
	u32 end, i = 0;

	if (line <= 0)
		return false;
	end = (u32)line - (p[line - 1] == '\r');
	while (i < end && i < METHOD_MAX && http1_is_token(p[i]))
		i++;
	if (!i || i >= METHOD_MAX - 1 || i >= end || p[i] != ' ')
		return false;
	*ret = (struct http1_asked){ .method = i, .path_at = i + 1, .end = end };
	if (!path_line(p, end, ret))
		return false;
	ret->version = end - ret->version_at;
	return ret->version == sizeof(version) && !memcmp(p + ret->version_at, version, sizeof(version) - 1);
}

static bool is_digit(u8 c)
{
	return c >= '0' && c <= '9';
}

u32 http1_status_line(const u8 *p, u64 n, u32 *ret_status)
{
	s64 line = line_bytes(p, n);
	u32 end;

	if (line < 13 || memcmp(p, "HTTP/1.", 7) || p[8] != ' ' || p[12] != ' ' || !is_digit(p[9]) ||
	    !is_digit(p[10]) || !is_digit(p[11]))
		return 0;
	end = (u32)line - (p[line - 1] == '\r');
	*ret_status = (u32)(p[9] - '0') * 100 + (u32)(p[10] - '0') * 10 + (u32)(p[11] - '0');
	return end;
}

/* ---- headers ---- */

u32 http1_lines_passed(const u8 *p, u64 n)
{
	u32 at = 0;

	for (;;) {
		s64 line = line_bytes(p + at, n - at);
		u32 i = 0;

		while (line > 0 && p[at + i] > ' ' && p[at + i] != ':')
			i++;
		if (line <= 0 || !i || p[at + i] != ':' || http1_is_known((const char *)p + at, i))
			return at;
		at += (u32)line + 1;
		if (at > LINE_MAX_BYTES)
			return at;
	}
}

/* ---- the first bytes ---- */

static enum verdict is_answer(const u8 *p, u64 n)
{
	static const char begin[] = "HTTP/1.";
	u64 len = sizeof(begin) - 1;

	if (memcmp(p, begin, (size_t)min(n, len)))
		return VERDICT_NO;
	return n < len ? VERDICT_MORE : VERDICT_YES;
}

static enum verdict is_request(const u8 *p, u64 n)
{
	u64 i = 0;

	while (i < n && i < METHOD_MAX && http1_is_token(p[i]))
		i++;
	if (i == n)
		return VERDICT_MORE;
	return i >= 3 && i < METHOD_MAX && p[i] == ' ' ? VERDICT_YES : VERDICT_NO;
}

enum verdict http1_recognise(const u8 *p, u64 n, enum role *ret_role)
{
	enum verdict v = is_answer(p, n);

	*ret_role = v == VERDICT_NO ? ASKS : ANSWERS;
	return v == VERDICT_NO ? is_request(p, n) : v;
}
