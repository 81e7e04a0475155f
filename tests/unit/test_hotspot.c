// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_hotspot.c: the code of a JVM, read from an untrusted process: this one, whose memory
 * contains a small library with the table that libjvm.so publishes for debuggers.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/helpers/hotspot.h"

#define N_FIELDS 14
#define SEGMENT 128		/* bytes: 2^7 */
#define N_SEGMENTS 16
#define TEXT 32

/* As in vmStructs.hpp: VMStructEntry. */
struct entry {
	const char *type, *field, *type_string;
	s32 is_static, pad;
	u64 offset;
	const void *address;
};

static const struct { const char *type, *field; u64 offset; } names[N_FIELDS] = {
	{ "CodeCache", "_heaps", 0 }, { "GrowableArrayBase", "_len", 0 }, { "GrowableArray<int>", "_data", 8 },
	{ "CodeHeap", "_memory", 0 }, { "CodeHeap", "_segmap", 16 }, { "CodeHeap", "_log2_segment_size", 32 },
	{ "VirtualSpace", "_low", 0 }, { "VirtualSpace", "_high", 8 }, { "HeapBlock::Header", "_used", 8 },
	{ "CodeBlob", "_name", 0 }, { "CodeBlob", "_code_begin", 8 }, { "CodeBlob", "_code_end", 16 },
	{ "CodeBlob", "_frame_size", 24 }, { "CodeBlob", "_frame_complete_offset", 28 },
};

#define USED_AT 8

/* One library at its own address, and what its pointers lead to. */
static struct library {
	Elf64_Ehdr e;
	Elf64_Phdr p;
	Elf64_Dyn d[4];
	Elf64_Sym symbols[2];
	struct { u32 head[4]; u64 filter; u32 bucket, chain; } hash;
	char strings[64];
	const struct entry *structs;
	struct entry entries[N_FIELDS + 128];	/* the last ones are zeros: the end */
	char texts[2 * N_FIELDS + 2][TEXT];
	struct { u64 len; const u64 *data; } heaps;
	const void *heaps_at;
	u64 heap_at;
	struct { u64 low, high, map, map_high; u32 bits; } heap;
	u8 map[N_SEGMENTS];
	char name[TEXT];
	u8 code[N_SEGMENTS * SEGMENT] __attribute__((aligned(SEGMENT)));
} good, lib;

static u32 hash_of_name(const char *s)
{
	u32 h = 5381;

	while (*s)
		h = h * 33 + (u8)*s++;
	return h;
}

static u64 away(const void *at)
{
	return (u64)at - (u64)&lib;
}

static void put_elf(void)
{
	static const char name[] = "gHotSpotVMStructs";

	memcpy(lib.e.e_ident, ELFMAG, SELFMAG);
	lib.e.e_phnum = 1;
	lib.e.e_phoff = away(&lib.p);
	lib.p = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_vaddr = away(lib.d) };
	lib.d[0] = (Elf64_Dyn){ DT_SYMTAB, { away(lib.symbols) } };
	lib.d[1] = (Elf64_Dyn){ DT_STRTAB, { away(lib.strings) } };
	lib.d[2] = (Elf64_Dyn){ DT_GNU_HASH, { away(&lib.hash) } };
	strcpy(lib.strings + 1, name);
	lib.symbols[1] = (Elf64_Sym){ .st_name = 1, .st_value = away(&lib.structs) };
	lib.hash.head[0] = lib.hash.head[1] = lib.hash.head[2] = lib.hash.bucket = 1;
	lib.hash.chain = hash_of_name(name) | 1;
}

static void put_structs(void)
{
	lib.structs = lib.entries;
	for (u32 i = 0; i < N_FIELDS; i++) {
		snprintf(lib.texts[2 * i], TEXT, "%s", names[i].type);
		snprintf(lib.texts[2 * i + 1], TEXT, "%s", names[i].field);
		lib.entries[i] = (struct entry){ .type = lib.texts[2 * i], .field = lib.texts[2 * i + 1],
						 .is_static = !i, .offset = names[i].offset,
						 .address = i ? NULL : &lib.heaps_at };
	}
}

/* A method of three segments with a frame of 48 bytes, then what is not in use. */
static void put_code(void)
{
	u64 low = (u64)lib.code, blob[4] = { (u64)lib.name, low + 64, low + 3 * SEGMENT };
	u32 frame[2] = { 6, 12 };

	strcpy(lib.name, "nmethod");
	lib.heaps_at = &lib.heaps;
	lib.heaps.len = 1;
	lib.heaps.data = &lib.heap_at;
	lib.heap_at = (u64)&lib.heap;
	lib.heap.low = low;
	lib.heap.high = low + sizeof(lib.code);
	lib.heap.map = (u64)lib.map;
	lib.heap.bits = 7;
	for (u32 i = 0; i < N_SEGMENTS; i++)
		lib.map[i] = i < 3 ? (u8)i : 1;
	lib.code[USED_AT] = 1;
	memcpy(blob + 3, frame, sizeof(frame));
	memcpy(lib.code + 16, blob, sizeof(blob));
}

static int set_up(void **state)
{
	(void)state;
	memset(&lib, 0, sizeof(lib));
	put_elf();
	put_structs();
	put_code();
	good = lib;
	return 0;
}

static struct hotspot *read_it(void)
{
	struct hotspot_layout layout = {};

	return hotspot_read((u32)getpid(), (u64)&lib, &layout);
}

static void code_is_read(void **state)
{
	struct hotspot *h = read_it();

	(void)state;
	assert_non_null(h);
	assert_int_equal(h->n, 1);
	assert_int_equal(h->code[0].begin, (u64)lib.code + 64);
	assert_int_equal(h->code[0].end, (u64)lib.code + 3 * SEGMENT);
	assert_int_equal(h->code[0].frame_bytes, 48);
	assert_int_equal(h->code[0].complete, 12);
	assert_int_equal(h->code[0].kind, HOTSPOT_COMPILED);
	free(h);
}

/* Of JDK 23 and later: a header of 8 bytes, offsets from the blob, 16 bits of where the frame is finished. */
static void put_later_layout(void)
{
	static const u32 begin = 64 - 8, end = 3 * SEGMENT - 8, words = 6, complete = 0xffff000c;

	strcpy(lib.texts[2 * 10 + 1], "_code_offset");
	strcpy(lib.texts[2 * 11 + 1], "_data_offset");
	strcpy(lib.texts[2 * N_FIELDS], "int16_t");
	lib.entries[8].offset = 4;
	lib.entries[13].type_string = lib.texts[2 * N_FIELDS];
	memset(lib.code, 0, SEGMENT);
	lib.code[4] = 1;
	*(u64 *)(void *)(lib.code + 8) = (u64)lib.name;
	memcpy(lib.code + 8 + 8, &begin, sizeof(begin));
	memcpy(lib.code + 8 + 16, &end, sizeof(end));
	memcpy(lib.code + 8 + 24, &words, sizeof(words));
	memcpy(lib.code + 8 + 28, &complete, sizeof(complete));
	good = lib;
}

static void later_code_is_read(void **state)
{
	put_later_layout();
	code_is_read(state);
}

static void half_a_layout_is_none(void **state)
{
	(void)state;
	strcpy(lib.texts[2 * 11 + 1], "_data_offset");	/* an address where it begins, an offset where it ends */
	assert_null(read_it());
}

/* Every field in turn is far away: within a blob nothing is read from there. */
static void offsets_are_bounded(void **state)
{
	(void)state;
	for (u32 i = 1; i < N_FIELDS; i++) {
		lib = good;
		lib.entries[i].offset = 1ull << 40;
		free(read_it());	/* some still find the code: the address of a heap is used as it is */
	}
	lib = good;
	lib.entries[8].offset = 1ull << 40;	/* _used */
	assert_null(read_it());
}

/* Anything in that memory, seeded: no crash, and all that is found is in order and within bounds. */
static void anything_may_be_there(void **state)
{
	u32 seed = 2026, n_found = 0;

	(void)state;
	for (u32 i = 0; i < 20000; i++) {
		struct hotspot *h;

		lib = good;
		for (u32 k = 0; k <= i % 4; k++) {
			u32 at = (u32)rand_r(&seed) % (u32)(sizeof(lib) / 8);
			u64 word = (u64)rand_r(&seed) << 33 ^ (u64)rand_r(&seed);

			word >>= (u32)rand_r(&seed) % 64;
			memcpy((u8 *)&lib + 8 * at, &word, sizeof(word));
		}
		h = read_it();
		for (u32 k = 0; h && k < h->n; k++) {
			assert_true(h->code[k].begin >= h->low && h->code[k].begin < h->code[k].end);
			assert_true(h->code[k].end <= h->high);
		}
		n_found += h != NULL;
		free(h);
	}
	assert_in_range(n_found, 1, 19999);
}

static void anything_in_later_layout(void **state)
{
	put_later_layout();
	anything_may_be_there(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(code_is_read, set_up),
		cmocka_unit_test_setup(later_code_is_read, set_up),
		cmocka_unit_test_setup(half_a_layout_is_none, set_up),
		cmocka_unit_test_setup(offsets_are_bounded, set_up),
		cmocka_unit_test_setup(anything_may_be_there, set_up),
		cmocka_unit_test_setup(anything_in_later_layout, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
