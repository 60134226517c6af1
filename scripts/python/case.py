"""A scenario's case as plain Python and numpy: event bytes -> a row of the model's input, scores -> answer bytes.

Reads scenario.yaml itself, so that a case of CSV columns needs no code here. Columns that are numbers or have a vocabulary, one
input tensor; answers as a JSON array of scores or as text with {label} and {score}, as `servepath app` writes them.
"""

import csv
from pathlib import Path

import numpy as np
import yaml

LABELS = {"label": "{label}", "probability": "{score}"}


class Unsupported(Exception):
    """A scenario that asks for more than this application can."""


def levels(folder, column):
    lines = (folder / column["vocabulary"]).read_text().split("\n")
    known = {line.encode(): float(i) for i, line in enumerate(lines) if line}
    if column.get("unknown") != "own_code" or set(column) - {"column", "vocabulary", "unknown"}:
        raise Unsupported(f"column {column['column']}: only a vocabulary with unknown: own_code")
    return known, float(len(known))


def decoder(declared, folder):
    """bytes of an event -> list of numbers; ValueError where a field is no number or missing."""
    if declared["format"] != "csv" or len(declared["tensors"]) != 1:
        raise Unsupported("input: one tensor of CSV columns")
    tensor, header = declared["tensors"][0], declared["header"]
    if tensor["dtype"] != "float32" or tensor["shape"][1:] != [len(tensor["columns"])]:
        raise Unsupported(f"tensor {tensor['name']}: float32 with one element a column")
    plan = []
    for column in tensor["columns"]:
        name = column if isinstance(column, str) else column["column"]
        known, own_code = (None, 0.0) if isinstance(column, str) else levels(folder, column)
        plan.append((header.index(name), known, own_code))

    def fields(value):
        if b'"' not in value:
            return value.rstrip(b"\r\n").split(b",")
        row = next(csv.reader([value.decode("utf-8", "surrogateescape").rstrip("\r\n")]))
        return [field.encode("utf-8", "surrogateescape") for field in row]

    def decode(value):
        row = fields(value)
        if len(row) != len(header):
            raise ValueError(f"{len(row)} columns instead of {len(header)}")
        return [float(row[i]) if known is None else known.get(row[i], own_code) for i, known, own_code in plan]

    def decode_numbers(value):
        row = fields(value)
        if len(row) != len(header):
            raise ValueError(f"{len(row)} columns instead of {len(header)}")
        return list(map(float, row[first:last]))

    first, last = plan[0][0], plan[-1][0] + 1
    in_order = [i for i, known, _ in plan if known is None] == list(range(first, last))
    return decode_numbers if in_order else decode


def encoder(declared):
    """A row of float32 scores -> bytes. %.9g brings a float32 back as it was."""
    kind, as_ = declared.get("format"), declared.get("as")
    if kind == "json" and as_ == "array":
        return lambda row: ("[" + ",".join(["%.9g" % score for score in row]) + "]").encode()
    if kind != "text" or as_ not in LABELS:
        raise Unsupported(f"output: {kind} as {as_}; a JSON array, or text as label or probability")
    template = declared.get("template", LABELS[as_])
    before, at_score, after = template.partition("{score}")
    texts = []
    for label in declared.get("labels", ["", ""]):
        texts.append((before.replace("{label}", label), after.replace("{label}", label)))
    threshold = declared.get("threshold", 0.5)

    def encode(row):
        score = float(row[0])
        head, tail = texts[score >= threshold]
        return (head + "%.9g" % score + tail if at_score else head).encode()

    return encode


class Case:
    """decode, encode, the input's name and the output's, of one scenario; run, where the model is loaded here."""

    def __init__(self, scenario, model):
        self.scenario, self.model = Path(scenario), Path(model)
        says = yaml.safe_load(self.scenario.read_text())
        self.decode = decoder(says["input"], self.scenario.parent)
        self.encode = encoder(says["output"])
        self.input, self.output = says["input"]["tensors"][0]["name"], says["output"]["tensor"]

    def load(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(self.model / "model.onnx"), options, providers=["CPUExecutionProvider"])

        def run(rows):
            batch = np.asarray(rows, np.float32)
            return session.run([self.output], {self.input: batch})[0].reshape(len(batch), -1)

        self.run = run
        return self
