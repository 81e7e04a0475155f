// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * seeds.c: makes the first inputs of the fuzzers: seeds DIR writes DIR/recording/,
 * DIR/ticks/ and DIR/text/.
 *
 * sources: bpf/model/builder.c bpf/model/schema.c bpf/model/snapshot.c bpf/model/hist.c bpf/model/str.c bpf/model/log.c
 * sources: bpf/record/codec.c bpf/record/encoder.c bpf/record/recorder.c
 */
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/record/history.h"
#include "tests/unit/gen.h"

static const char *path(const char *dir, const char *kind, u32 i)
{
	static char buf[4096];

	snprintf(buf, sizeof(buf), "%s/%s", dir, kind);
	mkdir(buf, 0700);
	snprintf(buf, sizeof(buf), "%s/%s/seed%u", dir, kind, i);
	unlink(buf);
	return buf;
}

static int save(const char *name, const void *data, size_t n)
{
	FILE *f = fopen(name, "w");

	if (!f || fwrite(data, 1, n, f) != n || fclose(f)) {
		perror(name);
		return -1;
	}
	return 0;
}

static int recording(const char *dir, u32 i)
{
	char *error = NULL;
	struct recorder *r;
	struct gen g;

	gen_init(&g, i, 1 + i);
	r = recorder_open(path(dir, "recording", i), &g.session, &error);
	if (!r) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	for (u32 k = 0; k < 2 + i; k++)
		if (recorder_write(r, gen_random(&g)))
			return -1;
	gen_end(&g);
	return recorder_close(r);
}

static int ticks(const char *dir, u32 i)
{
	struct encoder *e = encoder_new();
	struct wire_out all = { 0 };
	struct gen g;
	int err;

	gen_init(&g, i, 1 + i);
	for (u32 k = 0; k < 3 + i; k++) {
		struct wire_out o = { 0 };

		encoder_tick(e, gen_random(&g), k % 6 == 0, &o);
		wire_put_u8(&all, (u8)o.n);
		wire_put_u8(&all, (u8)(o.n >> 8));
		wire_put_bytes(&all, o.data, o.n);
		free(o.data);
	}
	err = save(path(dir, "ticks", i), all.data, all.n);
	free(all.data);
	encoder_free(e);
	gen_end(&g);
	return err;
}

int main(int argc, char **argv)
{
	static const char *const texts[] = {
		"plain", "\033[31mred\033[0m\007", "two\nlines\tand tab", "gr\xc3\xbc\xc3\x9f",
		"\xe2\x80\xaegnp.exe", "\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80",
		"\xc2\x9b" "31m", "\xf0\x9f\x98\x80 e\xcc\x81", "cut\xe2\x82",
	};
	static const char *const maps[] = {	/* the first byte is the size of the steps */
		"\x10" "1000 10 one\n1008 10 two\n1000 40 three\n", "\xff" "0x2000 0x20 a b\n",
		"\x05" "zz 1 x\n1 ffffffffffffffff y\n1000 10 \033[31mz\n",
	};
	int err = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIR\n");
		return 2;
	}
	for (u32 i = 0; i < 6 && !err; i++)
		err = recording(argv[1], i) || ticks(argv[1], i);
	for (u32 i = 0; i < ARRAY_SIZE(texts) && !err; i++)
		err = save(path(argv[1], "text", i), texts[i], strlen(texts[i]));
	for (u32 i = 0; i < ARRAY_SIZE(maps) && !err; i++)
		err = save(path(argv[1], "perfmap", i), maps[i], strlen(maps[i]));
	return err ? 1 : 0;
}
