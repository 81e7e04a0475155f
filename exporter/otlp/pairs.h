/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.h: lists of key=value with %XX escapes, the format of OTEL_* variables. */
#pragma once

#include "bpf/model/base.h"

struct otlp_pair {
	char *key, *value;
};

struct otlp_pairs {
	struct otlp_pair *pairs;
	u32 n, cap;
};

void otlp_pairs_add(struct otlp_pairs *p, const char *key, const char *value);
/*
 * Adds the pairs listed in the text (may be NULL). A malformed entry is skipped and logged as
 * coming from `from`, without its value, which may be a password. is_header: the key must be a
 * valid header name.
 */
void otlp_pairs_read(struct otlp_pairs *pairs, const char *text, bool is_header, const char *from);
void otlp_pairs_free(struct otlp_pairs *p);
