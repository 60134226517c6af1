"""Forms of a comparison against parsers of others: whatever stands in names, rows stay rows, cells stay cells, and the XML is
well formed."""
import csv
import io
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

NAMES = ["gate", "hostile", "three", "two"]


def check_csv(raw):
    assert raw.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True, restkey="too many"))
    assert rows and raw.count(b"\r\n") == len(rows) + 1, "a row is no line"
    for row in rows:
        assert "too many" not in row and None not in row.values(), row
        for name in "side_value", "reference_value", "ratio", "low", "high", "level":
            assert row[name] == "" or float(row[name]) >= 0, (name, row)
        assert row["verdict"] in ("better", "worse", "same", "inconclusive", "exploratory"), row
    return rows


def check_xml(raw):
    root = xml.fromstring(raw)
    for node in [root, *root]:
        inside = list(node.iter("testcase"))
        assert int(node.get("tests")) == len(inside), node.attrib
        for count, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
            assert int(node.get(count)) == sum(case.find(tag) is not None for case in inside), (count, node.attrib)
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    return names


def check_markdown(text):
    assert all(c == "\n" or c.isprintable() or c == "\u2060" for c in text), "a control character is left"
    assert text.startswith("## ")
    assert text.count("<details>") == text.count("</details>") > 0
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert tables
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, (widths, table)


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([Path(os.environ["BUILD_DIR"]) / "test_comparison_forms", folder], check=True)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert sorted(files) == sorted(f"{name}.{ending}" for name in NAMES for ending in ("csv", "md", "xml")), sorted(files)
    for name in NAMES:
        rows = check_csv(files[f"{name}.csv"])
        cases = check_xml(files[f"{name}.xml"])
        if name != "hostile":
            assert len(set(cases)) == len(cases), "two cases of one name"
        else:
            assert rows[0]["side"].startswith("r<script>"), rows[0]
        check_markdown(files[f"{name}.md"].decode("utf-8"))
        print(f"{name}: {len(rows)} rows, {len(cases)} cases")


main()
