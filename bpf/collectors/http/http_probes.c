// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_probes.c: see http_probes.h. Libraries at their usual places are probed from the
 * start, and again when they are replaced. All others (in containers, linked statically,
 * loaded late) are found through their users: when a process begins to speak TLS on a
 * socket outside of a probed call, its mapped files are searched.
 */
#include <glob.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/http/http_probes.h"
#include "bpf/collectors/http/http_tls.h"
#include "bpf/collectors/http/http_unseen.h"
#include "bpf/host/proctab.h"
#include "bpf/kernel/probes.h"
#include "bpf/uprobes/targets.h"
#include "http.skel.h"

#define SCAN_NS (10 * NSEC_PER_MSEC)	/* of a tick */
#define FIRST_WAIT_NS NSEC_PER_SEC
#define LAST_WAIT_NS (30 * NSEC_PER_SEC)
#define MAX_SPEAKERS 1024
#define MANY_LOOKS 3		/* a process that has not called the probed library by then uses another one */

static const char *const installed[] = {
	"/usr/lib/*/libssl.so.*", "/usr/lib64/libssl.so.*", "/usr/lib/libssl.so.*",
	"/usr/lib/*/libgnutls.so.*", "/usr/lib64/libgnutls.so.*", "/usr/lib/libgnutls.so.*",
};
static const char *const names[] = { "libssl", "libgnutls" };

/* Both SSL_read and SSL_read_ex of OpenSSL call one function, with the arguments of the latter. */
#define READS "SSL_read_ex>SSL_read"
#define WRITES "SSL_write_ex>SSL_write"

/* Go's crypto/tls.(*Conn).Read: what it returns is the one piece of memory that it copies. */
#define GO_TLS "go:crypto/tls.(*Conn)."
#define GO_COPIES GO_TLS "Read>runtime.memmove"

static struct uprobe_function functions[] = {
	{ .symbol = READS, .cookie = TLS_READ_EX },
	{ .symbol = WRITES, .cookie = TLS_WRITE_EX },
	{ .symbol = "SSL_read", .cookie = TLS_READ, .unless = READS },
	{ .symbol = "SSL_write", .cookie = TLS_WRITE, .unless = WRITES },
	{ .symbol = "SSL_read_ex", .cookie = TLS_READ_EX, .unless = READS },
	{ .symbol = "SSL_write_ex", .cookie = TLS_WRITE_EX, .unless = WRITES },
	{ .symbol = "SSL_do_handshake", .cookie = TLS_HANDSHAKE },
	{ .symbol = "SSL_shutdown", .cookie = TLS_HANDSHAKE },
	{ .symbol = "gnutls_record_recv", .cookie = TLS_READ },
	{ .symbol = "gnutls_record_send", .cookie = TLS_WRITE },
	{ .symbol = "gnutls_handshake", .cookie = TLS_HANDSHAKE },
	{ .symbol = "gnutls_bye", .cookie = TLS_HANDSHAKE },
	{ .symbol = "SSL_free", .cookie = TLS_NONE },
	{ .symbol = "gnutls_deinit", .cookie = TLS_NONE },
#define FIRST_OF_GO 14
	{ .symbol = GO_COPIES, .cookie = GO_COPY, .with = GO_TLS "Write" },
	{ .symbol = GO_TLS "Read", .cookie = GO_READ, .with = GO_COPIES },
	{ .symbol = GO_TLS "Write", .cookie = GO_WRITE, .with = GO_COPIES },
	{ .symbol = GO_TLS "Close", .cookie = GO_CLOSE, .with = GO_COPIES },
	{ .symbol = GO_TLS "clientHandshake", .cookie = GO_HANDSHAKE, .with = GO_COPIES },
	{ .symbol = GO_TLS "serverHandshake", .cookie = GO_HANDSHAKE, .with = GO_COPIES },
};

static const struct uprobe_spec spec = {
	.collector = "http", .functions = functions, .n = ARRAY_SIZE(functions),
	.names = names, .n_names = ARRAY_SIZE(names),
};

/* A process that speaks TLS, with the time of its next search. */
struct speaker {
	u32 pid;
	u64 start_ns, next_ns, wait_ns;
	bool unseen;
	u64 attached_ns;	/* its functions have probes since then */
	u64 strange_ns;		/* when one of its sockets began TLS without a session; 0: none */
	u32 looks;		/* times that it spoke TLS, and had functions with probes */
};

static struct http *skel;
static struct speaker speakers[MAX_SPEAKERS];
static u32 n_speakers;
static bool scanned;
static glob_t libraries;	/* installed ones, by path */

/* ---- processes that speak TLS ---- */

static struct speaker *speaker_of(u32 pid, u64 start_ns)
{
	u32 i = 0;

	while (i < n_speakers && speakers[i].pid != pid)
		i++;
	if (i == MAX_SPEAKERS)
		return NULL;
	if (i == n_speakers || speakers[i].start_ns != start_ns)
		speakers[i] = (struct speaker){ .pid = pid, .start_ns = start_ns, .wait_ns = FIRST_WAIT_NS };
	n_speakers += i == n_speakers;
	return &speakers[i];
}

static void forget_ended(void)
{
	u32 n = 0;

	for (u32 i = 0; i < n_speakers; i++) {
		const struct proc *p = proctab_find(speakers[i].pid, speakers[i].start_ns);

		if (p && !p->closed)
			speakers[n++] = speakers[i];
	}
	n_speakers = n;
}

/* Noted once per connection: processes without a known library are searched less and less often. */
static void look_at(struct speaker *s, u64 now_ns)
{
	enum uprobe_found found;

	if (now_ns < s->next_ns)
		return;
	found = targets_process(s->pid, true, &s->attached_ns);
	s->unseen = found == UPROBE_NOTHING;
	s->looks += found == UPROBE_ATTACHED;
	if (found == UPROBE_PENDING || found == UPROBE_ENDED)
		return;
	s->next_ns = now_ns + s->wait_ns;
	s->wait_ns = min(2 * s->wait_ns, LAST_WAIT_NS);
}

static void take_speakers(void)
{
	int fd = bpf_map__fd(skel->maps.tls_speakers);
	u64 now_ns = boottime_ns(), start_ns;
	u32 pid;

	while (!bpf_map_get_next_key(fd, NULL, &pid)) {
		bool known = !bpf_map_lookup_elem(fd, &pid, &start_ns);
		struct speaker *s = known ? speaker_of(pid, start_ns) : NULL;

		bpf_map_delete_elem(fd, &pid);
		if (s)
			look_at(s, now_ns);
	}
}

static void take_strangers(void)
{
	int fd = bpf_map__fd(skel->maps.tls_strangers);
	struct tls_caller c;

	while (!bpf_map_get_next_key(fd, NULL, &c)) {
		struct speaker *s = speaker_of(c.tgid, c.start_ns);

		if (s)
			bpf_map_lookup_elem(fd, &c, &s->strange_ns);
		bpf_map_delete_elem(fd, &c);
	}
}

static void look_again(void)
{
	for (u32 i = 0; i < n_speakers; i++)
		if (!speakers[i].next_ns)
			look_at(&speakers[i], boottime_ns());
}

/* It also speaks TLS on a socket without a session, or never calls the functions probed. */
static bool has_another(const struct speaker *s)
{
	struct tls_caller c = { .tgid = s->pid, .start_ns = s->start_ns };
	bool stranger = s->strange_ns > s->attached_ns;
	u32 known = 0;

	if (s->unseen || !s->looks || (!stranger && s->looks < MANY_LOOKS))
		return false;
	bpf_map_lookup_elem(bpf_map__fd(skel->maps.tls_callers), &c, &known);
	return stranger ? !(known & TLS_UNPLACED) : !known;
}

static void say(const struct speaker *s, enum http_unseen how, bool is_so)
{
	if (is_so)
		unseen_note(s->pid, s->start_ns, how);
	else
		unseen_withdraw(s->pid, s->start_ns, how);
}

static void say_unseen(const struct speaker *s)
{
	say(s, UNSEEN_TLS, s->unseen);
	say(s, UNSEEN_SOME_TLS, has_another(s));
}

/* ---- the collector's side ---- */

static void find_installed(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(installed); i++)
		glob(installed[i], GLOB_NOSORT | (i ? GLOB_APPEND : 0), NULL, &libraries);
}

/* Probes libraries that were replaced. */
static void look_at_installed(void)
{
	for (size_t i = 0; i < libraries.gl_pathc; i++)
		targets_path(libraries.gl_pathv[i]);
}

void http_probes_drain(void)
{
	if (skel)	/* else it loads still */
		targets_drain();
}

void http_probes_tick(void)
{
	if (!skel)
		return;
	look_at_installed();
	if (!scanned)
		scanned = targets_scan(SCAN_NS);
	forget_ended();
	take_speakers();
	take_strangers();
	look_again();
	http_probes_drain();
	for (u32 i = 0; i < n_speakers; i++)
		say_unseen(&speakers[i]);
}

void http_probes_prepare(struct http *s, bool wanted)
{
	struct bpf_program *const progs[] = {
		s->progs.on_tls_call, s->progs.on_tls_return, s->progs.on_tls_free, s->progs.on_go_call,
	};
	/* needs on_send, which also sees sends that the socket refused */
	bool session = wanted && bpf_program__autoload(s->progs.on_send) && uprobe_prepare_session(s->progs.on_tls_both);

	for (u32 i = 0; i < ARRAY_SIZE(progs); i++) {
		bpf_program__set_autoload(progs[i], wanted);
		uprobe_prepare(progs[i]);
	}
	bpf_program__set_autoload(s->progs.on_tls_both, session);
	s->rodata->has_open_calls = session;
}

void http_probes_ask(void)
{
	targets_open(&spec);
	find_installed();
	look_at_installed();
	scanned = targets_scan(SCAN_NS);
}

static bool moves(const struct uprobe_function *f)
{
	return f->cookie >= TLS_READ && f->cookie <= TLS_WRITE_EX;
}

void http_probes_open(struct http *s)
{
	skel = s;
	for (u32 i = 0; i < FIRST_OF_GO; i++) {
		bool frees = functions[i].cookie == TLS_NONE;

		functions[i].entry = frees ? s->progs.on_tls_free : s->progs.on_tls_call;
		functions[i].returns = frees ? NULL : s->progs.on_tls_return;
		if (s->rodata->has_open_calls && moves(&functions[i])) {
			functions[i].entry = s->progs.on_tls_both;
			functions[i].returns = NULL;
		}
	}
	for (u32 i = FIRST_OF_GO; i < ARRAY_SIZE(functions); i++)
		functions[i].entry = s->progs.on_go_call;
	http_probes_drain();
}

void http_probes_close(void)
{
	targets_close();
	globfree(&libraries);
	memset(&libraries, 0, sizeof(libraries));
	skel = NULL;
	n_speakers = 0;
}
