/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.h: lists of key=value, with %XX in both, as variables OTEL_* have them. */
#ifndef OTTOP_OTLP_PAIRS_H
#define OTTOP_OTLP_PAIRS_H

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
 * Adds what the text (may be NULL) lists. An entry that is none is left out and logged as one `from` there,
 * without its value, which may be a password. As a header it must have a name that one may have.
 */
void otlp_pairs_read(struct otlp_pairs *pairs, const char *text, bool is_header, const char *from);
void otlp_pairs_free(struct otlp_pairs *p);

#endif
