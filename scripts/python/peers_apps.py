"""The figures of scripts/peers/apps: servepath's application and reference server against those that others wrote, as ratios of one
run; and the table of deployments with the demos' claims answered, results/reference/deployments.md."""

import statistics
import sys

from peers import BUILD, Store, arguments, pairs_of, ratio_text, servepath_run, write_table
from peers_broker import Part, broker, drained, foreign_app, unique
from peers_deployments import deployment_rows, write_deployments


# --- Draining a full topic ---

def ours(batch):
    # As Kafka Streams where it drains: answers wait for others, and several requests are under way.
    best = ("-X", "producer:linger.ms=20", "-X", "producer:max.in.flight=5")

    def start(source, sink):
        return [Part(1, BUILD / "servepath", "app", "fixtures/fraud", "--broker", broker.address, "--side", "embedded", "--cpus", "none",
                     "--input-topic", source, "--output-topic", sink, "--group", unique("group"), "--batch", batch, *best)]
    return start


def foreign(name, batch, **settings):
    return lambda source, sink: [foreign_app(name, source, sink, BATCH=batch, **settings)]


def both_whole(a, b):
    return a["whole"] and b["whole"] and a["per_s"] > 0 and b["per_s"] > 0


def drain_streams(batch, n=2_000_000, warm_percent=60):
    """Warm: the JVM has had more than half of the topic, 20 s and more, to compile. The same part of the topic for both."""
    def row(seconds):
        m = n if seconds is None else int(seconds * 60_000)
        linger = {"LINGER_MS": 20}
        return pairs_of(lambda: drained(ours(batch), m, warm_percent), lambda: drained(foreign("streams", batch, **linger), m, warm_percent),
                        both_whole)
    return row


def drain_faust(seconds):
    n = int((seconds or 10) * 3_000)
    return pairs_of(lambda: drained(ours(1), 1_000_000), lambda: drained(foreign("faust", 1), n), both_whole)


def drain_figure(rows, what, least, most_cpu=None):
    middle, text = ratio_text(rows, lambda r: r["a"]["per_s"] / r["b"]["per_s"])
    if middle is not None:
        a, b = (statistics.median(r[k]["per_s"] for r in rows if r["valid"]) for k in "ab")
        text += f" ({a:,.0f} and {b:,.0f} events/s)"
    figures = [(f"{what}: rate", f"≥ {least} ×", text, middle is not None and middle >= least)]
    if most_cpu:
        middle, text = ratio_text(rows, lambda r: r["a"]["cpu_us"] / r["b"]["cpu_us"])
        if middle is not None:
            a, b = (statistics.median(r[k]["cpu_us"] for r in rows if r["valid"]) for k in "ab")
            text += f" ({a:.1f} and {b:.1f} µs)"
        figures.append((f"{what}: CPU per event", f"≤ {most_cpu} ×", text, middle is not None and middle <= most_cpu))
    return figures


# --- Response times at 1,000/s ---

def trial(*argv):
    r = servepath_run("fixtures/fraud", "--side", "embedded", "--broker", broker.address, "--arrival", "poisson", "--rate", "1000/s",
                      "--cpus", "driver=0,app=1", "--set", "expect.p99=100ms", *argv)
    c = r["counts"]
    return {"p50_ns": r["response_ns"]["p50"], "p99_ns": r["response_ns"]["p99"], "state": r["response_ns"]["state"]["p99"],
            "reasons": r["validity"]["reasons"], "cpu_us": r["cpu_us_per_event"].get("app"),
            "valid": r["validity"]["verdict"] == "valid" and c["ok"] == c["intended"] and r["response_ns"]["p99"] is not None}


def latency_streams(seconds):
    length = f"{seconds or 20:g}s"
    warmup = "20s" if seconds is None else "5s"
    return pairs_of(lambda: trial("--warmup", warmup, "--duration", length),
                    lambda: trial("--warmup", warmup, "--duration", length, "--app", "streams"), lambda a, b: a["valid"] and b["valid"])


def latency_figure(rows):
    what = "response at 1,000/s, linger 0, embedded fraud, against Kafka Streams"
    middle, text = ratio_text(rows, lambda r: r["a"]["p99_ns"] / r["b"]["p99_ns"])
    if middle is not None:
        (p50, q50), (p99, q99) = ([statistics.median(r[k][p] for r in rows if r["valid"]) / 1e6 for k in "ab"] for p in ("p50_ns", "p99_ns"))
        text += f" (p99 {p99:.2f} and {q99:.2f} ms, p50 {p50:.2f} and {q50:.2f} ms)"
    return [(f"{what}: p99", "≤ ½ ×", text, middle is not None and middle <= 0.5)]


# --- Servers, 64 in flight ---

def closed(length, *argv):
    r = servepath_run("fixtures/fraud", "--side", "rpc", "--protocol", "kserve", "--transport", "direct", "--arrival", "closed",
                      "--concurrency", 64, "--in-flight", 64, "--warmup", "2s", "--duration", length, *argv)
    c = r["counts"]
    return {"per_s": r["rate_per_s"]["achieved"], "reasons": r["validity"]["reasons"], "cpu_us": r["cpu_us_per_event"].get("server"),
            "rss_mib": r["rss_bytes"].get("server", 0) / 2**20, "version": r["server"].get("version"),
            "valid": r["validity"]["verdict"] == "valid" and c["ok"] == c["intended"]}


def servers(name):
    def row(seconds):
        length = f"{seconds or 6:g}s"
        return pairs_of(lambda: closed(length), lambda: closed(length, "--server", name), lambda a, b: a["valid"] and b["valid"])
    return row


def server_figure(rows, name):
    middle, text = ratio_text(rows, lambda r: r["a"]["per_s"] / r["b"]["per_s"])
    if middle is not None:
        a, b = (statistics.median(r[k]["per_s"] for r in rows if r["valid"]) for k in "ab")
        text += f" ({a:,.0f} and {b:,.0f} calls/s)"
    return [(f"reference server ÷ {name} (its backend is Python), KServe, fraud, 64 in flight", "≥ 3 ×", text,
             middle is not None and middle >= 3)]


ROWS = {
    "drain-streams": (drain_streams(1), 12, lambda r: drain_figure(r, "draining a full topic, embedded fraud, against Kafka Streams, batch 1", 2, 0.5)),
    "drain-streams-batched": (drain_streams(64), 12, lambda r: drain_figure(r, "the same, batches of 64", 3, 0.5)),
    "latency-streams": (latency_streams, 12, latency_figure),
    "drain-faust": (drain_faust, 6, lambda r: drain_figure(r, "draining a full topic, embedded fraud, against Faust", 20)),
    "server-triton": (servers("triton"), 12, lambda r: server_figure(r, "Triton")),
    "server-mlserver": (servers("mlserver"), 12, lambda r: server_figure(r, "MLServer")),
    "server-kserve": (servers("kserve"), 12, lambda r: server_figure(r, "KServe")),
    **deployment_rows(),
}


def main():
    args = arguments("apps", ROWS, 12)
    store = Store("apps", args.fresh)
    try:
        most = max(min(args.pairs, ROWS[name][1]) for name in args.row)
        # Round by round, so that what changes on the machine meets every row.
        for pair in range(most):
            for name in args.row[pair % len(args.row):] + args.row[:pair % len(args.row)]:
                row, limit, _ = ROWS[name]
                if pair < min(args.pairs, limit):
                    store.get(name, pair, lambda i=pair, m=row(args.seconds): m(i))
    finally:
        broker.stop()
    write_deployments(store)
    figures = [figure for name, (_, _, figures_of) in ROWS.items() if figures_of and store.of(name) for figure in figures_of(store.of(name))]
    notes = ["Ratios of one run, interleaved A B B A; medians with order-statistic intervals of at least 95 %. Real Kafka 4.3.1 on",
             "processor 0 with the driver; application and server on processor 1. Kafka Streams 4.3.1 with ONNX Runtime 1.28 in Java 17. Linger",
             "is 20 ms on both sides where a topic is drained and 0 where response times are measured; what counts of a drain lies behind 60 % of",
             "the topic, for both."]
    return write_table(args.out, "servepath against applications and servers that others wrote", f"scripts/peers/apps --pairs {args.pairs}",
                       notes, figures)


if __name__ == "__main__":
    sys.exit(main())
