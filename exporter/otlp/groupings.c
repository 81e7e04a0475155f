// SPDX-License-Identifier: GPL-2.0-or-later
/* groupings.c: see groupings.h. */
#include "exporter/otlp/groupings.h"

static void remote_attributes(struct scratch *a, struct attributes *to, const struct row *row)
{
	const struct connections_row *r = (const struct connections_row *)row;

	attribute_text(a, to, "network.peer.address", r->remote_addr);
	attribute_text(a, to, "network.transport", r->proto);
	attribute_text(a, to, "network.type", r->family);
}

static void syscall_attributes(struct scratch *a, struct attributes *to, const struct row *row)
{
	const struct syscalls_row *r = (const struct syscalls_row *)row;

	attribute_text(a, to, "ottop.syscall.name", r->syscall);
	attribute_text(a, to, "ottop.syscall.abi", r->abi);
}

const struct otlp_grouping otlp_groupings[N_GROUPINGS] = {
	{ .table = TABLE_connections, .nth = 1, .keys = { "remote_addr", "proto", "family" },
	  .attributes = remote_attributes },
	{ .table = TABLE_connections, .of_process = true },
	{ .table = TABLE_syscalls, .of_process = true, .keys = { "nr", "abi" },
	  .attributes = syscall_attributes },
};
