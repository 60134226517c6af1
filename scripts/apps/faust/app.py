"""An agent of faust-streaming that answers events with a model inside its process. Started by run; see there for what it reads.

One thread computes: faust is asyncio, its consumer fetches in a thread of its own. At least once: faust flushes its producer
before it commits, so answers are not waited for one by one. Exactly once: faust's own transactions, committed by its interval.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

# The ready line alone goes to stdout, whatever libraries print.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
folder = Path(os.environ["SERVEPATH_DIR"])
folder.mkdir(parents=True, exist_ok=True)
# Read by faust at import: its loop, and no home directory.
os.environ.setdefault("FAUST_LOOP", "uvloop")

from aiokafka.errors import KafkaError  # noqa: E402
import faust  # noqa: E402
import uvloop  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parents[2] / "python"))
from case import Case, Unsupported  # noqa: E402

uvloop.install()


def stop(code, why):
    sys.stderr.write(f"scripts/apps/faust: {why}\n")
    sys.exit(code)


def setting(name, default=None):
    value = os.environ.get("SERVEPATH_" + name, default)
    if not value:
        stop(64, f"SERVEPATH_{name} is not set; `servepath run --app faust` sets it")
    return value


try:
    case = Case(setting("SCENARIO"), setting("MODEL")).load()
except Unsupported as why:
    stop(64, f"{setting('SCENARIO')}: {why}")
except Exception as why:  # noqa: BLE001 - whatever the library calls it, it is the model's file
    stop(3, f"the case or its model cannot be loaded: {why}")

class App(faust.App):
    async def on_stop(self):
        # Where its broker is gone faust waits for it for ever, and computes meanwhile: what could be committed by then was.
        timer = threading.Timer(8, os._exit, [3])
        timer.daemon = True
        timer.start()
        await super().on_stop()


batch = int(setting("BATCH", "1"))
exactly_once = setting("DELIVERY", "at-least-once") == "exactly-once"
app = App(
    setting("GROUP"),
    broker="kafka://" + setting("BROKER"),
    datadir=folder,
    store="memory://",
    web_enabled=False,
    processing_guarantee="exactly_once" if exactly_once else "at_least_once",
    consumer_auto_offset_reset="earliest",
    topic_allow_declare=False,
    topic_disable_leader=True,
    topic_partitions=int(setting("PARTITIONS", "1")),
    stream_wait_empty=False,
    stream_buffer_maxsize=16384,
    # One that was killed holds up its group for so long.
    broker_session_timeout=10,
    broker_heartbeat_interval=2,
    broker_max_poll_records=500,
    broker_commit_every=100000,
    broker_commit_interval=0.25 if exactly_once else 1.0,
    producer_linger=0,
    producer_acks=-1,
    producer_max_batch_size=65536,
)
source = app.topic(setting("INPUT_TOPIC"), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
sink = setting("OUTPUT_TOPIC")
unacknowledged = set()


def acknowledged(future):
    unacknowledged.discard(future)
    if not future.cancelled() and future.exception():
        sys.stderr.write(f"scripts/apps/faust: an answer was not taken: {future.exception()}\n")
        os.kill(os.getpid(), signal.SIGTERM)


async def send(event, value, more=()):
    message = event.message
    headers = message.headers
    headers = list(headers.items() if isinstance(headers, dict) else headers or ())
    # Named here: where faust does not know the output topic's partitions, its own choice is silently no transaction at all.
    within = f"{app.conf.id}-{app.assignor.group_for_topic(message.topic)}-{message.partition}" if exactly_once else None
    future = await app.producer.send(
        sink, message.key, value, message.partition, None, headers + list(more), transactional_id=within)
    if isinstance(future, asyncio.Future):
        unacknowledged.add(future)
        future.add_done_callback(acknowledged)


async def refuse(event, why):
    await send(event, b"", [("sp-outcome", b"malformed\x000\x00" + str(why).encode()[:200])])


async def one_by_one(stream):
    async for event in stream.events():
        try:
            row = case.decode(event.value or b"")
        except ValueError as why:
            await refuse(event, why)
        else:
            await send(event, case.encode(case.run([row])[0]))


async def together(stream):
    async for events in stream.noack_take(batch, 0.002):
        rows, good = [], []
        for event in events:
            try:
                rows.append(case.decode(event.value or b""))
                good.append(event)
            except ValueError as why:
                await refuse(event, why)
        if rows:
            for event, row in zip(good, case.run(rows)):
                await send(event, case.encode(row))
        for event in events:
            event.ack()


app.agent(source, name="predict")(together if batch > 1 else one_by_one)
told = False


@app.on_rebalance_complete.connect
def assigned(*_args, **_kwargs):
    global told
    mine = [tp.partition for tp in app.consumer.assignment() if tp.topic == setting("INPUT_TOPIC")]
    if mine and not told:
        told = True
        library = f"faust-streaming {faust.__version__}"
        out.write(json.dumps({"ready": True, "part": "app", "library": library, "partitions": sorted(mine)}) + "\n")
        out.flush()


# What it prints to a terminal (a spinner) is for nobody here.
worker = faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False, stdout=open(os.devnull, "w"))
try:
    worker.execute_from_commandline()
except (KafkaError, SystemExit) as end:
    if getattr(end, "code", 1) and not told:
        stop(3, f"no partitions of {setting('INPUT_TOPIC')} at broker {setting('BROKER')}; what faust says of it is above")
    raise
