#!/usr/bin/env python3
"""Holds the printed score of the outside bounce mails against the bars: causes right >= 97 %, kinds >= 99 %, recipients all found
>= 99 % with one too many <= 1 %, right >= 98 % at confidence >= 0.9, no address wrongly called dead.

usage: score_mail_bars.py FILE"""
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
causes = re.search(r"mails: right ([\d.]+) %.*?>= 0\.9 right ([\d.]+) %.*?called dead (\d+)", text)
kinds = re.search(r"kinds of report: right ([\d.]+) %", text)
recipients = re.search(r"recipients: all found ([\d.]+) %.*?one too many ([\d.]+) %", text)
if not (causes and kinds and recipients):
    sys.exit("the score printed no result lines")
bars = [("causes", float(causes[1]), 97), ("causes when sure", float(causes[2]), 98), ("kinds", float(kinds[1]), 99),
        ("recipients", float(recipients[1]), 99), ("not too many", 100 - float(recipients[2]), 99)]
for name, value, bar in bars:
    if value < bar:
        sys.exit(f"{name}: {value} % is below {bar} %")
if int(causes[3]):
    sys.exit(f"{causes[3]} addresses were wrongly called dead")
print("all bars held")
