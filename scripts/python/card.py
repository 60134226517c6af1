"""Model cards, and the digests of a version folder's files."""

from pathlib import Path

import xxhash

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def digest(path):
    """XXH3 of 128 bits, big-endian hexadecimal."""
    return "xxh128:" + xxhash.xxh3_128_hexdigest(Path(path).read_bytes())


def digests(folder):
    """{path inside the folder: digest} of every file, in order of name."""
    files = sorted(p for p in Path(folder).rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): digest(p) for p in files}


def write_card(case, name, lines):
    folder = FIXTURES / case / "models" / name
    of_files = ", ".join(f"{path} {value}" for path, value in digests(folder / "1").items())
    text = [f"# {name}, version 1", ""] + [f"- {line}" for line in lines] + [
        f"- Digests: {of_files}.",
        f"- Rebuild: `scripts/train {name}`; then `scripts/fixtures --expected {case}`, for another machine's arithmetic "
        "may train other weights.",
    ]
    (folder / "README.md").write_text("\n".join(text) + "\n")
