"""The figures of scripts/peers/gate: how often the gate is right, from real trials with and without a known regression."""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

from peers import BUILD, ROOT, TRIES, write_table

BINARIES = ROOT / ".cache" / "peers" / "gate"
STORE = ROOT / "results" / "peers" / "gate"
POOL = STORE / "pool.jsonl"
FRAUD = ["fixtures/fraud", "--side", "rpc", "--duration", "6s", "--warmup", "1s"]
# Idle processors poll: waking up is not in what an event costs. Six windows of 1 s make one observation, in the time that one of 6 s
# takes: what disturbs is mostly white from trial to trial (results/reference/gate.md).
TWEET = ["fixtures/tweet", "--side", "embedded", "--rate", "4000/s", "--wake-latency", "0us", "--duration", "1s", "--warmup", "200ms"]
MEAN_OF = {"fraud": 1, "tweet": 6}
# Case, candidate's binary, and pairs in each round: all kinds see the same hours of the machine.
KINDS = {
    "aa-fraud": (FRAUD, "copy", 5),
    "aa-fraud-judged": (FRAUD, "copy", 4),  # none of these in the margins that they are judged by
    "aa-tweet": (TWEET, "copy", 18),
    "aa-tweet-judged": (TWEET, "copy", 12),
    "busy": (TWEET, "busy", 12),
    "tail": (FRAUD, "tail", 3),
}
ROUND = sum(n for *_, n in KINDS.values())
# A percentile wants five seconds; CPU per event does not.
METRICS = {"fraud": "response_p50,response_p99,cpu_per_event", "tweet": "cpu_per_event"}


def name_of(case):
    return case[0].split("/")[1]


def command_of(name):
    """The candidate as a command: a binary, or one with what makes it worse."""
    if name in ("base", "copy"):
        return [str(BINARIES / name / "build" / "servepath")], {}
    if name == "busy":
        return [str(BINARIES / "busy" / "build" / "servepath")], {"BUSY_NS": (STORE / "busy_ns").read_text().strip()}
    return [str(BINARIES / "copy" / "build" / "servepath")], {}


def trial(name, case, seed, out):
    """One trial; its result."""
    command, environment = command_of(name)
    more = ["--set", "sides.rpc.server.delay=every=67:5ms"] if name == "tail" else []
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run([*command, "run", *case, *more, "--seed", str(seed), "--quiet", "--out", str(out)],
                          capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment})
    if done.returncode not in (0, 1, 2, 4):
        sys.exit(f"{name} {case}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads((out / "result.json").read_text())


def rows():
    return [json.loads(line) for line in POOL.read_text().splitlines()] if POOL.exists() else []


def choose_busy():
    """A tenth of the base's CPU per event, once that is known."""
    known = [r["base"]["cpu_per_event"] for r in rows() if r["kind"].startswith("aa-tweet")]
    if not (STORE / "busy_ns").exists() and known:
        (STORE / "busy_ns").write_text(str(round(statistics.median(known) * 100)))


def figures(result):
    """What the pool's table shows; the decision reads the stored results themselves."""
    return {"response_p50": result["response_ns"]["p50"], "response_p99": result["response_ns"]["p99"],
            "cpu_per_event": result["cpu_us_per_event"]["total"]}


def pair(kind, number):
    """One valid pair in its folder, or None after TRIES."""
    case, candidate, _ = KINDS[kind]
    folder = STORE / "pool" / kind / f"{number:03}"
    for tries in range(TRIES):
        order = ("base", "candidate") if number % 2 == 0 else ("candidate", "base")
        results = {}
        for side in order:
            name = "base" if side == "base" else candidate
            results[side] = trial(name, case, number + 1, folder / side)
        if all(r["validity"]["verdict"] == "valid" for r in results.values()):
            return {"kind": kind, "pair": number, "case": case, "redone": tries, **{s: figures(r) for s, r in results.items()}}
    shutil.rmtree(folder)
    return {"kind": kind, "pair": number, "case": case, "redone": TRIES}


def pool(args, until):
    STORE.mkdir(parents=True, exist_ok=True)
    plan = [(kind, r * n + i) for r in range(args.trials // 2 // ROUND + 1) for kind, (_, _, n) in KINDS.items() for i in range(n)]
    plan = plan[:args.trials // 2]
    known = {(r["kind"], r["pair"]) for r in rows()}
    mixed = [r for r in rows() if r["case"] != KINDS[r["kind"]][0]]
    if mixed:
        sys.exit(f"{POOL} holds {len(mixed)} pairs of another load ({mixed[0]['case']}); begin anew with --fresh")
    for i, (kind, number) in enumerate(plan):
        if (kind, number) in known or kind not in args.kinds:
            continue
        if time.monotonic() > until:
            sys.exit(f"{i} of {len(plan)} pairs are there; the same command goes on")
        if kind == "busy":
            choose_busy()
        made = pair(kind, number)
        with POOL.open("a") as file:
            file.write(json.dumps(made) + "\n")
        print(f"pair {i + 1} of {len(plan)}: {json.dumps(made)}", file=sys.stderr)


def regression(kind, metric):
    """What the candidate's figure is more than the base's, in the median over the pool's pairs."""
    return statistics.median(r["candidate"][metric] / r["base"][metric] for r in rows() if r["kind"] == kind and "base" in r) - 1


def in_means(case):
    return f" in means of {MEAN_OF[case]}" if MEAN_OF[case] > 1 else ""


def resample():
    """Gates from the pool by the product's own decision (gate_resample.c)."""
    out = []
    for kind, calibration in (("aa-fraud-judged", "aa-fraud"), ("aa-tweet-judged", "aa-tweet"), ("busy", "aa-tweet"), ("tail", "aa-fraud")):
        case = name_of(KINDS[kind][0])
        done = subprocess.run([str(BUILD / "gate_resample"), str(STORE / "pool" / calibration), str(STORE / "pool" / kind), "100",
                               METRICS[case], str(MEAN_OF[case])], capture_output=True, text=True, check=True)
        got = json.loads(done.stdout)
        text = (f"{got['pass']} PASS, {got['fail']} FAIL, {got['inconclusive']} inconclusive ({got['without_figure']} for want of usable "
                f"figures); {got['pairs']} pairs{in_means(case)}, margins "
                + ", ".join(f"{m} {v:.1%}" for m, v in got["margins"].items()))
        if kind.startswith("aa"):
            out.append((f"100 A/A gates resampled, {kind.split('-')[1]}", "≤ 1 FAIL, ≥ 85 PASS", text, got["fail"] <= 1 and got["pass"] >= 85))
        else:
            what = (f"a tenth more CPU per event ({regression('busy', 'cpu_per_event'):+.1%} in the median), tweet embedded" if kind == "busy"
                    else "1.5 % of events 5 ms later, fraud rpc")
            out.append((f"100 gates resampled: {what}", "≥ 95 FAIL", text, got["fail"] >= 95))
    return out


def live_known(kind, number):
    """What is known of a live gate; one on other means is refused."""
    kept = STORE / "live" / f"{kind}-{number}" / "comparison.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    mean_of = MEAN_OF[name_of(KINDS[kind][0])]
    if known and known.get("mean_of", 1) != mean_of:
        sys.exit(f"{kept} is of a gate on other means; remove it")
    return known


def live_gate(kind, number):
    """One gate as CI runs it; its verdict."""
    case, candidate, _ = KINDS[kind]
    out = STORE / "live" / f"{kind}-{number}"
    kept = out / "comparison.json"
    if not live_known(kind, number).get("complete"):
        commands = {}
        for side, name in (("base", "base"), ("candidate", candidate)):
            command, environment = command_of(name)
            more = " --set sides.rpc.server.delay=every=67:5ms" if name == "tail" else ""
            wrapper = STORE / f"{kind}-{side}"
            settings = "".join(f"export {k}={v}\n" for k, v in environment.items())
            wrapper.write_text(f'#!/bin/sh\n{settings}exec {" ".join(command)} "$@"{more}\n')
            wrapper.chmod(0o755)
            commands[side] = str(wrapper)
        calibration = STORE / f"calibration-{name_of(case)}.json"
        subprocess.run([str(BUILD / "servepath"), "gate", *case, "--metrics", METRICS[name_of(case)], "--base-cmd", commands["base"],
                        "--candidate-cmd", commands["candidate"], "--mean-of", str(MEAN_OF[name_of(case)]), "--seed", str(10000 * (number + 1)),
                        "--calibration", str(calibration), "--history", "none", "--quiet", "--out", str(out)], cwd=ROOT, check=False)
    return json.loads(kept.read_text())["gate"]["verdict"]


def live(args, until):
    wanted = {"aa-fraud": "pass", "aa-tweet": "pass", "busy": "fail", "tail": "fail"}
    for case in sorted({name_of(KINDS[k][0]) for k in args.kinds}):
        calibration = STORE / f"calibration-{case}.json"
        subprocess.run([str(BUILD / "gate_resample"), str(STORE / "pool" / f"aa-{case}"), "--calibration", str(calibration), METRICS[case],
                        str(MEAN_OF[case])], check=True)
    for number in range(args.gates):
        for kind in [k for k in wanted if k in args.kinds]:
            if time.monotonic() > until:
                sys.exit("not all live gates have run; the same command goes on")
            print(f"live {kind} {number + 1} of {args.gates}: {live_gate(kind, number)}", file=sys.stderr)
    out = []
    for kind, right in wanted.items():
        if kind == "aa-tweet" and kind not in args.kinds:  # a row more than was asked for
            continue
        verdicts = [live_gate(kind, i) for i in range(args.gates) if live_known(kind, i).get("complete")]
        wrong = sum(v == "fail" for v in verdicts) if right == "pass" else sum(v != "fail" for v in verdicts)
        missing = args.gates - len(verdicts)
        out.append((f"{args.gates} live gates, {kind}", "no FAIL" if right == "pass" else "FAIL",
                    ", ".join(v.upper() if v in ("pass", "fail") else v for v in verdicts) + (f"; {missing} not made" if missing else ""),
                    wrong == 0 and not missing))
    return out


def coverage():
    done = subprocess.run([str(BUILD / "test_stats_coverage")], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    held = re.findall(r"^(.+?) +(\d+) pairs at 0\.0500: ([\d.]+)$", said, re.M)
    widths = re.findall(r"^(\d+) pairs: ([\d.]+) x Student's t$", said, re.M)
    lowest = min(held, key=lambda row: float(row[2]))
    widest = max(float(width) for _, width in widths)
    return [("coverage of the 95 % interval, 5,000 samples each, 6 shapes, 10, 12 and 20 pairs", "≥ 93 % everywhere",
             f"lowest {float(lowest[2]):.1%} ({lowest[0]}, {lowest[1]} pairs)", float(lowest[2]) >= 0.93),
            ("its mean width on the normal ÷ Student's t", "≤ 1.4",
             ", ".join(f"{width} at {n} pairs" for n, width in widths), widest <= 1.4 and done.returncode == 0)]


def report_time():
    folders = sorted((STORE / "pool" / "aa-fraud").glob("*/*/result.json"))[:40]
    chosen = STORE / "report-40"
    shutil.rmtree(chosen, ignore_errors=True)
    for i, file in enumerate(folders):
        shutil.copytree(file.parent, chosen / f"{i:02}")
    begun = time.monotonic()
    subprocess.run([str(BUILD / "servepath"), "report", str(chosen), "--html", str(STORE / "report.html")], check=True,
                   capture_output=True)
    took = time.monotonic() - begun
    return [(f"a report of {len(folders)} trials", "< 1 s", f"{took:.2f} s, {(STORE / 'report.html').stat().st_size / 1024:.0f} KiB",
             took < 1)]


def builds_of(case):
    """The versions that the pool's trials of a case were made with."""
    folders = [STORE / "pool" / kind for kind, (what, *_) in KINDS.items() if what[0].endswith(case)]
    return sorted({json.loads(f.read_text())["build"]["version"] for d in folders for f in d.glob("*/*/result.json")})


def main():
    parts = {"pool": None, "resample": resample, "live": None, "coverage": coverage, "report": report_time}
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="*", help=", ".join(parts))
    parser.add_argument("--trials", type=int, default=1512)
    parser.add_argument("--gates", type=int, default=5)
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", default=str(ROOT / "results" / "reference" / "gate.md"))
    args = parser.parse_args()
    chosen = args.part or list(parts)
    for part in chosen:
        if part not in parts:
            parser.error(f"no part {part}; one of {', '.join(parts)}")
    until = time.monotonic() + 60 * args.minutes
    if args.fresh:
        shutil.rmtree(STORE, ignore_errors=True)
    if "pool" in chosen:
        pool(args, until)
    table = []
    for part in ("resample", "live", "coverage", "report"):
        if part in chosen:
            table += live(args, until) if part == "live" else parts[part]()
    if not table:
        return 0
    redone = sum(r["redone"] for r in rows())
    made = {case: 2 * sum("base" in r and name_of(r["case"]) == case for r in rows()) for case in METRICS}
    notes = [f"Pool: {made['fraud']} valid trials of fraud with windows of 6 s, {made['tweet']} of tweet with windows of 1 s, six of which make one "
             f"observation; {redone} pairs were invalid and repeated. "
             "Builds: " + "; ".join(f"{case} {', '.join(builds_of(case))}" for case in ("fraud", "tweet")) + "."]
    return write_table(args.out, "How often the gate is right", "scripts/peers/gate", notes, table)


if __name__ == "__main__":
    sys.exit(main())
