#!/usr/bin/env python3
"""Reads hostile messages, each in a process of its own, and holds each to a bar of CPU time and memory.

usage: tests/bombs.py BINARY [GENERATOR]

GENERATOR writes the messages into a folder (default: attacks/mime_bombs.py of the outside material beside the repository;
without it nothing is measured, and that is said). Memory counts above that of a process that explains `550 no`.
"""
import json, os, resource, subprocess, sys, tempfile

MOST_SECONDS = 1.0
MOST_MEGABYTES = 64.0


def run(arguments):
    """CPU seconds and peak memory in MB of one process, its exit code, how much it told of which kinds, and its complaints.

    What it writes is never held whole: a child's peak counts from the memory of who started it.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=limit)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        kinds, told = set(), 0
        if "jsonl" in arguments and process.returncode in (0, 1, 2):
            for line in out:
                line = json.loads(line)
                told += 1
                kinds.add(line.get("kind") or line["error"]["code"])
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode, told, sorted(kinds), err.read(10_000)


def limit():
    """What would run for hours is ended by the system."""
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def main():
    binary = sys.argv[1]
    shared = os.environ.get("REDELIVER_SHARED", "../shared")
    generator = sys.argv[2] if len(sys.argv) > 2 else os.path.join(shared, "attacks", "mime_bombs.py")
    if not os.path.isfile(generator):
        print(f"SKIPPED: {generator} is not there, so NO hostile message was measured", file=sys.stderr)
        return 0
    idle = min(run([binary, "explain", "--reply", "550 no"])[1] for _ in range(3))
    failures, worst = [], [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, generator, folder], check=True, stdout=subprocess.DEVNULL)
        names = sorted(os.listdir(folder))
        print(f"idle {idle:.1f} MB; bars {MOST_SECONDS:.0f} s of CPU, {MOST_MEGABYTES:.0f} MB above idle\n{'file':34} {'CPU s':>6} {'MB':>6}  told")
        for name in names:
            seconds, memory, code, told, kinds, err = run([binary, "explain", "--format", "jsonl", os.path.join(folder, name)])
            memory -= idle
            worst = [max(worst[0], seconds), max(worst[1], memory)]
            good = seconds <= MOST_SECONDS and memory <= MOST_MEGABYTES and code in (0, 1, 2) and told and b"panicked" not in err
            print(f"{name:34} {seconds:6.2f} {memory:6.1f}  {told} {' '.join(kinds)}{'' if good else '  FAILED'}")
            failures += [] if good else [name]
    print(f"{len(names)} files, worst {worst[0]:.2f} s of CPU and {worst[1]:.1f} MB above idle, {len(failures)} beyond the bars")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
