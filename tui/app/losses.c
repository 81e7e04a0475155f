// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * losses.c: which losses are shown without being asked for. The rule, for the whole screen:
 *
 *	occurring now and not minor	the note line, and one of the "!N" beside the tabs
 *	not minor			"lost N" in the header
 *	any				the screen `!`, and data (lost_total)
 *
 * Minor means a small part of the total: see loss_set_of() in bpf/kernel/probes.c.
 */
#include "tui/app/app_state.h"

struct losses losses_shown(const struct snapshot *s)
{
	const struct self_row *self = s ? self_row(snapshot_single(s, TABLE_self)) : NULL;
	struct losses l = { .n = U64_UNKNOWN };
	u64 most = 0;

	if (!self || !u64_known(self->lost_total))
		return l;
	l.n = self->lost_total;
	l.now = f32_known(self->lost_rate) && self->lost_rate > 0;
	for (u32 i = 0; i < s->tables[TABLE_lost].n; i++) {
		const struct lost_row *r = lost_row(s->tables[TABLE_lost].rows[i]);
		u64 count = u64_known(r->count) ? r->count : 0;

		if (u64_known(r->minor) && r->minor) {
			l.n -= min(l.n, count);
		} else if (count > most) {
			most = count;
			l.cause = r->cause;
		}
	}
	return l;
}
