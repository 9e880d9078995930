#!/usr/bin/env python3
"""Draws what BURN's paper observes of poisoned samples, as measured by `burn-bench observations`.

    burn-bench observations --output observations.json CASE...
    Benchmarks/observations.py observations.json docs/images

Writes boundary-distance.svg, adversarial-labels.svg and features-under-perturbation.svg.
"""
import argparse
import json
import math
import pathlib
import statistics
from html import escape

WIDTH, LEFT, ROW, BAR = 720, 150, 22, 13
INK, QUIET = "#1f2328", "#6e7781"
COLOURS = {"poisoned": "#b3402e", "clean": "#7d8590", "target": "#2f6f9f"}
WORDS = {"poisoned": "poisoned", "clean": "clean, all classes", "target": "clean, target class"}
KINDS = ["clean", "target", "poisoned"]


def quantile(values, share):
    values = sorted(values)
    place = share * (len(values) - 1)
    low = int(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def attack(name):
    """Of a benchmark's folder, DATA-NETWORK-ATTACK-n…"""
    return name.split("-n")[0].split("-", 2)[2]


class Figure:
    def __init__(self, title, axis, low, high, ticks):
        self.title, self.axis, self.low, self.high, self.ticks = title, axis, low, high, ticks
        self.parts, self.y = [], 58

    def x(self, value):
        return LEFT + (WIDTH - LEFT - 24) * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)

    def text(self, x, y, text, anchor="start", colour=INK, weight="normal", size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
                          f'font-weight="{weight}">{escape(text)}</text>')

    def rect(self, left, right, y, height, colour, opacity=1.0):
        self.parts.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(right - left, 0.8):.1f}" height="{height}" '
                          f'fill="{colour}" fill-opacity="{opacity}"/>')

    def box(self, values, colour, hollow=False):
        """5, 25, 50, 75 and 95 %."""
        ends = [self.x(quantile(values, share)) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
        middle = self.y + BAR / 2
        self.parts.append(f'<path d="M{ends[0]:.1f} {middle}H{ends[4]:.1f}" stroke="{colour}"/>')
        self.rect(ends[1], ends[3], self.y, BAR, colour if not hollow else "#ffffff", 0.75 if not hollow else 1)
        if hollow:
            self.parts.append(f'<rect x="{ends[1]:.1f}" y="{self.y}" width="{ends[3] - ends[1]:.1f}" height="{BAR}" '
                              f'fill="none" stroke="{colour}"/>')
        self.parts.append(f'<path d="M{ends[2]:.1f} {self.y}v{BAR}" stroke="{INK}" stroke-width="2"/>')

    def row(self, label):
        self.text(LEFT - 8, self.y + BAR - 2, label, "end", QUIET)

    def next(self, space=0):
        self.y += ROW - 4 + space

    def svg(self, legend):
        bottom = self.y + 4
        grid = []
        for tick in self.ticks:
            x = self.x(tick)
            grid.append(f'<path d="M{x:.1f} 50V{bottom}" stroke="#d0d7de" stroke-width="0.7"/>')
            self.text(x, bottom + 15, f"{tick:g}", "middle", QUIET)
        self.text(WIDTH - 24, bottom + 32, self.axis, "end", QUIET)
        self.text(12, 22, self.title, weight="bold", size=14)
        x = 12
        for colour, words in legend:
            self.rect(x, x + 11, 31, 11, colour)
            self.text(x + 16, 41, words, colour=QUIET)
            x += 34 + 6.4 * len(words)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 42}" role="img" '
                f'aria-label="{escape(self.title)}" font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>'
                + "".join(grid + self.parts) + "</svg>\n")


LEGEND = [(COLOURS[kind], WORDS[kind]) for kind in KINDS]


def distances(cases):
    """Each case in units of the median of its clean samples."""
    figure = Figure("Boundary distances", "distance over the median of the model's clean samples (5, 25, 50, 75, 95 %)",
                    0, 9, range(10))
    for case in cases:
        unit = statistics.median(case["groups"]["clean"]["distances"])
        figure.row(attack(case["name"]))
        for kind in KINDS:
            if kind in case["groups"]:
                figure.box([value / unit for value in case["groups"][kind]["distances"]], COLOURS[kind])
                figure.next()
        figure.next(-8)
    return figure.svg(LEGEND)


def entropy(group):
    total = 0
    for label in set(group["labels"]):
        counts = {}
        for other, own in zip(group["adversarial"], group["labels"]):
            if own == label:
                counts[other] = counts.get(other, 0) + 1
        own = sum(counts.values())
        for count in counts.values():
            total += count / len(group["labels"]) * math.log2(own / count)
    return total


def labels(cases):
    figure = Figure("Adversarial labels of samples of one true class", "entropy in bits; in brackets the share that is the true class",
                    0, 3.2, [0, 1, 2, 3])
    for case in cases:
        figure.row(attack(case["name"]))
        for kind in ("clean", "poisoned"):
            group = case["groups"].get(kind)
            if group:
                bits = entropy(group)
                share = sum(a == b for a, b in zip(group["adversarial"], group["labels"])) / len(group["labels"])
                figure.rect(figure.x(0), figure.x(bits), figure.y, BAR, COLOURS[kind], 0.75)
                figure.text(figure.x(bits) + 5, figure.y + BAR - 2, f"{bits:.2f} ({100 * share:.0f} %)", colour=QUIET)
                figure.next()
        figure.next(-8)
    return figure.svg([LEGEND[0], LEGEND[2]])


def features(cases):
    figure = Figure("Features and the mean of clean samples of the true class",
                    "cosine, centred: hollow as they are, filled under the perturbation (5, 25, 50, 75, 95 %)", -0.5, 1,
                    [-0.5, 0, 0.5, 1])
    for case in cases:
        figure.row(attack(case["name"]))
        for kind in ("clean", "poisoned"):
            group = case["groups"].get(kind)
            if group and group["before"]:
                figure.box(group["before"], COLOURS[kind], hollow=True)
                figure.next()
                figure.box(group["after"], COLOURS[kind])
                figure.next()
        figure.next(-8)
    return figure.svg([LEGEND[0], LEGEND[2]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("observed", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    cases = json.loads(arguments.observed.read_text())
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("boundary-distance", distances), ("adversarial-labels", labels),
                       ("features-under-perturbation", features)):
        (arguments.folder / f"{name}.svg").write_text(draw(cases))


if __name__ == "__main__":
    main()
