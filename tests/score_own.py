#!/usr/bin/env python3
"""Scores `explain` on replies written for this repository by somebody who had not seen the catalog.

usage: score_own.py BINARY FILE.jsonl [-v]
A record is right when the first cause is its `cause` or one of its `also_accept`. Fails below 92 %."""
import collections
import json
import subprocess
import sys

BAR = 0.92
binary, path = sys.argv[1:3]
rows = [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]
right, sure, sure_right, dead = 0, 0, 0, 0
misses = collections.Counter()
by_host = collections.defaultdict(list)
for row in rows:
    by_host[row.get("host")].append(row)
for host, group in by_host.items():
    text = "\n".join(" ".join(row["reply"].split()) for row in group) + "\n"
    call = [binary, "explain", "--replies", "-", "--format", "jsonl"] + (["--host", host] if host else [])
    lines = subprocess.run(call, input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(group), (len(lines), len(group))
    for row, line in zip(group, lines):
        told = json.loads(line)
        first = told["causes"][0]
        good = first["cause"] == row["cause"] or first["cause"] in row.get("also_accept", [])
        right += good
        if first["confidence"] >= 0.9:
            sure += 1
            sure_right += good
        if not good:
            misses[row["cause"], first["cause"]] += 1
            if "-v" in sys.argv:
                print(f"MISS want {row['cause']}, got {first['cause']} ({first['confidence']:.2f} {first['rule']}): {row['reply'][:150]}")
print(f"own replies: right {100 * right / len(rows):.1f} % ({right}/{len(rows)}); when confidence >= 0.9 right "
      f"{100 * sure_right / max(sure, 1):.1f} % ({100 * sure / len(rows):.1f} % of all)")
for (want, got), count in misses.most_common(5):
    print(f"   {count:4} {want} -> {got}")
sys.exit(right / len(rows) < BAR)
