#!/usr/bin/env python3
"""Holds the p-values of clean models against the uniform distribution, as written by `burn-bench calibration`.

    burn-bench calibration --output clean.jsonl CASE...
    Benchmarks/calibration.py clean.jsonl docs/images/p-values.svg

Prints a table for docs/method.md, and draws quantiles against quantiles, both axes logarithmic: what matters is the small end.
"""
import collections
import json
import math
import sys
from html import escape

INK, QUIET, LINE = "#1f2328", "#6e7781", "#d0d7de"
NAMES = {
    "perturbations": "bundles of perturbations", "patterns": "patterns of one class", "common": "a pattern of all",
    "noise": "noise", "tones": "tones", "features": "the penultimate layer",
}
COLOURS = ["#b3402e", "#2f6f9f", "#6a7b2e", "#7b4f9f", "#b07d1e", "#2e7b6f"]
SIZE, LEFT, TOP, LOWEST = 340, 64, 44, -4


def p_values(files):
    """By search; of patterns the bundle's p-value, the larger of two, and of the penultimate layer the gain's."""
    found, jobs = collections.defaultdict(list), []
    for file in files:
        for line in open(file):
            job = json.loads(line)
            jobs.append(job)
            for test in job["tests"]:
                if test["stage"] == "patterns":
                    found["patterns"].append(test["values"]["bundle_p"])
                elif test["stage"] == "features":
                    found["features"].append(test["values"]["gain_p"])
                elif test["stage"] in NAMES:
                    found[test["stage"]].append(test["pValue"])
    return found, jobs


def distance(values):
    """Kolmogorov and Smirnov's, and its 95 % point for so many independent values."""
    ordered, count = sorted(values), len(values)
    largest = max(max(abs(p - i / count), abs(p - (i + 1) / count)) for i, p in enumerate(ordered))
    return largest, 1.358 / math.sqrt(count)


def table(found):
    print("| search | tests | Kolmogorov-Smirnov distance (95 % point) | below 0.05 | below 0.01 | below 0.001 | smallest |")
    print("|---|---|---|---|---|---|---|")
    for name, words in NAMES.items():
        values = found.get(name)
        if not values:
            continue
        largest, limit = distance(values)
        shares = " | ".join(f"{100 * sum(p < level for p in values) / len(values):.1f} %" for level in (0.05, 0.01, 0.001))
        print(f"| {words} | {len(values)} | {largest:.2f} ({limit:.2f}) | {shares} | {min(values):.2g} |")


def figure(found):
    def x(p):
        return LEFT + SIZE * (1 - math.log10(max(p, 10 ** LOWEST)) / LOWEST)

    def y(p):
        return TOP + SIZE * math.log10(max(p, 10 ** LOWEST)) / LOWEST

    def text(left, top, words, anchor="start", colour=INK, size=12):
        return (f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">'
                f"{escape(words)}</text>")

    parts = [text(LEFT, 20, "P-values where nothing is hidden", size=14)]
    for exponent in range(LOWEST, 1):
        p, words = 10.0 ** exponent, "1" if exponent == 0 else f"{10.0 ** exponent:g}"
        parts.append(f'<path d="M{x(p):.1f} {TOP}V{TOP + SIZE}M{LEFT} {y(p):.1f}H{LEFT + SIZE}" stroke="{LINE}"/>')
        parts.append(text(x(p), TOP + SIZE + 18, words, "middle", QUIET))
        parts.append(text(LEFT - 8, y(p) + 4, words, "end", QUIET))
    parts.append(f'<path d="M{x(10 ** LOWEST):.1f} {y(10 ** LOWEST):.1f}L{x(1):.1f} {y(1):.1f}" stroke="{INK}"/>')
    parts.append(text(LEFT + SIZE / 2, TOP + SIZE + 38, "expected, of uniform p-values", "middle", QUIET))
    parts.append(text(LEFT + SIZE + 16, TOP + 12, "above the line: larger than they should be", colour=QUIET))
    parts.append(text(LEFT + SIZE + 16, TOP + 28, "below it: smaller", colour=QUIET))
    for place, (name, words) in enumerate((n, w) for n, w in NAMES.items() if found.get(n)):
        values, colour = sorted(found[name]), COLOURS[place]
        points = [(x((i + 0.5) / len(values)), y(p)) for i, p in enumerate(values)]
        parts.append('<path d="M' + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
                     + f'" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        top = TOP + 60 + 18 * place
        parts.append(f'<path d="M{LEFT + SIZE + 16} {top - 4}h22" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(text(LEFT + SIZE + 46, top, f"{words} ({len(values)} tests)"))
    width, height = LEFT + SIZE + 330, TOP + SIZE + 52
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="system-ui, sans-serif"><rect width="{width}" height="{height}" fill="#ffffff"/>'
            + "".join(parts) + "</svg>\n")


def main():
    *files, target = sys.argv[1:]
    found, jobs = p_values(files)
    results = collections.Counter(job["result"] for job in jobs)
    flagged, samples = sum(job["flagged"] for job in jobs), sum(job["samples"] for job in jobs)
    print(f"{len(jobs)} jobs: " + ", ".join(f"{count} {result}" for result, count in results.most_common())
          + f"; {flagged} of {samples} samples flagged\n")
    table(found)
    with open(target, "w") as file:
        file.write(figure(found))


if __name__ == "__main__":
    main()
