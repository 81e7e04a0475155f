// SPDX-License-Identifier: GPL-2.0-or-later
/* http_sessions.c: see http_sessions.h. Of killed processes some sessions have no known socket. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/http/http_sessions.h"
#include "bpf/collectors/http/http_tls.h"
#include "bpf/host/proctab.h"
#include "http.skel.h"

#define KEYS_A_TICK 512		/* a few us each, as they are looked up one by one */

static struct tls_key at;	/* the last one checked; all zero: begins with the first */

/* In a container kill(2) cannot tell, only the process table; that lacks processes that have just begun. */
static bool has_ended(u32 pid)
{
	return !proctab_current(pid) && kill((pid_t)pid, 0) && errno == ESRCH;
}

static void drop(const struct http *skel, struct http_socket *places, const struct tls_key *key)
{
	int fd = bpf_map__fd(skel->maps.tls_sessions);
	struct http_socket *place;
	struct tls_session x;

	if (bpf_map_lookup_elem(fd, key, &x))
		return;
	place = places + place_by_number(x.number, skel->rodata->places_mask);
	if (place->key == x.number)
		place->key = 0;
	else
		bpf_map_delete_elem(bpf_map__fd(skel->maps.sockets), &x.number);
	bpf_map_delete_elem(fd, key);
}

void http_sessions_tick(const struct http *skel, struct http_socket *places)
{
	int fd = bpf_map__fd(skel->maps.tls_sessions);
	bool more = true;

	for (u32 i = 0; i < KEYS_A_TICK && more; i++) {
		struct tls_key next = {};

		more = !bpf_map_get_next_key(fd, at.ssl ? &at : NULL, &next);
		if (at.ssl && has_ended(at.tgid))	/* only now, as the next key is found by it */
			drop(skel, places, &at);
		at = next;
	}
}

void http_sessions_clear(void)
{
	memset(&at, 0, sizeof(at));
}
