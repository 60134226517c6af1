"""Runs a command on a terminal of its own: answers its question, presses Ctrl-C, expects its words and exit code 9."""
import os
import pty
import select
import signal
import sys
import time

pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # in the background of a script it is ignored, and would stay so
    os.execv(sys.argv[1], sys.argv[1:])
said = b""


def until(words):
    global said
    end = time.monotonic() + 30
    while words not in said:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        try:
            part = os.read(terminal, 4096) if ready else b""
        except OSError:  # the terminal is closed
            part = b""
        if not part:
            os.kill(pid, 9)
            sys.exit(f"no {words!r} in {said!r}")
        said += part


until(b"name? ")
os.write(terminal, b"a person\n")
until(b"is a person")
os.write(terminal, b"\x03")
until(b"interrupted")
_, status = os.waitpid(pid, 0)
if os.waitstatus_to_exitcode(status) != 9:
    sys.exit(f"exit {os.waitstatus_to_exitcode(status)} instead of 9, {said!r}")
