"""report.py LINES JSON SVG: what run.sh measured, as a table on standard output, as JSON and as a picture."""

import json
import math
import platform
import statistics
import subprocess
import sys
from html import escape

# The row, what it stands for, how much of the other's value ours may be, and whether the goal is a ratio of more.
GOALS = [
    ("token", "tps_token + tps_free, C", "malloc + memcpy + free", 2.5),
    ("expiry: token", "the same, a known expiry", "malloc + memcpy + free", 4),
    ("generation", "tps_generation, C", "a function that reads an atomic", 2),
    ("expiry: generation", "the same, a known expiry", "a function that reads an atomic", 15),
    ("two threads", "tokens of two threads on two cores, C", "one thread's", 1.1),
    ("four threads", "tokens of four threads on two cores, C", "one thread's", 1.1),
    ("renewal", "tps_token beside a renewal, 99.9th percentile", "the same without one", 1.5),
    ("PHP token", "$client->token(), PHP", "apcu_fetch", 0.8),
    ("expiry: PHP token", "the same, a known expiry", "apcu_fetch", 1.2),
    ("Ruby token", "client.token, Ruby", "MemoryStore#fetch", 1 / 45),
    ("expiry: Ruby token", "the same, a known expiry", "MemoryStore#fetch", 1 / 25),
    ("Ruby token by hand", "client.token, Ruby", "Mutex + Hash + clock", 0.5),
    ("expiry: Ruby token by hand", "the same, a known expiry", "Mutex + Hash + clock", 0.9),
    ("Python token", "client.token, Python", "lru_cache + Lock", 1),
    ("expiry: Python token", "the same, a known expiry", "lru_cache + Lock", 1),
    ("Python token, TTLCache", "client.token, Python", "cachetools.TTLCache + Lock", 1),
    ("Python token, Redis", "client.token, Python", "Redis GET, by its socket", 1 / 100),
    ("PHP request", "a request, PSR-18 decorator over Guzzle", "Guzzle alone", 1.05),
    ("Ruby request", "client.request, Ruby", "Net::HTTP alone", 1.05),
    ("Ruby request, ca_file", "client.request over TLS, ca_file, Ruby", "Net::HTTP alone", 1.2),
    ("a new process", "a new process, warm file store, C", "a login over TLS, Django's default hasher", 1 / 20),
    ("PHP login", "a first login over TLS, PHP", "PHP's curl", 1),
    ("Ruby login", "a first login over TLS, Ruby", "Net::HTTP", 1),
    ("10,000 pages", "logins for 10,000 page views, 8 FPM workers", "the documentation's sample", 1 / 10_000),
    ("10,000 organizations", "a token, 10,000 organizations in a process", "1 organization", 1.2),
    ("10,000 places", "the same of a bare copy: malloc, memcpy, free, a count", "1 place", None),
    ("memory of an organization", "memory of an organization", "1 KiB", 1),
    ("loading in PHP", "a PHP script that loads the library, opcache", "an empty script, and 1 ms", 1),
    ("size", "size of libtps.so, stripped", "3.5 MiB", 1),
]


def shown(value, unit):
    if unit == "byte" and value >= 100_000:
        return f"{value / 1024 / 1024:.2f} MiB"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def spread(samples):
    """Half of the distance between the quarters, in per cent of the median."""
    if len(samples) < 4:
        return None
    quarters = statistics.quantiles(samples, n=4)
    return (quarters[2] - quarters[0]) / 2 / quarters[1] * 100


def goal_text(goal):
    if goal is None:
        return ""
    return f"≤ {goal:.2f}" if goal >= 0.1 else f"≤ 1/{1 / goal:,.0f}"


def rows(lines):
    measured = {line["row"]: line for line in map(json.loads, lines)}
    for name, what, against, goal in GOALS:
        line = measured[name]
        ours, other = statistics.median(line["ours"]), statistics.median(line["other"])
        if name == "loading in PHP":
            other += 1
        yield {
            "what": what,
            "against": against,
            "ours": ours,
            "other": other,
            "unit": line["unit"],
            "spread_percent": [spread(line["ours"]), spread(line["other"])],
            "ratio": ours / other,
            "goal": goal,
            "met": goal is None or ours / other <= goal,
            "samples": {"ours": line["ours"], "other": line["other"]},
        }


def table(results):
    print("| what | ours | beside | that | ratio | goal |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in results:
        percents = [f" ± {percent:.0f} %" if percent is not None else "" for percent in row["spread_percent"]]
        ratio = row["ratio"]
        ratio = f"{ratio:.2f}" if ratio >= 0.1 else f"1/{1 / ratio:,.0f}"
        goal = goal_text(row["goal"]) + ("" if row["met"] else ", missed")
        print(
            f"| {row['what']} | {shown(row['ours'], row['unit'])}{percents[0]} | {row['against']} "
            f"| {shown(row['other'], row['unit'])}{percents[1]} | {ratio} | {goal} |"
        )


def picture(results):
    """Bars of the ratios, by their logarithms: to the left is less than what it is compared with."""
    height, top, left, width = 24, 40, 620, 420
    least, most = -4.2, 2.2

    def x(ratio):
        return left + (max(least, min(most, math.log10(ratio))) - least) / (most - least) * width

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 90}" height="{top + height * len(results) + 20}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="10" y="20" font-weight="bold">libtps beside what one would use instead: shorter is better</text>',
    ]
    for power in range(-4, 3):
        label = f"{10 ** power:g} ×" if power >= 0 else f"1/{10 ** -power:,}"
        stroke = "#444" if power == 0 else "#ddd"
        bottom = top + height * len(results)
        parts.append(f'<line x1="{x(10**power):.1f}" y1="{top - 6}" x2="{x(10**power):.1f}" y2="{bottom}" stroke="{stroke}"/>')
        parts.append(f'<text x="{x(10**power):.1f}" y="{top - 9}" text-anchor="middle" fill="#666" font-size="10">{label}</text>')
    for index, row in enumerate(results):
        y = top + index * height
        color = "#2a7f4f" if row["met"] else "#b5482e"
        if row["goal"] is None:
            color = "#7a8794"
        label = f"{row['what']}, beside {row['against']}"
        ratio = f"{row['ratio']:.2f}" if row["ratio"] >= 0.1 else f"1/{1 / row['ratio']:,.0f}"
        parts.append(f'<text x="{left - 10}" y="{y + 15}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{left}" y="{y + 4}" width="{x(row["ratio"]) - left:.1f}" height="{height - 8}" fill="{color}"/>')
        behind = max(x(row["ratio"]), x(row["goal"] or 0.00001))
        parts.append(f'<text x="{behind + 5:.1f}" y="{y + 16}" font-size="11">{ratio}</text>')
        if row["goal"] is not None:
            goal = x(row["goal"])
            parts.append(
                f'<line x1="{goal:.1f}" y1="{y + 1}" x2="{goal:.1f}" y2="{y + height - 1}" stroke="black" stroke-width="2"/>'
            )
    parts.append("</svg>\n")
    return "\n".join(parts)


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    with open("/proc/cpuinfo") as info:
        cores = sum(line.startswith("processor") for line in info)
    versions = {
        "python": ["python3", "-c", "import platform; print(platform.python_version())"],
        "php": ["php", "-r", "echo PHP_VERSION;"],
        "ruby": ["ruby", "-e", "print RUBY_VERSION"],
        "rustc": ["rustc", "--version"],
    }
    said = {name: subprocess.run(command, capture_output=True, text=True).stdout.strip() for name, command in versions.items()}
    return {"processor": model, "cores": cores, **said}


lines_file, json_file, svg_file = sys.argv[1:]
with open(lines_file) as lines:
    results = list(rows(lines))
with open(json_file, "w") as out:
    json.dump({"machine": machine(), "rows": results}, out, indent=1, ensure_ascii=False)
    out.write("\n")
with open(svg_file, "w") as out:
    out.write(picture(results))
table(results)
