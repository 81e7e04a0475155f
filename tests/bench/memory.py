# SPDX-License-Identifier: GPL-2.0-or-later
"""2. Memory with 1,000 processes: resident, and in kernel maps."""
import os
import re
import time

import common as c
import terminal

PROCESSES = 1000
AIM = 25e6


def status_kib(pid, name):
    return int(re.search(rf"{name}:\s+(\d+) kB", c.proc_file(pid, "status"))[1])


def smaps(pid):
    """(private bytes, resident bytes of mapped kernel maps)"""
    private = mapped = 0
    of_map = False
    for line in c.proc_file(pid, "smaps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            of_map = "bpf-map" in line
        elif line.startswith("Private_"):
            private += int(line.split()[1]) * 1024
        elif line.startswith("Rss:") and of_map:
            mapped += int(line.split()[1]) * 1024
    return private, mapped


def kernel_maps(pids):
    """Bytes of every BPF map that these processes have open, each once."""
    return sum(int(info["memlock"]) for info in c.bpf_objects(pids, "map_id").values())


def mapped_pss(pid):
    """Mapped part of kernel maps; the protocol reader maps its ring, too."""
    total, of_map = 0, False
    for line in c.proc_file(pid, "smaps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            of_map = "bpf-map" in line
        elif line.startswith("Pss:") and of_map:
            total += int(line.split()[1]) * 1024
    return total


def sizes(pids):
    """(PSS without mapped kernel maps, kernel maps), bytes"""
    return sum(c.rss_bytes(p) - mapped_pss(p) for p in pids), kernel_maps(pids)


def tasks():
    return sum(len(os.listdir(f"/proc/{p}/task")) for p in os.listdir("/proc")
               if p.isdigit() and os.path.isdir(f"/proc/{p}/task"))


def bytes_per_task():
    with open(os.path.join(c.ROOT, "bpf/kernel/tasks_size.h")) as f:
        return eval(re.search(r"TASK_STORAGE_BYTES\s+(\(.*\))", f.read())[1], {})


def measure(name, pid):
    children = c.children_of(pid)
    rss = status_kib(pid, "VmRSS") * 1024
    _, mapped = smaps(pid)
    own = sum(smaps(p)[0] for p in children)
    maps = kernel_maps([pid] + children)
    storage = tasks() * bytes_per_task()
    total = rss - mapped + own + maps + storage
    return total, [name, c.megabytes(rss), c.megabytes(own), c.megabytes(maps),
                   c.megabytes(storage), c.megabytes(mapped), c.megabytes(total)]


def headless(view):
    o = c.ottop(f"--json -v {view}", "--json", "-v", view)
    o.start()
    time.sleep(10)
    found = measure(o.name, o.proc.pid)
    o.stop()
    return found


def console(view):
    t = terminal.Terminal([c.OTTOP, "-v", view])
    t.read(20)
    found = measure(f"console, {view} view", t.pid)
    t.stop()
    return found


def run():
    c.title(f"2. Memory with {PROCESSES:,} sleeping processes more")
    sleepers = c.Observer("sleepers", [f"{c.OUT}/sleepers", str(PROCESSES)], c.first_line)
    sleepers.start()
    rows, totals = [], []
    try:
        for what, view in ((headless, "processes"), (headless, "syscalls"),
                           (console, "processes"), (console, "syscalls")):
            try:
                total, row = what(view)
                totals.append(total)
                rows.append(row)
            except (RuntimeError, OSError) as e:
                c.say(f"  missing: {what.__name__} {view}: {e}")
        n = tasks()
    finally:
        sleepers.stop()
    c.table(["ottop", "RSS", "+ children", "+ kernel maps", "+ task storage", "- mapped maps", "total"],
            rows)
    c.say(f"  after 10 s (console: 20 s); {n:,} tasks x {bytes_per_task()} bytes of task storage; the mapped")
    c.say("  part of a kernel map is in RSS and in the map's size: subtracted once")
    if totals:
        c.aim("largest of these, MB", max(totals) / 1e6, AIM / 1e6)
