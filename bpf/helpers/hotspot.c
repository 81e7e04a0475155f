// SPDX-License-Identifier: GPL-2.0-or-later
/* hotspot.c: see hotspot.h. Tested with OpenJDK 17, 21 and 25. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "bpf/helpers/hotspot.h"

#define MAX_HEAPS 8
#define MAX_HEAP_BYTES (1ull << 31)
#define MAX_SEGMENTS (8u << 20)
#define MAX_CODE 200000
#define MAX_FRAME (1 << 20)
#define MAX_ENTRIES 8192	/* of vmStructs; JDK 17 has about 2,000 */
#define MAX_HEADERS 64
#define MAX_CHAIN 4096
#define NAME_MAX_ 32
#define BLOCK_HEADER_MAX 16	/* sizeof(HeapBlock), before each blob */
#define BLOB_BYTES 256		/* read of each blob, with its block header: contains the fields */
#define AT_ONCE 128

enum field {
	HEAPS, LENGTH, DATA, MEMORY, SEGMAP, LOG2_SEGMENT, LOW, HIGH, USED, NAME, CODE_BEGIN, CODE_END,
	FRAME_SIZE, FRAME_COMPLETE,
	CODE_OFFSET, DATA_OFFSET,	/* since JDK 23, instead of the addresses */
	FIELDS
};

#define ADDRESSES (1u << CODE_BEGIN | 1u << CODE_END)
#define OFFSETS (1u << CODE_OFFSET | 1u << DATA_OFFSET)

static const struct { const char *type, *field; } fields[FIELDS] = {
	[HEAPS] = { "CodeCache", "_heaps" }, [LENGTH] = { "GrowableArrayBase", "_len" },
	[DATA] = { "GrowableArray<int>", "_data" }, [MEMORY] = { "CodeHeap", "_memory" },
	[SEGMAP] = { "CodeHeap", "_segmap" }, [LOG2_SEGMENT] = { "CodeHeap", "_log2_segment_size" },
	[LOW] = { "VirtualSpace", "_low" }, [HIGH] = { "VirtualSpace", "_high" },
	[USED] = { "HeapBlock::Header", "_used" }, [NAME] = { "CodeBlob", "_name" },
	[CODE_BEGIN] = { "CodeBlob", "_code_begin" }, [CODE_END] = { "CodeBlob", "_code_end" },
	[FRAME_SIZE] = { "CodeBlob", "_frame_size" }, [FRAME_COMPLETE] = { "CodeBlob", "_frame_complete_offset" },
	[CODE_OFFSET] = { "CodeBlob", "_code_offset" }, [DATA_OFFSET] = { "CodeBlob", "_data_offset" },
};

/* struct VMStructEntry */
struct entry {
	u64 type, field, type_string;
	u32 is_static, pad;
	u64 offset, address;
};

/* ---- memory of the process ---- */

static bool get(u32 pid, u64 addr, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)addr, n };

	return process_vm_readv((pid_t)pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

static u64 get_word(u32 pid, u64 addr)
{
	u64 w;

	return get(pid, addr, &w, sizeof(w)) ? w : 0;
}

static u32 get_half(u32 pid, u64 addr)
{
	u32 w;

	return get(pid, addr, &w, sizeof(w)) ? w : 0;
}

/* Whether that NUL-terminated text is at addr. */
static bool is_text(u32 pid, u64 addr, const char *text)
{
	char buf[NAME_MAX_ + 1];
	size_t n = strlen(text) + 1;

	return n <= sizeof(buf) && get(pid, addr, buf, n) && !memcmp(buf, text, n);
}

/* ---- symbols of a loaded library: System V gABI, and the GNU hash table ---- */

struct library {
	u32 pid;
	u64 base, symbols, names, hash;
};

static void take_dynamic(struct library *l, const Elf64_Dyn *d)
{
	u64 at = d->d_un.d_ptr < l->base ? d->d_un.d_ptr + l->base : d->d_un.d_ptr; /* glibc */

	if (d->d_tag == DT_SYMTAB)
		l->symbols = at;
	else if (d->d_tag == DT_STRTAB)
		l->names = at;
	else if (d->d_tag == DT_GNU_HASH)
		l->hash = at;
}

static bool library_read(struct library *l)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;
	Elf64_Dyn d;

	if (!get(l->pid, l->base, &e, sizeof(e)) || memcmp(e.e_ident, ELFMAG, SELFMAG))
		return false;
	for (u32 i = 0; i < min((u32)e.e_phnum, (u32)MAX_HEADERS); i++) {
		if (!get(l->pid, l->base + e.e_phoff + i * sizeof(p), &p, sizeof(p)) || p.p_type != PT_DYNAMIC)
			continue;
		for (u32 k = 0; k < MAX_HEADERS && get(l->pid, l->base + p.p_vaddr + k * sizeof(d), &d, sizeof(d)) &&
		     d.d_tag != DT_NULL; k++)
			take_dynamic(l, &d);
	}
	return l->symbols && l->names && l->hash;
}

static u32 gnu_hash(const char *name)
{
	u32 h = 5381;

	while (*name)
		h = h * 33 + (u8)*name++;
	return h;
}

/* Address of a symbol, or 0. */
static u64 library_symbol(const struct library *l, const char *name)
{
	u32 head[4], want = gnu_hash(name), i, has;	/* buckets, first symbol, bloom, shift */
	u64 buckets, chain;
	Elf64_Sym s;

	if (!get(l->pid, l->hash, head, sizeof(head)) || !head[0])
		return 0;
	buckets = l->hash + sizeof(head) + 8ull * head[2];
	chain = buckets + 4ull * head[0];
	i = get_half(l->pid, buckets + 4ull * (want % head[0]));
	for (u32 n = 0; i >= head[1] && n < MAX_CHAIN; n++, i++) {
		has = get_half(l->pid, chain + 4ull * (i - head[1]));
		if ((has | 1) == (want | 1) && get(l->pid, l->symbols + i * sizeof(s), &s, sizeof(s)) &&
		    is_text(l->pid, l->names + s.st_name, name))
			return l->base + s.st_value;
		if (has & 1)
			break;
	}
	return 0;
}

/* ---- offsets of fields ---- */

/* NUL-terminated texts of entries: types, then field names. */
static bool get_texts(u32 pid, const struct entry *e, u32 n, char (*to)[NAME_MAX_])
{
	struct iovec local = { to, 2 * n * sizeof(*to) }, remote[2 * AT_ONCE];

	for (u32 i = 0; i < n; i++) {
		remote[i] = (struct iovec){ (void *)e[i].type, NAME_MAX_ };
		remote[n + i] = (struct iovec){ (void *)e[i].field, NAME_MAX_ };
	}
	return process_vm_readv((pid_t)pid, &local, 1, remote, 2 * n, 0) == (ssize_t)local.iov_len;
}

static void take_entry(u32 pid, struct hotspot_layout *l, u32 *found, const struct entry *e, const char *type,
		       const char *field)
{
	for (u32 i = 0; i < FIELDS; i++)
		if (!(*found >> i & 1) && !strncmp(type, fields[i].type, NAME_MAX_) &&
		    !strncmp(field, fields[i].field, NAME_MAX_)) {
			l->at[i] = e->is_static ? e->address : e->offset;
			*found |= 1u << i;
			if (i == FRAME_COMPLETE)
				l->short_complete = is_text(pid, e->type_string, "int16_t");
		}
}

/* All required fields exist, those of a blob within BLOB_BYTES. */
static bool layout_is_usable(struct hotspot_layout *l, u32 found)
{
	u32 needed = ((1u << FIELDS) - 1) & ~(ADDRESSES | OFFSETS);

	l->has_offsets = (found & OFFSETS) == OFFSETS;
	for (u32 i = USED; i < FIELDS; i++)
		if (l->at[i] >= BLOB_BYTES - BLOCK_HEADER_MAX - sizeof(u64))
			return false;
	/* length (8 bytes, 4 since JDK 23), then the used flag */
	l->block_header = (u32)(l->at[USED] / 8 + 1) * 8;
	return (found & needed) == needed && l->block_header <= BLOCK_HEADER_MAX &&
	       (l->has_offsets || (found & ADDRESSES) == ADDRESSES);
}

static bool layout_read(u32 pid, u64 base, struct hotspot_layout *l)
{
	struct library lib = { .pid = pid, .base = base };
	char texts[2 * AT_ONCE][NAME_MAX_];
	struct entry e[AT_ONCE];
	u32 found = 0, n = AT_ONCE;
	u64 at = library_read(&lib) ? library_symbol(&lib, "gHotSpotVMStructs") : 0;

	at = at ? get_word(pid, at) : 0;
	for (u32 done = 0; at && n == AT_ONCE && done < MAX_ENTRIES; done += n, at += sizeof(e)) {
		if (!get(pid, at, e, sizeof(e)))
			break;
		for (n = 0; n < AT_ONCE && e[n].type; n++)
			;
		if (n && !get_texts(pid, e, n, texts))
			break;
		for (u32 i = 0; i < n; i++)
			take_entry(pid, l, &found, &e[i], texts[i], texts[n + i]);
	}
	l->known = layout_is_usable(l, found);
	return l->known;
}

/* ---- code ---- */

struct reading {
	u32 pid;
	const struct hotspot_layout *l;
	struct hotspot *found;
	u32 cap;
	u64 interpreter;	/* address of the name of its blob */
	u32 n_seen;
};

static u64 word_at(const u8 *blob, u64 offset)
{
	u64 w;

	memcpy(&w, blob + offset, sizeof(w));
	return w;
}

static bool is_interpreter(struct reading *r, u64 name)
{
	if (!r->interpreter && is_text(r->pid, name, "Interpreter"))
		r->interpreter = name;
	return r->interpreter && name == r->interpreter;
}

static void take_blob(struct reading *r, const u8 *block, u64 addr, u64 high)
{
	const u64 *at = r->l->at;
	const u8 *blob = block + r->l->block_header;
	u32 words = (u32)word_at(blob, at[FRAME_SIZE]), complete = (u32)word_at(blob, at[FRAME_COMPLETE]);
	struct hotspot_code c = { .begin = word_at(blob, at[CODE_BEGIN]), .end = word_at(blob, at[CODE_END]) };

	if (r->l->has_offsets) {
		c.begin = addr + r->l->block_header + (u32)word_at(blob, at[CODE_OFFSET]);
		c.end = addr + r->l->block_header + (u32)word_at(blob, at[DATA_OFFSET]);
	}
	if (r->l->short_complete)
		complete = (u16)complete;

	if (!block[at[USED]] || c.begin < addr || c.end <= c.begin || c.end > high || r->found->n == MAX_CODE)
		return;
	c.frame_bytes = words <= MAX_FRAME / 8 ? words * 8 : 0;
	c.complete = complete < c.end - c.begin ? complete : 0;
	c.kind = c.frame_bytes ? HOTSPOT_COMPILED :
		 is_interpreter(r, word_at(blob, at[NAME])) ? HOTSPOT_INTERPRETER : HOTSPOT_OTHER;
	if (r->found->n == r->cap) {
		r->cap = r->cap * 2 + 256;
		r->found = xrealloc(r->found, sizeof(*r->found) + r->cap * sizeof(c));
	}
	r->found->code[r->found->n++] = c;
}

/* Reads the blobs at these addresses; skips unreadable ones. */
static void take_blobs(struct reading *r, const u64 *addrs, u32 n, u64 high)
{
	static __thread u8 blocks[AT_ONCE][BLOB_BYTES];
	struct iovec local = { blocks, n * BLOB_BYTES }, remote[AT_ONCE];
	ssize_t got;

	for (u32 i = 0; i < n; i++)
		remote[i] = (struct iovec){ (void *)addrs[i], BLOB_BYTES };
	got = process_vm_readv((pid_t)r->pid, &local, 1, remote, n, 0);
	for (u32 i = 0; got > 0 && i < (u32)got / BLOB_BYTES; i++)
		take_blob(r, blocks[i], addrs[i], high);
}

static void read_heap(struct reading *r, u64 heap)
{
	const u64 *at = r->l->at;
	u64 low = get_word(r->pid, heap + at[MEMORY] + at[LOW]), high = get_word(r->pid, heap + at[MEMORY] + at[HIGH]);
	u64 map = get_word(r->pid, heap + at[SEGMAP] + at[LOW]), addrs[AT_ONCE], n_segments;
	u32 bits = get_half(r->pid, heap + at[LOG2_SEGMENT]), n = 0;
	u8 *segments;

	if (!low || high <= low || high - low > MAX_HEAP_BYTES || bits < 4 || bits > 16)
		return;
	n_segments = (high - low) >> bits;
	if (!n_segments || n_segments > MAX_SEGMENTS)
		return;
	segments = xmalloc(n_segments);
	if (!get(r->pid, map, segments, n_segments))
		n_segments = 0;
	r->found->low = min(r->found->low, low);
	r->found->high = max(r->found->high, high);
	for (u64 i = 0; i < n_segments; i++) {
		if (segments[i] || r->n_seen >= MAX_CODE)	/* 0: a used block begins */
			continue;
		r->n_seen++;
		addrs[n++] = low + (i << bits);
		if (n == AT_ONCE) {
			take_blobs(r, addrs, n, high);
			n = 0;
		}
	}
	take_blobs(r, addrs, n, high);
	free(segments);
}

static int by_address(const void *a, const void *b)
{
	const struct hotspot_code *x = a, *y = b;

	return cmp(x->begin, y->begin);
}

struct hotspot *hotspot_read(u32 pid, u64 base, struct hotspot_layout *layout)
{
	struct reading r = { .pid = pid, .l = layout };
	u64 heaps, data;
	u32 n;

	if (!layout->known && !layout_read(pid, base, layout)) {
		errno = ENODATA;
		return NULL;
	}
	heaps = get_word(pid, layout->at[HEAPS]);
	n = min(heaps ? get_half(pid, heaps + layout->at[LENGTH]) : 0, (u32)MAX_HEAPS);
	data = heaps ? get_word(pid, heaps + layout->at[DATA]) : 0;
	r.found = xcalloc(1, sizeof(*r.found));
	r.found->low = ~0ull;
	for (u32 i = 0; i < n; i++)
		read_heap(&r, get_word(pid, data + 8ull * i));
	if (!r.found->n || r.found->high - r.found->low > MAX_HEAP_BYTES) {
		free(r.found);
		errno = ENODATA;
		return NULL;
	}
	qsort(r.found->code, r.found->n, sizeof(*r.found->code), by_address);
	return r.found;
}
