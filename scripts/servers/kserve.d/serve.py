"""KServe's server on 127.0.0.1 with models given on the command line: NAME=FILE."""

import argparse
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import _python  # noqa: E402
import kserve  # noqa: E402
import uvicorn  # noqa: E402
from kserve.errors import InvalidInput  # noqa: E402


class Predictor(kserve.Model):
    def __init__(self, name, path, threads):
        super().__init__(name)
        self.model = _python.Model(path, threads)
        self.ready = True

    async def get_input_types(self):
        return [{"name": t.name, "datatype": t.datatype, "shape": t.shape} for t in self.model.inputs]

    async def get_output_types(self):
        return [{"name": t.name, "datatype": t.datatype, "shape": t.shape} for t in self.model.outputs]

    async def predict(self, payload, headers=None, response_headers=None):
        try:
            feed = {i.name: i.as_numpy() for i in payload.inputs}
            wanted = [o.name for o in payload.request_outputs or []]
            answers = await self.model.predict(feed, wanted)
        except (_python.Refused, ValueError) as why:
            raise InvalidInput(str(why)) from why
        outputs = []
        for tensor, value in answers:
            output = kserve.InferOutput(tensor.name, list(value.shape), tensor.datatype)
            output.set_data_from_numpy(value, binary_data=payload.from_grpc)
            outputs.append(output)
        return kserve.InferResponse(payload.id or "", self.name, outputs)


def http_on_loopback():
    """Its REST server names every address; there is no option for it."""
    make = uvicorn.Config.__init__

    def init(self, app, host="127.0.0.1", **kwargs):
        make(self, app, host="127.0.0.1", **kwargs)

    uvicorn.Config.__init__ = init


def main():
    parser = argparse.ArgumentParser(description=__doc__, parents=[kserve.model_server.parser])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("model", nargs="+")
    args = parser.parse_args()
    _python.grpc_on_loopback()
    http_on_loopback()
    models = [Predictor(*m.split("=", 1), args.threads) for m in args.model]
    kserve.ModelServer(http_port=args.http_port, grpc_port=args.grpc_port, workers=1, enable_latency_logging=False,
                       grace_period=1).start(models)


if __name__ == "__main__":
    main()
