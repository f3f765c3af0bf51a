#!/usr/bin/env python3
"""Scores `explain` on recorded and made logs: every refusal of expected.jsonl found, with recipient, sender, stage, host and cause.

usage: score_logs.py BINARY FOLDER [-v]      FOLDER holds one folder a format, each with logs and expected.jsonl
An expected refusal is found when an object names its recipient (and, of several, its outcome). Fails below 97 % of any figure.

Two things a log cannot say are not asked of it: OpenSMTPD writes no stage beside a reply, and of our own server a log names
only the short name of its machine (Exim not even that)."""
import collections
import json
import os
import subprocess
import sys

BAR = 0.97
binary, root = sys.argv[1:3]
verbose = "-v" in sys.argv
right, all_ = collections.Counter(), collections.Counter()
lower = lambda text: (text or "").lower()
for folder in sorted(os.listdir(root)):
    path = os.path.join(root, folder)
    expected = os.path.join(path, "expected.jsonl")
    if not os.path.exists(expected):
        continue
    logs = sorted(name for name in os.listdir(path) if name != "expected.jsonl" and os.path.isfile(os.path.join(path, name)) and not name.endswith((".md", ".mbox", ".eml")))
    told = []
    call = [binary, "explain", "--each", "--format", "jsonl", *[os.path.join(path, name) for name in logs]]
    for line in subprocess.run(call, capture_output=True, text=True).stdout.splitlines():
        one = json.loads(line)
        if "causes" in one:
            told.append(one)
    by_recipient = collections.defaultdict(list)
    for one in told:
        by_recipient[lower(one["recipient"])].append(one)
    mine, of = collections.Counter(), collections.Counter()
    for row in map(json.loads, open(expected, encoding="utf-8")):
        mine["all"] += 1
        of["all"] += 1
        objects = by_recipient.get(lower(row["recipient"]), [])
        by_us = row["outcome"] == "rejected-by-us"
        objects = [one for one in objects if (one["outcome"] == "rejected-by-us") == by_us] or objects
        of["found"] += 1
        mine["found"] += bool(objects)
        if not objects:
            if verbose:
                print(f"NOT FOUND {folder}: {row['recipient']} {row['reply']!r}")
            continue
        # Of several tries the one that says the expected words counts.
        words = lower(row["reply"] or "")[-30:]
        one = next((one for one in reversed(objects) if words and words in lower(" ".join(one["reply"]["lines"]))), objects[-1])
        for key, got in (("sender", one["sender"]), ("stage", one["stage"]), ("refused_by_host", (one["roles"]["refused_by"] or {}).get("host")),
                         ("refused_by_ip", (one["roles"]["refused_by"] or {}).get("ip"))):
            unsaid = (key == "stage" and folder == "opensmtpd") or (key == "refused_by_host" and by_us)
            if row.get(key) and not unsaid:
                of[key] += 1
                good = lower(got).rstrip(".") == lower(row[key]).rstrip(".")
                mine[key] += good
                if not good and verbose:
                    print(f"{key} {folder}: want {row[key]}, got {got}: {row['recipient']}")
        if row.get("cause"):
            of["cause"] += 1
            first = (one["causes"] or [{}])[0].get("cause")
            good = first == row["cause"] or first in (row.get("also_accept") or [])
            mine["cause"] += good
            if not good and verbose:
                print(f"CAUSE {folder}: want {row['cause']}, got {first} ({(one['causes'] or [{}])[0].get('rule')}): {row['reply']!r}")
    right.update(mine)
    all_.update(of)
    if verbose or mine != of:
        print(f"{folder:24} " + ", ".join(f"{key} {mine[key]}/{of[key]}" for key in of if key != "all"))
print("logs: " + "; ".join(f"{key} {100 * right[key] / all_[key]:.1f} % ({right[key]}/{all_[key]})" for key in all_ if key != "all"))
sys.exit(any(right[key] / all_[key] < BAR for key in all_))
