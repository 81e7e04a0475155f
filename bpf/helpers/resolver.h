/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolver.h: names of addresses, and of user ids that /etc/passwd does not have, from
 * a process of its own without privileges ("ottop-names"), because a lookup may wait for
 * seconds on a server that does not answer. Nothing here waits: questions go out, answers
 * come in when they are ready, and after RESOLVER_GIVE_UP_NS there is a reason instead of
 * a name. It sends nothing to the network before the first question.
 */
#ifndef OTTOP_RESOLVER_H
#define OTTOP_RESOLVER_H

#include "bpf/model/base.h"

#define RESOLVER_MAX 4096			/* addresses and user ids that are remembered */
#define RESOLVER_GIVE_UP_NS (4 * NSEC_PER_SEC)
#define RESOLVER_KEEP_NS (600 * NSEC_PER_SEC)	/* then a name is asked for anew, if it is wanted */
#define RESOLVER_RETRY_NS (60 * NSEC_PER_SEC)	/* and where there was none */

/* Forks it. Before threads exist and before any BPF is loaded. 0 or -errno. */
int resolver_start(void);
/* Never waits for an answer that is on its way. */
void resolver_stop(void);
/* Does it run? */
bool resolver_runs(void);
/* For poll(): readable while answers wait. -1 when it does not run. */
int resolver_fd(void);

/*
 * Asks for the name of an address ("10.0.0.7", "2001:db8::1"), unless it is known or on
 * its way already. From any thread. What does not fit any more is not asked for.
 */
void resolver_ask(const char *addr);
/* Takes the answers that are there, sends what waits, gives up what took too long. */
void resolver_step(u64 now_ns);

/*
 * The name of a user id, as NSS has it (sss, ldap, systemd...), cleaned for a terminal.
 * False: there is none, or not yet; then it is asked for, like an address.
 */
bool resolver_user(u32 uid, char *name, size_t cap);
/* Changes when resolver_user() may have another answer for somebody. */
u32 resolver_users_version(void);

/* One address: a name, a reason why there is none, or neither yet. Texts are the resolver's. */
typedef void (*resolver_fn)(void *arg, const char *addr, const char *name, const char *reason);
void resolver_each(resolver_fn fn, void *arg);

#endif
