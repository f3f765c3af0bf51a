"""Events of sending services, one function a service: mails -> (file name, text, expected rows). Pure.

One event a line (JSON Lines), as a receiver of web hooks stores them; SendGrid and SparkPost send arrays, so a line is an array there.
"""
import json

from sample_logs import joined, joined_without_codes
from sample_story import OUR_IP, expected, in_time, split


def _lines(records):
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)


def _fallback(a):
    """What a service says when nobody answered."""
    return {"timeout": "Connection timed out", "nxdomain": f"Unable to find the domain {a.recipient.partition('@')[2]} in DNS"}[a.words]


def _iso(when):
    return f"{when:%Y-%m-%dT%H:%M:%S}.000Z"


def ses(mails):
    """Amazon SES event publishing through SNS: the event is a JSON text inside the notification's Message."""
    subtypes = {"mailbox-full": "MailboxFull", "message-too-large": "MessageTooLarge", "spam-content": "ContentRejected", "banned-content": "AttachmentRejected",
                "recipient-unknown": "NoEmail"}
    out, texts = [], {}
    for a in in_time(mails):
        mail = {"timestamp": _iso(a.mail.when), "source": a.mail.sender, "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.org", "sendingAccountId": "123456789012",
                "messageId": f"0102018f{a.mail.number:04x}-0000-4000-8000-{a.mail.number:012x}-000000", "destination": a.mail.recipients, "headersTruncated": False,
                "commonHeaders": {"from": [a.mail.sender], "to": a.mail.recipients, "messageId": a.mail.message_id, "subject": a.mail.subject}}
        if a.result == "suppressed":
            shown = ("Amazon SES did not send the message to this address because it is on the suppression list for your account." if a.mail.number % 2 else
                     "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.")
            sub, status = ("OnAccountSuppressionList" if a.mail.number % 2 else "Suppressed"), "5.1.1"
        elif a.lines:
            code, status, _ = split(a)
            shown, sub = joined(a), subtypes.get(a.cause, "General")
        else:
            shown, sub, status = _fallback(a), "General", {"timeout": "4.4.1", "nxdomain": "5.4.4"}[a.words]
        texts[id(a)] = shown
        diagnostic = f"smtp; {shown}" if a.lines else shown
        if a.result == "sent":
            event = {"eventType": "Delivery", "mail": mail, "delivery": {"timestamp": _iso(a.when), "processingTimeMillis": 1820, "recipients": [a.recipient],
                     "smtpResponse": a.lines[0], "remoteMtaIp": a.ip, "reportingMTA": "a8-50.smtp-out.example.org"}}
        elif a.result == "deferred":
            event = {"eventType": "DeliveryDelay", "mail": mail, "deliveryDelay": {"timestamp": _iso(a.when), "delayType": "MailboxFull" if a.cause == "mailbox-full" else "TransientCommunicationFailure",
                     "expirationTime": _iso(a.when.replace(hour=23)), "delayedRecipients": [{"emailAddress": a.recipient, "status": status or "4.0.0", "diagnosticCode": diagnostic}]}}
        else:
            event = {"eventType": "Bounce", "mail": mail, "bounce": {"feedbackId": f"0102018f{a.mail.number:04x}-fb", "bounceType": "Permanent", "bounceSubType": sub,
                     "bouncedRecipients": [{"emailAddress": a.recipient, "action": "failed", "status": status or "5.0.0", "diagnosticCode": diagnostic}],
                     "timestamp": _iso(a.when), "reportingMTA": "dns; a8-50.smtp-out.example.org", **({"remoteMtaIp": a.ip} if a.lines else {})}}
        out.append({"Type": "Notification", "MessageId": f"{len(out):08d}-0000-4000-8000-000000000000", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail-events",
                    "Subject": "Amazon SES Email Event Notification", "Message": json.dumps(event), "Timestamp": _iso(a.when), "SignatureVersion": "1", "Signature": "EXAMPLE",
                    "SigningCertURL": "https://sns.example.com/cert.pem", "UnsubscribeURL": "https://sns.example.com/unsubscribe"})
    rows = expected(mails, lambda a: texts[id(a)], {"sender", "ip"})
    deferred_ip_unknown = {a.recipient for m in mails for a in m.attempts if a.result == "deferred"} - {a.recipient for m in mails for a in m.attempts if a.result == "bounced"}
    for row in rows:     # a delay names no address
        if row["recipient"] in deferred_ip_unknown or row["cause"] in ("unreachable", "domain-not-found"):
            row["refused_by_ip"] = None
    return "sns.jsonl", _lines(out), rows


def sendgrid(mails):
    """SendGrid's event web hook."""
    out, texts = [], {}
    for a in in_time(mails):
        base = {"email": a.recipient, "timestamp": int(a.when.timestamp()), "smtp-id": a.mail.message_id, "sg_event_id": f"ev{a.mail.number}x{a.number}x{len(out)}",
                "sg_message_id": f"filter{a.mail.number:04d}.recvd.{int(a.mail.when.timestamp())}"}
        if a.result == "suppressed":
            texts[id(a)] = "Bounced Address" if a.words == "bounced before" else "Spam Reporting Address"
            event = {**base, "event": "dropped", "reason": texts[id(a)], "status": "5.0.0"}
        else:
            texts[id(a)] = joined(a) if a.lines else _fallback(a)
            status = (split(a)[1] if a.lines else {"timeout": "4.4.1", "nxdomain": "5.4.4"}[a.words]) or "5.0.0"
            if a.result == "sent":
                event = {**base, "event": "delivered", "response": a.lines[0], "ip": OUR_IP, "tls": 1}
            elif a.result == "deferred":
                event = {**base, "event": "deferred", "response": texts[id(a)], "attempt": str(a.number), "ip": OUR_IP, "domain": a.recipient.partition("@")[2]}
            else:
                bounce = a.cause in ("recipient-unknown", "recipient-inactive", "domain-not-found", "recipient-moved")
                event = {**base, "event": "bounce", "type": "bounce" if bounce else "blocked", "reason": texts[id(a)], "status": status, "ip": OUR_IP, "tls": 1,
                         "bounce_classification": "Invalid Address" if bounce else "Reputation" if a.cause == "blocklisted" else "Content" if "content" in a.cause else "Unclassified"}
        out.append([event])
    return "events.jsonl", _lines(out), expected(mails, lambda a: texts[id(a)], set())


def mailgun(mails):
    """Mailgun's web hook: code, enhanced code and message apart."""
    out, texts = [], {}
    for a in in_time(mails):
        status = {"attempt-no": a.number, "session-seconds": 0.8, "utf8": True, "tls": True, "certificate-verified": True}
        reason, event, severity = "bounce", "failed", "permanent"
        if a.result == "suppressed":
            texts[id(a)] = "Not delivering to previously bounced address" if a.words == "bounced before" else "Not delivering to a user who marked your messages as spam"
            reason = "suppress-bounce" if a.words == "bounced before" else "suppress-complaint"
            status.update(code=605 if a.words == "bounced before" else 607, message="", description=texts[id(a)])
        elif a.lines:
            code, enhanced, lines = split(a)
            text = " ".join(t.removeprefix(f"{enhanced} ") for t in lines)
            message = f"{enhanced} {text}" if enhanced else text
            texts[id(a)] = f"{code} {message}"
            status.update(code=int(code), message=message, description="", **{"mx-host": a.host})
            if enhanced:
                status["enhanced-code"] = enhanced
        else:
            texts[id(a)] = _fallback(a)
            status.update(code=498 if a.words == "nxdomain" else 499, message=texts[id(a)], description=texts[id(a)])
            reason = "generic"
        if a.result == "sent":
            event, severity, reason = "delivered", None, None
        elif a.result == "deferred":
            severity, reason = "temporary", "generic"
            status["retry-seconds"] = 900
        data = {"event": event, "timestamp": a.when.timestamp(), "id": f"mg{a.mail.number}x{a.number}x{len(out)}", "log-level": {None: "info", "temporary": "warn"}.get(severity, "error"),
                "recipient": a.recipient, "recipient-domain": a.recipient.partition("@")[2], "delivery-status": status,
                "envelope": {"sender": a.mail.sender, "transport": "smtp", "targets": a.recipient, "sending-ip": OUR_IP},
                "message": {"headers": {"to": a.recipient, "message-id": a.mail.message_id.strip("<>"), "from": a.mail.sender, "subject": a.mail.subject}, "attachments": [], "size": 2417},
                "flags": {"is-routed": False, "is-authenticated": True, "is-system-test": False, "is-test-mode": False, "is-delayed-bounce": False}, "tags": [], "campaigns": []}
        if severity:
            data.update(severity=severity, reason=reason)
        out.append({"signature": {"timestamp": str(int(a.when.timestamp())), "token": "00", "signature": "00"}, "event-data": data})
    rows = expected(mails, lambda a: texts[id(a)], {"sender", "host"})
    for row in rows:
        if row["cause"] in ("unreachable", "domain-not-found"):
            row["refused_by_host"] = None
    return "webhooks.jsonl", _lines(out), rows


def postmark(mails):
    """Postmark's web hooks, and its API's answer about a suppressed address. Deferrals are not told."""
    kinds = {"mailbox-full": ("SoftBounce", 4096), "spam-content": ("SpamNotification", 512), "blocklisted": ("Blocked", 100006), "dmarc-fail": ("DMARCPolicy", 100009),
             "domain-not-found": ("DnsError", 256)}
    out, texts = [], {}
    for a in in_time(mails):
        uuid = f"{a.mail.number:08d}-0000-4000-8000-{a.mail.recipients.index(a.recipient):012d}"
        if a.result == "deferred":
            continue
        if a.result == "suppressed":
            texts[id(a)] = ("You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
                            f"{a.recipient}. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression.")
            out.append({"ErrorCode": 406, "Message": texts[id(a)], "To": a.recipient, "SubmittedAt": _iso(a.when), "MessageID": uuid})
            continue
        if a.result == "sent":
            out.append({"RecordType": "Delivery", "MessageID": uuid, "Recipient": a.recipient, "DeliveredAt": _iso(a.when), "Details": a.lines[0], "Tag": "order", "ServerID": 23,
                        "MessageStream": "outbound", "Metadata": {}})
            continue
        texts[id(a)] = joined(a) if a.lines else _fallback(a)
        kind, code = kinds.get(a.cause, ("HardBounce", 1))
        out.append({"RecordType": "Bounce", "ID": 4323370 + len(out), "Type": kind, "TypeCode": code, "Name": kind, "Tag": "order", "MessageID": uuid, "ServerID": 23,
                    "MessageStream": "outbound", "Description": "The server was unable to deliver your message.", "Details": f"smtp;{texts[id(a)]}" if a.lines else texts[id(a)],
                    "Email": a.recipient, "From": a.mail.sender, "BouncedAt": _iso(a.when), "DumpAvailable": True, "Inactive": kind == "HardBounce", "CanActivate": kind != "SpamNotification",
                    "Subject": a.mail.subject, "Metadata": {}})
    told = [m for m in mails if any(id(a) in texts for a in m.attempts)]
    rows = expected(told, lambda a: texts.get(id(a)), {"sender"}, deferrals=False)
    for row in rows:
        if row["cause"] == "suppressed":
            row["sender"] = None
    return "webhooks.jsonl", _lines(out), rows


def sparkpost(mails):
    """SparkPost's event web hook."""
    classes = {"recipient-unknown": "10", "recipient-inactive": "30", "mailbox-full": "22", "spam-content": "51", "blocklisted": "52", "message-too-large": "23", "domain-not-found": "10",
               "unreachable": "21", "greylisted": "20", "relay-denied": "54", "malicious-content": "53"}
    out, texts = [], {}
    for a in in_time(mails):
        base = {"timestamp": str(int(a.when.timestamp())), "event_id": f"{92000000000 + len(out)}", "message_id": f"0001{a.mail.number:08x}", "transmission_id": f"65832150921904{a.mail.number:03d}",
                "rcpt_to": a.recipient, "raw_rcpt_to": a.recipient, "msg_from": a.mail.sender, "friendly_from": a.mail.sender, "subject": a.mail.subject, "sending_ip": OUR_IP,
                "ip_pool": "shared", "recipient_domain": a.recipient.partition("@")[2], "routing_domain": a.recipient.partition("@")[2], "delv_method": "esmtp", "num_retries": str(a.number - 1),
                "injection_time": _iso(a.mail.when), "msg_size": "2417"}
        if a.result == "suppressed":
            texts[id(a)] = "554 5.7.1 recipient address suppressed due to customer policy" if a.words == "bounced before" else "554 5.7.1 recipient address suppressed due to system policy"
            event = {**base, "type": "policy_rejection", "error_code": "554", "bounce_class": "25", "raw_reason": texts[id(a)], "reason": texts[id(a)], "remote_addr": "192.0.2.80:41000"}
        elif a.result == "sent":
            event = {**base, "type": "delivery", "ip_address": a.ip, "queue_time": "1203", "outbound_tls": "1"}
        else:
            texts[id(a)] = joined(a) if a.lines else {"timeout": "451 4.4.1 [internal] Connection timed out", "nxdomain": "550 5.1.2 [internal] Domain Lookup Failed"}[a.words]
            event = {**base, "type": "delay" if a.result == "deferred" else "bounce", "error_code": texts[id(a)][:3], "bounce_class": classes.get(a.cause, "1"),
                     "raw_reason": texts[id(a)], "reason": texts[id(a)], **({"ip_address": a.ip} if a.lines else {})}
        out.append([{"msys": {"message_event": event}}])
    rows = expected(mails, lambda a: texts[id(a)], {"sender", "ip"})
    for row in rows:
        if row["cause"] in ("unreachable", "domain-not-found"):
            row["refused_by_ip"] = None
    return "events.jsonl", _lines(out), rows


def brevo(mails):
    """Brevo's transactional web hook."""
    out, texts = [], {}
    for a in in_time(mails):
        texts[id(a)] = ("blocked : due to blacklist user" if a.result == "suppressed" else joined_without_codes(a) if a.lines else _fallback(a))
        soft = a.cause in ("mailbox-full", "blocklisted", "spam-content", "message-too-large", "recipient-restricted")
        event = {"sent": "delivered", "deferred": "deferred", "suppressed": "blocked"}.get(a.result) or ("soft_bounce" if soft else "hard_bounce")
        record = {"event": event, "email": a.recipient, "id": 260000 + a.mail.number, "date": f"{a.when:%Y-%m-%d %H:%M:%S}", "ts": int(a.when.timestamp()),
                  "message-id": a.mail.message_id, "ts_event": int(a.when.timestamp()), "ts_epoch": int(a.when.timestamp() * 1000), "subject": a.mail.subject, "X-Mailin-custom": "",
                  "sending_ip": OUR_IP, "sender_email": a.mail.sender, "template_id": 22, "tag": "", "tags": ["order"]}
        if a.result != "sent":
            record["reason"] = texts[id(a)]
        out.append(record)
    return "webhooks.jsonl", _lines(out), expected(mails, lambda a: texts[id(a)], {"sender"})
