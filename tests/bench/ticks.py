# SPDX-License-Identifier: GPL-2.0-or-later
"""5. Cost of a tick, by number of processes."""
import json
import os
import subprocess
import time

import common as c

SECONDS = 6


def lines_of(text):
    return [json.loads(line)["tables"] for line in text.splitlines() if line.startswith("{")]


def iterator_runs(pid):
    """(time, runs) of the task iterator's program of this ottop."""
    for number in c.bpf_objects([pid], "prog_id"):
        prog = json.loads(subprocess.run(["bpftool", "-j", "prog", "show", "id", number],
                                         capture_output=True, text=True).stdout or "{}")
        if prog.get("name") == "tasks_iter":
            return prog.get("run_time_ns", 0), prog.get("run_cnt", 0)
    return 0, 0


def iterator_ns(pid):
    """ns a task, with the kernel's run-time statistics on for two ticks."""
    with c.timed():
        before = iterator_runs(pid)
        time.sleep(2.2)
        after = iterator_runs(pid)
    runs = after[1] - before[1]
    return (after[0] - before[0]) / runs if runs else None


def sampler_ns(pid):
    for tid in os.listdir(f"/proc/{pid}/task"):
        if "sampler" in c.proc_file(pid, f"task/{tid}/comm"):
            return int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0])
    raise RuntimeError("ottop has no sampler thread")


def measure(view):
    # without rows of processes: JSON is not part of a tick
    o = c.ottop("ottop", "--json", "-v", f"{view},self")
    o.start(set(c.CPUS))
    time.sleep(2)
    begin, ran = time.monotonic(), sampler_ns(o.proc.pid)
    time.sleep(SECONDS)
    cpu = (sampler_ns(o.proc.pid) - ran) / (time.monotonic() - begin)
    iterator = iterator_ns(o.proc.pid) if c.have("bpftool") else None
    ticks = lines_of(o.stop())
    return [n for t in ticks[2:] if (n := t["self"]["rows"][0]["tick_ns"])], iterator, cpu


def run():
    c.title("5. A tick (one a second), by number of processes")
    rows = []
    for n in (0, 1000, 5000):
        sleepers = c.Observer("sleepers", [f"{c.OUT}/sleepers", str(n)], c.first_line, settle=1)
        sleepers.start()
        try:
            there = sum(p.isdigit() for p in os.listdir("/proc"))
            for name, view in (("home", "host"), ("syscall view", "syscalls")):
                tick_ns, iterator, cpu = measure(view)
                rows.append([f"{there:,} processes, {name}", c.number(cpu / 1e6, 2),
                             c.number(cpu / there), c.number(cpu / 1e7 / len(c.CPUS), 2),
                             c.number(c.median(tick_ns) / 1e6, 2),
                             "+-" + c.number(c.spread(tick_ns) / 1e6, 2), c.number(iterator)])
        except (OSError, RuntimeError) as e:
            c.say(f"  missing: {n:,} sleepers: {e}")
        finally:
            sleepers.stop()
            time.sleep(1)  # until they have ended
    c.table(["", "CPU ms a tick", "ns/process", "% of the machine", "wall ms", "spread",
             "iterator ns/task"], rows)
    c.say("  CPU of the sampler thread; wall is self.tick_ns, which on a busy machine is mostly waiting; the")
    c.say("  iterator with BPF statistics on (two clock reads more a task), and it is part of the tick")
