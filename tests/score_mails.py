#!/usr/bin/env python3
"""Scores `explain` on bounce mails written for this repository by somebody who had seen neither catalog nor code.

usage: score_mails.py BINARY FOLDER [-v]      FOLDER holds *.eml and labels.jsonl
A record is right when the first cause is its `cause` or one of its `also_accept`. Fails below 95 % of causes, 98 % of kinds,
98 % of mails with exactly their recipients, or if an address is called dead for a refusal that is about us."""
import collections
import json
import os
import subprocess
import sys

BARS = {"causes": 0.95, "kinds": 0.98, "recipients": 0.98}
ABOUT_ADDRESS = {"recipient-unknown", "recipient-inactive", "recipient-moved", "mailbox-full", "domain-not-found", "expired", "unknown",
                 "recipient-restricted", "recipient-rate-limit", "unreachable", "suppressed"}
binary, folder = sys.argv[1:3]
rows = [json.loads(line) for line in open(os.path.join(folder, "labels.jsonl"), encoding="utf-8")]
told = collections.defaultdict(list)


def explain(files, ours):
    call = [binary, "explain", "--format", "jsonl", *(["--ours", ",".join(ours)] if ours else []), *files]
    for line in subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines():
        one = json.loads(line)
        told[os.path.basename(one["source"])].append(one)


explain([os.path.join(folder, row["file"]) for row in rows if not row.get("ours")], [])
for row in rows:
    if row.get("ours"):
        explain([os.path.join(folder, row["file"])], row["ours"])
right, all_, dead = collections.Counter(), collections.Counter(), 0
for row in rows:
    objects = told[row["file"]]
    all_["kinds"] += 1
    right["kinds"] += bool(objects) and objects[0]["kind"] == row["kind"]
    lower = lambda text: (text or "").lower()
    if row["kind"] in ("refusal", "delayed") and row["recipients"]:
        all_["recipients"] += 1
        right["recipients"] += {lower(one) for one in row["recipients"]} == {lower(one["recipient"]) for one in objects} - {""}
    for record in row["records"]:
        if not record["cause"]:
            continue
        one = next((one for one in objects if lower(one["recipient"]) == lower(record["recipient"])), objects[0] if len(objects) == 1 else None)
        first = ((one or {}).get("causes") or [{}])[0].get("cause")
        good = first == record["cause"] or first in record.get("also_accept", [])
        all_["causes"] += 1
        right["causes"] += good
        dead += (one or {}).get("address_is_bad") == "yes" and record["cause"] not in ABOUT_ADDRESS
        if not good and "-v" in sys.argv:
            print(f"MISS {row['file']}: want {record['cause']}, got {first}")
print("own mails: " + "; ".join(f"{what} right {100 * right[what] / all_[what]:.1f} % ({right[what]}/{all_[what]})" for what in BARS)
      + f"; addresses wrongly called dead {dead}")
sys.exit(bool(dead) or any(right[what] / all_[what] < bar for what, bar in BARS.items()))
