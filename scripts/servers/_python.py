"""What the Python servers share: model.onnx by ONNX Runtime, one thread a run, and listeners on 127.0.0.1 alone."""

import asyncio
import concurrent.futures

import grpc.aio
import onnxruntime

# The protocol's name of a type, by ONNX Runtime's.
DATATYPES = {"tensor(float)": "FP32", "tensor(double)": "FP64", "tensor(float16)": "FP16", "tensor(bool)": "BOOL"}
DATATYPES.update({f"tensor({u}int{bits})": f"{u.upper()}INT{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)})


def grpc_on_loopback():
    """From now on every gRPC server of this process listens on 127.0.0.1 only, whatever address it names, and fails where the
    port is another's instead of sharing it."""
    make = grpc.aio.server

    def server(*args, options=None, **kwargs):
        made = make(*args, options=[*(options or []), ("grpc.so_reuseport", 0)], **kwargs)
        add = made.add_insecure_port
        made.add_insecure_port = lambda address: add("127.0.0.1:" + address.rpartition(":")[2])
        return made

    grpc.aio.server = server


class Refused(Exception):
    """What the model does not take: the client's fault."""


class Tensor:
    """A model's input or output as the protocol's metadata names it."""

    def __init__(self, info):
        if info.type not in DATATYPES:
            raise SystemExit(f"tensor {info.name} is a {info.type}, which is not served here")
        self.name = info.name
        self.datatype = DATATYPES[info.type]
        self.shape = [d if isinstance(d, int) else -1 for d in info.shape]


class Model:
    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = [Tensor(i) for i in self.session.get_inputs()]
        self.outputs = [Tensor(o) for o in self.session.get_outputs()]
        # One thread: the server's own, without a hand-over.
        self.pool = concurrent.futures.ThreadPoolExecutor(threads) if threads > 1 else None

    def run(self, feed, names):
        try:
            return self.session.run(names, feed)
        except Exception as why:
            raise Refused(" ".join(str(why).split())) from why

    async def predict(self, feed, wanted):
        """The tensors of feed, by name, to those wanted (empty: all), by name."""
        known = {t.name: t for t in self.outputs}
        for name in wanted:
            if name not in known:
                raise Refused(f"unexpected inference output '{name}'")
        names = [t.name for t in self.outputs if not wanted or t.name in wanted]
        if self.pool is None:
            values = self.run(feed, names)
        else:
            values = await asyncio.get_running_loop().run_in_executor(self.pool, self.run, feed, names)
        return [(known[name], value) for name, value in zip(names, values)]
