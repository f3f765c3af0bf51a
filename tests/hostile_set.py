#!/usr/bin/env python3
"""Writes hostile inputs into a folder: what an attacker who has read the limits would send. usage: hostile_set.py FOLDER

Each is as large as the readers take (8 MB of a mail, 1 MB of a text), and made so that the dearest work is done for it.
"""
import os, sys

MB = 1 << 20
HEAD = b"From: MAILER-DAEMON@mx.example.net\r\nTo: a@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
REPORT = HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n%s--b\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n\r\n--b--\r\n"
PHRASES = b"blocked using zen.spamhaus.org user unknown mailbox full relay access denied spam policy dmarc spf greylisted 5.7.1 [192.0.2.7] "


def recipient(number, reply):
    return b"Final-Recipient: rfc822; u%d@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; %s\r\n\r\n" % (number, reply)


def fill(text, size):
    return (text * (size // len(text) + 1))[:size]


def addresses(count, text=b"<u%d@example.net>\r\n"):
    return b"".join(text % number for number in range(count))


def postfix(number, reply, local=b"u"):
    return b"2026-11-18T10:00:00+00:00 mx postfix/smtp[1]: 4ABC%d: to=<%s%d@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.7] said: 554 5.7.1 %s (in reply to RCPT TO command))\n" % (number, local, number, reply)


EVENT = b'{"email":"u@example.net","event":"bounce","status":"5.1.1","reason":"550 5.1.1 User unknown","timestamp":1764000000,"sg_event_id":"x","sg_message_id":"y"}'

TRACKING = b"#Log-type: Message Tracking Log\n#Fields: date-time,source,event-id,recipient-address,recipient-status\n"


def pages(depth):
    """Pages of events in pages of events, around a long list of numbers."""
    text = b'{"items":[{}],"x":[%s]}' % b",".join([b"1"] * 400_000)
    for _ in range(depth):
        text = b'{"items":[%s]}' % text
    return text


def nested_boundaries():
    """Multiparts in each other whose boundary stands at every byte, beside encoded messages, for which the whole is read again."""
    kind = b"Content-Type: multipart/mixed; boundary=a\n"
    encoded = b"--xx\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTpiCgp4\n"
    parts = b"".join(b"--x%02d\n" % level + kind + b"\n" for level in range(19))
    return HEAD + b"Content-Type: multipart/mixed; boundary=xx\n\n" + encoded * 4 + b"--xx\n" + kind + b"\n" + parts + b"a" * (8 * MB - 9000)


FILES = {
    "phrases_as_reply.txt": b"554 5.7.1 " + fill(PHRASES, MB - 20),
    "phrases_without_blanks.txt": b"554 5.7.1 " + fill(PHRASES.replace(b" ", b""), MB - 20),
    "codes_run_together.txt": fill(b"550-5.7.1 x 550 5.7.1 y ", MB - 20),
    "codes_everywhere.txt": fill(b"(550 [554 <451 '4", MB - 20),
    "hosts_everywhere.txt": fill(b"host server from (host host: mx.example.net[192.0.2.7] ", MB - 60) + b" said: 550 no",
    "addresses_in_a_reply.txt": b"550 5.1.1 " + fill(b"<u@example.net> user=u@example.net 192.0.2.7 https://example.net/?u@example.org ", MB - 20),
    "brackets.txt": b"550 " + b"[" * 300_000 + b"<" * 300_000 + b"(" * 300_000,
    "one_word.txt": b"550 " + b"a" * (MB - 20),
    "dots.txt": b"550 " + b"1." * (MB // 2 - 20),
    "combining.txt": b"550 " + "e\u0301".encode() * (MB // 3 - 20),
    "recipients_2000_long.eml": REPORT % (b"", b"".join(recipient(n, b"550 5.7.1 %d " % n + fill(PHRASES, 3_900)) for n in range(2000)), b""),
    "recipients_100000.eml": REPORT % (b"", b"".join(recipient(n, b"no %d" % n) for n in range(50_000)), b""),
    "recipients_and_words.eml": REPORT % (fill(b"<u1@example.net>: host mx.example.net said: 451 " + PHRASES + b"\r\n", 500_000), b"".join(recipient(n, b"no %d" % n) for n in range(20_000)), b""),
    "recipients_and_sessions.eml": REPORT % (b"   ----- Transcript of session follows -----\r\n" + b"".join(b"... while talking to mx%d.example.net.:\r\n>>> RCPT To:<u%d@example.net>\r\n<<< 451 4.0.0 %d %s\r\n" % (n, n, n, fill(PHRASES, 400)) for n in range(5_000)), b"".join(recipient(n, b"no %d" % n) for n in range(5_000)), b""),
    "recipients_same.eml": REPORT % (fill(b"<u1@example.net>: 451 " + fill(PHRASES, 900) + b"\r\nwe told u1@example.net " + PHRASES + b"\r\n", 60_000), b"".join(recipient(1, b"451 no %d" % n) for n in range(20_000)), b""),
    "sessions_of_nobody.eml": REPORT % (b"".join(b"... while talking to mx%d.example.net.:\r\n<<< 451 4.0.0 %d %s\r\n" % (n, n, fill(PHRASES, 200)) for n in range(250)), b"".join(recipient(n, b"no %d" % n) for n in range(5_000)), b""),
    "diagnostics_of_one.eml": REPORT % (b"", b"Final-Recipient: rfc822; u@example.net\r\n" + b"".join(b"Diagnostic-Code: smtp; 451 %d %s\r\n" % (n, fill(PHRASES, 4_000)) for n in range(1_950)), b""),
    "status_parts.eml": HEAD + b"X-Failed-Recipients: " + addresses(3_000, b"u%d@example.net, ") + b"\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" + (b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Original-Recipient: x\r\nStatus: 5.0.0 (because of this)\r\n\r\n" * 2_000) * 16 + b"--b--\r\n",
    "addresses_in_words.eml": HEAD + b"\r\nYour message could not be delivered to:\r\n" + addresses(400_000),
    "addresses_one_line.eml": HEAD + b"\r\nYour message could not be delivered to: " + addresses(300_000, b"u%d@example.net, "),
    "addresses_with_reasons.eml": HEAD + b"\r\n" + addresses(80_000, b"<u%d@example.net>:\r\n550 5.1.1 User unknown\r\n\r\n"),
    "failed_recipients.eml": HEAD + b"X-Failed-Recipients: " + addresses(300_000, b"u%d@example.net,\r\n ") + b"\r\n\r\nA message that you sent could not be delivered\r\n",
    "failed_recipients_and_headings.eml": HEAD + b"".join(b"X-Failed-Recipients: u%d@example.net\r\n" % n for n in range(1900)) + b"To: " + addresses(1000, b"t%d@example.net,\r\n ") + b"\r\n\r\nA message that you sent could not be delivered\r\n\r\n" + addresses(100_000, b"  v%d@example.net\r\n    550 no\r\n"),
    "marks.eml": HEAD + b"\r\n" + fill(b"could not be delivered user unknown will retry -----Original Message----- ", 8 * MB - 1000),
    "quoted.eml": HEAD + b"\r\n" + fill(b"> > >> 550 5.1.1 could not be delivered <u@example.net>\r\n", 8 * MB - 1000),
    "html_angles.eml": HEAD + b"Content-Type: text/html\r\n\r\n" + fill(b"<a@b &amp;<p><", 8 * MB - 1000),
    "html_open.eml": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a " * (8 * MB // 3 - 1000),
    "html_comments.eml": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * (2 * MB - 1000),
    "boundary_everywhere.eml": HEAD + b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"a" * (8 * MB - 1000),
    "boundary_of_dashes.eml": HEAD + b"Content-Type: multipart/mixed; boundary=\"--\"\r\n\r\n" + b"\n----x" * (MB - 1000),
    "attached_mails.eml": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (b"--b\r\nContent-Type: application/octet-stream; name=a.eml\r\n\r\n" + HEAD + b"\r\ncould not be delivered\r\n" + fill(b"<u@example.net>\r\n", 15_000)) * 500 + b"--b--\r\n",
    "encoded_messages.eml": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + fill(b"=46rom: a=40b\r\n", 15_000)) * 500 + b"--b--\r\n",
    "boundaries_nested.eml": nested_boundaries(),
    "fields_of_parts.eml": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b\n" + b"A:\n" * 2_000 + b"\nx\n") * 500 + b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTpiCgp4\n--b--\n",
    "signs_of_windows.eml": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTpiCgp4\n" * 3 + b"--b\nContent-Type: text/html; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n" + b"\x80" * (8 * MB - 2000) + b"\n--b--\n",
    "subject_10MB.eml": HEAD.replace(b"Undelivered", b"\x1b[2J" + b"S" * (10 * MB)) + b"\r\ncould not be delivered\r\n",
    "types.eml": b"".join(b"Content-Type: text/plain; x=%d\r\n" % n for n in range(100_000)) + b"\r\nhi\r\n",
    "received.eml": b"".join(b"Received: from (((((((((%d by ;;; for <<<<< [192.0.2.7]\r\n" % n for n in range(100_000)) + HEAD + b"\r\ncould not be delivered\r\n",
    "folded.eml": HEAD + b"X-A: " + b"\r\n x" * 2_000_000 + b"\r\n\r\nhi\r\n",
    "words_without_field.eml": HEAD + b"no field\r\n" * 7 * 100_000 + b"X: y\r\n",
    "separators.mbox": b"From a@example.org Sat Nov 21 10:00:00 2026\nFrom: a\n\n" * 100_000,
    "separator_words.mbox": b"From a@example.org Sat Nov 21 10:00:00 2026\nFrom: a\n\n" + b"From " * 1_500_000,
    # Replies of a log that repeat one phrase, or mix all of them, for pages: each another, so that none is remembered.
    "log_of_repeats.log": b"".join(postfix(n, fill(b"spam rejected by policy %d " % n, 14_000)) for n in range(60)),
    "log_of_phrases.log": b"".join(postfix(n, fill(PHRASES + b"%d " % n, 14_000)) for n in range(60)),
    "log_of_long_addresses.log": b"".join(postfix(n, b"no", fill(b"a%d" % n, 40_000)) for n in range(600)),
    # One record for very many recipients, with one long text.
    "one_row_many_recipients.log": TRACKING + b"2026-11-04T08:17:13.001Z,SMTP,FAIL,%s,550 %s\n" % (b";".join([b"a@b"] * 120_000), fill(b"spam rejected ", 455_000)),
    "one_event_many_recipients.jsonl": b'{"eventType":"DeliveryDelay","mail":{"messageId":"x","source":"a@b.example"},"deliveryDelay":{"delayType":"550 %s","delayedRecipients":[%s]}}\n' % (fill(b"spam rejected ", 390_000), b",".join([b'{"emailAddress":"a@b.example"}'] * 20_000)),
    "lines_of_many_recipients.log": b"".join(b"Nov 18 10:00:0%d m sendmail[1]: 4A12345%d: to=a@b.example, delay=00:00:01, stat=User unknown\n" % (n, n) for n in range(3)) + (b"Nov 18 10:00:09 m sendmail[1]: 4A123456: to=%s, delay=00:00:01, stat=550 %s\n" % (b",".join([b"a@b"] * 8_000), fill(b"spam rejected ", 31_000))) * 20,
    "held_line_of_a_reject_log.log": b"2026-11-18 10:00:00 H=x.example [192.0.2.7] F=<s@x.example> rejected after DATA: %s\n" % fill(b"spam rejected ", 63_000) + b"".join(b"Envelope-to: <a%x@b.example>\n" % n for n in range(30_000)),
    "pages_in_pages.json": pages(58),
    "events_cut_off.jsonl": EVENT + b"\n" + (EVENT[:90] + b"\n") * 40_000 + EVENT + b"\n",
    "rows_with_an_open_quote.csv": b"type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat\n" + b'b,"x\n' * 200_000,
}


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, content in FILES.items():
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
