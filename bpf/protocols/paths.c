// SPDX-License-Identifier: GPL-2.0-or-later
/* paths.c: see paths.h. */
#include <string.h>

#include "bpf/protocols/paths.h"

#define HEX_MIN 8	/* "deadbeef" is an id, "cafe" a word */
#define RANDOM_MIN 20

struct letters {
	u32 digits, hex, upper, other;	/* other: but - and _ */
};

static struct letters count_letters(const char *s, size_t n)
{
	struct letters c = { 0 };

	for (size_t i = 0; i < n; i++) {
		char l = s[i];

		c.digits += l >= '0' && l <= '9';
		c.hex += (l >= '0' && l <= '9') || (l >= 'a' && l <= 'f') || (l >= 'A' && l <= 'F');
		c.upper += l >= 'A' && l <= 'Z';
		c.other += l == '.' || l == '%' || l == '~' || l == '+' || l == '=' || (u8)l >= 0x80;
	}
	return c;
}

static bool is_uuid(const char *s, size_t n, const struct letters *c)
{
	return n == 36 && c->hex == 32 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-';
}

static bool is_id(const char *s, size_t n)
{
	struct letters c = count_letters(s, n);

	if (!n)
		return false;
	if (c.digits == n || is_uuid(s, n, &c))
		return true;
	if (c.hex == n && c.digits && n >= HEX_MIN)
		return true;
	/* tokens: long, with digits, and cases mixed or no word that long */
	return n >= RANDOM_MIN && !c.other && c.digits >= 3 && (c.upper >= 2 || c.digits * 4 >= n);
}

void path_fold(char *buf, size_t cap, const char *path)
{
	size_t at = 0;

	while (*path && at + 1 < cap) {
		size_t n = strcspn(path, "/");
		bool id = is_id(path, n);
		const char *from = id ? "{id}" : path;
		size_t len = min(id ? 4 : n, cap - 1 - at);

		memcpy(buf + at, from, len);
		at += len;
		path += n;
		if (*path && at + 1 < cap)
			buf[at++] = *path++;
	}
	buf[at] = '\0';
}
