"""The table of deployments and the demos' claims, answered with figures: rows of scripts/peers/apps, and the page they make."""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from peers import BUILD, ROOT, machine_text, median_interval, servepath_run
from peers_broker import Part, broker, drained, foreign_app, unique

MODEL_DIR = ROOT / "fixtures" / "fraud" / "models" / "fraud"
RATE = 300  # per second: all of them hold it
ROUNDS = 5


# --- Deployments ---

def app(source, sink, *rest):
    return Part(1, BUILD / "servepath", "app", "fixtures/fraud", "--broker", broker.address, "--cpus", "none", "--input-topic", source,
                "--output-topic", sink, "--group", unique("group"), *rest)


def embedded(source, sink):
    return [app(source, sink, "--side", "embedded")]


def foreign(name, *options, **settings):
    return lambda source, sink: [foreign_app(name, source, sink, *options, **settings)]


def server_part(name, protocol):
    if name == "servepath":
        return Part(1, BUILD / "servepath", "model-server", "--model", f"fraud={MODEL_DIR}", "--address", "127.0.0.1:0")
    return Part(1, ROOT / "scripts" / "servers" / name, "run", "--dir", broker.folder(unique("server")), "--model", f"fraud={MODEL_DIR}",
                "--protocol", protocol)


def rpc(name, protocol):
    def start(source, sink):
        server = server_part(name, protocol)
        return [app(source, sink, "--side", "rpc", "--protocol", protocol, "--server-address", server.ready["address"]), server]
    return start


def rpc_run(name, protocol):
    return ("--side", "rpc", "--protocol", protocol, *(() if name == "servepath" else ("--server", name)))


# name, what it is, options of the trial, warm-up in s, how a backlog is drained, of how many events, and how much of it is warm-up
DEPLOYMENTS = (
    ("embedded-c", "embedded: servepath app, C", ("--side", "embedded"), 3, embedded, 1_000_000, 10),
    ("embedded-jvm", "embedded: Kafka Streams, Java", ("--side", "embedded", "--app", "streams"), 20,
     foreign("streams", LINGER_MS=20), 2_000_000, 60),
    ("embedded-python", "embedded: Faust, Python", ("--side", "embedded", "--app", "faust"), 3, foreign("faust"), 20_000, 10),
    ("rpc-servepath", "RPC: servepath model-server, C", rpc_run("servepath", "kserve"), 3, rpc("servepath", "kserve"), 200_000, 10),
    ("rpc-triton", "RPC: Triton, Python backend", rpc_run("triton", "kserve"), 3, rpc("triton", "kserve"), 20_000, 10),
    ("rpc-mlserver", "RPC: MLServer, Python", rpc_run("mlserver", "kserve"), 3, rpc("mlserver", "kserve"), 6_000, 10),
    ("rpc-kserve", "RPC: KServe, Python", rpc_run("kserve", "kserve"), 3, rpc("kserve", "kserve"), 15_000, 10),
    ("rpc-tensorflow", "RPC: TensorFlow 2.21 behind TF Serving's stubs, Python", rpc_run("tfs", "tfs"), 3, rpc("tfs", "tfs"), 10_000, 10),
    # Takes a whole backlog at once, a task for each message, and answers in a burst at its end: no rate could be read from that.
    ("kafka-native", "Kafka-native: MLServer on the topics, Python", ("--side", "embedded", "--app", "mlserver-kafka"), 3, None, 0, 0),
)


def deployment(options, warmup_s, start, n, warm_percent):
    def row(seconds):
        def measure(_pair):
            r = servepath_run("fixtures/fraud", "--broker", broker.address, "--arrival", "poisson", "--rate", f"{RATE}/s", "--warmup",
                              f"{warmup_s if seconds is None else 2}s", "--duration", f"{seconds or 12:g}s", "--cpus",
                              "driver=0,app=1,server=1", "--set", "expect.p99=100ms", *options)
            c, cpu = r["counts"], r["cpu_us_per_event"]
            nothing = {"per_s": None, "cpu_us": None, "whole": False}
            drain = nothing if start is None else drained(start, n if seconds is None else max(2000, int(n * seconds / 20)), warm_percent)
            return {"p50_ns": r["response_ns"]["p50"], "p99_ns": r["response_ns"]["p99"], "state": r["response_ns"]["state"]["p99"],
                    "app_us": cpu.get("app"), "server_us": cpu.get("server"), "reasons": r["validity"]["reasons"],
                    "right": c["ok"] == c["intended"], "intended": c["intended"], "ok": c["ok"], "valid": r["validity"]["verdict"] == "valid",
                    "drain_per_s": drain["per_s"], "drain_us": drain["cpu_us"], "whole": drain["whole"]}
        return measure
    return row


# --- Claims ---

def run_beside(meanwhile, *argv):
    """A trial, and meanwhile(process) beside it once its driver sends; its result."""
    with tempfile.TemporaryDirectory(prefix="peers-") as out:
        process = subprocess.Popen([str(a) for a in (BUILD / "servepath", "run", "fixtures/fraud", "--broker", broker.address, "--quiet",
                                                     "--cpus", "driver=0,app=1,server=1", "--out", f"{out}/trial", *argv)], cwd=ROOT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        log = pathlib.Path(out, "trial", "latency.hlog")
        while process.poll() is None and not (log.exists() and "Tag=" in log.read_text()):
            time.sleep(0.02)
        told = meanwhile(process)
        process.wait(timeout=120)
        r = json.loads(pathlib.Path(out, "trial", "result.json").read_text())
    c = r["counts"]
    return {"ok": c["ok"], "intended": c["intended"], "not_ok": c["intended"] - c["ok"], "p50_ns": r["response_ns"]["p50"],
            "max_ns": r["response_ns"]["max"], "duplicate": c["duplicate"], **(told or {})}


COMMON = ("--arrival", "constant", "--rate", "500/s", "--warmup", "2s", "--duration", "10s", "--drain", "20s")


def availability(_seconds):
    """The model server is gone for two seconds: killed, and started again at its address."""
    def measure(_pair):
        place = f"unix:{broker.folder(unique('socket'))}/s"

        def server():
            return Part(1, BUILD / "servepath", "model-server", "--model", f"fraud={MODEL_DIR}", "--address", place)

        first = server()

        def gone(_process):
            time.sleep(3)
            os.kill(first.process.pid, signal.SIGKILL)
            first.process.wait()
            time.sleep(2)
            again.append(server())
        again = []
        rpc_side = run_beside(gone, "--side", "rpc", "--protocol", "kserve", "--server", place, *COMMON)
        for part in again:
            part.end()
        return {"rpc": rpc_side, "embedded": run_beside(lambda _p: None, "--side", "embedded", *COMMON), "valid": True, "redone": 0}
    return measure


def scale(_seconds):
    """1, 2 and 4 applications share one server of known capacity (1 ms a call, one at a time: 1,000/s), or have the model in them."""
    def measure(_pair):
        found = {}
        for apps in (1, 2, 4):
            def many(source, sink, apps=apps):
                server = Part(1, BUILD / "servepath", "model-server", "--model", f"fraud={MODEL_DIR}", "--address", "127.0.0.1:0",
                              "--threads", 1, "--delay", "serial:1ms")
                group = unique("group")
                return [Part(1, BUILD / "servepath", "app", "fixtures/fraud", "--broker", broker.address, "--cpus", "none", "--input-topic",
                             source, "--output-topic", sink, "--group", group, "--side", "rpc", "--protocol", "kserve", "--server-address",
                             server.ready["address"]) for _ in range(apps)] + [server]
            found[str(apps)] = drained(many, 5000)["per_s"]
        return {"per_s": found, "valid": True, "redone": 0}
    return measure


def offline(_seconds):
    """No server anywhere: what each side does."""
    def measure(_pair):
        short = ("--arrival", "constant", "--rate", "300/s", "--warmup", "0s", "--duration", "3s", "--drain", "5s")
        embedded_side = run_beside(lambda _p: None, "--side", "embedded", *short)
        done = subprocess.run([str(a) for a in (BUILD / "servepath", "run", "fixtures/fraud", "--broker", broker.address, "--side", "rpc",
                                                "--protocol", "kserve", "--server", "127.0.0.1:1", "--quiet", "--out",
                                                broker.folder(unique("none")))], cwd=ROOT, capture_output=True, text=True)
        return {"embedded": embedded_side, "rpc_exit": done.returncode, "rpc_says": done.stderr.strip()[-200:], "valid": True, "redone": 0}
    return measure


def rollout(_seconds):
    """A new version of the model: a folder beside the old one at the server, against a restart of an embedded application."""
    def measure(_pair):
        models = pathlib.Path(broker.folder(unique("models")))
        shutil.copytree(MODEL_DIR / "1", models / "1")
        server = Part(1, BUILD / "servepath", "model-server", "--model", f"fraud={models}", "--address", "127.0.0.1:0", "--reload", "200ms")

        def new_version(_process):
            time.sleep(4)
            shutil.copytree(models / "1", models / "new")
            os.rename(models / "new", models / "2")
        at_server = run_beside(new_version, "--side", "rpc", "--protocol", "kserve", "--server", server.ready["address"], *COMMON)
        server.end()

        def restart(apps):
            def during(process):
                time.sleep(4)
                members = [int(pid) for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                           if b"\0app\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
                command = pathlib.Path(f"/proc/{members[0]}/cmdline").read_bytes().decode().split("\0")[:-1]
                os.kill(members[0], signal.SIGTERM)
                new.append(subprocess.Popen(["taskset", "-c", "1", *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            new = []
            r = run_beside(during, "--side", "embedded", "--apps", apps, *COMMON)
            for part in new:
                part.terminate()
                part.wait()
            return r
        return {"server": at_server, "one": restart(1), "two": restart(2), "valid": True, "redone": 0}
    return measure


def side_effects(_seconds):
    """One of two applications is killed in the middle, exactly-once: what Kafka's output shows, and what the server was asked."""
    def measure(_pair):
        found = {}
        for mode in ("at-least-once", "exactly-once"):
            with tempfile.TemporaryDirectory(prefix="peers-") as out:
                process = subprocess.Popen([str(a) for a in (
                    BUILD / "servepath", "run", "fixtures/fraud", "--side", "rpc", "--broker", broker.address, "--apps", 2, "--delivery", mode,
                    "-X", "consumer:session.timeout.ms=3000", "--arrival", "constant", "--rate", "500/s", "--warmup", "1s", "--duration", "8s",
                    "--drain", "30s", "--quiet", "--out", f"{out}/trial")], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                log = pathlib.Path(out, "trial", "latency.hlog")
                while process.poll() is None and not (log.exists() and "Tag=" in log.read_text()):
                    time.sleep(0.02)
                time.sleep(3)
                members = [int(pid) for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                           if b"\0app\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
                os.kill(members[-1], signal.SIGKILL)
                process.wait(timeout=120)
                r = json.loads(pathlib.Path(out, "trial", "result.json").read_text())
            found[mode] = {"lost": r["counts"]["lost"], "duplicate": r["counts"]["duplicate"],
                           "repeated": r["delivery"].get("rpc_repeated"), "intended": r["counts"]["intended"]}
        return {**found, "valid": True, "redone": 0}
    return measure


CLAIMS = {"availability": availability, "scale": scale, "offline": offline, "rollout": rollout, "side-effects": side_effects}


def deployment_rows():
    rows = {f"deployment-{name}": (deployment(options, warmup_s, start, n, warm), ROUNDS, None)
            for name, _, options, warmup_s, start, n, warm in DEPLOYMENTS}
    return {**rows, **{f"claim-{name}": (row, 3, None) for name, row in CLAIMS.items()}}


# --- The page ---

def span(values, unit, digits):
    """Median, and the interval or, of fewer than six, the range."""
    values = [v for v in values if v is not None]
    if not values:
        return "?"
    middle, (low, high) = median_interval(values)
    return f"{middle:,.{digits}f}{unit} [{low:,.{digits}f}, {high:,.{digits}f}]"


def table(store):
    lines = ["| deployment | p50 | p99 | backlog, events/s | CPU µs/event, app + server | CPU µs/event, draining | right | trials, valid |",
             "|---|---|---|---|---|---|---|---|"]
    for name, what, *_ in DEPLOYMENTS:
        rows = store.of(f"deployment-{name}")
        if not rows:
            continue
        valid = [r for r in rows if r["valid"]] or rows
        cpu = span([r["app_us"] for r in valid], "", 0)
        if any(r["server_us"] for r in valid):
            cpu += " + " + span([r["server_us"] for r in valid], "", 0)
        right = sum(r["ok"] for r in rows) / sum(r["intended"] for r in rows)
        lines.append(f"| {what} | {span([r['p50_ns'] / 1e6 for r in valid if r['p50_ns']], ' ms', 2)} | "
                     f"{span([r['p99_ns'] / 1e6 for r in valid if r['p99_ns']], ' ms', 1)} | "
                     f"{span([r['drain_per_s'] for r in rows if r['whole']], '', 0)} | {cpu} | "
                     f"{span([r['drain_us'] for r in rows if r['whole']], '', 0)} | {right:.2%} | {len(rows)}, {sum(r['valid'] for r in rows)} |")
    return lines


def ms(values):
    return span([v / 1e6 for v in values], " ms", 1)


def answer(is_so):
    """The word that the figures give a claim."""
    return "Yes." if is_so else "Not shown by these figures."


def claim_latency(store):
    fast = {name: [r["p50_ns"] / 1e6 for r in store.of(f"deployment-{name}") if r["valid"] and r["p50_ns"]]
            for name in ("embedded-c", "rpc-servepath")}
    if not all(fast.values()):
        return None
    a, b = fast["embedded-c"], fast["rpc-servepath"]
    return (f"{answer(min(b) > max(a))} With the same parts in C on one machine p50 is {span(a, ' ms', 2)} embedded and {span(b, ' ms', 2)} by RPC: "
            f"{statistics.median(b) / statistics.median(a):.2f} ×. What other servers and languages add stands in the table.")


def claim_availability(rows):
    by_rpc, by_embedded = ([r[side]["not_ok"] for r in rows] for side in ("rpc", "embedded"))
    return (f"{answer(min(by_rpc) > max(by_embedded))} The server was gone for 2 s of 10 at 500/s (killed, started again at its address): of "
            f"{rows[0]['rpc']['intended']:,} events {span(by_rpc, '', 0)} got no right answer by RPC; embedded, without a server, {span(by_embedded, '', 0)}.")


def claim_scale(rows):
    rates = {n: [r["per_s"][n] for r in rows] for n in ("1", "2", "4")}
    return (f"{answer(max(rates['4']) < 1.2 * statistics.median(rates['1']))} A server that serves one call at a time in 1 ms (1,000/s by its making), a "
            "backlog of 5,000 events: " + ", ".join(f"{n} application{'s' if n != '1' else ''} {span(values, '/s', 0)}" for n, values in rates.items())
            + ".")


def claim_offline(rows):
    ok, intended = (sum(r["embedded"][k] for r in rows) for k in ("ok", "intended"))
    return (f"{answer(ok == intended and all(r['rpc_exit'] == 3 for r in rows))} With no server anywhere {ok:,} of {intended:,} events were answered rightly; "
            f"the RPC side does not begin (exit {rows[0]['rpc_exit']}: {rows[0]['rpc_says'].splitlines()[-1].split(';')[0]}).")


def claim_rollout(rows):
    def what(key):
        return (f"{span([r[key]['not_ok'] for r in rows], '', 0)} events without a right answer, longest response "
                f"{ms([r[key]['max_ns'] for r in rows if r[key]['max_ns']])}, {span([r[key]['duplicate'] for r in rows], '', 0)} answered twice")
    return (f"A new folder at the server, taken up while it serves 500/s: {what('server')}. The only embedded application ended and started again: "
            f"{what('one')}. One of two restarted, with the rebalance that this brings: {what('two')}.")


def claim_side_effects(rows):
    exact = [r["exactly-once"] for r in rows]
    is_so = all(r["lost"] == r["duplicate"] == 0 for r in exact) and any(r["repeated"] for r in exact)
    return (f"{answer(is_so)} One of two applications killed at 500/s: "
            + "; ".join(f"{mode} {span([r[mode]['lost'] for r in rows], '', 0)} lost, {span([r[mode]['duplicate'] for r in rows], '', 0)} answered twice, "
                        f"{span([r[mode]['repeated'] for r in rows], '', 0)} calls repeated" for mode in ("at-least-once", "exactly-once")) + ".")


# title, the row that it is answered from, how
ANSWERS = (
    ("RPC couples the application's availability to the server's", "claim-availability", claim_availability),
    ("RPC couples its scalability to the server's", "claim-scale", claim_scale),
    ("Embedded models predict offline", "claim-offline", claim_offline),
    ("A new model version: reload at the server, restart of the application", "claim-rollout", claim_rollout),
    ("Exactly-once covers Kafka, not the calls to a model server", "claim-side-effects", claim_side_effects),
)


def claims(store):
    told = [("A call to a model server adds latency", claim_latency(store))]
    told += [(title, text_of(store.of(row)) if store.of(row) else None) for title, row, text_of in ANSWERS]
    return [line for title, text in told if text for line in (f"### {title}", "", text, "")]


def write_deployments(store):
    if not any(store.of(f"deployment-{name}") for name, *_ in DEPLOYMENTS):
        return
    text = "\n".join([
        "# Deployments side by side", "",
        f"`scripts/peers/apps` on {machine_text()}.",
        f"The card recording over one real Kafka 4.3.1; driver and broker on processor 0, application and model server on processor 1. Response times",
        f"are of Poisson arrivals at {RATE}/s, which all of them hold; a backlog is a full topic that the application drains alone, batch 1, its rate by",
        "the broker's clock. Rounds are rotated. Medians; in brackets the interval of at least 95 %, which for fewer than six rounds is smallest to",
        "largest. `?`: MLServer takes a whole backlog at once and answers in a burst at its end, from which no rate can be read. Where no trial was valid the figures are those of the invalid ones. `right`: events answered, and rightly, of all planned.",
        "What runs in Python or Java is others' software with ONNX Runtime 1.28 (TensorFlow: its own) called by a few lines of ours, found in",
        "`scripts/apps` and `scripts/servers`; no C++ or GPU backend of Triton was there to measure.", "",
        *table(store), "", "## What the demos claim", "", *claims(store)])
    (ROOT / "results" / "reference" / "deployments.md").write_text(text.rstrip() + "\n")
