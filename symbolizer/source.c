// SPDX-License-Identifier: GPL-2.0-or-later
/* source.c: see source.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/source.h"

size_t source_read(const struct source *s, u64 at, void *buf, size_t n)
{
	size_t done = 0;

	if (at >= s->size)
		return 0;
	n = min((u64)n, s->size - at);
	if (s->mem) {
		memcpy(buf, s->mem + at, n);
		return n;
	}
	while (done < n) {
		ssize_t got = pread(s->fd, (char *)buf + done, n - done, (off_t)(s->start + at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

bool source_get(const struct source *s, u64 at, void *buf, size_t n)
{
	return source_read(s, at, buf, n) == n;
}

u64 source_uint(const struct source *s, u64 at, u32 size)
{
	u64 v = 0;

	return source_get(s, at, &v, size) ? v : 0;	/* little endian, as both architectures */
}

bool source_text(const struct source *s, u64 at, char end, char *buf, size_t cap)
{
	size_t n = 0;

	while (n < cap - 1) {
		size_t got = source_read(s, at + n, buf + n, min(cap - 1 - n, (size_t)128));

		if (!got)
			break;
		for (size_t i = 0; i < got; i++, n++) {
			if (buf[n] && buf[n] != end)
				continue;
			buf[n] = '\0';
			return n != 0;
		}
	}
	buf[n] = '\0';
	if (n == cap - 1 && cap > 4)
		memcpy(buf + n - 3, "...", 3);
	return n != 0;
}

struct source source_part(const struct source *s, u64 at, u64 size)
{
	struct source part = *s;

	if (at > s->size || size > s->size - at)
		at = size = 0;
	if (part.mem)
		part.mem += at;
	else
		part.start += at;
	part.size = size;
	return part;
}
