#!/usr/bin/env python3
"""Changes in bounce mails what carries no meaning, and holds the answers to those for the mails as they were.

usage: tests/mutations.py BINARY COUNT FOLDER [SEED]

White space at line ends, the order of fields, line ends, added fields, folds, the names of boundaries. A changed mail must
have the same kinds and causes, or be told with less confidence: another cause at 0.9 or more, or another kind, is a failure.
"""
import json, os, random, re, shutil, subprocess, sys, tempfile

SURE = 0.9
BATCH = 1000
# Where these stand among each other says who handed the mail to whom (RFC 5321 4.4).
TRACE = (b"received", b"return-path", b"delivered-to", b"x-original-to", b"arc-", b"x-received", b"dkim-")


def split(mail):
    """The fields of the outermost mail, each with its folds, and the rest from the blank line on."""
    found = re.search(rb"\n\r?\n", mail)
    if not found:
        return None
    head = mail[: found.start() + 1]
    fields = re.findall(rb"[^\r\n \t][^\n]*\n(?:[ \t][^\n]*\n)*", head)
    if b"".join(fields) != head or not all(re.match(rb"[!-9;-~]+[ \t]*:", field) for field in fields):
        return None
    return fields, mail[found.start() + 1 :]


def line_ends(mail, chance):
    plain = mail.replace(b"\r\n", b"\n")
    return plain if chance.random() < 0.5 and plain != mail else plain.replace(b"\n", b"\r\n")


def trailing(mail, chance):
    lines = mail.split(b"\n")
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(lines))
        bare = lines[at].rstrip(b"\r")
        # A blank line ends a block; a blank at the end of quoted-printable is cut off by its decoder, one behind `=` too.
        if bare.strip():
            lines[at] = bare + chance.choice([b" ", b"\t", b"   "]) + lines[at][len(bare) :]
    return b"\n".join(lines)


def order(mail, chance):
    parts = split(mail)
    if not parts:
        return mail
    fields, rest = parts
    free = [number for number, field in enumerate(fields) if not field.lower().startswith(TRACE)]
    # Of fields with one name the first counts: their order among each other stays.
    groups = {}
    for number in free:
        groups.setdefault(fields[number].split(b":")[0].strip().lower(), []).append(fields[number])
    names = [fields[number].split(b":")[0].strip().lower() for number in free]
    chance.shuffle(names)
    for number, name in zip(free, names):
        fields[number] = groups[name].pop(0)
    return b"".join(fields) + rest


def added(mail, chance):
    parts = split(mail)
    if not parts:
        return mail
    fields, rest = parts
    end = b"\r\n" if fields[0].endswith(b"\r\n") else b"\n"
    for number in range(chance.randint(1, 4)):
        word = b"".join(chance.choice([b"ab", b"cd", b"ef", b"gh"]) for _ in range(4))
        fields.insert(chance.randint(0, len(fields)), b"X-House-%d-%s: %s v%d" % (number, word, word, number) + end)
    return b"".join(fields) + rest


def folded(mail, chance):
    parts = split(mail)
    if not parts:
        return mail
    fields, rest = parts
    at = chance.randrange(len(fields))
    field = fields[at]
    # Within words, quotes and comments alike a fold is a blank (RFC 5322 2.2.3); behind the colon some readers lose the value.
    blanks = [found.start() for found in re.finditer(rb"(?<=[^\s:]) (?=[^\s])", field) if b":" in field[: found.start()]]
    if blanks:
        place = chance.choice(blanks)
        end = b"\r\n" if field.endswith(b"\r\n") else b"\n"
        fields[at] = field[:place] + end + field[place:]
    return b"".join(fields) + rest


def boundary(mail, chance):
    names = set(re.findall(rb'boundary="([^"\r\n]{6,70})"', mail))
    if not names:
        return mail
    name = chance.choice(sorted(names))
    used = mail.count(name)
    meant = len(re.findall(rb"(?m)^--" + re.escape(name) + rb"(?:--)?[ \t]*\r?$", mail)) + mail.count(b'boundary="' + name + b'"')
    if used != meant:
        return mail
    return mail.replace(name, b"=_%032x" % chance.getrandbits(128))


CHANGES = [line_ends, trailing, order, added, folded, boundary]


def told(binary, folder):
    """For each file what is told: kind, cause and confidence of each refusal."""
    run = subprocess.run([binary, "explain", "--format", "jsonl", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    answers = {}
    for line in run.stdout.splitlines():
        row = json.loads(line)
        name = os.path.basename(row.get("source") or row["error"]["place"].split(",")[0])
        if "error" in row:
            answers.setdefault(name, []).append((row["error"]["code"], "error", 0.0))
            continue
        first = (row["causes"] or [{"cause": "-", "confidence": 0.0}])[0]
        answers.setdefault(name, []).append((row["kind"], first["cause"], first["confidence"]))
    return answers


def main():
    binary, count, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 5)
    if not os.path.isdir(source):
        print(f"SKIPPED: {source} is not there, so NOTHING was mutated", file=sys.stderr)
        return 0
    names = sorted(name for name in os.listdir(source) if not name.endswith((".json", ".md", ".jsonl")))
    mails = {}
    for name in names:
        with open(os.path.join(source, name), "rb") as file:
            mails[name] = file.read()
    counts = {"same": 0, "untouched": 0, "less sure or other at doubt": 0, "FAILED": 0}
    failures = []
    with tempfile.TemporaryDirectory() as place:
        base = os.path.join(place, "base")
        os.mkdir(base)
        for name in names:
            with open(os.path.join(base, name + ".eml"), "wb") as file:
                file.write(mails[name])
        before = told(binary, base)
        done = 0
        while done < count:
            folder = os.path.join(place, "batch")
            os.mkdir(folder)
            batch = {}
            while done < count and len(batch) < BATCH:
                name = names[done % len(names)]
                changes = chance.sample(CHANGES, chance.randint(1, 3))
                mail = mails[name]
                for change in changes:
                    mail = change(mail, chance)
                done += 1
                key = f"{done:07}.eml"
                batch[key] = (name, changes, mail)
                with open(os.path.join(folder, key), "wb") as file:
                    file.write(mail)
            after = told(binary, folder)
            for key, (name, changes, mail) in batch.items():
                want, got = before.get(name + ".eml", []), after.get(key, [])
                if mail == mails[name]:
                    counts["untouched"] += 1
                if want == got:
                    counts["same"] += 1
                    continue
                kinds = sorted({one[0] for one in want}) == sorted({one[0] for one in got})
                causes = {one[1] for one in want}
                sure = [one for one in got if one[1] not in causes and one[2] >= SURE]
                if kinds and not sure:
                    counts["less sure or other at doubt"] += 1
                    continue
                counts["FAILED"] += 1
                failures.append((len(mail), name, [change.__name__ for change in changes], want, got, mail))
            shutil.rmtree(folder)
    print(f"{count} mutations of {len(names)} mails: " + ", ".join(f"{number} {word}" for word, number in counts.items()))
    for size, name, changes, want, got, mail in sorted(failures, key=lambda one: (len(one[2]), one[0]))[:15]:
        print(f"  {name} ({size} bytes) {'+'.join(changes)}: {want[:3]} became {got[:3]}")
    if failures and os.environ.get("KEEP"):
        with open(os.environ["KEEP"], "wb") as file:
            file.write(min(failures, key=lambda one: (len(one[2]), one[0]))[5])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
