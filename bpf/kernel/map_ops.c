// SPDX-License-Identifier: GPL-2.0-or-later
/* map_ops.c: see map_ops.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/kernel/features.h"
#include "bpf/kernel/map_ops.h"

/* Before 6.1 such programs cannot use maps that allocate on demand (BPF_F_NO_PREALLOC). */
void map_ops_choose(struct bpf_program *prog)
{
	struct features f;

	features_read(&f);
	bpf_program__set_autoload(prog, f.major > 6 || (f.major == 6 && f.minor >= 1));
}

struct map_ops map_ops_of(const struct bpf_map *map, const struct bpf_program *prog)
{
	return (struct map_ops){
		.map = bpf_map__fd(map), .prog = bpf_program__fd(prog),
		.key_bytes = bpf_map__key_size(map), .value_bytes = bpf_map__value_size(map),
	};
}

static size_t aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static int serve(const struct map_ops *m, u32 what, const void *key, const void *value, u64 flags,
		 void *ret_value)
{
	u64 room[(sizeof(struct map_request) + MAP_OPS_BYTES) / 8] = {};
	struct map_request *r = (struct map_request *)room;
	u8 *key_at = (u8 *)(r + 1), *value_at = key_at + aligned(m->key_bytes);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = room);

	if (aligned(m->key_bytes) + aligned(m->value_bytes) > MAP_OPS_BYTES)
		return -EINVAL;
	opts.ctx_size_in = (u32)(value_at - (u8 *)room + aligned(m->value_bytes));
	r->what = what;
	r->flags = flags;
	memcpy(key_at, key, m->key_bytes);
	if (value)
		memcpy(value_at, value, m->value_bytes);
	if (bpf_prog_test_run_opts(m->prog, &opts))
		return -errno;
	if (ret_value && !r->ret)
		memcpy(ret_value, value_at, m->value_bytes);
	return r->ret;
}

int map_ops_lookup(const struct map_ops *m, const void *key, void *ret_value)
{
	if (m->prog >= 0)
		return serve(m, MAP_LOOKUP, key, NULL, 0, ret_value);
	return bpf_map_lookup_elem(m->map, key, ret_value) ? -errno : 0;
}

int map_ops_update(const struct map_ops *m, const void *key, const void *value, __u64 flags)
{
	if (m->prog >= 0)
		return serve(m, MAP_UPDATE, key, value, flags, NULL);
	return bpf_map_update_elem(m->map, key, value, flags) ? -errno : 0;
}

int map_ops_delete(const struct map_ops *m, const void *key)
{
	if (m->prog >= 0)
		return serve(m, MAP_DELETE, key, NULL, 0, NULL);
	return bpf_map_delete_elem(m->map, key) ? -errno : 0;
}
