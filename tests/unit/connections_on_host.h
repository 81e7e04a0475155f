/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_on_host.h: runs connections.bpf.c as ordinary code, on one accepted connection at a time. Uses
 * plain types, because headers of both sides cannot be included together.
 */
#pragma once

#define HOST_PROCESS 5		/* it closes the connections */

/* The places for young connections and their counts: YOUNG_SLOTS of each. */
struct conn_slot *host_young(void);
unsigned *host_spilled(void);

/* Events of a socket with this cookie. */
void host_accepts(unsigned long long cookie);
void host_closes(unsigned long long cookie);
void host_connects_again(unsigned long long cookie);
void host_ends(unsigned long long cookie);
/* held: by its process, which is in close(). */
void host_destroys(unsigned long long cookie, int held);

/* Records in the ring since host_begin(), and one of them. */
unsigned host_records(void);
const struct wire_end *host_record(unsigned i);
void host_begin(void);

/* The map `conns`: as of bpf(2), 0 or -errno. */
int host_lookup(unsigned long long cookie, void *ret_state);
int host_update(unsigned long long cookie, const void *state, unsigned long long flags);
int host_delete(unsigned long long cookie);
