"""What a finished job gives."""

from __future__ import annotations

import json
import pathlib
import tempfile
from typing import Any

from . import _modules
from ._errors import BurnError
from ._resources import Job, Verdict
from ._transport import Transport


class Result:
    """The results of a finished job. Files are fetched when they are first asked for, and checked by SHA-256.

    Files that were given no path lie in a temporary folder, which goes with this object.
    """

    def __init__(self, transport: Transport, job: Job) -> None:
        if job.verdict is None:
            raise BurnError(f"Job {job.id} has no verdict: it is {job.state}.")
        self.job = job
        self.verdict: Verdict = job.verdict
        self._transport = transport
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._model: pathlib.Path | None = None

    def __repr__(self) -> str:
        return f"<Result of {self.job.id}: {self.verdict.result}>"

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """ACC, ASR and RA `before` and `after`, where evaluation sets were given."""
        return {name: dict(values) for name, values in self.job.metrics.items() if values}

    @property
    def model_changed(self) -> bool:
        """Whether the purified model differs from the upload."""
        return self.job.model_changed is True

    def samples(self, flagged: bool | None = None) -> Any:
        """The evidence for each sample: a pandas DataFrame where pandas is installed, else a list of dicts."""
        params = {"format": "ndjson"}
        if flagged is not None:
            params["flagged"] = "true" if flagged else "false"
        lines = self._transport.lines(f"/v1/jobs/{self.job.id}/samples", params)
        rows = [json.loads(line) for line in lines if line]
        try:
            import pandas
        except ImportError:
            return rows
        return pandas.DataFrame(rows)

    def labels(self) -> dict[str, int]:
        """The corrected label of every sample, by the image's path in the uploaded archive."""
        lines = self._transport.lines(f"/v1/jobs/{self.job.id}/samples", {"format": "ndjson"})
        rows = (json.loads(line) for line in lines if line)
        return {row["name"]: row["restored_label"] for row in rows}

    def save_labels(self, path: str | pathlib.Path) -> pathlib.Path:
        """Writes the corrected labels as CSV."""
        target = pathlib.Path(path)
        self._transport.download(f"/v1/jobs/{self.job.id}/labels", target, requires_digest=False)
        return target

    def save_model(self, path: str | pathlib.Path) -> pathlib.Path:
        """Writes the purified model, in the format it was uploaded in. A scan makes none."""
        target = pathlib.Path(path)
        self._transport.download(f"/v1/jobs/{self.job.id}/model", target)
        return target

    def model_path(self) -> pathlib.Path:
        """The purified model as a file that lives as long as this object."""
        if self._model is None:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="burn-result-")
            self._model = self.save_model(pathlib.Path(self._folder.name, "model"))
        return self._model

    def load(self) -> Any:
        """The purified model as a module (needs PyTorch, and a model that was uploaded as .pt2 or nn.Module).

        It infers; for training, load `state_dict()` into a module of your own.
        """
        return _modules.load(self.model_path())

    def state_dict(self) -> dict[str, Any]:
        """The purified weights, by the names they have in the module that was exported."""
        return _modules.state_dict(self.model_path())

    def report(self) -> dict[str, Any]:
        """The whole job as one document (schema `burn-report/1`)."""
        document = self._transport.get(f"/v1/jobs/{self.job.id}/report", {"format": "json"})
        return dict(document)

    def save_report(self, path: str | pathlib.Path) -> pathlib.Path:
        """Writes the report: one HTML file that opens anywhere, or JSON, by the ending of the name."""
        target = pathlib.Path(path)
        form = target.suffix.lower().removeprefix(".")
        if form not in ("html", "json"):
            raise BurnError(f"{target} ends with neither .html nor .json.")
        response = self._transport.retrying(
            lambda: self._transport.http.get(f"/v1/jobs/{self.job.id}/report", params={"format": form}))
        target.write_bytes(response.content)
        return target
