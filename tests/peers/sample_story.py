"""The made-up day that each hand-made sample tells: mails, attempts, and what the truth about each refusal is.

Every format gets the same kinds of mail (several recipients, deferred and then delivered, deferred for good, deferred and then
bounced, no answer, no such domain, a reply of several lines, refused after the data for two recipients) with other texts, hosts
and times, so that no reader of one format is tried on the texts of another. Pure: no file, no clock, no chance.
"""
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

OUR_HOST, OUR_IP = "mail.example.org", "192.0.2.25"
SENDERS = ("news@example.org", "shop@example.org", "desk@example.org")

# (stage, lines, cause, other causes that can be defended). {r} recipient, {s} sender.
RCPT = [
    (["550 5.1.1 <{r}>... User unknown"], "recipient-unknown", []),
    (["550 5.2.1 Mailbox disabled, not accepting messages"], "recipient-inactive", []),
    (["554 5.7.1 Client host 192.0.2.25 blocked by zen.spamhaus.org, see https://check.spamhaus.org/"], "blocklisted", []),
    (["550 5.7.1 <{r}>... Relaying denied"], "relay-denied", []),
    (["552 5.2.2 The mailbox of {r} is over its quota"], "mailbox-full", []),
    (["550 5.7.1 The recipient only takes mail from permitted senders"], "recipient-restricted", []),
    (["550 5.1.1 Unknown recipient"], "recipient-unknown", []),
    (["550 5.7.25 The IP address 192.0.2.25 has no PTR record, reverse DNS is required"], "reverse-dns", []),
    (["550 5.7.1 SPF check failed: 192.0.2.25 is not allowed to send for example.org"], "spf-fail", []),
    (["551 5.1.6 This user has moved, try new.{r}"], "recipient-moved", []),
    (["550 5.7.1 192.0.2.25 is listed by bl.spamcop.net"], "blocklisted", []),
    (["550 No such mailbox at this domain"], "recipient-unknown", []),
    (["554 5.7.1 Your network is on our own block list, write to postmaster to be let in"], "blocked-by-receiver", []),
]
OTHER = [
    ("mail", ["550 5.7.1 <{s}>: sender rejected, mail from this address is blocked here"], "blocked-by-receiver", ["sender-invalid"]),
    ("body", ["554 5.7.1 This message looks like spam to our filter"], "spam-content", []),
    ("body", ["550 5.7.1 Message fails the DMARC policy of example.org"], "dmarc-fail", []),
    ("mail", ["553 5.1.8 <{s}>... Domain of sender address does not exist"], "sender-invalid", []),
    ("body", ["552 5.3.4 Message size exceeds the limit of this server"], "message-too-large", []),
    ("body", ["554 5.7.0 The attachment invoice.zip contains a virus"], "malicious-content", []),
    ("body", ["550 5.7.1 Attachments of type .js are not permitted"], "banned-content", []),
    ("mail", ["530 5.7.0 Authentication required"], "auth-required", []),
    ("body", ["550 5.6.0 Message has two From headers and is not RFC 5322 compliant"], "malformed-message", []),
    ("body", ["554 5.4.6 Too many hops, mail loop detected"], "routing-loop", []),
    ("body", ["550 5.7.26 Unauthenticated mail from example.org is refused: neither SPF nor DKIM passed"], "unauthenticated", []),
    ("body", ["554 Delivery error"], "unknown", []),
    ("body", ["550 5.7.1 Rejected for policy reasons"], "policy", []),
    ("mail", ["550 5.4.5 You have reached your daily sending quota"], "own-quota", []),
    ("body", ["550 5.7.20 The DKIM signature of this message does not verify"], "dkim-fail", []),
    ("body", ["554 5.7.1 The URL shop.example.com in this message is listed by multi.surbl.org"], "blocklisted", []),
]
LATER = [
    ("rcpt", ["451 4.7.1 Greylisted, please try again in five minutes"], "greylisted", []),
    ("mail", ["421 4.7.28 Too much mail from 192.0.2.25, rate limited for now"], "sender-rate-limit", []),
    ("rcpt", ["452 4.2.2 <{r}> mailbox full"], "mailbox-full", []),
    ("rcpt", ["450 4.7.1 Greylisting in action, come back later"], "greylisted", []),
    ("mail", ["451 4.7.650 192.0.2.25 is temporarily rate limited because of its poor reputation"], "poor-reputation", ["sender-rate-limit"]),
    ("body", ["452 4.3.1 Insufficient disk space, try again later"], "system-error", []),
    ("rcpt", ["450 4.2.1 This user is receiving too many messages at the moment"], "recipient-rate-limit", []),
    ("rcpt", ["450 4.7.25 Client host rejected: cannot find the reverse hostname of 192.0.2.25"], "reverse-dns", []),
    ("body", ["451 4.3.0 Local error in processing, try again"], "system-error", []),
]
LONG = [
    ("body", ["550-5.7.1 This mail is likely unsolicited.", "550-5.7.1 It was blocked to protect our users.", "550 5.7.1 Treated as spam, see our page for senders."], "spam-content", []),
    ("rcpt", ["550-5.1.1 The account that you tried to reach", "550-5.1.1 does not exist, please check", "550 5.1.1 the address for typing errors"], "recipient-unknown", []),
    ("rcpt", ["550-Verification failed for <{s}>", "550-No such mailbox behind the sender address", "550 Sender verify failed"], "sender-invalid", []),
    ("body", ["552-5.7.0 Blocked: the attachment setup.exe", "552 5.7.0 is of a type that we do not accept"], "banned-content", []),
]
ACCEPTED = ["250 2.0.0 Ok: queued as 4GxYzT1abc"]
SITES = ("alpha", "bravo", "delta", "echo", "foxtrot", "golf", "hotel", "india", "kilo", "lima", "mike", "oscar", "papa", "quebec")
NAMES = ("adam", "bea", "curt", "dana", "eric", "fay", "gus", "hope", "ivan", "jill", "kai", "lou", "mona", "ned", "opal", "pete", "rita", "sam")


@dataclass
class Attempt:
    """One try for one recipient."""
    mail: "Mail"
    recipient: str
    when: datetime
    number: int                # from 1
    result: str                # sent, deferred, bounced, suppressed
    stage: str | None
    lines: list                # the reply; empty when nobody spoke
    words: str | None          # what our own side says when nobody spoke
    host: str | None
    ip: str | None
    cause: str | None
    also: list


@dataclass
class Mail:
    """One mail and its attempts, in the order of time."""
    number: int
    sender: str
    recipients: list
    when: datetime
    subject: str
    attempts: list = field(default_factory=list)

    @property
    def message_id(self):
        return f"<{self.when:%Y%m%d%H%M%S}.{self.number}@{OUR_HOST}>"


def tell(turn, suppressed=False, rcpt_only=False):
    """The mails of the format with this number; `rcpt_only` for formats that name the recipient at that stage alone."""
    start = datetime(2026, 11, 2, 8, 0, 0, tzinfo=timezone.utc) + timedelta(days=turn % 20, minutes=turn * 7)
    story = _Story(turn, start)
    rcpt = lambda n: ("rcpt", *RCPT[(turn * 3 + n) % len(RCPT)])
    others = [("rcpt", *r) for r in RCPT] if rcpt_only else OTHER
    laters = [x for x in LATER if x[0] == "rcpt"] if rcpt_only else LATER
    other = lambda n: others[(turn * 5 + n) % len(others)]
    later = lambda n: laters[(turn * 2 + n) % len(laters)]
    several = LONG[1 + turn % 2] if rcpt_only else LONG[turn % len(LONG)]
    story.mail(3, [[("sent", None)], [("bounced", rcpt(0))], [("bounced", rcpt(1))]])
    story.mail(1, [[("deferred", later(0)), ("sent", None)]])
    story.mail(1, [[("deferred", later(1))] * 3])
    story.mail(1, [[("deferred", later(2)), ("bounced", rcpt(2))]])
    story.mail(1, [[("sent", None)]])
    story.mail(1, [[("bounced", several)]])
    story.mail(1, [[("deferred", "timeout")] * 2])
    story.mail(1, [[("bounced", "nxdomain")]])
    for n in range(4):
        story.mail(1, [[("bounced", other(n))]])
    both = next(other(n) for n in range(4, 20) if rcpt_only or other(n)[0] == "body")
    story.mail(2, [[("bounced", both)], [("bounced", both)]])
    if suppressed:
        story.mail(1, [[("suppressed", "bounced before")]])
        story.mail(1, [[("suppressed", "complained before")]])
    return story.mails


class _Story:
    def __init__(self, turn, start):
        self.turn, self.when, self.mails, self.people = turn, start, [], 0

    def mail(self, count, fates):
        number = len(self.mails) + 1
        site = (self.turn * 3 + number) % len(SITES)
        domain = f"{SITES[site]}.example"
        host, ip = f"mx{1 + number % 2}.{domain}", f"{('198.51.100', '203.0.113')[number % 2]}.{10 + site * 3 + number % 3}"
        recipients = []
        for _ in range(count):
            recipients.append(f"{NAMES[(self.turn * 7 + self.people) % len(NAMES)]}{self.people}@{domain}")
            self.people += 1
        self.when += timedelta(minutes=3, seconds=11)
        mail = Mail(number, SENDERS[number % 3], recipients, self.when, f"Order {2000 + self.turn * 20 + number}")
        for recipient, fate in zip(recipients, fates):
            for index, (result, what) in enumerate(fate):
                # Tries a quarter of an hour apart, so that one hour of log holds all of them out of the order of the mails.
                when = self.when + timedelta(seconds=2, minutes=15 * index)
                stage, lines, cause, also, words = None, [], None, [], None
                at, where = host, ip
                if result == "suppressed":
                    cause, words, at, where = "suppressed", what, None, None
                elif what == "timeout":
                    stage, cause, words, also = "connect", "unreachable", "timeout", ["egress-blocked"]
                elif what == "nxdomain":
                    cause, words, at, where = "domain-not-found", "nxdomain", None, None
                elif result == "sent":
                    lines = ACCEPTED
                else:
                    stage, texts, cause, also = what
                    lines = [t.replace("{r}", recipient).replace("{s}", mail.sender) for t in texts]
                mail.attempts.append(Attempt(mail, recipient, when, index + 1, result, stage, lines, words, at, where, cause, also))
        mail.attempts.sort(key=lambda a: (a.when, recipients.index(a.recipient)))
        self.mails.append(mail)


def in_time(mails):
    """All attempts, oldest first."""
    return sorted((a for m in mails for a in m.attempts), key=lambda a: (a.when, a.mail.number))


def expected(mails, shown, knows, final_only=False, deferrals=True):
    """The rows of expected.jsonl. `shown(attempt)` is the reply as the format shows it, or None; `knows` names the fields that the
    format can tell (sender, stage, host, ip); `final_only`: it keeps the last word alone."""
    rows = []
    for mail in mails:
        for recipient in mail.recipients:
            tries = [a for a in mail.attempts if a.recipient == recipient]
            kept = tries[-1:] if final_only else [a for a in tries if deferrals or a.result != "deferred"]
            no = [a for a in kept if a.result != "sent"]
            if not no:
                continue
            last, end = no[-1], kept[-1]
            reply = shown(last)
            rows.append((end.when, mail.number, mail.recipients.index(recipient), {
                "recipient": recipient, "sender": mail.sender if "sender" in knows else None,
                "stage": last.stage if "stage" in knows else None,
                "refused_by_host": last.host if "host" in knows else None, "refused_by_ip": last.ip if "ip" in knows else None,
                "reply": reply,
                "outcome": {"sent": "delivered-after-deferral", "suppressed": "bounced"}.get(end.result, end.result),
                "attempts": None if final_only else len(kept), "cause": last.cause if reply is not None else None,
                "first_time": f"{kept[0].when:%Y-%m-%dT%H:%M:%SZ}", "last_time": f"{end.when:%Y-%m-%dT%H:%M:%SZ}", "also_accept": last.also}))
    return [row for *_, row in sorted(rows, key=lambda r: r[:3])]


def wire(attempt):
    """Every line of the reply as on the wire."""
    return "\n".join(attempt.lines)


def split(attempt):
    """Code, enhanced status (or None) and the texts of a reply."""
    code, status, texts = attempt.lines[-1][:3], None, []
    for line in attempt.lines:
        text = line[4:]
        first, _, rest = text.partition(" ")
        if first.count(".") == 2 and first.replace(".", "").isdigit():
            status, text = first, rest
        texts.append(text)
    return code, status, texts
