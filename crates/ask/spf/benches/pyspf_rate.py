"""Evaluations of pyspf per CPU-second, with a zone in memory. Reads zone and mails as JSON, prints one number."""
import json, sys, time
import spf

given = json.load(sys.stdin)
zone = {}
for name, strings in given["txt"]:
    zone.setdefault((name, "TXT"), []).append(tuple(s.encode() for s in strings))
for name, address in given["a"]:
    zone.setdefault((name, "A"), []).append(address)
for name, (preference, host) in given["mx"]:
    zone.setdefault((name, "MX"), []).append((preference, host))


def from_memory(name, qtype, tcpfallback=True, timeout=30):
    return [((name, qtype), value) for value in zone.get((name.lower(), qtype), [])]


spf.DNSLookup = from_memory


def evaluate(ip, sender):
    return spf.query(i=ip, s=sender, h="client.example", receiver="unknown").check()[0]


for ip, sender, want in given["mails"]:
    got = evaluate(ip, sender)
    if got != want:
        sys.exit(f"pyspf says {got} for {sender} from {ip}, not {want}")
done, start = 0, time.process_time()
while time.process_time() - start < given["seconds"]:
    for ip, sender, _ in given["mails"]:
        evaluate(ip, sender)
        done += 1
print(done / (time.process_time() - start))
