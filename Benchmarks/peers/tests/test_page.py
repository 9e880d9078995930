"""The page shows what was measured, and says where a peer is ahead."""
import json

import pytest

from peers import page
from peers.__main__ import keep, measured
from peers.methods import DETECTION, PURIFICATION


def line(method, kind="detection", case="cifar10-small_cnn-sig-n10000-e16-s1", attack="sig", **values):
    return {"case": case, "attack": attack, "rate": 0.05, "samples": 10_000, "kind": kind, "method": method, "verdict": None,
            "seconds": 2.0, "passes": 30_000.0, **values}


def test_a_peer_that_is_ahead_is_bold():
    lines = [line("BURN", tpr=0.9, fpr=0.01, auroc=0.95), line("SCAn", tpr=0.95, fpr=0.02, auroc=0.99),
             line("STRIP", tpr=1.0, fpr=0.3, auroc=0.955)]
    assert page.matrix(lines, DETECTION, True, page.rates).splitlines()[2] == (
        "| sig 5 %, small_cnn | 90.0 / 1.0 | **95.0 / 2.0** | 100.0 / 30.0 |")
    assert page.matrix(lines, DETECTION, True, page.area).splitlines()[2] == (
        "| sig 5 %, small_cnn | 0.950 | **0.990** | 0.955 |")


def test_what_was_not_measured_is_empty():
    lines = [line("BURN", tpr=0.9, fpr=0.01, auroc=0.95), line("SCAn", tpr=0.5, fpr=0.0, auroc=0.9),
             line("BURN", tpr=1.0, fpr=0.0, auroc=1.0, case="cifar10-vgg6-badnets-n10000-e8-s1", attack="badnets"),
             line("IBD-PSC", case="mnist", attack="badnets", not_applicable="the network has no batch norm")]
    rows = page.matrix(lines, DETECTION, True, page.rates).splitlines()
    assert rows[0] == "| case | BURN | SCAn | IBD-PSC |"
    assert "| badnets 5 %, vgg6 | 100.0 / 0.0 |  |  |" in rows and "| mnist 5 % |  |  | n/a |" in rows
    assert page.matrix(lines, DETECTION, False, page.alarms) == "Nothing of this was measured so far."


@pytest.mark.parametrize("acc, asr, bold", [
    (0.75, 0.00, True), (0.745, 0.00, True), (0.73, 0.00, False), (0.77, 0.05, True), (0.77, 0.07, False), (0.75, 0.045, False)])
def test_a_purification_is_ahead_at_equal_accuracy(acc, asr, bold):
    own = line("BURN", "purification", before={"acc": 0.75, "asr": 1.0, "ra": 0.0}, after={"acc": 0.75, "asr": 0.05, "ra": 0.7})
    peer = {**own, "method": "NAD", "after": {"acc": acc, "asr": asr, "ra": 0.7}}
    rows = page.purifications([own, peer]).splitlines()
    assert rows[2].startswith("| sig 5 %, small_cnn | before | 75.0 | 100.0 |")
    assert ("**NAD**" in rows[4]) == bold
    assert "**" not in rows[3]


def test_costs_are_medians_of_one_network():
    lines = [line("SCAn", seconds=seconds, passes=passes) for seconds, passes in ((1, 10_000), (2, 20_000), (9, 90_000))]
    lines.append(line("SCAn", case="cifar10-vgg6-sig-n10000-e8-s1", seconds=100))
    assert "| 2 | 2 |" in page.costs(lines, "detection", DETECTION)


def test_what_was_measured_is_not_measured_again(tmp_path):
    path = tmp_path / "case.jsonl"
    assert not measured(path)
    path.write_text(json.dumps(line("SCAn")) + "\n" + json.dumps(line("NAD", "purification")) + "\n")
    assert measured(path).keys() == {("detection", "SCAn"), ("purification", "NAD")}


def test_what_is_measured_again_replaces_what_was(tmp_path):
    path = tmp_path / "case.jsonl"
    for method, flagged in [("BURN", 1), ("SCAn", 2), ("BURN", 3)]:
        keep(line(method, flagged=flagged), path)
    keep(line("BURN", "purification"), path)
    found = measured(path)
    assert len(path.read_text().splitlines()) == len(found) == 3
    assert found["detection", "BURN"]["flagged"] == 3 and found["detection", "SCAn"]["flagged"] == 2


def test_methods_are_named_once():
    for methods in (DETECTION, PURIFICATION):
        names = [method.name for method in methods]
        assert len(set(names)) == len(names) and names[0] == page.OWN
        assert all(method.source and method.needs for method in methods)


def test_methods_without_a_figure_are_named():
    lines = [line(method.name, tpr=1.0, fpr=0.0, auroc=1.0) for method in DETECTION[:-1]]
    assert page.missing(lines, "detection", DETECTION) == f"Written, and not measured so far: {DETECTION[-1].name}."
    assert page.missing([], "purification", PURIFICATION).count(";") == len(PURIFICATION) - 1
