"""Computes expected predictions from the raw events of a recording and a model's weights, and says how far ONNX Runtime is.

usage: expected.py CASE[=full] ...
"""

import json
import sys

import numpy as np
import onnxruntime
import yaml

import codec
import reference
import sprec
from card import digest, digests
from fetch import CACHE, TOP

# Each case's scenario files, one list (base, overlays) per model, and the golden events.
SCENARIOS = {
    "fraud": [["scenario.yaml"]],
    "airline": [["scenario.yaml"], ["scenario.yaml", "net.yaml"]],
    "tweet": [["scenario.yaml"]],
}
GOLDEN = {
    "airline": [b"1987,10,14,3,741,730,912,849,PS,1451,NA,91,79,NA,23,11,SAN,SFO,447,NA,NA,0,NA,0,NA,NA,NA,NA,NA,YES,YES"],
    "tweet": [b'{"value":"Hello world"}', b'{"value":"There has been an earthquake at 3:00 pm"}'],
}
VERSION = "1"


def overlay(base, over):
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return base | {key: overlay(base.get(key), value) for key, value in over.items()}


def scenario(case, files):
    merged = None
    for name in files:
        merged = overlay(merged, yaml.safe_load((TOP / "fixtures" / case / name).read_text()))
    return merged


def in_batches(run, x, n=2048):
    return np.concatenate([run(x[i:i + n]) for i in range(0, len(x), n)])


def one(case, files, full):
    fixture = TOP / "fixtures" / case
    here = CACHE / "fixtures" / case if full else fixture
    says = scenario(case, files)
    name, tensor = says["model"]["name"], says["output"]["tensor"]
    folder = fixture / says["model"]["dir"] / VERSION
    decode = codec.decoder(says["input"], fixture)
    recording = here / says["recording"]
    values = [event.value for event in sprec.read(recording)[1]]
    x = np.stack([decode(value) for value in values + GOLDEN.get(case, [])])
    v = in_batches(reference.MODELS[name](folder), x)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    seen = in_batches(lambda part: session.run([tensor], {says["input"]["tensors"][0]["name"]: part})[0], x)
    off, bounds = np.abs(seen - v), says["expect"]
    share = (off / (float(bounds["abs"]) + float(bounds["rel"]) * np.abs(v))).max()
    print(f"{case}/{name}-{VERSION}: {len(values):,} events, {tensor} {v[:len(values)].min():.6g} to "
          f"{v[:len(values)].max():.6g}; ONNX Runtime differs by at most {off.max():.3g}, {share:.3f} of what expect allows")
    assert share < 1
    first = {"schema": "servepath.expected/1", "model": name, "version": VERSION, "recording": says["recording"],
             "recording_digest": digest(recording), "model_digests": digests(folder), "tensor": tensor, "n": len(values),
             "source": "scripts/fixtures: numpy from weights"}
    rounded = [[float(f"{a:.9g}") for a in row] for row in v.tolist()]
    lines = [json.dumps(first, separators=(",", ":"))]
    lines += [f'{{"i":{i},"v":{json.dumps(row)}}}' for i, row in enumerate(rounded[:len(values)])]
    out = here / "expected" / f"{name}-{VERSION}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    return [{"value": value.decode(), "v": row, "model": name, "version": VERSION}
            for value, row in zip(GOLDEN.get(case, []), rounded[len(values):])]


def main():
    for what in sys.argv[1:]:
        case, _, full = what.partition("=")
        golden = [row for files in SCENARIOS[case] for row in one(case, files, full == "full")]
        if golden and not full:
            lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in golden]
            (TOP / "fixtures" / case / "golden.jsonl").write_text("\n".join(lines) + "\n")
            print("\n".join(lines))


if __name__ == "__main__":
    main()
