// SPDX-License-Identifier: GPL-2.0-or-later
/* client.c: the sampler's side of the protocol reader, which is a helper of its own (launch.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/message.h"
#include "bpf/protocols/report.h"

const struct helper_spec protocols_spec = {
	.name = "ottop-protocols",
	.serve = protocols_main,
	.rights = HELPER_COMPUTES,
	.memory_bytes = 512ul << 20,
	.files = 64,
	.nice = -10,		/* the ring only holds a tenth of a second of a busy server */
	.cpu_s = 10,
	.stuck_s = 60,
};

static struct helper reader = HELPER_NONE;
static u32 last_seq, deaths;
static bool asked;		/* and not answered yet */

int protocols_start(void)
{
	asked = false;
	deaths = 0;
	return helper_start(&reader, &protocols_spec);
}

void protocols_stop(void)
{
	helper_stop(&reader);
}

int protocols_fd(void)
{
	return reader.sock;
}

int protocols_ask(int ring_fd, bool all)
{
	struct protocols_question q = { .seq = ++last_seq, .all = all };
	int err;

	if (reader.sock < 0)
		return -ENOTCONN;
	if (asked && deaths == helper_deaths(&reader))
		return 0;	/* the answer to the previous question will cover it */
	err = message_send(reader.sock, &q, sizeof(q), ring_fd, MSG_DONTWAIT);
	asked = !err;
	return err;
}

int protocols_rest(void)
{
	struct protocols_question q = { .rest = 1 };

	return reader.sock < 0 ? -ENOTCONN : message_send(reader.sock, &q, sizeof(q), -1, MSG_DONTWAIT);
}

/* ---- answers ---- */

static bool map_payload(struct report *r, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	size_t want = report_size(&r->head);
	struct stat st;

	if (!want)
		return report_is_sane(r, NULL);
	if (want == SIZE_MAX || seals < 0 || (seals & PROTOCOLS_SEALS) != PROTOCOLS_SEALS || fstat(fd, &st) ||
	    (u64)st.st_size < want)
		return false;
	r->map = mmap(NULL, want, PROT_READ, MAP_PRIVATE, fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return false;
	}
	r->map_size = want;
	return report_is_sane(r, r->map);
}

/* True once for each death of the reader; its pending question will not be answered. */
static bool has_died(struct report *r)
{
	u32 now = helper_deaths(&reader);

	if (now == deaths)
		return false;
	r->head.died = now - deaths;
	deaths = now;
	asked = false;
	return true;
}

int protocols_receive(struct report *r, int wait_ms)
{
	struct pollfd p = { .fd = reader.sock, .events = POLLIN };
	int fd, n, err = 0;

	memset(r, 0, sizeof(*r));
	if (reader.sock < 0)
		return -ENOTCONN;
	if (has_died(r))
		return 0;
	if (poll(&p, 1, wait_ms) <= 0)
		return -EAGAIN;
	n = message_receive(reader.sock, &r->head, sizeof(r->head), &fd, MSG_DONTWAIT);
	if (n == -EAGAIN || n == -EINTR)
		return -EAGAIN;
	if (n <= 0) {
		helper_lost(&reader);
		return -EPIPE;
	}
	asked = false;
	r->head.died = 0;
	if (n != sizeof(r->head) || !map_payload(r, fd))
		err = -EBADMSG;
	file_close(fd);
	if (err)
		protocols_done(r);
	return err;
}

void protocols_done(struct report *r)
{
	if (r->map)
		munmap(r->map, r->map_size);
	r->map = NULL;
}
