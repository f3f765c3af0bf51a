#!/usr/bin/env python3
"""Writes the hand-made samples of log and event formats, or checks that the ones in the tree are these.

    tests/peers/samples.py [--check] [--out testdata/logs]

One folder a format: the sample and expected.jsonl. The facts of the formats come from their public documentation; no text is
copied. Ends with code 1 when a check fails: an expected reply that the sample does not hold, an address outside the reserved
names, or, with --check, a file that differs.
"""
import argparse
import ipaddress
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True   # no caches in the tree

import sample_events as events
import sample_logs as logs
import sample_story as story
import sample_tables as tables

# Folder -> its function, and whether the service keeps a suppression list. The order decides which texts each gets.
FORMATS = [
    ("sendmail", logs.sendmail, {}), ("qmail", logs.qmail, {}), ("exchange-tracking", tables.exchange_tracking, {}),
    ("exchange-smtp-send", tables.exchange_send, {}), ("exchange-smtp-receive", tables.exchange_receive, {}),
    ("m365-trace-summary", tables.m365_summary, {}), ("m365-trace-extended", tables.m365_extended, {}), ("google-workspace", tables.workspace, {}),
    ("haraka", logs.haraka, {"rcpt_only": True}), ("zonemta-json", logs.zonemta_json, {}), ("zonemta-text", logs.zonemta_text, {}), ("kumomta", logs.kumomta, {}),
    ("powermta", tables.powermta, {}), ("journald-text", logs.journal_text, {}), ("journald-json", logs.journal_json, {}),
    ("ses", events.ses, {"suppressed": True}), ("sendgrid", events.sendgrid, {"suppressed": True}), ("mailgun", events.mailgun, {"suppressed": True}),
    ("postmark", events.postmark, {"suppressed": True}), ("sparkpost", events.sparkpost, {"suppressed": True}), ("brevo", events.brevo, {"suppressed": True}),
]
RESERVED = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "127.0.0.0/8")]
# What a format does to a reply before it stands in the file.
UNDO = (lambda t: t, lambda t: t.replace(" ", "_").replace("\n", "/"), lambda t: t.replace('"', '""'), lambda t: json.dumps(t)[1:-1], lambda t: json.dumps(json.dumps(t)[1:-1])[1:-1],
        lambda t: re.sub(r"^\d{3} (\d\.\d+\.\d+ )?", "", t), lambda t: json.dumps(re.sub(r"^\d{3} (\d\.\d+\.\d+ )?", "", t))[1:-1], lambda t: str(list(t.encode()))[1:-1])


def faults(name, text, rows):
    """What is wrong with a sample."""
    for row in rows:
        if row["reply"] and not any(undo(row["reply"]) in text for undo in UNDO):
            yield f"{name}: the reply {row['reply']!r} is not in the sample"
        if row["recipient"] and row["recipient"] not in text and not str(list(row["recipient"].encode()))[1:-1] in text:
            yield f"{name}: the recipient {row['recipient']} is not in the sample"
    text = re.sub(r"(?m)^#Version.*$", "", text)     # a version looks like an address
    for found in set(re.findall(r"(?<![\d.])(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\d.])", text)):
        if not any(ipaddress.ip_address(found) in net for net in RESERVED):
            yield f"{name}: {found} is no address for documentation"
    for domain in set(re.findall(r"@([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)", text)):
        if not re.search(r"(^|\.)(example|example\.(com|net|org))$", domain.rstrip(".")):
            yield f"{name}: {domain} is no name for documentation"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default=str(pathlib.Path(__file__).resolve().parents[2] / "testdata" / "logs"))
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    wrong = []
    for turn, (name, write, told) in enumerate(FORMATS):
        file, text, rows = write(story.tell(turn, **told))
        wrong += faults(name, text, rows)
        folder = pathlib.Path(options.out) / name
        files = {file: text, "expected.jsonl": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)}
        for file_name, content in files.items():
            path = folder / file_name
            if options.check:
                if not path.exists() or path.read_bytes() != content.encode():
                    wrong.append(f"{path}: differs from what samples.py writes")
            else:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode())
        outcomes = {o: sum(r["outcome"] == o for r in rows) for o in ("bounced", "deferred", "delivered-after-deferral", "rejected-by-us")}
        print(f"{name}: {len(rows)} refusals, " + ", ".join(f"{n} {o}" for o, n in outcomes.items() if n))
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
