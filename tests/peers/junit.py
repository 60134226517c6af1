"""JUnit files against a parser of others: whatever an application writes, the XML stays well formed and says it printably."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "junit.xml")
    subprocess.run([os.path.join(os.environ["BUILD_DIR"], "test_junit"), path], check=True)
    raw = open(path, "rb").read()
    text = raw.decode("utf-8")
    root = xml.fromstring(raw)

assert all(c == "\n" or c.isprintable() for c in text), "a control character is left"
cases = [case for suite in root for case in suite]
assert root.tag == "testsuites" and [s.tag for s in root] == ["testsuite"] * 2 and {c.tag for c in cases} == {"testcase"}
for node in [root, *root]:
    inside = node.iter("testcase")
    found = [case[0].tag if len(case) else "passed" for case in inside]
    for count, tags in ("tests", None), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        assert int(node.get(count)) == (len(found) if tags is None else found.count(tags)), (count, node.attrib)
failure, = root.iter("failure")
assert failure.text.splitlines() == [
    r'<a b="c">&amp; ]]> \x01\x1b[31m \xff\xfe \xef\xbf\xbe \xef\xbf\xbf ü\n\t\\ end', "second line"], failure.text
assert failure.get("message") == failure.text.splitlines()[0]
assert root[0].get("name") == r"fraud.<&>\x02" and root[0][0].get("classname") == root[0].get("name")
print("ok")
sys.exit(0)
