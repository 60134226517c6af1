"""The official KServe v2 stubs (Triton's) without the rest of its client, which wants numpy and rapidjson."""
import importlib.util
import sys
import types


def _install():
    """The package tritonclient.grpc without its __init__, which imports the client."""
    top = importlib.util.find_spec("tritonclient").submodule_search_locations[0]
    for name in ("tritonclient", "tritonclient.grpc"):
        module = types.ModuleType(name)
        module.__path__ = ["/".join([top, *name.split(".")[1:]])]
        sys.modules[name] = module


_install()

from tritonclient.grpc import service_pb2, service_pb2_grpc  # noqa: E402,F401
