"""Postfix in the sandbox: configuration, injection, queue, and how its log names a decision."""
import json
import os
import re
import socket
import subprocess
import threading

NAME, PACKAGE = "postfix", "postfix"
LOG = "/var/log/mail.log"
SKIP = set()
QUIET = 6.0           # longer than every time-out that the configuration gives it
ALSO = {}             # case -> further causes that a reader of the log can defend
CAN_LOG_IN = True

MAIN = """
compatibility_level = 3.6
myhostname = mail.example.org
mydomain = example.org
myorigin = example.org
mydestination =
inet_interfaces = 127.0.0.1, 127.44.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
smtp_bind_address = 127.0.0.1
mail_owner = postfix
setgid_group = postdrop
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
shlib_directory = /usr/lib/postfix
maillog_file = /var/log/mail.log
alias_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_minimum_uid = 1
virtual_alias_maps = texthash:/etc/postfix/aliases
local_header_rewrite_clients =
smtp_tls_security_level = may
smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:/etc/postfix/passwords
smtp_sasl_security_options = noanonymous
smtp_connect_timeout = 2s
smtp_mail_timeout = 3s
smtp_address_preference = ipv4
minimal_backoff_time = 1h
maximal_backoff_time = 1h
queue_run_delay = 1h
maximal_queue_lifetime = 1s
bounce_queue_lifetime = 0
message_size_limit = 20000
virtual_mailbox_limit = 51200000
smtpd_helo_required = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/auth
smtpd_tls_security_level = none
smtpd_delay_reject = yes
smtpd_client_restrictions = permit_mynetworks, reject_rbl_client bl.example.net, reject_unknown_reverse_client_hostname
smtpd_helo_restrictions = permit_mynetworks, check_helo_access texthash:/etc/postfix/helo_access
smtpd_sender_restrictions = permit_mynetworks, check_sender_access texthash:/etc/postfix/sender_access, reject_unknown_sender_domain
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, check_recipient_access texthash:/etc/postfix/recipient_access
header_checks = regexp:/etc/postfix/header_checks
"""
MASTER = """
smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
DECISION = re.compile(
    r"^(?P<time>\w{3} [ \d]\d [\d:]{8}) \S+ postfix/(?!smtpd)[\w/]+\[\d+\]: (?P<queue>[0-9A-Za-z]+): to=<(?P<recipient>[^>]*)>, .*"
    r"status=(?P<status>sent|deferred|bounced|expired) \((?P<text>.*)\)$")
FROM = re.compile(r"postfix/qmgr\[\d+\]: (?P<queue>[0-9A-Za-z]+): from=<(?P<sender>[^>]*)>, (?:size|status=expired)")
EXPIRED = re.compile(r"^(?P<time>\w{3} [ \d]\d [\d:]{8}) .*postfix/qmgr\[\d+\]: (?P<queue>[0-9A-Za-z]+): from=<[^>]*>, status=expired, ")


def configure(world):
    """Writes main.cf, master.cf and the maps."""
    def put(name, text):
        with open(f"/etc/postfix/{name}", "w", encoding="utf-8") as f:
            f.write(text.lstrip("\n"))
    by = lambda stage: [c.domain for c in world.cases if c.stage == stage]
    put("main.cf", MAIN)
    put("master.cf", MASTER)
    put("mailboxes", "".join(f"{u}@example.org {u}/Maildir/\n" for u in ("newsletter", "shop", "desk")))
    put("aliases", "news@example.org newsletter@example.org\npostmaster@example.org newsletter@example.org\n")
    put("tls_policy", "".join(f"{d} encrypt\n" for d in by("tls")))
    put("passwords", "".join(f"mx1.{d} desk:wrong-password\n{d} desk:wrong-password\n" for d in by("auth")))
    put("helo_access", "localhost REJECT You are not me\n")
    put("sender_access", "blocked.example.net REJECT\n")
    put("recipient_access", "shop@example.org DEFER 4.7.1 Greylisted for 300 seconds\n")
    put("header_checks", "/^Subject: .*casino/ REJECT 5.7.1 Message content rejected\n")
    put("dynamicmaps.cf", "")
    os.chown("/var/mail", 8, 8)
    for user in ("newsletter", "shop", "desk"):
        os.chown(f"/var/mail/{user}", 8, 8)
    for folder in ("/var/spool/postfix", "/var/lib/postfix"):
        os.makedirs(folder, exist_ok=True)
    os.chown("/var/lib/postfix", 901, 901)
    _refuse_log_ins()


def _refuse_log_ins():
    """Speaks just enough of Dovecot's authentication protocol to say no to everybody. Lives as long as the sandbox."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/run/auth")
    os.chmod("/run/auth", 0o666)
    listener.listen(5)

    def one(client):
        client.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\n"
                       b"COOKIE\t00000000000000000000000000000000\nDONE\n")
        for line in client.makefile("r", encoding="utf-8"):
            words = line.rstrip("\n").split("\t")
            if words[0] == "AUTH":
                client.sendall(f"FAIL\t{words[1]}\tuser=desk\treason=wrong password\n".encode())

    def loop():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def start():
    """Starts the master in the foreground and returns its process."""
    # What `postfix check` would make; it wants the package's own file list and a terminal to complain to.
    queue = "/var/spool/postfix"
    os.chmod(queue, 0o755)
    private = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
    for name, mode, group in [*((p, 0o700, 0) for p in private), ("pid", 0o755, None), ("public", 0o710, 905), ("maildrop", 0o730, 905)]:
        os.makedirs(f"{queue}/{name}", exist_ok=True)
        os.chmod(f"{queue}/{name}", mode)
        if group is not None:
            os.chown(f"{queue}/{name}", 901, group)
    return subprocess.Popen(["/usr/lib/postfix/sbin/master", "-c", "/etc/postfix"])


def long_life():
    """From now on a mail stays in the queue for days."""
    subprocess.run(["postconf", "-e", "maximal_queue_lifetime=5d"], check=True)
    subprocess.run(["postfix", "reload"], check=True, stderr=subprocess.DEVNULL)


def submit_locally(sender, recipients, data):
    """As a program on this machine does it."""
    subprocess.run(["sendmail", "-f", sender, "--", *recipients], input=data, check=True)


def flush():
    """Tries the whole queue again."""
    subprocess.run(["postqueue", "-f"], check=True)


def queued():
    """The recipients that are still in the queue."""
    out = subprocess.run(["postqueue", "-j"], check=True, capture_output=True, text=True).stdout
    return {r["address"] for line in out.splitlines() for r in json.loads(line)["recipients"]}


def decisions(log):
    """Each decision of the log: (line number, time, queue id, sender, recipient, status, text)."""
    senders, recipients = {}, {}
    for number, line in enumerate(log.splitlines(), 1):
        if m := FROM.search(line):
            senders.setdefault(m["queue"], m["sender"])
        if m := DECISION.match(line):
            recipients.setdefault(m["queue"], set()).add(m["recipient"])
            yield number, m["time"], m["queue"], senders.get(m["queue"], ""), m["recipient"], m["status"], m["text"]
        elif m := EXPIRED.match(line):
            for recipient in sorted(recipients.get(m["queue"], ())):
                yield number, m["time"], m["queue"], senders.get(m["queue"], ""), recipient, "expired", None
