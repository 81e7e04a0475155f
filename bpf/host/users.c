// SPDX-License-Identifier: GPL-2.0-or-later
/* users.c: see users.h. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/helpers/resolver.h"
#include "bpf/model/snapshot_build.h"
#include "bpf/host/users.h"

static struct user {
	u32 uid;
	const char *name;
} *users;
static u32 n_users, cap_users;
static struct timespec read_at;
static u32 n_reads, version;

static int cmp_users(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	return cmp(x->uid, y->uid);
}

static void read_users(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw;

	if (!f)
		return;
	for (u32 i = 0; i < n_users; i++)
		str_put(users[i].name);
	n_users = 0;
	while ((pw = fgetpwent(f))) {
		users = grow(users, n_users, &cap_users, sizeof(*users));
		users[n_users++] = (struct user){ pw->pw_uid, str_new(pw->pw_name) };
	}
	fclose(f);
	qsort(users, n_users, sizeof(*users), cmp_users);
}

void users_refresh(u64 now_ns)
{
	struct stat st;

	resolver_step(now_ns);
	if (!stat("/etc/passwd", &st) && memcmp(&st.st_mtim, &read_at, sizeof(read_at))) {
		read_at = st.st_mtim;
		read_users();
		n_reads++;
	}
	/* now and then by itself: where there was no name it is asked for again */
	version = n_reads + resolver_users_version() + (u32)(now_ns / RESOLVER_RETRY_NS);
}

u32 users_version(void)
{
	return version;
}

const char *users_name(u32 uid)
{
	struct user key = { .uid = uid }, *u;
	char name[2 * 256];

	u = n_users ? bsearch(&key, users, n_users, sizeof(*users), cmp_users) : NULL;
	if (u)
		return str_get(u->name);
	if (!resolver_user(uid, name, sizeof(name)))
		snprintf(name, sizeof(name), "%u", uid);
	return str_new(name);
}
