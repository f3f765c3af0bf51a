#!/usr/bin/env python3
"""redeliver check beside checkdmarc, in one run on one machine, over the DNS world of ../shared/dnsworld.

usage: tests/dnsworld.sh tests/bench_check.py BINARY [--peer COMMAND] [--rounds N]
The peer (pip install checkdmarc) is run over the same domains through the same resolver, as a user would: all domains in one
call. A seeded defect counts as found by the peer when what it says of that domain differs from what it says of the good one in
a way that names it: an error, a warning, or a field that is false (valid, dnssec); the words are not compared, so this is
generous. Of redeliver a defect is found when a finding bears its very id with result fail or warn. Needs Python 3 alone.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, time

arguments = argparse.ArgumentParser()
arguments.add_argument("binary")
arguments.add_argument("--peer", default=shutil.which("checkdmarc"))
arguments.add_argument("--rounds", type=int, default=3)
o = arguments.parse_args()
HERE = os.path.dirname(os.path.abspath(__file__))
WORLD = os.path.join(os.environ.get("REDELIVER_SHARED", os.path.join(HERE, "..", "..", "shared")), "dnsworld")
RESOLVER = "127.53.0.1"
ROWS = json.load(open(os.path.join(WORLD, "defects.json")))
DEFECTS = [row for row in ROWS if row["expect"] != "clean"]
DOMAINS = [row["domain"] for row in ROWS]
QUICK = [domain for domain in DOMAINS if domain not in ("lame.test", "bogus.test")]
GUARD = ["--resolver", RESOLVER, "--net-allow", "127.0.0.0/8", "--assume-public", "127.192.0.0/10", "--format", "jsonl"]


def timed(command):
    start = time.time()
    ran = subprocess.run(command, capture_output=True, text=True)
    return ran.stdout, time.time() - start


def ours(domains):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(domains))
        file.flush()
        out, took = timed([o.binary, "check", "--targets", file.name, "--selector", "s1", *GUARD])
    return [json.loads(line) for line in out.splitlines()], took


def ours_with_ip():
    """Each domain with the IP that sends for it, as the score does: one call a domain."""
    found, start = [], time.time()
    for row in ROWS:
        ip = ["--ip", row["ip"]] if row["ip"] else []
        out, _ = timed([o.binary, "check", row["domain"], "--selector", "s1", *ip, *GUARD])
        found += [json.loads(line) for line in out.splitlines()]
    return found, time.time() - start


def theirs(domains):
    out, took = timed([o.peer, *domains, "-n", RESOLVER])
    read = json.loads(out or "[]")
    return {one["domain"]: one for one in (read if isinstance(read, list) else [read])}, took


def complaints(value, path=()):
    """Everything in the peer's answer that is an error, a warning or a no, with the place where it stands."""
    found = set()
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("error", "errors", "warnings") and inner:
                found |= {(path, str(one)) for one in (inner if isinstance(inner, list) else [inner])}
            elif key == "valid" and inner is False:
                found.add((path, "not valid"))
            else:
                found |= complaints(inner, path + (key,))
    elif isinstance(value, list):
        for inner in value:
            found |= complaints(inner, path)
    return found


def section(ident):
    for start, name in (("spf", "spf"), ("dmarc", "dmarc"), ("wildcard", "dmarc"), ("mx-", "mx"), ("mta-sts", "mta_sts"),
                        ("tlsrpt", "smtp_tls_reporting"), ("bimi", "bimi"), ("dane", "mx"), ("dnssec", ""), ("dns-", ""), ("domain-nx", "")):
        if ident.startswith(start):
            return name
    return None  # the peer has no such check: DKIM keys, reverse DNS, blocklists


def peer_score(read):
    good = {text for _, text in complaints(read.get("good.test", {}))}
    found, missed = 0, []
    for row in DEFECTS:
        where = section(row["id"])
        said = complaints(read.get(row["domain"], {}))
        new = [(path, text) for path, text in said if text not in good and where is not None and (not where or where in path)]
        found += bool(new)
        if not new:
            missed.append(row["id"])
    return found, missed


def our_score(found):
    bad = {(one["target"], one["id"]) for one in found if one.get("result") in ("fail", "warn")}
    return sum((row["domain"], row["id"]) in bad for row in DEFECTS)




def cold(run):
    """All domains with the lame one, after the world's resolver has forgotten that its server is silent (5 s)."""
    time.sleep(6)
    return run(DOMAINS)


best = min(ours(QUICK)[1] for _ in range(o.rounds))
_, whole = cold(ours)
found, one_by_one = ours_with_ip()
print("| | redeliver check | checkdmarc |\n|---|---|---|")
peer = {"quick": "-", "whole": "-", "score": "-"}
missed = []
if o.peer:
    peer["quick"] = f"{min(theirs(QUICK)[1] for _ in range(o.rounds)):.1f} s"
    read, took = cold(theirs)
    peer["whole"] = f"{took:.1f} s"
    count, missed = peer_score(read)
    peer["score"] = f"{count} of {len(DEFECTS)}"
else:
    print("SKIPPED: checkdmarc is not there, so NOTHING was measured beside it", file=sys.stderr)
print(f"| {len(QUICK)} domains in one run (without the lame and the bogus one) | {best:.2f} s | {peer['quick']} |")
print(f"| all {len(DOMAINS)} domains in one run | {whole:.2f} s | {peer['whole']} |")
print(f"| seeded defects found | {our_score(found)} of {len(DEFECTS)} | {peer['score']} |")
print(f"| the same, one call a domain with its sending IP | {one_by_one:.2f} s | |")
if missed:
    print(f"\ncheckdmarc says nothing of: {', '.join(missed)}", file=sys.stderr)
