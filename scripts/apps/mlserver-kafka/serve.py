"""MLServer with its own Kafka support, as an application between two topics. Started by run; see there for what it reads.

What MLServer 1.7.1 does by itself stays: its consumer without a group, at the end of the topic; a task for each message, without
bound; its data plane, batching and runtime; an answer sent and awaited in each task. It takes only messages that are JSON of a V2
inference request, whose headers are all UTF-8 text and name the model (mlserver-model); and it answers with JSON of its own,
without the message's headers. So that it can stand where other applications stand, `Adapted` translates at these two ends:
CSV -> V2 request, V2 response -> the case's answer, headers, key and partition carried over. --as-shipped leaves that out.
"""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

# The ready line alone goes to stdout, whatever libraries print.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from aiokafka.errors import KafkaError  # noqa: E402
import mlserver  # noqa: E402
import mlserver.server  # noqa: E402
from mlserver.errors import MLServerError  # noqa: E402
from mlserver.kafka.handlers import MLSERVER_MODEL_NAME_HEADER  # noqa: E402
from mlserver.kafka.message import KafkaMessage  # noqa: E402
from mlserver.kafka.server import KafkaServer  # noqa: E402
from mlserver.settings import ModelParameters, ModelSettings, Settings  # noqa: E402
from mlserver.utils import install_uvloop_event_loop  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parents[2] / "python"))
from case import Case, Unsupported  # noqa: E402
from runtime import OnnxRuntime  # noqa: E402


def stop(code, why):
    sys.stderr.write(f"scripts/apps/mlserver-kafka: {why}\n")
    sys.exit(code)


def setting(name, default=None):
    value = os.environ.get("SERVEPATH_" + name, default)
    if not value:
        stop(64, f"SERVEPATH_{name} is not set; `servepath run --app mlserver-kafka` sets it")
    return value


class AsShipped(KafkaServer):
    """Unchanged, but says when it stands at its place in every partition: what is sent before that it never sees."""

    from_beginning = was_ready = False

    async def _consumer_loop(self):
        consumer = self._consumer
        while not consumer.assignment():
            await asyncio.sleep(0.01)
        if self.from_beginning:
            await consumer.seek_to_beginning()
        for partition in consumer.assignment():
            await consumer.position(partition)
        while not [model for model in await self._handlers._data_plane._model_registry.get_models() if model.ready]:
            await asyncio.sleep(0.01)
        partitions = sorted(p.partition for p in consumer.assignment())
        line = {"ready": True, "part": "app", "library": f"mlserver {mlserver.__version__}", "partitions": partitions}
        out.write(json.dumps(line) + "\n")
        out.flush()
        AsShipped.was_ready = True
        await super()._consumer_loop()


class Adapted(AsShipped):
    """Its codecs replaced: what goes in and comes out is as in the case's scenario."""

    case = None
    model = None

    async def _process_request(self, record):
        headers = list(record.headers)
        try:
            answer = await self._answer(record)
        except (ValueError, MLServerError) as why:
            outcome = b"malformed" if isinstance(why, ValueError) else b"error"
            headers.append(("sp-outcome", outcome + b"\x000\x00" + str(why).encode()[:200]))
            answer = b""
        await self._producer.send_and_wait(
            self._settings.kafka_topic_output, key=record.key, value=answer, headers=headers, partition=record.partition)

    async def _answer(self, record):
        row = self.case.decode(record.value or b"")
        tensor = {"name": self.case.input, "datatype": "FP32", "shape": [1, len(row)], "data": row}
        value = {"inputs": [tensor], "outputs": [{"name": self.case.output}]}
        request = KafkaMessage(key=None, value=value, headers={MLSERVER_MODEL_NAME_HEADER: self.model})
        response = await self._handlers.infer(request)
        return self.case.encode(response.value["outputs"][0]["data"])


def model_settings(name):
    batch = int(setting("BATCH", "1"))
    version = os.path.basename(os.path.normpath(setting("MODEL")))
    return ModelSettings(
        name=name,
        implementation=OnnxRuntime,
        parameters=ModelParameters(version=version, uri=os.path.join(setting("MODEL"), "model.onnx")),
        max_batch_size=batch if batch > 1 else 0,
        max_batch_time=0.002 if batch > 1 else 0,
    )


async def serve(name):
    settings = Settings(
        debug=False,
        host="127.0.0.1",
        http_port=0,
        grpc_port=0,
        metrics_endpoint=None,
        parallel_workers=0,  # one thread predicts: a pool of processes would only add a way there and back
        load_models_at_startup=False,
        kafka_enabled=True,
        kafka_servers=setting("BROKER"),
        kafka_topic_input=setting("INPUT_TOPIC"),
        kafka_topic_output=setting("OUTPUT_TOPIC"),
    )
    await mlserver.MLServer(settings).start([model_settings(name)])


def main(arguments):
    name = setting("MODEL_NAME")
    if setting("DELIVERY", "at-least-once") == "exactly-once":
        stop(64, "MLServer reads without a consumer group and commits nothing; it cannot do exactly-once")
    AsShipped.from_beginning = "--from-beginning" in arguments
    if "--as-shipped" not in arguments:
        try:
            Adapted.case, Adapted.model = Case(setting("SCENARIO"), setting("MODEL")), name
        except Unsupported as why:
            stop(64, f"{setting('SCENARIO')}: {why}")
    mlserver.server.KafkaServer = AsShipped if "--as-shipped" in arguments else Adapted
    os.chdir(setting("DIR"))
    install_uvloop_event_loop()
    logging.disable(logging.INFO)  # a line a message
    try:
        asyncio.run(serve(name))
    except KafkaError as why:
        stop(3, f"cannot reach broker {setting('BROKER')}: {why}")
    if not AsShipped.was_ready:
        stop(3, "MLServer ended before it was ready; what it says is above")


main(sys.argv[1:])
