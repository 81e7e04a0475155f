// SPDX-License-Identifier: GPL-2.0-or-later
/* attach.c: see attach.h. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/helpers/admin.h"
#include "bpf/kernel/features.h"
#include "bpf/uprobes/attach.h"

/* include/uapi/linux/bpf.h of 6.6 and 6.13; the headers and libbpf 1.1 of Debian 12 do not have them yet */
#define TRACE_UPROBE_MULTI 48
#define TRACE_UPROBE_SESSION 57
#define UPROBE_MULTI_RETURN 1

struct multi_attr {
	u32 prog_fd, target_fd, attach_type, flags;
	u64 path, offsets, ref_ctr_offsets, cookies;
	u32 cnt, multi_flags, pid, pad;
};

static bool is_since(u32 major, u32 minor)
{
	struct features f;

	features_read(&f);
	return f.major > major || (f.major == major && f.minor >= minor);
}

static bool has_multi(void)
{
	return is_since(6, 6);
}

void uprobe_prepare(struct bpf_program *prog)
{
	if (has_multi())
		bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)TRACE_UPROBE_MULTI);
}

bool uprobe_prepare_session(struct bpf_program *prog)
{
#ifdef __x86_64__
	if (is_since(6, 13)) {
		bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)TRACE_UPROBE_SESSION);
		return true;
	}
#endif
	return false;
}

/* The kernel follows the link to the very file that is open. */
static int attach_multi(struct bpf_program *prog, int fd, const struct uprobe_place *places, u32 n, bool returns)
{
	u64 offsets[UPROBE_PLACES], cookies[UPROBE_PLACES];
	char path[32];
	struct multi_attr attr = {
		.prog_fd = (u32)bpf_program__fd(prog), .attach_type = bpf_program__expected_attach_type(prog),
		.path = (u64)(uintptr_t)path, .offsets = (u64)(uintptr_t)offsets,
		.cookies = (u64)(uintptr_t)cookies, .cnt = n,
		.multi_flags = returns ? UPROBE_MULTI_RETURN : 0,
	};
	int link;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (u32 i = 0; i < n; i++) {
		offsets[i] = places[i].offset;
		cookies[i] = places[i].cookie;
	}
	link = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return link < 0 ? -errno : link;
}

static int attach_event(struct bpf_program *prog, int fd, const struct uprobe_place *p, bool returns)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = p->cookie);
	int event = admin_uprobe(fd, p->offset, returns), link;

	if (event < 0)
		return event;
	link = bpf_link_create(bpf_program__fd(prog), event, BPF_PERF_EVENT, &opts);
	close(event);	/* the link keeps it */
	return link;
}

int uprobe_attach(struct bpf_program *prog, int fd, const struct uprobe_place *places, u32 n, bool returns,
		  struct uprobe_links *ret)
{
	ret->n = 0;
	if (n > UPROBE_PLACES)
		return -EINVAL;
	if (n && has_multi()) {
		ret->fds[0] = attach_multi(prog, fd, places, n, returns);
		ret->n = ret->fds[0] >= 0;
		return ret->n ? 0 : ret->fds[0];
	}
	for (u32 i = 0; i < n; i++) {
		int link = attach_event(prog, fd, &places[i], returns);

		if (link < 0) {
			uprobe_detach(ret);
			return link;
		}
		ret->fds[ret->n++] = link;
	}
	return 0;
}

void uprobe_detach(struct uprobe_links *links)
{
	while (links->n)
		close(links->fds[--links->n]);
}

bool uprobe_returns_kill(const char *release)
{
	u32 major = 0, minor = 0, patch = 0;

	if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2 || major != 6)
		return false;
	return minor == 11 || (minor == 12 && patch < 14) || (minor == 13 && patch < 3);
}

const char *uprobe_returns_obstacle(void)
{
	struct utsname u;

#ifndef __x86_64__
	return NULL;
#endif
	if (uname(&u) || !uprobe_returns_kill(u.release))
		return NULL;
	return "this kernel kills processes under seccomp at a return probe: 6.12.14 and 6.13.3 do not";
}
