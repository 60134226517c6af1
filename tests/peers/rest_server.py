"""Our REST clients against a server in plain Python that knows the expected predictions: the fraud recording is verified
through both protocols, with and without questions about the model, over TLS, with a token; one wrong answer is found, and
servers that cannot be reached that way are named in one line."""
import json
import struct
import subprocess
import tempfile
from pathlib import Path

from _rest_server import Model, serving
from _sprec import SOURCE, check, read, run

FRAUD, N = SOURCE / "fixtures/fraud", 1000


def expected_by_bytes():
    _, events = read(FRAUD / "fraud.sprec")
    lines = [json.loads(line) for line in (FRAUD / "expected/fraud-1.jsonl").read_text().splitlines()[1:]]
    return {struct.pack("<30f", *(float(v) for v in event.value.decode().split(",")[:30])): line["v"][0]
            for event, line in zip(events, lines)}


class Known:
    """Answers by the very float32 values that it was sent: a digit lost on the way is a score of zero."""

    def __init__(self, scores, alter=None):
        self.scores, self.alter, self.n = scores, alter, 0

    def __call__(self, row):
        self.n += 1
        score = self.scores.get(struct.pack("<30f", *row), 0.0)
        return score + 0.01 if self.n == self.alter else score


def verify(folder, address, protocol, *more):
    return run("verify", FRAUD, "--side", "rpc", "--protocol", protocol, "--server", address, "--in-flight", "16",
               "--limit", str(N), "--deadline", "10s", "--drain", "20s", "--quiet", "--out", folder, *more)


def is_good(told):
    check(told.returncode == 0 and b"%d of %d" % (N, N) in told.stdout.replace(b",", b""), told)


def refused(told, words):
    check(told.returncode == 3 and words in told.stderr and told.stderr.count(b"\n") == 1, words, told)


def certificates(folder):
    """ca.pem; server.{pem,key} for 127.0.0.1 and model.test; client.{pem,key}; other.pem, which signed nothing."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-subj", f"/CN=test {name}", "-days", "2")
    for name, names in (("server", "IP:127.0.0.1,DNS:model.test"), ("client", "DNS:client.test")):
        (folder / "names").write_text(f"subjectAltName={names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", f"{name}.pem")


def plain(folder, scores):
    for protocol in ("tfs-rest", "kserve-rest"):
        for describes in (True, False):
            with serving(Model(Known(scores), describes)) as address:
                is_good(verify(folder / f"{protocol}-{describes}", address, protocol))
        with serving(Model(Known(scores, alter=471))) as address:
            told = verify(folder / f"{protocol}-altered", address, protocol, "--batch", "4")
            check(told.returncode == 1 and b"1 not ok" in told.stdout, told)
    (folder / "token").write_text("s3cret\n")
    with serving(Model(Known(scores), token="s3cret")) as address:
        is_good(verify(folder / "token-run", address, "tfs-rest", "--rpc-token", f"@{folder / 'token'}"))
        refused(verify(folder / "no-token", address, "tfs-rest"), b"(HTTP 401: a token is needed); set rpc.token")


def secured(folder, scores):
    certificates(folder)
    tls = ("--rpc-tls", "--rpc-ca", folder / "ca.pem")
    mutual = (*tls, "--rpc-cert", folder / "client.pem", "--rpc-key", folder / "client.key")
    quick = ("--connect-timeout", "1s")
    with serving(Model(Known(scores)), folder / "server.pem", folder / "server.key") as address:
        is_good(verify(folder / "tls", address, "kserve-rest", *tls))
        is_good(verify(folder / "named", address, "tfs-rest", *tls, "--rpc-server-name", "model.test"))
        refused(verify(folder / "other", address, "tfs-rest", "--rpc-tls", "--rpc-ca", folder / "other.pem", *quick),
                b"certificate")
        refused(verify(folder / "name", address, "tfs-rest", *tls, "--rpc-server-name", "wrong.test", *quick), b"wrong.test")
        refused(verify(folder / "clear", address, "tfs-rest", *quick), b"speaks TLS; set rpc.tls")
    with serving(Model(Known(scores)), folder / "server.pem", folder / "server.key", folder / "ca.pem") as address:
        is_good(verify(folder / "mutual", address, "kserve-rest", *mutual))
        refused(verify(folder / "alone", address, "kserve-rest", *tls, *quick), b"certificate required")
    with serving(Model(Known(scores))) as address:
        refused(verify(folder / "no-tls", address, "kserve-rest", *tls, *quick), b"speaks plain HTTP; leave rpc.tls out")


def main():
    scores = expected_by_bytes()
    with tempfile.TemporaryDirectory() as folder:
        plain(Path(folder), scores)
        secured(Path(folder), scores)


main()
