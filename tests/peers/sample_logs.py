"""Log formats of mail servers, one function a format: mails -> (file name, text, expected rows). Written from public documentation.

Pure. Each says by `knows` which fields its format can tell; what it cannot tell is null in the expectation.
"""
import json
from datetime import timedelta

from sample_story import OUR_HOST, OUR_IP, expected, in_time, split, wire

ALL = {"sender", "stage", "host", "ip"}
DAY = "%b %e %H:%M:%S"


def joined(attempt):
    """The lines of a reply in one, as loggers join them."""
    return " ".join(attempt.lines)


def queue_id(mail, letters="0123456789ABCDEF", length=10):
    seed = mail.number * 7919 + mail.when.toordinal() * 31
    return "".join(letters[(seed * (n + 3) // (n + 1)) % len(letters)] for n in range(length))


def sendmail(mails):
    """Sendmail's syslog: from= line, then a to= line a recipient (or several in one), dsn=, reply=, stat=."""
    words = {"timeout": "Connection timed out with {host}.", "nxdomain": "Host unknown (Name server: {domain}.: host not found)"}
    stat = {"5.1.1": "User unknown", "5.2.1": "Service unavailable", None: "Service unavailable"}
    out = []

    def shown(a):
        if a.words:
            text = words[a.words].format(host=a.host, domain=a.recipient.partition("@")[2])
            return "Deferred: " + text if a.result == "deferred" else text
        return a.lines[-1]     # sendmail keeps one line of a reply of several

    for mail in mails:
        ident = "7B2" + queue_id(mail, "0123456789abcdefABCDEFGHIJ", 11)
        out.append((mail.when, f"sendmail[{3000 + mail.number}]: {ident}: from=<{mail.sender}>, size=2417, class=0, nrcpts={len(mail.recipients)}, "
                    f"msgid={mail.message_id}, proto=ESMTP, daemon=MTA, relay=app.example.org [192.0.2.80]"))
        groups = {}
        for a in mail.attempts:
            groups.setdefault((a.when, a.result, joined(a).replace(a.recipient, "")), []).append(a)
        for (when, result, _), same in groups.items():
            a = same[0]
            delay = timedelta(seconds=int((when - mail.when).total_seconds()))
            to = ",".join(f"<{b.recipient}>" for b in same)
            line = f"sm-mta[{3100 + mail.number + a.number}]: {ident}: to={to}, delay={str(delay).zfill(8)}, xdelay=00:00:02, mailer=esmtp, pri={120000 + a.number * 90000}"
            if a.words == "nxdomain":
                line += f", relay={a.recipient.partition('@')[2]}, dsn=5.1.2, stat={shown(a)}"
            elif a.words == "timeout":
                line += f", relay={a.host}. [{a.ip}], dsn=4.0.0, stat={shown(a)}"
            else:
                code, status, _ = split(a)
                status = status or code[0] + ".0.0"
                line += f", relay={a.host}. [{a.ip}], dsn={status}, reply={a.lines[-1]}, stat="
                line += {"sent": "Sent (" + a.lines[-1][10:] + ")", "deferred": "Deferred: " + a.lines[-1]}.get(result) or stat.get(status, "Service unavailable")
            out.append((when, line))
        if any(a.result == "bounced" for a in mail.attempts):
            out.append((mail.attempts[-1].when, f"sm-mta[{3100 + mail.number + mail.attempts[-1].number}]: {ident}: {ident[:-2]}DS: DSN: "
                        + (stat.get(split(mail.attempts[-1])[1], "Service unavailable") if mail.attempts[-1].lines else "Host unknown")))
    rows = expected(mails, shown, {"sender", "host", "ip"})
    for row in rows:     # without an answer of a name server there is no relay
        if row["cause"] == "domain-not-found":
            row["refused_by_host"] = row["refused_by_ip"] = None
    end = max(when for when, _ in out) + timedelta(minutes=1)
    inside = [("lee@example.net", "someone@elsewhere.example", "550 5.7.1 <someone@elsewhere.example>... Relaying denied", "relay-denied"),
              ("kim@example.net", "nobody@example.org", "550 5.1.1 <nobody@example.org>... User unknown", "recipient-unknown")]
    for n, (sender, recipient, reply, cause) in enumerate(inside):
        when = end + timedelta(seconds=n)
        ident = f"7B2x{n}Qa4Zk{4400 + n}"
        out.append((when, f"sm-mta[{4400 + n}]: {ident}: ruleset=check_rcpt, arg1=<{recipient}>, relay=client.example.net [203.0.113.200], reject={reply}"
                    if n == 0 else f"sm-mta[{4400 + n}]: {ident}: <{recipient}>... User unknown"))
        out.append((when, f"sm-mta[{4400 + n}]: {ident}: from=<{sender}>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=client.example.net [203.0.113.200]"))
        rows.append({"recipient": recipient, "sender": sender, "stage": "rcpt", "refused_by_host": None, "refused_by_ip": None,
                     "reply": reply if n == 0 else f"<{recipient}>... User unknown", "outcome": "rejected-by-us", "attempts": 1, "cause": cause,
                     "first_time": f"{when:%Y-%m-%dT%H:%M:%SZ}", "last_time": f"{when:%Y-%m-%dT%H:%M:%SZ}", "also_accept": []})
    out.sort(key=lambda o: o[0])
    return "maillog", "".join(f"{when.strftime(DAY)} mail {text}\n" for when, text in out), rows


def qmail(mails):
    """qmail-send's log as multilog writes it: TAI64N labels, underscores for spaces, slashes for line ends."""
    out = []

    def text(a):
        if a.words == "timeout":
            return "Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/"
        if a.words == "nxdomain":
            return f"Sorry,_I_couldn't_find_any_host_named_{a.recipient.partition('@')[2]}._(#5.1.2)/"
        reply = "/".join(line.replace(" ", "_") for line in a.lines)
        if a.result == "sent":
            return f"{a.ip}_accepted_message./Remote_host_said:_{reply}/"
        if a.stage == "mail":
            return f"Connected_to_{a.ip}_but_sender_was_rejected./Remote_host_said:_{reply}/"
        if a.stage == "rcpt":
            return f"{a.ip}_does_not_like_recipient./Remote_host_said:_{reply}/Giving_up_on_{a.ip}./"
        return f"{a.ip}_failed_after_I_sent_the_message./Remote_host_said:_{reply}/"

    deliveries = 0
    ended = {}
    for mail in mails:
        number = 40000 + mail.number * 13
        out.append((mail.when, f"new msg {number}"))
        out.append((mail.when, f"info msg {number}: bytes 2417 from <{mail.sender}> qp {5000 + mail.number} uid 64011"))
    for a in in_time(mails):
        deliveries += 1
        number = 40000 + a.mail.number * 13
        out.append((a.when, f"starting delivery {deliveries}: msg {number} to remote {a.recipient}"))
        out.append((a.when, "status: local 0/10 remote 1/20"))
        word = {"sent": "success", "deferred": "deferral", "bounced": "failure"}[a.result]
        out.append((a.when + timedelta(milliseconds=400), f"delivery {deliveries}: {word}: {text(a)}"))
        out.append((a.when + timedelta(milliseconds=400), "status: local 0/10 remote 0/20"))
        ended.setdefault(a.mail.number, {})[a.recipient] = a
        if a is a.mail.attempts[-1] and all(x.result != "deferred" for x in ended[a.mail.number].values()):
            if any(x.result == "bounced" for x in ended[a.mail.number].values()):
                out.append((a.when + timedelta(milliseconds=600), f"bounce msg {number} qp {6000 + deliveries}"))
            out.append((a.when + timedelta(milliseconds=700), f"end msg {number}"))

    def label(when):
        return f"@{(1 << 62) + 10 + int(when.timestamp()):016x}{when.microsecond * 1000:08x}"

    def shown(a):
        return wire(a) if a.lines else text(a).rstrip("/").replace("_", " ")
    rows = expected(mails, shown, {"sender", "stage", "ip"})
    for row in rows:
        if not row["reply"][:3].isdigit():
            row["refused_by_ip"] = None
    out.sort(key=lambda o: o[0])
    return "current", "".join(f"{label(when)} {line}\n" for when, line in out), rows


def _postfix_lines(mails):
    """(time, program, text) as Postfix says it."""
    stages = {"connect": "", "mail": "MAIL FROM command", "rcpt": "RCPT TO command", "body": "end of DATA command"}
    for mail in mails:
        ident = queue_id(mail)
        yield mail.when, "postfix/qmgr", f"{ident}: from=<{mail.sender}>, size=2417, nrcpt={len(mail.recipients)} (queue active)"
    for a in in_time(mails):
        ident, delay = queue_id(a.mail), round((a.when - a.mail.when).total_seconds())
        relay = f"{a.host}[{a.ip}]:25" if a.lines else "none"
        code, status, _ = split(a) if a.lines else ("450", {"timeout": "4.4.1", "nxdomain": "5.4.4"}[a.words], None)
        yield a.when, "postfix/smtp", (f"{ident}: to=<{a.recipient}>, relay={relay}, delay={delay}, delays={delay - 1}/0.01/0.4/0.6, "
                                       f"dsn={status or code[0] + '.0.0'}, status={a.result} ({postfix_words(a, stages)})")
        if a is a.mail.attempts[-1] and a.result != "deferred":
            if any(x.result == "bounced" for x in a.mail.attempts):
                yield a.when, "postfix/bounce", f"{ident}: sender non-delivery notification: {ident[::-1]}"
            yield a.when, "postfix/qmgr", f"{ident}: removed"


def postfix_words(a, stages):
    """What stands between the brackets of status=."""
    domain = a.recipient.partition("@")[2]
    if a.words == "timeout":
        return f"connect to {a.host}[{a.ip}]:25: Connection timed out"
    if a.words == "nxdomain":
        return f"Host or domain name not found. Name service error for name={domain} type=A: Host not found"
    if a.result == "sent":
        return a.lines[0]
    return f"host {a.host}[{a.ip}] said: {joined(a)} (in reply to {stages[a.stage]})"


def _postfix_rows(mails):
    shown = lambda a: joined(a) if a.lines else postfix_words(a, {})
    return expected(mails, shown, ALL)


def journal_text(mails):
    """`journalctl -o short-iso` of a Postfix unit."""
    lines = sorted(_postfix_lines(mails), key=lambda o: o[0])
    text = "".join(f"{when:%Y-%m-%dT%H:%M:%S+0000} mail {program}[{700 + n % 9}]: {what}\n" for n, (when, program, what) in enumerate(lines))
    return "journal.txt", "-- Journal begins at Sun 2026-11-01 00:00:07 UTC, ends at Mon 2026-11-30 12:00:00 UTC. --\n" + text, _postfix_rows(mails)


def journal_json(mails):
    """`journalctl -o json`: an object a line; a MESSAGE that is not clean UTF-8 is an array of bytes."""
    lines = sorted(_postfix_lines(mails), key=lambda o: o[0])
    out = []
    for n, (when, program, what) in enumerate(lines):
        out.append({"__CURSOR": f"s=5f0c;i={n + 1:x};b=77aa;m={n * 4096:x};t={int(when.timestamp() * 1e6):x};x={n:x}",
                    "__REALTIME_TIMESTAMP": str(int(when.timestamp() * 1_000_000)), "__MONOTONIC_TIMESTAMP": str(9_000_000 + n * 4096),
                    "_BOOT_ID": "77aa00000000000000000000000000aa", "_MACHINE_ID": "11bb00000000000000000000000000bb", "_HOSTNAME": "mail",
                    "PRIORITY": "6", "SYSLOG_FACILITY": "2", "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": program, "SYSLOG_PID": str(700 + n % 9),
                    "_PID": str(700 + n % 9), "_COMM": program.partition("/")[2], "_SYSTEMD_UNIT": "postfix@-.service",
                    "MESSAGE": list(what.encode()) if n % 11 == 5 else what})
    return "journal.jsonl", "".join(json.dumps(o) + "\n" for o in out), _postfix_rows(mails)


def haraka(mails):
    """Haraka's console log of its outbound side; it names neither host nor sender where it tells a refusal."""
    out = []

    for a in in_time(mails):
        ident = f"5C{a.mail.number:02d}A4F0-21B7-4D11-9C0E-{a.mail.when:%d%H%M%S}0A0{a.mail.number % 10}.1.{a.number}"
        file = f"{int(a.mail.when.timestamp())}000_{a.number - 1}_812_{a.mail.number:04d}.{OUR_HOST}"
        say = lambda level, text, a=a, ident=ident: out.append((a.when, f"[{level}] [{ident}] [outbound] {text}"))
        if a.result == "sent":
            say("NOTICE", f'delivered file={file} domain={a.recipient.partition("@")[2]} host={a.host} ip={a.ip} port=25 mode=SMTP tls=Y auth=N '
                f'response="{a.lines[0][10:]}" delay={(a.when - a.mail.when).total_seconds():.3f} fails={a.number - 1} rcpts=1/0/0')
        elif a.stage == "rcpt":
            say("NOTICE", f"recipient <{a.recipient}> {'deferred' if a.result == 'deferred' else 'rejected'}: {joined_without_codes(a)}")
            if a.result == "deferred":
                say("INFO", f"Temp failing {file} for {64 * 2 ** a.number} seconds: Some recipients temp failed: <{a.recipient}>")
            else:
                say("INFO", f"bouncing mail: Some recipients failed: <{a.recipient}>")
    # What Haraka says of other stages names the queue file alone, so those tries cannot be told from its log.
    named = {(a.recipient, a.when) for m in mails for a in m.attempts if a.stage == "rcpt" or (a.result == "sent" and len(m.recipients) == 1)}
    for mail in mails:
        mail.attempts = [a for a in mail.attempts if (a.recipient, a.when) in named]
    rows = expected([m for m in mails if m.attempts], joined_without_codes, {"stage"})
    return "haraka.log", "".join(f"{when:%Y-%m-%dT%H:%M:%S}.000Z {text}\n" for when, text in out), rows


def joined_without_codes(a):
    """Code and status once, then the texts of all lines."""
    code, status, texts = split(a)
    return f"{code} {status + ' ' if status else ''}" + " ".join(t.removeprefix(f"{status} ") for t in texts)


def zonemta_records(mails):
    for a in in_time(mails):
        shown = joined(a) if a.lines else {"timeout": f"Connection timed out when connecting to {a.host}[{a.ip}]",
                                           "nxdomain": f"DNS Error: Domain name not found: {a.recipient.partition('@')[2]}"}[a.words]
        action = {"sent": "ACCEPTED", "deferred": "DEFERRED", "bounced": "REJECTED"}[a.result]
        category = {"sent": None, "deferred": "greylist" if a.cause == "greylisted" else "network" if a.words else "ratelimit"}.get(
            a.result, {"recipient-unknown": "recipient", "domain-not-found": "dns", "spam-content": "spam", "blocklisted": "blacklist"}.get(a.cause, "policy"))
        yield a, action, category, shown


def zonemta_json(mails):
    """ZoneMTA's remote log entries, an object a line."""
    out, texts = [], {}
    for a, action, category, shown in zonemta_records(mails):
        texts[id(a)] = shown
        record = {"id": f"17{a.mail.number:02d}c0ffee000a{a.mail.number:04d}", "seq": f"{a.mail.recipients.index(a.recipient) + 1:03d}", "action": action,
                  "time": int(a.when.timestamp() * 1000), "zone": "default", "from": a.mail.sender, "returnPath": a.mail.sender, "to": a.recipient,
                  "mx": a.host or a.recipient.partition("@")[2], "host": a.ip, "ip": OUR_IP, "response": shown, "messageId": a.mail.message_id, "size": 2417}
        if category:
            record["category"] = category
        if action == "DEFERRED":
            record.update(defcount=a.number, nextattempt=int((a.when + timedelta(minutes=15)).timestamp() * 1000))
        out.append(record)
    return "zonemta.jsonl", "".join(json.dumps(r) + "\n" for r in out), expected(mails, lambda a: texts[id(a)], {"sender", "host", "ip"})


def zonemta_text(mails):
    """ZoneMTA's own console lines."""
    out, texts = [], {}
    for a, action, category, shown in zonemta_records(mails):
        texts[id(a)] = shown
        ident = f"17{a.mail.number:02d}c0ffee000a{a.mail.number:04d}.{a.mail.recipients.index(a.recipient) + 1:03d}"
        relay = f"{a.host}[{a.ip}]" if a.host else a.recipient.partition("@")[2]
        out.append(f"{a.when:%Y-%m-%dT%H:%M:%S}.000Z info Sender/default/31 id=s{a.mail.number}x{a.number} {ident} {action}{f'[{category}]' if category else ''} "
                   f"from={a.mail.sender} to={a.recipient} src={OUR_IP} mx={relay} id={a.mail.message_id} ({shown})\n")
    return "zonemta.log", "".join(out), expected(mails, lambda a: texts[id(a)], {"sender", "host", "ip"})


def kumomta(mails):
    """KumoMTA's log records, an object a line. The reply is in pieces: code, enhanced_code, content (lines joined with a line feed)."""
    commands = {"connect": None, "mail": "MAIL FROM:<{s}>", "rcpt": "RCPT TO:<{r}>", "body": ".", None: None}
    classes = {"recipient-unknown": "InvalidRecipient", "mailbox-full": "QuotaIssues", "spam-content": "SpamContent", "blocklisted": "SpamBlock",
               "domain-not-found": "BadDomain", "recipient-inactive": "InactiveMailbox"}
    out, texts = [], {}
    for mail in mails:
        out.append((mail.when, {"type": "Reception", "id": f"{mail.number:032x}", "sender": mail.sender, "recipient": mail.recipients[0], "queue": mail.recipients[0].partition("@")[2],
                                "site": "", "size": 2417, "response": {"code": 250, "enhanced_code": None, "content": "", "command": None},
                                "peer_address": {"name": "app.example.org", "addr": "192.0.2.80"}, "timestamp": int(mail.when.timestamp()), "created": int(mail.when.timestamp()),
                                "num_attempts": 0, "bounce_classification": "Uncategorized", "egress_pool": None, "egress_source": None, "feedback_report": None,
                                "meta": {}, "headers": {}, "delivery_protocol": None, "reception_protocol": "ESMTP", "nodeid": "00000000-0000-4000-8000-000000000001"}))
    for a in in_time(mails):
        kind = {"sent": "Delivery", "deferred": "TransientFailure", "bounced": "Bounce"}[a.result]
        if a.lines:
            code, status, lines = split(a)
            content = "\n".join(t.removeprefix(f"{status} ") for t in lines)
            parts = dict(zip(("class", "subject", "detail"), map(int, status.split(".")))) if status else None
        else:
            code, parts, status = ("400", {"class": 4, "subject": 4, "detail": 1}, "4.4.1") if a.words == "timeout" else ("550", {"class": 5, "subject": 4, "detail": 4}, "5.4.4")
            content = (f"KumoMTA internal: failed to connect to any candidate hosts: connect to {a.host}:{a.ip}:25: connection timed out" if a.words == "timeout"
                       else f"KumoMTA internal: failed to resolve {a.recipient.partition('@')[2]}: NXDOMAIN")
        texts[id(a)] = f"{code} {status + ' ' if status else ''}{content}"
        command = commands[a.stage if a.result != "sent" else "body"]
        out.append((a.when, {"type": kind, "id": f"{a.mail.number:032x}", "sender": a.mail.sender, "recipient": a.recipient, "queue": a.recipient.partition("@")[2],
                             "site": f"unspecified->(mx1|mx2).{a.recipient.partition('@')[2]}@smtp_client", "size": 2417,
                             "response": {"code": int(code), "enhanced_code": parts, "content": content,
                                          "command": command and command.format(s=a.mail.sender, r=a.recipient)},
                             "peer_address": {"name": a.host + ".", "addr": a.ip} if a.lines else None, "timestamp": int(a.when.timestamp()),
                             "created": int(a.mail.when.timestamp()), "num_attempts": a.number - 1,
                             "bounce_classification": classes.get(a.cause, "Uncategorized"), "egress_pool": "unspecified", "egress_source": "unspecified",
                             "source_address": {"address": f"{OUR_IP}:{40000 + a.mail.number}"}, "feedback_report": None, "meta": {}, "headers": {"Subject": a.mail.subject},
                             "delivery_protocol": "ESMTP", "reception_protocol": "ESMTP", "nodeid": "00000000-0000-4000-8000-000000000001"}))
    rows = expected(mails, lambda a: texts[id(a)], ALL)
    for row in rows:
        if "KumoMTA internal" in row["reply"]:
            row["stage"] = row["refused_by_host"] = row["refused_by_ip"] = None
    out.sort(key=lambda o: o[0])
    return "kumomta.jsonl", "".join(json.dumps(r) + "\n" for _, r in out), rows
