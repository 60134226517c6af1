"""What scripts/peers/* share: running programs, measurements that are kept, intervals, the table."""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build"))
TRIES = 3  # of a pair that is not valid


def run_json(*argv):
    """The one JSON line that a bare program prints."""
    done = subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout.strip().splitlines()[-1])


def servepath_run(*argv):
    """One trial; its result.json, whatever the verdict (1: a bound missed, 2: invalid, 4: inconclusive)."""
    with tempfile.TemporaryDirectory(prefix="peers-") as out:
        command = [str(BUILD / "servepath"), "run", *map(str, argv), "--quiet", "--out", f"{out}/trial"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        if done.returncode not in (0, 1, 2, 4):
            sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
        return json.loads(pathlib.Path(out, "trial", "result.json").read_text())


class Store:
    """Measurements already made: one JSON object a line, by row and pair."""

    def __init__(self, name, fresh):
        self.file = ROOT / "results" / "peers" / f"{name}.jsonl"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            self.file.unlink(missing_ok=True)
        self.rows = [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def of(self, row):
        return sorted((known for known in self.rows if known["row"] == row), key=lambda known: known["pair"])

    def get(self, row, pair, measure):
        for known in self.rows:
            if known["row"] == row and known["pair"] == pair:
                return known
        made = {"row": row, "pair": pair, **measure()}
        self.rows.append(made)
        with self.file.open("a") as file:
            file.write(json.dumps(made) + "\n")
        print(f"{row} {pair}: {made}", file=sys.stderr)
        return made


def median_interval(values):
    """Median and the order-statistic interval of at least 95 % (binomial), ends included."""
    values = sorted(values)
    n = len(values)
    best = (values[0], values[-1])
    for k in range(n // 2):
        outside = 2 * sum(math.comb(n, i) for i in range(k)) / 2**n
        if outside <= 0.05:
            best = (values[k - 1], values[n - k]) if k else best
    return statistics.median(values), best


def alternated(pair, first, second):
    """A B B A."""
    if pair % 2 == 0:
        a = first()
        return a, second()
    b = second()
    return first(), b


def pairs_of(first, second, is_valid):
    """Measures a pair until both halves are valid, at most TRIES times, and says how often that was not so."""
    def measure(pair):
        for tries in range(1, TRIES + 1):
            a, b = alternated(pair, first, second)
            if is_valid(a, b):
                break
        return {"a": a, "b": b, "redone": tries - 1 + (not is_valid(a, b)), "valid": is_valid(a, b)}
    return measure


def ratio_text(rows, value):
    """Median, interval, and what was left out, of the valid pairs."""
    valid = [r for r in rows if r["valid"]]
    if not valid:
        return None, f"no valid pair of {len(rows)}"
    middle, (low, high) = median_interval([value(r) for r in valid])
    redone = sum(r["redone"] for r in rows)
    return middle, (f"{middle:.2f} × [{low:.2f}, {high:.2f}], {len(valid)} pairs"
                    + (f", {redone} invalid and repeated" if redone else "")
                    + (f", {len(rows) - len(valid)} left out" if len(valid) < len(rows) else ""))


class BareServer:
    """bare_grpc server on one processor, ended on exit."""

    def __init__(self, cpu):
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), str(BUILD / "bare_grpc"), "server", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, text=True)
        self.address = json.loads(self.process.stdout.readline())["address"]

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def rss_kib(pid, field="VmRSS"):
    """Resident memory of a process, None where it is gone."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/status").read_text().split(f"{field}:")[1].split()[0])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return None


def children_of(parent, verb):
    """Children of a process that run a verb of servepath."""
    found = []
    try:
        for child in pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[1:2] == [verb.encode()]:
                found.append(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def machine_text():
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    kernel = subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    version = subprocess.run([str(BUILD / "servepath"), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{version}; {cpu}, {len(open('/proc/cpuinfo').read().split('model name')) - 1} processors, kernel {kernel}"


def arguments(name, rows, pairs):
    parser = argparse.ArgumentParser()
    parser.add_argument("row", nargs="*", help=f"one or more of {', '.join(rows)}; default all")
    parser.add_argument("--rows", help="the same, by comma")
    parser.add_argument("--pairs", type=int, default=pairs)
    parser.add_argument("--seconds", type=float, help="length of each measurement, instead of the row's own")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", default=str(ROOT / "results" / "reference" / f"{name}.md"))
    args = parser.parse_args()
    args.row = args.row or (args.rows.split(",") if args.rows else list(rows))
    for row in args.row:
        if row not in rows:
            parser.error(f"no row {row}; one of {', '.join(rows)}")
    return args


def write_table(out, title, command, notes, figures):
    """figures: what, bound, measured, met. What a hand added below the table, from the first heading on, is kept.
    Exit code: 1 where a bound is missed."""
    lines = [f"# {title}", "", f"`{command}` on {machine_text()}.", *notes, "",
             "| what | bound | measured | met |", "|---|---|---|---|"]
    lines += [f"| {what} | {bound} | {value} | {'yes' if met else '**no**'} |" for what, bound, value, met in figures]
    text = "\n".join(lines) + "\n"
    file = pathlib.Path(out)
    file.parent.mkdir(parents=True, exist_ok=True)
    _, heading, by_hand = file.read_text().partition("\n## ") if file.exists() else ("", "", "")
    file.write_text(text + heading + by_hand)
    print(text, end="")
    return 0 if all(met for *_, met in figures) else 1
