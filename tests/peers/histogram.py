#!/usr/bin/env python3
"""Our histogram files against the Java reference: the same percentiles of every interval, the same table byte for byte."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INTERVAL = re.compile(r"^[0-9.]+: I:(\d+) \( *([0-9.]+) +([0-9.]+) +([0-9.]+) \)", re.M)


def jar():
    """The jar that Debian's libhdrhistogram-java installs, under either of its names."""
    named = [os.environ.get("HDRHISTOGRAM_JAR", ""), "/usr/share/java/hdrhistogram.jar", "/usr/share/java/HdrHistogram.jar"]
    found = [path for path in named if path and os.path.exists(path)]
    if not found:
        sys.exit("HdrHistogram's jar is not installed; run scripts/setup --test")
    return found[0]


def process(folder, shape):
    """What the reference's log processor makes of our log: interval figures and percentile table."""
    out = folder / f"{shape}.java"
    command = ["java", "-cp", jar(), "org.HdrHistogram.HistogramLogProcessor", "-i", str(folder / f"{shape}.hlog"),
               "-o", str(out), "-outputValueUnitRatio", "1000"]
    subprocess.run(command, check=True)
    intervals = [",".join(figures) for figures in INTERVAL.findall(out.read_text())]
    table = Path(f"{out}.hgrm").read_bytes()
    return intervals, re.sub(rb"^#\[(Overall|StartTime).*\n", b"", table, flags=re.M)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([Path(os.environ["BUILD_DIR"]) / "test_histogram_files", name], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shapes = sorted(path.stem for path in folder.glob("*.hlog"))
        assert len(shapes) >= 8, shapes
        for shape in shapes:
            intervals, table = process(folder, shape)
            assert intervals == (folder / f"{shape}.csv").read_text().split(), f"intervals of log {shape} differ"
            assert table == (folder / f"{shape}.hgrm").read_bytes(), f"table of log {shape} differs"
            print(f"log {shape}: {len(intervals)} intervals and {len(table)} bytes of table are the reference's")


main()
