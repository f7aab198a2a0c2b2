#!/usr/bin/env python3
"""Checks what documents point to: files, headings, tests, statuses.

Prints FILE:LINE, what it found and what to write instead. Ends in an error where it found something.
"""
import re
import sys

import markdown

ROOT = markdown.ROOT

# How a source defines what a link may name after `#`: a test. Of a script: the text of `check`, written as an anchor.
TESTS = {
    ".rs": r"#\[test\]\s+(?:#\[[^\]]*\]\s+)*fn {}\(",
    ".php": r"public function {}\(",
    ".rb": r"def {}\b",
    ".py": r"def {}\(",
}

# A file of this repository: below one of its directories, or beside its README.
FILE = re.compile(r"(?<![\w/.~$-])((?:\.ci|benches|bindings|docs|examples|include|release|src|tests)/[\w./*-]*[\w*/]|[\w-]+\.md)(?![\w/])")

# What comes into being when something is built or run.
MADE = re.compile(r"^(tests/fuzz/(target|corpus)|bindings/[a-z]+/(lib|vendor|build|dist))")


def slug(text):
    """A text as an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def defines(path, name):
    """Whether the source has a test of this name."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".sh":
        return name in [slug(what) for what in re.findall(r'\bcheck "([^"]*)"', source)]
    pattern = TESTS.get(path.suffix)
    return pattern is not None and re.search(pattern.format(re.escape(name)), source) is not None


def target(document, where, anchors):
    """What is wrong with a link, or None."""
    if re.match(r"(https?|mailto):", where):
        return None
    name, _, anchor = where.partition("#")
    path = (document.path.parent / name).resolve() if name else document.path
    if not path.exists():
        return f'there is no file "{name}": correct the path, which begins at this document\'s directory'
    if not anchor:
        return None
    if path.suffix == ".md":
        found = anchors.get(path) or markdown.parse(path).anchors()
        return None if anchor in found else f'"{name}" has no heading "#{anchor}"; it has {", ".join(sorted(found))}'
    return None if defines(path, anchor) else f'"{name}" has no test "{anchor}": name one of its tests'


def files(document):
    """Files that a document names without a link."""
    texts = [line for passage in document.passages for line in passage.lines]
    texts += [(block.line, block.text) for block in document.blocks if block.language in ("sh", "console", "bash")]
    for line, text in texts:
        for match in FILE.finditer(markdown.LINK.sub(r"\1", text)):
            name = match[1]
            here = [ROOT, document.path.parent]
            if MADE.match(name) or any(any(place.glob(name.rstrip("/"))) for place in here):
                continue
            yield line, f'there is no file "{name}": correct the name'
        for match in re.finditer(r"--test ([\w-]+)(?![\w*])", text):
            if not (ROOT / f"tests/{match[1]}.rs").exists():
                yield line, f'there is no tests/{match[1]}.rs, which "--test {match[1]}" runs'


def guarantees():
    """Each item of README's "Guarantees" is one line, and links the test that holds it."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split("\n")
    start = lines.index("## Guarantees") if "## Guarantees" in lines else None
    if start is None:
        yield 1, 'README.md has no heading "Guarantees"'
        return
    items = 0
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if line.startswith("## "):
            break
        if line.startswith("- "):
            items += 1
            if not any("#" in where and not where.startswith("#") for _, where in markdown.LINK.findall(line)):
                yield number, "a guarantee without a link to its test: add ([test](FILE#TEST))"
        elif line.startswith("  "):
            yield number, "a guarantee of more than one line: shorten it, or move the rest to docs/"
    if items == 0:
        yield start + 1, "there are no guarantees"


def statuses():
    """docs/errors.md has each status of the C interface, with its number, and each class that the bindings have for one."""
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| `(TPS_\w+)` \|", text, re.M))
    header = (ROOT / "include/tps.h").read_text(encoding="utf-8")
    wanted = {number: name for name, number in re.findall(r"^ *(TPS_\w+) = (\d+),$", header, re.M) if number != "0"}
    for number, name in sorted(wanted.items(), key=lambda row: int(row[0])):
        if rows.get(number) != name:
            yield 1, f"no row for {name}: begin one with | {number} | `{name}` |"
    for number in sorted(rows.keys() - wanted.keys()):
        yield 1, f"a row for status {number}, which include/tps.h does not have"
    names = {path.stem for path in markdown.tracked("bindings/php/src/Exception/*Exception.php")}
    ruby = (ROOT / "bindings/ruby/lib/tps/errors.rb").read_text(encoding="utf-8")
    names |= set(re.findall(r"class (\w+Error)\b", ruby))
    for name in re.findall(r"\b\w+(?:Error|Exception)\b", text):
        if name not in names:
            yield 1, f"{name} is a class of no binding"


def options():
    """docs/options.md has each option that there is, and no other one."""
    keys = re.search(r"const KEYS: [^=]*= \[(.*?)\];", (ROOT / "src/options/mod.rs").read_text(encoding="utf-8"), re.S)
    wanted = set(re.findall(r'"(\w+)"', keys[1]))
    rows = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs/options.md").read_text(encoding="utf-8"), re.M)
    for name in sorted(wanted.symmetric_difference(rows)):
        yield 1, f"the option {name} must have one row" if name in wanted else f"there is no option {name}: remove its row"


def main():
    documents = markdown.documents()
    anchors = {document.path.resolve(): document.anchors() for document in documents}
    found = [(document, line, what) for document in documents for line, what in files(document)]
    looked = 0
    for document in documents:
        for line, _, where in document.links:
            looked += 1
            if problem := target(document, where, anchors):
                found.append((document, line, problem))
    by_name = {document.path.name: document for document in documents if document.path.parent in (ROOT, ROOT / "docs")}
    found += [(by_name["README.md"], line, what) for line, what in guarantees()]
    found += [(by_name["errors.md"], line, what) for line, what in statuses()]
    found += [(by_name["options.md"], line, what) for line, what in options()]
    for document, line, what in found:
        print(f"{document.path.relative_to(ROOT)}:{line}: {what}")
    print(f"{looked} links, {len(found)} findings")
    return 1 if found or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
