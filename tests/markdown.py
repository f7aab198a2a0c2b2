"""What the repository's documents are made of: prose, blocks of code, headings, links.

`markdown.py DIRECTORY` writes each block of code into a file there, for documents.sh.
"""
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^( *)```([\w-]*)\s*$")
COMMENT = re.compile(r"^<!-- (.*) -->$")
CODE = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)\)")
ITEM = re.compile(r"^ *(?:[-*]|\d+\.) +")


@dataclass
class Block:
    """A block of code: its line, its language, its text, and the HTML comment in the line above it."""

    line: int
    language: str
    text: str
    remark: str


@dataclass
class Passage:
    """Text that belongs together: a paragraph, an item of a list, a cell of a table. Each of its lines with its number."""

    lines: list = field(default_factory=list)


@dataclass
class Document:
    """One document, taken apart."""

    path: Path
    blocks: list = field(default_factory=list)
    passages: list = field(default_factory=list)
    headings: list = field(default_factory=list)
    links: list = field(default_factory=list)

    def anchors(self):
        """What a link to a heading of this document may name, made as GitHub does."""
        found, counts = set(), {}
        for _, heading in self.headings:
            plain = LINK.sub(r"\1", heading).replace("`", "")
            name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            counts[name] = counts.get(name, -1) + 1
            found.add(name if counts[name] == 0 else f"{name}-{counts[name]}")
        return found


def tracked(*patterns):
    """The files of the repository, new ones too, but for those that are ignored or deleted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in sorted(set(names.split("\0"))) if name and (ROOT / name).is_file()]


def documents():
    """All documents."""
    return [parse(path) for path in tracked("*.md")]


def parse(path):
    """Takes a document apart."""
    document = Document(path)
    fence, above, passage = None, "", Passage()

    def close():
        nonlocal passage
        if passage.lines:
            document.passages.append(passage)
        passage = Passage()

    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        opened = FENCE.match(line)
        if fence is not None:
            if opened and not opened[2]:
                document.blocks.append(fence)
                fence = None
            else:
                fence.text += line + "\n"
            continue
        remark, above = above, ""
        if opened:
            close()
            fence = Block(number, opened[2], "", remark)
            continue
        if comment := COMMENT.match(line):
            close()
            above = comment[1]
            continue
        # Without code, which may show what looks like a link.
        for link in LINK.finditer(CODE.sub("`code`", line)):
            document.links.append((number, link[1], link[2]))
        if heading := re.match(r"^#+ +(.*)$", line):
            close()
            document.headings.append((number, heading[1]))
        elif line.startswith("|"):
            close()
            for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                document.passages.append(Passage([(number, cell.strip())]))
        elif not line.strip() or line.startswith("    "):
            close()
        else:
            if ITEM.match(line):
                close()
            passage.lines.append((number, ITEM.sub("", line).strip()))
    close()
    return document


def write_blocks(directory):
    """Writes the blocks of all documents into files, and prints a line for each: document, line, language, file, remark.

    A `console` block becomes two files: its commands, and with `.expected` what they print.
    """
    for document in documents():
        for block in document.blocks:
            name = document.path.relative_to(ROOT)
            file = directory / f"{str(name).replace('/', '-')}-{block.line}"
            text = block.text
            if block.language == "console":
                lines = text.split("\n")
                text = "\n".join(line[2:] for line in lines if line.startswith("$ ")) + "\n"
                expected = "\n".join(line for line in lines if not line.startswith("$ "))
                file.with_name(file.name + ".expected").write_text(expected, encoding="utf-8")
            file.write_text(text, encoding="utf-8")
            print(name, block.line, block.language or "-", file, block.remark or "-", sep="\t")


if __name__ == "__main__":
    write_blocks(Path(sys.argv[1]))
