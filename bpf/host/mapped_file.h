/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped_file.h: the file behind a mapping of a process, wherever its path leads by now. */
#ifndef OTTOP_MAPPED_FILE_H
#define OTTOP_MAPPED_FILE_H

#include <sys/stat.h>

#include "bpf/model/base.h"

/* Which file it is, as long as it is not written over. */
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
 * Opens what a process has mapped from start to end: also what was deleted, replaced, or is in
 * another mount namespace. Its path as the process has it goes to `path`. A descriptor for
 * reading (of any kind of file: look before reading), or -errno.
 */
int mapped_file_open(u32 pid, u64 start, u64 end, char *path, size_t cap);

#endif
