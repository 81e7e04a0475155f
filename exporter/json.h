/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h: a snapshot as one line of JSON (NDJSON), for --json. The members of
 * a row are the fields of schema.def; docs/metrics.md is the reference.
 *
 *	{"schema":1,"host_name":...,"boot_id":...,"time_unix_ns":"...","interval_ns":...,
 *	 "tables":{NAME:{"status":"ok|partial|blocked","reason":null,"rows":[...]}}}
 *
 * Unknown, "not yet" and not applicable are null, never 0 or "". Times and
 * cookies are decimal strings because they can exceed 2^53.
 */
#pragma once

#include <stdio.h>

#include "bpf/model/snapshot.h"

struct json_writer;

/*
 * Writes tables (TABLE_BIT() mask) to `out`, the caller's. Events once: the first snapshot's
 * interval, then new ones.
 */
struct json_writer *json_writer_new(FILE *out, u64 tables);
/* Writes and flushes one line. 0 or -errno: the line may then be truncated. */
int json_writer_write(struct json_writer *w, const struct snapshot *s);
void json_writer_free(struct json_writer *w);	/* NULL-safe */
