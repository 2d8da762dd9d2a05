import os
import time
from pathlib import Path

from tidepool.formats import cache


def test_a_file_of_this_very_moment_is_looked_at_when_the_moment_is_over(tmp_path: Path) -> None:
    path = tmp_path / "fresh"
    path.write_bytes(b"1")
    found = cache.state(path)
    assert time.time_ns() - path.stat().st_mtime_ns >= cache._TICK
    assert found is not None
    assert found[:2] == (str(path), 1)
    os.utime(path, ns=(0, time.time_ns() + 10**12))  # a clock that goes wrong: nothing to wait for
    assert cache.state(path) != found


def test_what_is_not_there_has_no_state(tmp_path: Path) -> None:
    assert cache.state(tmp_path / "nothing") is None
