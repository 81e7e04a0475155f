// SPDX-License-Identifier: GPL-2.0-or-later
/* resolver.c: ottop's side: pending questions, known names, and failures. See resolver.h. */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"
#include "bpf/helpers/resolver.h"
#include "bpf/helpers/resolver_server.h"
#include "bpf/model/hash.h"

#define NAME_MAX_BYTES 253	/* RFC 1035 2.3.4, as text */
#define MAX_TRIES 3

enum entry_state { WAITS, ASKED, KNOWN };

struct entry {
	struct hash_node node;	/* by address */
	char addr[RESOLVER_ADDR_MAX];
	enum entry_state state;
	u32 tries;		/* processes that died while they were at it, at most */
	u64 at_ns;		/* when it was asked, or became known */
	char *name;
	const char *reason;	/* static */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries[RESOLVER_MAX];
static u32 n_entries;
static struct hash_table by_addr;
static u32 n_waiting;
static u32 users_version;
static struct helper server = HELPER_NONE;
static u32 deaths;	/* of the server, seen so far */

/* ---- entries --------------------------------------------------------------------- */

static struct entry *find(const char *addr)
{
	return hash_find(&by_addr, hash_bytes(addr, strlen(addr)), struct entry, e, !strcmp(e->addr, addr));
}

static void entry_free(struct entry *e)
{
	hash_remove(&by_addr, &e->node);
	free(e->name);
	free(e);
}

/* Evicts expired entries or, if there are none, the older half. */
static void make_room(u64 now_ns)
{
	u32 n = 0, half = n_entries / 2;
	bool any = false;

	for (u32 i = 0; i < n_entries; i++)
		any |= entries[i]->state == KNOWN && now_ns - entries[i]->at_ns > RESOLVER_KEEP_NS;
	for (u32 i = 0; i < n_entries; i++) {
		struct entry *e = entries[i];

		if (e->state == KNOWN && (any ? now_ns - e->at_ns > RESOLVER_KEEP_NS : i < half))
			entry_free(e);
		else
			entries[n++] = e;
	}
	n_entries = n;
}

static bool is_user(const struct entry *e)
{
	return !strncmp(e->addr, RESOLVER_USER, strlen(RESOLVER_USER));
}

static void set_known(struct entry *e, u64 now_ns, const char *name, const char *reason)
{
	n_waiting -= e->state == WAITS;
	users_version += is_user(e);
	e->state = KNOWN;
	e->tries = 0;
	e->at_ns = now_ns;
	free(e->name);
	e->name = name ? xstrdup(name) : NULL;
	e->reason = name ? NULL : reason;
}

/* ---- asking ---------------------------------------------------------------------- */

static void server_is_gone(u64 now_ns)
{
	helper_lost(&server);
	for (u32 i = 0; i < n_entries; i++)
		if (entries[i]->state != KNOWN)
			set_known(entries[i], now_ns, NULL, "the process that asks for names has ended");
}

/* False: the socket is full; the entry waits. */
static bool send_question(struct entry *e, u64 now_ns)
{
	struct resolver_question q = { 0 };
	int err;

	memcpy(q.addr, e->addr, sizeof(q.addr));
	err = message_send(server.sock, &q, sizeof(q), -1, MSG_DONTWAIT);
	if (err == -EAGAIN || err == -ENOBUFS)
		return false;
	if (err) {
		server_is_gone(now_ns);
		return false;
	}
	n_waiting -= e->state == WAITS;
	e->state = ASKED;
	e->at_ns = now_ns;
	return true;
}

static void add(const char *addr, u64 now_ns)
{
	struct entry *e;

	if (n_entries == RESOLVER_MAX)
		make_room(now_ns);
	if (n_entries == RESOLVER_MAX)
		return;
	e = xcalloc(1, sizeof(*e));
	memcpy(e->addr, addr, strlen(addr));
	e->at_ns = now_ns;
	n_waiting++;
	entries[n_entries++] = e;
	hash_add(&by_addr, &e->node, hash_bytes(addr, strlen(addr)));
	send_question(e, now_ns);
}

static void ask(const char *addr, u64 now_ns)
{
	struct entry *e = server.sock >= 0 ? find(addr) : NULL;

	if (server.sock >= 0 && !e) {
		add(addr, now_ns);
	} else if (e && e->state == KNOWN && now_ns - e->at_ns > (e->name ? RESOLVER_KEEP_NS : RESOLVER_RETRY_NS)) {
		e->state = WAITS;	/* the old name is shown until the new one arrives */
		e->at_ns = now_ns;
		n_waiting++;
		send_question(e, now_ns);
	}
}

void resolver_ask(const char *addr)
{
	if (!*addr || strlen(addr) >= RESOLVER_ADDR_MAX)
		return;
	pthread_mutex_lock(&lock);
	ask(addr, boottime_ns());
	pthread_mutex_unlock(&lock);
}

bool resolver_user(u32 uid, char *name, size_t cap)
{
	char key[RESOLVER_ADDR_MAX];
	const struct entry *e;
	bool known;

	snprintf(key, sizeof(key), RESOLVER_USER "%u", uid);
	pthread_mutex_lock(&lock);
	ask(key, boottime_ns());
	e = find(key);
	known = e && e->name;
	if (known)
		snprintf(name, cap, "%s", e->name);
	pthread_mutex_unlock(&lock);
	return known;
}

u32 resolver_users_version(void)
{
	u32 version;

	pthread_mutex_lock(&lock);
	version = users_version;
	pthread_mutex_unlock(&lock);
	return version;
}

/* ---- answers ----------------------------------------------------------------------- */

/* Accepts letters, digits, '-', '_' and '.': the owner of the address controls its name. */
static bool is_good_name(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if (!isascii(*p) || (!isalnum((u8)*p) && !strchr("-_.", *p)))
			return false;
	return n && n <= NAME_MAX_BYTES && *name != '.' && *name != '-';
}

static const char *reason_of(enum resolver_result result)
{
	static const char *const reasons[] = {
		[RESOLVER_NONE] = "no PTR record",
		[RESOLVER_AGAIN] = "the name server does not answer",
		[RESOLVER_FAILED] = "the lookup failed",
		[RESOLVER_BAD] = "not an address that has a name",
	};

	return (u32)result < ARRAY_SIZE(reasons) && reasons[result] ? reasons[result] : reasons[RESOLVER_FAILED];
}

/* User names of directory services may contain spaces, backslashes, letters of all scripts. */
static void set_user(struct entry *e, u64 now_ns, const char *name)
{
	char clean[RESOLVER_NAME_MAX * 2];	/* a byte may become a middle dot, which has two */

	text_clean(clean, sizeof(clean), name, TEXT_SCREEN);
	set_known(e, now_ns, *clean ? clean : NULL, "the name is empty");
}

static void take_answer(struct resolver_answer *answer, u64 now_ns)
{
	struct entry *e;

	answer->addr[sizeof(answer->addr) - 1] = answer->name[sizeof(answer->name) - 1] = '\0';
	e = find(answer->addr);
	if (!e)
		return;
	if (answer->result == RESOLVER_OK && is_user(e))
		set_user(e, now_ns, answer->name);
	else if (answer->result == RESOLVER_OK && is_good_name(answer->name))
		set_known(e, now_ns, answer->name, NULL);
	else if (answer->result == RESOLVER_OK)
		set_known(e, now_ns, NULL, "what DNS says is no host name");
	else
		set_known(e, now_ns, NULL, reason_of(answer->result));
}

static void receive(u64 now_ns)
{
	struct resolver_answer answer;
	int fd, n;

	while (server.sock >= 0) {
		n = message_receive(server.sock, &answer, sizeof(answer), &fd, MSG_DONTWAIT);
		file_close(fd);
		if (n == (int)sizeof(answer))
			take_answer(&answer, now_ns);
		else if (n == -EAGAIN || n == -EINTR)
			break;
		else
			server_is_gone(now_ns);
	}
}

/* Asks the pending questions again after a death of the process: any of them may have been the cause. */
static void ask_again(u64 now_ns)
{
	u32 now = helper_deaths(&server);

	if (now == deaths)
		return;
	deaths = now;
	for (u32 i = 0; i < n_entries; i++) {
		struct entry *e = entries[i];

		if (e->state != ASKED)
			continue;
		if (++e->tries == MAX_TRIES) {
			set_known(e, now_ns, NULL, "the process that asks for names died of it");
		} else {
			e->state = WAITS;
			n_waiting++;
		}
	}
}

void resolver_step(u64 now_ns)
{
	u32 waiting;

	pthread_mutex_lock(&lock);
	receive(now_ns);
	ask_again(now_ns);
	waiting = n_waiting;
	for (u32 i = 0; i < n_entries; i++) {
		struct entry *e = entries[i];

		if (e->state == WAITS && waiting && server.sock >= 0 && !send_question(e, now_ns))
			waiting = 0;	/* full: the others too wait */
		/* what waits in the queue for that long behind dead servers is given up as well */
		if (e->state != KNOWN && now_ns > e->at_ns && now_ns - e->at_ns > RESOLVER_GIVE_UP_NS)
			set_known(e, now_ns, NULL, "no answer within 4 s: given up");
	}
	pthread_mutex_unlock(&lock);
}

void resolver_each(resolver_fn fn, void *arg)
{
	pthread_mutex_lock(&lock);
	for (u32 i = 0; i < n_entries; i++)
		if (!is_user(entries[i]))
			fn(arg, entries[i]->addr, entries[i]->name, entries[i]->reason);
	pthread_mutex_unlock(&lock);
}

/* ---- the process ---------------------------------------------------------------------- */

bool resolver_runs(void)
{
	return server.sock >= 0;
}

int resolver_fd(void)
{
	return server.sock;
}

int resolver_start(void)
{
	deaths = 0;
	return helper_start(&server, &resolver_server);
}

void resolver_stop(void)
{
	pthread_mutex_lock(&lock);
	helper_lost(&server);
	for (u32 i = 0; i < n_entries; i++)
		entry_free(entries[i]);
	n_entries = n_waiting = 0;
	hash_free(&by_addr, NULL);
	pthread_mutex_unlock(&lock);
	helper_stop(&server);	/* it leaves at once, in the middle of lookups too */
}
