"""The steps of docs/ci.md, run as they stand there, with the built programs on the PATH."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

import drawn
import pytest
import yaml
from conftest import ROOT, Case, Service

from burn_client import pack_dataset

TEXT = (ROOT / "docs/ci.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def github_steps() -> list[dict[str, Any]]:
    return yaml.safe_load(blocks("yaml")[0])["jobs"]["scan"]["steps"]


def run(script: str, folder: pathlib.Path, service: Service, **more: str) -> subprocess.CompletedProcess[str]:
    """As the runners do: bash that ends at the first failure."""
    environment = {
        **os.environ, "PATH": f"{service.programs}:{os.environ['PATH']}", "BURN_URL": service.url,
        "BURN_KEY": service.key, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **more}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)


@pytest.fixture
def backdoored(case: Case, tmp_path: pathlib.Path) -> pathlib.Path:
    """A work folder with the model and a set whose folders are the outputs in order."""
    shutil.copy(case.model, tmp_path / "model.pt2")
    pack_dataset((case.train[index] for index in range(len(case.train))), tmp_path / "train.tar")
    return tmp_path


def test_github_stops_at_a_backdoor(backdoored: pathlib.Path, service: Service):
    check, scan, summary = (step["run"] for step in github_steps() if "run" in step)
    assert run(check, backdoored, service).returncode == 0
    found = run(scan, backdoored, service)
    assert found.returncode == 3 and "::error title=Backdoor" in found.stdout, found.stdout + found.stderr
    result = json.loads((backdoored / "result.json").read_text())
    assert result["verdict"]["target_classes"] == [3]
    assert result["output"]["reports"] == ["report.html", "report.json"]
    report = json.loads((backdoored / "report.json").read_text())
    assert report["schema"] == "burn-report/1" and report["verdict"] == result["verdict"]
    assert report["words"]["headline"].split("“")[0] in (backdoored / "report.html").read_text()
    digest = subprocess.run(
        ["sha256sum", "model.pt2", "train.tar"], cwd=backdoored, capture_output=True, text=True, check=True).stdout
    for name in ("model", "dataset"):
        assert report["inputs"][name]["sha256"] in digest
    target = backdoored / "summary.md"
    assert run(summary, backdoored, service, GITHUB_STEP_SUMMARY=str(target)).returncode == 0
    assert "carries a backdoor into class 3" in target.read_text()
    # The command that the report gives finds the same.
    command = report["rerun"]["command"].replace("MODEL", "model.pt2").replace("DATASET", "train.tar")
    again = run(f"{command} --json > again.json || code=$?; exit $code", backdoored, service)
    assert again.returncode == 3
    assert json.loads((backdoored / "again.json").read_text())["verdict"] == result["verdict"]


def test_github_lets_a_clean_model_pass(purified: Any, tmp_path: pathlib.Path, service: Service):
    result, _ = purified
    result.save_model(tmp_path / "model.pt2")
    clean = drawn.Shapes(900, seed=9)
    pack_dataset((clean[index] for index in range(len(clean))), tmp_path / "train.tar")
    _, scan, _ = (step["run"] for step in github_steps() if "run" in step)
    passed = run(scan, tmp_path, service)
    assert passed.returncode == 0 and "No backdoor was found." in passed.stdout, passed.stdout + passed.stderr


def test_github_tells_a_failure_from_a_finding(backdoored: pathlib.Path, service: Service):
    check, scan, _ = (step["run"] for step in github_steps() if "run" in step)
    (backdoored / "model.pt2").write_text("no model")
    assert run(check, backdoored, service).returncode == 2
    failed = run(scan, backdoored, service)
    assert failed.returncode == 1 and "::error title=Scan failed" in failed.stdout
    error = json.loads((backdoored / "result.json").read_text())["error"]
    assert error["code"] and error["fix"]
    assert not (backdoored / "report.json").exists()


def test_gitlab_with_a_service_elsewhere(backdoored: pathlib.Path, service: Service):
    job = yaml.safe_load(blocks("yaml")[1])["backdoors"]
    # GitLab runs all lines of a script in one shell.
    found = run("\n".join(job["script"]), backdoored, service)
    assert found.returncode == 3, found.stdout + found.stderr
    for name in job["artifacts"]["paths"]:
        assert (backdoored / name).stat().st_size > 0
    assert json.loads((backdoored / "job.json").read_text())["verdict"]["result"] == "backdoored"
    assert job["allow_failure"]["exit_codes"] == [4]
    unreachable = run("\n".join(job["script"]), backdoored, service, BURN_URL="http://127.0.0.1:1")
    assert unreachable.returncode == 1


def test_purification_takes_the_code_apart(backdoored: pathlib.Path, service: Service):
    (script,) = blocks("sh")
    # Without refinement, which this test is not about.
    done = run(script.replace("--json", "--json --rounds 0"), backdoored, service)
    assert done.returncode == 0 and "can be used" in done.stdout, done.stdout + done.stderr
    assert (backdoored / "purified.pt2").read_bytes()[:2] == b"PK"
    assert (backdoored / "labels.csv").read_text().startswith("index,name,")
