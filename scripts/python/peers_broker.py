"""What the campaigns over Kafka share: a real broker, topics, and programs between them."""

import atexit
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from peers import BUILD, ROOT, servepath_run

RECORDING = ROOT / "fixtures" / "fraud" / "fraud.sprec"
PARTITIONS = 3


class Broker:
    """A real Kafka with the settings for measuring, on processor 0, made when first asked for."""

    def __init__(self):
        self.process = self.known_address = None

    @property
    def address(self):
        if self.process is None:
            self.dir = tempfile.mkdtemp(prefix="peers-kafka-")
            self.process = subprocess.Popen([ROOT / "scripts" / "kafka", "run", "--dir", self.dir, "--measure", "--cpus", "0"],
                                            stdout=subprocess.PIPE, text=True)
            line = self.process.stdout.readline()
            if not line:
                sys.exit("scripts/peers: no broker; see above")
            self.known_address = json.loads(line)["address"]
            self.warm_up()
        return self.known_address

    def warm_up(self):
        """What is measured first is not measured beside Java's compiler."""
        servepath_run("fixtures/fraud", "--side", "noop,path=noop", "--broker", self.known_address, "--rate", "2000/s", "--warmup", "1s",
                      "--duration", "25s", "--cpus", "driver=0,app=1")

    def folder(self, name):
        """A new folder beside its data, removed with it."""
        _ = self.address
        path = pathlib.Path(self.dir).with_suffix(".parts") / name
        path.mkdir(parents=True)
        return str(path)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            shutil.rmtree(self.dir, ignore_errors=True)
            shutil.rmtree(pathlib.Path(self.dir).with_suffix(".parts"), ignore_errors=True)
            self.process = None


broker = Broker()


def topic(verb, name, *rest):
    done = subprocess.run([str(a) for a in (BUILD / "kafka_topic", verb, broker.address, name, *rest)], capture_output=True,
                          text=True, cwd=ROOT)
    if done.returncode > 1:
        sys.exit(f"kafka_topic {verb} {name}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout else done.returncode == 0


def unique(name):
    return f"{name}-{time.monotonic_ns()}"


parts = []  # that run


def end_all():
    """Nothing that a campaign started outlives it, however it ends."""
    for part in list(parts):
        part.kill()
    broker.stop()


atexit.register(end_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Part:
    """A program on one processor that says when it is ready and ends on SIGTERM, with a line of JSON where it is ours."""

    def __init__(self, cpu, *argv, env=None):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, argv)], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, cwd=ROOT, env={**os.environ, **(env or {})}, start_new_session=True)
        parts.append(self)
        self.ready = json.loads(self.process.stdout.readline() or "{}")
        if not self.ready.get("ready"):
            self.process.wait()
            self.log.seek(0)
            sys.exit(f"{' '.join(map(str, argv))}: {self.log.read().strip()}")

    def cpu_s(self):
        """Of all processes of its group, living or waited for by them; ticks of 10 ms."""
        ticks = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == self.process.pid:
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self):
        parts.remove(self)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def end(self):
        self.process.terminate()
        try:
            out, _ = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            out = ""
        self.kill()  # and what is left of its group
        lines = out.strip().splitlines()
        return json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None


def foreign_app(name, source, sink, *options, **settings):
    """An application of scripts/apps between two topics, in the fraud case; settings stand for SERVEPATH_... of its environment."""
    fraud = ROOT / "fixtures" / "fraud"
    known = {"BROKER": broker.address, "INPUT_TOPIC": source, "OUTPUT_TOPIC": sink, "GROUP": unique("group"),
             "PARTITIONS": PARTITIONS, "MEMBER": 1, "CASE": "fraud", "SCENARIO": fraud / "scenario.yaml",
             "MODEL": fraud / "models" / "fraud" / "1", "MODEL_NAME": "fraud", "THREADS": 1, "BATCH": 1,
             "DELIVERY": "at-least-once", "DIR": broker.folder(unique("app")), **settings}
    return Part(1, ROOT / "scripts" / "apps" / name / "run", *options,
                env={f"SERVEPATH_{key}": str(value) for key, value in known.items()})


# --- Full topics ---

full_topics = {}


def full_topic(n):
    """A topic that holds n events of the card recording, filled when first asked for."""
    if n not in full_topics:
        full_topics[n] = unique("full")
        topic("create", full_topics[n], PARTITIONS)
        topic("fill", full_topics[n], RECORDING, n)
    return full_topics[n]


def drained(start, n, warm_percent=10, limit_s=240):
    """Parts that start(source, sink) returns, on a full topic: their rate by the broker's clock behind the first warm_percent, the CPU
    that an event of the rest cost them, and whether every event came out once."""
    source, sink = full_topic(n), unique("drained")
    topic("create", sink, PARTITIONS)
    parts = start(source, sink)
    n_warm = topic("wait", sink, n * warm_percent // 100, limit_s)["n"]
    before_s = sum(part.cpu_s() for part in parts)
    n_end = topic("wait", sink, n, limit_s)["n"]
    cpu_s = sum(part.cpu_s() for part in parts) - before_s
    for part in parts:
        part.end()
    span = topic("span", sink, n, warm_percent)
    topic("delete", sink)
    return {**span, "cpu_us": 1e6 * cpu_s / max(1, n_end - n_warm), "whole": span["n"] == span["distinct"] == n}
