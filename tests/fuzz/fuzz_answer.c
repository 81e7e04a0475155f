// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_answer.c: a collector's answer, whatever it is: lengths, and what may be said of it.
 *
 * sources: exporter/otlp/answer.c bpf/model/text.c bpf/model/log.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/answer.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u32 statuses[] = { 0, 200, 204, 302, 400, 429, 500, 503 };
	struct http_answer *a = calloc(1, sizeof(*a));
	struct otlp_outcome o;
	size_t n;

	if (size < 2) {
		free(a);
		return 0;
	}
	a->status = statuses[data[0] & 7];
	a->is_protobuf = data[0] & 8;
	a->cut = data[0] & 16;
	n = data[1] & 63;
	data += 2;
	size -= 2;
	if (n > size)
		n = size;
	memcpy(a->retry_after, data, n < 63 ? n : 63);
	data += n;
	size -= n;
	a->n = (u32)min(size, sizeof(a->body));
	memcpy(a->body, data, a->n);
	otlp_judge(a, 1700000000, &o);
	if (o.wait_ms > OTLP_WAIT_MAX_MS || strlen(o.message) >= sizeof(o.message) ||
	    (o.verdict == OTLP_RETRY && o.rejected))
		abort();
	free(a);
	return 0;
}
