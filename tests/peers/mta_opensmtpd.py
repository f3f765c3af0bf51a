"""OpenSMTPD in the sandbox: configuration, injection, queue, and how its log names a decision."""
import os
import re
import subprocess

NAME, PACKAGE = "opensmtpd", "opensmtpd"
LOG = "/var/log/syslog"
# Its time-outs are compiled in (minutes), so what never answers is left out; unknown
# local users are refused at submission, which `in-unknown` shows too.
# A mail to itself goes round a hundred times before it is refused: no single decision to expect.
SKIP = {"mail-hang", "port-silent", "unknown-local-user", "mx-is-us"}
QUIET = 14.0          # it waits ten seconds before it calls a host unreachable
# What its words leave open, though we know better: case -> causes that a reader of the log can defend.
ALSO = {"in-relay": ["recipient-unknown"], "in-sender-blocked": ["recipient-unknown", "blocked-by-receiver"], "in-unknown": ["system-error"],
        "dns-null-mx": ["unreachable"], "dns-no-address": ["unreachable"]}
CAN_LOG_IN = False    # it offers AUTH on encrypted listeners only

CONF = """
table secrets { label = "desk:wrong-password" }
table boxes { "newsletter@example.org" = newsletter, "news@example.org" = newsletter, "postmaster@example.org" = newsletter, \\
  "shop@example.org" = shop, "desk@example.org" = desk }
table blocked { "@blocked.example.net" }
smtp max-message-size 20000
listen on 127.0.0.1 port 25 hostname mail.example.org
table listed { 127.44.200.2 }
filter no-name phase connect match !rdns disconnect "550 5.7.25 No reverse DNS for your address"
filter not-me phase ehlo match helo "localhost" reject "550 5.7.1 HELO rejected: you are not me"
filter on-our-list phase connect match src <listed> disconnect "554 5.7.1 Your address is on the block list bl.example.net"
listen on 127.44.0.1 port 25 hostname mail.example.org filter { no-name, on-our-list, not-me }
action "mailbox" maildir "/var/mail/%{user.username}/Maildir" virtual <boxes>
action "short" relay helo mail.example.org src 127.0.0.1 ttl 2s
action "encrypted" relay helo mail.example.org src 127.0.0.1 tls no-verify
@LOGIN@
action "out" relay helo mail.example.org src 127.0.0.1
match from any mail-from <blocked> for any reject
match from any for domain example.org action "mailbox"
@MATCH@
match from local for any action "out"
"""
STATUS = {"Ok": "sent", "PermFail": "bounced", "TempFail": "deferred"}
DECISION = re.compile(
    r"^(?P<time>\w{3} [ \d]\d [\d:]{8}) \S+ smtpd\[\d+\]: \w+ mt?[ad]a? delivery evpid=(?P<queue>[0-9a-f]{16}) "
    r"from=<(?P<sender>[^>]*)> to=<(?P<recipient>[^>]*)> .*?result=\"?(?P<result>\w+)\"? stat=\"?(?P<text>.*?)\"?$")
EXPIRED = re.compile(
    r"^(?P<time>\w{3} [ \d]\d [\d:]{8}) .* Expire for (?P<queue>[0-9a-f]{16}): from=<(?P<sender>[^>]*)>, to=<(?P<recipient>[^>]*)>")


def configure(world):
    """Writes smtpd.conf and the folders."""
    login, match = [], []
    for case in world.cases:
        if case.stage == "auth":
            login.append(f'action "login-{case.id}" relay host "smtp+tls://label@mx1.{case.domain}" auth <secrets> '
                         "tls no-verify helo mail.example.org src 127.0.0.1")
            match.append(f'match from local for domain "{case.domain}" action "login-{case.id}"')
        elif case.stage == "tls":
            match.append(f'match from local for domain "{case.domain}" action "encrypted"')
        elif case.short_life:
            match.append(f'match from local for domain "{case.domain}" action "short"')
    with open("/etc/smtpd.conf", "w", encoding="utf-8") as f:
        f.write(CONF.lstrip("\n").replace("@LOGIN@", "\n".join(login)).replace("@MATCH@", "\n".join(match)))
    os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
    os.makedirs("/var/spool/smtpd", exist_ok=True)
    os.chmod("/var/spool/smtpd", 0o711)
    os.makedirs("/var/log", exist_ok=True)
    # What the package's install script does: smtpctl insists on it.
    os.chown("/usr/sbin/smtpctl", 0, 904)
    os.chmod("/usr/sbin/smtpctl", 0o2555)


def start():
    """Starts the daemon in the foreground and returns its process."""
    return subprocess.Popen(["smtpd", "-F"])


def long_life():
    """Nothing to do: the action of the domain says how long."""


def submit_locally(sender, recipients, data):
    """As a program on this machine does it."""
    subprocess.run(["sendmail", "-f", sender, *recipients], executable="/usr/sbin/smtpctl", input=data, check=False)


def flush():
    """Tries the whole queue again."""
    # A route that failed waits by itself, whatever the schedule says.
    routes = subprocess.run(["smtpctl", "show", "routes"], check=False, capture_output=True, text=True).stdout
    for route in re.findall(r"^(\d+)\.", routes, re.M):
        subprocess.run(["smtpctl", "resume", "route", route], check=False, capture_output=True)
    subprocess.run(["smtpctl", "schedule", "all"], check=False, capture_output=True)


def queued():
    """The recipients that are still in the queue."""
    out = subprocess.run(["smtpctl", "show", "queue"], check=True, capture_output=True, text=True).stdout
    return {fields[5] for fields in (line.split("|") for line in out.splitlines()) if len(fields) > 5}


def decisions(log):
    """Each decision of the log: (line number, time, queue id, sender, recipient, status, text)."""
    for number, line in enumerate(log.splitlines(), 1):
        m = DECISION.match(line)
        if m and m["result"] in STATUS:
            yield number, m["time"], m["queue"], m["sender"], m["recipient"], STATUS[m["result"]], m["text"]
        elif m := EXPIRED.match(line):
            yield number, m["time"], m["queue"], m["sender"], m["recipient"], "expired", None
