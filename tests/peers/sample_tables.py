"""Tables (CSV) of mail servers and of hosted mail, one function a format: mails -> (file name, text, expected rows). Pure."""
import csv
import io
from datetime import timedelta

from sample_logs import joined
from sample_story import OUR_HOST, OUR_IP, expected, in_time, split


def table(head, rows):
    """RFC 4180 with CR LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if head:
        writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def powermta(mails):
    """PowerMTA's accounting file: d delivered, b bounced, t transient."""
    head = ("type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,dlvSourceIp,"
            "dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool").split(",")
    categories = {"recipient-unknown": "bad-mailbox", "mailbox-full": "quota-issues", "spam-content": "spam-related", "blocklisted": "spam-related",
                  "domain-not-found": "bad-domain", "recipient-inactive": "inactive-mailbox", "malicious-content": "virus-related", "unreachable": "no-answer-from-host",
                  "relay-denied": "relaying-issues", "policy": "policy-related"}
    meanings = {"5.1.1": "bad destination mailbox address", "5.2.2": "mailbox full", "5.7.1": "delivery not authorized", "4.4.1": "no answer from host", "2.0.0": "success",
                "5.1.2": "bad destination system address"}
    rows, texts = [], {}
    for a in in_time(mails):
        if a.lines:
            code, status, _ = split(a)
            status, shown, mta = status or f"{code[0]}.0.0", joined(a), f"{a.host} ({a.ip})"
        else:
            status, mta = {"timeout": "4.4.1", "nxdomain": "5.1.2"}[a.words], ""
            shown = {"timeout": "", "nxdomain": "550 5.1.2 unable to find the host of this domain"}[a.words]
        diag = f"smtp;{shown}" if shown else ""
        texts[id(a)] = shown or f"{status} (no answer from host)"
        rows.append([{"sent": "d", "deferred": "t", "bounced": "b"}[a.result], f"{a.when:%Y-%m-%d %H:%M:%S}+0000", f"{a.mail.when:%Y-%m-%d %H:%M:%S}+0000",
                     a.mail.sender, a.recipient, "", {"sent": "relayed", "deferred": "delayed", "bounced": "failed"}[a.result],
                     f"{status} ({meanings.get(status, 'undefined status')})", diag, mta, "" if a.result == "sent" else categories.get(a.cause, "other"),
                     "smtp", "app.example.org (192.0.2.80)", "smtp", OUR_IP, a.ip if a.lines else "", "ENHANCEDSTATUSCODES,PIPELINING,8BITMIME,SIZE,STARTTLS", 2417,
                     "vmta1", f"job{a.mail.number}", "", f"{a.recipient.partition('@')[2]}/vmta1", "pool1"])
    result = expected(mails, lambda a: texts[id(a)], {"sender", "host", "ip"})
    for row in result:
        if row["cause"] in ("unreachable", "domain-not-found"):
            row["refused_by_host"] = row["refused_by_ip"] = None
    return "acct.csv", table(head, rows), result


TRACKING = ("date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,"
            "network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,"
            "sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,"
            "log-id,schema-version").split(",")


def _led(a, when):
    """Exchange's last-error field."""
    if a.lines:
        return f"[{{LRT={when:%m/%d/%Y %I:%M:%S %p}}};{{LED={joined(a)}}};{{FQDN={a.host}}};{{IP={a.ip}}}]"
    text = {"timeout": f"441 4.4.1 Error communicating with target host: \"Failed to connect. Winsock error code: 10060, Win32 error code: 10060.\"",
            "nxdomain": "554 5.4.4 DnsDomainDoesNotExist"}[a.words]
    host, ip = (a.host, a.ip) if a.words == "timeout" else (a.recipient.partition("@")[2], "")
    return f"[{{LRT={when:%m/%d/%Y %I:%M:%S %p}}};{{LED={text}}};{{FQDN={host}}};{{IP={ip}}}]"


def _tracking_rows(mails):
    guid = lambda m: f"0d{m.number:02x}{m.when:%d%H%M}-4a1c-4f0e-0001-08decafe{m.number:04d}"
    log = 0
    events = []
    for m in mails:
        events.append((m.when, m, "RECEIVE", ";".join(m.recipients), "", "STOREDRIVER", None))
        groups = {}
        for a in m.attempts:
            groups.setdefault((a.when, a.result), []).append(a)
        for (when, result), same in groups.items():
            name = {"sent": "SEND", "deferred": "DEFER", "bounced": "FAIL"}[result]
            status = ";".join(joined(a) if result == "sent" else _led(a, when) for a in same)
            events.append((when, m, name, ";".join(a.recipient for a in same), status, "DNS" if same[0].words == "nxdomain" else "SMTP", same[0]))
            if result == "bounced":
                events.append((when + timedelta(seconds=1), m, "DSN", m.sender, "", "DSN", None))
    for when, m, name, recipients, status, source, a in sorted(events, key=lambda e: e[0]):
        log += 1
        server = (a.ip, a.host) if a and a.lines else ("", "MBX1")
        yield dict(zip(TRACKING, [
            f"{when:%Y-%m-%dT%H:%M:%S}.{m.number:03d}Z", "192.0.2.25", "MBX1", server[0], server[1], f"08DECAFE0000{m.number:04d}", "To the Internet" if a else "",
            source, name, 9000 + m.number, m.message_id, guid(m), recipients, status, 2417, len(m.recipients), "", "", m.subject,
            m.sender if name != "DSN" else "", m.sender if name != "DSN" else "<>", "", "Originating", "", "192.0.2.80", "", "S:DeliveryPriority=Normal", "Email", f"{log:08d}-0000-0000-0000-0000000000ff", "15.01.2507.000"]))


def exchange_tracking(mails):
    """Exchange's message tracking log (MSGTRK)."""
    head = ("#Software: Microsoft Exchange Server\r\n#Version: 15.01.2507.000\r\n#Log-type: Message Tracking Log\r\n"
            f"#Date: {mails[0].when:%Y-%m-%dT%H:%M:%S}.000Z\r\n#Fields: {','.join(TRACKING)}\r\n")
    return "MSGTRK.LOG", head + table(None, [list(r.values()) for r in _tracking_rows(mails)]), _led_rows(mails)


def _led_rows(mails):
    def shown(a):
        return _led(a, a.when).partition("{LED=")[2].partition("};{FQDN=")[0]
    rows = expected(mails, shown, {"sender", "host", "ip"})
    return rows


def m365_extended(mails):
    """Microsoft 365's extended message trace: the tracking fields with underscores, UTF-16 in the wild, UTF-8 here."""
    keep = [f for f in TRACKING if f not in ("log-id", "schema-version", "transport-traffic-type")]
    head = ["date_time_utc" if f == "date-time" else f.replace("-", "_") for f in keep]
    return "extended.csv", "\ufeff" + table(head, [[r[f] for f in keep] for r in _tracking_rows(mails)]), _led_rows(mails)


def m365_summary(mails):
    """Microsoft 365's summary trace: a row a mail, the last word on each recipient, no reply."""
    head = ("origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,"
            "directionality,connector_id,delivery_priority").split(",")
    rows = []
    for m in mails:
        words = {"sent": "Receive, Send", "deferred": "Receive, Defer", "bounced": "Receive, Fail"}
        last = {a.recipient: a for a in m.attempts}
        rows.append([f"{m.when:%Y-%m-%dT%H:%M:%S}.0000000Z", m.sender, ";".join(f"{r}##{words[last[r].result]}" for r in m.recipients), m.subject, 2417, m.message_id,
                     f"0d{m.number:02x}{m.when:%d%H%M}-4a1c-4f0e-0001-08decafe{m.number:04d}", "192.0.2.80", "Originating", "", "Normal"])
    result = expected(mails, lambda a: None, {"sender"}, final_only=True)
    result = [r for r in result if r["outcome"] != "delivered-after-deferral"]
    by_recipient = {r: m for m in mails for r in m.recipients}
    for row in result:     # the only time is that of the mail
        row["first_time"] = row["last_time"] = f"{by_recipient[row['recipient']].when:%Y-%m-%dT%H:%M:%SZ}"
    result.sort(key=lambda r: r["last_time"])
    return "summary.csv", "\ufeff" + table(head, rows), result


def workspace(mails):
    """Google Workspace's email log search export."""
    head = ["Message ID", "Start date", "End date", "Sender", "Message size", "Subject", "Direction", "Attachments", "Recipient address", "Event target", "Event date",
            "Event status", "Event target IP address", "Has encryption", "Event SMTP reply code", "Event description", "Client Type", "Device User Session ID"]
    stamp = lambda when: f"{when:%Y/%m/%d %H:%M:%S} UTC"
    rows, texts = [], {}
    for a in in_time(mails):
        code = split(a)[0] if a.lines else ""
        texts[id(a)] = joined(a) if a.lines else {"timeout": "Connection timed out.", "nxdomain": "DNS error: domain name not found."}[a.words]
        end = a.mail.attempts[-1].when
        rows.append([a.mail.message_id, stamp(a.mail.when), stamp(end), a.mail.sender, 2417, a.mail.subject, "Sent", 0, a.recipient, "SMTP_OUT", stamp(a.when),
                     {"sent": "DELIVERED", "deferred": "TEMPORARY_FAILURE", "bounced": "REJECTED"}[a.result], a.ip or "", "Encrypted" if a.lines else "Not encrypted", code,
                     texts[id(a)] if a.result != "sent" else "", "WEB", ""])
    return "email-log-search.csv", table(head, rows), expected(mails, lambda a: texts[id(a)], {"sender", "ip"})


PROTOCOL = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"


def _protocol(kind, start, sessions):
    head = (f"#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: SMTP {kind} Protocol Log\r\n#Date: {start:%Y-%m-%dT%H:%M:%S}.000Z\r\n"
            f"#Fields: {PROTOCOL}\r\n")
    rows = []
    for session, (when, connector, local, remote, lines) in enumerate(sessions):
        for n, (event, data, context) in enumerate(lines):
            rows.append((when, [f"{when:%Y-%m-%dT%H:%M:%S}.{n * 7:03d}Z", connector, f"08DECAFE{session:08X}", n, local, remote, event, data, context]))
    return head + table(None, [r for _, r in sorted(rows, key=lambda r: r[0])])


def exchange_send(mails):
    """Exchange's SmtpSend protocol log: whole dialogues. > we say, < they say."""
    sessions = []
    for m in mails:
        groups = {}
        for a in m.attempts:
            groups.setdefault(a.when, []).append(a)
        for when, same in groups.items():
            a = same[0]
            if a.words == "nxdomain":
                continue      # no session is opened, so this log says nothing
            local, remote = f"192.0.2.25:{20000 + m.number}", f"{a.ip}:25"
            lines = [("*", "", "attempting to connect")]
            if a.words == "timeout":
                lines.append(("*", "", f'"Failed to connect. Winsock error code: 10060, Win32 error code: 10060, Destination domain: {a.recipient.partition("@")[2]}, Error Message: A connection attempt failed because the connected party did not properly respond after a period of time {remote}"'))
                sessions.append((when, "To the Internet", "", remote, lines))
                continue
            lines += [("+", "", ""), ("<", f"220 {a.host} ESMTP", ""), (">", f"EHLO {OUR_HOST}", ""), ("<", f"250  {a.host} SIZE 35882577 8BITMIME PIPELINING", ""),
                      ("*", "", f"sending message with RecordId {900000 + m.number} and InternetMessageId {m.message_id}"), (">", f"MAIL FROM:<{m.sender}> SIZE=2417", "")]
            if a.stage == "mail" and a.result != "sent":
                lines.append(("<", joined(a), ""))
            else:
                lines.append(("<", "250 2.1.0 Sender OK", ""))
                for b in same:
                    lines += [(">", f"RCPT TO:<{b.recipient}>", ""), ("<", joined(b) if b.stage == "rcpt" and b.result != "sent" else "250 2.1.5 Recipient OK", "")]
                through = [b for b in same if b.result == "sent" or b.stage == "body"]
                if through:
                    lines += [(">", "DATA", ""), ("<", "354 Start mail input; end with <CRLF>.<CRLF>", ""), ("<", joined(through[0]), "")]
            lines += [(">", "QUIT", ""), ("<", "221 2.0.0 Bye", ""), ("-", "", "Local")]
            sessions.append((when, "To the Internet", local, remote, lines))
    dialogue = [m for m in mails if all(a.words is None for a in m.attempts)]
    rows = expected(dialogue, joined, {"sender", "stage", "host", "ip"})
    for row in rows:
        if row["stage"] == "mail":
            row["recipient"] = None      # refused before the dialogue named one
    # The time-out names a domain and no recipient, so it is nobody's refusal in this log.
    return "SEND.LOG", _protocol("Send", mails[0].when, sessions), rows


def exchange_receive(mails):
    """Exchange's SmtpReceive protocol log: what our own server refused. < they say, > we say."""
    start = mails[0].when
    cases = [
        ("kim@example.net", "someone@elsewhere.example", "rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "relay-denied"),
        ("kim@example.net", "nobody@example.org", "rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "recipient-unknown"),
        ("ads@blocked.example", None, "mail", "554 5.1.0 Sender denied as sender's email address is on SenderFilterConfig list", "blocked-by-receiver"),
        ("win@example.net", "desk@example.org", "rcpt", "550 5.7.1 Recipient not authorized, your IP 203.0.113.77 has been found in block list bl.example.net", "blocklisted"),
        ("lee@example.net", None, "mail", "530 5.7.57 Client not authenticated to send mail.", "auth-required"),
        ("kim@example.net", None, "mail", "552 5.3.4 Message size exceeds fixed maximum message size", "message-too-large"),
        (None, None, "auth", "535 5.7.3 Authentication unsuccessful", "auth-failed"),
        ("kim@example.net", "desk@example.org", "body", "554 5.6.0 Invalid message content", "malformed-message"),
        ("kim@example.net", "list@example.org", "rcpt", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "recipient-restricted"),
        ("kim@example.net", "desk@example.org", "body", "550 5.7.1 Message rejected as spam by Content Filtering.", "spam-content"),
    ]
    sessions, rows = [], []
    for n, (sender, recipient, stage, reply, cause) in enumerate(cases):
        when, ip = start + timedelta(minutes=n * 2), f"203.0.113.{70 + n}"
        lines = [("+", "", ""), (">", f"220 {OUR_HOST} Microsoft ESMTP MAIL Service ready", ""), ("<", "EHLO client.example.net", ""),
                 (">", f"250  {OUR_HOST} Hello [{ip}] SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES AUTH LOGIN 8BITMIME CHUNKING", "")]
        if stage == "auth":
            lines += [("<", "AUTH LOGIN", ""), (">", "334 <authentication response>", ""), ("*", "", "Inbound AUTH LOGIN failed because of LogonDenied"), (">", reply, "")]
        else:
            lines += [("<", f"MAIL FROM:<{sender}> SIZE=2417", ""), (">", reply if stage == "mail" else "250 2.1.0 Sender OK", "")]
            if stage in ("rcpt", "body"):
                lines += [("<", f"RCPT TO:<{recipient}>", ""), (">", reply if stage == "rcpt" else "250 2.1.5 Recipient OK", "")]
            if stage == "body":
                lines += [("<", "DATA", ""), (">", "354 Start mail input; end with <CRLF>.<CRLF>", ""), (">", reply, "")]
        lines += [("<", "QUIT", ""), (">", "221 2.0.0 Service closing transmission channel", ""), ("-", "", "Local")]
        sessions.append((when, "MBX1\\Default Frontend MBX1", "192.0.2.25:25", f"{ip}:{51000 + n}", lines))
        stamp = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        rows.append({"recipient": recipient, "sender": sender, "stage": stage, "refused_by_host": OUR_HOST, "refused_by_ip": "192.0.2.25", "reply": reply,
                     "outcome": "rejected-by-us", "attempts": 1, "cause": cause, "first_time": stamp, "last_time": stamp, "also_accept": []})
    return "RECV.LOG", _protocol("Receive", start, sessions), rows
