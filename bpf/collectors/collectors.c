// SPDX-License-Identifier: GPL-2.0-or-later
/* collectors.c: all collectors, and what their beginnings and ends have in common. */
#include <stdio.h>

#include "bpf/collectors/collector.h"
#include "bpf/kernel/probes.h"

const struct collector *const collectors[N_COLLECTORS] = {
#define COLLECTOR(name) &name##_collector,
#include "bpf/collectors/collectors.def"
};

void collector_close(const struct collector *c)
{
	if (c->close)
		c->close();
}

int collector_open(const struct collector *c, char *reason, size_t cap)
{
	int err;

	reason[0] = '\0';
	err = c->open ? c->open(reason, cap) : 0;
	if (!err)
		return 0;
	if (!reason[0])
		snprintf(reason, cap, "%s: %s", c->what ? c->what : c->name, probe_why(-err));
	collector_close(c);
	return err;
}
