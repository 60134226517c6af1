#!/usr/bin/env python3
"""Recordings between C and Python: what each writes the other reads, in all the shapes that the format has."""
import json
import random
import tempfile
from pathlib import Path

from _sprec import Record, SOURCE, check, read, run, write

random.seed(20261121)


def shape(event):
    """An event as plain values; None where it says nothing."""
    return (event.offset_ns, event.key if event.WhichOneof("key_or_none") else None,
            event.value if event.WhichOneof("value_or_none") else None,
            [(h.name, h.value if h.WhichOneof("value_or_none") else None) for h in event.headers])


def some_bytes():
    return random.choice([b"", b"\0", b'"\\\x1f\x7f', "grün 😀".encode(), bytes(random.randrange(256) for _ in range(40))])


def some_events(n):
    events, at = [], 0
    for _ in range(n):
        event = Record().event
        at += random.choice([0, 1, 999_999, 1_000_000, 10**9])
        event.offset_ns = at
        if random.random() < 0.7:
            event.key = some_bytes()
        if random.random() < 0.9:
            event.value = some_bytes()
        for i in range(random.choice([0, 0, 1, 3])):
            header = event.headers.add(name=f"h{i}é\"")
            if random.random() < 0.7:
                header.value = some_bytes()
        events.append(event)
    return events


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    # Python -> C -> kcat's lines -> C -> Python: nothing is lost.
    events = some_events(500)
    header = {"version": 1, "name": "all shapes", "start_unix_ns": 1_600_000_000_000_000_000, "times_are_real": True}
    for level in (1, 19, 22):
        write(folder / "python.sprec", header, events, level)
        done = run("export", folder / "python.sprec", "--format", "kcat", "-o", folder / "lines")
        check(done.returncode == 0, done.stderr)
        done = run("import", folder / "lines", "--format", "kcat", "-o", folder / "c.sprec", "--name", "all shapes")
        check(done.returncode == 0, done.stderr)
        back_header, back = read(folder / "c.sprec")
        first = events[0].offset_ns
        check(back_header.start_unix_ns == header["start_unix_ns"] + first, back_header)
        check([shape(e)[1:] for e in back] == [shape(e)[1:] for e in events], "events differ")
        check([e.offset_ns for e in back] == [e.offset_ns - first for e in events], "times differ")
    # The envelope is JSON, where the bytes are text.
    line = json.loads((folder / "lines").read_bytes().split(b"\n")[0].decode("latin-1"))
    check(line["topic"] == "all shapes" and line["partition"] == 0 and line["offset"] == 0, line)

    # C -> Python, every field of the header.
    (folder / "a.csv").write_bytes(b"t,k,v\r\n1.5,a,\"x,\r\ny\"\r\n2,b,\xff\x00NA\r\n")
    done = run("import", folder / "a.csv", "-o", folder / "a.sprec", "--time", "t", "--key", "k", "--name", "n", "--source", "s",
               "--licence", "l", "--note", "Grüße")
    check(done.returncode == 0, done.stderr)
    header, events = read(folder / "a.sprec")
    check((header.version, header.name, header.source, header.licence, header.note) == (1, "n", "s", "l", "Grüße"), header)
    check(header.times_are_real and header.start_unix_ns == 0, header)
    check([shape(e) for e in events] == [(0, b"a", b'1.5,a,"x,\r\ny"', []), (500_000_000, b"b", b"2,b,\xff\x00NA", [])], events)

    # Python -> C: the committed recordings and what inspect says of them.
    for path in sorted(SOURCE.glob("fixtures/*/*.sprec")):
        header, events = read(path)
        done = run("inspect", path, "--json")
        says = json.loads(done.stdout)
        sizes = sorted(len(e.value) for e in events)
        check(says["events"] == len(events) and says["name"] == header.name, path, says)
        check(says["keys_distinct"] == len({e.key for e in events if e.WhichOneof("key_or_none")}), path, says)
        check(says["value_bytes"] == {"total": sum(sizes), "min": sizes[0], "median": sizes[(len(sizes) - 1) // 2],
                                      "max": sizes[-1]}, path, says)
print("recordings agree")
