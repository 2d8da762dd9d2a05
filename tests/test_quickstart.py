"""The quick-start notebook runs from top to bottom, and says what it promises."""

import json
from pathlib import Path

import numpy as np

NOTEBOOK = Path(__file__).parents[1] / "examples" / "quickstart.ipynb"


def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)
    assert names["result"].report.exists()
    assert names["verdict"].verdict == "fault"
    np.testing.assert_array_equal(names["repaired"].images, names["test"].images)
    assert names["clf"].score(names["test"].images, names["test"].labels) > 0.9
