#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""coverage.py DIR: sums gcov's line counts of DIR/obj and DIR/unit per source file."""
import collections
import json
import os
import subprocess
import sys

SKIP = ("tui/term/term.c", "tui/term/termio.c")	# the ncurses door
root = os.getcwd()
lines = collections.defaultdict(dict)
data = []
for folder, _, names in os.walk(sys.argv[1]):
	data += [os.path.join(folder, n) for n in names if n.endswith(".gcda")]
for start in range(0, len(data), 40):
	out = subprocess.run(["gcov", "--json-format", "--stdout"] + data[start:start + 40],
			     capture_output=True, check=False).stdout
	for doc in out.splitlines():
		if not doc.startswith(b"{"):
			continue
		for f in json.loads(doc)["files"]:
			name = os.path.relpath(os.path.join(root, f["file"]), root)
			if name.startswith(("..", "build", "/", "tests")) or name in SKIP:
				continue
			for l in f["lines"]:
				n = lines[name].get(l["line_number"], 0)
				lines[name][l["line_number"]] = n + l["count"]
total = hit = 0
for name in sorted(lines):
	n = len(lines[name])
	h = sum(1 for c in lines[name].values() if c)
	total += n
	hit += h
	print(f"{100 * h / n:6.1f} %  {h:5}/{n:<5} {name}")
print(f"{100 * hit / max(total, 1):6.1f} %  {hit:5}/{total:<5} all")
