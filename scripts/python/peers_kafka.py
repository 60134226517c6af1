"""The figures of scripts/peers/kafka: servepath over a real Kafka against bare librdkafka programs, as ratios of one run."""

import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from peers import (BUILD, ROOT, TRIES, BareServer, Store, arguments, children_of, median_interval, pairs_of, ratio_text, rss_kib,
                   run_json, servepath_run, write_table)
from peers_broker import PARTITIONS, RECORDING, Part, broker, drained, topic, unique

SCENARIO = ROOT / "fixtures" / "fraud" / "scenario.yaml"
N_DRAIN = 1_000_000


def servepath_app(side, source, sink):
    return Part(1, BUILD / "servepath", "app", "fixtures/fraud", "--broker", broker.address, "--side", side, "--cpus", "none",
                "--input-topic", source, "--output-topic", sink, "--group", unique("group"))


def bare_loop(source, sink, *scenario):
    return Part(1, BUILD / "bare_kafka_loop", broker.address, source, sink, unique("group"), *scenario)


# --- Draining a full topic ---

def drain(side, scenario, seconds):
    n = N_DRAIN if seconds is None else int(seconds * 40_000)

    def whole_and_alike(a, b):
        return a["whole"] and b["whole"] and a["digest"] == b["digest"] and a["per_s"] > 0 and b["per_s"] > 0
    return pairs_of(lambda: drained(lambda source, sink: [servepath_app(side, source, sink)], n),
                    lambda: drained(lambda source, sink: [bare_loop(source, sink, *scenario)], n), whole_and_alike)


def drain_figure(rows, what, bound):
    middle, text = ratio_text(rows, lambda r: r["a"]["per_s"] / r["b"]["per_s"])
    if middle is not None:
        ours, bare = (statistics.median(r[k]["per_s"] for r in rows if r["valid"]) for k in "ab")
        text += f" ({ours:,.0f} and {bare:,.0f} events/s; outputs equal byte for byte)"
    return [(what, f"≥ {bound} ×", text, middle is not None and middle >= bound)]


# --- Round trip ---

def trial(*argv):
    r = servepath_run("fixtures/fraud", "--broker", broker.address, "--arrival", "constant", "--rate", "1000/s",
                      "--cpus", "driver=0,app=1", *argv)
    c = r["counts"]
    answered = c["ok"] + c["unchecked"] + (c["malformed"] + c["mismatch"] if r["path"] == "noop" else 0)
    return {"p50_ns": r["response_ns"]["p50"], "p99_ns": r["response_ns"]["p99"], "reasons": r["validity"]["reasons"],
            "valid": r["validity"]["verdict"] == "valid" and answered == c["intended"] and c["lost"] == c["shed"] == 0
            and r["response_ns"]["p50"] is not None}


def round_trip(seconds):
    length = seconds or 10

    def ours():
        return trial("--side", "noop,path=noop", "--warmup", "2s", "--duration", f"{length:g}s")

    def bare():
        source, sink = unique("pair-in"), unique("pair-out")
        for name in (source, sink):
            topic("create", name, PARTITIONS)
        part = bare_loop(source, sink)
        r = run_json("taskset", "-c", 0, BUILD / "bare_kafka_pair", broker.address, source, sink, RECORDING, 1000, 2, length)
        part.end()
        for name in (source, sink):
            topic("delete", name)
        r["valid"] = r["received"] == r["n"] and r["duplicates"] == r["refused"] == 0 and r["late_share"] <= 0.01
        return r

    return pairs_of(ours, bare, lambda a, b: a["valid"] and b["valid"])


def round_trip_figure(rows):
    middle, text = ratio_text(rows, lambda r: r["a"]["p50_ns"] / r["b"]["p50_ns"])
    if middle is not None:
        ours, bare = (statistics.median(r[k]["p50_ns"] for r in rows if r["valid"]) / 1e6 for k in "ab")
        text += f" ({ours:.2f} and {bare:.2f} ms)"
    return [("round trip at 1,000/s, noop, p50 ÷ a bare pair's", "median ≤ 1.15 ×", text, middle is not None and middle <= 1.15)]


def exactly_once(seconds):
    def measure(_pair):
        for tries in range(1, TRIES + 1):
            # What waits for its commit when the window begins is no backlog: the limit is rate x expect.p99.
            a = trial("--side", "noop,path=noop", "--delivery", "exactly-once", "--commit-interval", "100ms", "--warmup", "2s",
                      "--duration", f"{seconds or 10:g}s", "--set", "expect.p99=250ms")
            if a["valid"]:
                break
        return {"a": a, "redone": tries - 1 + (not a["valid"]), "valid": a["valid"]}
    return measure


def exactly_once_figure(rows):
    p50 = [r["a"]["p50_ns"] / 1e6 for r in rows if r["valid"]]
    if not p50:
        return [("exactly-once at 100 ms commits, 1,000/s, p50", "≤ 65 ms", f"no valid trial of {len(rows)}", False)]
    middle, (low, high) = median_interval(p50)
    redone = sum(r["redone"] for r in rows)
    return [("exactly-once at 100 ms commits, 1,000/s, p50", "≤ 65 ms", f"{middle:.1f} ms [{low:.1f}, {high:.1f}], {len(p50)} trials"
             + (f", {redone} invalid and repeated" if redone else ""), middle <= 65)]


# --- The broker itself, memory ---

def ready(seconds):
    def measure(_pair):
        start = time.monotonic()
        done = subprocess.run([ROOT / "scripts" / "kafka", "start", "--name", "peers"], capture_output=True, text=True)
        took = time.monotonic() - start
        if done.returncode:
            sys.exit(done.stderr)
        try:
            line = json.loads(done.stdout)
            at_ready = rss_kib(line["pid"])
            servepath_run("fixtures/fraud", "--side", "noop,path=noop", "--broker", line["address"], "--rate", "1000/s",
                          "--warmup", "1s", "--duration", f"{seconds or 5:g}s")
            return {"s": took, "ready_kib": at_ready, "used_kib": rss_kib(line["pid"], "VmHWM"), "valid": True, "redone": 0}
        finally:
            subprocess.run([ROOT / "scripts" / "kafka", "stop", "--name", "peers"], check=True)
    return measure


def ready_figure(rows):
    took, (low, high) = median_interval([r["s"] for r in rows])
    at_ready, used = (max(r[k] for r in rows) / 1024 for k in ("ready_kib", "used_kib"))
    return [("Kafka ready from scripts/kafka start", "≤ 3 s", f"{took:.2f} s [{low:.2f}, {high:.2f}], {len(rows)} starts", high <= 3),
            ("its resident memory", "≤ 200 MiB", f"{at_ready:.0f} MiB when ready, {used:.0f} MiB at most after a trial at 1,000/s",
             max(at_ready, used) <= 200)]


def memory(seconds):
    length = seconds or 600

    def measure(_pair):
        out = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
        process = subprocess.Popen([BUILD / "servepath", "run", "fixtures/fraud", "--side", "embedded", "--quiet", "--broker",
                                    broker.address, "--rate", "2000/s", "--duration", f"{length:g}s", "--warmup", "2s",
                                    "--cpus", "driver=0,app=1", "--out", out / "trial"], cwd=ROOT, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        samples = []
        while process.poll() is None:
            time.sleep(length / 120)
            parts = [rss_kib(child) for verb in ("driver", "app") for child in children_of(process.pid, verb)]
            if len(parts) == 2 and all(parts):
                samples.append(parts)
        file = out / "trial" / "result.json"
        if not file.exists():
            sys.exit(f"the trial of row memory failed: {process.stderr.read().strip()}")
        r = json.loads(file.read_text())
        shutil.rmtree(out)
        sums, half = [sum(s) for s in samples], len(samples) // 2
        return {"seconds": length, "half_kib": sums[half], "end_kib": max(sums[half:]), "driver_kib": samples[-1][0],
                "app_kib": samples[-1][1], "n": len(samples), "reasons": r["validity"]["reasons"], "redone": 0,
                "valid": r["counts"]["ok"] == r["counts"]["intended"]}
    return measure


def memory_figure(rows):
    r = rows[0]
    end, grown = r["end_kib"] / 1024, (r["end_kib"] - r["half_kib"]) / 1024
    return [(f"application + driver, {r['seconds']:g} s at 2,000/s, embedded", "≤ 100 MiB, second half grows < 1 MiB",
             f"{end:.1f} MiB (driver {r['driver_kib'] / 1024:.1f}, application {r['app_kib'] / 1024:.1f}), grew {grown:.2f} MiB"
             + ("" if r["valid"] else "; not every answer was right"), r["valid"] and end <= 100 and grown < 1)]


# --- RPC ---

def kserve(client, server, cpus):
    def row(seconds):
        length = seconds or 5

        def ours():
            r = servepath_run("fixtures/fraud", "--side", "rpc", "--protocol", "kserve", "--stub", "fixed", "--transport", "direct",
                              "--arrival", "closed", "--concurrency", 64, "--in-flight", 64, "--warmup", "1s",
                              "--duration", f"{length:g}s", "--cpus", cpus)
            c = r["counts"]
            return {"per_s": r["rate_per_s"]["achieved"], "reasons": r["validity"]["reasons"],
                    "valid": r["validity"]["verdict"] == "valid" and c["unchecked"] + c["ok"] + c["mismatch"] == c["intended"]}

        def bare():
            with BareServer(server) as address:
                r = run_json("taskset", "-c", client, BUILD / "bare_grpc", "client", address, 64, max(1, round(length)))
            return {"per_s": r["calls_per_s"], "valid": r["calls"] > 0}

        return pairs_of(ours, bare, lambda a, b: a["valid"] and b["valid"])
    return row


def kserve_figure(rows, name):
    middle, text = ratio_text(rows, lambda r: r["a"]["per_s"] / r["b"]["per_s"])
    if middle is not None:
        text += f" (bare {statistics.median(r['b']['per_s'] for r in rows if r['valid']):,.0f} calls/s)"
    return [(f"KServe RPC fraud, stub fixed, 64 in flight ÷ bare pair, {name}", "≥ 0.8 ×", text, middle is not None and middle >= 0.8)]


# row -> what measures a pair of it, at most how many pairs, what makes figures of them
ROWS = {
    "drain-noop": (lambda s: drain("noop,path=noop", (), s), 20,
                   lambda r: drain_figure(r, "application, noop, draining a full topic ÷ bare consume-produce loop", 0.8)),
    "drain-fraud": (lambda s: drain("embedded", (SCENARIO,), s), 20,
                    lambda r: drain_figure(r, "application, embedded fraud ÷ bare loop with the same decode and session run", 0.85)),
    "round-trip": (round_trip, 20, round_trip_figure),
    "exactly-once": (exactly_once, 10, exactly_once_figure),
    "ready": (ready, 10, ready_figure),
    "memory": (memory, 1, memory_figure),
    "kserve-apart": (kserve(0, 1, "driver=0,app=0,server=1"), 20, lambda r: kserve_figure(r, "apart")),
    "kserve-together": (kserve(1, 1, "driver=0,app=1,server=1"), 20, lambda r: kserve_figure(r, "together")),
}


def main():
    args = arguments("kafka", ROWS, 12)
    store = Store("kafka", args.fresh)
    try:
        for name in args.row:
            row, most, _ = ROWS[name]
            measure = row(args.seconds)
            for pair in range(min(args.pairs, most)):
                store.get(name, pair, lambda i=pair, m=measure: m(i))
    finally:
        broker.stop()
    # Rows that were measured before stand in the table too.
    figures = [figure for name, (_, _, figures_of) in ROWS.items() if store.of(name) for figure in figures_of(store.of(name))]
    notes = ["Ratios of one run, interleaved A B B A; medians with order-statistic intervals of at least 95 %. Real Kafka 4.3.1 on",
             "processor 0 with the driver, the application on processor 1; clients of both sides are made with the same properties,",
             "and the bare loops copy the same headers and add one of the size of `sp-stages`."]
    return write_table(args.out, "servepath over Kafka against bare loops", f"scripts/peers/kafka --pairs {args.pairs}", notes, figures)


if __name__ == "__main__":
    sys.exit(main())
