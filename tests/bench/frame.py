# SPDX-License-Identifier: GPL-2.0-or-later
"""3. Cost of a frame, time to the first one, and bytes sent."""
import os
import re
import subprocess
import time

import common as c
import terminal

PROCESSES, CONNECTIONS, TICKS = 10000, 50000, 20
STACKS, WINDOW_TICKS = 50000, 10    # which differ in what a flame graph shows first
FRAME_MS, START_MS = 16, 300
BYTES_A_SECOND = 20000
KEYS = 25


def recording(name, *what):
    path = f"{c.OUT}/{name}.otr"
    objects = [f"{folder}/{name}" for folder, _, names in os.walk(f"{c.BUILD}/obj/bpf") for name in names
               if name.endswith(".o") and os.path.exists(
                   os.path.join(c.ROOT, os.path.relpath(folder, f"{c.BUILD}/obj"), name[:-2] + ".c"))]
    if not objects:
        raise RuntimeError("no object files in build/obj to link the generator with")
    # an archive: the generator needs only a part
    archive = f"{c.OUT}/data.a"
    if os.path.exists(archive):
        os.unlink(archive)
    subprocess.run(["ar", "rcs", archive] + objects, check=True)
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", f"-I{c.BUILD}/gen", "-o",
                    f"{c.OUT}/make_recording", "tests/bench/make_recording.c", archive, "-lz", "-lpthread",
                    "-lm"], cwd=c.ROOT, check=True, capture_output=True)
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run([f"{c.OUT}/make_recording", path, *[str(w) for w in what], str(TICKS)], check=True)
    return path


def frames(t, keys):
    """CPU ms and bytes of the frame caused by each key."""
    cost, size = [], []
    for key in keys:
        before = t.run_ns()
        t.send(key)
        n = t.read(1, lambda s: True)
        while n and (more := t.read(0.03)):
            n += more
        cost.append((t.run_ns() - before) / 1e6)
        size.append(n)
    return cost, size


def frame_rows(path, view, more=()):
    t = terminal.Terminal([c.OTTOP, "--replay", path, "-v", view])
    t.read(3)
    t.send(b"p")  # paused: frames are only caused by keys
    t.quiet(0.4)
    rows = []
    t.send(b"{{g")
    t.quiet(0.4)
    steps = TICKS - 5
    for name, keys in (("cursor down", [b"j"] * KEYS), ("page down", [b"\x1b[6~"] * KEYS),
                       ("order reversed", [b"g"] + [b"I"] * KEYS), ("whole screen again", [b"\x0c"] * KEYS),
                       ("one tick on", [b"]"] * steps), ("one tick back", [b"["] * steps),
                       ("other sort column", [b">"] * 8)) + more:
        cost, size = frames(t, keys)
        rows.append([f"{view}: {name}", c.number(c.median(cost), 2), c.number(max(cost), 2),
                     c.number(c.median(size))])
    t.stop()
    return rows, [float(r[1]) for r in rows]


def flame_rows():
    """A flame graph of so many stacks. They make the tick expensive, not the frame."""
    path = f"{c.OUT}/flame.otr"
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run([f"{c.OUT}/make_recording", path, "stacks", str(int(STACKS / WINDOW_TICKS * 1.12)),
                    str(2 * WINDOW_TICKS)], check=True)
    t = terminal.Terminal([c.OTTOP, "--replay", path, "-v", "flame"])
    t.read(WINDOW_TICKS + 4)
    t.send(b"p")
    t.quiet(0.6)
    rows = []
    for name, keys in (("frame down", [b"j"] * KEYS), ("frame beside", [b"l", b"h"] * (KEYS // 2)),
                       ("zoom and back", [b"j\r", b"\x7f"] * (KEYS // 2)),
                       ("details", [b"i"] * KEYS), ("whole screen again", [b"\x0c"] * KEYS),
                       ("one tick on and back", [b"]", b"["] * 4), ("search", [b"/", b"9", b"\r", b"\x1b"] * 3),
                       ("leaves on top", [b"t"] * 9), ("without kernel", [b"K"] * 8)):
        cost, size = frames(t, keys)
        rows.append([f"flame: {name}", c.number(c.median(cost), 2), c.number(max(cost), 2),
                     c.number(c.median(size))])
    t.stop()
    return rows


def start_ms():
    """Until the table's title line is on the terminal, and until it has rows."""
    first, rows, cpu = [], [], []
    for _ in range(7):
        t = terminal.Terminal([c.OTTOP])
        t.read(5, lambda s: b"PID" in s)
        first.append((time.monotonic() - t.started) * 1e3)
        cpu.append(t.run_ns() / 1e6)
        t.read(5, lambda s: len(re.findall(rb"root", s)) >= 5)
        rows.append((time.monotonic() - t.started) * 1e3)
        t.stop()
    return first, rows, cpu


def live_bytes(view, seconds=10):
    t = terminal.Terminal([c.OTTOP, "-v", view])
    t.read(3)
    n = t.read(seconds)
    t.stop()
    return n / seconds


def load(on):
    if not c.have("stress-ng"):
        return None
    return subprocess.Popen(["stress-ng", "--quiet", "--pipe", "1", "--switch", "1", "--fork", "1",
                             "--get", "1", "-t", "120"], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, preexec_fn=os.setsid) if on else None


def run():
    c.title("3. The screen, 200x60")
    try:
        path = recording("bench", PROCESSES)
        rows, worst = [], []
        for view in ("processes", "syscalls"):
            r, w = frame_rows(path, view)
            rows += r
            worst += w
        size = c.megabytes(os.path.getsize(path))
        c.say(f"  {PROCESSES:,} processes in a recording of {size}, {TICKS} ticks;")
        c.say("  a frame: CPU time of ottop from key to silence (key, sort, drawing, ncurses, write)")
        c.table(["frame", "ms", "worst", "bytes"], rows)
        c.aim("slowest of the medians, ms", max(worst), FRAME_MS)
        path = recording("connections", "connections", CONNECTIONS)
        rows, worst = frame_rows(path, "connections", (("cursor down, in groups", [b"bb"] + [b"j"] * KEYS),))
        size = c.megabytes(os.path.getsize(path))
        c.say(f"  {CONNECTIONS:,} connections in a recording of {size}, {TICKS} ticks:")
        c.table(["frame", "ms", "worst", "bytes"], rows)
        c.aim("slowest of the medians, ms", max(worst), FRAME_MS)
        c.say()
        c.say(f"  a flame graph of about {STACKS:,} different stacks; what builds another tree (leaves on top,")
        c.say("  without kernel, a search) takes several frames: this is the time of them all")
        rows = flame_rows()
        c.table(["frame", "ms", "worst", "bytes"], rows)
        c.aim("a redraw of the same tree, slowest of the medians, ms", max(float(r[1]) for r in rows[:5]), FRAME_MS)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as e:
        why = (getattr(e, "stderr", None) or b"").decode(errors="replace").strip()[-200:]
        c.say(f"  missing: frames of a recording: {why or e}")
    try:
        first, there, cpu = start_ms()
        c.say()
        c.table(["start, live", "ms", "spread"],
                [["first frame", c.number(c.median(first)), "+-" + c.number(c.spread(first))],
                 ["first rows", c.number(c.median(there)), "+-" + c.number(c.spread(there))],
                 ["CPU time until the first frame", c.number(c.median(cpu)),
                  "+-" + c.number(c.spread(cpu))]])
        c.say(f"  (load {os.getloadavg()[0]:.1f} on {len(c.CPUS)} CPUs: above one each, wall time is mostly "
              "waiting)")
        c.aim("first frame, ms", c.median(first), START_MS)
        c.aim("first rows, ms", c.median(there), START_MS)
        c.say()
        stress = load(True)
        sent = {v: live_bytes(v) for v in ("processes", "syscalls", "heatmap", "flame", "offcpu")}
        c.table(["bytes a second to the terminal, " + ("stress-ng" if stress else "machine as it is"),
                 ""], [[v, c.number(n)] for v, n in sent.items()])
        c.aim("most bytes a second", max(sent.values()), BYTES_A_SECOND)
    except RuntimeError as e:
        c.say(f"  missing: the console: {e}")
        stress = None
    if stress:
        os.killpg(stress.pid, 15)
        stress.wait()
