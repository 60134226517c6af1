"""The parts of TensorFlow that run a SavedModel. `import tensorflow` would bring all of it, in twice the time and memory: in its
place stands an empty package on the same folder, so that its modules can be had one by one. Holds for the pinned version."""
import importlib.util
import os
import sys
import types

os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")
_spec = importlib.util.find_spec("tensorflow")
_package = types.ModuleType("tensorflow")
_package.__path__, _package.__spec__ = list(_spec.submodule_search_locations), _spec
sys.modules["tensorflow"] = _package

from tensorflow.core.protobuf.config_pb2 import ConfigProto  # noqa: E402,F401
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef  # noqa: E402,F401
from tensorflow.python.client.session import Session  # noqa: E402,F401
from tensorflow.python.framework.dtypes import as_dtype  # noqa: E402,F401
from tensorflow.python.framework.errors_impl import OpError  # noqa: E402,F401
from tensorflow.python.framework.ops import Graph  # noqa: E402,F401
from tensorflow.python.framework.tensor_util import make_tensor_proto, MakeNdarray as make_ndarray  # noqa: E402,F401
from tensorflow.python.saved_model.loader import load  # noqa: E402,F401
