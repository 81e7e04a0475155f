# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds ottop's memory: each of its processes by kind of mapping, and the largest kernel maps."""
import collections
import os
import re
import shutil
import subprocess

import common as c

KINDS = ("heap", "static", "stacks", "program", "libraries", "shared")
LARGEST = 12


def kind_of(path, perms, after_program):
    """Kind of a mapping; after_program: it directly follows a writable one of the program."""
    name = os.path.basename(path)
    if path in ("[heap]", ""):
        return "static" if after_program and not path else "heap"
    if path.startswith("[stack") or path.startswith("[anon:stack"):
        return "stacks"
    if name.startswith("ottop"):
        return "static" if "w" in perms else "program"
    if path.startswith("/memfd:") or path.startswith("/dev/zero") or path.startswith("/dev/shm"):
        return "shared"
    return "libraries"


def mappings(pid):
    """(kind, PSS bytes) of each mapping, except kernel maps."""
    kind, end, program = None, 0, False
    for line in c.proc_file(pid, "smaps").splitlines():
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        if m:
            path, perms, start = m[4], m[3], int(m[1], 16)
            kind = None if "bpf-map" in path else kind_of(path, perms, program and start == end)
            program = kind == "static"
            end = int(m[2], 16)
        elif line.startswith("Pss:") and kind:
            yield kind, int(line.split()[1]) * 1024


def of_process(pid):
    sums = collections.Counter()
    for kind, n in mappings(pid):
        sums[kind] += n
    return sums


def kernel_maps(pids):
    """(name, bytes) of every BPF map that these processes have open, the largest first."""
    maps = {number: int(info["memlock"]) for number, info in c.bpf_objects(pids, "map_id").items()}
    names = {}
    if shutil.which("bpftool"):
        out = subprocess.run(["bpftool", "map", "list"], capture_output=True, text=True, check=False).stdout
        names = {m[1]: m[2] for m in re.finditer(r"^(\d+): \S+\s+name (\S+)", out, re.M)}
    sums, count = collections.Counter(), collections.Counter()
    for number, n in maps.items():
        name = names.get(number, "(no name)")
        sums[name] += n
        count[name] += 1
    return [(f"{name} x{count[name]}" if count[name] > 1 else name, n) for name, n in sums.most_common()]


def tell(pids):
    rows, total = [], collections.Counter()
    for pid in pids:
        sums = of_process(pid)
        total.update(sums)
        rows.append([c.proc_file(pid, "comm").strip()] + [c.number(sums[k] / 1e6, 2) for k in KINDS] +
                    [c.number(sum(sums.values()) / 1e6, 2)])
    rows.append(["together"] + [c.number(total[k] / 1e6, 2) for k in KINDS] + [c.number(sum(total.values()) / 1e6, 2)])
    c.table(["PSS, MB"] + list(KINDS) + ["sum"], rows)
    maps = kernel_maps(pids)
    c.say("  kernel maps, MB: " + ", ".join(f"{name} {n / 1e6:.2f}" for name, n in maps[:LARGEST]) +
          f", {len(maps[LARGEST:])} others {sum(n for _, n in maps[LARGEST:]) / 1e6:.2f}")
