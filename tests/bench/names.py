# SPDX-License-Identifier: GPL-2.0-or-later
"""Function names: time to index the symbols of a file, memory of the index, names a second."""
import glob
import os
import shutil
import subprocess

import common as c

PROGRAM = c.OUT + "/names"
PARTS = ("cfi", "cfi_order", "ehframe", "unwind_table", "elf", "symtab", "source", "names", "minidebug", "pclntab", "gotext", "landing", "debugfile", "perfmap")


def compile_it():
    objects = [f"{c.BUILD}/obj/symbolizer/{p}.o" for p in PARTS] + [f"{c.BUILD}/obj/bpf/model/{p}.o" for p in ("file", "log")]
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", "-o", PROGRAM, "tests/bench/names.c",
                    *objects, "-lelf", "-lz", "-llzma", "-liberty"], cwd=c.ROOT, check=True)


def debug_file(path):
    out = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=False).stdout
    number = out.partition("Build ID: ")[2].split("\n")[0].strip()
    found = f"/usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug"
    return found if number and os.access(found, os.R_OK) else None


def files():
    for path in glob.glob("/lib/*-linux-gnu/libc.so.6"):
        yield "libc, exported only", path, None
        debug = debug_file(path)
        if debug:
            yield "libc, debug file", path, debug
    for path in glob.glob("/usr/lib/*-linux-gnu/libLLVM-14.so.1"):
        yield "libLLVM-14", path, None
    if shutil.which("node"):
        yield "node", os.path.realpath(shutil.which("node")), None
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if os.access(go, os.X_OK):
        stripped = c.OUT + "/go-stripped"
        subprocess.run(["strip", "-o", stripped, go], check=True)
        yield "go, stripped", stripped, None


def perf_map():
    path = c.OUT + "/perf.map"
    with open(path, "w") as f:
        f.writelines(f"{0x7f0000000000 + i * 64:x} 40 JS:*function{i} /srv/app/file{i % 97}.js:{i}\n" for i in range(1000000))
    return path


def run():
    c.title("names: CPU time to index a file, memory of the index, names found and demangled a second")
    compile_it()
    c.say(f"  {'':22} {'functions':>10} {'index ms':>9} {'KiB':>8} {'bytes each':>10} {'names/s':>11} {'found %':>8}")
    rows = [(n, [p] + ([d] if d else [])) for n, p, d in files()] + [("perf map, 1 M lines", ["-m", perf_map()])]
    for name, args in rows:
        runs = []
        for _ in range(5):
            p = subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=False)
            if p.returncode:
                c.say(f"  missing: {name}: {p.stderr.strip()}")
                break
            runs.append([float(v) for v in p.stdout.split()])
        else:
            ms, n, kib, speed, found = (c.median(list(v)) for v in zip(*runs))
            c.say(f"  {name:22} {c.number(n):>10} {ms:9.2f} {c.number(kib):>8} {kib * 1024 / max(n, 1):10.1f} "
                  f"{c.number(speed):>11} {found:8.0f}")
    c.say("  Go's table is read as it is, without an index. Before names stayed in the files, a function cost")
    c.say("  16 bytes and its name. Found: of addresses spread evenly over the code.")
