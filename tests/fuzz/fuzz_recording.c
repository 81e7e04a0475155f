// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_recording.c: bytes as a recording, read as a file and as a pipe. Checksums
 * are not compared in this build, or no change would get past them.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/record/record_format.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void walk(struct history *h)
{
	u32 n = history_len(h);

	for (u32 i = 0; i < min(n, 200u); i++)
		snapshot_put(history_snapshot(h, i));
	if (n)
		snapshot_put(history_snapshot(h, n / 2));
	history_find(h, n);
}

static void read_as(int fd, bool stream)
{
	struct recording *r;
	char *error = NULL;

	lseek(fd, 0, SEEK_SET);
	r = recording_open_fd(dup(fd), "fuzz", stream, &error);
	if (!r && !error)
		abort();
	for (u32 i = 0; r && !recording_done(r); i++)
		if (recording_read(r) < 0 || i > 1000)
			abort();
	if (r)
		walk(recording_history(r));
	recording_close(r);
	free(error);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	read_as(fd, false);
	read_as(fd, true);
	return 0;
}
