#!/usr/bin/env python3
"""The codec against Python's csv, float, json and unicodedata, on generated and hostile input."""
import csv
import io
import json
import math
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

SOURCE, BUILD = Path(os.environ["SOURCE_DIR"]), Path(os.environ["BUILD_DIR"])
NUMBER = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
random.seed(7)
work = Path(tempfile.mkdtemp(prefix="sp-codec-"))
n_checked = 0


def build():
    libraries = [str(BUILD / f"lib{name}.a") for name in ("sp_codec", "sp_base")]
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-O1", f"-I{SOURCE}/bench", str(SOURCE / "tests/peers/codec_filter.c"),
                    *libraries, "-lutf8proc", "-lxxhash", "-lm", "-o", str(work / "filter")], check=True)


def through(inputs, *args):
    """What the filter answers to each input."""
    stream = b"".join(struct.pack("<I", len(one)) + one for one in inputs)
    out = subprocess.run([str(work / "filter"), *map(str, args)], input=stream, stdout=subprocess.PIPE, check=True).stdout
    answers = delimited(out)
    assert len(answers) == len(inputs), (args, len(answers), len(inputs))
    return answers


def delimited(data):
    parts, at = [], 0
    while at < len(data):
        n, = struct.unpack_from("<I", data, at)
        parts.append(data[at + 4:at + 4 + n])
        at += 4 + n
    return parts


def compare(what, inputs, given, expected):
    global n_checked
    for one, a, b in zip(inputs, given, expected, strict=True):
        if a != b:
            sys.exit(f"{what}: {one!r}\n  gives    {a!r}\n  expected {b!r}")
    n_checked += len(inputs)
    print(f"{what}: {len(inputs):,} agree")


# ---------------------------------------------------------------- CSV

def python_record(data):
    """The first record's fields as bytes, or None where Python's strict reader refuses it."""
    try:
        record = next(csv.reader(io.StringIO(data.decode("latin-1"), newline=""), strict=True), [])
    except csv.Error:
        return None
    return [field.encode("latin-1") for field in record or [""]]


def hostile_csv():
    alphabet = [b"a", b"1.5", b",", b",", b",", b'"', b'"', b'""', b"\n", b"\r\n", b" ", b"NA", b"\xff", b"\0", b"\xc3\xa9", b"-2e3"]
    return b"".join(random.choices(alphabet, k=random.randrange(30)))


def written_csv(fields, end):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])).writerow(fields)
    return out.getvalue().encode("latin-1")


def check_fields():
    inputs = [hostile_csv() for _ in range(40_000)]
    pieces = ["", "x", '"', ",", "\n", "\r\n", "NA", "1", "\xe9", " ", '""']
    for _ in range(20_000):
        fields = ["".join(random.choices(pieces, k=random.randrange(5))) for _ in range(random.randrange(1, 8))]
        inputs.append(written_csv(fields, random.choice(["\n", "\r\n", ""])))
    given = [None if answer == b"B" else delimited(answer[1:]) for answer in through(inputs, "fields")]
    compare("CSV fields", inputs, given, [python_record(data) for data in inputs])


def some_number():
    kind = random.randrange(6)
    if kind == 0:
        return repr(random.uniform(-1000, 1000))
    if kind == 1:
        return repr(struct.unpack("<d", random.randbytes(8))[0])
    if kind == 2:
        return "".join(random.choices("0123456789.", k=random.randrange(1, 30)))
    if kind == 3:
        return f"{random.choice(['', '-', '+'])}{random.randrange(10**6)}.{random.randrange(10**20)}e{random.randrange(-340, 320)}"
    if kind == 4:
        return "".join(random.choices("0123456789+-.eE naifx", k=random.randrange(1, 10)))
    return random.choice(["", "NA", "nan", "inf", "-0", "1e999", "-1e999", "1e-999", "1_000", "٣", "0x1p3", "Infinity", "5e-324"])


def python_row(data, n):
    """The row of n doubles, or None where the event is malformed."""
    record = python_record(data)
    text = data.decode("latin-1")
    n_records = sum(1 for _ in csv.reader(io.StringIO(text, newline=""))) if record is not None else 0
    if record is None or len(record) != n or n_records != 1 or not all(NUMBER.fullmatch(field) for field in record):
        return None
    return struct.pack(f"<{n}d", *map(float, record))


def row_or_none(answers):
    return [answer[1:] if answer[:1] == b"R" else None for answer in answers]


def check_numbers():
    inputs = [written_csv([some_number().encode().decode("latin-1") for _ in range(4)], random.choice(["", "\n", "\r\n"]))
              for _ in range(60_000)]
    inputs += [b",".join(repr(random.gauss(0, 3)).encode() for _ in range(4)) for _ in range(40_000)]
    inputs += [hostile_csv() for _ in range(20_000)]
    compare("CSV rows", inputs, row_or_none(through(inputs, "csv", "float64", 4)), [python_row(data, 4) for data in inputs])


# ---------------------------------------------------------------- numbers as text

def shortest_float32(value):
    """The fewest significant digits that give a float32 back."""
    return next(n for n in range(1, 10) if float32(float(f"{value:.{n}g}")) == value)


def float32(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def n_digits(text):
    digits = re.sub(r"e.*|[-.]", "", text).lstrip("0")
    return len(digits.rstrip("0")) if digits else 0


def check_float_texts():
    singles = [struct.unpack("<f", random.randbytes(4))[0] for _ in range(60_000)] + [random.random() for _ in range(40_000)]
    singles = [value for value in map(float32, singles) if math.isfinite(value) and value]
    texts = [text.decode() for text in through([struct.pack("<f", value) for value in singles], "float32")]
    compare("float32 texts, read back", singles, [float32(json.loads(text)) for text in texts], singles)
    # Beside a power of two, %g may need a digit more than the shortest text has.
    compare("float32 texts, length", singles, [min(n_digits(t), shortest_float32(v)) for t, v in zip(texts, singles)],
            [n_digits(t) for t in texts])
    doubles = [value for value in (struct.unpack("<d", random.randbytes(8))[0] for _ in range(60_000)) if math.isfinite(value)]
    texts = [text.decode() for text in through([struct.pack("<d", value) for value in doubles], "float64")]
    compare("float64 texts, read back", doubles, [float(json.loads(text)) for text in texts], doubles)


# ---------------------------------------------------------------- JSON

def hostile_json():
    alphabet = ["1", "-2.5e3", "0", "[", "]", "[", "]", ",", ",", " ", "true", "null", '"x"', "{", "}", "01", "1.", "-", "NaN", "\n", "é"]
    return "".join(random.choices(alphabet, k=random.randrange(12))).encode()


def no_constant(name):
    raise ValueError(name)


def flat(value):
    return [one for item in value for one in flat(item)] if isinstance(value, list) else [value]


def json_row(data, n):
    try:
        numbers = flat(json.loads(data.decode("utf-8"), parse_constant=no_constant, parse_int=float))
    except ValueError:
        return None
    if len(numbers) != n or not all(isinstance(number, float) for number in numbers):
        return None
    return struct.pack(f"<{n}d", *numbers)


def nested(numbers):
    if len(numbers) < 2 or random.random() < 0.5:
        return list(numbers)
    cut = random.randrange(1, len(numbers))
    return [nested(numbers[:cut]), nested(numbers[cut:])]


def check_json():
    inputs = [json.dumps(nested([random.choice([random.gauss(0, 1e3), random.randrange(-9, 10**18)]) for _ in range(3)]),
                         indent=random.choice([None, 1])).encode() for _ in range(30_000)]
    inputs += [hostile_json() for _ in range(60_000)]
    inputs += [json.dumps([1, 2, 3]).encode(encoding) for encoding in ("utf-8-sig", "utf-16", "utf-32")]
    compare("JSON numbers", inputs, row_or_none(through(inputs, "json", "float64", 3)), [json_row(data, 3) for data in inputs])


# ---------------------------------------------------------------- text, one character at a time and in a mixture

def is_space(c):
    return c in "\t\n\v\f\r\x85" or unicodedata.category(c).startswith("Z")


def is_emoji(c):
    o = ord(c)
    return (0x1F000 <= o <= 0x1FAFF or 0x2600 <= o <= 0x27BF or 0x2300 <= o <= 0x23FF or 0x2B00 <= o <= 0x2BFF or
            0x2190 <= o <= 0x21FF or 0xFE00 <= o <= 0xFE0F or o in (0x200D, 0x20E3) or 0xE0020 <= o <= 0xE007F)


SPACE = "".join(chr(o) for o in range(0x110000) if is_space(chr(o)))
STEPS = {
    "strip_emoji": lambda text: "".join(c for c in text if not is_emoji(c)),
    "strip_urls": lambda text: re.sub(rf"(?:[hH][tT][tT][pP][sS]?://|[wW][wW][wW]\.)[^{SPACE}]*", "", text),
    "replace= ": lambda text: "".join(c if c == "_" or unicodedata.category(c)[0] in "LN" else " " for c in text),
    "replace=<>": lambda text: "".join(c if c == "_" or unicodedata.category(c)[0] in "LN" else "<>" for c in text),
    "drop_digits": lambda text: "".join(c for c in text if unicodedata.category(c) != "Nd"),
    "lowercase": lambda text: "".join("i" if c == "İ" else c.lower() if len(c.lower()) == 1 else c for c in text),
    "min_length=3": None,
}


def words_of(text, steps):
    words = None
    for step in steps:
        if step.startswith("min_length"):
            words = [word for word in re.split(f"[{SPACE}]+", text) if len(word) >= 3]
        else:
            text = STEPS[step](text)
    return words if words is not None else [word for word in re.split(f"[{SPACE}]+", text) if word]


def check_text(what, texts, steps, side="post", length=12):
    """The vocabulary is what Python makes of all texts, so that any other word shows as <unk>."""
    expected = [words_of(text, steps) for text in texts]
    index = {"<pad>": 0, "<unk>": 1}
    for word in (word for words in expected for word in words):
        # A word list is a file of lines: words that cannot stand in one are left to <unk>.
        if "\r" not in word and "\n" not in word:
            index.setdefault(word, len(index))
    (work / "vocabulary").write_bytes("\n".join(index).encode() + b"\n")
    rows = []
    for words in expected:
        ids = [index.get(word, 1) for word in words]
        ids = ids[:length] if side == "post" else ids[-length:]
        zeros = [0] * (length - len(ids))
        rows.append(struct.pack(f"<{length}i", *(ids + zeros if side == "post" else zeros + ids)))
    inputs = [json.dumps(text, ensure_ascii=i % 2 == 0).encode() for i, text in enumerate(texts)]
    answers = through(inputs, "text", length, *steps, f"vocabulary={work}/vocabulary", f"pad={side}:{length}")
    compare(f"text, {what}", texts, row_or_none(answers), rows)


def check_steps():
    # utf8proc may know a newer Unicode than this Python: characters it has not assigned are left out; so are most of the large
    # blocks of like characters.
    known = [chr(o) for o in range(1, 0x110000) if unicodedata.category(chr(o)) not in ("Cn", "Cs", "Co") and
             (o % 16 == 0 or not (0x3400 <= o < 0xA000 or 0xAC00 <= o < 0xD7A0 or 0x17000 <= o < 0x18D00 or 0x20000 <= o < 0x32000))]
    alone = [f"a{c}b {c}" for c in known]
    for step in ("strip_emoji", "replace= ", "replace=<>", "drop_digits", "lowercase"):
        check_text(f"every character, {step}", alone, [step])
    check_text("every character, split", alone, [])
    mixture = known + ["http://", "https://", "HTTPS://t.co/x", "www.", "www", "http:/"] * 200 + [" "] * 4000 + list("abcXYZ019_,.!") * 300
    texts = ["".join(random.choices(mixture, k=random.randrange(40))) for _ in range(20_000)]
    every = ["strip_emoji", "strip_urls", "replace= ", "drop_digits", "lowercase", "min_length=3"]
    check_text("mixtures, all steps", texts, every)
    check_text("mixtures, another order, cut before", texts, ["lowercase", "replace=<>", "drop_digits", "strip_urls"], "pre", 5)
    check_text("mixtures, links", texts, ["strip_urls"])


def check_broken_text():
    """Bytes that are not UTF-8, and half surrogate pairs, are malformed; everything else is text."""
    pieces = [b"a", b" ", b"\xc3\xa9", b"\xc3", b"\xa9", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\\ud83d",
              b"\\ude00", b"\\u0041", b"\\n", b"\xff"]
    inputs = [b'"' + b"".join(random.choices(pieces, k=random.randrange(6))) + b'"' for _ in range(20_000)]
    (work / "vocabulary").write_text("<unk>\n")

    def is_text(data):
        try:
            json.loads(data.decode("utf-8")).encode("utf-8")
            return True
        except UnicodeError:
            return False

    answers = through(inputs, "text", 4, f"vocabulary={work}/vocabulary", "pad=post:4")
    compare("broken text", inputs, [answer[:1] == b"R" for answer in answers], [is_text(data) for data in inputs])


build()
try:
    check_fields()
    check_numbers()
    check_float_texts()
    check_json()
    check_steps()
    check_broken_text()
finally:
    for file in work.iterdir():
        file.unlink()
    work.rmdir()
print(f"{n_checked:,} comparisons agree")
