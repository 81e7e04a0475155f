/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profiles.h: OTLP profiles: a resource a process, a profile a kind. Experimental: on request. */
#pragma once

#include "exporter/otlp/message.h"

struct otlp_profiles;

/* Parses "cpu", "offcpu" or both, separated by a comma; false: malformed. */
bool otlp_profiles_parse(const char *kinds, bool *ret_cpu, bool *ret_offcpu);
struct otlp_profiles *otlp_profiles_new(bool cpu, bool offcpu);
/* Adds the stacks of one interval. */
void otlp_profiles_take(struct otlp_profiles *o, const struct snapshot *s);
/* Whether to wait a tick, because names are still pending. */
bool otlp_profiles_wait(struct otlp_profiles *o);
/* Whether enough has been collected to send it before it is due. */
bool otlp_profiles_full(const struct otlp_profiles *o);
/* Encodes and resets what has been collected (free() it); NULL: nothing. */
u8 *otlp_profiles_pack(struct otlp_profiles *o, struct scratch *a, const struct snapshot *s,
		       const struct otlp_config *config, size_t *ret_n, u32 *ret_items);
void otlp_profiles_free(struct otlp_profiles *o);	/* NULL-safe */
