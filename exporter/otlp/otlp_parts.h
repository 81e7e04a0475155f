/* SPDX-License-Identifier: GPL-2.0-or-later */
/* otlp_parts.h: private to otlp.c, which opens the sink, and otlp_export.c, which writes to it. */
#pragma once

#include <stdatomic.h>

#include "exporter/otlp/groupings.h"
#include "exporter/otlp/otlp.h"
#include "exporter/otlp/plain.h"
#include "exporter/otlp/processes.h"
#include "exporter/otlp/profiles.h"
#include "exporter/otlp/spans.h"

struct otlp_sink {
	struct sink sink;
	struct otlp_config config;
	char *url;
	struct otlp_options options;	/* its texts are valid only during otlp_open() */
	struct otlp_sender *senders[OTLP_SIGNALS];
	struct otlp_stats final[OTLP_SIGNALS];	/* valid once the senders have ended */
	bool hung;
	const struct session *session;
	struct otlp_processes *processes;
	struct otlp_plain *plain;
	struct otlp_groups *groups[N_GROUPINGS];
	struct otlp_series *deltas;	/* NULL: counters are cumulative */
	struct event_cursor spans;
	struct otlp_logs *logs;
	struct otlp_due due;		/* spans of the current snapshot */
	struct otlp_links *links;	/* matches client and server spans */
	struct scratch scratch;		/* for the message being built */
	struct otlp_profiles *profiles;	/* NULL: not requested */
	const struct snapshot *last;	/* the most recent one */
	s64 start_offset_ns;		/* see metrics_begin() */
	u64 exported_ns, exported_seq;	/* time and sequence of the snapshot exported last */
	u64 profiled_ns;		/* the same for profiles */
	_Atomic u64 encode_ns[OTLP_SIGNALS];	/* CPU time */
	_Atomic bool hurry;		/* metrics are due with the next snapshot */
};

/* Callbacks of the sink; see struct sink. */
int otlp_write(struct sink *sink, const struct snapshot *s);
int otlp_close(struct sink *sink);
/* Stops all senders within OTLP_FLUSH_MS. */
void otlp_finish(struct otlp_sink *o);
