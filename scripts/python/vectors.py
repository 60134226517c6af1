"""Writes tests/fixtures/text.jsonl and csv.jsonl: awkward inputs and what the reference codec makes of them.

text.jsonl  {"value": event as hexadecimal, "text": after the steps on text, "tokens": indices without the padding}
csv.jsonl   {"header": [...], "columns": [...], "value": event as hexadecimal, "tensor": [...]}; "nan" stands for NaN
Either has {"malformed": reason} in place of a result. The columns' files lie in tests/fixtures.
"""

import csv
import json
import math
import random
import unicodedata

import yaml

import codec
from fetch import TOP

OUT = TOP / "tests/fixtures"

WEB = "http:" "//"

TEXTS = [
    "", " ", "\t\n\v\f\r", "Hello world", "There has been an earthquake at 3:00 pm", "FLOODS flooded flooding floods",
    f"see {WEB}example.org/a?b=c now", f"x{WEB}a.b/c tail", "HTTPS://A.B", "www.flood.example water", "WwW.x y",
    f"{WEB} water", "http:/water", "httpx://water", "awww.water food", f"{WEB}a\u00a0water", f"{WEB}a\u2003water",
    f"{WEB}a\u200bwater food", f"{WEB}a\u0085water", f"{WEB}a\x1cwater", "water\x1cfood", "water\u2028food",
    "help\U0001f198water", "help\U0001f468\u200d\U0001f469\u200d\U0001f467water", "w\u200data er", "1\ufe0f\u20e3 water",
    "\U0001f1ed\U0001f1f9 haiti", "\U0001f3f4\U000e0067\U000e0062\U000e007f flood", "\u2190water\u21ffflood\u2b00fire\u2bff",
    "\u2122water", "\u3030water", "\U0001faff\U0001fb00water", "ht\U0001f198tp://water food",
    "caf\u00e9 cafe\u0301 na\u00efve", "\u0130stanbul I\u0307 \u0131", "\u03a3\u0391\u03a3 \u03c2", "\u1e9eSS stra\u00dfe", "\u01c4\u01c5 \u1fbc \u2126 \u212a\u212b",
    "\uff37\uff21\uff34\uff25\uff32 \uff11\uff12", "\u0661\u0662\u0663 water \u00b2 \u2167 \u00bd", "water_food _____ a_b_c_d", "don't we're it's",
    "water,food;fire:help", "water\u00adfood", "\u0e19\u0e49\u0e33\u0e17\u0e48\u0e27\u0e21 \u6d2a\u6c34\u5730\u9707\u6d77\u5578", "\u0646\u064e\u0627\u0631 \u0641\u064e\u064a\u0636\u0627\u0646", "\U00010400\U0001d400\U0001d7ce",
    "been being having dying lying tried", "helps helped helping", "&amp; &lt;water&gt;", "a ab abc abcd abcde", "<pad> <unk> pad unk",
    "\ufeffwater", "wa\u0000ter", "\u2028", "water " * 130, "zzzzqqqq " * 3, "\U0010ffff\ue000 food",
]

RAW_JSON = [
    b"", b"{", b"[]", b"{}", b'{"value":1}', b'{"value":null}', b'{"value":["water"]}', b'"water"', b'{"Value":"water"}',
    b'{"value":"\xff"}', b'{"value":"\xc3"}', b'{"other":1,"value":"water"}', b' {"value" : "wa\\u0074er \\u00e9" } ',
    b'{"value":"\\ud83c\\udf0a water"}', b'{"value":"water"} x',
]

HEADER = ["A", "B", "C"]
COLUMNS = [
    ["A"], ["B", "A"], [{"column": "A", "missing": "nan"}], [{"column": "A", "missing": -1}],
    [{"column": "B", "vocabulary": "levels.txt"}],
    [{"column": "B", "vocabulary": "levels.txt", "unknown": "own_code"}],
    [{"column": "B", "vocabulary": "levels.txt", "missing": "own_code"}],
    [{"column": "B", "vocabulary": "levels.txt", "unknown": "own_code", "missing": "own_code"}],
    [{"column": "B", "vocabulary": "levels.txt", "unknown": -7, "missing": "nan"}],
    [{"column": "B", "one_hot": "levels.txt"}, "A"],
    [{"column": "B", "one_hot": "levels.txt", "unknown": "own_code"}, "A"],
    [{"column": "B", "one_hot": "levels.txt", "missing": "own_code"}, "A"],
    [{"column": "B", "one_hot": "levels.txt", "unknown": "own_code", "missing": "own_code"}, "A"],
]
RECORDS = [
    b"1,AA,x", b"1,B6,x", b"1,ZZ,x", b"1,,x", b"1,NA,x", b'1,"NA",x', b'1,"",x', b",AA,x", b"NA,AA,x", b'"2.5",AA,x', b'"1,5",AA,x',
    b'1,"""quoted""",x', b'1,"A\nA",x', b'1,AA,"x\r\ny"', b"1,AA", b"1,AA,x,", b"", b"1,AA,x\n", b"1,AA,x\r\n", b"1, AA,x", b" 1,AA,x", b"1 ,AA,x",
    b"0x10,AA,x", b"nan,AA,x", b"inf,AA,x", b"1e400,AA,x", b"1e39,AA,x", b"-1e-50,AA,x", b"1e-5,AA,x", b"+.5,AA,x", b"5.,AA,x", b".,AA,x", b"1e,AA,x",
    b"1_000,AA,x", b"\xd9\xa1,AA,x", b"1,\xff,x", b"1,AA,\xff\xfe", b"16777217,AA,x", b"0.1,AA,x", b"-0,AA,x", b"na,AA,x", b"1,aa,x", b"\xef\xbb\xbf1,AA,x",
    b"0.1000000000000000055511151231257827,AA,x", b"3.4028235677973366e38,AA,x", b"1.00000005960464477540,AA,x",
]


def attempt(name, work):
    try:
        return {name: work()}
    except (codec.Malformed, csv.Error) as error:
        return {"malformed": str(error)}


def text_lines():
    declared = yaml.safe_load((TOP / "fixtures/tweet/scenario.yaml").read_text())["input"]
    steps = declared["tensors"][0]["steps"]
    n_text = next(i for i, step in enumerate(steps) if "lemma" in step)
    decode = codec.decoder(declared, TOP / "fixtures/tweet")
    chance = random.Random(1)
    assigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    mixed = ["".join(chance.choice(assigned) for _ in range(60)) for _ in range(100)]
    for value in RAW_JSON + [json.dumps({"value": text}, ensure_ascii=False).encode() for text in TEXTS + mixed]:
        line = {"value": value.hex()} | attempt("tokens", lambda: decode(value).tolist())
        if "tokens" in line:
            text = json.loads(value)["value"]
            for step in map(codec.text_step, steps[:n_text]):
                text = step(text)
            while line["tokens"] and line["tokens"][-1] == 0:
                line["tokens"].pop()
            line["text"] = text
        yield line


def csv_lines():
    for columns in COLUMNS:
        decode = codec.decoder({"format": "csv", "header": HEADER, "tensors": [{"columns": columns}]}, OUT)
        for value in RECORDS:
            def plain():
                return [x if math.isfinite(x) else str(x) for x in decode(value).tolist()]
            yield {"header": HEADER, "columns": columns, "value": value.hex()} | attempt("tensor", plain)


def main():
    for name, lines in (("text", text_lines()), ("csv", csv_lines())):
        lines = [json.dumps(line, separators=(",", ":")) for line in lines]
        (OUT / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        print(f"tests/fixtures/{name}.jsonl: {len(lines)} lines")


if __name__ == "__main__":
    main()
