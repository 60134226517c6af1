#!/usr/bin/env python3
"""Mutates the JSON files that servepath wrote itself, one place at a time, and gives them back to the verbs that read them.

    _mutate.py SERVEPATH FOLDER SECONDS [SEED]

FOLDER holds base/ same/ slow/ (trials of _gate_trials.py; slow is 20 % worse) and verdict/ (a gate's), history.jsonl and, if
they are there, search/ sweep/ calibration.json. Each run ends within a minute with 0-4 or 64, prints nothing that can drive a
terminal, says in one line why it refuses, writes only well-formed files, and never passes what is slow for the sake of one
trial. The first that does otherwise is kept as FOLDER/found-N, and the exit code is 1.
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

HOSTILE = "<script>alert(1)</script>|`**x**\n\r\t\x1b[31m\"'&,;=2+3\u2028\u202e\x00\U0001f600" + "y" * 300
VALUES = [
    None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e-320, 1e308, -1e308, 2**31, 2**63 - 1, -(2**63), 2**63, 10**30, "", "x", HOSTILE,
    "valid", "NaN", "../../../etc/passwd", "/", [], {}, [[]], [None] * 50, {"": 1}, {"p50": "x"}, ["\u0000"], "9" * 400,
    float("nan"), float("inf"),
]
TAKEN = object()
ALLOWED = (0, 1, 2, 3, 4, 64)


def places(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield path + (key,)
            yield from places(value, path + (key,))
    elif isinstance(node, list):
        for i, value in enumerate(node[:4]):
            yield path + (i,)
            yield from places(value, path + (i,))


def mutate(dice, root):
    """One place of `root` is another value, gone, doubled or named otherwise. Returns what was done."""
    # First where, so that the long list of resolved settings does not take most turns.
    top = dice.choice(list(root))
    path = dice.choice([p for p in places(root) if p[0] == top])
    holder = root
    for step in path[:-1]:
        holder = holder[step]
    last, kind = path[-1], dice.random()
    if kind < 0.12:
        del holder[last]
        return f"{path} deleted"
    if kind < 0.2 and isinstance(holder, list):
        holder.extend([holder[last]] * dice.choice([1, 3, 300]))
        return f"{path} doubled"
    if kind < 0.25 and isinstance(holder, dict):
        holder[HOSTILE] = holder.pop(last)
        return f"{path} renamed"
    if kind < 0.35 and isinstance(holder[last], (int, float)) and not isinstance(holder[last], bool):
        holder[last] = holder[last] * dice.choice([-1, 0, 2, 1000, 1e-9, 1e300])
        return f"{path} = {holder[last]!r}"
    holder[last] = dice.choice(VALUES)
    return f"{path} = {holder[last]!r:.80}"


def damage(dice, text):
    """Bytes of a file, damaged: cut short, bits changed, deep, doubled, not UTF-8."""
    kind, at = dice.randrange(7), dice.randrange(len(text))
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + bytes([dice.randrange(256)]) + text[at + 1:]
    if kind == 2:
        return text[:at] + b"[" * 100_000 + text[at:]
    if kind == 3:
        return text + text
    if kind == 4:
        return text.replace(b'"', b'"\xff\xfe', dice.randrange(1, 40))
    if kind == 5:
        return b""
    return text[:at] + text[at + dice.randrange(1, 40):]


def rewrite(dice, path, is_lines=False):
    with open(path, "rb") as file:
        text = file.read()
    if dice.random() < 0.15:
        text, told = damage(dice, text), "damaged"
    elif is_lines:
        lines = text.splitlines()
        i = dice.randrange(len(lines))
        root = json.loads(lines[i])
        told = f"line {i}: {mutate(dice, root)}"
        lines[i] = json.dumps(root).encode()
        text = b"\n".join(lines) + b"\n"
    else:
        root = json.loads(text)
        told = mutate(dice, root)
        text = json.dumps(root, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    with open(path, "wb") as file:
        file.write(text)
    return f"{os.path.basename(path)} {told}"


class Wrong(Exception):
    pass


def check_text(name, text):
    try:
        told = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Wrong(f"{name} is no UTF-8: {error}") from error
    if name.endswith(".csv"):
        told = told.replace("\r\n", "\n")
    bad = re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", told)
    if bad:
        raise Wrong(f"{name} holds control character {bad.group()!r}: {told[max(0, bad.start() - 60):bad.end() + 20]!r}")
    return told


def check_files(folder):
    for name in ("x.xml", "x.json", "x.html", "x.md", "x.csv", "verdict/junit.xml", "verdict/comparison.json",
                 "verdict/report.html", "verdict/report.md", "verdict/comparison.csv"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            text = check_text(name, file.read())
        if name.endswith(".xml"):
            xml.etree.ElementTree.fromstring(text)
        elif name.endswith(".json"):
            json.loads(text, parse_constant=lambda word: (_ for _ in ()).throw(Wrong(f"{name} holds {word}")))
        elif "<script>alert" in text:
            raise Wrong(f"{name} holds markup of the input")


def run(folder, words):
    """Returns the exit code and what was printed, having checked both."""
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:allocator_may_return_null=1",
           "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99"}
    try:
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise Wrong("hangs") from error
    if done.returncode not in ALLOWED:
        raise Wrong(f"exit {done.returncode}: {done.stderr[-3000:].decode(errors='replace')}")
    out, err = check_text("stdout", done.stdout), check_text("stderr", done.stderr)
    if done.returncode in (3, 64) and (out or err.count("\n") != 1):
        raise Wrong(f"exit {done.returncode}, not one line: {out[-500:]}{err[-1500:]}")
    check_files(folder)
    return done.returncode, out + err


FORMS = ["--html", "x.html", "--csv", "x.csv", "--junit", "x.xml", "--export-json", "x.json", "--export-markdown", "x.md"]


def of_report(dice, program, folder, source):
    n = dice.choice([1, 2])
    shutil.copytree(os.path.join(source, "base"), os.path.join(folder, "base"),
                    ignore=lambda _, names: [x for x in names if x.isdigit() and int(x) > n])
    told = rewrite(dice, os.path.join(folder, "base/001/result.json"))
    by = [["--by", dice.choice(["engine", "tags.x", "seed", "scenario.name"])], [], []][dice.randrange(3)]
    return told, lambda: run(folder, [program, "report", "base", *FORMS, "--hgrm", "x.hgrm", *by])


def of_gate(dice, program, folder, source):
    for name in ("base", "slow"):
        shutil.copytree(os.path.join(source, name), os.path.join(folder, name))
    where = dice.choice(["base", "slow"])
    told = where + " " + rewrite(dice, os.path.join(folder, where, f"{dice.randrange(1, 13):03}", "result.json"))

    def go():
        code, _ = run(folder, [program, "gate", "--base", "base", "--candidate", "slow", "--out", "verdict", "--history", "none"])
        if code == 0:
            raise Wrong("one strange trial, and what is 20 % slower passes")
    return told, go


def of_all(dice, program, folder, source):
    """The same change to every trial of one side, so that it is not one that is left out."""
    for name in ("base", "same"):
        shutil.copytree(os.path.join(source, name), os.path.join(folder, name))
    told, seed = "", dice.random()
    for i in range(1, 13):
        told = rewrite(random.Random(seed), os.path.join(folder, "same", f"{i:03}", "result.json"))
    return "all " + told, lambda: run(folder, [program, "gate", "--base", "base", "--candidate", "same", "--out", "verdict",
                                               "--history", "none"])


def of_verdict(dice, program, folder, source):
    shutil.copytree(os.path.join(source, "verdict"), os.path.join(folder, "told"))
    told = rewrite(dice, os.path.join(folder, "told/comparison.json"))
    return told, lambda: run(folder, [program, "report", "told", *FORMS])


def of_history(dice, program, folder, source):
    shutil.copy(os.path.join(source, "history.jsonl"), folder)
    told = rewrite(dice, os.path.join(folder, "history.jsonl"), is_lines=True)
    return told, lambda: run(folder, [program, "report", "--history", "history.jsonl", "--html", "x.html"])


def of_folder(name, file):
    def make(dice, program, folder, source):
        shutil.copytree(os.path.join(source, name), os.path.join(folder, name), symlinks=True)
        told = rewrite(dice, os.path.join(folder, name, file))
        return told, lambda: run(folder, [program, "report", name, "--html", "x.html", "--export-json", "x.json"])
    return make


def of_calibration(dice, program, folder, source):
    for name in ("base", "slow"):
        shutil.copytree(os.path.join(source, name), os.path.join(folder, name))
    shutil.copy(os.path.join(source, "calibration.json"), folder)
    told = rewrite(dice, os.path.join(folder, "calibration.json"))
    return told, lambda: run(folder, [program, "gate", "--base", "base", "--candidate", "slow", "--calibration", "calibration.json",
                                      "--out", "verdict", "--history", "none"])


def main():
    program, source, seconds = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    kinds = [of_report, of_report, of_gate, of_all, of_verdict, of_verdict, of_history]
    for name, make in (("search/search.json", of_folder("search", "search.json")), ("sweep/sweep.json", of_folder("sweep", "sweep.json")),
                       ("calibration.json", of_calibration)):
        if os.path.exists(os.path.join(source, name)):
            kinds.append(make)
    end, n, n_found, folder = time.monotonic() + seconds, 0, 0, os.path.join(source, "at")
    while time.monotonic() < end:
        dice = random.Random(f"{seed} {n}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        kind = dice.choice(kinds)
        told, go = kind(dice, program, folder, source)
        try:
            go()
        except (Wrong, xml.etree.ElementTree.ParseError, json.JSONDecodeError) as error:
            n_found += 1
            kept = os.path.join(source, f"found-{seed}-{n}")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept, symlinks=True)
            print(f"{kept}: {kind.__name__}: {told}: {error}", flush=True)
        n += 1
    print(f"{n} files, {n_found} found")
    sys.exit(1 if n_found else 0)


if __name__ == "__main__":
    main()
