/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped_file.h: the file of a process's mapping, even if its path now leads elsewhere. */
#pragma once

#include <sys/stat.h>

#include "bpf/model/base.h"

/* Identity of a file, unless it is overwritten. */
struct file_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

static inline struct file_id file_id_of(const struct stat *st)
{
	return (struct file_id){ st->st_dev, st->st_ino, st->st_size, st->st_ctim };
}

static inline bool file_id_is(const struct file_id *id, const struct stat *st)
{
	return id->ino == st->st_ino && id->dev == st->st_dev && id->size == st->st_size &&
	       id->changed.tv_sec == st->st_ctim.tv_sec && id->changed.tv_nsec == st->st_ctim.tv_nsec;
}

/*
 * Opens the file that a process has mapped from start to end, even if it was deleted, replaced, or is in
 * another mount namespace. `path` gets its path as seen by the process. A descriptor for reading (of any
 * type of file: check before reading), or -errno.
 */
int mapped_file_open(u32 pid, u64 start, u64 end, char *path, size_t cap);
