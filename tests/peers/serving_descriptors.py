"""The serving interfaces of proto/ against the official ones: each message, field, enum value and method that we declare is,
byte for byte, the descriptor of TensorFlow, TensorFlow Serving, KServe, gRPC's health check and protobuf itself."""
import subprocess
import sys
import tempfile
from pathlib import Path

import _kserve_stubs  # noqa: F401
import _kserve_stubs  # noqa: F401  (they put the official descriptors into the default pool)
import _tfs_stubs  # noqa: F401
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, wrappers_pb2  # noqa: F401
from grpc_health.v1 import health_pb2  # noqa: F401

from _sprec import SOURCE, check

OFFICIAL = descriptor_pool.Default()
n_compared = 0


def ours():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "all.fds"
        names = ["google", "tensorflow", "tensorflow_serving", "health", "kserve"]
        subprocess.run(["protoc-c", f"--descriptor_set_out={out}", f"--proto_path={SOURCE / 'proto'}",
                        *(str(SOURCE / f"proto/{name}.proto") for name in names)], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def plain(field):
    """protoc writes json_name even where it is the default one."""
    if field.json_name == camel(field.name):
        field.ClearField("json_name")
    return field


def compare(place, mine, theirs):
    global n_compared
    n_compared += 1
    check(mine.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True), place, "\n", mine,
          "is officially\n", theirs)


def by_name(items, name, place):
    found = [item for item in items if item.name == name]
    check(len(found) == 1, place, "is not official")
    return found[0]


def compare_message(name, mine, theirs):
    for field in mine.field:
        compare(f"{name}.{field.name}", plain(field), plain(by_name(theirs.field, field.name, f"{name}.{field.name}")))
    for index, oneof in enumerate(mine.oneof_decl):
        compare(f"{name}.{oneof.name}", oneof, theirs.oneof_decl[index])
    check(mine.options == theirs.options, name, "options")
    for nested in mine.nested_type:
        compare_message(f"{name}.{nested.name}", nested, by_name(theirs.nested_type, nested.name, f"{name}.{nested.name}"))
    for enum in mine.enum_type:
        compare_enum(f"{name}.{enum.name}", enum, by_name(theirs.enum_type, enum.name, f"{name}.{enum.name}"))


def compare_enum(name, mine, theirs):
    for value in mine.value:
        compare(f"{name}.{value.name}", value, by_name(theirs.value, value.name, f"{name}.{value.name}"))


def compare_service(name, mine, theirs):
    for method in mine.method:
        official = by_name(theirs.method, method.name, f"{name}.{method.name}")
        official.ClearField("options")  # an empty block of options, in the health check's
        compare(f"{name}.{method.name}", method, official)


def official(find, prototype, name):
    descriptor, copy = find(name), prototype()
    descriptor.CopyToProto(copy)
    return copy


for file in ours():
    check(file.syntax == "proto3", file.name)
    for message in file.message_type:
        full = f"{file.package}.{message.name}"
        compare_message(full, message, official(OFFICIAL.FindMessageTypeByName, descriptor_pb2.DescriptorProto, full))
    for enum in file.enum_type:
        full = f"{file.package}.{enum.name}"
        compare_enum(full, enum, official(OFFICIAL.FindEnumTypeByName, descriptor_pb2.EnumDescriptorProto, full))
    for service in file.service:
        full = f"{file.package}.{service.name}"
        compare_service(full, service, official(OFFICIAL.FindServiceByName, descriptor_pb2.ServiceDescriptorProto, full))

# A changed number must be seen.
field = descriptor_pb2.FieldDescriptorProto(name="dtype", number=2)
try:
    compare("self-test", field, descriptor_pb2.FieldDescriptorProto(name="dtype", number=1))
    sys.exit("FAILED: a changed field number went unnoticed")
except SystemExit as caught:
    check("self-test" in str(caught), caught)
print(f"{n_compared} descriptors are the official ones")
