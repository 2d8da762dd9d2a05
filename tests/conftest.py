import os
from pathlib import Path

import pytest

# The nets of the tests are tiny: two threads that wait for each other on a busy machine only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("TIDEPOOL_CACHE", str(tmp_path / ".cache"))
