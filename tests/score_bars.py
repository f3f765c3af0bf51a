#!/usr/bin/env python3
"""Holds the printed score of the outside corpus against the bars: right >= 97 %, mean over causes >= 90 %,
right >= 98 % at confidence >= 0.9 on at least half of all, no address wrongly called dead.

usage: score_bars.py FILE"""
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
line = re.search(
    r"right ([\d.]+) %.*?mean over causes ([\d.]+) %.*?>= 0\.9 right ([\d.]+) % \(([\d.]+) % of all\).*?called dead (\d+)", text)
if not line:
    sys.exit("the score printed no result line")
right, mean, sure, share, dead = (float(x) for x in line.groups())
for name, value, bar in [("right", right, 97), ("mean over causes", mean, 90), ("right when sure", sure, 98), ("share sure", share, 50)]:
    if value < bar:
        sys.exit(f"{name}: {value} % is below {bar} %")
if dead:
    sys.exit(f"{dead:.0f} addresses were wrongly called dead")
print("all bars held")
