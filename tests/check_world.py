#!/usr/bin/env python3
"""What `redeliver check` must do in the DNS world of ../shared/dnsworld, beyond its score; run it by tests/dnsworld.sh.

usage: check_world.py BINARY
- sick lists (everything listed, refused questions, mistyped zone, nothing listed) never give a listing nor a clean bill;
- a resolver that rewrites NXDOMAIN makes what rests on addresses unknown;
- live mail and web servers at the world's own addresses are judged as they are: certificate, MTA-STS policy;
- 62 domains in one run: below 2 s without the lame and the bogus one, below 5 s with them (a budget, told as a warning: a busy
  machine is no fault of the code);
- a recorded run played again says the same. Needs Python 3 alone.
"""
import json, os, socket, ssl, struct, subprocess, sys, tempfile, threading, time

BINARY = os.path.abspath(sys.argv[1])
SHARED = os.environ.get("REDELIVER_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared"))
WORLD = os.path.join(SHARED, "dnsworld")
RESOLVER = "127.53.0.1"
GUARD = ["--net-allow", "127.0.0.0/8", "--assume-public", "127.192.0.0/10", "--format", "jsonl"]
failed = []


def check(*words, resolver=RESOLVER):
    start = time.time()
    ran = subprocess.run([BINARY, "check", *words, *GUARD, "--resolver", resolver], capture_output=True, text=True)
    if ran.returncode not in (0, 1, 3):
        sys.exit(f"check {words} exited {ran.returncode}: {ran.stderr[:300]}")
    return [json.loads(line) for line in ran.stdout.splitlines()], time.time() - start


def must(good, what):
    print(("ok      " if good else "FAILED  ") + what)
    if not good:
        failed.append(what)


def list_file(folder, zone):
    with open(os.path.join(folder, "blocklists", zone + ".toml"), "w") as file:
        file.write(f'''zone = "{zone}"
name = "{zone}"
lists = "ip"
status = "alive"
weight = "high"
test_listed = "127.0.0.2"
test_clean = "127.0.0.1"
note = "A list of the test world."
who_may_ask = "Nobody."
source = "the test world"
phrases = []
answers = {{ "127.0.0.2" = "listed" }}
''')


def sick_lists():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "blocklists"))
        zones = ["dnsbl.sorbs.net", "quota.dnsbl.test", "typo.dnsbl.test", "empty.dnsbl.test"]
        for zone in zones:
            list_file(folder, zone)
        found, _ = check("127.192.2.66", "--catalog", folder)
        for zone in zones:
            said = [one for one in found if one["check"] == f"blocklist:{zone}"]
            good = len(said) == 1 and said[0]["result"] == "could-not-ask"
            must(good, f"sick list {zone}: {said[0]['id'] if said else 'nothing said'}")
        listed = sorted(one["check"] for one in found if one["id"] == "ip-dnsbl")
        must(listed == ["blocklist:bl.spamcop.net", "blocklist:zen.spamhaus.org"], f"the healthy ones list: {listed}")
    found, _ = check("127.192.2.66")
    must(not any("sorbs" in one["check"] for one in found), "a dead list is not asked")


class Liar(threading.Thread):
    """A resolver that hands out an address where there is none."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            question, client = self.socket.recvfrom(4096)
            threading.Thread(target=self.answer, args=(question, client), daemon=True).start()

    def answer(self, question, client):
        upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        upstream.settimeout(3)
        upstream.sendto(question, (RESOLVER, 53))
        try:
            answer = upstream.recv(4096)
        except OSError:
            return
        end = 12
        while question[end]:
            end += question[end] + 1
        kind = struct.unpack("!H", question[end + 1:end + 3])[0]
        if answer[3] & 15 == 3:  # NXDOMAIN
            asked = question[12:end + 5]
            head = question[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if kind == 1 else 0, 0, 0)
            record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([127, 203, 113, 99]) if kind == 1 else b""
            answer = head + asked + record
        self.socket.sendto(answer, client)


def lying_resolver():
    liar = Liar()
    liar.start()
    resolver = f"127.0.0.1:{liar.port}"
    found, _ = check("good.test", "--ip", "127.192.2.10", "--selector", "s1", resolver=resolver)
    must(any(one["id"] == "resolver-invents-addresses" for one in found), "a resolver that rewrites NXDOMAIN is found out")
    lists = [one for one in found if one["check"].startswith("blocklist:") and one["result"] in ("fail", "warn")]
    must(not lists, "through it no list lists anybody")
    must(not [one for one in found if one["result"] == "fail"], "through it a good domain is not called bad")
    found, _ = check("mxgone.test", "--selector", "s1", resolver=resolver)
    gone = [one for one in found if one["id"].startswith("mx-")]
    must([one["result"] for one in gone] == ["could-not-ask"], "a mail server that does not exist is unknown through it")
    found, _ = check("gone.test", resolver=resolver)
    must(not any(one["id"] == "domain-nxdomain" for one in found), "and so is a domain that does not exist")


def serve(address, port, handle):
    """A server in a thread; what goes wrong in it ends the connection only."""
    listener = socket.create_server((address, port))

    def loop():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: the scenario is over
                return

            def one(connection=connection):
                try:
                    handle(connection)
                except (OSError, ssl.SSLError):
                    pass
                finally:
                    connection.close()

            threading.Thread(target=one, daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener


def certificate(folder, name):
    """A certificate for a name, signed by an authority made for this run."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    if not os.path.exists(os.path.join(folder, "ca.pem")):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj", "/CN=An authority",
                "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    with open(os.path.join(folder, "names"), "w") as file:
        file.write(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "60",
            "-extfile", "names", "-out", f"{name}.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key"))
    return context


def live_servers():
    """The mail server and the policy host of good.test come to life, first right and then with another name."""
    with tempfile.TemporaryDirectory() as folder:
        right, wrong = certificate(folder, "mx1.good.test"), certificate(folder, "mx1.elsewhere.test")
        policy = certificate(folder, "mta-sts.good.test")
        state = {"tls": right, "mode": "enforce", "mx": "mx1.good.test"}

        def smtp(connection):
            def say(text):
                connection.sendall(text.encode() + b"\r\n")
            say("220 mx1.good.test ESMTP")
            while line := connection.recv(512):
                verb = line[:4].upper()
                if verb == b"STAR":
                    say("220 go ahead")
                    connection = state["tls"].wrap_socket(connection, server_side=True)
                elif verb == b"EHLO":
                    connection.sendall(b"250-mx1.good.test\r\n" + (b"" if isinstance(connection, ssl.SSLSocket) else b"250-STARTTLS\r\n") + b"250 SIZE 1000\r\n")
                else:
                    say("221 bye")
                    return

        def https(connection):
            connection = policy.wrap_socket(connection, server_side=True)
            connection.recv(4096)
            body = f"version: STSv1\r\nmode: {state['mode']}\r\nmx: {state['mx']}\r\nmax_age: 604800\r\n".encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

        listeners = [serve("127.192.2.10", 25, smtp), serve("127.192.2.10", 443, https)]
        words = ["good.test", "--recipient", "--ca-file", os.path.join(folder, "ca.pem")]
        for what, change, wanted in (
            ("all right", {}, {"tls-good": "pass", "mta-sts-good": "pass", "greeting-good": "pass"}),
            ("a certificate for another name, policy enforced", {"tls": wrong}, {"certificate-wrong-name": "fail", "mta-sts-good": "pass"}),
            ("the same, policy in testing", {"mode": "testing"}, {"certificate-wrong-name": "warn", "mta-sts-good": "pass"}),
            ("a policy that names another server", {"tls": right, "mode": "enforce", "mx": "mx9.good.test"}, {"tls-good": "pass", "mta-sts-mx-not-named": "fail"}),
        ):
            state.update(change)
            found, _ = check(*words)
            said = {one["id"]: one["result"] for one in found}
            must(all(said.get(ident) == result for ident, result in wanted.items()), f"live servers, {what}: {wanted}")
        for listener in listeners:
            listener.close()


def in_time():
    domains = open(os.path.join(WORLD, "domains.txt")).read().split()
    with tempfile.TemporaryDirectory() as folder:
        quick, all_of_them = os.path.join(folder, "quick"), os.path.join(folder, "all")
        open(quick, "w").write("\n".join(one for one in domains if one not in ("lame.test", "bogus.test")))
        open(all_of_them, "w").write("\n".join(domains))
        for path, budget in ((quick, 2), (all_of_them, 5)):
            _, took = check("--targets", path, "--selector", "s1")
            word = "ok      " if took < budget else "WARNING "
            print(f"{word}{len(open(path).read().split())} domains in one run: {took:.2f} s (budget {budget} s)")
        tape = os.path.join(folder, "tape")
        first, _ = check("--targets", quick, "--selector", "s1", "--record", tape)
        again = subprocess.run([BINARY, "check", "--targets", quick, "--selector", "s1", "--world", tape, *GUARD],
                               capture_output=True, text=True)
        again = [json.loads(line) for line in again.stdout.splitlines()]
        same = [(one["target"], one["id"], one["result"]) for one in first] == [(one["target"], one["id"], one["result"]) for one in again]
        must(same and first, f"a recorded run of {len(first)} findings says the same when it is played")


sick_lists()
lying_resolver()
live_servers()
in_time()
sys.exit(bool(failed))
