"""Writes docs/peers.md from the results of `python -m peers`.

    cd Benchmarks && python -m peers.page RESULTS PAGE

page.md beside this file is the text; {{names}} in it are the tables. Only what was measured is shown. A figure of a peer that
is ahead of BURN's is bold: in a detection by more than one point of TPR minus FPR; in a purification by more than one point of
ASR, with an ACC that is not more than one point lower.
"""
from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Callable
from statistics import median

from peers.methods import DETECTION, PURIFICATION, Method

Line = dict
OWN = "BURN"


def read(folder: pathlib.Path) -> list[Line]:
    return [json.loads(text) for path in sorted(folder.glob("*.jsonl")) for text in path.read_text().splitlines()]


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f}"


def label(line: Line) -> str:
    """DATA-NETWORK-ATTACK-n… of burn-bench is ATTACK, NETWORK; other cases have their folder's name."""
    parts = line["case"].split("-n")[0].split("-", 2)
    network = f", {parts[1]}" if len(parts) == 3 else ""
    if line["attack"] is None:
        seed = line["case"].rsplit("-s", 1)[-1]
        return f"clean{network}, seed {seed}" if network else line["case"]
    return f"{line['attack'] if network else line['case']} {100 * line['rate']:.0f} %{network}"


def table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "Nothing of this was measured so far."
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def by_case(lines: list[Line], kind: str, attacked: bool) -> dict[str, dict[str, Line]]:
    """Case to method to line, in the order of the attacks' first letters."""
    found: dict[str, dict[str, Line]] = {}
    for line in lines:
        if line["kind"] == kind and (line["attack"] is not None) == attacked:
            found.setdefault(label(line), {})[line["method"]] = line
    return dict(sorted(found.items(), key=lambda item: ("small_cnn" not in item[0], item[0])))


def matrix(lines: list[Line], methods: list[Method], attacked: bool, cell: Callable[[Line, Line | None], str]) -> str:
    """Cases down, methods across; what was measured nowhere has no column."""
    cases = by_case(lines, "detection", attacked)
    shown = [method.name for method in methods if any(method.name in row for row in cases.values())]
    return table(["case", *shown], [
        [name, *(cell(row[method], row.get(OWN)) if method in row else "" for method in shown)]
        for name, row in cases.items()])


def rates(line: Line, own: Line | None) -> str:
    if "not_applicable" in line:
        return "n/a"
    text = f"{percent(line['tpr'])} / {percent(line['fpr'])}"
    ahead = own is not None and line["tpr"] - line["fpr"] > own["tpr"] - own["fpr"] + 0.01
    return f"**{text}**" if ahead and line["method"] != OWN else text


def area(line: Line, own: Line | None) -> str:
    if "not_applicable" in line:
        return "n/a"
    ahead = own is not None and line["auroc"] > own["auroc"] + 0.01 and line["method"] != OWN
    return f"**{line['auroc']:.3f}**" if ahead else f"{line['auroc']:.3f}"


def alarms(line: Line, own: Line | None) -> str:
    if "not_applicable" in line:
        return "n/a"
    said = line["verdict"] or "no verdict"
    return f"{said}, {percent(line['fpr'])}"


def purifications(lines: list[Line]) -> str:
    rows = []
    for name, methods in by_case(lines, "purification", True).items():
        before = next(iter(methods.values()))["before"]
        rows.append([name, "before", *(percent(before[key]) for key in ("acc", "asr", "ra")), ""])
        for method in PURIFICATION:
            if method.name in methods and "after" in methods[method.name]:
                rows.append(["", *purified(methods[method.name], methods.get(OWN))])
    return table(["case", "method", "ACC", "ASR", "RA", "verdict"], rows)


def purified(line: Line, own: Line | None) -> list[str]:
    after = line["after"]
    ahead = own is not None and line["method"] != OWN and (
        after["asr"] < own["after"]["asr"] - 0.01 and after["acc"] > own["after"]["acc"] - 0.01
        or after["acc"] > own["after"]["acc"] + 0.01 and after["asr"] < own["after"]["asr"] + 0.01)
    texts = [line["method"], *(percent(after[key]) for key in ("acc", "asr", "ra"))]
    return [*(f"**{text}**" if ahead else text for text in texts), line["verdict"] or ""]


def costs(lines: list[Line], kind: str, methods: list[Method]) -> str:
    """Of the small network's cases: medians."""
    rows = []
    for method in methods:
        own = [line for line in lines if line["kind"] == kind and line["method"] == method.name and "seconds" in line
               and "small_cnn" in line["case"] and line["samples"] == 10_000]
        if own:
            passes = [line["passes"] / line["samples"] for line in own if line["passes"]]
            rows.append([method.name, method.source, method.needs, f"{median(line['seconds'] for line in own):.0f}",
                         f"{median(passes):.3g}" if passes else "not counted"])
    return table(["method", "source", "is told", "processor seconds", "passes a sample"], rows)


def missing(lines: list[Line], kind: str, methods: list[Method]) -> str:
    """What has no figure on this page."""
    seen = {line["method"] for line in lines if line["kind"] == kind}
    absent = [method.name for method in methods if method.name not in seen]
    return f"Written, and not measured so far: {'; '.join(absent)}." if absent else "All methods were measured."


def span(lines: list[Line], key: str) -> str:
    values = sorted({line[key] for line in lines})
    return values[0] if len(values) == 1 else ", ".join(values)


def page(lines: list[Line], text: str) -> str:
    fields = {
        "detection": matrix(lines, DETECTION, True, rates), "auroc": matrix(lines, DETECTION, True, area),
        "clean": matrix(lines, DETECTION, False, alarms), "purification": purifications(lines),
        "detection costs": costs(lines, "detection", DETECTION),
        "purification costs": costs(lines, "purification", PURIFICATION),
        "no detection": missing(lines, "detection", DETECTION),
        "no purification": missing(lines, "purification", PURIFICATION),
        "dates": span(lines, "date"), "commits": span(lines, "commit"), "torch": span(lines, "torch"),
        "threads": span([{"threads": str(line["threads"])} for line in lines], "threads"),
    }
    for name, value in fields.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m peers.page", description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path)
    arguments = parser.parse_args()
    lines = read(arguments.results)
    if not lines:
        parser.error(f"{arguments.results} holds no results (*.jsonl); python -m peers writes them")
    template = pathlib.Path(__file__).with_name("page.md").read_text()
    arguments.page.write_text(page(lines, template))


if __name__ == "__main__":
    main()
