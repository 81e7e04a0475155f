// SPDX-License-Identifier: GPL-2.0-or-later
/* debugfile.c: whether a debug file belongs to a file. gdb manual, "Separate Debug Files". */
#include <string.h>
#include <zlib.h>

#include "symbolizer/elf.h"
#include "symbolizer/names.h"

#define CHUNK 65536
#define MAX_CRC (2ull << 30)	/* the CRC of larger files is not computed */

static u32 crc_of(int fd, u64 size)
{
	struct source s = { .fd = fd, .size = size };
	static u8 buf[CHUNK];
	uLong crc = crc32(0, NULL, 0);
	size_t n;

	for (u64 at = 0; (n = source_read(&s, at, buf, sizeof(buf))); at += n)
		crc = crc32(crc, buf, (uInt)n);
	return (u32)crc;
}

bool debugfile_matches(int fd, int debug_fd)
{
	struct elf_file *f = elf_file_open(fd), *d = f ? elf_file_open(debug_fd) : NULL;
	u8 id[BUILD_ID_MAX], debug_id[BUILD_ID_MAX];
	char name[256];
	size_t n, debug_n;
	bool good = false;
	u32 crc;

	if (d) {
		n = elf_build_id(f, id, sizeof(id));
		debug_n = elf_build_id(d, debug_id, sizeof(debug_id));
		if (n && debug_n)
			good = n == debug_n && !memcmp(id, debug_id, n);
		else if (elf_debuglink(f, name, sizeof(name), &crc))
			good = elf_size(d) <= MAX_CRC && crc_of(debug_fd, elf_size(d)) == crc;
	}
	elf_file_close(d);
	elf_file_close(f);
	return good;
}
