// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * profile_file.c: writes a profile's file. It is written to a temporary file and renamed when
 * complete: a full disk leaves an older file intact, and a symbolic link is replaced, not followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporter/profile.h"

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n > k && !strcmp(s + n - k, suffix);
}

enum profile_format profile_format(const char *path)
{
	if (ends_with(path, ".pb.gz"))
		return PROFILE_PPROF;
	if (ends_with(path, ".folded") || !strcmp(path, "-"))
		return PROFILE_FOLDED;
	return ends_with(path, ".svg") ? PROFILE_SVG : PROFILE_UNKNOWN;
}

/* The directory part of a path; free() it. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xasprintf("%.*s", (int)(slash - path), path);
}

int profile_can_write(const char *path, char **ret_error)
{
	char *directory = directory_of(path);
	struct stat st;

	*ret_error = NULL;
	if (!lstat(path, &st) && S_ISDIR(st.st_mode))
		*ret_error = xasprintf("%s: is a directory; name a file in it", path);
	else if (!lstat(path, &st) && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		*ret_error = xasprintf("%s: is not a regular file, not replaced", path);
	else if (access(directory, W_OK | X_OK))
		*ret_error = xasprintf("%s: cannot be created: %s: %s", path, directory,
				       strerror(errno));
	free(directory);
	return *ret_error ? -1 : 0;
}

static int put(const struct profile *p, enum profile_format format, FILE *out)
{
	switch (format) {
	case PROFILE_PPROF: return profile_put_pprof(p, out);
	case PROFILE_FOLDED: return profile_put_folded(p, out);
	case PROFILE_SVG: return profile_put_svg(p, out);
	case PROFILE_UNKNOWN: break;
	}
	return -EINVAL;
}

/* Writes to fd and closes it; 0 or -errno. */
static int put_into(const struct profile *p, int fd, const char *path)
{
	FILE *out = fdopen(fd, "w");
	int err;

	if (!out) {
		err = -errno;
		close(fd);
		return err;
	}
	file_give_away(fd, path);
	err = put(p, profile_format(path), out);
	if (fclose(out) && !err)	/* deferred write errors (NFS, quota) are reported here */
		err = -errno;
	return err;
}

int profile_write(const struct profile *p, const char *path, char **ret_error)
{
	char *temporary;
	int fd, err;

	if (profile_can_write(path, ret_error))
		return -1;
	temporary = xasprintf("%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC);	/* mode 0600, never an existing file */
	if (fd < 0) {
		*ret_error = xasprintf("%s: cannot be created: %s", path, strerror(errno));
		free(temporary);
		return -1;
	}
	err = put_into(p, fd, path);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err) {
		unlink(temporary);
		*ret_error = xasprintf("%s: cannot be written: %s", path, strerror(-err));
	}
	free(temporary);
	return err ? -1 : 0;
}
