# SPDX-License-Identifier: GPL-2.0-or-later
"""The console's promise: under 1 % of the machine and 50 MB with the flame graph open, on a busy
host."""
import os
import shutil
import signal
import subprocess
import time

import common as c
import holders
import memory
import shares
import terminal

FIRST_S, SETTLED_S, BPF_S, VIEW_S, LATER_S = 15, 10, 3, 2, 30
MINUTE_S = int(os.environ.get("OTTOP_BENCH_SECONDS", "60"))     # until the graph counts as settled
PARTS = os.environ.get("OTTOP_BENCH_PARTS", "home plain dwarf views perf").split()
# each ends by itself, and leaves some CPU time free
PLAIN = [
    "while :; do seq 60000 | sort -r | uniq -c >/dev/null; sleep 0.2; done",
    "while :; do python3 -c 'print(sum(i * i % 7 for i in range(10 ** 6)))' >/dev/null; sleep 0.3; done",
    "while :; do perl -e 'for (1 .. 600000) { $h{$_ % 977} .= chr($_ % 64) }'; sleep 0.3; done",
    "while :; do head -c 3000000 /dev/urandom | gzip -6 >/dev/null; sleep 0.3; done",
    "while :; do head -c 30000000 /dev/zero | openssl sha512 >/dev/null; sleep 0.3; done",
    "while :; do head -c 600000 /dev/urandom | xz -2 >/dev/null; sleep 0.3; done",
]
CXX = """#include <map>
#include <regex>
#include <string>
#include <iostream>
int main() {
	std::map<std::string, int> m;
	std::regex r("([a-z]+)([0-9]+)");
	for (int i = 0; i < 40000; i++) {
		std::smatch s;
		std::string t = "abc" + std::to_string(i);
		if (std::regex_match(t, s, r)) m[s[2]]++;
	}
	std::cout << m.size() << std::endl;
}
"""
RUST = """use std::collections::BTreeMap;
fn main() {
	let mut m: BTreeMap<String, Vec<u64>> = BTreeMap::new();
	for i in 0..300000u64 { m.entry(format!("{}", i * 7919 % 1013)).or_default().push(i); }
	let mut all: Vec<u64> = m.into_values().flatten().collect();
	all.sort_by(|a, b| (b % 97).cmp(&(a % 97)));
	println!("{}", all[0]);
}
"""


def write(name, text):
    with open(f"{c.OUT}/{name}", "w") as f:
        f.write(text)
    return f"{c.OUT}/{name}"


def with_dwarf():
    """Compilers that come and go, and C++ and Rust programs with all their DWARF."""
    cxx, loops = write("promise.cc", CXX), []
    if shutil.which("g++"):
        subprocess.run(["g++", "-O2", "-g", "-o", c.OUT + "/promise_cxx", cxx], check=True)
        loops += [f"while :; do g++ -O1 -g -o {c.OUT}/promise_new {cxx}; {c.OUT}/promise_new; sleep 0.5; done",
                  f"while :; do {c.OUT}/promise_cxx; sleep 0.3; done"]
    if shutil.which("rustc"):
        rs = write("promise.rs", RUST)
        subprocess.run(["rustc", "-O", "-g", "-o", c.OUT + "/promise_rust", rs], check=True)
        loops += [f"while :; do rustc -O -g -o {c.OUT}/promise_new_rs {rs}; {c.OUT}/promise_new_rs; sleep 1; done",
                  f"while :; do {c.OUT}/promise_rust; sleep 0.3; done"]
    return loops


class Load:
    """Shell loops, in a process group that ends with this one."""

    def __init__(self, loops):
        self.loops, self.procs = loops, []

    def __enter__(self):
        for loop in self.loops:
            self.procs.append(subprocess.Popen(["timeout", "240", "sh", "-c", loop], stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, start_new_session=True))
        time.sleep(1)

    def __exit__(self, *_):
        for p in self.procs:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()


def own_pct(t, seconds):
    before, began = t.run_ns(), time.monotonic()
    t.read(seconds)
    return c.percent(t.run_ns() - before, time.monotonic() - began)


def bpf_pct(t):
    with c.timed():
        before, began = c.programs_ns(c.family(t.pid)), time.monotonic()
        t.read(BPF_S)
        return c.percent(c.programs_ns(c.family(t.pid)) - before, time.monotonic() - began)


def costs(t, what, seconds):
    """Own CPU time in so many seconds, BPF in the following ones, memory then; prints the shares."""
    threads, began = shares.thread_times(c.family(t.pid)), time.monotonic()
    own = own_pct(t, seconds)
    threads = shares.thread_times(c.family(t.pid)) - threads
    took_s = time.monotonic() - began
    programs = shares.program_times(c.family(t.pid))
    bpf = bpf_pct(t)
    shares.tell(what, threads, shares.program_times(c.family(t.pid)) - programs, took_s, BPF_S)
    return own, bpf, memory.sizes(c.family(t.pid))


def functions(t):
    """In a period of its own, as perf costs CPU time: OTTOP_BENCH_FUNCTIONS."""
    if os.environ.get("OTTOP_BENCH_FUNCTIONS"):
        perf_record = shares.Functions(c.family(t.pid))
        t.read(SETTLED_S)
        perf_record.tell()


def detail(t):
    """Memory in detail: OTTOP_BENCH_DETAIL."""
    if os.environ.get("OTTOP_BENCH_DETAIL"):
        holders.tell(c.family(t.pid))


def row(name, cpu, bpf, size):
    cells = [name, c.number(cpu, 2), c.number(bpf, 2), c.number(cpu + bpf if bpf is not None else cpu, 2)]
    return cells + [c.megabytes(size[0]), c.megabytes(size[1]), c.megabytes(sum(size))]


def aims(name, cpu, bpf, size, limit_pct, limit_mb):
    c.aim(f"{name}, % of the machine", cpu + bpf, limit_pct)
    c.aim(f"{name}, MB", sum(size) / 1e6, limit_mb)


def every_view(t):
    """All faces of all tabs, then the flame graph again."""
    for digit in b"123456789":
        for _ in range(4 if digit in b"234" else 1):
            t.send(bytes([digit]))
            t.read(VIEW_S)
    t.send(b"2")
    t.read(VIEW_S)


def flame(name, views=False):
    t = terminal.Terminal([c.OTTOP, "-v", "flame"])
    rows = []

    def measure(when, seconds):
        found = costs(t, f"{name}, {when}", seconds)
        rows.append(row(f"{name}, {when}", *found))
        detail(t)
        return found

    try:
        t.read(0.2)
        measure(f"first {FIRST_S} s", FIRST_S)
        t.read(max(MINUTE_S - FIRST_S - BPF_S - SETTLED_S, 0))
        measure("after a minute" if MINUTE_S == 60 else f"after {MINUTE_S} s", SETTLED_S)
        functions(t)
        if views:
            every_view(t)
            measure("after every view", SETTLED_S)
            t.read(LATER_S - SETTLED_S - BPF_S)
            later = measure(f"{LATER_S} s later", SETTLED_S)
            aims(f"{name}, {LATER_S} s after every view", *later, 1, 50)
            c.say(f"  what holds it then ({name}):")
            holders.tell(c.family(t.pid))
    finally:
        t.stop()
    return rows


def home():
    t = terminal.Terminal([c.OTTOP])
    try:
        t.read(5)
        found = costs(t, "home view", SETTLED_S)
        aims("home view, idle host", *found, 0.3, 20)
        found = row("home view, idle host", *found)
        detail(t)
    finally:
        t.stop()
    return found


def perf(load):
    """perf's own CPU time and memory while it writes DWARF stacks of the same load."""
    name = f"perf record --call-graph dwarf, {load}"
    if not c.have("perf"):
        return [name + ": missing"] + [""] * 6
    p = subprocess.Popen(["perf", "record", "-q", "-a", "-F", "99", "--call-graph", "dwarf", "-o", "/dev/null",
                          "sleep", str(FIRST_S)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(FIRST_S - 2)
    pss = sum(c.rss_bytes(pid) for pid in c.family(p.pid))
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        return [f"{name}: missing (it ended with {p.returncode})"] + [""] * 6
    own = (usage.ru_utime + usage.ru_stime) * 1e9
    return [name, c.number(c.percent(own, FIRST_S), 2), "", "", c.megabytes(pss), "", ""]


def run():
    c.title("promise: the console at 200x60, % of the machine, PSS of all of its processes")
    rows = [home()] if "home" in PARTS else []
    if "plain" in PARTS:
        with Load(PLAIN):
            rows += flame("flame, no DWARF")
            rows += [perf("no DWARF")] if "perf" in PARTS else []
    if "dwarf" in PARTS:
        with Load(PLAIN[:2] + with_dwarf()):
            rows += flame("flame, DWARF", views="views" in PARTS)
            rows += [perf("DWARF")] if "perf" in PARTS else []
    rows.append(["OpenTelemetry profiler (earlier)", "", "", "2.0", "63 MB", "49 MB", "112 MB"])
    rows.append(["profile-bee (earlier)", "", "", "3.8", "84 MB", "157 MB", "241 MB"])
    c.table(["", "own CPU", "BPF", "together", "PSS", "kernel maps", "memory"], rows)
    c.say(f"  BPF: run time of its programs with the kernel's statistics on, an upper bound, in the {BPF_S} s that follow;")
    c.say("  the mapped part of kernel maps counts there only. perf has no names yet: that is perf report's work. What is called")
    c.say("  earlier was measured once on a machine of this kind, with six busy Debian programs.")
