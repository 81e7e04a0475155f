/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packed.h: the attributes of a span, packed as they are added. protobuf-c would walk each of them twice by its
 * descriptors, which costs more than all else of a span.
 */
#ifndef OTTOP_OTLP_PACKED_H
#define OTTOP_OTLP_PACKED_H

#include "exporter/otlp/message.h"

/* Zeroed: none yet. The bytes are those of a message with nothing but repeated KeyValue attributes = 9. */
struct packed {
	u8 *data;	/* of the scratch */
	size_t n, cap;
};

/* Unknown and blank values add nothing, as in message.h. Both are copied. */
void packed_text(struct scratch *a, struct packed *to, const char *key, const char *value);
void packed_int(struct scratch *a, struct packed *to, const char *key, u64 value);
/* Gives them to the span; `from` stays as it is until that is packed. */
void packed_set(struct scratch *a, const struct packed *from, Otlp__Span *span);

#endif
