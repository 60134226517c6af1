"""Reads and writes recordings (.sprec): see proto/recording.proto."""

import os
import sys
from pathlib import Path

import xxhash
import zstandard

TOP = Path(__file__).resolve().parents[2]


def _messages():
    """The Python module of proto/recording.proto, generated into the cache when the text has changed."""
    proto = TOP / "proto/recording.proto"
    text = proto.read_bytes()
    out = TOP / ".cache/python" / xxhash.xxh3_64_hexdigest(text)
    if not (out / "recording_pb2.py").exists():
        from grpc_tools import protoc
        out.mkdir(parents=True, exist_ok=True)
        if protoc.main(["protoc", f"-I{proto.parent}", f"--python_out={out}", str(proto)]):
            sys.exit(f"{proto}: protoc failed")
    sys.path.insert(0, str(out))
    import recording_pb2
    return recording_pb2


pb = _messages()


def _varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _delimited(record):
    body = record.SerializeToString(deterministic=True)
    return _varint(len(body)) + body


def write(path, header, events):
    """header: dict of Header's fields; events: (offset_ns, key or None, value bytes) in time order."""
    stream = bytearray(_delimited(pb.Record(header=pb.Header(version=1, **header))))
    n, last = 0, 0
    for offset_ns, key, value in events:
        assert offset_ns >= last, (n, offset_ns, last)
        last = offset_ns
        event = pb.Event(offset_ns=offset_ns, value=value)
        if key is not None:
            event.key = key
        stream += _delimited(pb.Record(event=event))
        n += 1
    stream += _delimited(pb.Record(trailer=pb.Trailer(n_events=n, xxh64=xxhash.xxh64_intdigest(bytes(stream)))))
    packed = zstandard.ZstdCompressor(level=19, write_checksum=True).compress(bytes(stream))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(packed)
    os.replace(part, path)
    return n, len(packed)


def read(path):
    """(header, [events]); refuses a file that is not whole."""
    stream = zstandard.ZstdDecompressor().decompressobj().decompress(Path(path).read_bytes())
    header, events, trailer, at = None, [], None, 0
    while at < len(stream):
        assert trailer is None, f"{path}: bytes after the trailer"
        start, size, shift = at, 0, 0
        while True:
            byte = stream[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        record = pb.Record.FromString(stream[at:at + size])
        assert at + size <= len(stream), f"{path}: cut off at byte {at}"
        at += size
        kind = record.WhichOneof("record")
        if kind == "header":
            assert header is None and not events
            header = record.header
        elif kind == "event":
            events.append(record.event)
        else:
            trailer = record.trailer
            assert trailer.xxh64 == xxhash.xxh64_intdigest(stream[:start]), f"{path}: wrong checksum"
            assert trailer.n_events == len(events), f"{path}: wrong count"
    assert header is not None and trailer is not None, f"{path}: not whole"
    return header, events
