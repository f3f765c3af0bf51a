#!/usr/bin/env python3
"""Writes the hand-made seeds of the fuzz targets to seeds/TARGET/. What fuzzing adds stands beside them, named by its hash."""
import gzip, io, json, os, struct, tarfile, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTDATA = os.path.join(HERE, "..", "testdata")


def put(target, name, content):
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


REPLIES = [
    "550 5.1.1 <ann@example.net>: Recipient address rejected: User unknown",
    "550-5.7.1 first 550-5.7.1 second 550 5.7.1 third",
    "550-5.7.26 This mail has been blocked\r\n550-5.7.26 because the sender is unauthenticated.\r\n550 5.7.26 see it",
    "421", "554 No (#5.7.1)", "5.1.1 no user", "192.0.2.1 is bad", "550: no", "550, no", "4xx", "2.0.0",
    "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
    "host mx.example.net[198.51.100.7] said: 550 5.7.1 [CS01] no (in reply to RCPT TO command)",
    "mx.example.net: 452 4.2.2 over quota, try again in 30 minutes",
    "The response was:\n\n\"550 5.2.1 disabled\"\n--\nFinal-Recipient: rfc822;a@b.example",
    "<<< 550 \u00abno\u00bb \u201cwords\u201d", "550 \x1b[2J\u202e=cmd|' /C calc'!A0", "2024-05-31T10:00:00Z", "\"a b\"@example.org",
    "ann@xn--bcher-kva.example", "550 5.7.606 Access denied, banned sending IP [203.0.113.9]",
]
for number, text in enumerate(REPLIES):
    put("reply", f"hand-{number}", text)
    put("locate", f"hand-{number}", text)
    put("diagnose", f"hand-{number}", bytes([number * 7 % 256]) + text.encode())
    put("output", f"hand-{number}", text)
with open(os.path.join(TESTDATA, "replies", "own.jsonl"), encoding="utf-8") as lines:
    for number, line in enumerate(lines):
        row = json.loads(line)
        text = row.get("reply") or row.get("text")
        if text and number % 4 == 0:
            put("diagnose", f"own-{number}", bytes([number % 256]) + text.encode())

FIELDS = {
    "plain": b"Subject: x\r\nTo: Ann <ann@example.org>,\r\n\tbob@example.net\r\nDate: Sat, 21 Nov 2026 11:00:00 +0100\r\n\r\nbody",
    "words": b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n =?iso-2022-jp?b?GyRCJWEhPCVrGyhC?=\r\nFrom: =?utf-8?B?w7Y=?= <a@b.example>\r\n\r\n",
    "group": b"To: undisclosed-recipients:;\r\nCc: list: a@b.example, \"x, y\" <c@d.example>;\r\nX-Failed-Recipients: a@b.example\r\n\r\n",
    "type": b"multipart/report; report-type=\"delivery-status\"; boundary*0=\"a\"; boundary*1=b; charset*=utf-8''x%20y",
    "received": b"Received: from mail.example.org (mail.example.org [192.0.2.7])\n by mx.example.net with ESMTP id x for <ann@example.net>; Sat, 21 Nov 2026 10:00:00 +0000\n\n",
    "broken": b"From a@b Mon\nSubject x\n no\nhttp://x\n:\n: :\nA:\n\n",
}
for name, text in FIELDS.items():
    put("headers", f"hand-{name}", text)

MULTIPART = (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n"
             b"--b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: message/rfc822\r\n\r\nU3ViamVjdDogeA0KDQp5DQo=\r\n"
             b"--b\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=CE=C5</p>&amp;=\r\n--b--\r\n")
put("mail", "hand-multipart", MULTIPART)
put("mail", "hand-digest", b"Content-Type: multipart/digest; boundary=\"\"\r\n\r\n--x\r\nContent-Type: a\r\n\r\nb\r\n--x\r\n\r\nSubject: c\r\n\r\n")
put("mail", "hand-returns", b"From: a@b.example\rSubject: x\r\rbody\rmore\r")
DSN = (b"From: MAILER-DAEMON@mx.example.net\r\nTo: a@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
       b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nI'm sorry to have to inform you\r\n\r\n"
       b"<ann@example.net>: host mx2.example.net[198.51.100.7] said: 550 5.1.1 no such user (in reply to RCPT TO command)\r\n--b\r\n"
       b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nOriginal-Recipient: rfc822;old@example.net\r\n"
       b"Final-Recipient: rfc822; ann@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx2.example.net\r\n"
       b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: a@example.org\r\nTo: ann@example.net\r\n\r\n--b--\r\n")
put("bounce", "hand-dsn", DSN)
put("bounce", "hand-qmail", b"From: MAILER-DAEMON@a.example\n\nHi. This is the qmail-send program at a.example.\n\n<ann@example.net>:\n192.0.2.9 does not like recipient.\nRemote host said: 550 no\n\n--- Below this line is a copy of the message.\n\nSubject: x\n")
put("bounce", "hand-sendmail", b"From: Mail Delivery Subsystem <MAILER-DAEMON>\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> RCPT To:<ann@example.net>\n<<< 550-5.1.1 no\n<<< 550 5.1.1 such user\n")
put("bounce", "hand-arf", b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nabuse report\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nSource-IP: 192.0.2.7\n\n--b--\n")

HTML = [b"<html><body><p>Gr&ouml;&szlig;e</p><br><table><tr><td>a<td>b</table>", b"<ann@example.org> a < b &lt; &#x41; &#128231; &bogus;",
        b"<!-- x --><style>y</style><script>z", b"\x1b$B%a!<%k\x1b(B", b"Gr\xf6\xdfe \x81\x40 \xff\xfe", "Gr\u00f6\u00dfe".encode("utf-16"),
        b"+AGE- ~{VPND~}", b"\xc0\xaf\xe0\x80\xaf"]
for number, text in enumerate(HTML):
    for charset in (0, 8, 9, 13, 18, 21):
        put("text", f"hand-{number}-{charset}", bytes([charset]) + text)

MAIL = b"From: a@example.org\nTo: b@example.net\nSubject: x\n\nhi\n"
MBOX = b"From a@example.org Sat Nov 21 10:00:00 2026\n" + MAIL + b"\nFrom - Sat, 21 Nov 2026 10:00:00 +0000\n" + MAIL + b">From x\n"


def zipped(members, how=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 21, 10, 0, 0)), content, how)
    return out.getvalue()


def tarred(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return out.getvalue().rstrip(b"\0") + b"\0" * 600


MEMBERS = [("a.eml", MAIL), ("../../etc/passwd", b"x"), ("d/\x1b[2J.mbox", MBOX)]
ARCHIVES = {
    "zip": zipped(MEMBERS), "zip-stored": zipped(MEMBERS, zipfile.ZIP_STORED), "zip-in-zip": zipped([("i.zip", zipped(MEMBERS[:1]))]),
    "tar": tarred(MEMBERS[:2]), "tar-pax": tarred([("n" * 120 + "\u00f6", b"x")], tarfile.PAX_FORMAT), "tar-long": tarred([("n" * 120, b"x")]),
    "gz": gzip.compress(MAIL, mtime=0), "gz-tar": gzip.compress(tarred(MEMBERS[:1]), mtime=0), "gz-twice": gzip.compress(gzip.compress(MBOX, mtime=0), mtime=0),
    # A frame of one raw block, and a frame to be skipped (RFC 8878 3.1).
    "zstd": b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello", "zstd-skip": b"\x50\x2a\x4d\x18\x03\0\0\0abc\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello",
    "bz2": b"BZh91AY&SY\0", "xz": b"\xfd7zXZ\0\0", "7z": b"7z\xbc\xaf\x27\x1c\0\x04", "rar": b"Rar!\x1a\x07\0",
}
for name, content in ARCHIVES.items():
    put("archive", f"hand-{name}", content)
    put("intake", f"hand-{name}", content)
# The header of a compound file with one sector of table and one of directory (MS-CFB 2.2).
HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6 + struct.pack(
    "<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0) + b"\xff" * 432
TABLE = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE) + b"\xff" * 504
ROOT = "Root Entry".encode("utf-16le").ljust(64, b"\0") + struct.pack("<HBBIII", 22, 5, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF) + b"\0" * 36 + struct.pack("<IQ", 0xFFFFFFFE, 0)
put("intake", "hand-compound", HEAD + TABLE + ROOT + (b"\0" * 68 + b"\xff" * 12 + b"\0" * 48) * 3)
for name, content in {
    "mail": MAIL, "mbox": MBOX, "returns": MAIL.replace(b"\n", b"\r"), "utf16": MAIL.decode().encode("utf-16"),
    "utf16-be": b"\xfe\xff" + MAIL.decode().encode("utf-16-be"), "mark": b"\xef\xbb\xbf" + MAIL, "text": b"554 5.7.1 Relay access denied",
    "log": b"Nov 21 10:00:00 mx postfix/smtp[1]: a\nNov 21 10:00:01 mx postfix/smtp[1]: b\n" * 2, "json": b"{\"event\":\"bounce\"}\n{\"event\":\"x\"}\n",
    "csv": b"timestamp,recipient,diagnostic\n1,a,b\n", "binary": b"\0\x01\x02", "png": b"\x89PNG\r\n\x1a\n\0\0", "empty": b" \n",
    "exchange": b"#Software: Microsoft Exchange Server\n#Fields: a,b\n1,2\n",
}.items():
    put("intake", f"hand-{name}", content)

RULE = "id = \"house\"\ncause = \"greylisted\"\nconfidence = 0.95\nany = [\"frobnicated until teatime\"]\nmeaning = \"Our neighbour says so.\"\nsource = \"a letter\"\nexamples = [\"450 You are frobnicated until teatime\"]\n"
FOLDERS = ["words.toml", "causes", "remedies", "blocklists", "sites", "software", "phrases", "codes", "letters", "reports"]
put("overlay", "hand-rule", b"\x06[[rule]]\n" + RULE.encode())
put("overlay", "hand-wrong", b"\x06[[rule]]\n" + RULE.replace("cause", "causes").encode())
CATALOG = os.path.join(HERE, "..", "catalog")
for number, folder in enumerate(FOLDERS):
    place = os.path.join(CATALOG, folder)
    files = [place] if os.path.isfile(place) else sorted((os.path.join(place, name) for name in os.listdir(place) if name.endswith(".toml")), key=os.path.getsize)[:2]
    for file in files:
        with open(file, "rb") as content:
            put("overlay", f"hand-{folder}-{os.path.basename(file)}", bytes([number]) + content.read()[:4096])
for number, text in enumerate(["Ask {host}.", "{ip|your server} is listed on {list}: {list_url}", "{", "}", "{{x}}", "{recipient|}", "a {code} b {status} {reply}", "{ip|{host}}"]):
    put("sentence", f"hand-{number}", text)

# One small sample of each log (its first lines), led by the number of its format (the order of `Format::all`) and the cut.
FORMATS = ["postfix", "exim-main", "exim-reject", "sendmail", "opensmtpd", "qmail", "exchange-tracking", "exchange-smtp", "m365-trace",
           "google-log-search", "haraka", "zonemta", "kumomta", "powermta", "ses", "sendgrid", "mailgun", "postmark", "sparkpost", "brevo"]
OF_FOLDER = {"exim": "exim-main", "google-workspace": "google-log-search", "exchange-smtp-receive": "exchange-smtp", "exchange-smtp-send": "exchange-smtp",
             "journald-json": "postfix", "journald-text": "postfix", "m365-trace-extended": "m365-trace", "m365-trace-summary": "m365-trace",
             "zonemta-json": "zonemta", "zonemta-text": "zonemta"}
LOGS = os.path.join(TESTDATA, "logs")
for folder in sorted(name for name in os.listdir(LOGS) if os.path.isdir(os.path.join(LOGS, name))):
    for name in sorted(os.listdir(os.path.join(LOGS, folder))):
        if name == "expected.jsonl" or not os.path.isfile(os.path.join(LOGS, folder, name)):
            continue
        word = "exim-reject" if "reject" in name else OF_FOLDER.get(folder, folder)
        with open(os.path.join(LOGS, folder, name), "rb") as file:
            head = file.read(4096)
        sample = head[:head.rfind(b"\n") + 1] or head
        put("log", f"hand-{folder}-{name}", bytes([FORMATS.index(word), 100]) + sample)
        put("submissions", f"hand-{folder}-{name}", bytes([FORMATS.index(word)]) + sample)

RECORDS = {
    "spf": ["v=spf1 a mx/24//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:%{d2}.example.org exists:%{ir}.%{l1r-}.example.org ~all",
            "v=spf1 ptr:example.org a:foo.example.com/0 redirect=_spf.example.com exp=%{o}.example.com moo=%{s}", "v=spf1 +all -all ip4:1.2.3 include: a//", ],
    "dkim": ["v=DKIM1; k=rsa; h=sha256; t=y:s; s=email; n=a note; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAP//////////////////////////",
             "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "v=DKIM1; p="],
    "dmarc": ["v=DMARC1; p=reject; sp=none; np=quarantine; psd=u; t=n; adkim=s; rua=mailto:a@example.org!10m,https://b; fo=0:d; pct=5", "v=DMARC1;p=none;ruf=mailto:a%21@b.example"],
    "sts": ["v=STSv1; id=20260101;", "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\nother: x\r\n"],
    "tlsrpt": ["v=TLSRPTv1; rua=mailto:a@example.org,https://example.net/r"],
    "bimi": ["v=BIMI1; l=https://example.org/l.svg; a=; avp=brand", "v=BIMI1; l=; a="],
    "tlsa": ["3 1 1 " + "ab" * 32, "\x03\x01\x01" + "a" * 32],
    "organisation": ["a.b.c.d.e.f.g.h.i.mail.example.co.uk", "co.uk", "xn--bcher-kva.example", "b\u00fccher.example."],
    "policy": ["v=spf1 include:d1.example mx a:a.example -all\nv=spf1 redirect=d2.example\nv=spf1 ptr exists:%{ir}.%{v}.d3.example ?all exp=d4.example\n\nno, %{i} %{c} %{t}",
               "v=spf1 include:d1.example ~all\nv=spf1 include:d0.example", "v=spf1 a:%{d} ip4:192.0.2.0/24 ip6:2001:db8::/32 +all"],
}
for target, texts in RECORDS.items():
    for number, text in enumerate(texts):
        put(target, f"hand-{number}", (b"\x40" if target == "spf" else b"") + text.encode())
