"""bill.py DIRECTORY: writes what is inside the release's files: bill-of-materials.json (CycloneDX) and LICENSES-THIRD-PARTY.txt.

Run where cargo has fetched the crates; SOURCE_DATE_EPOCH is the commit's time, TPS_COMMIT its name. Fails for a licence
that nobody has looked at.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

import ziglang

PLATFORMS = [f"{machine}-unknown-linux-{libc}" for machine in ("x86_64", "aarch64") for libc in ("gnu", "musl")]
# Each allows what is done here: linking, with the text passed on.
ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "Unicode-3.0",
    "Unlicense", "Zlib",
}
# What is linked in besides crates: name, version by command, licence, its text.
ZIG = pathlib.Path(ziglang.__path__[0])
RUNTIMES = [
    ("rust-std", ["rustc", "--version"], "MIT OR Apache-2.0", pathlib.Path("/usr/share/doc/rustc-web/copyright")),
    ("zig-compiler-rt", [sys.executable, "-m", "ziglang", "version"], "MIT", ZIG / "LICENSE"),
    ("llvm-libunwind", [sys.executable, "-m", "ziglang", "version"], "Apache-2.0 WITH LLVM-exception",
     ZIG / "lib/libunwind/LICENSE.TXT"),
]


def metadata(platform):
    """What cargo knows for one platform, with the command's own crates."""
    return json.loads(subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--features", "command",
         "--filter-platform", platform]))


def inside(found):
    """The ids of the crates that are linked: no build script's, no test's, no macro's."""
    macros = {package["id"] for package in found["packages"]
              if any("proc-macro" in target["kind"] for target in package["targets"])}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    linked, left = set(), [found["resolve"]["root"]]
    while left:
        one = left.pop()
        if one in linked or one in macros:
            continue
        linked.add(one)
        left += [dependency["pkg"] for dependency in nodes[one]["deps"]
                 if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
    return linked


def allowed(expression):
    """Whether each part of an SPDX expression offers a choice that is allowed."""
    parts = expression.replace("/", " OR ").split(" AND ")
    return all(any(choice.strip(" ()") in ALLOWED for choice in part.split(" OR ")) for part in parts)


def texts(directory):
    """The files in which a crate says its licence."""
    names = re.compile(r"(?i)^(un)?licen[cs]e|^copying|^copyright|^notice")
    return sorted(file for file in directory.iterdir() if file.is_file() and names.match(file.name) and file.suffix != ".rs")


def main(directory):
    """Writes both files into it."""
    checksums = {(package["name"], package["version"]): package.get("checksum")
                 for package in tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]}
    packages, linked, edges = {}, set(), {}
    for platform in PLATFORMS:
        found = metadata(platform)
        root, crates = found["resolve"]["root"], inside(found)
        packages |= {package["id"]: package for package in found["packages"] if package["id"] in crates}
        linked |= crates
        for node in found["resolve"]["nodes"]:
            if node["id"] in crates:
                edges.setdefault(node["id"], set()).update(set(node["dependencies"]) & crates)
    ordered = sorted(linked, key=lambda one: (packages[one]["name"], packages[one]["version"]))
    refused = [f"{packages[one]['name']}: {packages[one]['license']}" for one in ordered
               if not allowed(packages[one]["license"] or "")]
    if refused:
        sys.exit("a licence that is not in ALLOWED: " + ", ".join(refused))

    components, chapters, known = [], [], {}
    for one in ordered:
        package = packages[one]
        name, version = package["name"], package["version"]
        component = {"type": "library", "bom-ref": f"pkg:cargo/{name}@{version}", "name": name, "version": version,
                     "purl": f"pkg:cargo/{name}@{version}", "licenses": [{"expression": package["license"].replace("/", " OR ")}]}
        if checksums.get((name, version)):
            component["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
        if one == root:
            subject = component
            continue
        components.append(component)
        files = texts(pathlib.Path(package["manifest_path"]).parent)
        chapters.append((name, version, package["license"], files))
    for name, command, licence, file in RUNTIMES:
        version = re.search(r"\d+\.\d+\.\d+", subprocess.check_output(command, text=True))[0]
        components.append({"type": "library", "bom-ref": f"{name}@{version}", "name": name, "version": version,
                           "licenses": [{"expression": licence}]})
        chapters.append((name, version, licence, [file]))

    purl = {one: f"pkg:cargo/{packages[one]['name']}@{packages[one]['version']}" for one in ordered}
    commit, time = os.environ["TPS_COMMIT"], int(os.environ["SOURCE_DATE_EPOCH"])
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, commit)}",
        "metadata": {"timestamp": datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                     "component": subject, "properties": [{"name": "commit", "value": commit}]},
        "components": components,
        "dependencies": [{"ref": purl[one], "dependsOn": sorted(purl[other] for other in edges[one])} for one in ordered],
    }
    (directory / "bill-of-materials.json").write_text(json.dumps(bill, indent=1) + "\n")

    with open(directory / "LICENSES-THIRD-PARTY.txt", "w", encoding="utf-8") as out:
        out.write("What libtps contains of others, and its licences. A text is printed once.\n")
        for name, version, licence, files in chapters:
            out.write(f"\n{'=' * 100}\n{name} {version}: {licence}\n")
            for file in files:
                text = file.read_text(errors="replace").strip()
                if text in known:
                    out.write(f"\n{file.name}: as printed for {known[text]}\n")
                else:
                    known[text] = f"{name}, {file.name}"
                    out.write(f"\n{file.name}:\n\n{text}\n")


main(pathlib.Path(sys.argv[1]))
