// SPDX-License-Identifier: GPL-2.0-or-later
/* message.c: messages with a descriptor over a SOCK_SEQPACKET pair; unix(7), cmsg(3). */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/helpers/message.h"

int message_send_fds(int sock, const void *data, size_t n, const int fds[MESSAGE_FDS], int flags)
{
	struct iovec io = { (void *)data, n };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control = {};
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	u32 n_fds = 0;

	while (n_fds < MESSAGE_FDS && fds[n_fds] >= 0)
		n_fds++;
	if (n_fds) {
		struct cmsghdr *c;

		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	return sendmsg(sock, &m, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int message_receive_fds(int sock, void *data, size_t cap, int ret_fds[MESSAGE_FDS], int flags)
{
	struct iovec io = { data, cap };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	} control;
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	struct pollfd wait = { .fd = sock, .events = POLLIN };
	ssize_t n;

	/* waiting for work is poll's business: in recvmsg it would look like a call that hangs */
	if (!(flags & MSG_DONTWAIT))
		while (poll(&wait, 1, -1) < 0 && errno == EINTR)
			;
	n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	for (u32 i = 0; i < MESSAGE_FDS; i++)
		ret_fds[i] = -1;
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fds, CMSG_DATA(c),
			       min((size_t)(c->cmsg_len - CMSG_LEN(0)), MESSAGE_FDS * sizeof(int)));
	return (int)n;
}

int message_send(int sock, const void *data, size_t n, int fd, int flags)
{
	return message_send_fds(sock, data, n, (const int[MESSAGE_FDS]){ fd, -1, -1 }, flags);
}

int message_receive(int sock, void *data, size_t cap, int *ret_fd, int flags)
{
	int fds[MESSAGE_FDS], n = message_receive_fds(sock, data, cap, fds, flags);

	*ret_fd = fds[0];
	if (fds[1] >= 0)	/* not expected */
		close(fds[1]);
	return n;
}
