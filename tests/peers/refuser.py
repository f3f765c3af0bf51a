#!/usr/bin/env python3
"""An SMTP server that refuses at a chosen stage with chosen words, and a name server that leads to it.

    refuser.py --plan PLAN.json --transcript OUT.jsonl [--port 25] [--certificate PEM]

Listens on one loopback address a site (127.44.x.y): the address decides for the stages connect, helo, tls, auth and mail, the
recipient for rcpt, data and body. Writes what it said, and what it accepted, to the transcript, a JSON object a line, in order.
Never delivers anything, never speaks to anybody outside 127.0.0.0/8. Stops on SIGTERM. A command it does not know gets a 500.
"""
import argparse
import asyncio
import json
import signal
import socket
import ssl
import sys
import time

sys.dont_write_bytecode = True   # no caches in the tree

import nameserver
import world as worlds

HANG_SECONDS = 30     # longer than any patience that record.py gives a mail server


class Refuser:
    """All sessions of all sites, and the counters that outlive a session."""

    def __init__(self, world, transcript, certificate):
        self.world, self.transcript, self.certificate = world, transcript, certificate
        self.said = {}     # (case id, recipient) -> how often it was refused

    def note(self, **what):
        what["time"] = time.time()
        self.transcript.write(json.dumps(what) + "\n")
        self.transcript.flush()

    def due(self, case, recipient):
        """Whether this case still refuses; counts the refusal when it does."""
        key = (case.id, recipient)
        if case.times is not None and self.said.get(key, 0) >= case.times:
            return False
        self.said[key] = self.said.get(key, 0) + 1
        return True

    async def session(self, reader, writer):
        ip = writer.get_extra_info("sockname")[0]
        try:
            await Session(self, ip, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError, Hangup, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Hangup(Exception):
    """The script says: close the connection now."""


class Session:
    """One SMTP connection to one site."""

    def __init__(self, refuser, ip, reader, writer):
        self.refuser, self.ip, self.reader, self.writer = refuser, ip, reader, writer
        self.host = refuser.world.host_at(ip)
        self.cases = refuser.world.cases_at(ip)
        self.by_stage = {c.stage: c for c in self.cases if c.stage in worlds.PER_SITE}
        self.sender, self.recipients, self.secure, self.helo = None, [], False, None
        self.failed = {}      # recipient -> its case, for data and body

    async def say(self, *lines):
        self.writer.write("".join(line + "\r\n" for line in lines).encode())
        await self.writer.drain()

    async def refuse(self, case, recipients):
        """Says the case's reply. True: refused. False: not due any more, go on."""
        if not all([self.refuser.due(case, r) for r in recipients]):
            return False
        fill = {"sender": self.sender or case.sender, "recipient": recipients[0]}
        # Not str.format: outside texts may hold braces.
        lines = [line.replace("{sender}", fill["sender"]).replace("{recipient}", fill["recipient"]) for line in case.reply]
        for recipient in recipients:
            self.refuser.note(event="refused", case=case.id, stage=case.stage, ip=self.ip, host=self.host,
                              sender=self.sender or case.sender, recipient=recipient, reply="\n".join(lines), then=case.then)
        if case.then == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if case.then:
            raise Hangup
        await self.say(*lines)
        if lines[-1].startswith("421"):
            raise Hangup     # RFC 5321 3.8: the server closes after 421
        return True

    def scripted(self, stage):
        return self.by_stage.get(stage)

    async def run(self):
        case = self.scripted("connect")
        if case and await self.refuse(case, case.recipients):
            # RFC 5321 3.1: after a 554 greeting the server waits for QUIT and answers 503 to the rest.
            while await self.command() != "QUIT":
                await self.say("503 5.5.1 Bad sequence of commands")
            await self.say("221 2.0.0 Bye")
            return
        await self.say(f"220 {self.host} ESMTP")
        while True:
            verb = await self.command()
            if verb == "QUIT":
                await self.say("221 2.0.0 Bye")
                return
            handler = getattr(self, "do_" + verb.lower(), None) if verb.isalpha() else None
            if handler is None:
                await self.say("500 5.5.2 Command not recognised")
            else:
                await handler()

    async def command(self):
        line = (await self.reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")
        self.line = line
        return line.split(" ", 1)[0].upper() or "?"

    async def do_ehlo(self):
        self.helo = self.line.partition(" ")[2]
        case = self.scripted("helo")
        if case and await self.refuse(case, case.recipients):
            return
        extensions = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"]
        local = next((c for c in self.refuser.world.cases if self.refuser.world.address_of.get(c.domain) == self.ip and c.local), None)
        extensions.append("SIZE 2000" if local and local.local == "size-announced" else "SIZE 10485760")
        tls, auth = self.scripted("tls"), self.scripted("auth")
        if not self.secure and ((tls and tls.offer) or (auth and self.refuser.certificate)):
            extensions.append("STARTTLS")
        if auth:
            extensions.append("AUTH PLAIN LOGIN")
        lines = [self.host] + extensions
        await self.say(*[f"250{'-' if n < len(lines) - 1 else ' '}{text}" for n, text in enumerate(lines)])

    async def do_helo(self):
        self.helo = self.line.partition(" ")[2]
        case = self.scripted("helo")
        if not (case and await self.refuse(case, case.recipients)):
            await self.say(f"250 {self.host}")

    async def do_starttls(self):
        case = self.scripted("tls")
        if case and await self.refuse(case, case.recipients):
            return
        await self.say("220 2.0.0 Ready to start TLS")
        await self.writer.start_tls(self.refuser.certificate)
        self.secure = True

    async def do_auth(self):
        case = self.scripted("auth")
        words = self.line.split()
        prompts = {"LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], "PLAIN": [""]}.get(words[1].upper() if len(words) > 1 else "", [])
        for prompt in prompts[len(words) - 2:]:
            await self.say(f"334 {prompt}")
            await self.command()
        if not (case and await self.refuse(case, case.recipients)):
            await self.say("235 2.7.0 Authentication successful")

    async def do_mail(self):
        self.sender = self._path()
        self.recipients, self.failed = [], {}
        case = self.scripted("mail")
        if case and await self.refuse(case, case.recipients):
            return
        await self.say("250 2.1.0 Ok")

    async def do_rcpt(self):
        recipient = self._path()
        case = next((c for c in self.cases if recipient in c.recipients), None)
        if case and case.stage == "rcpt" and await self.refuse(case, [recipient]):
            return
        self.recipients.append(recipient)
        if case and case.stage in ("data", "body"):
            self.failed[recipient] = case
        await self.say("250 2.1.5 Ok")

    async def do_data(self):
        if not self.recipients:
            await self.say("554 5.5.1 Error: no valid recipients")
            return
        if await self._transaction_refused("data"):
            return
        await self.say("354 End data with <CR><LF>.<CR><LF>")
        while (await self.reader.readuntil(b"\n")).rstrip(b"\r\n") != b".":
            pass
        if await self._transaction_refused("body"):
            return
        for recipient in self.recipients:
            self.refuser.note(event="accepted", ip=self.ip, host=self.host, sender=self.sender, recipient=recipient)
        await self.say("250 2.0.0 Ok: queued as 4FzQx12abc")

    async def _transaction_refused(self, stage):
        hit = [r for r, c in self.failed.items() if c.stage == stage]
        return bool(hit) and await self.refuse(self.failed[hit[0]], hit)

    async def do_rset(self):
        self.recipients, self.failed = [], {}
        await self.say("250 2.0.0 Ok")

    async def do_noop(self):
        await self.say("250 2.0.0 Ok")

    def _path(self):
        """The address between angle brackets; esmtp parameters are left alone."""
        return self.line.partition("<")[2].partition(">")[0]


def silent_port(ip, port):
    """A port whose queue of waiting connections is full, so that the next connect() times out."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ip, port))
    sock.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((ip, port))
        fillers.append(filler)
    return [sock, *fillers]


async def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--plan", required=True)
    arguments.add_argument("--transcript", required=True)
    arguments.add_argument("--port", type=int, default=25)
    arguments.add_argument("--certificate", help="PEM file with key and certificate, for sites that offer STARTTLS")
    arguments.add_argument("--name-server", default=worlds.NAME_SERVER, help="address of the name server, port 53; '' for none")
    options = arguments.parse_args()
    world = worlds.load(options.plan)
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    with open(options.transcript, "a", encoding="utf-8") as transcript:
        refuser = Refuser(world, transcript, context)
        closed = {c.domain: c.local for c in world.cases if c.local}
        kept = []
        for domain, ip in world.address_of.items():
            local = closed.get(domain)
            if local == "port-silent":
                kept.append(silent_port(ip, options.port))
            elif local in (None, "size-announced"):
                kept.append(await asyncio.start_server(refuser.session, ip, options.port))
        if options.name_server:
            kept.append(await nameserver.serve(world, options.name_server))
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        print("ready", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
