"""The pytest fixture `servepath`: recorded events through your application, or broker and model server around your code."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import types

import pytest

# What a command has to print before it waits for the end of its input: the environment that `servepath with` gave it.
_WAIT = (
    "import json, os, sys; "
    "print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('SERVEPATH_')}), flush=True); "
    "sys.stdin.read()"
)
_PASSED, _FAILED, _ENVIRONMENT, _INCONCLUSIVE = 0, 1, 3, 4


class Failure(AssertionError):
    """The application answered wrongly, or servepath could not find out; the text says which."""

    def __init__(self, text, result):
        super().__init__(text)
        self.result = result


class Result:
    """What `servepath verify` found in one side.

    counts      a dictionary: ok, mismatch, malformed, lost, duplicate, reordered, alien, ...
    differing   up to 100 of {"event", "value", "kind", "difference", "text"}
    missing, duplicated   up to 100 numbers of events
    cases       [{"name", "state", "lines"}]: predictions, answered, duplicates, order, application
    exit_code   0 all right, 1 wrong or missing answers, 2 not measured to its end, 3 the application died, 4 nothing is expected
    """

    def __init__(self, command, exit_code, told, side, stderr):
        findings = side.get("findings", {})
        self.command, self.exit_code, self.stderr = command, exit_code, stderr
        self.side, self.sides = side.get("side"), told.get("sides", [])
        self.events = told.get("events", 0)
        self.counts = side.get("counts", {})
        self.cases = side.get("cases", [])
        self.differing = findings.get("differing", [])
        self.missing = findings.get("missing", [])
        self.duplicated = findings.get("duplicated", [])

    @property
    def ok(self):
        return self.exit_code == _PASSED

    def __str__(self):
        lines = []
        for side in self.sides:
            c = side["counts"]
            lines.append(f"{side['side']}: {c['ok']} ok of {self.events}")
            for case in side["cases"]:
                lines += [f"  {case['name']} {case['state']}: {line}" for line in case["lines"]]
        if not lines:
            lines = [line for line in self.stderr.splitlines() if line.strip()]
        return "\n".join(lines)

    def __repr__(self):
        return f"<servepath verify: exit {self.exit_code}\n{self}>"


def _flags(options):
    """show_values=True -> --show-values; match="key" -> --match=key; a list gives the flag several times."""
    words = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words.append(flag if one is True else f"{flag}={os.fspath(one) if isinstance(one, os.PathLike) else one}")
    return words


class Servepath:
    """The fixture. `binary` is the program, `folder` what paths are relative to, `make_dir` gives a new private folder."""

    def __init__(self, binary, folder, make_dir):
        self.binary, self.folder, self._make_dir = binary, folder, make_dir

    def verify(self, scenario, app=None, limit=None, broker=None, check=True, timeout=120, **options):
        """Every event of a recording once through `app` (a shell command), or through the scenario's sides.

        Fails the test unless each is answered once and rightly; check=False only returns the Result. TIMEOUT in seconds.
        """
        __tracebackhide__ = True
        options = dict(options, app=app, limit=limit, broker=broker)
        options.setdefault("out", os.path.join(self._make_dir(), "result"))
        command = [self.binary, "verify", os.fspath(scenario), "--json", "--quiet", *_flags(options)]
        try:
            done = self._run(command, timeout)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"servepath verify {scenario} did not end within {timeout} s", None) from late
        told = json.loads(done.stdout) if done.stdout.strip() else {}
        result = Result(command, done.returncode, told, (told.get("sides") or [{}])[0], done.stderr)
        if check and not result.ok:
            what = {_FAILED: "wrong or missing answers", _ENVIRONMENT: "the application or its broker did not work",
                    _INCONCLUSIVE: "nothing is expected: servepath verify --update keeps the answers of now"}
            why = what.get(done.returncode, "servepath could not find out")
            raise Failure(f"servepath verify {scenario}: {why} (exit {done.returncode})\n{result}", result)
        return result

    @contextlib.contextmanager
    def with_(self, scenario, timeout=60, **options):
        """Broker, topics and model server of a scenario around your code (`servepath with`); options are its flags.

        Gives an object with broker, input_topic, output_topic and server (None where there is none), and env, the variables
        for a process of yours.
        """
        __tracebackhide__ = True
        command = [self.binary, "with", os.fspath(scenario), "--quiet", *_flags(options), "--", sys.executable, "-c", _WAIT]
        log = os.path.join(self._make_dir(), "with.log")
        with open(log, "w+", encoding="utf-8") as stderr:
            child = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
                                     text=True)
            killer = threading.Timer(timeout, child.terminate)
            killer.daemon = True
            killer.start()
            line = child.stdout.readline()
            killer.cancel()
            if not line:
                child.wait()
                stderr.seek(0)
                raise Failure(f"servepath with {scenario} (exit {child.returncode}): {stderr.read().strip()}", None)
            env = json.loads(line)
            try:
                yield types.SimpleNamespace(
                    env=env, **{name: env.get("SERVEPATH_" + name.upper())
                                for name in ("broker", "input_topic", "output_topic", "server")})
            finally:
                child.stdin.close()
                child.stdout.close()
                if _wait(child, timeout) != 0:
                    stderr.seek(0)
                    sys.stderr.write(stderr.read())

    def _run(self, command, timeout):
        # A session of its own is not needed: servepath ends all that it started when it is told to end.
        with subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace") as child:
            try:
                out, err = child.communicate(timeout=timeout)
            except BaseException:  # the timeout, and Ctrl-C in pytest
                _end(child)
                raise
        return subprocess.CompletedProcess(command, child.returncode, out, err)


def _end(child):
    child.terminate()
    try:
        child.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        child.kill()


def _wait(child, timeout):
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        child.terminate()
        return child.wait()


def pytest_addoption(parser):
    parser.getgroup("servepath").addoption(
        "--servepath", metavar="FILE", help="the program servepath; otherwise $SERVEPATH, or servepath on the PATH")


@pytest.fixture(scope="session")
def servepath(request, tmp_path_factory):
    """Verifies streaming applications: servepath.verify("fixtures/fraud", app="./my-app", limit=200)."""
    named = request.config.getoption("--servepath") or os.environ.get("SERVEPATH")
    binary = shutil.which(named or "servepath")
    if not binary:
        pytest.fail(f"servepath is not found ({named or 'not on the PATH'}); build it with scripts/build and write "
                    "pytest --servepath build/servepath, or set SERVEPATH", pytrace=False)
    return Servepath(os.path.abspath(binary), str(request.config.rootpath),
                     lambda: str(tmp_path_factory.mktemp("servepath")))
