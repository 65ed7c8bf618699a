"""docs/tour.ipynb runs from its first cell to its last, shows what it says, and is stored without outputs."""

from __future__ import annotations

import json
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.checkout import DOCS

TOUR = DOCS / "tour.ipynb"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_stored_notebook_is_valid_small_and_without_outputs():
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    assert TOUR.stat().st_size < 20_000
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the client's event loop
def test_every_cell_runs_and_the_last_expression_of_most_is_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    kernels = tmp_path / "kernels" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernels / "kernel.json").write_text(json.dumps({"argv": start, "display_name": "Python 3", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels"))
    notebook = nbformat.read(TOUR, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [cell.outputs for cell in code_cells(notebook)]
    shown = [kind for several in outputs for one in several for kind in one.get("data", {})]
    assert shown.count("text/html") >= 6
    assert "image/png" in shown
    printed = "".join(one.text for several in outputs for one in several if one.output_type == "stream")
    assert "nearest_mean" in printed
    assert sum(len(str(one)) for several in outputs for one in several) < 1_000_000
