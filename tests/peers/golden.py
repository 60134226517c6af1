"""The golden events (the classic 1987 flight, two tweets) through both paths of their cases, as recordings of their own."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import xxhash

FIXTURES = pathlib.Path(os.environ["SOURCE_DIR"]) / "fixtures"
SERVEPATH = os.environ["SERVEPATH"]


def servepath(*argv, cwd):
    done = subprocess.run([SERVEPATH, *map(str, argv)], capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        sys.exit(f"servepath {' '.join(map(str, argv))}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def check(case, overlay, model, golden, tmp):
    """Replaces the recording and the expectations of a copy of the case by the golden events of one model."""
    shutil.copytree(FIXTURES / case, tmp / case)
    folder = tmp / case
    recording = folder / f"{case}.sprec"
    recording.unlink()
    lines = folder / "golden.lines"
    lines.write_text("".join(event["value"] + "\n" for event in golden))
    kind = ["csv", "--no-header"] if case == "airline" else ["jsonl"]
    servepath("import", lines, "--format", *kind, "-o", recording, "--name", case, cwd=tmp)
    expected = folder / "expected" / f"{model}-1.jsonl"
    header = json.loads(expected.read_text().splitlines()[0])
    header.update(recording_digest="xxh128:" + xxhash.xxh3_128_hexdigest(recording.read_bytes()), n=len(golden))
    rows = [header, *({"i": i, "v": event["v"]} for i, event in enumerate(golden))]
    expected.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = servepath("verify", folder, *overlay, "--quiet", "--out", tmp / "out", cwd=tmp)
    wanted = f"embedded = rpc = reference on {len(golden)} of {len(golden)}"
    if wanted not in told:
        sys.exit(f"{case} {model}: no \"{wanted}\" in {told}")
    print(f"{case} {model}: {wanted}")


def main():
    for case, overlay in (("airline", []), ("airline", ["--overlay", "net.yaml"]), ("tweet", [])):
        events = [json.loads(line) for line in (FIXTURES / case / "golden.jsonl").read_text().splitlines()]
        model = "airline-net" if overlay else {"airline": "airline-gbm", "tweet": "tweet"}[case]
        with tempfile.TemporaryDirectory() as tmp:
            paths = [str(pathlib.Path(tmp) / case / name) if name.endswith(".yaml") else name for name in overlay]
            check(case, paths, model, [e for e in events if e["model"] == model], pathlib.Path(tmp))
    tweets = [json.loads(line)["v"][0] for line in (FIXTURES / "tweet" / "golden.jsonl").read_text().splitlines()]
    assert tweets[0] < 0.5 < tweets[1], tweets


if __name__ == "__main__":
    main()
