"""Exim in the sandbox: configuration, injection, queue, and how its main log names a decision."""
import os
import re
import subprocess

NAME, PACKAGE = "exim", "exim"
LOG = "/var/log/exim4/mainlog"
SKIP = set()
QUIET = 6.0           # longer than every time-out that the configuration gives it
# What its words leave open, though we know better: case -> causes that a reader of the log can defend.
ALSO = {"dns-nxdomain": ["recipient-unknown"], "unknown-local-user": ["domain-not-found"], "in-unknown": ["domain-not-found"]}
CAN_LOG_IN = True

CONF = """
primary_hostname = mail.example.org
qualify_domain = example.org
domainlist local_domains = example.org
hostlist relay_from_hosts = 127.0.0.1
local_interfaces = 127.0.0.1 : 127.44.0.1
disable_ipv6 = true
daemon_smtp_ports = 25
exim_user = Debian-exim
exim_group = Debian-exim
never_users = root
log_file_path = /var/log/exim4/%slog
log_selector = +smtp_protocol_error +smtp_syntax_error
timezone = UTC
keep_environment =
message_size_limit = 20000
received_headers_max = 30
bounce_return_size_limit = 2K
smtp_accept_max = 200
smtp_accept_max_per_connection = 200
smtp_accept_queue_per_connection = 0
recipients_max = 100
remote_max_parallel = 4
queue_run_max = 4
acl_smtp_helo = acl_helo
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
auth_advertise_hosts = *
tls_advertise_hosts =

begin acl
acl_helo:
  accept
acl_rcpt:
  accept hosts = +relay_from_hosts
  deny   condition = ${if eqi{$sender_helo_name}{localhost}}
         message = HELO rejected: you are not me
  deny   dnslists = bl.example.net
         message = $sender_host_address is listed at $dnslist_domain: $dnslist_text
  deny   !verify = reverse_host_lookup
         message = Reverse DNS lookup failed for host $sender_host_address
  deny   sender_domains = blocked.example.net
         message = Sender address rejected: mail from $sender_address_domain is not taken here
  deny   !verify = sender
         message = Sender verify failed: $acl_verify_message
  deny   message = relay not permitted
         domains = !+local_domains
  deny   !verify = recipient
         message = Unknown user
  defer  local_parts = shop
         message = Greylisted for 300 seconds
  accept
acl_data:
  accept hosts = +relay_from_hosts
  deny   condition = ${if match{$h_subject:}{casino}}
         message = This message looks like spam
  accept

begin routers
aliases:
  driver = redirect
  domains = +local_domains
  data = ${if inlist{$local_part}{news:postmaster}{newsletter@example.org}{}}
mailboxes:
  driver = accept
  domains = +local_domains
  local_parts = newsletter : shop : desk
  transport = maildir
# The domain is ours, so nobody else may take it.
nobody:
  driver = redirect
  domains = +local_domains
  allow_fail
  data = :fail: Unrouteable address
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  no_more

begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = /var/mail/$local_part_data/Maildir
  user = mail
  group = mail
remote_smtp:
  driver = smtp
  interface = 127.0.0.1
  helo_data = mail.example.org
  connect_timeout = 2s
  command_timeout = 3s
  hosts_require_tls = @TLS@
  hosts_try_auth = @AUTH@
  hosts_require_auth = @AUTH@
  hosts_avoid_tls = @AUTH@
  dnssec_request_domains =
  hosts_try_dane =
  multi_domain = false

begin retry
@SHORT@ * F,1s,1s
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h

begin authenticators
plain_client:
  driver = plaintext
  public_name = PLAIN
  client_send = ^desk^wrong-password
login_server:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = false
  server_set_id = $auth1
"""
STATUS = {"=>": "sent", "->": "sent", "==": "deferred", "**": "bounced"}
DECISION = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d [\d:]{8}) (?P<queue>\w{6}-\w{6,11}-\w{2,4}) (?P<mark>=>|->|==|\*\*) "
    r"(?P<shown>[^\s:]+)(?: \(.*?\))?(?: <(?P<original>[^>]*)>)?(?P<rest>.*)$")
ARRIVAL = re.compile(r"(?P<queue>\w{6}-\w{6,11}-\w{2,4}) <= (?P<sender>\S+) ")
WORDS = re.compile(r"(?:defer \([-\d]+\)|R=\w+(?: T=\w+)?|DT=\S+|H=\S+ \[[\d.]+\](?::\d+)?|X=\S+|CV=\S+|P=<\S*>)[ :]*")


def configure(world):
    """Writes the one configuration file."""
    hosts = lambda stage: " : ".join(world.address_of[c.domain] for c in world.cases if c.stage == stage) or "192.0.2.1"
    short = [c.domain for c in world.cases if c.short_life] or ["none.invalid"]
    text = CONF.replace("@TLS@", hosts("tls")).replace("@AUTH@", hosts("auth"))
    text = text.replace("@SHORT@ * F,1s,1s", "\n".join(f"{d} * F,1s,1s" for d in short))
    os.makedirs("/etc/exim4", exist_ok=True)
    with open("/etc/exim4/exim4.conf", "w", encoding="utf-8") as f:
        f.write(text.lstrip("\n"))
    for folder in ("/var/spool/exim4", "/var/log/exim4", "/run/exim4"):
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, 902, 902)
    for folder in ("/var/mail", "/var/mail/newsletter", "/var/mail/shop", "/var/mail/desk"):
        os.chown(folder, 8, 8)


def start():
    """Starts the daemon in the foreground and returns its process."""
    return subprocess.Popen(["exim4", "-bdf"])


def long_life():
    """Nothing to do: the retry rule of the domain says how long."""


def submit_locally(sender, recipients, data):
    """As a program on this machine does it."""
    subprocess.run(["exim4", "-f", sender, "-i", "--", *recipients], input=data, check=False)


def flush():
    """Tries the whole queue again, frozen mails too."""
    subprocess.run(["exim4", "-qff"], check=True)


def queued():
    """The recipients that are still in the queue."""
    out = subprocess.run(["exim4", "-bp"], check=True, capture_output=True, text=True).stdout
    return {line.strip() for line in out.splitlines() if re.fullmatch(r"\s{8,}[^\s@]+@\S+", line)}


def decisions(log):
    """Each decision of the log: (line number, time, queue id, sender, recipient, status, text)."""
    senders = {}
    for number, line in enumerate(log.splitlines(), 1):
        if m := ARRIVAL.search(line):
            senders[m["queue"]] = "" if m["sender"] == "<>" else m["sender"]
        if m := DECISION.match(line):
            text = m["rest"].lstrip(": ")
            while (cut := WORDS.match(text)):
                text = text[cut.end():]
            recipient = m["original"] or m["shown"]
            yield number, m["time"], m["queue"], senders.get(m["queue"], ""), recipient, STATUS[m["mark"]], text
