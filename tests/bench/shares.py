# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time by ottop's threads, processes and kernel programs, and by function."""
import collections
import os
import re
import shutil
import signal
import subprocess

import common as c

LEAST_PCT = 0.01        # percent of the machine; smaller ones are summed
FUNCTIONS, FUNCTION_PCT = 24, 1.5
ROLES = {
    "ottop": "main: keys, drawing, history, the graph",
    "ottop-sampler": "the tick, samples, stacks that are walked outside of the kernel, parts of tables",
    "ottop-waits": "what threads wait on",
    "ottop-symbols, tables": "makes unwind tables",
    "ottop-symbols, names": "names and lines",
    "ottop-admin": "opens perf events, namespaces",
    "ottop-opener": "opens files of others",
}


def process_name(pid):
    name = c.proc_file(pid, "comm").strip()
    if name != "ottop-symbols":
        return name
    return name + (", tables" if int(c.stat_fields(pid)[16]) < 0 else ", names")    # by its nice level


def thread_times(pids):
    """CPU time in ns of each living thread, by its name, or its process's if it has none."""
    times = collections.Counter()
    for pid in pids:
        try:
            process = process_name(pid)
            for tid in os.listdir(f"/proc/{pid}/task"):
                thread = c.proc_file(pid, f"task/{tid}/comm").strip()
                ns = int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0])
                times[process if process.startswith(thread) else thread] += ns
        except OSError:
            pass  # ended meanwhile
    return times


def program_names():
    if not shutil.which("bpftool"):
        return {}
    out = subprocess.run(["bpftool", "prog", "list"], capture_output=True, text=True, check=False).stdout
    return {m[1]: m[2] for m in re.finditer(r"^(\d+): \S+\s+name (\S+)", out, re.M)}


def program_times(pids):
    """Run time in ns of each of their kernel programs; only while c.timed()."""
    names, times = program_names(), collections.Counter()
    for number, info in c.bpf_objects(pids, "prog_id").items():
        times[names.get(number, "program " + number)] += int(info.get("run_time_ns", 0))
    return times


def lines_of(times, seconds):
    left = 0
    for name, ns in times.most_common():
        if c.percent(ns, seconds) < LEAST_PCT:
            left += ns
        else:
            yield name, ns
    if left > 0:
        yield "others", left


def tell(what, threads, programs, seconds, programs_seconds):
    """Prints counters of so many seconds."""
    rows = [[name, c.number(c.percent(ns, seconds), 2), ROLES.get(name, "")] for name, ns in lines_of(threads, seconds)]
    rows += [["kernel: " + name, c.number(c.percent(ns, programs_seconds), 2), ""]
             for name, ns in lines_of(programs, programs_seconds)]
    c.say(f"  {what}: who takes it, % of the machine")
    for name, pct, role in rows:
        c.say(f"    {pct}  {name:28} {role}".rstrip())


class Functions:
    """perf on all threads of these processes: ottop's functions including callees. Needs frame
    pointers."""

    def __init__(self, pids):
        self.data = c.OUT + "/functions.data"
        self.proc = subprocess.Popen(["perf", "record", "-q", "-g", "-F", "997", "-o", self.data, "-p",
                                      ",".join(map(str, pids))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def tell(self):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait()
        out = subprocess.run(["perf", "report", "-i", self.data, "--children", "--sort", "comm,dso,sym", "-g", "none",
                              "--percent-limit", str(FUNCTION_PCT)], capture_output=True, text=True, check=False).stdout
        found = re.findall(r"^\s*([\d.]+)%\s+[\d.]+%\s+(\S+)\s+\S*ottop\S*\s+\[\.\] (\S+)", out, re.M)
        c.say("    of its samples, % in functions of ottop with what they call:")
        for pct, comm, name in found[:FUNCTIONS]:
            c.say(f"    {pct:>6}  {comm:15} {name}")
