"""The figures of scripts/peers/self: servepath against bare loops, interleaved, as ratios of one run."""

import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from peers import (BUILD, ROOT, BareServer, Store, alternated, arguments, children_of, median_interval, rss_kib, run_json,
                   servepath_run, write_table)


def noop(store, pairs):
    def measure():
        r = servepath_run("fixtures/fraud", "--side", "noop,path=noop", "--arrival", "closed", "--concurrency", 64,
                          "--warmup", "1s", "--duration", "5s")
        return {"events_per_s": r["rate_per_s"]["achieved"], "valid": r["validity"]["verdict"]}

    rates = [store.get("noop", i, measure)["events_per_s"] for i in range(min(pairs, 5))]
    middle, _ = median_interval(rates)
    return [("noop, direct, closed, 64 in flight", "≥ 1,000,000 events/s",
             f"{middle:,.0f} events/s (lowest {min(rates):,.0f}, highest {max(rates):,.0f})", middle >= 1e6)]


def pacer(store, pairs):
    def ours():
        r = servepath_run("fixtures/fraud", "--side", "noop,path=noop", "--arrival", "constant", "--rate", "1000/s",
                          "--warmup", "1s", "--duration", "10s")
        return r["lateness_ns"]

    def bare():
        return run_json(BUILD / "bare_pacer", 1000, 10, 60000, 0)

    def measure(pair):
        a, b = alternated(pair, ours, bare)
        return {"ours_p50": a["p50"], "ours_p99": a["p99"], "bare_p50": b["p50_ns"], "bare_p99": b["p99_ns"]}

    rows = [store.get("pacer", i, lambda i=i: measure(i)) for i in range(pairs)]
    p50 = statistics.median(r["ours_p50"] for r in rows)
    bare_p50 = statistics.median(r["bare_p50"] for r in rows)
    ratio, (low, high) = median_interval([r["ours_p99"] / r["bare_p99"] for r in rows])
    late = statistics.median(r["bare_p99"] for r in rows)
    return [("pacer at 1,000/s, lateness p50", "≤ 2 µs", f"{p50 / 1000:.2f} µs (bare {bare_p50 / 1000:.2f} µs)", p50 <= 2000),
            ("pacer at 1,000/s, p99 ÷ bare p99", "median ≤ 1.2 (fails if its interval lies above)",
             f"{ratio:.2f} [{low:.2f}, {high:.2f}] 95 %, {len(rows)} pairs (bare p99 {late / 1000:.0f} µs)", low <= 1.2)]


def embedded(store, pairs):
    figures = []
    for case in ("fraud", "tweet"):
        def ours(case=case):
            r = servepath_run(f"fixtures/{case}", "--side", "embedded", "--arrival", "closed", "--concurrency", 64,
                              "--warmup", "1s", "--duration", "5s")
            return r

        def bare(case=case):
            return run_json(BUILD / "bare_embedded", ROOT / "fixtures" / case / "scenario.yaml", 5, 1)

        def measure(pair, ours=ours, bare=bare):
            a, b = alternated(pair, ours, bare)
            return {"ours_cpu_us": a["cpu_us_per_event"]["app"], "ours_per_s": a["rate_per_s"]["achieved"],
                    "bare_cpu_us": b["cpu_ns_per_event"] / 1000, "bare_per_s": 1e9 / b["wall_ns_per_event"]}

        rows = [store.get(f"embedded-{case}", i, lambda i=i, m=measure: m(i)) for i in range(min(pairs, 12))]
        added, (low, high) = median_interval([r["ours_cpu_us"] - r["bare_cpu_us"] for r in rows])
        ratio, (rlow, rhigh) = median_interval([r["ours_per_s"] / r["bare_per_s"] for r in rows])
        bare_us = statistics.median(r["bare_cpu_us"] for r in rows)
        if case == "fraud":
            figures.append(("embedded fraud, closed, saturated: worker time added", "≤ 0.6 µs an event",
                            f"{added:.2f} µs [{low:.2f}, {high:.2f}] (bare {bare_us:.2f} µs; rate {ratio:.2f} ×)", added <= 0.6))
        else:
            figures.append(("embedded tweet, closed, saturated ÷ bare rate", "≥ 0.97 ×",
                            f"{ratio:.3f} × [{rlow:.3f}, {rhigh:.3f}] (bare {bare_us:.1f} µs an event)", ratio >= 0.97))
    return figures


def rpc(store, pairs):
    """Two placements: client and server on one processor each, and both on one while the driver has the other."""
    figures = []
    for name, client, server, cpus in (("apart", 0, 1, "driver=0,app=0,server=1"), ("together", 1, 1, "driver=0,app=1,server=1")):
        def ours(cpus=cpus):
            r = servepath_run("fixtures/fraud", "--side", "rpc", "--stub", "fixed", "--arrival", "closed", "--concurrency", 64,
                              "--in-flight", 64, "--warmup", "1s", "--duration", "5s", "--cpus", cpus)
            return r["rate_per_s"]["achieved"]

        def bare(client=client, server=server):
            with BareServer(server) as address:
                return run_json("taskset", "-c", client, BUILD / "bare_grpc", "client", address, 64, 5)["calls_per_s"]

        def measure(pair, ours=ours, bare=bare):
            a, b = alternated(pair, ours, bare)
            return {"ours_per_s": a, "bare_per_s": b}

        rows = [store.get(f"rpc-{name}", i, lambda i=i, m=measure: m(i)) for i in range(min(pairs, 6))]
        ratio, (low, high) = median_interval([r["ours_per_s"] / r["bare_per_s"] for r in rows])
        bare_rate = statistics.median(r["bare_per_s"] for r in rows)
        figures.append((f"RPC fraud, stub fixed, 64 in flight ÷ bare pair, {name}", "≥ 0.8 ×",
                        f"{ratio:.2f} × [{low:.2f}, {high:.2f}] (bare {bare_rate:,.0f} calls/s)", ratio >= 0.8))
    return figures


def memory(store, _pairs):
    """Resident memory of the driver through ten minutes at 2,000/s; the second half must not grow."""
    def measure():
        out = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))
        process = subprocess.Popen([str(BUILD / "servepath"), "run", "fixtures/fraud", "--side", "embedded", "--quiet",
                                    "--rate", "2000/s", "--duration", "600s", "--warmup", "2s", "--out", str(out / "trial")],
                                   cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        samples = []
        while True:
            try:
                process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                samples += [rss_kib(child) for child in children_of(process.pid, "driver")]
        shutil.rmtree(out)
        samples = [s for s in samples if s]
        half = len(samples) // 2
        return {"half_kib": samples[half], "end_kib": max(samples[half:]), "n": len(samples)}

    row = store.get("memory", 0, measure)
    grown = (row["end_kib"] - row["half_kib"]) / 1024
    return [("driver memory, ten minutes at 2,000/s, second half", "grows < 1 MiB",
             f"{grown:.2f} MiB (of {row['half_kib'] / 1024:.0f} MiB)", grown < 1)]


ROWS = {"noop": noop, "pacer": pacer, "embedded": embedded, "rpc": rpc, "memory": memory}


def main():
    args = arguments("self", ROWS, 20)
    store = Store("self", args.fresh)
    figures = [figure for name in args.row for figure in ROWS[name](store, args.pairs)]
    return write_table(args.out, "servepath against bare loops", f"scripts/peers/self --pairs {args.pairs}",
                       ["Ratios of one run, interleaved A B B A; medians with order-statistic intervals."], figures)


if __name__ == "__main__":
    sys.exit(main())
