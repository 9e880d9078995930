"""The service's client."""

from __future__ import annotations

import pathlib
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from . import _modules, _packing
from ._errors import BurnError, JobFailed, PackingError
from ._events import follow
from ._progress import ProgressLine, silent
from ._resources import Event, Input, Job
from ._result import Result
from ._transport import Transport, check_address, credentials
from ._upload import Progress, push

#: A model: an id, a path, or an nn.Module.
ModelLike = Any
#: A data set: an id, a path of a folder or archive, or a data set object.
DatasetLike = Any


class Client:
    """A BURN service.

    The address and the key are the arguments, else BURN_URL and BURN_KEY, else those of `burnd client login`.
    Connections that break are made again, uploads go on where they stopped. A context manager; not for several
    threads at once.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, timeout: float = 90, tries: int = 8,
        progress: bool | Callable[[str, float], None] = True, allow_plain_http: bool = False,
    ) -> None:
        """
        timeout:  seconds without a byte before a connection counts as broken.
        tries:    how often what failed on the way is tried again, without progress in between.
        progress: whether progress is shown on standard error; or what is called with a step's name and how far it is.
        """
        url, key = credentials(url, key)
        check_address(url, key, allow_plain_http)
        self._transport = Transport(url, key, timeout, tries)
        self._line = ProgressLine() if progress is True else None
        self._progress: Progress = self._line or (silent if progress is False else progress)  # type: ignore[assignment]
        self._unfinished: dict[str, str] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    @property
    def url(self) -> str:
        return self._transport.url

    def version(self) -> dict[str, str]:
        return dict(self._transport.get("/v1/version"))

    # The main jobs

    def purify(self, model: ModelLike, dataset: DatasetLike, **settings: Any) -> Result:
        """Finds a backdoor and removes it. Waits for the end; see `submit` for the settings.

        Raises JobFailed, InputRejected, PackingError, ServiceError, Unreachable.
        """
        return self.result(self.submit("purify", model, dataset, **settings))

    def scan(self, model: ModelLike, dataset: DatasetLike, **settings: Any) -> Result:
        """Says whether the model carries a backdoor. Waits for the end; see `submit` for the settings."""
        return self.result(self.submit("scan", model, dataset, **settings))

    def submit(
        self, type: str, model: ModelLike, dataset: DatasetLike, *, clean: DatasetLike = None,
        triggered: DatasetLike = None, target_class: int | None = None, trusted: DatasetLike = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None, preset: str | None = None, seed: int | None = None,
        rounds: int | None = None, force: bool | None = None, threads: int | None = None, slots: int | None = None,
        method: str | None = None,
        classes: Sequence[str] | Mapping[str, int] | None = None, input_shape: Sequence[int] | None = None,
        accept_disagreement: bool | None = None, options: Mapping[str, Any] | None = None, priority: int | None = None,
        reading: Mapping[str, str] | None = None, webhook: str | None = None,
    ) -> Job:
        """Starts a job and returns at once when the inputs are there.

        model:      an id, the path of a file, or an nn.Module, which is exported for batches of any size.
        dataset:    an id, the path of an archive or of a folder of class folders, or a data set object: torchvision's,
                    PyTorch's, or `datasets`' (see `pack_dataset`). The images as they are, without Normalize.
        clean, triggered: test images with their true labels, without and with the trigger, to measure ACC, ASR, RA on.
        trusted:    a small set of images and labels that you trust: a purified model is measured on half of it and
                    learns from the other half.
        mean, std:  the normalisation that the model was trained with, per channel; or a preset: imagenet, cifar10, …
        classes:    names of a data set object's classes in order of their labels; or, for folders and archives, a
                    mapping of class folders to the model's outputs.
        slots:      the most slots of the service that the job uses; by default what the service is set to.
        method:     full, or published: BURN as its abstract describes it and nothing else, to compare with.
        accept_disagreement: go on although the model's predictions do not agree with the given labels.
        input_shape: channels, height, width, for exporting a module; known where the data set is packed here.
        options:    further options of POST /v1/jobs.
        reading:    import options for a data set that is a path, such as {"layout": "manifest", "split": "test"}: those of
                    POST /v1/datasets. How a set was read stands in the `reading` of what `push_dataset` gives.
        webhook:    an address that is told of the job's end, on a host of the service's webhooks.hosts.
        """
        if type not in ("scan", "purify"):
            raise BurnError(f"A job is a scan or purify, not {type!r}.")
        chosen = dict(options or {})
        scaling = dict(chosen.get("input") or {})
        scaling |= {
            name: list(value) if isinstance(value, (tuple, list)) else value
            for name, value in (("mean", mean), ("std", std), ("preset", preset)) if value is not None}
        if scaling:
            chosen["input"] = scaling
        chosen |= {
            name: value for name, value in (
                ("seed", seed), ("rounds", rounds), ("force", force), ("threads", threads),
                ("slots", slots), ("method", method),
                ("accept_disagreement", accept_disagreement)) if value is not None}
        if isinstance(classes, Mapping):
            chosen["classes"] = dict(classes)
            classes = None
        try:
            with tempfile.TemporaryDirectory(prefix="burn-client-") as scratch:
                folder = pathlib.Path(scratch)
                data, packed = self._dataset(dataset, "train", folder, classes, reading)
                if packed is not None and packed.classes is not None:
                    chosen.setdefault("classes", packed.classes)
                shape = input_shape or (packed.shape if packed else None)
                body: dict[str, Any] = {
                    "type": type, "dataset": data, "model": self._model(model, folder, shape), "options": chosen}
                evaluation: dict[str, Any] = {
                    name: self._dataset(value, name, folder, classes)[0]
                    for name, value in (("clean", clean), ("triggered", triggered)) if value is not None}
                if trusted is not None:
                    chosen["trusted"] = self._dataset(trusted, "trusted", folder, classes)[0]
            if target_class is not None:
                evaluation["target_class"] = target_class
            if evaluation:
                body["evaluation"] = evaluation
            if priority is not None:
                body["priority"] = priority
            if webhook is not None:
                body["webhook"] = webhook
            return Job.of(self._transport.post("/v1/jobs", body, **{"Idempotency-Key": str(uuid.uuid4())}))
        finally:
            self._end_line()

    def result(self, job: Job | str) -> Result:
        """Waits for a job's end and gives its results. Raises JobFailed."""
        id = job if isinstance(job, str) else job.id
        try:
            for event in self.watch(id):
                if event.type == "progress":
                    name = (event.data.get("phase") or "preparation").replace("_", " ")
                    if event.data.get("round"):
                        name += f", round {event.data['round']}"
                    self._progress(name, event.data["progress"])
        finally:
            self._end_line()
        ended = self.job(id)
        if ended.state != "succeeded":
            raise JobFailed(
                422, ended.error or {"code": f"job-{ended.state}", "title": f"The job was {ended.state}",
                                     "detail": ended.id})
        return Result(self._transport, ended)

    # The parts

    def push_model(self, path: str | pathlib.Path, name: str | None = None) -> Input:
        """Uploads a model file. An upload that was interrupted goes on when this is called again."""
        path = pathlib.Path(path)
        return push(self._transport, path, "model", name or path.name, self._progress, self._unfinished)

    def push_dataset(
        self, path: str | pathlib.Path, name: str | None = None, reading: Mapping[str, str] | None = None
    ) -> Input:
        """Uploads an archive, or packs and uploads a folder. `reading` are its import options."""
        path = pathlib.Path(path)
        if not path.is_dir():
            return push(
                self._transport, path, "dataset", name or path.name, self._progress, self._unfinished, reading)
        with tempfile.TemporaryDirectory(prefix="burn-client-") as scratch:
            packed = _packing.pack_folder(path, pathlib.Path(scratch, "dataset.tar"))
            return push(
                self._transport, packed.path, "dataset", name or f"{path.name}.tar", self._progress, self._unfinished,
                reading)

    def job(self, id: str) -> Job:
        return Job.of(self._transport.get(f"/v1/jobs/{id}"))

    def jobs(self, state: str | None = None) -> Iterator[Job]:
        """All jobs, newest first."""
        cursor: str | None = None
        while True:
            params = {name: value for name, value in (("state", state), ("cursor", cursor)) if value is not None}
            page = self._transport.get("/v1/jobs", params)
            yield from map(Job.of, page["items"])
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def watch(self, job: Job | str, after: str | None = None) -> Iterator[Event]:
        """The job's events so far (after the one with the id `after`), and each new one, until the job has ended.

        Goes on after the last event when the connection breaks or the service restarts.
        """
        return follow(self._transport, job if isinstance(job, str) else job.id, after)

    def cancel(self, job: Job | str) -> Job:
        id = job if isinstance(job, str) else job.id
        return Job.of(self._transport.post(f"/v1/jobs/{id}/cancel"))

    def _end_line(self) -> None:
        if self._line is not None:
            self._line.finish()

    def _model(self, model: ModelLike, scratch: pathlib.Path, shape: Sequence[int] | None) -> str:
        if isinstance(model, Input):
            return model.id
        if isinstance(model, str) and model.startswith("mdl_") and not pathlib.Path(model).exists():
            return model
        if isinstance(model, (str, pathlib.Path)):
            return self.push_model(model).id
        if not _modules.is_module(model):
            raise PackingError(f"A model is an id, a path or an nn.Module, not a {type(model).__name__}.")
        if shape is None:
            raise PackingError(
                "To export the module, the images' size must be known.\n  Pass input_shape=(channels, height, width).")
        path = scratch / "model.pt2"
        self._progress("exporting the model", 0)
        _modules.export(model, shape, path)
        return self.push_model(path, f"{type(model).__name__}.pt2").id

    def _dataset(
        self, dataset: DatasetLike, name: str, scratch: pathlib.Path, classes: Sequence[str] | None,
        reading: Mapping[str, str] | None = None,
    ) -> tuple[str, _packing.PackedSet | None]:
        is_path = isinstance(dataset, (str, pathlib.Path)) and pathlib.Path(dataset).exists()
        if reading and not is_path:
            raise PackingError("reading goes with a data set that is a path: others are read already, or packed here.")
        if isinstance(dataset, Input):
            return dataset.id, None
        if isinstance(dataset, str) and dataset.startswith("dst_") and not pathlib.Path(dataset).exists():
            return dataset, None
        archive = scratch / f"{name}.tar"
        if isinstance(dataset, (str, pathlib.Path)):
            path = pathlib.Path(dataset)
            if not path.exists():
                raise PackingError(f"{path} is not there.")
            if not path.is_dir():
                return self.push_dataset(path, reading=reading).id, None
            packed, label = _packing.pack_folder(path, archive), f"{path.name}.tar"
        else:
            step = f"packing {name}"
            packed = _packing.pack_dataset(
                dataset, archive, classes=classes, progress=lambda done: self._progress(step, done))
            label = f"{name}.tar"
        try:
            return self.push_dataset(packed.path, label, reading).id, packed
        finally:
            archive.unlink(missing_ok=True)
