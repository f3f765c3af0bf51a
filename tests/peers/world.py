"""The made-up world that a plan describes: who lives at which domain, host and loopback address, and what is asked of whom.

Loads a plan (plan.json, or one built from a file of bare replies), gives every case a recipient, a domain, a host and an
address of 127.44.0.0/16, and gives the name server its records. Never opens a socket. A plan that contradicts itself
raises PlanError, naming the case.
"""
import json
from dataclasses import dataclass, field

OUR_HOST = "mail.example.org"
OUR_DOMAIN = "example.org"
NAME_SERVER = "127.44.0.53"
STAGES = ("connect", "helo", "tls", "auth", "mail", "rcpt", "data", "body", "accept")
PER_SITE = ("connect", "helo", "tls", "auth", "mail")
FIRST_NAMES = (
    "anna ben cleo dora emil finn greta hugo ida jonas klara lars mira nils olga paul quinn rosa sven tilda uwe vera willem "
    "xenia yann zoe arne bella carl dina edgar frida georg hanna igor jana karin leo marta noah oskar petra ralf sara tom "
    "ulla viktor wanda alma boris celia david elsa fritz gina henri irma jakob kira lena max nora otto pia rolf silke theo"
).split()


class PlanError(Exception):
    """The plan contradicts itself."""


@dataclass
class Case:
    """One thing that happens to some recipients."""
    id: str
    stage: str | None          # of STAGES; None for what our own server decides without a reply
    reply: list                # lines as on the wire, placeholders {sender}, {recipient} not yet filled
    cause: str | None
    also: list
    times: int | None          # refuse so often, then accept; None: always
    then: str | None           # "drop" or "hang" instead of a reply
    offer: bool                # whether STARTTLS is offered at all (stage tls)
    local: str | None          # which local event, see record.py
    sender: str
    recipients: list
    domain: str
    message: str               # cases of one message go out as one mail
    short_life: bool           # let it expire in the queue


@dataclass
class World:
    """Everything that the refuser, the name server and the recorder need to agree upon."""
    cases: list
    address_of: dict           # domain -> ip of its MX
    client: dict
    names: dict = field(default_factory=dict)   # (name, type) -> list of values, for the name server
    servfail: set = field(default_factory=set)

    def host_at(self, ip):
        """The MX host name of an address, or None."""
        return next((f"mx1.{d}" for d, a in self.address_of.items() if a == ip), None)

    def cases_at(self, ip):
        """The cases whose domain lives at this address."""
        return [c for c in self.cases if self.address_of.get(c.domain) == ip and c.local is None]


def load(path):
    """Reads a plan file and gives every case its place."""
    with open(path, encoding="utf-8") as f:
        plan = json.load(f)
    sites = dict(plan.get("sites", {}))
    names = iter(_recipient_names())
    cases, ids = [], set()
    for number, raw in enumerate(plan["cases"], 1):
        ident = raw["id"]
        if ident in ids:
            raise PlanError(f"two cases are called {ident}")
        ids.add(ident)
        stage, local = raw.get("stage"), raw.get("local")
        if (stage is None) == (local is None) or (stage and stage not in STAGES):
            raise PlanError(f"{ident}: one of a known stage and a local event is needed")
        if stage in PER_SITE and "site" in raw and any(c.domain == raw["site"] for c in cases):
            raise PlanError(f"{ident}: stage {stage} needs a site of its own")
        # Names of domains and recipients say nothing about the cause, so that no reader can learn it from them.
        domain = raw.get("site") or f"s{number:02}.example"
        if domain not in sites:
            sites[domain] = f"127.44.{1 + number // 200}.{number % 200 + 1}"
        recipients = raw.get("to") or [f"{next(names)}@{OUR_DOMAIN if local == 'unknown-local-user' else domain}"]
        cases.append(Case(
            id=ident, stage=stage, reply=raw.get("reply", []), cause=raw.get("cause"), also=raw.get("also", []),
            times=raw.get("times"), then=raw.get("then"), offer=raw.get("offer", True), local=local,
            sender=raw.get("from", plan["sender"]), recipients=recipients, domain=domain,
            message=raw.get("message", ident), short_life=raw.get("lifetime") == "short"))
    world = World(cases, sites, plan["client"])
    _zone(world)
    return world


def plan_of_replies(path, limit=None):
    """A plan from a file of bare replies, a JSON object a line with `reply` and `cause`: each is refused at RCPT or after
    DATA, in turn. Replies whose code is no SMTP refusal are left out and counted."""
    cases, left_out = [], 0
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f if line.strip()]
    for number, row in enumerate(rows[:limit], 1):
        text = " ".join(row["reply"].split())
        if not (text[:3].isdigit() and text[0] in "45" and text[3:4] in (" ", "-") and len(text) <= 500 and text.isascii()):
            left_out += 1
            continue
        cases.append({"id": f"outside-{number:03}", "site": f"corpus{number % 8}.example",
                      "stage": "rcpt" if number % 2 else "body", "reply": [f"{text[:3]} {text[4:].strip()}"], "cause": row.get("cause"),
                      "also": row.get("also_accept", [])})
    sites = {f"corpus{n}.example": f"127.44.9.{n + 1}" for n in range(8)}
    return {"sender": "news@example.org", "client": {"ip": "192.0.2.25", "helo": OUR_HOST}, "sites": sites, "cases": cases}, left_out


def _recipient_names():
    yield from FIRST_NAMES
    # More cases than names: numbered families, still without meaning.
    for n in range(1, 1000):
        for name in FIRST_NAMES:
            yield f"{name}{n}"


def _zone(world):
    """Fills the records of the name server. Local events get theirs: names without address, answers that fail, and so on."""
    add = lambda name, kind, value: world.names.setdefault((name, kind), []).append(value)
    for name in ("localhost", OUR_HOST):
        add(name, "A", "127.0.0.1")
    add("127.0.0.1", "PTR", OUR_HOST)
    add(OUR_DOMAIN, "MX", OUR_HOST)
    special = {c.domain: c.local for c in world.cases if c.local}
    for domain, ip in world.address_of.items():
        local, host = special.get(domain), f"mx1.{domain}"
        if local in ("nxdomain", "unknown-local-user"):
            continue
        if local == "servfail":
            world.servfail.add(domain)
        elif local == "null-mx":
            add(domain, "MX", ".")
        elif local == "no-address":
            add(domain, "MX", host)
        elif local == "mx-is-us":
            add(domain, "MX", OUR_HOST)
        elif local == "no-route":
            add(domain, "MX", host)
            add(host, "A", "198.51.100.25")   # no route leads there in the sandbox: connect() fails at once
        else:
            add(domain, "MX", host)
            add(host, "A", ip)
            add(ip, "PTR", host)
    # Clients that speak to us (see record.py): one with a name, one listed by our blocklist, one without a name.
    add("client.example.net", "A", "127.44.200.1")
    add("127.44.200.1", "PTR", "client.example.net")
    add("127.44.200.2", "PTR", "listed.example.net")
    add("listed.example.net", "A", "127.44.200.2")
    add("2.200.44.127.bl.example.net", "A", "127.0.0.2")
    add("2.200.44.127.bl.example.net", "TXT", "seen sending to a spam trap, see https://bl.example.net/ip/127.44.200.2")
    add("example.net", "MX", "client.example.net")
    add("2.0.0.127.bl.example.net", "A", "127.0.0.2")
