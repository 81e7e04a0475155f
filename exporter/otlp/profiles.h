/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiles.h: stacks of all processes as OTLP profiles: one resource a process, in it one profile of
 * each kind. The signal is under development; it leaves only where it is asked for.
 */
#ifndef OTTOP_OTLP_PROFILES_H
#define OTTOP_OTLP_PROFILES_H

#include "exporter/otlp/message.h"

struct otlp_profiles;

/* "cpu", "offcpu" or both with a comma. False: it is something else. */
bool otlp_profiles_parse(const char *kinds, bool *ret_cpu, bool *ret_offcpu);
struct otlp_profiles *otlp_profiles_new(bool cpu, bool offcpu);
/* Adds the stacks of one interval. */
void otlp_profiles_take(struct otlp_profiles *o, const struct snapshot *s);
/* Whether it is better to wait a tick: names of what is to be sent are still looked for. */
bool otlp_profiles_wait(struct otlp_profiles *o);
/* Whether there is so much that it should leave before its time. */
bool otlp_profiles_full(const struct otlp_profiles *o);
/* What was taken since the last time, encoded (free() it), or NULL: there was nothing. */
u8 *otlp_profiles_pack(struct otlp_profiles *o, struct scratch *a, const struct snapshot *s,
		       const struct otlp_config *config, size_t *ret_n, u32 *ret_items);
void otlp_profiles_free(struct otlp_profiles *o);	/* NULL-safe */

#endif
