"""The walkthrough runs from top to bottom against a real service."""

import pathlib
import shutil

import nbclient
import nbformat
from conftest import ROOT, Service

EXAMPLES = ROOT / "clients/python/examples"


def test_the_walkthrough_runs_from_top_to_bottom(service: Service, tmp_path: pathlib.Path, monkeypatch):
    monkeypatch.setenv("BURN_URL", service.url)
    monkeypatch.setenv("BURN_KEY", service.key)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "clients/python/src"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    shutil.copy(EXAMPLES / "drawn.py", tmp_path)
    notebook = nbformat.read(EXAMPLES / "walkthrough.ipynb", as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
