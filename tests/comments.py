"""What people read in sources: comments, and the texts of messages."""
import re
import tokenize

# A text of one line: a quote that is no quote spoils no more than its line.
QUOTED = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
SLASHES = r"(?P<comment>//[^\n]*|/\*.*?\*/)"
HASH = r"(?P<comment>(?:(?<=\s)|^)#(?!\[|!)[^\n]*)"

LANGUAGES = {
    # A message may go over several lines; a quote alone is a lifetime.
    ".rs": SLASHES + r"""|r(?P<raw>\#+)".*?"(?P=raw)|(?P<text>"(?:\\.|[^"\\])*")|'(?:\\.|[^'\\])'""",
    ".c": SLASHES + f"|(?P<text>{QUOTED})",
    ".h": SLASHES + f"|(?P<text>{QUOTED})",
    ".php": f"{SLASHES}|(?P<text>{QUOTED})",
    ".rb": f"{HASH}|(?P<text>{QUOTED})",
    ".rbs": HASH,
    ".sh": f"{HASH}|{QUOTED}",
    ".toml": f"{HASH}|{QUOTED}",
    ".yml": HASH,
}
LANGUAGES = {suffix: re.compile(pattern, re.S | re.M) for suffix, pattern in LANGUAGES.items()}
LANGUAGES[".gemspec"] = LANGUAGES[".rb"]

MARK = re.compile(r"^\s*(?:///?!?|/\*+|\*+/|\*|\#+)?\s?|\s*\*/\s*$")


def parts(path):
    """Yields (line, kind, text) of a source: each line of a `comment`, each `remark` beside code, each `message`."""
    source = path.read_text(encoding="utf-8")
    suffix = path.suffix or (".sh" if source.startswith("#!/usr/bin/env bash") else ".php")
    if suffix == ".py":
        yield from of_python(path)
        return
    tests = re.search(r"#\[cfg\(test\)\]\n(?:#\[.*\]\n)*mod \w+ \{", source)
    for match in LANGUAGES[suffix].finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        groups = match.groupdict()
        if groups.get("comment"):
            alone = not source[source.rfind("\n", 0, match.start()) + 1 : match.start()].strip()
            for number, text in enumerate(groups["comment"].split("\n"), line):
                yield number, "comment" if alone else "remark", MARK.sub("", text)
        elif groups.get("text") and not (tests and match.start() > tests.start()):
            text = re.sub(r"\\\n\s*|\\n", " ", groups["text"][1:-1])
            for number, part in enumerate(text.split("\n"), line):
                yield number, "message", part


def of_python(path):
    """The same for Python, by its own tokenizer. A text that is a statement is a comment."""
    before = None
    with open(path, "rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT and not token.string.startswith("#!"):
                alone = not token.line[: token.start[1]].strip()
                yield token.start[0], "comment" if alone else "remark", token.string.lstrip("# ")
            elif token.type == tokenize.STRING:
                said = before in (None, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
                text = token.string.strip("rbfu").strip("\"'")
                for number, line in enumerate(text.split("\n") if said else [text], token.start[0]):
                    yield number, "comment" if said else "message", line.strip()
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.type
