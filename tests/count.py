"""Prints how many tests a run's output shows, and how many of them failed. See `suite` in run.sh."""
import re
import sys

ran = bad = 0
with open(sys.argv[2], errors="replace") as output:
    for match in re.finditer(sys.argv[1], output.read()):
        found = match.groupdict()
        if "not" in found:
            counts = [0, 1 if found["not"] else 0]
            total = 1
        else:
            counts = [int(found.get(name) or 0) for name in ("failed", "errors")]
            total = int(found["ran"]) if "ran" in found else int(found["passed"]) + sum(counts)
        ran += total
        bad += sum(counts)
print(ran, bad)
