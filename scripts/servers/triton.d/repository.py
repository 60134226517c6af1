"""Writes a model's folder of Triton's model repository: config.pbtxt from what model.onnx says of its inputs and outputs,
and the model.py that runs it."""

import argparse
import os
import shutil
import sys

import onnxruntime

TYPES = {"float": "FP32", "double": "FP64", "float16": "FP16", "bool": "BOOL", "string": "STRING"}
TYPES.update({f"{u}int{bits}": f"{u.upper()}INT{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)})


def tensor(kind, info, batched):
    shape = [d if isinstance(d, int) else -1 for d in info.shape]
    if batched:
        if not shape or shape[0] != -1:
            sys.exit(f"{kind} {info.name} has no free first dimension to gather requests in; leave out --max-batch")
        shape = shape[1:] or [1]
    # "tensor(float)"
    name = info.type[len("tensor("):-1]
    if name not in TYPES:
        sys.exit(f"{kind} {info.name} is a {info.type}, which Triton does not carry")
    return f'{kind} [{{ name: "{info.name}" data_type: TYPE_{TYPES[name]} dims: {shape} }}]\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("model")
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--instances", type=int, required=True)
    parser.add_argument("--max-batch", type=int, required=True)
    parser.add_argument("--batch-delay-us", type=int, required=True)
    a = parser.parse_args()
    session = onnxruntime.InferenceSession(a.model, providers=["CPUExecutionProvider"])
    config = f'name: "{os.path.basename(a.folder)}"\nbackend: "python"\nmax_batch_size: {a.max_batch}\n'
    config += "".join(tensor("input", i, a.max_batch) for i in session.get_inputs())
    config += "".join(tensor("output", o, a.max_batch) for o in session.get_outputs())
    config += f"instance_group [{{ kind: KIND_CPU count: {a.instances} }}]\n"
    config += f"version_policy: {{ specific: {{ versions: [{a.version}] }} }}\n"
    config += f'parameters [{{ key: "model" value: {{ string_value: "{a.model}" }} }}]\n'
    if a.max_batch:
        config += f"dynamic_batching {{ max_queue_delay_microseconds: {a.batch_delay_us} }}\n"
    version = os.path.join(a.folder, str(a.version))
    os.makedirs(version)
    with open(os.path.join(a.folder, "config.pbtxt"), "w", encoding="utf-8") as f:
        f.write(config)
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.py"), version)


if __name__ == "__main__":
    main()
