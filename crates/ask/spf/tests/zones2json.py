"""Turns a folder of zone files into the shape that the suite has: {name: [{type: value}, ...]}. Prints JSON."""
import json, pathlib, sys
import dns.zone

world = {}
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.zone")):
    origin = file.name[: -len(".zone")]
    origin = "." if origin == "root" else origin
    zone = dns.zone.from_file(str(file), origin=origin, relativize=False, check_origin=False)
    for name, ttl, rdata in zone.iterate_rdatas():
        kind = dns.rdatatype.to_text(rdata.rdtype)
        if kind == "TYPE99":
            kind = "SPF"
        entries = world.setdefault(name.to_text(omit_final_dot=True) or ".", [])
        if kind in ("A", "AAAA"):
            entries.append({kind: rdata.address})
        elif kind == "MX":
            entries.append({kind: [rdata.preference, rdata.exchange.to_text(omit_final_dot=True).strip(".")]})
        elif kind in ("PTR", "CNAME"):
            entries.append({kind: rdata.target.to_text()})
        elif kind in ("TXT", "SPF"):
            entries.append({kind: [string.decode("latin-1") for string in rdata.strings]})
for entries in world.values():
    entries.append({"TXT": "NONE"})
world.pop(".", None)
json.dump(world, sys.stdout)
