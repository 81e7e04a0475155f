/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packed.h: a span's attributes, encoded directly: protobuf-c costs more than the rest of a span.
 */
#pragma once

#include "exporter/otlp/message.h"

/* Zero-initialized: empty. The bytes are a message of repeated KeyValue attributes = 9. */
struct packed {
	u8 *data;	/* in the scratch */
	size_t n, cap;
};

/* Unknown and blank values are skipped, as in message.h. Key and value are copied. */
void packed_text(struct scratch *a, struct packed *to, const char *key, const char *value);
void packed_int(struct scratch *a, struct packed *to, const char *key, u64 value);
/* Gives the attributes to the span; `from` must not change until the span is packed. */
void packed_set(struct scratch *a, const struct packed *from, Otlp__Span *span);
