#!/usr/bin/env python3
"""Checks the words: in documents, comments and messages one name a thing, plain, in short sentences.

Prints FILE:LINE, what it found and what to write instead. Ends in an error where it found something.
"""
import re
import sys

import comments
import markdown

# No sentence is longer, in words. Code in backquotes counts as one word.
LONGEST = 35

# What not to write, and what instead. A pattern meets a word only where it means the thing.
INSTEAD = [
    (r"(?<!hash )slots?", "cache entry; of a cluster: hash slot"),
    (r"depart(s|ed|ure)?|(flights?|lookups?|searches) lands?|landed", "start, finish"),
    (r"(who|which|that) leads? (a|the) (flight|lookup)|the lead|leader", "start, finish; who starts the lookup"),
    (r"walks?|walked|(the|a|this|one|next|whole) search", "lookup"),
    (r"troubles?", "store error, error"),
    (r"(store|stores|one|files?|serves?) behind( (it|them|another|redis))?", "fallback store, tiered store"),
    (r"lacks?|lacking", "is missing, has no"),
    (r"unsure", "attempt, uncertain"),
    (r"knock(s|ed|ing)?", "probe"),
    (r"(tokens?|that|which|it|they|one|still) stands?(?! for\b)( after all| all the same)?", "is valid, the server accepts it; a thing: is"),
    (r"stands? (there|in|at|beside|before|under|after|between|so)|what stands|stood(?! still)", "is"),
    (r"(?<!-)silence|keeps? silent|are silent|quiet(ly)?", "hold-off"),
    (r"the present (token|one)|(its|a|one's|own) present token|present ones?", "published token, current token"),
    (r"timeless", "published token"),
    (r"known (ends?|life|lives)|ended tokens?|tokens? (that )?(ends|ended|has ended)|(token's|its known) end", "expires, expiry"),
    (r"end of (a|the|its) (known )?(token's )?life", "expires, expiry"),
    (r"(lay|lays|laid|laying) (it |them |this )?into", "put into, write to"),
    (r"whoever|whomever|whosoever", "the process that, the caller that, who"),
    (r"(and|or) (its|their) kin", "and the like"),
    (r"(had|have|has|in) in common|in common", "share"),
    (r"(is|are|was|were) told (so|of|by|that|at|once)|tells? of", "gets an error, says, shows"),
    (r"become(s)? of (it|them|this)", "happens to"),
    (r"know(s|n)? (a|its|the) better one", "has a better one"),
    (r"failed to|unable to|could not be able", "say what happened: cannot, is missing"),
    (r"lest|thereof|therein|whereby|wherein|hitherto|henceforth|thereby|heretofore", "a plain word"),
    (r"utili[sz]e[sd]?|leverag(e|es|ed|ing)|in order to|due to the fact|please note", "use, to, because"),
    (r"riddles?", "say what is not clear"),
    (r"carr(y|ies) the pager", "the operator"),
    (r"(?<!there )(is|are) no (file|number|salt|string|URL|JSON|text|client|name|option|secret|primary|object)", "is not a"),
]
INSTEAD = [(re.compile(rf"(?<![\w-])(?:{wrong})(?![\w-])", re.I), right) for wrong, right in INSTEAD]

# Where a sentence ends. Not after an abbreviation, an ellipsis or a number of a list.
END = re.compile(r"(?<!\b[a-zA-Z]\.[a-zA-Z])(?<!etc)(?<!\bvs)[.!?](?=[\s)\"'”]|$)")

# Sources whose texts are messages that users see.
MESSAGES = re.compile(r"^(src/|bindings/php/(src|bin)/|bindings/ruby/lib/|bindings/python/(?!tests?/))(?!.*tests)")

SOURCES = ["*.rs", "*.c", "*.h", "*.php", "*.rb", "*.rbs", "*.py", "*.sh", "*.toml", "*.yml", "*.gemspec",
           ".ci/run", "tests/knox/serve", "bindings/php/bin/*"]

# What a message is filled with.
VALUE = re.compile(r"#?\{[^{}]*\}|\$\w+(->\w+)*|%\w")

# A line of a comment that begins anew: an item of a list, a tag, a table, something indented.
APART = re.compile(r"\s*(?:[-*|@]|\d+\. )|\s{2,}")

# Made from src/ffi; the words are looked at there.
MADE = re.compile(r"^include/|^tests/fuzz/corpus/|^tests/prose\.py$")


def plain(line):
    """The line without what is no prose: code, addresses, marks."""
    line = markdown.CODE.sub("CODE", line)
    line = markdown.LINK.sub(r"\1", line)
    return re.sub(r"https?://\S+|[*]{2}|\[`?|`?\]", "", line)


def passages_of_source(path):
    """Comments by paragraph; where users see them, the texts of messages, each by itself."""
    passage, last = markdown.Passage(), None
    messages = MESSAGES.match(str(path.relative_to(markdown.ROOT)))
    for number, kind, text in comments.parts(path):
        if kind != "comment":
            if kind == "remark" or messages and len(re.findall(r"[a-z]+ ", text)) >= 2 and not text.startswith("/"):
                yield markdown.Passage([(number, VALUE.sub("VALUE", text))])
            continue
        goes_on = last is not None and number == last + 1 and text.strip() and not APART.match(text)
        if passage.lines and not goes_on:
            if not passage.lines[0][1].startswith("@phpstan"):
                yield passage
            passage = markdown.Passage()
        last = number
        if text.strip() and not text.startswith(("shellcheck", "|", "```")):
            passage.lines.append((number, text))
    if passage.lines:
        yield passage


def problems(passage):
    """Yields (line, what is wrong) of a passage."""
    text, starts = "", []
    for number, line in passage.lines:
        starts.append((len(text), number))
        text += plain(line) + " "

    def line_at(place):
        return max((start, number) for start, number in starts if start <= place)[1]

    for wrong, right in INSTEAD:
        for match in wrong.finditer(text):
            yield line_at(match.start()), f'"{match[0]}": {right}'
    begin = 0
    for end in [*(match.end() for match in END.finditer(text)), len(text)]:
        words = re.findall(r"[\w'’./_-]*\w[\w'’./_-]*", text[begin:end])
        if len(words) > LONGEST:
            start = begin + len(text[begin:end]) - len(text[begin:end].lstrip())
            yield line_at(start), f"a sentence of {len(words)} words, \"{' '.join(words[:5])} …\": at most {LONGEST}, make it two"
        begin = end


def main():
    found = looked = 0
    documents = [(document.path, document.passages) for document in markdown.documents()]
    sources = [(path, passages_of_source(path)) for path in markdown.tracked(*SOURCES)]
    for path, passages in documents + sources:
        name = str(path.relative_to(markdown.ROOT))
        if MADE.match(name):
            continue
        for passage in passages:
            looked += 1
            for line, problem in problems(passage):
                found += 1
                print(f"{name}:{line}: {problem}")
    print(f"{looked} passages, {found} findings")
    return 1 if found or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
