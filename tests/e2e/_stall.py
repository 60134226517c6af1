"""Compares a trial of stall.sh with the closed form of a stall. Arguments: the folder with narrow/, wide/, *.stall_ns; which of the two."""

import csv
import io
import json
import pathlib
import sys

import zstandard

RATE, WINDOW_S = 1000.0, 10.0


def events(folder):
    """Rows of events.csv.zst, stamps as integers."""
    with open(folder / "events.csv.zst", "rb") as file:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="ascii")
        return list(csv.DictReader(text))


def catch_up_rate(rows):
    """mu: answers per second right after the stall, while the backlog was worked off (from the raw stamps)."""
    done = sorted(int(row["done_ns"]) for row in rows if row["done_ns"])
    gap, start = max((b - a, i) for i, (a, b) in enumerate(zip(done, done[1:])))
    resumed = start + 1
    n_backlog = int(RATE * gap / 1e9 * 0.9)
    span_s = (done[resumed + n_backlog] - done[resumed]) / 1e9
    return n_backlog / span_s, gap / 1e9


def check(name, met, text):
    print(f"{'ok' if met else 'FAIL'} {name}: {text}")
    return met


def main():
    tmp, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    result = json.loads((tmp / name / "result.json").read_text())
    rows = events(tmp / name)
    mu, stall_s = catch_up_rate(rows)
    asked_s = int((tmp / f"{name}.stall_ns").read_text()) / 1e9
    # gRPC's server may take in all that waits before it writes its first answer: the work of the backlog then lies before that
    # answer. Few in flight show what that work is; they cannot wait for it themselves.
    work_s = 0.0 if name == "narrow" else RATE * asked_s / catch_up_rate(events(tmp / "narrow"))[0]
    met = -0.05 < stall_s - asked_s < 0.05 + work_s
    good = check(f"{name} stall", met, f"{stall_s:.3f} s seen in the answers, {asked_s:.3f} s asked, {work_s:.3f} s of work waited")
    for q, field in ((0.90, "p90"), (0.95, "p95"), (0.99, "p99")):
        truth_s = stall_s - (1 - q) * WINDOW_S * (1 - RATE / mu)
        instant_s = stall_s - (1 - q) * WINDOW_S
        responses = sorted(int(row["done_ns"]) - int(row["intended_ns"]) for row in rows if row["done_ns"])
        raw_s = responses[min(len(responses) - 1, int(q * len(responses)))] / 1e9
        told = result["response_ns"][field]
        told_s = told / 1e9 if told is not None else raw_s
        limit_s = 0.01 * truth_s + 0.005
        good &= check(f"{name} response {field}", abs(told_s - truth_s) <= limit_s and told_s >= instant_s - limit_s,
                      f"{told_s * 1e3:.1f} ms, truth {truth_s * 1e3:.1f} ms ± {limit_s * 1e3:.1f} (mu {mu:,.0f}/s)")
    service, response = result["service_ns"]["p95"], result["response_ns"]["p95"]
    if name == "narrow":
        shows_less = service is not None and response is not None and service < 0.5 * response
        good &= check("narrow service p95 hides the stall", shows_less, f"service {service} ns, response {response} ns")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
