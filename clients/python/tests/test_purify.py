"""The main job: a backdoored nn.Module in, a purified one out, against a real service."""

import json
import pathlib
import re

import drawn
import jsonschema
import pandas
import pytest
import torch
from conftest import ROOT, Case, Service

from burn_client import BurnError, Client, JobFailed, ServiceError


def test_the_backdoor_is_found_where_it_was_planted(purified, case: Case):
    result, _ = purified
    assert result.verdict.result == "backdoored"
    assert result.verdict.target_classes == (case.train.target,)
    assert result.verdict.kind == "all-to-one"
    evidence = {item.label: item for item in result.verdict.classes}
    assert evidence[case.train.target].name == "cross"
    assert evidence[case.train.target].trigger_effect > 0.8 > evidence[case.train.target].random_effect


def test_samples_are_a_table_with_the_poisoned_ones_flagged(purified, case: Case):
    result, _ = purified
    table = result.samples()
    assert isinstance(table, pandas.DataFrame) and len(table) == len(case.train)
    number = table["name"].map(lambda name: int(pathlib.PurePath(name).stem))
    flagged = set(number[table["flagged"]])
    assert len(flagged & case.train.poisoned) >= 0.9 * len(case.train.poisoned)
    assert len(flagged - case.train.poisoned) <= 0.02 * len(case.train)
    assert len(result.samples(flagged=True)) == len(flagged)
    labels = result.labels()
    restored = [labels[name] == case.train.true_label(index) for name, index in zip(table["name"], number)
                if index in flagged & case.train.poisoned]
    assert sum(restored) >= 0.7 * len(restored)


def test_the_module_comes_back_without_the_backdoor(purified, case: Case):
    result, _ = purified
    assert drawn.attack_success(case.module, case.triggered) > 0.9
    loaded = result.load()
    assert drawn.attack_success(loaded, case.triggered) < 0.05
    assert drawn.accuracy(loaded, case.clean) > drawn.accuracy(case.module, case.clean) - 0.03
    # The same weights in a network of one's own.
    module = drawn.network()
    module.load_state_dict(result.state_dict())
    images, _ = drawn.tensors(case.clean)
    assert torch.allclose(module.eval()(images[:32]), loaded(images[:32]), atol=1e-4)
    assert result.model_changed
    # The service measured the same.
    assert result.metrics["after"]["asr"] == pytest.approx(drawn.attack_success(loaded, case.triggered), abs=0.005)
    assert result.metrics["before"]["acc"] == pytest.approx(drawn.accuracy(case.module, case.clean), abs=0.005)


def test_the_module_that_was_passed_is_left_as_it_is(case: Case):
    module = drawn.network().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    from burn_client._modules import export

    export(module, (3, drawn.SIDE, drawn.SIDE), case.model.with_name("other.pt2"))
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_progress_names_every_step(purified):
    _, steps = purified
    names = {label for label, _ in steps}
    assert {"packing train", "exporting the model", "sending train.tar", "boundary analysis"} <= names
    assert all(0 <= fraction <= 1 for _, fraction in steps)


def test_files_are_checked_and_whole(purified, tmp_path: pathlib.Path):
    result, _ = purified
    model = result.save_model(tmp_path / "out.pt2")
    assert model.read_bytes()[:2] == b"PK"
    labels = result.save_labels(tmp_path / "labels.csv").read_text().splitlines()
    assert labels[0] == "index,name,given_label,restored_label,flagged,label_confidence" and len(labels) == 1501
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.csv", "out.pt2"]


def test_the_report_fits_its_schema_and_the_job(purified, case: Case, tmp_path: pathlib.Path):
    result, _ = purified
    schema = json.loads((ROOT / "docs/burn-report-1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    report = result.report()
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["verdict"] == result.verdict.raw
    assert report["options"]["seed"] == 5
    assert report["verdict"]["engine"]["libtorch"].startswith(torch.__version__.split("+")[0])
    assert report["samples"]["analysed"] == len(case.train)
    histograms = report["evidence"]["distance_histograms"]
    counted = sum(sum(item["flagged"]) + sum(item["unflagged"]) for item in histograms["classes"])
    # Distances are looked for in the class under suspicion, and in 1,000 of the other samples.
    samples = result.samples()
    rows = samples if isinstance(samples, list) else samples.to_dict("records")
    analysed = [row for row in rows if row["boundary_distance"] is not None and row["boundary_distance"] > 0]
    assert counted == len(analysed) and 500 <= counted <= len(case.train)
    assert {row["index"] for row in rows if row["flagged"]} <= {row["index"] for row in analysed}
    page = result.save_report(tmp_path / "report.html").read_text()
    assert result.save_report(tmp_path / "report.json").read_bytes() == (tmp_path / "report.json").read_bytes()
    assert json.loads((tmp_path / "report.json").read_text()) == report
    # Both forms say the same.
    assert report["words"]["headline"] in page.replace("&quot;", '"')
    for digest in (report["inputs"]["model"]["sha256"], report["purification"]["model_sha256"]):
        assert digest in page
    assert f"{report['metrics']['before']['asr']:.2%}".replace("%", " %") in page
    with pytest.raises(BurnError, match="neither .html nor .json"):
        result.save_report(tmp_path / "report.pdf")


def test_the_report_is_served_with_its_own_policy(purified, service: Service):
    result, _ = purified
    with Client(service.url, service.key, progress=False) as client:
        path = f"/v1/jobs/{result.job.id}/report"
        answer = client._transport.http.get(path, headers={"Accept": "text/html"})
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'none'" in policy
        assert answer.text == client._transport.http.get(path, params={"format": "html"}).text
        assert "<script" not in answer.text
        assert client._transport.http.get(path).headers["Content-Type"] == "application/json"
        with pytest.raises(ServiceError, match="format is json or html"):
            client._transport.get(path, {"format": "pdf"})


def test_the_same_job_twice_differs_in_times_memory_and_ids_alone(purified, service: Service):
    """The report of a second run of the job; a scan of it would not show the purification."""
    result, _ = purified
    with Client(service.url, service.key, progress=False) as client:
        first = result.job.raw
        again = client._transport.post("/v1/jobs", {
            "type": "purify", "model": first["model"], "dataset": first["dataset"],
            "evaluation": first["evaluation"], "options": first["options"]})
        second = client.result(again["id"])

        def timeless(report):
            report = dict(report, job={"type": report["job"]["type"]})
            report["phases"] = [dict(phase, seconds=0) for phase in report["phases"]]
            report["costs"] = [dict(cost, seconds=0, peak_memory=0) for cost in report["costs"]]
            return report

        assert result.report() != second.report()
        assert timeless(result.report()) == timeless(second.report())
        pages = [
            re.sub(r'<time>[^<]*</time>|<(code|data) class="(id|memory)">[^<]*</', "", item._transport.http.get(
                f"/v1/jobs/{item.job.id}/report", params={"format": "html"}).text)
            for item in (result, second)]
        assert pages[0] == pages[1]


def test_a_job_can_be_cancelled_and_then_has_no_result(service: Service, case: Case):
    with Client(service.url, service.key, progress=False) as client:
        job = client.submit("purify", case.model, case.packed.path, classes=case.packed.classes)
        client.cancel(job)
        with pytest.raises(JobFailed, match="cancelled"):
            client.result(job)
        assert client.job(job.id).state == "cancelled"
        assert job.id in {item.id for item in client.jobs(state="cancelled")}
        with pytest.raises(ServiceError) as refusal:
            client._transport.get(f"/v1/jobs/{job.id}/report")
        assert refusal.value.code == "result-not-ready"
