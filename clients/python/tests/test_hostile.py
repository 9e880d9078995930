"""Model files that hold more than a model, through the service and out of it, into the programs that load them."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
from conftest import ROOT, Service
from hostile import CORPUS, Case, Plain
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from burn_client import Client, _modules, pack_dataset

REFUSED = [case for case in CORPUS if case.code is not None]
ACCEPTED = [case for case in CORPUS if case.code is None]


class Colours(torch.utils.data.Dataset):
    """Images of 8 x 8 pixels, each brighter in one colour: so few that nothing can be determined."""

    classes = ["blue", "green", "red"]

    def __len__(self) -> int:
        return 120

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        image = np.random.default_rng(index).integers(0, 90, (8, 8, 3), dtype=np.uint8)
        image[..., 2 - index % 3] += 120
        return image, index % 3


def trained(dataset: Colours) -> torch.nn.Module:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(256, 3))
    items = [dataset[index] for index in range(len(dataset))]
    images = torch.stack([torch.from_numpy(image).permute(2, 0, 1) / 255 for image, _ in items])
    labels = torch.tensor([label for _, label in items])
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(module(images), labels).backward()
        optimiser.step()
    return module.eval()


def graph(module: torch.nn.Module) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(value.numpy(), name) for name, value in module.state_dict().items()]
    nodes = [
        helper.make_node("Conv", ["x", "0.weight", "0.bias"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"]), helper.make_node("Flatten", ["relu"], ["flat"]),
        helper.make_node("Gemm", ["flat", "3.weight", "3.bias"], ["y"], transB=1)]
    body = helper.make_graph(
        nodes, "colours", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])], weights)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """One small network in every container."""
    folder = tmp_path_factory.mktemp("plain")
    torch.set_num_threads(1)
    module = trained(Colours())
    _modules.export(module, (3, 8, 8), folder / "model.pt2")
    checkpoint = io.BytesIO()
    torch.save(module.state_dict(), checkpoint)
    model = graph(module)
    onnx.save(model, folder / "alone.onnx")
    external_data_helper.convert_model_to_external_data(model, location="model.onnx.data", size_threshold=0)
    onnx.save(model, folder / "model.onnx")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("model.onnx", "model.onnx.data"):
            tar.add(folder / name, name)
    return Plain(
        exported=(folder / "model.pt2").read_bytes(), checkpoint=checkpoint.getvalue(),
        safetensors=safetensors.torch.save(module.state_dict()), onnx=(folder / "alone.onnx").read_bytes(),
        onnx_tar=packed.getvalue())


@pytest.fixture(scope="module")
def files(plain: Plain, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """Every case as a file, and the plain ones."""
    folder = tmp_path_factory.mktemp("files")
    for case in CORPUS:
        (folder / case.file).write_bytes(case.build(plain))
    return {**{case.name: folder / case.file for case in CORPUS}, **plain.write(folder)}


def loaded(jobs: list[dict[str, Any]], folder: pathlib.Path) -> dict[str, Any]:
    """What loading each of the files did, in processes that watch themselves."""
    process = subprocess.run(
        [sys.executable, str(pathlib.Path(__file__).parent / "hostile/watched_loading.py"), str(folder)],
        input=json.dumps(jobs), capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src"), "PYTHONWARNINGS": "ignore"})
    assert process.returncode == 0, process.stderr
    return dict(json.loads(process.stdout))


def test_the_payloads_run_where_nobody_looks(files: dict[str, pathlib.Path], tmp_path: pathlib.Path) -> None:
    """And the watch sees it, so that what it does not see in the service's files is not there."""
    live = [case for case in REFUSED if case.live]
    reports = loaded(
        [{"name": case.name, "path": str(files[case.name]), "how": case.live,
          "plain": str(files[case.container]) if case.live != "script" else None} for case in live], tmp_path)
    assert [name for name, report in reports.items() if not report["fired"]] == []
    assert [name for name, report in reports.items() if not report["events"]] == []
    assert len(live) >= 35


@dataclasses.dataclass
class Uploads:
    """What became of each case."""

    answers: dict[str, httpx.Response]
    http: httpx.Client
    client: Client

    def id(self, case: Case) -> str:
        return str(self.answers[case.name].json()["id"])


@pytest.fixture(scope="module")
def uploads(service: Service, files: dict[str, pathlib.Path]) -> Uploads:
    http = httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {service.key}"}, timeout=60)

    def upload(name: str, container: str, skeleton: str | None) -> httpx.Response:
        path = files[name]
        params = {"name": path.name}
        if container in ("checkpoint", "safetensors") and skeleton:
            params["skeleton"] = skeleton
        return http.post("/v1/models", params=params, content=path.read_bytes(), headers={"Prefer": "wait=60"})

    skeleton = upload("exported", "exported", None).json()["id"]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda case: upload(case.name, case.container, skeleton), CORPUS))
    return Uploads(
        {case.name: answer for case, answer in zip(CORPUS, answers)}, http,
        Client(service.url, service.key, progress=lambda label, fraction: None))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_would_run_is_refused_by_name(case: Case, uploads: Uploads) -> None:
    answer = uploads.answers[case.name]
    # Weights alone are compared with their graph once they are stored.
    problem = answer.json() if 400 <= answer.status_code < 500 else answer.json().get("problem")
    assert problem, answer.text
    assert problem["code"] == case.code, problem
    assert case.place in f"{problem.get('location')} {problem['detail']}", problem


@pytest.fixture(scope="module")
def given_back(uploads: Uploads, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """The accepted ones as jobs give them back: untreated, and purified since somebody says which samples are poisoned."""
    folder = tmp_path_factory.mktemp("given-back")
    client, http = uploads.client, uploads.http
    dataset = client.push_dataset(pack_dataset(Colours(), folder / "colours.tar").path).id
    paths = {}

    def save(prefix: str, case: Case, job: str, changed: bool) -> None:
        result = client.result(job)
        assert result.model_changed == changed, case.name
        paths[prefix + case.name] = result.save_model(folder / (prefix + case.file))

    def submit(case: Case, **others: str) -> str:
        body = {
            "type": "purify", "model": uploads.id(case), "dataset": dataset, "options": {"seed": 1, "rounds": 1}, **others}
        return str(http.post("/v1/jobs", json=body).raise_for_status().json()["id"])

    untreated = {case: submit(case) for case in ACCEPTED}
    treated = {}
    for case, job in untreated.items():
        save("untreated-", case, job, False)
        poisoned = [{"index": index, "decision": "accept"} for index in range(0, 36, 3)]
        http.put(f"/v1/jobs/{job}/reviews", json={"items": poisoned}).raise_for_status()
        treated[case] = submit(case, reviews_of=job)
    for case, job in treated.items():
        save("purified-", case, job, True)
    return paths


def test_what_is_given_back_does_nothing_but_load(
    given_back: dict[str, pathlib.Path], files: dict[str, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    jobs = [
        {"name": f"{how}-{path.stem}", "path": str(path), "how": how, "plain": str(files[case.container])}
        for case in ACCEPTED for path in (given_back["untreated-" + case.name], given_back["purified-" + case.name])
        for how in Plain.LOADERS[case.container]]
    reports = loaded(jobs, tmp_path)
    assert len(reports) == len(jobs)
    for name, report in reports.items():
        assert report == {"events": [], "error": None, "fired": False}, name


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_is_not_purified_comes_back_as_it_was(
    case: Case, given_back: dict[str, pathlib.Path], files: dict[str, pathlib.Path]
) -> None:
    assert given_back["untreated-" + case.name].read_bytes() == files[case.name].read_bytes()
    assert given_back["purified-" + case.name].read_bytes() != files[case.name].read_bytes()


def test_the_table_is_whole() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 40
    assert all(case.description for case in CORPUS)
    for container in Plain.SUFFIXES:
        assert [case for case in REFUSED if case.container == container]
        assert [case for case in ACCEPTED if case.container == container]
