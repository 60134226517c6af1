"""MLServer on 127.0.0.1 with models given on the command line: NAME=VERSION=FILE."""

import argparse
import asyncio
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import _python  # noqa: E402
from mlserver import MLServer, ModelSettings, Settings  # noqa: E402
from mlserver.settings import ModelParameters  # noqa: E402
from mlserver.utils import install_uvloop_event_loop  # noqa: E402
from runtime import OnnxRuntime  # noqa: E402


def settings(args):
    made = Settings(debug=False, host="127.0.0.1", http_port=args.rest_port, grpc_port=args.grpc_port, parallel_workers=0,
                    metrics_endpoint=None, load_models_at_startup=False, gzip_enabled=False)
    # As long as KServe's: after the 5 s of uvicorn's own default it closes connections under requests that are on their way.
    made._custom_rest_server_settings = {"timeout_keep_alive": 65}
    return made


def model_settings(args, model):
    name, version, path = model.split("=", 2)
    # A delay of zero would turn its batching off.
    delay_s = max(args.batch_delay_us, 1) / 1e6 if args.max_batch else 0
    return ModelSettings(name=name, implementation=OnnxRuntime, max_batch_size=args.max_batch, max_batch_time=delay_s,
                         parameters=ModelParameters(uri=path, version=version, extra={"threads": args.threads}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--grpc-port", "--rest-port", "--threads", "--max-batch", "--batch-delay-us"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("model", nargs="+")
    args = parser.parse_args()
    _python.grpc_on_loopback()
    install_uvloop_event_loop()

    async def serve():
        await MLServer(settings(args)).start([model_settings(args, m) for m in args.model])

    asyncio.run(serve())


if __name__ == "__main__":
    main()
