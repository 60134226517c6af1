"""The reference codec: event bytes -> tensors, as a scenario's `input` declares. Written for clarity and checked against
by the program's own; the two share this text and no code.

CSV      One RFC 4180 record per event, one field per name in `header`, with or without its line end. A field is missing
         if it is empty or NA. A plain column is a number: parsed as a double, then rounded to float32. {column,
         vocabulary: FILE} gives the index of the line that equals the field; {column, one_hot: FILE} a slot per line.
         `missing:` and `unknown:` say what to do with a field that is missing, or equals no line: a number, nan,
         own_code, malformed (the default). The code of unknown is the number of lines; the code of missing comes after
         it. In a one-hot column each own_code adds a slot, and a number or nan fills every slot.
JSON     A pointer to a string, then steps on its code points until the first step on tokens, which splits at whitespace.
"""

import csv
import io
import json
import math
import re
import unicodedata
from pathlib import Path

import numpy as np

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Malformed(Exception):
    pass


def _lines(path):
    return Path(path).read_text(encoding="utf-8").split("\n")[:-1]


# ---------------------------------------------------------------- CSV

def _number(text):
    if not NUMBER.fullmatch(text):
        raise Malformed(f"not a number: {text!r}")
    return [float(text)]


def _column(spec, header, folder):
    """(field index, function from the field's text to its list of values)."""
    if isinstance(spec, str):
        spec = {"column": spec}
    at = header.index(spec["column"])
    missing, unknown = spec.get("missing", "malformed"), spec.get("unknown", "malformed")
    kind = next((k for k in ("vocabulary", "one_hot") if k in spec), None)
    levels = {text: i for i, text in enumerate(_lines(folder / spec[kind]))} if kind else {}
    own = {"unknown": len(levels), "missing": len(levels) + (unknown == "own_code")}
    assert kind or "own_code" not in (missing, unknown), "own_code needs a vocabulary"
    width = len(levels) + (unknown == "own_code") + (missing == "own_code")

    def coded(code):
        if kind != "one_hot":
            return [float(code)]
        slots = [0.0] * width
        slots[code] = 1.0
        return slots

    def by_policy(policy, which, text):
        if policy == "malformed":
            raise Malformed(f"{spec['column']}: {which} value {text!r}")
        if policy == "own_code":
            return coded(own[which])
        return [math.nan if policy == "nan" else float(policy)] * (width if kind == "one_hot" else 1)

    def values(text):
        if text in ("", "NA"):
            return by_policy(missing, "missing", text)
        if not kind:
            return _number(text)
        return coded(levels[text]) if text in levels else by_policy(unknown, "unknown", text)

    return at, values


def csv_decoder(declared, folder):
    header = declared["header"]
    columns = [_column(spec, header, folder) for spec in declared["tensors"][0]["columns"]]

    def decode(value):
        record = next(csv.reader(io.StringIO(value.decode("utf-8", "surrogateescape"), newline=""), strict=True), [])
        if len(record) != len(header):
            raise Malformed(f"{len(record)} fields, expected {len(header)}")
        with np.errstate(over="ignore"):  # beyond float32 is infinity
            return np.array([v for at, values in columns for v in values(record[at])], np.float64).astype(np.float32)

    return decode


# ---------------------------------------------------------------- text

EMOJI = [(0x1F000, 0x1FAFF), (0x2600, 0x27BF), (0x2300, 0x23FF), (0x2B00, 0x2BFF), (0x2190, 0x21FF), (0xFE00, 0xFE0F),
         (0x200D, 0x200D), (0x20E3, 0x20E3), (0xE0020, 0xE007F)]


def is_space(c):
    return c in "\t\n\v\f\r\x85" or unicodedata.category(c)[0] == "Z"


def strip_emoji(text):
    return "".join(c for c in text if not any(low <= ord(c) <= high for low, high in EMOJI))


def strip_urls(text):
    out, at = [], 0
    start = re.compile(r"https?://|www\.", re.IGNORECASE | re.ASCII)
    while at < len(text):
        if start.match(text, at):
            while at < len(text) and not is_space(text[at]):
                at += 1
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def replace_non_word(text, by):
    return "".join(c if c == "_" or unicodedata.category(c)[0] in "LN" else by for c in text)


def drop_digits(text):
    return "".join(c for c in text if unicodedata.category(c) != "Nd")


def lowercase(text):
    return "".join(c.lower()[0] for c in text)


def split(text):
    return "".join(" " if is_space(c) else c for c in text).split(" ")


def text_step(step):
    """The function of a step on text; None for a step on tokens."""
    if step == "strip_emoji":
        return strip_emoji
    if step == "strip_urls":
        return strip_urls
    if step == "drop_digits":
        return drop_digits
    if step == "lowercase":
        return lowercase
    if "replace" in step:
        (what, by), = step["replace"].items()
        assert what == "non_word", what
        return lambda text: replace_non_word(text, by)
    return None


def _token_step(step, folder):
    (name, value), = step.items()
    if name == "lemma":
        lemma = dict(line.split("\t") for line in _lines(folder / value))
        return lambda tokens: [lemma.get(token, token) for token in tokens]
    if name == "min_length":
        return lambda tokens: [token for token in tokens if len(token) >= value]
    if name == "stopwords":
        stop = set(_lines(folder / value))
        return lambda tokens: [token for token in tokens if token not in stop]
    if name == "vocabulary":
        index = {word: i for i, word in enumerate(_lines(folder / value))}
        return lambda tokens: [index.get(token, index["<unk>"]) for token in tokens]
    assert name == "pad" and value["side"] == "post", step
    return lambda ids: (ids + [0] * value["length"])[:value["length"]]


def text_steps(steps, folder):
    """Function from a text to the result of the steps."""
    of_text = [text_step(step) for step in steps]
    n_text = next((i for i, step in enumerate(of_text) if step is None), len(steps))
    of_tokens = [_token_step(step, folder) for step in steps[n_text:]]

    def run(text):
        for step in of_text[:n_text]:
            text = step(text)
        tokens = [token for token in split(text) if token]
        for step in of_tokens:
            tokens = step(tokens)
        return tokens

    return run


def pointed(document, pointer):
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(part) if isinstance(document, list) else part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Malformed(f"nothing at {pointer}") from None
    return document


def json_decoder(declared, folder):
    run = text_steps(declared["tensors"][0]["steps"], folder)

    def decode(value):
        try:
            text = pointed(json.loads(value.decode("utf-8")), declared["pointer"])
        except ValueError as error:
            raise Malformed(str(error)) from None
        if not isinstance(text, str):
            raise Malformed(f"{declared['pointer']} is no string")
        return np.array(run(text), np.int64)

    return decode


def decoder(declared, folder):
    """Function from event bytes to the one tensor that `declared` (a scenario's input) names, without its batch axis."""
    assert len(declared["tensors"]) == 1
    return {"csv": csv_decoder, "json": json_decoder}[declared["format"]](declared, Path(folder))
