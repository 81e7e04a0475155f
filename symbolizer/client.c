// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client.c: ottop's side. A server killed by a file is restarted by the launcher. There are two
 * servers, because samples of a new program wait for unwind tables, while lines of a large program
 * take seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "symbolizer/protocol.h"

#define MAX_ASKED 64	/* maximum number of pending requests */

/* One server. Requests are answered in order. */
struct channel {
	struct helper server;
	struct { u32 kind, file, seq; } asked[MAX_ASKED];
	u32 first_asked, n_asked, last_seq;
};

/* Answers received while the other consumer was asking. */
static struct symbolizer_answer kept[2][MAX_ASKED];
static u32 n_kept[2];

static struct channel tables = { .server = HELPER_NONE }, names = { .server = HELPER_NONE };

/* ---- the processes ---- */

static int start(struct channel *c, const struct helper_spec *spec)
{
	int err = helper_start(&c->server, spec);

	if (!err)
		c->first_asked = c->n_asked = 0;
	return err;
}

int symbolizer_start(void)
{
	return start(&tables, &server_of_tables) ?: start(&names, &server_of_names);
}

void symbolizer_stop(void)
{
	helper_stop(&tables.server);
	helper_stop(&names.server);
}

int symbolizer_fd(void)
{
	return names.server.sock;
}

int symbolizer_tables_fd(void)
{
	return tables.server.sock;
}

/* ---- questions ---- */

static int ask(struct channel *c, struct question *q, int fd, int debug_fd, int sup_fd)
{
	int fds[MESSAGE_FDS] = { fd, debug_fd, sup_fd }, err;
	u32 last = (c->first_asked + c->n_asked) % MAX_ASKED;

	if (c->server.sock < 0)
		return -ENOTCONN;
	if (c->n_asked == MAX_ASKED)
		return -EAGAIN;
	q->seq = ++c->last_seq ?: ++c->last_seq;
	err = message_send_fds(c->server.sock, q, sizeof(*q), fds, MSG_DONTWAIT);
	if (err)
		return err;
	c->asked[last].kind = q->kind;
	c->asked[last].seq = q->seq;
	c->asked[last].file = q->file;
	c->n_asked++;
	return 0;
}

int symbolizer_ask_table(u32 file, int fd, u64 base, u32 pages, const u64 *wanted)
{
	struct question q = { .kind = ANSWER_TABLE, .file = file };

	if (pages > SYMBOLIZER_PAGES)
		return -EINVAL;
	if (wanted) {
		q.n = 2 + (pages + 63) / 64;
		q.addrs[0] = base;
		q.addrs[1] = pages;
		memcpy(q.addrs + 2, wanted, (pages + 63) / 64 * sizeof(*wanted));
	}
	return ask(&tables, &q, fd, -1, -1);
}

static int ask_addrs(u32 kind, u32 file, int fd, int debug_fd, int sup_fd, const u64 *addrs,
		     u32 n)
{
	struct question q = { .kind = kind, .file = file, .n = n };

	if (n > SYMBOLIZER_BATCH)
		return -EINVAL;
	if (n)
		memcpy(q.addrs, addrs, n * sizeof(*addrs));
	return ask(&names, &q, fd, debug_fd, sup_fd);
}

int symbolizer_ask_names(u32 file, int fd, int debug_fd, const u64 *addrs, u32 n)
{
	return ask_addrs(ANSWER_NAMES, file, fd, debug_fd, -1, addrs, n);
}

int symbolizer_ask_debug(u32 file, int fd, int debug_fd)
{
	return ask_addrs(ANSWER_DEBUG, file, fd, debug_fd, -1, NULL, 0);
}

int symbolizer_ask_jit(u32 map, int fd, const u64 *addrs, u32 n)
{
	return ask_addrs(ANSWER_JIT, map, fd, -1, -1, addrs, n);
}

int symbolizer_ask_symbols(u32 file, int fd, const char *const *all, u32 n)
{
	struct question q = { .kind = ANSWER_SYMBOLS, .file = file, .n = n };
	size_t used = 0;

	if (n > SYMBOLIZER_SYMBOLS)
		return -EINVAL;
	for (u32 i = 0; i < n; i++) {
		size_t len = strlen(all[i]) + 1;

		if (used + len > sizeof(q.addrs))
			return -EINVAL;
		memcpy((char *)q.addrs + used, all[i], len);
		used += len;
	}
	return ask(&names, &q, fd, -1, -1);
}

int symbolizer_ask_lines(u32 file, int fd, int debug_fd, int sup_fd, const u64 *addrs, u32 n)
{
	return ask_addrs(ANSWER_LINES, file, fd, debug_fd, sup_fd, addrs, n);
}

/* ---- answers: checked before use ---- */

static bool check_table(const struct symbolizer_answer *a)
{
	u64 pages = (u32)a->words[0];

	if (a->words[0] >> 32 != UNW_MAGIC || 1 + pages > a->n_words || !a->n_infos ||
	    a->n_infos > UNW_MAX_INFOS)
		return false;
	for (u64 p = 0; p < pages; p++) {
		u64 first = a->words[1 + p] >> 32, n = (u32)a->words[1 + p];

		if (a->words[1 + p] != UNW_LEFT_OUT && 1 + pages + (first + n + 1) / 2 > a->n_words)
			return false;
	}
	for (u64 i = 0; i < (a->n_words - 1 - pages) * 2; i++)
		if ((u32)(a->words[1 + pages + i / 2] >> (i % 2 * 32)) >> 16 >= a->n_infos)
			return false;
	return true;
}

static bool check_names(const struct symbolizer_answer *a)
{
	size_t ends = 0;

	if (a->n_names > SYMBOLIZER_BATCH || !a->names_size || a->names[a->names_size - 1])
		return false;
	for (size_t i = 0; i < a->names_size; i++)
		ends += !a->names[i];
	return ends >= a->n_names;
}

static bool check_lines(const struct symbolizer_answer *a)
{
	if (a->n_names > SYMBOLIZER_BATCH || a->n_done > a->n_names || !a->names_size ||
	    a->names[0] || a->names[a->names_size - 1])
		return false;
	for (u32 i = 0; i < a->n_lines; i++) {
		const struct symbolizer_line *l = &a->lines[i];

		if (l->of >= a->n_done || l->name >= a->names_size || l->file >= a->names_size ||
		    (i && l->of < l[-1].of))
			return false;
	}
	return true;
}

static size_t payload_size(const struct reply *r)
{
	if (r->kind == ANSWER_TABLE)
		return (size_t)r->n_words * sizeof(u64) + (size_t)r->n_infos * sizeof(struct unw_info);
	return (size_t)r->n_names * sizeof(u64) + r->names_size +
	       (size_t)r->n_lines * sizeof(struct symbolizer_line);
}

static bool map_payload(struct symbolizer_answer *a, const struct reply *r, int fd)
{
	size_t want = payload_size(r);
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & PAYLOAD_SEALS) != PAYLOAD_SEALS)
		return false;
	if (fstat(fd, &st) || !want || (u64)st.st_size < want || want > (256u << 20))
		return false;
	a->map = mmap(NULL, want, PROT_READ, MAP_PRIVATE, fd, 0);
	if (a->map == MAP_FAILED) {
		a->map = NULL;
		return false;
	}
	a->map_size = want;
	if (r->kind == ANSWER_TABLE) {
		a->words = a->map;
		a->n_words = r->n_words;
		a->infos = (const void *)(a->words + a->n_words);
		a->n_infos = r->n_infos;
		return check_table(a);
	}
	a->addrs = a->map;
	a->n_names = r->n_names;
	a->n_lines = r->kind == ANSWER_LINES ? r->n_lines : 0;
	a->n_done = r->n_done;
	a->lines = (const void *)(a->addrs + a->n_names);
	a->names = (const char *)(a->lines + a->n_lines);
	a->names_size = r->names_size;
	return r->kind == ANSWER_LINES ? check_lines(a) : check_names(a);
}

static void fill_answer(struct symbolizer_answer *a, const struct reply *r, int fd)
{
	a->err = r->err;
	a->cpu_ns = r->cpu_ns;
	a->base = r->base;
	a->n_segments = min(r->n_segments, (u32)ARRAY_SIZE(a->segments));
	memcpy(a->segments, r->segments, sizeof(a->segments));
	a->build_id_len = min(r->build_id_len, (u32)BUILD_ID_MAX);
	memcpy(a->build_id, r->build_id, sizeof(a->build_id));
	memcpy(a->debuglink, r->debuglink, sizeof(a->debuglink));
	a->debuglink[DEBUGLINK_MAX - 1] = '\0';
	memcpy(a->offsets, r->offsets, sizeof(a->offsets));
	a->missing = r->missing;
	a->generation = r->generation;
	if (fd >= 0 && !a->err && !map_payload(a, r, fd)) {
		symbolizer_done(a);
		a->words = NULL;
		a->err = -EBADMSG;
	}
}

bool symbolizer_died(int err)
{
	return err == -EFAULT || err == -ETIME || err == -ENOMEM || err == -ETIMEDOUT;
}

/* Removes the answered request from the pending ones. */
static void take_asked(struct channel *c, struct symbolizer_answer *a)
{
	a->kind = c->asked[c->first_asked].kind;
	a->file = c->asked[c->first_asked].file;
	c->first_asked = (c->first_asked + 1) % MAX_ASKED;
	c->n_asked--;
}

static bool receive(struct channel *c, struct symbolizer_answer *a)
{
	struct reply r;
	int fd, n;

	memset(a, 0, sizeof(*a));
	if (c->server.sock < 0 || !c->n_asked)
		return false;
	do {
		n = message_receive(c->server.sock, &r, sizeof(r), &fd, MSG_DONTWAIT);
		if (n == -EAGAIN || n == -EINTR)
			return false;
		/* a server may die after having answered, for other reasons */
	} while (n == sizeof(r) && !r.kind && r.seq != c->asked[c->first_asked].seq);
	take_asked(c, a);
	if (n <= 0) {	/* its watcher is gone too: no more names */
		helper_lost(&c->server);
		a->err = -EPIPE;
	} else if (n != sizeof(r) || (r.kind && (r.kind != a->kind || r.file != a->file))) {
		a->err = -EBADMSG;
	} else if (!r.kind) {
		a->err = symbolizer_died(r.err) ? r.err : -EFAULT;	/* caused by this file */
	} else {
		fill_answer(a, &r, fd);
	}
	file_close(fd);
	return true;
}

static bool receive_for(bool symbols, struct symbolizer_answer *a)
{
	if (n_kept[symbols]) {
		*a = kept[symbols][0];
		memmove(kept[symbols], kept[symbols] + 1, --n_kept[symbols] * sizeof(*a));
		return true;
	}
	while (receive(&names, a)) {
		if ((a->kind == ANSWER_SYMBOLS) == symbols)
			return true;
		if (n_kept[!symbols] < MAX_ASKED)
			kept[!symbols][n_kept[!symbols]++] = *a;
		else
			symbolizer_done(a);
	}
	return false;
}

bool symbolizer_receive(struct symbolizer_answer *a)
{
	return receive(&tables, a) || receive_for(false, a);
}

bool symbolizer_receive_symbols(struct symbolizer_answer *a)
{
	return receive_for(true, a);
}

void symbolizer_done(struct symbolizer_answer *a)
{
	if (a->map)
		munmap(a->map, a->map_size);
	a->map = NULL;
}
