#!/usr/bin/env python3
"""Checks what libtps depends on, without a tool besides cargo: licences by deny.toml, no crate linked in two versions, no
dependency that no source names.

Prints what it found and what to do. Ends in an error where it found something.
"""
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def metadata(platform):
    """What cargo knows of the crates for one platform."""
    return json.loads(subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features", "--filter-platform", platform], cwd=ROOT))


def allows(expression, allowed):
    """Whether a choice that an SPDX expression offers is allowed."""
    tokens = re.findall(r"[()]|[^()\s]+(?: WITH [^()\s]+)?", expression.replace("/", " OR "))

    def either():
        value = both()
        while tokens[:1] == ["OR"]:
            tokens.pop(0)
            value = both() or value
        return value

    def both():
        value = one()
        while tokens[:1] == ["AND"]:
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        value = either()
        tokens.pop(0)
        return value

    return either()


def linked(found):
    """The ids of the crates that are in the library or the command: none of a build script's, a test's or a macro's."""
    macros = {package["id"] for package in found["packages"] if any("proc-macro" in target["kind"] for target in package["targets"])}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    reached, left = set(), [found["resolve"]["root"]]
    while left:
        one = left.pop()
        if one not in reached and one not in macros:
            reached.add(one)
            left += [edge["pkg"] for edge in nodes[one]["deps"] if any(kind["kind"] is None for kind in edge["dep_kinds"])]
    return reached


def licences(found, rules):
    """Yields each crate whose licence deny.toml does not allow."""
    allowed = set(rules["licenses"]["allow"])
    exceptions = {rule["crate"]: set(rule["allow"]) for rule in rules["licenses"]["exceptions"]}
    present = {node["id"] for node in found["resolve"]["nodes"]}
    for package in found["packages"]:
        licence = package["license"] or "none"
        if package["id"] in present and not allows(licence, allowed | exceptions.get(package["name"], set())):
            yield f"{package['name']}: licence {licence}: use another crate, or add the licence to deny.toml if it may be linked"


def duplicates(found):
    """Yields each crate that is linked in more than one version."""
    versions, inside = {}, linked(found)
    for package in found["packages"]:
        if package["id"] in inside:
            versions.setdefault(package["name"], []).append(package["version"])
    for name, several in sorted(versions.items()):
        if len(several) > 1:
            yield f"{name} is linked as {' and '.join(several)}: bring its users to one version (cargo tree -d -e normal)"


def unused():
    """Yields each dependency that no source names."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    places = {"dependencies": ["src"], "build-dependencies": ["build.rs"], "dev-dependencies": ["src", "tests", "benches"]}
    for kind, where in places.items():
        files = [path for name in where for path in ([ROOT / name] if name.endswith(".rs") else (ROOT / name).rglob("*.rs"))]
        sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
        for name in manifest[kind]:
            if not re.search(rf"\b{name.replace('-', '_')}\b", sources):
                yield f"Cargo.toml, {kind}: no source names {name}: remove it"


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
    problems = set(unused())
    for platform in rules["graph"]["targets"]:
        found = metadata(platform)
        problems |= {*licences(found, rules), *duplicates(found)}
    for problem in sorted(problems):
        print(problem)
    print(f"{len(found['packages'])} crates, {len(problems)} findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
