#!/usr/bin/env python3
"""Importing takes at most 64 MiB of memory, however long the input: 300 MB of CSV, from a pipe, in order and sorted."""
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from _sprec import SERVEPATH, check

LIMIT_KIB = 64 << 10
random.seed(64)


def blocks(n_bytes):
    """A header row, then rows whose times lie up to a minute before the end: a million rows in blocks."""
    yield b"t,user,text\n"
    tails = [b'u%d,"%s"\n' % (random.randrange(10**6), random.randbytes(130).hex().encode()) for _ in range(4000)]
    at, done = 0, 0
    while done < n_bytes:
        block = b"".join(b"%d,%s" % (at + i, tail) for i, tail in enumerate(tails))
        at += len(tails)
        done += len(block)
        yield block


def peak_kib(folder, n_bytes, *options):
    command = [SERVEPATH, "import", "-", "--format", "csv", "-o", f"{folder}/out.sprec", "--time", "t", "--key", "user", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        for block in blocks(n_bytes):
            child.stdin.write(block)
        child.stdin.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    check(child.returncode == 0, command, child.returncode)
    return usage.ru_maxrss


with tempfile.TemporaryDirectory() as folder:
    for n_bytes, options in [(300_000_000, []), (100_000_000, ["--sort"])]:
        peak = peak_kib(folder, n_bytes, *options)
        print(f"{n_bytes:,} bytes {' '.join(options)}: peak {peak:,} KiB")
        check(peak <= LIMIT_KIB, "more than", LIMIT_KIB, "KiB")
    check([path.name for path in Path(folder).iterdir()] == ["out.sprec"], "files left behind")
sys.exit(0)
