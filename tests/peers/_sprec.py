"""Recordings in plain Python: protobuf, xxhash, zstandard, and proto/recording.proto; nothing of bench/."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import xxhash
import zstandard
from google.protobuf import descriptor_pb2, message_factory

SOURCE = Path(os.environ.get("SOURCE_DIR", Path(__file__).parents[2]))
SERVEPATH = os.environ.get("SERVEPATH", str(SOURCE / "build/servepath"))


def _messages():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "recording.fds"
        subprocess.run(["protoc-c", f"--descriptor_set_out={out}", f"--proto_path={SOURCE / 'proto'}",
                        str(SOURCE / "proto/recording.proto")], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return message_factory.GetMessages(list(files))


Record = _messages()["servepath.recording.v1.Record"]


def varint(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def read(path):
    """The ten lines that DESIGN promises: every record of a file, the trailer checked."""
    stream = zstandard.ZstdDecompressor().decompressobj().decompress(Path(path).read_bytes())
    records, at, start = [], 0, 0
    while at < len(stream):
        start, size, shift = at, 0, 0
        while shift == 0 or stream[at - 1] >= 0x80:
            size, shift, at = size | (stream[at] & 0x7F) << shift, shift + 7, at + 1
        records.append(Record.FromString(stream[at:at + size]))
        at += size
    trailer = records[-1].trailer
    assert trailer.xxh64 == xxhash.xxh64_intdigest(stream[:start]) and trailer.n_events == len(records) - 2
    return records[0].header, [record.event for record in records[1:-1]]


def stream_of(header, events, **trailer):
    body = b""
    for record in [Record(header=header), *(Record(event=event) for event in events)]:
        message = record.SerializeToString()
        body += varint(len(message)) + message
    last = {"n_events": len(events), "xxh64": xxhash.xxh64_intdigest(body)} | trailer
    message = Record(trailer=last).SerializeToString()
    return body + varint(len(message)) + message


def write(path, header, events, level=3):
    Path(path).write_bytes(zstandard.ZstdCompressor(level=level).compress(stream_of(header, events)))


def run(*args, **options):
    """servepath ARGS: the completed process, with bytes."""
    return subprocess.run([SERVEPATH, *map(str, args)], capture_output=True, timeout=120, check=False, **options)


def check(condition, *what):
    if not condition:
        sys.exit("FAILED: " + " ".join(map(str, what)))
