# SPDX-License-Identifier: GPL-2.0-or-later
"""4. Cost of all of ottop, idle and under load, beside htop and top."""
import json
import os
import subprocess
import time

import common as c
import terminal

SECONDS = 12


def bpf_of_self(line):
    """ottop's own measure, % of the machine (statistics on for 100 ms every 10 s)."""
    return json.loads(line)["tables"]["self"]["rows"][0]["bpf_cpu_pct"]


def cost_of(argv, view=None):
    """CPU % of the machine of a program on a 200x60 terminal, and bytes a second."""
    t = terminal.Terminal(argv)
    t.read(3)
    before = t.run_ns()
    sent = t.read(SECONDS)
    cpu = (t.run_ns() - before) / SECONDS / 1e9 / len(c.CPUS) * 100
    rss = int(c.proc_file(t.pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    t.stop()
    return cpu, sent / SECONDS, rss


def bpf_pct(view):
    """Cost of BPF programs at that view, by the table self of a headless ottop."""
    o = c.ottop("ottop", "--json", "-v", f"{view},self")
    o.start(set(c.CPUS))
    time.sleep(13)
    lines = [line for line in o.stop().splitlines() if line.startswith("{")]
    return bpf_of_self(lines[-1])


def one_load(name):
    rows = []
    for what, argv, view in (("ottop, home", [c.OTTOP], "processes"),
                             ("ottop, syscalls", [c.OTTOP, "-v", "syscalls"], "syscalls"),
                             ("ottop, heatmap", [c.OTTOP, "-v", "heatmap"], None),
                             ("htop -d 10", ["htop", "-d", "10"], None),
                             ("top -d 1", ["top", "-d", "1"], None)):
        if argv[0] != c.OTTOP and not c.have(argv[0]):
            rows.append([f"{name}: {what}", "missing", "", "", "", ""])
            continue
        try:
            cpu, sent, rss = cost_of(argv)
            bpf = bpf_pct(view) if view else None
        except RuntimeError as e:
            c.say(f"  missing: {what}: {e}")
            continue
        rows.append([f"{name}: {what}", c.number(cpu, 2), c.number(bpf, 2),
                     c.number(cpu + bpf if bpf is not None else cpu, 2), c.number(sent),
                     c.megabytes(rss)])
    return rows


def run():
    c.title("4. The whole cost, % of the machine (100 = all CPUs)")
    n = sum(p.isdigit() for p in os.listdir("/proc"))
    c.say(f"  {SECONDS} s each at 200x60, {n:,} processes, load {os.getloadavg()[0]:.2f}")
    c.say("  BPF time is ottop's own measure (statistics on for 100 ms every 10 s, which adds two clock")
    c.say("  reads a run: an upper bound)")
    rows = one_load("as it is")
    if c.have("stress-ng"):
        stress = subprocess.Popen(["stress-ng", "--quiet", "--pipe", "1", "--futex", "1", "--fork", "1",
                                   "--get", "1", "-t", "300"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, preexec_fn=os.setsid)
        rows += one_load("stress-ng")
        os.killpg(stress.pid, 15)
        stress.wait()
    else:
        c.say("  missing: stress-ng is not installed: no figures under load")
    c.table(["", "own CPU", "BPF", "together", "bytes/s", "RSS"], rows)
    c.say()
    c.say("  instructions of the programs (make insns):")
    insns = subprocess.run(["make", "--no-print-directory", "-s", "insns"], cwd=c.ROOT,
                           capture_output=True, text=True)
    c.say(insns.stdout.rstrip() or f"  missing: {insns.stderr.strip()[-200:]}")
