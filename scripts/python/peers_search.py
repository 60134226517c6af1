"""The figures of scripts/peers/search: the sustainable rate of a known queue, live, against theory."""

import argparse
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys

from peers import BUILD, ROOT, Store, servepath_run, write_table

# M/D/1: the utilisation at which p99 of the response is 10 service times (Crommelin 1934; bench/stats/queueing.h).
THEORY = 0.772
WITHIN = 0.05
SIDE = ["--side", "rpc", "--stub", "fixed", "--in-flight", "4096"]


def milliseconds(text):
    """2ms, as a number."""
    if not text.endswith("ms"):
        raise argparse.ArgumentTypeError(f"{text}: write 2ms")
    return float(text[:-2])


def closed_loop(delay_ms, seed, in_flight):
    return servepath_run("fixtures/fraud", *SIDE, "--delay", f"serial:{delay_ms:g}ms", "--arrival", "closed", "--concurrency",
                         in_flight, "--warmup", "1s", "--duration", "10s", "--seed", seed)


def call_ms(delay_ms, seed):
    """What a call keeps the server busy for (a closed loop that never leaves it idle), and what it costs on its way besides (a
    closed loop of one): the former is D, the latter waits in no queue."""
    busy = 1000 / closed_loop(delay_ms, seed, 16)["rate_per_s"]["achieved"]
    alone = closed_loop(delay_ms, seed, 1)["service_ns"]["mean"] / 1e6
    return {"service_ms": busy, "way_ms": max(0.0, alone - busy)}


def search(delay_ms, bound_ms, from_per_s, seed, out):
    command = [str(BUILD / "servepath"), "search", "fixtures/fraud", *SIDE, "--delay", f"serial:{delay_ms:g}ms",
               "--set", f"expect.p99={bound_ms * 1000:.0f}us", "--set", "expect.not_ok=0%", "--from", f"{from_per_s:.4g}/s",
               "--seed", str(seed), "--history", "none", "--quiet", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode not in (0, 1, 2, 4):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads((out / "search.json").read_text())["sides"][0]


def measure(delay_ms, number, fresh):
    out = ROOT / "results" / "peers" / "search" / f"{delay_ms:g}ms-{number}"
    if fresh and out.exists():
        shutil.rmtree(out)
    known = out / "call.json"
    if known.exists():  # a search that was broken off goes on with the bound that it began with
        call = json.loads(known.read_text())
    else:
        call = call_ms(delay_ms, number + 1)
        out.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(call) + "\n")
    bound_ms = 10 * call["service_ms"] + call["way_ms"]
    side = search(delay_ms, bound_ms, 400 / call["service_ms"], 1000 * (number + 1), out)
    if side["verdict"] == "unknown":  # no word on the search: nothing is kept, so that it begins anew
        shutil.rmtree(out)
        sys.exit(f"the driver could not measure here: {side['text']}; run it again when the machine is quieter")
    return {**call, "verdict": side["verdict"], "low": side["low_per_s"], "high": side["high_per_s"],
            "text": side["text"], "trials": len(side["trials"]),
            "invalid": sum(t["verdict"] == "invalid" for t in side["trials"])}


def figure(delay_ms, rows):
    what = f"stub of {delay_ms:g} ms, one thread: p99 ≤ 10 D, rate × D"
    bound = f"{THEORY} ± {WITHIN:.0%}"
    found = [r for r in rows if r["verdict"] == "bracket"]
    if not found:
        return what, bound, f"no bracket in {len(rows)} searches: {rows[-1]['text']}", False
    at = [math.sqrt(r["low"] * r["high"]) * r["service_ms"] / 1000 for r in found]
    middle = statistics.median(at)
    shown = ", ".join(f"{u:.3f}" for u in sorted(at))
    service = statistics.median(r["service_ms"] for r in found)
    way = statistics.median(r["way_ms"] for r in found)
    invalid = sum(r["invalid"] for r in rows)
    value = (f"{middle:.3f} (median of {shown}; D {service:.3f} ms, way {way:.3f} ms by closed loops; "
             f"{len(rows) - len(found)} of {len(rows)} without a bracket; {invalid} of {sum(r['trials'] for r in rows)} trials invalid and repeated)")
    return what, bound, value, abs(middle / THEORY - 1) <= WITHIN


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", type=milliseconds, default=1.0)
    parser.add_argument("--searches", type=int, default=3)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--out", default=str(ROOT / "results" / "reference" / "search.md"))
    args = parser.parse_args()
    store = Store("search", args.fresh)
    rows = [store.get(f"{args.service:g}ms", i, lambda i=i: measure(args.service, i, args.fresh)) for i in range(args.searches)]
    notes = ["The utilisation at the middle of the bracket that `servepath search` found, against M/D/1."]
    return write_table(args.out, "servepath search against queueing theory",
                       f"scripts/peers/search --service {args.service:g}ms --searches {args.searches}", notes,
                       [figure(args.service, rows)])


if __name__ == "__main__":
    sys.exit(main())
