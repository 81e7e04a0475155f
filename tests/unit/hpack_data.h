/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hpack_data.h: header blocks made by hand, for the tests of HTTP/2. */
#pragma once

#include <string.h>

#include "bpf/model/base.h"

/* Literal: index of the name, or 0 and the name; 0x40: inserted. */
static inline size_t put_literal(u8 *p, u8 kind, u8 index, const char *name, const char *value)
{
	size_t n = 0;

	p[n++] = kind | index;
	if (!index) {
		p[n++] = (u8)strlen(name);
		memcpy(p + n, name, strlen(name));
		n += strlen(name);
	}
	p[n++] = (u8)strlen(value);
	memcpy(p + n, value, strlen(value));
	return n + strlen(value);
}
