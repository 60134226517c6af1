"""Trials whose truth is known, made of a real one.

    _gate_trials.py SOURCE TARGET N [--scale 1.2] [--seed 1] [--noise 0.01] [--tag a] [FIELD=JSON]...

Writes TARGET/001 ... with the times and CPU of SOURCE times scale and a little noise, everything resolved and valid, seeds from --seed
on, and each FIELD (dotted) set as given. The noise is of the seed and the tag alone.
"""
import argparse
import hashlib
import json
import os
import random
import shutil

PERCENTILES = ("p50", "p90", "p95", "p99", "p99_9", "p99_99")


def scale_latency(latency, factor):
    for name in PERCENTILES:
        value = latency[name] or 1_000_000
        latency[name] = int(value * factor)
        latency["state"][name] = "resolved"
    latency["mean"] *= factor
    latency["driver_limited"] = []


def set_field(result, field, value):
    *path, last = field.split(".")
    for name in path:
        result = result[name]
    result[last] = value


def make(source, folder, seed, scale, noise, tag, started_at, fields=()):
    dice = random.Random(f"{tag} {seed}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(source, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    result["run_id"] = hashlib.sha256(f"{folder} {seed} {started_at}".encode()).hexdigest()[:32]
    result["started_at"] = started_at
    result["load"]["seed"] = seed
    result["validity"]["verdict"] = "valid"
    result["validity"]["reasons"] = []
    for bound in result["bounds"]:
        bound["met"] = True
    for name in ("response_ns", "response_ok_ns", "service_ns"):
        scale_latency(result[name], scale * dice.lognormvariate(0, noise))
    factor = scale * dice.lognormvariate(0, noise)
    result["cpu_us_per_event"] = {name: value * factor for name, value in result["cpu_us_per_event"].items()}
    for field in fields:
        name, value = field.split("=", 1)
        set_field(result, name, json.loads(value))
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(result, file)
    shutil.copy(os.path.join(source, "latency.hlog"), folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("n", type=int)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tag", default="a")
    parser.add_argument("fields", nargs="*")
    args = parser.parse_intermixed_args()
    for i in range(args.n):
        make(args.source, os.path.join(args.target, f"{i + 1:03}"), args.seed + i, args.scale, args.noise, args.tag,
             f"2026-11-21T10:{i % 60:02}:00.000Z", args.fields)


if __name__ == "__main__":
    main()
