#!/usr/bin/env python3
"""Makes real mail servers write real logs and bounces about a plan of refusals, and writes down what the truth is.

    tests/peers/record.py --prefix DIR [--mta postfix|exim|opensmtpd|all] [--plan FILE | --corpus REPLIES.jsonl] [--out DIR]

For each server: a sandbox (sandbox.py), the refuser, the server, all mails of the plan, some clients that the server itself turns
away, two flushes of the queue; then log, bounces and expected.jsonl go to OUT/<mta>/. The outcome of a recipient is taken from the
refuser's transcript, the server's queue and the bounces, and compared with the log: a contradiction ends the run with code 1.
Needs root (for the sandbox only). Stops what it started, by process number.
"""
import argparse
import base64
import email
import email.policy
import importlib
import json
import os
import pathlib
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True   # no caches in the tree

import sandbox
import world as worlds

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = ("postfix", "exim", "opensmtpd")
PATIENCE = 60.0       # seconds that one round of deliveries may take
WE = "mail.example.org"
# Clients that our server turns away: id, address, HELO, sender, recipient, what else, stage or stages, cause.
INBOUND = [
    ("in-relay", "127.44.200.1", "client.example.net", "kim@example.net", "someone@elsewhere.example", {}, "relay-denied"),
    ("in-unknown", "127.44.200.1", "client.example.net", "kim@example.net", "nobody.here@example.org", {}, "recipient-unknown"),
    ("in-unknown", "127.44.200.1", "client.example.net", "kim@example.net", "nobody.here@example.org", {}, "recipient-unknown"),
    ("in-listed", "127.44.200.2", "listed.example.net", "win@example.net", "desk@example.org", {}, "blocklisted"),
    ("in-no-name", "127.44.200.3", "host3.example.net", "lee@example.net", "desk@example.org", {}, "reverse-dns"),
    ("in-helo", "127.44.200.1", "localhost", "kim@example.net", "desk@example.org", {}, "helo-invalid"),
    ("in-sender-blocked", "127.44.200.1", "client.example.net", "ads@blocked.example.net", "desk@example.org", {}, "blocked-by-receiver"),
    ("in-sender-domain", "127.44.200.1", "client.example.net", "kim@no-such-domain.example", "desk@example.org", {}, "sender-invalid"),
    ("in-greylisted", "127.44.200.1", "client.example.net", "kim@example.net", "shop@example.org", {}, "greylisted"),
    ("in-too-large", "127.44.200.1", "client.example.net", "kim@example.net", "desk@example.org", {"size": 5_000_000}, "message-too-large"),
    ("in-content", "127.44.200.1", "client.example.net", "kim@example.net", "desk@example.org", {"subject": "casino bonus"}, "spam-content"),
    ("in-hops", "127.0.0.1", "mail.example.org", "news@example.org", "desk@example.org", {"hops": 120}, "routing-loop"),
    ("in-log-in", "127.44.200.1", "client.example.net", None, None, {"log_in": True}, "auth-failed"),
]


def main():
    options = arguments()
    if options.inside:
        return inside(options)
    if options.corpus and not os.path.exists(options.corpus):
        print(f"SKIPPED: {options.corpus} is not there, so NOTHING was recorded from outside replies", file=sys.stderr)
        return 0
    subprocess.run([str(HERE / "fetch.sh"), options.prefix, *([options.cache] if options.cache else [])], check=True)
    worst = 0
    with tempfile.TemporaryDirectory(prefix="peers-") as work:
        plan = options.plan
        if options.corpus:
            made, left_out = worlds.plan_of_replies(options.corpus, options.limit)
            plan = f"{work}/plan.json"
            pathlib.Path(plan).write_text(json.dumps(made), encoding="utf-8")
            print(f"{len(made['cases'])} replies of {options.corpus}, {left_out} left out (no SMTP reply)")
        make_certificate(f"{work}/certificate.pem")
        for server in SERVERS if options.mta == "all" else [options.mta]:
            for folder in ("scratch", server):
                os.makedirs(f"{work}/{folder}", exist_ok=True)
            code = sandbox.run([str(HERE / "record.py"), "--inside", server, "--prefix", options.prefix, "--plan", os.path.abspath(plan),
                                "--out", work, *(["--all-bounces"] if options.all_bounces else [])])
            worst = worst or code
            if code == 0:
                target = pathlib.Path(options.out) / server
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(f"{work}/{server}", target)
                print(f"{server}: written to {target}")
            else:
                shutil.copytree(f"{work}/{server}", f"{options.out}/{server}.failed", dirs_exist_ok=True)
                print(f"{server}: FAILED ({code}), see {options.out}/{server}.failed", file=sys.stderr)
    return 1 if worst else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prefix", required=True, help="folder of the unpacked packages (fetch.sh)")
    parser.add_argument("--cache", help="folder of the .deb files")
    parser.add_argument("--mta", choices=(*SERVERS, "all"), default="all")
    parser.add_argument("--plan", default=str(HERE / "plan.json"))
    parser.add_argument("--corpus", help="build the plan from this file of bare replies instead")
    parser.add_argument("--limit", type=int, help="take so many replies of the corpus only")
    parser.add_argument("--all-bounces", action="store_true", help="keep every bounce, not only one of each form")
    parser.add_argument("--out", default=str(HERE.parent.parent / "testdata" / "logs"))
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args()


def make_certificate(path):
    """A key and certificate for sites that offer STARTTLS, made anew each time."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mx1.example",
                    "-keyout", path + ".key", "-out", path + ".crt"], check=True, capture_output=True)
    pathlib.Path(path).write_text(pathlib.Path(path + ".key").read_text() + pathlib.Path(path + ".crt").read_text())


class Recording:
    """One server's run."""

    def __init__(self, options):
        self.mta = importlib.import_module(f"mta_{options.inside}")
        self.work = pathlib.Path(options.out)
        self.all_bounces = options.all_bounces
        self.out = self.work / options.inside
        self.world = worlds.load(options.plan)
        self.cases = [c for c in self.world.cases if c.id not in self.mta.SKIP]
        self.transcript = self.work / f"transcript-{options.inside}.jsonl"
        self.started = []
        self.inbound = []
        self.serial = 0

    def log(self):
        return pathlib.Path(self.mta.LOG).read_text(encoding="utf-8", errors="replace") if os.path.exists(self.mta.LOG) else ""

    def start(self, options):
        refuser = subprocess.Popen([sys.executable, str(HERE / "refuser.py"), "--plan", options.plan, "--transcript", str(self.transcript),
                                    "--certificate", f"{self.work}/certificate.pem"], stdout=subprocess.PIPE, text=True)
        self.started.append(refuser)
        if refuser.stdout.readline().strip() != "ready":
            raise RuntimeError("the refuser did not start")
        self.mta.configure(self.world)
        self.started.append(self.mta.start())
        until(lambda: socket.create_connection(("127.0.0.1", 25), 1).close() is None, 20)

    def stop(self):
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def send_all(self, cases):
        """Sends the mails of these cases, those of one message as one mail."""
        mails = {}
        for case in cases:
            mails.setdefault(case.message, []).append(case)
        for mail in mails.values():
            sender, recipients = mail[0].sender, [r for c in mail for r in c.recipients]
            big = any(c.local == "size-announced" for c in mail)
            data = self.letter(sender, recipients, size=4000 if big else 0)
            if any(c.local == "unknown-local-user" for c in mail):
                self.mta.submit_locally(sender, recipients, data)
                continue
            with smtplib.SMTP("127.0.0.1", 25, local_hostname=WE) as client:
                client.sendmail(sender, recipients, data)

    def letter(self, sender, recipients, subject=None, size=0, hops=0):
        self.serial += 1
        head = "".join(f"Received: from relay{n}.example.net by relay{n + 1}.example.net; Mon, 2 Nov 2026 10:00:00 +0000\r\n" for n in range(hops))
        body = "Good morning,\r\n\r\nyour order is on its way.\r\n" + "More of the same.\r\n" * (size // 19)
        return (f"{head}From: <{sender}>\r\nTo: <{recipients[0]}>\r\nSubject: {subject or f'Order {1000 + self.serial}'}\r\n"
                f"Message-ID: <{1000 + self.serial}@{WE}>\r\nDate: {email.utils.formatdate()}\r\n\r\n{body}").encode()

    def round(self, what, cases, number):
        """Waits until the log has `number` decisions on each recipient, or on each that is still queued, or says no more."""
        wanted = {r for c in cases for r in c.recipients}
        began = changed = time.monotonic()
        size = 0
        while time.monotonic() - began < PATIENCE:
            counts = {}
            log = self.log()
            for _, _, _, _, recipient, status, _ in self.mta.decisions(log):
                final = status in ("sent", "bounced", "expired")
                counts[recipient] = 99 if final else counts.get(recipient, 0) + 1
            if all(counts.get(r, 0) >= number for r in wanted):
                break
            if len(log) != size:
                size, changed = len(log), time.monotonic()
            elif time.monotonic() - changed > self.mta.QUIET:
                break
            time.sleep(0.2)
        late = sorted(r for r in wanted if counts.get(r, 0) < number)
        print(f"{self.mta.NAME}: {what}: {len(wanted) - len(late)} of {len(wanted)} recipients decided"
              + (f", without: {', '.join(late)}" if late else ""), flush=True)

    def turn_away(self):
        """Clients that our own server refuses; notes what they were told and which line of the log says it."""
        for ident, source, helo, sender, recipient, extra, cause in INBOUND:
            before = self.log().count("\n")
            stage, code, text = self.client(source, helo, sender, recipient, extra)
            if code < 400:
                self.accepted_first(ident, before, sender, recipient, cause)
                continue
            lines = text.decode("utf-8", "replace").split("\n")
            reply = "\n".join(f"{code}{'-' if n < len(lines) - 1 else ' '}{line}" for n, line in enumerate(lines))
            line = until(lambda: self.rejection(before, source, recipient, lines[-1]), 5)
            if line is None:
                print(f"{self.mta.NAME}: {ident}: refused ({reply}), but the log does not say so", flush=True)
                continue
            passed_rcpt = stage in ("rcpt", "data", "body")
            self.inbound.append({"case": ident, "recipient": recipient if passed_rcpt else None, "sender": sender if stage not in ("connect", "helo", "auth") else None,
                                 "stage": stage, "reply": reply, "cause": cause, "line": line})

    def accepted_first(self, ident, before, sender, recipient, cause):
        """What our server takes, and then perhaps bounces by itself."""
        bounce = until(lambda: [d for d in self.mta.decisions(self.log()) if d[0] > before and d[4] == recipient and d[5] == "bounced"], 1)
        if not bounce:
            print(f"{self.mta.NAME}: {ident}: not refused", flush=True)
            return
        number, _, queue, _, _, _, text = bounce[0]
        self.inbound.append({"case": ident, "recipient": recipient, "sender": sender, "stage": None, "reply": text, "cause": cause,
                             "line": number, "refused_by_host": None, "outcome": "bounced", "queue_id": queue})

    def rejection(self, before, source, recipient, words):
        """The first new line that speaks of this client or recipient and of a refusal."""
        for number, line in enumerate(self.log().splitlines()[before:], before + 1):
            if (source in line or (recipient and recipient in line) or "failed-command" in line or "session" in line) and re.search(
                    r"reject|failed|refused|not permitted|too many|too large|suspected|535|failed-command", line, re.I):
                return number
        return None

    def client(self, source, helo, sender, recipient, extra):
        """Speaks to our server as an outsider. Returns the stage of the first refusal and its code and text."""
        port = "127.0.0.1" if source == "127.0.0.1" else "127.44.0.1"
        client = smtplib.SMTP(local_hostname=helo, source_address=(source, 0))
        try:
            code, text = client.connect(port, 25)
            if code >= 400:
                return "connect", code, text
            code, text = client.ehlo(helo)
            if code >= 400:
                return "helo", code, text
            if extra.get("log_in"):
                if not self.mta.CAN_LOG_IN:
                    return "auth", 0, b""
                code, text = client.docmd("AUTH", "LOGIN " + base64.b64encode(b"desk").decode())
                if code == 334:
                    code, text = client.docmd(base64.b64encode(b"wrong").decode())
                return "auth", code, text
            code, text = client.mail(sender, [f"SIZE={extra['size']}"] if "size" in extra else [])
            if code >= 400:
                return "mail", code, text
            code, text = client.rcpt(recipient)
            if code >= 400:
                return "rcpt", code, text
            code, text = client.data(self.letter(sender, [recipient], extra.get("subject"), hops=extra.get("hops", 0)))
            return "body", code, text
        except smtplib.SMTPDataError as error:
            return "data", error.smtp_code, error.smtp_error
        except smtplib.SMTPServerDisconnected:
            return "connect", 0, b""
        finally:
            client.close()


def until(ask, seconds):
    """Asks until the answer is true, no longer than so many seconds; returns the last answer."""
    end = time.monotonic() + seconds
    while True:
        try:
            answer = ask()
        except OSError:
            answer = None
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.1)


def inside(options):
    """Everything that happens in the sandbox."""
    work = pathlib.Path(options.out)
    server = importlib.import_module(f"mta_{options.inside}")
    sandbox.furnish(f"{options.prefix}/{server.PACKAGE}", f"{work}/scratch", WE, worlds.NAME_SERVER)
    sandbox.receive_syslog("/var/log/syslog", "mail")
    run = Recording(options)
    try:
        run.start(options)
        short = [c for c in run.cases if c.short_life]
        run.send_all(short)
        if short:
            run.round("first try of the short-lived", short, 1)
            time.sleep(2)      # the life of these mails, see the configurations
            run.mta.flush()
            run.round("they expire", short, 2)
        run.mta.long_life()
        long = [c for c in run.cases if not c.short_life]
        run.send_all(long)
        run.round("first try", long, 1)
        run.turn_away()
        for number in (2, 3):
            run.mta.flush()
            run.round(f"try {number}", long, number)
        queued = run.mta.queued()
    except Exception:
        for path in {run.mta.LOG, "/var/log/syslog"}:
            if os.path.exists(path):
                print(f"--- end of {path}", *pathlib.Path(path).read_text(errors="replace").splitlines()[-15:], sep="\n", file=sys.stderr)
        raise
    finally:
        run.stop()
    return write(run, queued)


def write(run, queued):
    """Log, bounces and expected.jsonl; code 1 when the sources contradict each other."""
    log = run.log()
    (run.out / f"{run.mta.NAME}.log").write_text(log, encoding="utf-8")
    bounced = write_bounces(run)
    said = [json.loads(line) for line in run.transcript.read_text(encoding="utf-8").splitlines()] if run.transcript.exists() else []
    decided = {}
    for number, when, queue, sender, recipient, status, text in run.mta.decisions(log):
        decided.setdefault(recipient, []).append((number, stamp(when), queue, sender, status, text))
    rows, wrong = [], []
    for case in run.cases:
        for recipient in case.recipients:
            row = expectation(run, case, recipient, said, decided.get(recipient, []), queued, bounced, wrong)
            if row:
                rows.append(row)
    lines = log.splitlines()
    seen = {}
    for found in run.inbound:
        when = stamp(re.match(r"\w{3} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\d [\d:]{8}", lines[found["line"] - 1])[0])
        row = seen.setdefault(found["case"], {
            "refused_by_host": WE, "refused_by_ip": None, "outcome": "rejected-by-us", "queue_id": None, **found,
            "attempts": 0, "also_accept": [], "first_time": when})
        row.update(attempts=row["attempts"] + 1, last_time=when, line=found["line"])
    rows += seen.values()
    rows.sort(key=lambda r: (r["line"], r["recipient"] or ""))
    keys = ("recipient", "sender", "stage", "refused_by_host", "refused_by_ip", "reply", "outcome", "attempts", "cause", "first_time",
            "last_time", "also_accept", "case", "queue_id", "line")
    with open(run.out / "expected.jsonl", "w", encoding="utf-8") as f:
        for row in rows:
            row["also_accept"] = sorted({*row["also_accept"], *run.mta.ALSO.get(row["case"], [])} - {row["cause"]})
            f.write(json.dumps({k: row[k] for k in keys}, ensure_ascii=False) + "\n")
    counts = {}
    for row in rows:
        counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
    print(f"{run.mta.NAME}: {len(rows)} refusals {counts}, {len(lines)} lines, {len(bounced)} bounced recipients in bounces", flush=True)
    for text in wrong:
        print(f"{run.mta.NAME}: CONTRADICTION: {text}", file=sys.stderr)
    return 1 if wrong else 0


def expectation(run, case, recipient, said, decided, queued, bounced, wrong):
    """The row of one recipient, or None when nothing was refused."""
    refused = [s for s in said if s["event"] == "refused" and s["case"] == case.id and s["recipient"] == recipient]
    accepted = any(s["event"] == "accepted" and s["recipient"] == recipient for s in said)
    if not decided:
        wrong.append(f"{case.id}: the log decides nothing about {recipient}")
        return None
    if case.stage == "accept" or (not refused and accepted):
        return None
    outcome = ("bounced" if recipient in bounced else "deferred" if recipient in queued
               else "delivered-after-deferral" if accepted else "unclear")
    last = {"sent": "delivered-after-deferral", "expired": "bounced"}.get(decided[-1][4], decided[-1][4])
    if outcome != last:
        wrong.append(f"{case.id}: {recipient} is {outcome} by queue, bounces and transcript, {last} by the log")
    texts = [d[5] for d in decided if d[4] not in ("sent",) and d[5]]
    wire = next((s["reply"] for s in reversed(refused) if s["reply"]), None)
    spoke = case.local is None or case.local == "size-announced"
    nowhere = case.local in ("port-closed", "port-silent", "no-route")
    return {
        "recipient": recipient, "sender": case.sender, "stage": case.stage or ("connect" if nowhere else None),
        "refused_by_host": f"mx1.{case.domain}" if case.local is None else None,
        "refused_by_ip": run.world.address_of[case.domain] if case.local is None else None,
        "reply": wire or (texts[-1] if texts else None), "outcome": outcome,
        # One decision of the log is one attempt; the line with which a server gives up is none.
        "attempts": sum(1 for d in decided if d[4] != "expired"), "cause": case.cause, "also_accept": case.also, "case": case.id,
        "queue_id": decided[0][2], "line": decided[-1][0], "first_time": decided[0][1], "last_time": decided[-1][1],
    } if spoke or case.local else None


def write_bounces(run):
    """Copies the bounces, each under the name of its first case; returns the recipients that they speak of."""
    case_of = {r: c for c in run.cases for r in c.recipients}
    folder = run.out / "bounces"
    folder.mkdir(exist_ok=True)
    found, stages = set(), {}
    for path in sorted(p for box in ("newsletter", "shop", "desk") for p in pathlib.Path(f"/var/mail/{box}/Maildir/new").glob("*")):
        data = path.read_bytes()
        mail = email.message_from_bytes(data, policy=email.policy.compat32)
        text = data.decode("utf-8", "replace")
        failed = set(re.findall(r"^Final-Recipient: *rfc822; *<?([^\s>]+)", text, re.M | re.I))
        if not failed and "X-Failed-Recipients" in mail:
            failed = {a.strip() for a in mail["X-Failed-Recipients"].replace("\n", " ").split(",")}
        if not failed:
            continue
        found |= failed
        cases = [case_of[r] for r in failed if r in case_of]
        if not (run.all_bounces or telling(cases, stages)):
            continue
        first = min((c.message for c in cases), default="other")
        name, number = first, 1
        while (folder / f"{name}.eml").exists():
            number += 1
            name = f"{first}-{number}"
        (folder / f"{name}.eml").write_bytes(data)
    return found


def telling(cases, stages):
    """Whether a bounce shows what the kept ones do not: several lines or recipients, an error of our own, a new stage."""
    for case in cases:
        stages[case.stage] = stages.get(case.stage, 0) + 1
    return not cases or len(cases) > 1 or any(c.local or len(c.reply) > 1 or stages[c.stage] <= 2 for c in cases)


def stamp(text):
    """The time of a log line in UTC; the year that syslog leaves out is this one."""
    if re.match(r"\d{4}-", text):
        return text.replace(" ", "T") + "Z"
    parsed = time.strptime(f"{time.gmtime().tm_year} {text}", "%Y %b %d %H:%M:%S")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", parsed)


if __name__ == "__main__":
    sys.exit(main())
