# SPDX-License-Identifier: GPL-2.0-or-later
"""Source lines and inlined functions: time and memory beside addr2line, for files with DWARF."""
import os
import shutil
import subprocess
import time

import common as c

N = 20000
PROGRAM = c.OUT + "/lines"
RUST = "fn main() { let mut v: Vec<u64> = (0..1000u64).map(|x| x * 7 % 13).collect(); v.sort(); println!(\"{:?}\", v); }\n"
GO = ("package main\nimport (\"fmt\"; \"net/http\")\n"
      "func main() { fmt.Println(http.ListenAndServe(\"127.0.0.1:1\", nil)) }\n")


def compile_it():
    objects = [f"{c.BUILD}/obj/{o}.o" for o in (
        "symbolizer/dwarf", "symbolizer/dwarf_object", "symbolizer/dwarf_die", "symbolizer/dwarf_lines",
        "symbolizer/dwarf_functions", "symbolizer/elf", "symbolizer/source", "bpf/model/file", "bpf/model/log")]
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-I.", "-o", PROGRAM,
                    "tests/bench/lines.c", *objects, "-ldwarf", "-lelf", "-lz"], cwd=c.ROOT, check=True)


def write(name, text):
    with open(f"{c.OUT}/{name}", "w") as f:
        f.write(text)
    return f"{c.OUT}/{name}"


def files():
    yield "ottop (C)", c.OTTOP
    if shutil.which("rustc"):
        subprocess.run(["rustc", "-O", "-g", "-o", c.OUT + "/rust", write("a.rs", RUST)], check=True)
        yield "Rust hello", c.OUT + "/rust"
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if os.access(go, os.X_OK):
        subprocess.run([go, "build", "-o", c.OUT + "/gohttp", write("a.go", GO)], check=True,
                       env=dict(os.environ, GO111MODULE="off"))
        yield "Go net/http", c.OUT + "/gohttp"
    for path in os.environ.get("OTTOP_BENCH_DWARF", "").split(":"):
        if path:
            yield os.path.basename(path), path


def addr2line(tool, path):
    """(seconds, peak RSS in kB) for the same addresses, or None."""
    if not c.have(tool):
        return None
    addrs = subprocess.run([PROGRAM, "-l", path, str(N)], stdout=subprocess.PIPE, check=True).stdout
    with open(c.OUT + "/addrs", "wb") as f:
        f.write(addrs)
    begin = time.monotonic()
    with open(c.OUT + "/addrs") as f, open(os.devnull, "w") as null:
        p = subprocess.Popen([tool, "-afi", "-e", path], stdin=f, stdout=null)
        _, _, usage = os.wait4(p.pid, 0)
        p.returncode = 0
    return time.monotonic() - begin, usage.ru_maxrss


def row(name, path):
    out = subprocess.run([PROGRAM, path, str(N)], stdout=subprocess.PIPE, check=True).stdout.split()
    index, first, rate, found, frames, kb = (float(x) for x in out)
    peers = []
    for tool in ("addr2line", "llvm-addr2line"):
        got = addr2line(tool, path)
        peers.append(f"{N / got[0]:,.0f}/s {got[1] / 1024:.0f} MB" if got else "missing")
    return [name, f"{os.path.getsize(path) / 1e6:.1f}", f"{index:.1f}", f"{first:.1f}", f"{rate:,.0f}",
            f"{100 * found / N:.0f}", f"{frames / max(found, 1):.2f}", f"{kb / 1024:.1f}", *peers]


def run():
    c.title(f"lines: {N} random addresses of .text; peers: the whole run, their start included")
    compile_it()
    c.table(["file", "MB", "units ms", "256 done ms", "addresses/s", "known %", "frames each", "RSS MB",
             "addr2line", "llvm-addr2line"], [row(*f) for f in files()])
