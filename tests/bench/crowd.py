# SPDX-License-Identifier: GPL-2.0-or-later
"""7. More connections than ottop keeps: what the screen says, the cost, and what remains
afterwards."""
import os
import re
import sys
import time

import common as c
import connections

sys.path.insert(0, os.path.join(c.ROOT, "tests", "terminal"))

STAGES = (0, 60000, 80000, 144000)  # sockets: the rows kept are 60,000, the entries 65,536, the table 131,072
SECONDS = 10


def ran_ns(pid):
    """CPU time of all its threads: console and sampler."""
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        total += int(c.proc_file(pid, f"task/{tid}/schedstat").split()[0])
    return total


def rss_of(pid):
    return sum(c.rss_bytes(p) for p in c.family(pid))


def found(pane, pattern):
    m = re.search(pattern, pane.text())
    return " ".join(m.group(0).split()) if m else "?"


def answer_ms(pane):
    """From a key to its effect, with all rows to be grouped."""
    begin = time.monotonic()
    pane.keys("b")
    ok = pane.wait(r"by (process|remote|port)", 20)
    took = (time.monotonic() - begin) * 1e3
    for _ in range(4):
        if pane.wait(r"by none", 1):
            break
        pane.keys("b")
    return took if ok else float("nan")


def watch(pane, pid, label):
    """A row of the table, after SECONDS without changes."""
    at, ran = time.monotonic(), ran_ns(pid)
    time.sleep(SECONDS)
    cpu = (ran_ns(pid) - ran) / (time.monotonic() - at)
    return [label, found(pane, r"[\d,]+ connections"), c.number(cpu / 1e6, 1),
            c.megabytes(rss_of(pid)), found(pane, r"maps [\d.]+\w"), found(pane, r"tick \S+"),
            found(pane, r"lost \S+"), c.number(answer_ms(pane), 0),
            found(pane, r"\d+ of \d+ connections kept")]


def losses(pane):
    """Losses on the health page."""
    pane.keys("!")
    time.sleep(2)
    lines = [s.rstrip() for s in pane.screen() if re.search(r"connection|table full|kept", s)]
    pane.keys("Escape")
    return lines


def run():
    c.title("7. More connections than are kept")
    if not c.have("tmux"):
        c.say("  missing: tmux")
        return
    os.environ["OTTOP"] = c.OTTOP  # what Pane looks for
    from lib import Pane
    pane = Pane(160, 40, argv=[c.OTTOP, "-v", "connections"])
    pane.wait(r"\d connections")
    pid, rows, holders, have = pane.ottop(), [], [], 0
    rows.append(watch(pane, pid, "before"))
    for n in STAGES[1:]:
        new = connections.hold(n - have, len(holders))
        holders += new
        have = n
        time.sleep(15)  # a pass over so many takes several ticks
        rows.append(watch(pane, pid, f"{n:,} sockets"))
    full = losses(pane)
    begin = time.monotonic()
    for h in holders:
        h.stdin.close()
        h.wait()
    pane.wait(lambda s: (m := re.search(r"([\d,]+)(?: of [\d,]+)? connections", s)) and
              int(m.group(1).replace(",", "")) < 1000, 60)
    took = time.monotonic() - begin
    rows.append(watch(pane, pid, "at once after"))
    time.sleep(20)  # grey rows disappear, then their memory
    rows.append(watch(pane, pid, "later"))
    after = losses(pane)
    c.table(["", "screen", "CPU ms/s", "RSS", "", "", "", "key ms", "told"],
            rows)
    c.say(f"  closed, and gone from the screen after {took:.1f} s")
    for what, lines in (("full", full), ("after", after)):
        for line in lines:
            c.say(f"  {what}: {line}")
    pane.keys("q")
    pane.close()
