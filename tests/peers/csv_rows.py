#!/usr/bin/env python3
"""Our CSV reader against Python's csv module: hand-picked, generated and hostile input; rows, fields and what fields say."""
import csv
import io
import random
import sys
import tempfile
from pathlib import Path

from _sprec import check, read, run

csv.field_size_limit(sys.maxsize)
random.seed(4180)
HAND = [
    b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a\r1\r2", b'"a,1",b\n', b'"a""b","c\nd"\r\n"e\r\nf",g', b"x,,\n,,\n", b"\n\n1,2\n\n",
    b'NA,"0",""\n', b'"quoted"tail,x\n', b'a"b"c,d\n', b' "not quoted, at all"\n', b'""\n', b'"",""\n', b"\xff\xfe,\x80\n",
    b"nul\0inside,x\n", b"last line has no end,x", b"1,2,\r\r\n3\r\n", b"\xef\xbb\xbfid,x\n1,2\n", b'\xef\xbb\xbf"id",x\n', b'a,"b"" ""c"\n',
    b'"' + b"x" * 300_000 + b'\n",end\n', b"," * 60_000 + b"\n", b"\xe2\x80\xa8,\x85\x1c\x0b\x0c\n"]


def rows_of(data):
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def ends_in_quotes(data):
    """Inside quotes a line end is part of the last field."""
    return rows_of(data + b"\nend")[-1][-1].endswith("\nend")


def generated():
    alphabet = [b"a", b"7", b",", b",", b'"', b'"', b"\n", b"\r", b"\r\n", b" ", b"\xff", b"\0", b"\xc3\xa9", b"NA"]
    return b"".join(random.choices(alphabet, k=random.randrange(1, 60)))


def written():
    """What a writer makes of random fields: closer to real files than random bytes."""
    out = io.StringIO(newline="")
    end, quoting = random.choice(["\n", "\r\n"]), random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    for _ in range(random.randrange(1, 8)):
        writer.writerow(["".join(random.choices("ab,\"\n\r é1", k=random.randrange(6))) for _ in range(random.randrange(1, 5))])
    return out.getvalue().encode("latin-1")


def try_one(folder, data):
    file, out = folder / "in.csv", folder / "out.sprec"
    file.write_bytes(data)
    out.unlink(missing_ok=True)
    done = run("import", file, "-o", out, "--no-header", "--key", "1")
    rows = rows_of(data)
    if ends_in_quotes(data):
        check(done.returncode == 3 and b"ends inside quotes" in done.stderr and not out.exists(), data[:99], done)
        return
    if not rows:
        check(done.returncode == 3 and b"holds no events" in done.stderr and not out.exists(), data[:99], done)
        return
    check(done.returncode == 0, data[:99], done)
    events = read(out)[1]
    # Each value is one record that says what Python found there, and nothing of the file is lost but line ends.
    check([rows_of(e.value) for e in events] == [[row] for row in rows], data[:99], events[:9])
    check([e.key.decode("latin-1") for e in events] == [row[0] for row in rows], data[:99], "first fields")
    kept = data.removeprefix(b"\xef\xbb\xbf")
    for event in events:
        at = kept.find(event.value)
        check(at >= 0 and not kept[:at].strip(b"\r\n"), data[:99], "bytes between records")
        kept = kept[at + len(event.value):]
    check(not kept.strip(b"\r\n"), data[:99], "bytes after the last record")
    # What every row has can be chosen: the last column that all rows have, and the first.
    last = min(len(row) for row in rows)
    done = run("import", file, "-o", out, "--no-header", "--columns", f"{last},1", "--key", last)
    check(done.returncode == 0, data[:99], done)
    events = read(out)[1]
    check([e.key.decode("latin-1") for e in events] == [row[last - 1] for row in rows], data[:99], "last fields")
    for event, row in zip(events, rows):
        parts = rows_of(event.value) or [[""]]
        check(parts == [[row[last - 1], row[0]]], data[:99], "chosen columns", event.value[:99])


with tempfile.TemporaryDirectory() as folder:
    cases = HAND + [generated() for _ in range(250)] + [written() for _ in range(100)]
    for case in cases:
        try_one(Path(folder), case)
    print(f"{len(cases)} CSV files read alike")
